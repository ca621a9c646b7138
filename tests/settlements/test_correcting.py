"""Marked lines: only they may be changed, each with what it said before and says now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.orders.models import Order
from canteen.reasons import ReasonMissing
from canteen.settlements import (
    amending,
    answering,
    changing,
    correcting,
    gates,
    looking,
    problems,
    reviewing,
    withdrawing,
)
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import Grant
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
from tests.settlements.test_changing import suspect

LATER = at_noon(AFTER, 14)
WHAT = "签到表里没有这一餐，请核对"


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    pass_on([statement_of(city.here).id], city.extra["hands"], upto="operator")
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


def meals(city: City) -> list[int]:
    """The meals of the first canteen whose subsidy stands."""
    later = sa.orm.aliased(Grant)
    return list(
        db.session.scalars(
            sa.select(Grant.order_id).where(
                Grant.canteen_id == city.here.id, Grant.sign > 0, Grant.till_fen > 0,
                ~sa.exists().where(later.order_id == Grant.order_id, later.number > Grant.number),
            ).order_by(Grant.order_id)
        )
    )  # fmt: skip


def a_meal(city: City) -> int:
    return meals(city)[0]


def ask(city: City, by: Actor, *orders: int, **more: Any) -> list[Correction]:
    here = statement_of(city.here)
    with transaction():
        correcting.send_back(here.id, orders, WHAT, by, LATER, **more)
    return [line.correction for line in correcting.lines_of(here.id)]


def answer(line: Correction, act: str, by: Actor, words: str = "", **more: str) -> Correction:
    with transaction():
        return answering.answer(line.id, act, words, by, LATER, **more)


def test_marked_lines_go_back_with_the_statement_and_hold_it_until_answered(
    city: City, hands: Hands
) -> None:
    first, second, *_ = meals(city)
    lines = ask(city, hands.street, first, second)
    here = statement_of(city.here)
    assert (here.stage, [line.state for line in lines]) == ("operator", ["asked", "asked"])
    assert correcting.asked_of(hands.operator) == [(here.id, "2026-10", city.here.name, 2)]
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here.id], hands.operator)
    assert refused.value.detail["missing"] == {"corrections": 2}
    answer(lines[0], "keep", hands.operator, "老人当天来过，收据在店里")
    answer(lines[1], "withdraw", city.manager)
    pass_on([here.id], hands, upto="operator")
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here.id], hands.street)
    assert refused.value.detail["missing"] == {"answers": 2}
    with transaction():
        assert correcting.close(here.id, hands.street, LATER) == 2
    pass_on([here.id], hands)
    assert verify() == []


def test_who_asked_looks_at_the_answer_and_nobody_below_does_it_for_them(
    city: City, hands: Hands
) -> None:
    pass_on([statement_of(city.here).id], hands, upto="street")
    (line,) = ask(city, hands.district, a_meal(city))
    here = statement_of(city.here).id
    answer(line, "keep", hands.operator, "老人当天来过，收据在店里")
    pass_on([here], hands, upto="operator")
    with transaction():
        assert correcting.close(here, hands.street, LATER) == 0
    pass_on([here], hands, upto="street")
    with transaction():
        looking.look_rest([here], hands.district, LATER)
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here], hands.district)
    assert refused.value.detail["missing"] == {"answers": 1}
    with transaction():
        assert correcting.close(here, hands.district, LATER) == 1
    pass_on([here], hands)
    assert verify() == []


def test_a_line_given_up_leaves_the_statement_with_its_sums_told(city: City, hands: Hands) -> None:
    before = statement_of(city.here)
    was = (before.meals, before.total_fen)
    (line,) = ask(city, hands.street, a_meal(city))
    done = answer(line, "withdraw", hands.operator, "重复录入")
    after = statement_of(city.here)
    assert (after.meals, after.total_fen) == (was[0] - 1, was[1] - 500)
    assert {n: (b, a) for n, b, a in correcting.before_and_after(done)} == {
        "till_fen": (300, 0), "enterprise_fen": (200, 0),
    }
    (amendment,) = amending.amendments_of(after.id)
    assert (amendment.cause, amendment.reason) == ("corrected", "重复录入")
    with pytest.raises(correcting.NotAsked):
        answer(line, "keep", hands.operator, "还是对的")
    assert verify() == []
    other = a_meal(city)
    found = suspect(other, city.here.id, mode="warn")
    with transaction() as session:  # a finding may well have the number of a correction
        session.execute(sa.update(Suspicion).where(Suspicion.id == found).values(id=line.id))
    behind, total = problems.meals_behind(db.session.get_one(Suspicion, line.id))
    assert ([one.order.id for one in behind], total) == ([other], 1)


def test_another_way_of_serving_is_priced_again_and_the_order_stays_as_sold(
    city: City, hands: Hands
) -> None:
    """In Tianjin every way earns the same, so nothing moves but the record."""
    (line,) = ask(city, hands.street, a_meal(city))
    total = statement_of(city.here).total_fen
    with pytest.raises(answering.BadAnswer):
        answer(line, "service", hands.operator, service="eat_in")
    with pytest.raises(answering.BadAnswer):
        answer(line, "service", hands.operator, service="drone")
    done = answer(line, "service", hands.operator, service="pick_up")
    assert correcting.before_and_after(done) == [("service", "eat_in", "pick_up")]
    assert statement_of(city.here).total_fen == total
    assert verify() == []


def test_an_answer_never_raises_what_the_canteen_gets(city: City, hands: Hands) -> None:
    """The meal earns less than its policy gives: served another way it would earn all of it."""
    order_id = a_meal(city)
    priced = answering.served_as(db.session.get_one(Order, order_id), "pick_up")
    less = replace(
        priced, enterprise_fen=0, shares=tuple(s for s in priced.shares if s.side != "enterprise")
    )
    with transaction():
        changing.exchange(order_id, less, None, hands.street, LATER)
    total = statement_of(city.here).total_fen
    (line,) = ask(city, hands.street, order_id)
    with pytest.raises(answering.MoreForCanteen) as refused:
        answer(line, "service", hands.operator, service="delivery")
    assert "2.00" in refused.value.text.zh and "2.00" in refused.value.text.en
    answer(line, "keep", hands.operator, "当天确实送到家，有签收")
    assert statement_of(city.here).total_fen == total


def test_a_price_that_earns_less_changes_the_subsidy_by_the_difference(
    city: City, hands: Hands
) -> None:
    order_id = a_meal(city)
    (line,) = ask(city, hands.street, order_id)
    before = statement_of(city.here)
    total, count = before.total_fen, before.meals
    priced = answering.served_as(db.session.get_one(Order, order_id), "pick_up")
    # As a policy would price it that pays the enterprise for meals at the table only.
    less = replace(
        priced, enterprise_fen=0, shares=tuple(s for s in priced.shares if s.side != "enterprise")
    )
    with transaction():
        changing.exchange(order_id, less, line.id, hands.operator, LATER, reason="实为自取")
    after = statement_of(city.here)
    assert (after.total_fen, after.meals) == (total - 200, count)
    rows = db.session.execute(
        sa.select(Grant.number, Grant.cause, Grant.enterprise_fen)
        .where(Grant.order_id == order_id).order_by(Grant.number)
    ).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [
        (1, "sale", 200), (2, "corrected", -200), (3, "corrected", 0),
    ]
    (amendment,) = amending.amendments_of(after.id)
    assert (amendment.meals, amendment.enterprise_fen) == (0, -200)
    assert verify() == []


def test_a_way_without_any_subsidy_takes_it_back_whole(city: City, hands: Hands) -> None:
    order_id = a_meal(city)
    (line,) = ask(city, hands.street, order_id)
    before = statement_of(city.here).total_fen
    priced = answering.served_as(db.session.get_one(Order, order_id), "pick_up")
    nothing = replace(priced, subsidy_fen=0, enterprise_fen=0, shares=())
    with transaction():
        changing.exchange(order_id, nothing, line.id, hands.operator, LATER)
    assert statement_of(city.here).total_fen == before - 500
    assert verify() == []


def test_who_took_a_delivery_is_only_asked_of_deliveries(city: City, hands: Hands) -> None:
    (line,) = ask(city, hands.street, a_meal(city))
    with pytest.raises(answering.BadAnswer):
        answer(line, "receiver", hands.operator, receiver="王阿姨")
    with pytest.raises(answering.BadAnswer):
        answer(line, "receiver", hands.operator, receiver="  ")
    with pytest.raises(ReasonMissing):
        answer(line, "keep", hands.operator, "对")
    with pytest.raises(answering.BadAnswer):
        answer(line, "invent", hands.operator)


def test_a_whole_day_is_all_its_lines(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    day = db.session.scalar(sa.select(Grant.on).where(Grant.order_id == a_meal(city)))
    lines = ask(city, hands.street, days=[day])
    of_day = db.session.scalars(
        sa.select(Grant.order_id).where(
            Grant.canteen_id == city.here.id, Grant.on == day, Grant.period == here.period
        )
    ).all()
    assert {line.order_id for line in lines} == set(of_day)


def test_nobody_marks_or_answers_beyond_their_ground_and_turn(city: City, hands: Hands) -> None:
    here, foreign = statement_of(city.here), city.extra["hands_elsewhere"]
    other = db.session.scalar(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.elsewhere.id)
    )
    for by, orders, refusal in (
        (foreign.street, [a_meal(city)], NotFound), (hands.street, [other], NotFound),
        (hands.street, [], correcting.NothingMarked), (hands.district, [a_meal(city)], Forbidden),
        (hands.operator, [a_meal(city)], reviewing.Moved),
    ):
        with pytest.raises(refusal), transaction():
            correcting.send_back(here.id, orders, WHAT, by, LATER)
    (line,) = ask(city, hands.street, a_meal(city))
    for by, refusal in (
        (foreign.operator, NotFound), (hands.street, Forbidden), (city.cashier, Forbidden),
    ):
        with pytest.raises(refusal):
            answer(line, "keep", by, "这是对的呀")
    with transaction():
        correcting.withdraw(line.id, hands.street, LATER)
    pass_on([here.id], hands, upto="operator")
    with pytest.raises(reviewing.NotYourTurn):
        answer(line, "keep", hands.operator, "这是对的呀")
    with transaction():
        assert looking.VERDICTS and correcting.close(here.id, hands.street, LATER) == 0


def test_meals_that_were_not_marked_stay_shut_until_every_line_is_answered(
    city: City, hands: Hands
) -> None:
    marked, other, *_ = meals(city)
    (line,) = ask(city, hands.street, marked)
    with pytest.raises(withdrawing.OutOfHands), transaction():
        withdrawing.withdraw(other, "重复录入", by=hands.operator, at=LATER)
    answer(line, "keep", hands.operator, "老人当天来过")
    with transaction():
        assert withdrawing.withdraw(other, "重复录入", by=hands.operator, at=LATER).meals == 1
