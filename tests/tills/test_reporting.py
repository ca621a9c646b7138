"""A shift's report: its sums by meal, payer and way of paying, and what else must be known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.orders.paying import charge_arrived
from canteen.tills import shifts
from canteen.tills.models import Shift, Till
from canteen.tills.reporting import Report, report
from canteen.tills.sums import Sums
from tests.factories import City, make_city
from tests.tills.drawers import begin, end, make_till, put, sale, sign

MINUTE = timedelta(minutes=1)


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def till(city: City) -> Till:
    with transaction():
        return make_till(city.here.id)


def of(shift_id: int) -> Report:
    db.session.expire_all()
    return report(db.session.get_one(Shift, shift_id))


def parts(sums: Sums) -> tuple[int, ...]:
    return (
        sums.meals, sums.list_fen, sums.discount_fen, sums.subsidy_fen, sums.cash_fen,
        sums.online_fen,
    )


def test_an_empty_shift_reports_nothing(city: City, till: Till) -> None:
    with transaction():
        shift_id = begin(city, till, city.now, 0)
    found = of(shift_id)
    assert parts(found.total) == (0, 0, 0, 0, 0, 0)
    assert found.by_meal == [] and found.moved == [] and found.funders == []
    assert (found.journal.first, found.journal.last) == (1, 1)
    assert found.left_before_fen is None


def test_sales_are_summed_by_meal_service_and_way_and_the_parts_fit(
    city: City, till: Till
) -> None:
    with transaction():
        shift_id = begin(city, till, city.now)
        sale(city, till, shift_id, city.items[:1], city.now, elder_id=city.elder.id)
        sale(city, till, shift_id, city.items[:2], city.now)
        mixed = sale(
            city, till, shift_id, city.items[2:], city.now, payment="online", cash_fen=200
        )
        charge = db.session.execute(
            db.text("SELECT id FROM charges WHERE order_id = :id"), {"id": mixed.id}
        ).scalar_one()
        charge_arrived(charge, city.now, "pi_1")
    found = of(shift_id)
    assert parts(found.total) == (3, 4000, 150, 300, 3050, 500)
    total = found.total
    assert total.list_fen == total.discount_fen + total.subsidy_fen + total.paid_fen
    assert [(one.code, one.meals) for one in found.by_meal] == [("lunch", 3)]
    assert [(one.code, one.meals) for one in found.by_way] == [("cash", 2), ("mixed", 1)]
    for rows in (found.by_meal, found.by_service, found.by_way):
        assert parts(sum(rows, Sums())) == parts(found.total)
    assert found.funders == [("city", 150), ("district", 150)]
    assert found.enterprise_fen == 200
    assert (found.total.elder_meals, found.total.subsidised) == (1, 1)


def test_an_online_payment_that_has_not_arrived_waits_outside_the_sums(
    city: City, till: Till
) -> None:
    with transaction():
        shift_id = begin(city, till, city.now, 0)
        order = sale(city, till, shift_id, city.items[:1], city.now, payment="online", cash_fen=500)
    waiting = of(shift_id)
    assert (waiting.total.meals, waiting.awaiting.meals) == (0, 1)
    assert (waiting.awaiting.online_fen, waiting.drawer.expected_fen) == (1000, 500)
    with transaction():
        end(city, till, shift_id, {"500": 1}, city.now + MINUTE)
        charge = db.session.execute(
            db.text("SELECT id FROM charges WHERE order_id = :id"), {"id": order.id}
        ).scalar_one()
        charge_arrived(charge, city.now + 2 * MINUTE, "pi_1")
    after = of(shift_id)
    assert (after.total.meals, after.awaiting.meals) == (0, 1)


def test_moves_are_summed_by_kind_and_reason(city: City, till: Till) -> None:
    with transaction():
        shift_id = begin(city, till, city.now)
        order = sale(city, till, shift_id, city.items[:1], city.now)
        put(till, shift_id, -100, "purchase", "葱", city.cashier, city.now)
        put(till, shift_id, -250, "purchase", "姜", city.cashier, city.now)
        shifts.collected(till.id, order.id, 900, city.cashier, city.now)
    found = of(shift_id)
    assert [(m.kind, m.reason_code, m.times, m.fen) for m in found.moved] == [
        ("paid_out", "purchase", 2, 350), ("collected", "", 1, 900),
    ]


def test_what_was_taken_back_within_the_shift_is_counted_beside_the_sales(
    city: City, till: Till
) -> None:
    with transaction():
        shift_id = begin(city, till, city.now, 0)
        first = sale(city, till, shift_id, city.items[:1], city.now)
        later = sale(city, till, shift_id, city.items[:1], city.now)
        cancel(first.id, "mistake", "", city.manager, city.now)
        shifts.refunded(till.id, first.id, 1500, city.manager, city.now)
        end(city, till, shift_id, {"1000": 1, "500": 1}, city.now + MINUTE)
        cancel(later.id, "mistake", "", city.manager, city.now + 2 * MINUTE)
    found = of(shift_id)
    assert (found.total.meals, found.taken_back.meals) == (2, 1)
    assert found.drawer.expected_fen == 1500 == found.shift.expected_fen


def test_what_a_reviewer_must_know_is_counted(city: City, till: Till) -> None:
    with transaction():
        shift_id = begin(city, till, city.now)
        sale(
            city, till, shift_id, city.items[:1], city.now, elder_id=city.elder.id, kept=True,
            notes=("late", "excess_programme"),
        )
        sale(city, till, shift_id, city.items[:1], city.now, kept=True, notes=("late",))
        sign(till, "withdrawn", city.now, shift_id, code="sold_out")
        sign(till, "sale", city.now, shift_id, kept=True, result="refused", cash_fen=1200)
        till.claimed = till.head + 2
    found = of(shift_id).journal
    assert (found.first, found.last, found.missing) == (1, 5, [])
    assert (found.kept, found.withdrawn, found.refused, found.unsent) == (3, 1, 1, 2)
    assert found.refused_fen == 1200
    assert found.notes == {"late": 2, "excess_programme": 1}
    assert of(shift_id).beyond.subsidy_fen == 300


def test_missing_numbers_are_named_but_not_without_end(city: City, till: Till) -> None:
    with transaction():
        shift_id = begin(city, till, city.now)
        till.head = till.claimed = 40
        sign(till, "withdrawn", city.now, shift_id, code="sold_out")
    found = of(shift_id).journal
    assert (found.first, found.last, found.missing_count) == (1, 41, 39)
    assert found.missing == list(range(2, 22))


def test_the_float_is_compared_with_what_the_shift_before_left(city: City, till: Till) -> None:
    with transaction():
        first = begin(city, till, city.now, 10000)
        end(city, till, first, {"10000": 1}, city.now, left_fen=5000)
        second = begin(city, till, city.now + MINUTE, 4000, number=2)
    assert of(second).left_before_fen == 5000
