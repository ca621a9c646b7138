"""A shift is opened once, counted blind, and what is over or short is said and booked."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import Forbidden, Refused
from canteen.ledger.balances import balances
from canteen.orders.booking import post_day
from canteen.orders.cancelling import cancel
from canteen.territory.actors import job
from canteen.tills import shifts
from canteen.tills.cash import BadCount, BadSum, drawer
from canteen.tills.models import CashMove, Shift, Till
from canteen.verifying import verify
from tests.factories import City, make_city
from tests.tills.drawers import begin, end, legs_of, make_till, open_shift_of, put, sale
from tests.tills.tablet import Tablet

MINUTE = timedelta(minutes=1)


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def till(city: City) -> Till:
    with transaction():
        return make_till(city.here.id)


def opened(city: City, till: Till, float_fen: int = 20000) -> int:
    with transaction():
        return begin(city, till, city.now, float_fen)


def test_a_till_has_one_open_shift_at_most(city: City, till: Till) -> None:
    first = opened(city, till)
    with pytest.raises(shifts.ShiftOpen), transaction():
        shifts.open_shift(till.id, city.here.id, 2, city.cashier.user_id, 0, city.now)
    found = open_shift_of(till.id)
    assert found is not None and found.id == first
    with transaction():
        end(city, till, first, {"10000": 2}, city.now)
    assert open_shift_of(till.id) is None
    with pytest.raises(shifts.ShiftOpen), transaction():  # its number was used
        shifts.open_shift(till.id, city.here.id, 1, city.cashier.user_id, 0, city.now)


@pytest.mark.parametrize("fen", [-1, 100_000_01, True, "5", 1.5])
def test_an_absurd_float_is_refused(city: City, till: Till, fen: object) -> None:
    with pytest.raises(BadSum) as refusal, transaction():
        shifts.open_shift(till.id, city.here.id, 1, city.cashier.user_id, fen, city.now)
    assert refusal.value.field == "float_fen"


def test_what_must_be_there_is_float_sales_and_every_move(city: City, till: Till) -> None:
    shift_id = opened(city, till)
    with transaction():
        sold = sale(city, till, shift_id, city.items[:1], city.now)
        gone = sale(city, till, shift_id, city.items[1:2], city.now)
        put(till, shift_id, 5000, "change_in", "", city.cashier, city.now)
        put(till, shift_id, -2000, "purchase", "葱", city.cashier, city.now)
        shifts.collected(till.id, sold.id, 700, city.cashier, city.now)
        shifts.refunded(till.id, gone.id, gone.cash_fen, city.cashier, city.now)
    found = drawer(shift_id)
    assert (found.sales_fen, found.collected_fen, found.refunded_fen) == (1800, 700, 300)
    assert (found.paid_in_fen, found.paid_out_fen) == (5000, 2000)
    assert found.expected_fen == 20000 + 1800 + 700 + 5000 - 2000 - 300


def test_a_mixed_sale_brings_its_cash_part_only(city: City, till: Till) -> None:
    shift_id = opened(city, till, 0)
    with transaction():
        order = sale(city, till, shift_id, city.items[:1], city.now, payment="online", cash_fen=500)
    assert order.payable_fen == 1500
    assert drawer(shift_id).expected_fen == 500


def test_an_exact_count_needs_no_reason_and_goes_to_the_safe(city: City, till: Till) -> None:
    shift_id = opened(city, till)
    with transaction():
        sale(city, till, shift_id, city.items[:1], city.now)
        pieces = {"10000": 2, "1000": 1, "500": 1}
        shift = end(city, till, shift_id, pieces, city.now, left_fen=1500)
    assert (shift.expected_fen, shift.over_fen, shift.left_fen) == (21500, 0, 1500)
    assert legs_of(f"shift:{shift_id}") == {"till_cash": -1500, "safe": 1500}


def test_over_and_short_need_a_reason_but_the_refusal_does_not_say_how_much(
    city: City, till: Till
) -> None:
    shift_id = opened(city, till)
    for count in ({"10000": 1}, {"10000": 3}):
        with pytest.raises(shifts.ReasonNeeded) as refusal, transaction():
            end(city, till, shift_id, count, city.now, reason="  ")
        said = str(refusal.value) + str(refusal.value.detail)
        assert refusal.value.field == "reason"
        assert not any(character.isdigit() for character in said)
    assert open_shift_of(till.id) is not None
    with transaction():
        shift = end(city, till, shift_id, {"10000": 1, "5000": 1}, city.now, "找错一张")
    assert (shift.over_fen, shift.reason) == (-5000, "找错一张")
    assert legs_of(f"shift:{shift_id}") == {"safe": -5000, "cash_over_short": 5000}
    recorded = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.subject == "shift"))
    closing = [one for one in recorded if one.act == "close_shift"]
    assert closing[0].detail["over_fen"] == -5000


def test_a_closing_that_has_happened_is_taken_without_a_reason_and_explained_once(
    city: City, till: Till
) -> None:
    shift_id = opened(city, till)
    with transaction():
        end(city, till, shift_id, {"10000": 1}, city.now, kept=True)
    with pytest.raises(Forbidden), transaction():
        shifts.explain(shift_id, "x", city.cashier)
    with pytest.raises(shifts.ReasonNeeded), transaction():
        shifts.explain(shift_id, " ", city.manager)
    with transaction():
        shifts.explain(shift_id, "断网时少收一单", city.manager)
    assert db.session.get_one(Shift, shift_id).reason == "断网时少收一单"
    with pytest.raises(shifts.NoShift), transaction():
        shifts.explain(shift_id, "又一个", city.manager)


@pytest.mark.parametrize(
    ("count", "counted_fen", "field"),
    [
        ({"300": 1}, 300, "count.300"),
        ({"10000": -1}, 0, "count.10000"),
        ({"10000": 1.0}, 10000, "count.10000"),
        ({"10000": True}, 10000, "count.10000"),
        ({"0100": 1}, 100, "count.0100"),
        ({"10000": 100_000}, 0, "count.10000"),
        ({"10000": 2}, 20001, "counted_fen"),
        ([], 0, "count"),
        (None, 0, "count"),
    ],
)
def test_a_count_that_cannot_be_is_refused_by_its_field(
    city: City, till: Till, count: object, counted_fen: int, field: str
) -> None:
    shift_id = opened(city, till)
    with pytest.raises(BadCount) as refusal, transaction():
        shifts.close_shift(shift_id, count, counted_fen, "数", 0, city.cashier, city.now)
    assert refusal.value.field == field
    assert open_shift_of(till.id) is not None


@pytest.mark.parametrize("left_fen", [-1, 20001])
def test_no_more_stays_than_was_counted(city: City, till: Till, left_fen: int) -> None:
    shift_id = opened(city, till)
    with pytest.raises(BadSum) as refusal, transaction():
        end(city, till, shift_id, {"10000": 2}, city.now, left_fen=left_fen)
    assert refusal.value.field == "left_fen"


@pytest.mark.parametrize(
    ("fen", "code", "reason", "refusal"),
    [
        (0, "to_safe", "", BadSum),
        (100, "to_safe", "", BadSum),
        (-100, "change_in", "", BadSum),
        (-100_000_01, "purchase", "", BadSum),
        (-100, "bribe", "", Refused),
        (-100, "other", "", shifts.ReasonNeeded),
        (-100, "purchase", "葱" * 201, shifts.ReasonTooLong),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(
    city: City, till: Till, fen: int, code: str, reason: str, refusal: type[Exception]
) -> None:
    shift_id = opened(city, till)
    with pytest.raises(refusal), transaction():
        shifts.move(shift_id, fen, code, reason, city.cashier, city.now)
    assert drawer(shift_id).expected_fen == 20000


def test_nothing_moves_in_a_closed_shift(city: City, till: Till) -> None:
    shift_id = opened(city, till, 0)
    with transaction():
        end(city, till, shift_id, {}, city.now)
        order = sale(city, till, shift_id, city.items[:1], city.now)
    for act in (
        lambda: shifts.move(shift_id, 100, "change_in", "", city.cashier, city.now),
        lambda: shifts.close_shift(shift_id, {}, 0, "", 0, city.cashier, city.now),
    ):
        with pytest.raises(shifts.NoShift), transaction():
            act()
    with transaction():
        for till_id in (till.id, None):
            assert shifts.refunded(till_id, order.id, 100, city.cashier, city.now) is None
            assert shifts.collected(till_id, order.id, 100, city.cashier, city.now) is None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CashMove)) == 0


def test_a_refund_after_the_close_falls_into_the_shift_open_then(city: City, till: Till) -> None:
    first = opened(city, till, 0)
    with transaction():
        order = sale(city, till, first, city.items[:1], city.now)
        end(city, till, first, {"1000": 1, "500": 1}, city.now)
        second = begin(city, till, city.now + MINUTE, 2000, number=2)
        shifts.refunded(till.id, order.id, 1500, city.manager, city.now + MINUTE)
    assert drawer(first).expected_fen == 1500
    assert drawer(second).expected_fen == 500


def test_a_shift_of_nothing_makes_no_entry(city: City, till: Till) -> None:
    shift_id = opened(city, till, 0)
    with transaction():
        end(city, till, shift_id, {}, city.now - MINUTE)
    assert legs_of(f"shift:{shift_id}") == {}
    assert db.session.scalar(sa.text("SELECT COUNT(*) FROM entries")) == 0


def test_after_day_posting_nothing_of_a_shift_is_left_in_the_till(city: City, till: Till) -> None:
    shift_id = opened(city, till)
    with transaction():
        sale(city, till, shift_id, city.items, city.now)
        gone = sale(city, till, shift_id, city.items[:1], city.now)
        cancel(gone.id, "mistake", "", city.manager, city.now)
        shifts.refunded(till.id, gone.id, gone.cash_fen, city.manager, city.now)
        put(till, shift_id, 3000, "change_in", "", city.cashier, city.now)
        put(till, shift_id, -10000, "to_safe", "", city.cashier, city.now)
        put(till, shift_id, -1200, "purchase", "洗洁精", city.cashier, city.now)
        put(till, shift_id, -300, "other", "垫付车费", city.cashier, city.now)
        end(city, till, shift_id, {"10000": 1, "2000": 2, "10": 10}, city.now, "多收")
    assert drawer(shift_id).expected_fen == 20000 + 2500 + 3000 - 10000 - 1200 - 300
    with transaction():
        post_day(city.today, job("post_day"))
    book = balances(f"canteen:{city.here.id}")
    assert book["till_cash"] == 0
    assert book["petty_cash"] == 1500
    assert book["cash_over_short"] == -100
    assert book["safe"] == 14100 - 20000 - 3000 + 10000
    assert book["safe"] + book["petty_cash"] + book["cash_over_short"] == 2500


def test_forty_refunds_and_one_closing_at_once_agree(
    app: Flask, city: City, till: Till
) -> None:
    shift_id = opened(city, till)
    with transaction():
        order = sale(city, till, shift_id, city.items[:1], city.now)
    order_id, till_id, by, at = order.id, till.id, city.cashier, city.now
    made: list[int | None] = []

    def give_back() -> None:
        with app.app_context():
            for _ in range(10):
                with transaction():
                    made.append(shifts.refunded(till_id, order_id, 1, by, at))
            db.session.remove()

    workers = [threading.Thread(target=give_back) for _ in range(4)]
    for worker in workers:
        worker.start()
    with transaction():
        shifts.close_shift(shift_id, {"10000": 2}, 20000, "数不准", 0, by, at)
    for worker in workers:
        worker.join()
    db.session.expire_all()
    shift = db.session.get_one(Shift, shift_id)
    written = sum(one is not None for one in made)
    assert len(made) == 40
    assert shift.expected_fen == 21500 - written == drawer(shift_id).expected_fen


def test_a_shift_signed_by_a_tablet_stands_in_the_books_and_verifies(
    city: City, client: FlaskClient
) -> None:
    tablet = Tablet(city, client)
    tablet.open(float_fen=10_000)
    gone = tablet.sale("other")
    tablet.sale("elder")
    tablet.entry("move", fen=-300, reason_code="purchase", reason="葱")
    tablet.entry("void", of=gone["number"], reason_code="mistake", reason="")
    count = {"10000": 1, "500": 1, "100": 2, "50": 1}  # 10.50 sold less 3.00 of onions
    tablet.entry("close", count=count, counted_fen=10_750, reason="", left_fen=10_000)
    answer = tablet.send()
    assert [one["result"] for one in answer.get_json()["outcomes"]] == ["done"] * 6
    db.session.rollback()
    shift = db.session.scalars(sa.select(Shift).where(Shift.till_id == tablet.id)).one()
    assert shift.closed_at is not None
    assert (shift.expected_fen, shift.over_fen, shift.left_fen) == (10_750, 0, 10_000)
    assert legs_of(f"shift:{shift.id}") == {"till_cash": -1050, "safe": 750, "petty_cash": 300}
    with transaction():
        post_day(city.today, job("post_day"))
    assert balances(f"canteen:{city.here.id}")["till_cash"] == 0
    assert verify() == []
