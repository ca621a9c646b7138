"""When nobody acts: reminded once before and after, agreed by silence or passed on by the rule."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.canteens.models import Canteen, ListingChange
from canteen.db import db, transaction
from canteen.notices.models import Notice
from canteen.settlements import (
    answering,
    correcting,
    finding,
    reviewing,
    rules,
    silence,
    undoing,
)
from canteen.settlements.models import StatementStep
from canteen.settlements.rules import Stage
from canteen.verifying import verify
from tests.factories import City
from tests.settlements.factories import (
    AFTER,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)
from tests.settlements.test_correcting import a_meal
from tests.settlements.test_rules import set_rule

FIFTH = date(2026, 11, 5)


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def silent(on: date) -> silence.Silent:
    with transaction():
        return silence.run(on, at_noon(on))


def notices(**where: object) -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).filter_by(**where).order_by(Notice.id)))


def test_each_is_reminded_once_before_and_once_a_week_after(city: City) -> None:
    close()
    assert silent(FIFTH - timedelta(days=3)) == silence.Silent()
    assert silent(FIFTH - timedelta(days=2)).told == 2, "an operator each; the street's is later"
    assert silent(FIFTH - timedelta(days=1)).told == 0
    assert silent(FIFTH).told == 0
    (mine,) = notices(operator_id=city.here.operator_id)
    assert "1张结算单" in mine.zh and mine.path == "/operator/statements?stage=operator"
    assert silent(FIFTH + timedelta(days=1)).told == 4, "the operators, and who waits for them"
    assert silent(FIFTH + timedelta(days=3)).told == 1, "the elder's, at the street"
    above, own = notices(territory_code=city.here.street_code, role="street")
    assert "运营企业有1张" in above.zh and above.path == "/bureau/statements?stage=operator"
    assert own.path == "/bureau/statements?stage=street"
    assert silent(FIFTH + timedelta(days=8)).told == 4, "both again; the street's, and its district"
    (late,) = notices(role="district")
    assert "街道有1张" in late.zh and late.territory_code == "120104"
    assert statement_of(city.here).stage == "operator", "the default only reminds"


def test_silence_agrees_where_the_rule_says_so(city: City) -> None:
    hands = city.extra["hands"]
    stages = (Stage("operator", 5, "consent"), *rules.DEFAULT.stages[1:])
    set_rule(hands.district, stages)
    close()
    here = statement_of(city.here)
    due = here.due_on
    assert silent(due).consented == 0
    done = silent(due + timedelta(days=1))
    assert (done.consented, done.escalated) == (1, 0)
    assert statement_of(city.here).stage == "street"
    assert statement_of(city.elsewhere).stage == "operator", "the other district only reminds"
    assert silent(due + timedelta(days=1)) == silence.Silent(), "twice changes nothing"
    step = db.session.scalars(
        sa.select(StatementStep).where(StatementStep.verdict == "consented")
    ).one()
    assert (step.stage, step.to_stage, step.by_label) == ("operator", "street", "job:silence")
    (first, *_) = finding.chain_of(statement_of(city.here))
    assert (first.state, first.how is not None) == ("done", True)
    pass_on([here.id], hands, on=FIFTH + timedelta(days=2))
    assert statement_of(city.here).stage == "approved"
    assert verify() == []


def test_what_a_delisted_canteen_earned_does_not_wait_for_its_operator(city: City) -> None:
    close()
    late = statement_of(city.here).due_on + timedelta(days=1)
    assert silent(late).consented == 0, "the default only reminds"
    with transaction() as session:
        session.get_one(Canteen, city.here.id).status = "delisted"
        session.add(
            ListingChange(
                canteen_id=city.here.id, from_status="listed", to_status="delisted",
                reason_code="voluntary_exit", reason="", decided_by="user:1", at=at_noon(AFTER),
            )
        )
    assert (silent(late).consented, silent(late)) == (1, silence.Silent())
    step = db.session.scalars(sa.select(StatementStep).where(StatementStep.reason != "")).one()
    assert (step.verdict, step.to_stage) == ("consented", "street") and "摘牌" in step.reason
    assert statement_of(city.elsewhere).stage == "operator"
    pass_on([statement_of(city.here).id], city.extra["hands"], on=late)
    assert statement_of(city.here).stage == "approved" and verify() == []


def test_an_office_that_lets_it_lie_is_passed_over(city: City) -> None:
    hands = city.extra["hands"]
    operator, _street, *others = rules.DEFAULT.stages
    set_rule(hands.district, (operator, Stage("street", 10, "escalate"), *others))
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="operator")
    tenth = statement_of(city.here).due_on
    assert silent(tenth + timedelta(days=1)).escalated == 2, "the elder's too"
    assert statement_of(city.here).stage == "district"
    (told,) = notices(role="district", territory_code="120104")
    assert "有2张" in told.zh
    pass_on([here.id], hands, on=tenth + timedelta(days=2))
    assert verify() == []


def test_the_operator_may_take_its_silence_back(city: City) -> None:
    hands = city.extra["hands"]
    set_rule(hands.district, (Stage("operator", 5, "consent"), *rules.DEFAULT.stages[1:]))
    close()
    here = statement_of(city.here)
    silent(here.due_on + timedelta(days=1))
    with transaction():
        assert undoing.undo(here.id, "十月三日少算两餐", hands.operator) == "operator"
    pass_on([here.id], hands)
    assert verify() == []


def test_silence_answers_no_question(city: City) -> None:
    hands = city.extra["hands"]
    set_rule(hands.district, (Stage("operator", 5, "consent"), *rules.DEFAULT.stages[1:]))
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="operator")
    with transaction():
        correcting.send_back(here.id, [a_meal(city)], "签到表里没有这餐", hands.street,
                             at_noon(AFTER))  # fmt: skip
    late = statement_of(city.here).due_on + timedelta(days=1)
    assert silent(late).consented == 0
    assert statement_of(city.here).stage == "operator"
    with pytest.raises(reviewing.NothingChosen):
        reviewing.approve([], hands.operator)


def test_silence_looks_at_no_answer(city: City) -> None:
    """The street asked, was answered, and says nothing more: nobody passes it over."""
    hands = city.extra["hands"]
    operator, _street, *others = rules.DEFAULT.stages
    set_rule(hands.district, (operator, Stage("street", 10, "consent"), *others))
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="operator")
    with transaction():
        correcting.send_back(here.id, [a_meal(city)], "签到表里没有这餐", hands.street,
                             at_noon(AFTER))  # fmt: skip
    (line,) = correcting.lines_of(here.id)
    with transaction():
        answering.answer(
            line.correction.id, "keep", "老人当天来过", hands.operator, at_noon(AFTER, 14)
        )
    pass_on([here.id], hands, upto="operator")
    late = statement_of(city.here).due_on + timedelta(days=1)
    silent(late)
    assert statement_of(city.here).stage == "street"
    with transaction():
        assert correcting.close(here.id, hands.street, at_noon(late)) == 1
    silent(late)
    assert statement_of(city.here).stage == "district"
    assert verify() == []
