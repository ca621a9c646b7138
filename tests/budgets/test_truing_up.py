"""The yearly true-up: what the city owes a district, twice, by two people, in the books."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.budgets import funding, targets, truing_up
from canteen.budgets.models import TrueUp
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.ledger.balances import balance
from canteen.ledger.models import Entry
from canteen.settlements import changing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant, Period
from canteen.verifying import verify
from tests.budgets.world import NEW_YEAR, evaluated, settled_october, share_of
from tests.factories import City
from tests.planting import planted
from tests.settlements.factories import (
    JOB,
    at_noon,
    close,
    pass_on,
    statement_of,
)

HERE, CITY = "purse:120104", "purse:120000"


@pytest.fixture
def city(app: Flask) -> City:
    return settled_october()


def prepare(city: City, kind: str = "preliminary", on: date = NEW_YEAR, **more: Any) -> TrueUp:
    with transaction():
        return truing_up.prepare(
            2026, "120104", kind, city.extra["maker"], on=on, at=at_noon(on), **more
        )


def finish(city: City, made: TrueUp, on: date = NEW_YEAR) -> TrueUp:
    with transaction():
        truing_up.confirm(made.id, city.extra["checker"], at=at_noon(on))
    return pay(city, made, on=on)


def pay(
    city: City, made: TrueUp, by: str = "checker", reference: str = "", on: date = NEW_YEAR,
    paid_on: date | None = None,
) -> TrueUp:  # fmt: skip
    with transaction():
        return truing_up.pay(
            made.id, reference or f"BK{made.id}", paid_on or on, city.extra[by], on=on,
            at=at_noon(on),
        )


def close_the_year() -> None:
    close("2026-11", date(2026, 12, 2))
    close("2026-12", date(2027, 1, 2))


def refused(code: str, city: City, *args: Any, **more: Any) -> None:
    with pytest.raises(CanteenError) as caught:
        prepare(city, *args, **more)
    assert caught.value.code == code


def test_the_district_pays_the_citys_half_which_the_true_up_clears(city: City) -> None:
    due = share_of(statement_of(city.here), statement_of(elder_id=city.extra["second"].id))
    assert balance(HERE, "due_from_city") == due
    assert verify() == []
    made = prepare(city)
    assert (made.share_fen, made.paid_before_fen, made.balance_fen) == (due, 0, due)
    assert {row["period"] for row in made.sums} == {"2026-10"}
    assert sum(row["amount_fen"] for row in made.sums) == due
    funds = balance(HERE, "funds")
    finish(city, made)
    assert balance(HERE, "due_from_city") == 0
    assert balance(HERE, "funds") == funds + due
    assert balance(CITY, "funds") == -due
    assert verify() == []


def test_a_final_one_needs_the_year_closed_reviewed_and_evaluated(city: City) -> None:
    refused("months_open", city, "final", on=date(2026, 12, 20))
    refused("months_open", city, "final")
    close_the_year()
    made = prepare(city, "final")  # open for a month only: not evaluated in its first year
    assert (made.kind, made.paid_before_fen) == ("final", 0)


def test_who_sold_three_months_must_have_been_visited(city: City) -> None:
    for period in ("2026-08", "2026-09"):
        again = {"period": period, "canteen_id": city.here.id, "stage": "paid"}
        with transaction():
            db.session.add(Period(period=period, closed_at=at_noon(NEW_YEAR), closed_by="job:x"))
            db.session.flush()
            copied = statement_of(city.here)
            values = {c.name: getattr(copied, c.name) for c in Statement.__table__.columns}
            del values["id"]
            db.session.add(Statement(**(values | again)))
    close_the_year()
    refused("not_evaluated", city, "final")
    assert targets.unevaluated(2026, "120104", least_months=1) == [city.here.id]
    evaluated(city)
    assert targets.unevaluated(2026, "120104", least_months=1) == []


def test_what_was_paid_too_much_comes_back(city: City) -> None:
    with transaction():
        funding.set_aside("120104", 2026, 1_000_000, "", city.extra["maker"], at_noon(NEW_YEAR))
    early = prepare(city, percent_bp=5_000, on=date(2026, 7, 1))
    assert (early.balance_fen, early.sums) == (500_000, [])
    finish(city, early)
    close_the_year()
    last = prepare(city, "final")
    due = share_of(statement_of(city.here), statement_of(elder_id=city.extra["second"].id))
    assert (last.share_fen, last.paid_before_fen, last.balance_fen) == (due, 500_000, due - 500_000)
    finish(city, last)
    assert balance(CITY, "funds") == -due
    assert (balance(HERE, "due_from_city"), balance(CITY, "due_to_districts")) == (
        0, -share_of(statement_of(city.elsewhere))
    )
    assert verify() == []


def test_a_draft_of_the_preliminary_bars_the_final(city: City) -> None:
    prepare(city)
    close_the_year()
    refused("preliminary_unpaid", city, "final")


def test_statements_still_under_review_bar_the_final(city: City) -> None:
    with transaction():
        order = db.session.scalar(sa.select(Grant.order_id).where(Grant.till_fen > 0).limit(1))
        changing.take_back({order: None}, "corrected", JOB, at_noon(date(2026, 11, 5)))
    close_the_year()
    refused("year_under_review", city, "final")


def test_two_people_and_only_the_city(city: City) -> None:
    made = prepare(city)
    by_hand = {"own_true_up": city.extra["maker"], "forbidden": city.extra["hands"].district}
    for code, by in by_hand.items():
        with pytest.raises(CanteenError) as caught, transaction():
            truing_up.confirm(made.id, by, at=at_noon(NEW_YEAR))
        assert caught.value.code == code
    finish(city, made)
    refused("true_up_stands", city)
    with pytest.raises(CanteenError) as again:
        pay(city, made)
    assert again.value.code == "true_up_state"
    assert truing_up.list_for(city.extra["hands_elsewhere"].district) == []
    assert [one.id for one in truing_up.list_for(city.extra["hands"].district)] == [made.id]


def test_a_draft_that_no_longer_agrees_is_made_again(city: City) -> None:
    made = prepare(city)
    with transaction():
        order = db.session.scalar(
            sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0)
            .order_by(Grant.order_id.desc()).limit(1)
        )  # fmt: skip
        changing.take_back({order: None}, "corrected", JOB, at_noon(date(2026, 11, 5)))
    close("2026-11", date(2026, 12, 2))
    pass_on([statement_of(city.here, "2026-11").id], city.extra["hands"], on=date(2026, 12, 2))
    with pytest.raises(CanteenError) as caught, transaction():
        truing_up.confirm(made.id, city.extra["checker"], at=at_noon(NEW_YEAR))
    assert caught.value.code == "true_up_moved"
    again = prepare(city)
    assert (again.id, again.balance_fen) == (made.id, made.balance_fen)
    assert {row["period"] for row in again.sums} == {"2026-10", "2026-11"}


def test_it_is_paid_once_by_another_under_a_reference_of_the_bank(city: City) -> None:
    made = prepare(city, on=date(2026, 12, 20))
    with transaction():
        truing_up.confirm(made.id, city.extra["checker"], at=at_noon(date(2026, 12, 21)))
    bad: dict[str, dict[str, Any]] = {
        "own_payment": {"by": "maker"}, "bad_reference": {"reference": " \u3000"},
        "bad_paid_on": {"paid_on": date(2026, 12, 20)},
    }  # fmt: skip
    for code, given in bad.items():
        with pytest.raises(CanteenError) as caught:
            pay(city, made, **given)
        assert caught.value.code == code
    with pytest.raises(CanteenError) as ahead:
        pay(city, made, paid_on=date(2027, 1, 5))
    assert ahead.value.field == "paid_on"
    pay(city, made, reference="ｂk 77", paid_on=date(2026, 12, 30))
    entry = db.session.scalars(sa.select(Entry).where(Entry.key == f"true-up:{made.id}")).one()
    assert (entry.on, made.reference, made.paid_by) == (
        date(2026, 12, 30), "BK77", city.extra["checker"].label,
    )
    close_the_year()
    last = prepare(city, "final")
    with pytest.raises(CanteenError) as used:
        finish_under(city, last, "bk77")
    assert used.value.code == "reference_used"
    assert verify() == []


def finish_under(city: City, made: TrueUp, reference: str) -> None:
    with transaction():
        truing_up.confirm(made.id, city.extra["checker"], at=at_noon(NEW_YEAR))
    pay(city, made, reference=reference)


def test_what_no_longer_stands_is_not_paid_but_drafted_anew(city: City) -> None:
    made = prepare(city)
    with transaction():
        truing_up.confirm(made.id, city.extra["checker"], at=at_noon(NEW_YEAR))
    refused("true_up_stands", city)
    with transaction() as session:  # one of its statements is back with an office
        session.get_one(Statement, statement_of(city.here).id).stage = "city"
    with pytest.raises(CanteenError) as caught:
        pay(city, made)
    assert caught.value.code == "true_up_moved"
    again = prepare(city)
    assert (again.id, again.state, again.confirmed_by) == (made.id, "draft", None)
    assert again.balance_fen < made.paid_before_fen + share_of(statement_of(city.here))


def test_the_table_of_targets_compares_what_was_planned_and_done(city: City) -> None:
    by = city.extra["hands"].district
    with transaction():
        targets.aim(2026, "120104", "meals", 5, by, at_noon(NEW_YEAR))
        targets.aim(2026, "120104", "in_time", 10_000, by, at_noon(NEW_YEAR))
        targets.aim(2026, "120104", "meals", 1_000, by, at_noon(NEW_YEAR))
    rows = {row.code: row for row in targets.table(2026, "120104")}
    assert rows["meals"].planned == 1_000
    assert rows["meals"].actual == statement_of(city.here).meals
    assert rows["meals"].reached is False
    assert rows["elders"].actual == 2
    assert rows["canteens"].actual == 1
    assert (rows["in_time"].actual, rows["in_time"].reached) == (10_000, True)
    assert rows["satisfaction"].actual is None
    for code, target in (("lunches", 1), ("in_time", 10_001), ("meals", -1)):
        with pytest.raises(CanteenError), transaction():
            targets.aim(2026, "120104", code, target, by, at_noon(NEW_YEAR))


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("UPDATE postings SET amount_fen = amount_fen + 1 WHERE account_id IN"
         " (SELECT id FROM accounts WHERE code = 'due_from_city')", "city_shares_in_books"),
        ("UPDATE true_ups SET balance_fen = balance_fen + 1", "true_ups_in_books"),
        ("UPDATE true_ups SET confirmed_by = prepared_by", "true_ups_in_books"),
        ("UPDATE true_ups SET paid_by = NULL", "true_ups_in_books"),
    ],
)  # fmt: skip
def test_verify_sees_a_true_up_that_does_not_balance(city: City, fault: str, check: str) -> None:
    finish(city, prepare(city))
    with planted(fault):
        assert check in {finding.check for finding in verify()}
