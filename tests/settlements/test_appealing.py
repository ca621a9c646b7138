"""An objection to a denied meal: within its days, once, and decided by somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.settlements import appealing, changing, holding, looking, reviewing
from canteen.settlements.changing import last_rows
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Appeal
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City
from tests.settlements.factories import (
    AFTER,
    Hands,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)
from tests.settlements.test_correcting import a_meal
from tests.settlements.test_reviewing import actor_of
from tests.settlements.test_sampling import LATER, WRONG, drawn_of

WHY = "老人当天由女儿代签，有照片"


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    pass_on([statement_of(city.here).id], city.extra["hands"], upto="street")
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


@pytest.fixture
def denied(city: City, hands: Hands) -> int:
    """A drawn meal the district's officer found wrong."""
    here = statement_of(city.here)
    order = drawn_of(here)[0]
    with transaction():
        looking.look(here.id, {order: WRONG}, hands.district, LATER)
    return order


def file(order: int, by: Actor, on=AFTER) -> Appeal:
    with transaction():
        return appealing.file(order, WHY, by, at_noon(on, 15))


def decide(appeal: Appeal, verdict: str, by: Actor, why: str = "照片属实，予以支付") -> Appeal:
    with transaction():
        return appealing.decide(appeal.id, verdict, why, by, at_noon(AFTER, 16))


def colleague() -> Actor:
    return actor_of("district", territory_code="120104")


def test_an_upheld_objection_pays_the_meal_at_once(
    city: City, hands: Hands, denied: int
) -> None:
    before = statement_of(city.here).total_fen
    appeal = file(denied, hands.operator)
    assert appealing.waiting_count(hands.district) == 1
    with pytest.raises(appealing.SameJudge):
        decide(appeal, "upheld", hands.district)
    assert decide(appeal, "upheld", colleague()).state == "upheld"
    (row,) = last_rows([denied])
    assert (row["sign"], row["cause"], row["cause_id"]) == (1, "upheld", appeal.id)
    assert statement_of(city.here).total_fen > before
    with pytest.raises(appealing.AlreadyDecided):
        decide(appeal, "rejected", colleague())
    assert verify() == []


def test_whoever_raised_a_sum_does_not_approve_its_payment(
    city: City, hands: Hands, denied: int
) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="district")
    decide(file(denied, hands.operator), "upheld", hands.city)
    with pytest.raises(reviewing.SameHand) as refusal, transaction():
        reviewing.approve([here.id], hands.city, at=at_noon(AFTER, 17))
    assert "调高" in refusal.value.text.zh
    other = actor_of("city", territory_code="120000")
    with transaction():
        reviewing.return_(here.id, "请街道再核对一遍", other, at=at_noon(AFTER, 17))
    pass_on([here.id], hands)
    assert statement_of(city.here).stage == "approved", "everybody looked at it since"
    assert verify() == []


def test_a_meal_given_again_before_the_objection_was_upheld_is_proven(
    city: City, hands: Hands, denied: int
) -> None:
    appeal, other = file(denied, hands.operator), colleague()
    with transaction():
        looking.look(statement_of(city.here).id, {denied: ("right", "")},
                     hands.district, LATER)
    with transaction() as session:
        session.execute(
            sa.update(Appeal).where(Appeal.id == appeal.id)
            .values(state="upheld", decided_by=other.label, decided_at=LATER)
        )  # fmt: skip
    assert last_rows([denied])[0]["cause"] == "released"
    assert verify() == []


def test_a_rejected_one_leaves_it_and_is_heard_once(city: City, hands: Hands, denied: int) -> None:
    appeal = file(denied, city.manager)
    with pytest.raises(appealing.NotDenied):
        file(denied, hands.operator)
    before = statement_of(city.here).total_fen
    decide(appeal, "rejected", hands.city, "照片上不是本人")
    assert statement_of(city.here).total_fen == before
    assert [each.state for each in appealing.of_order(denied)] == ["rejected"]
    assert verify() == []


def test_what_found_the_meal_wrong_is_decided_anew(city: City, hands: Hands) -> None:
    order = a_meal(city)
    with transaction():
        found = Suspicion(
            code="deceased", period="2026-10", canteen_id=city.here.id, order_id=order,
            key=f"order:{order}", amount_fen=500, evidence={}, mode="warn", state="open",
            found_at=LATER, reason="", false_alarm=False,
        )
        db.session.add(found)
    with transaction():
        holding.decide(found.id, "deny", "名单上已去世", by=hands.district, at=LATER)
    appeal = file(order, hands.operator)
    with pytest.raises(appealing.SameJudge):
        decide(appeal, "upheld", hands.district)
    decide(appeal, "upheld", colleague())
    assert db.session.get_one(Suspicion, found.id, populate_existing=True).state == "paid"
    with transaction():
        assert holding.settle([order], hands.city, LATER).meals == 0, "nothing denies it again"
    assert verify() == []


def test_an_old_objection_ends_with_its_denial_and_pays_nothing_later(
    city: City, hands: Hands, denied: int
) -> None:
    appeal = file(denied, hands.operator)
    with transaction():
        looking.look(statement_of(city.here).id, {denied: ("right", "")}, hands.district, LATER)
    assert [each.state for each in appealing.of_order(denied)] == ["moot"]
    assert appealing.waiting_count(hands.district) == 0
    with transaction():
        changing.take_back({denied: None}, "corrected", hands.district, LATER)
    other = colleague()
    with pytest.raises(appealing.AlreadyDecided):
        decide(appeal, "upheld", other)
    with transaction() as session:  # one that was left waiting all the same
        session.execute(sa.update(Appeal).values(state="filed", decided_at=None, decided_by=None))
    with pytest.raises(appealing.DenialGone):
        decide(appeal, "upheld", other)
    decide(appeal, "rejected", other)
    assert last_rows([denied])[0]["sign"] < 0
    assert verify() == []


def test_only_denied_meals_of_ones_own_and_only_for_so_long(
    city: City, hands: Hands, denied: int
) -> None:
    foreign = city.extra["hands_elsewhere"].operator
    with pytest.raises(NotFound):
        file(denied, foreign)
    with pytest.raises(Forbidden):
        file(denied, hands.street)
    with pytest.raises(appealing.NotDenied):
        file(next(o for o in [a_meal(city)] if o != denied), hands.operator)
    with pytest.raises(appealing.TooLate):
        file(denied, hands.operator, AFTER + timedelta(days=16))
    appeal = file(denied, hands.operator, AFTER + timedelta(days=15))
    for by, refusal in (
        (hands.street, Forbidden), (city.extra["hands_elsewhere"].district, NotFound),
    ):
        with pytest.raises(refusal):
            decide(appeal, "upheld", by)
    with pytest.raises(appealing.BadDecision):
        decide(appeal, "perhaps", colleague())
    assert db.session.get(Statement, statement_of(city.here).id) is not None
