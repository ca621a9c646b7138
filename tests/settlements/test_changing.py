"""What happens to a meal's subsidy after the meal: held, released, denied, given again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.checks import deciding
from canteen.checks.models import Suspicion, SuspicionStep
from canteen.checks.precision import precision
from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.settlements import changing, gates, holding
from canteen.settlements.amending import amendments_of, deduct
from canteen.settlements.models import Statement, StatementLine
from canteen.subsidies.granting import SubsidyLost
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor, job
from canteen.verifying import verify
from tests.factories import City
from tests.settlements.factories import (
    OCTOBER,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)

LATER = at_noon(date(2026, 11, 3))
JOB = job("test")


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def standing(canteen_id: int) -> int:
    """An order of the canteen whose subsidy of the till stands."""
    return int(
        db.session.scalar(
            sa.select(sa.func.min(Grant.order_id)).where(
                Grant.canteen_id == canteen_id, Grant.till_fen > 0,
                Grant.order_id.not_in(sa.select(Grant.order_id).where(Grant.number > 1)),
            )
        )
    )


def rows_of(order_id: int) -> list[tuple[int, str, str]]:
    found = db.session.execute(
        sa.select(Grant.number, Grant.cause, Grant.period)
        .where(Grant.order_id == order_id).order_by(Grant.number)
    )  # fmt: skip
    return [tuple(row) for row in found]


def suspect(order_id: int | None, canteen_id: int, mode: str = "hold", key: str = "") -> int:
    with transaction():
        return suspect_within(order_id, canteen_id, mode, key)


def suspect_within(
    order_id: int | None, canteen_id: int, mode: str = "hold", key: str = ""
) -> int:
    found = Suspicion(
        code="deceased", period=OCTOBER, canteen_id=canteen_id, order_id=order_id,
        key=key or f"order:{order_id}", amount_fen=500 if order_id else 9000, evidence={},
        mode=mode, state="open", found_at=LATER, reason="", false_alarm=False,
    )
    db.session.add(found)
    db.session.flush()
    return found.id


def decide(suspicion_id: int, verdict: str, by: Actor, **more: Any) -> changing.Changed:
    with transaction():
        return holding.decide(suspicion_id, verdict, "核对过名单", by=by, at=LATER, **more)


def officer(city: City) -> Actor:
    return city.extra["hands"].district


def test_a_meal_in_doubt_is_in_no_sum_and_the_others_are(city: City) -> None:
    order = standing(city.here.id)
    suspect(order, city.here.id)
    close()
    statement = statement_of(city.here)
    assert rows_of(order)[-1] == (2, "held", OCTOBER)
    granted = db.session.execute(
        sa.select(sa.func.sum(Grant.sign), sa.func.sum(Grant.till_fen)).where(
            Grant.period == OCTOBER, Grant.canteen_id == city.here.id
        )
    ).one()
    assert (statement.meals, statement.elder_fen) == tuple(granted)
    assert verify() == []


@pytest.mark.parametrize(("verdict", "last"), [("pay", "released"), ("deny", "denied")])
def test_a_decision_during_the_review_amends_the_statement(
    city: City, verdict: str, last: str
) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    close()
    before = statement_of(city.here).total_fen
    changed = decide(found, verdict, officer(city))
    statement = statement_of(city.here)
    assert rows_of(order)[-1][1:] == (last, OCTOBER)
    assert changed.statements == (statement.id,)
    more = 500 if verdict == "pay" else 0
    assert statement.total_fen == before + more
    amendment = amendments_of(statement.id)[-1]
    assert (amendment.total_before_fen, amendment.total_after_fen) == (before, before + more)
    assert verify() == []


def test_a_decision_after_approval_falls_into_the_next_open_month(city: City) -> None:
    order = standing(city.here.id)
    close()
    statement = statement_of(city.here)
    pass_on([statement.id], city.extra["hands"])
    found = suspect(order, city.here.id)
    before = statement_of(city.here).total_fen
    decide(found, "deny", officer(city))
    assert rows_of(order)[-1] == (2, "denied", "2026-11")
    assert statement_of(city.here).total_fen == before
    assert verify() == []


def test_deciding_twice_pays_once_and_reopening_gives_it_again(city: City) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id, mode="warn")
    close()
    decide(found, "deny", officer(city))
    with transaction():
        again = holding.settle([order], JOB, LATER)
    assert (rows_of(order)[-1][0], again.meals) == (2, 0)
    with transaction():
        deciding.reopen(found, "看错了人", by=officer(city), at=LATER)
    decide(found, "pay", officer(city), false_alarm=True)
    assert rows_of(order)[-1][:2] == (3, "released")
    assert verify() == []


def test_two_findings_on_a_meal_both_have_to_be_cleared(city: City) -> None:
    order = standing(city.here.id)
    first = suspect(order, city.here.id)
    second = suspect(order, city.here.id, key="second")
    close()
    decide(first, "pay", officer(city))
    assert rows_of(order)[-1][1] == "held"
    decide(second, "deny", officer(city))
    assert rows_of(order)[-1][1] == "denied"
    assert verify() == []


def test_what_no_longer_holds_is_paid_by_itself(city: City) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    close()
    with transaction() as session:
        session.execute(
            sa.update(Suspicion).where(Suspicion.id == found).values(state="cleared")
        )
        session.add(
            SuspicionStep(suspicion_id=found, verdict="cleared", by_label=JOB.label, at=LATER)
        )
        holding.settle_cleared(LATER)
    assert rows_of(order)[-1][1:] == ("released", OCTOBER)
    assert verify() == []


def test_a_pattern_is_denied_meal_by_meal_and_only_its_own(city: City) -> None:
    found = suspect(None, city.here.id, key="canteen")
    close()
    foreign = standing(city.elsewhere.id)
    with pytest.raises(holding.ForeignMeals):
        decide(found, "deny", officer(city), orders=[foreign])
    order = standing(city.here.id)
    assert decide(found, "deny", officer(city), orders=[order]).meals == 1
    assert rows_of(order)[-1][1] == "denied"
    assert verify() == []


def test_a_pattern_paid_after_all_gives_again_what_it_denied_and_no_more(city: City) -> None:
    found = suspect(None, city.here.id, key="canteen")
    order = standing(city.here.id)
    other = suspect(order, city.here.id, mode="warn")
    close()
    before = statement_of(city.here).total_fen
    with pytest.raises(holding.NothingDenied) as refused:
        decide(found, "deny", officer(city))
    assert refused.value.field == "orders" and precision()["deceased"].decided == 0
    decide(found, "deny", officer(city), orders=[order])
    record = precision()["deceased"]
    assert (record.denied, record.denied_fen) == (1, 500)  # one meal of a pattern worth more
    decide(other, "pay", officer(city))  # what the pattern denied, it does not give again
    assert rows_of(order)[-1][1] == "denied"
    for verdict, last in (("deny", "denied"), ("pay", "released")):
        with transaction():
            deciding.reopen(found, "照片另有说明", by=officer(city), at=LATER)
        decide(found, verdict, officer(city))
        assert rows_of(order)[-1][1] == last
    assert statement_of(city.here).total_fen == before
    assert verify() == []


@pytest.mark.parametrize(("code", "mine", "canteens"), [
    ("elders_operator_account", True, False), ("elders_share_account", True, False),
    ("shared_account", False, True),
])  # fmt: skip
def test_what_is_found_of_an_account_keeps_the_statement_of_its_payee(
    city: City, code: str, mine: bool, canteens: bool
) -> None:
    elder = city.extra["second"].id
    with transaction() as session:
        one = session.get_one(Suspicion, suspect_within(None, city.here.id))
        one.code, one.elder_id = code, elder if code == "elders_operator_account" else None
        one.evidence = {"elder_ids": f"{elder},999"}
    close()
    own, theirs = statement_of(elder_id=elder).id, statement_of(city.here).id
    found = {each.statement_id for each in gates.missing([own, theirs], "district")
             if each.code == "findings"}  # fmt: skip
    assert (own in found, theirs in found) == (mine, canteens)


def test_a_held_meal_may_be_cancelled_a_denied_one_may_not(city: City) -> None:
    held, denied = standing(city.here.id), standing(city.elsewhere.id)
    suspect(held, city.here.id)
    close()
    with transaction():
        cancel(held, "mistake", "", city.manager, LATER)
    assert [cause for _, cause, _ in rows_of(held)] == ["sale", "held", "released", "cancelled"]
    with transaction():
        changing.take_back({denied: None}, "denied", JOB, LATER)
    elsewhere = Actor("manager", city.manager.user_id, canteen_id=city.elsewhere.id)
    with pytest.raises(SubsidyLost), transaction():
        cancel(denied, "mistake", "", elsewhere, LATER)


def test_instalments_fall_into_the_months_they_are_given(city: City) -> None:
    close()
    statement = statement_of(city.here)
    pass_on([statement.id], city.extra["hands"])
    order = standing(city.here.id)
    with transaction():
        changing.take_back({order: None}, "denied", JOB, LATER, into={order: "2027-02"})
    assert rows_of(order)[-1] == (2, "denied", "2027-02")


def test_a_deduction_is_split_over_the_funders_to_the_fen(city: City) -> None:
    close()
    statement = statement_of(city.here)
    before = statement.total_fen
    with transaction():
        held = db.session.get_one(Statement, statement.id)
        deduct(held, 101, "sample", JOB, LATER, "抽查 1/3 有误")
    statement = statement_of(city.here)
    assert (statement.deducted_fen, statement.total_fen) == (-101, before - 101)
    lines = db.session.scalars(
        sa.select(StatementLine).filter_by(statement_id=statement.id, side="deduction")
    ).all()
    assert sum(line.amount_fen for line in lines) == -101
    # The books agree; but the default rule extrapolates nothing, no meal was found wrong: seen.
    assert {finding.check for finding in verify()} == {
        "looked_at_before_approval", "deductions_told",
    }  # fmt: skip


def test_an_account_paid_meal_amends_both_statements(city: City) -> None:
    order = db.session.scalar(
        sa.select(sa.func.min(Grant.order_id)).where(Grant.account_fen > 0)
    )
    close()
    with transaction():
        changed = changing.take_back({order: None}, "corrected", JOB, LATER)
    assert len(changed.statements) == 2
    assert verify() == []
    assert clock.period_of(date(2026, 10, 31)) == OCTOBER
