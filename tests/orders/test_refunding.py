"""Single dishes go back with their money and portions, while the subsidy stays what it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden
from canteen.ledger.models import Account, Posting
from canteen.menus.models import MenuItem
from canteen.orders.booking import post_day
from canteen.orders.cancelling import AlreadyCancelled, cancel
from canteen.orders.models import Order, OrderRefund
from canteen.orders.paying import charge_arrived
from canteen.orders.placing import place
from canteen.orders.refunding import (
    AllOfIt,
    NoSuchPortions,
    NothingPaid,
    SubsidyChanges,
    refund,
)
from canteen.orders.remaining import cash_held, rest_of
from canteen.orders.wishing import Wish
from canteen.payments import charging
from canteen.payments.models import Refund
from canteen.subsidies.models import Grant, QuotaUse
from canteen.territory.actors import Actor, job
from canteen.verifying import verify
from tests.factories import City, make_city
from tests.planting import planted


def sell(city: City, **changes: object) -> Order:
    """An elder's lunch: the set of 15.00 and two dishes of 3.00, paid and handed over."""
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "eat_in",
        "lines": {city.items[0].id: 1, city.items[1].id: 2}, "elder_id": city.elder.id,
        "serve_now": True,
    }
    with transaction():
        placed = place(Wish(**(values | changes)), city.cashier, city.now)
    if placed.charge_id:
        with transaction():
            charge_arrived(placed.charge_id, city.now, "pi_test")
    return db.session.get_one(Order, placed.order_id, populate_existing=True)


def take_back(city: City, order: Order, by: Actor | None = None, **more: object) -> OrderRefund:
    """Give back one dish of 3.00."""
    values: dict = {"lines": {city.items[1].id: 1}, "own_shift": True} | more
    lines, own_shift = values["lines"], values["own_shift"]
    with transaction():
        return refund(order.id, lines, "quality", "", by or city.cashier, city.now, own_shift)


def taken(item: MenuItem) -> int:
    return db.session.get_one(MenuItem, item.id, populate_existing=True).taken


def balance(code: str) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(Posting.amount_fen), 0)).join(
        Account, Account.id == Posting.account_id
    )
    return int(db.session.scalar(query.where(Account.code == code)) or 0)


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


def test_a_dish_goes_back_with_its_share_of_the_discount_and_the_subsidy_stays(city: City) -> None:
    order = sell(city)
    assert (order.list_fen, order.discount_fen, order.payable_fen) == (2100, 210, 1590)
    back = take_back(city, order)
    assert (back.list_fen, back.discount_fen) == (300, 30)
    assert (back.payable_fen, back.cash_fen) == (270, 270)
    assert taken(city.items[1]) == 1 and taken(city.items[0]) == 1
    assert db.session.scalar(sa.select(sa.func.count(Grant.id))) == 1
    rest = rest_of(order)
    assert (rest.list_fen, rest.discount_fen, rest.payable_fen) == (1800, 180, 1320)
    assert verify() == []


def test_what_the_counter_takes_back_is_on_the_trail_once(city: City) -> None:
    order, other = sell(city), sell(city, elder_id=None)
    take_back(city, order)
    with transaction():
        cancel(order.id, "quality", "凉了", city.cashier, city.now, True)
    with transaction():
        cancel(other.id, "mistake", "", job("expire"), city.now)
    rows = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.subject == "order").order_by(AuditRecord.id)
    )
    assert [(row.actor, row.act, row.subject_id, row.detail["amount_fen"]) for row in rows] == [
        (city.cashier.label, "refund_dishes", str(order.id), 270),
        (city.cashier.label, "cancel_order", str(order.id), 1320),
    ]


def test_nothing_is_given_back_that_would_cost_the_elder_the_subsidy(city: City) -> None:
    order = sell(city)
    with pytest.raises(SubsidyChanges) as refused:
        take_back(city, order, lines={city.items[0].id: 1})
    assert "取消整单" in refused.value.text.zh and "13.00" in refused.value.text.zh
    assert "Cancel the whole order" in refused.value.text.en
    assert taken(city.items[0]) == 1 and rest_of(order).payable_fen == 1590


def test_a_worker_gets_the_list_price_of_a_dish_back(city: City) -> None:
    order = sell(city, elder_id=None)
    assert take_back(city, order, lines={city.items[0].id: 1}).payable_fen == 1500
    assert verify() == []


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({}, NoSuchPortions), ({1: 3}, NoSuchPortions), ({1: -1}, NoSuchPortions),
        ({2: 1}, NoSuchPortions), ({0: 1, 1: 2}, AllOfIt),
    ],
)
def test_one_cannot_take_back_what_is_not_there_or_all_of_it(
    city: City, lines: dict[int, int], why: type[CanteenError]
) -> None:
    order = sell(city)
    named = {city.items[number].id: quantity for number, quantity in lines.items()}
    with pytest.raises(why):
        take_back(city, order, lines=named)
    assert db.session.scalar(sa.select(sa.func.count(OrderRefund.id))) == 0


def test_a_dish_is_not_given_back_twice(city: City) -> None:
    order = sell(city)
    take_back(city, order, lines={city.items[1].id: 2})
    with pytest.raises(NoSuchPortions):
        take_back(city, order)


def test_the_online_part_goes_back_first_and_then_the_cash(city: City) -> None:
    order = sell(city, payment="online", serve_now=False, cash_fen=1320)
    charge = charging.of_order(order.id)
    assert charge and charge.amount_fen == 270 and order.cash_fen == 1320
    first = take_back(city, order)
    second = take_back(city, order)
    assert (first.payable_fen, first.cash_fen) == (270, 0)
    assert (second.payable_fen, second.cash_fen) == (270, 270)
    assert list(db.session.scalars(sa.select(Refund.amount_fen))) == [270]
    assert verify() == []


def test_a_cancellation_afterwards_gives_back_only_the_rest(city: City) -> None:
    order = sell(city, payment="online", serve_now=False, cash_fen=1000)
    take_back(city, order)
    assert cash_held(order) == 1000
    with transaction():
        back = cancel(order.id, "mistake", "", city.cashier, city.now, own_shift=True)
    assert back.refund_fen == 1320
    assert list(db.session.scalars(sa.select(Refund.amount_fen).order_by(Refund.id))) == [270, 320]
    assert taken(city.items[0]) == taken(city.items[1]) == 0
    assert set(db.session.scalars(sa.select(QuotaUse.used))) == {0}
    with pytest.raises(AlreadyCancelled):
        take_back(city, order)
    assert verify() == []


def test_the_books_hold_sales_refunds_and_cancellations_whatever_the_order_of_runs(
    city: City,
) -> None:
    kept, gone = sell(city), sell(city, elder_id=None, payment="online", serve_now=False)
    with transaction():
        post_day(city.today, job("test"))
    take_back(city, kept)
    take_back(city, gone)
    with transaction():
        post_day(city.today, job("test"))
    assert (balance("till_cash"), balance("online_due")) == (1320, 1800)
    with transaction():
        cancel(gone.id, "mistake", "", city.manager, city.now)
    with transaction():
        post_day(city.today, job("test"))
    assert (balance("till_cash"), balance("online_due")) == (1320, 0)
    assert balance("meal_sales") == -1800 and balance("own_discount") == 180
    assert verify() == []


def test_what_was_given_in_excess_stays_with_the_canteen(city: City) -> None:
    order = sell(city)
    with transaction():  # as a sale kept without network leaves it
        order = db.session.get_one(Order, order.id)
        order.discount_fen += 100
        order.payable_fen -= 100
        order.cash_fen -= 100
        order.excess_fen = 100
    assert take_back(city, order).payable_fen == 270
    assert rest_of(order).discount_fen == 280
    assert {finding.check for finding in verify()} <= {"till_excess"}  # no till has it on record


def test_an_order_not_yet_paid_has_no_money_to_give_back(city: City) -> None:
    order = sell(city, serve_now=False)
    with pytest.raises(NothingPaid):
        take_back(city, order)


def test_a_cashier_takes_back_their_own_shift_and_a_manager_anything(city: City) -> None:
    order = sell(city)
    with pytest.raises(Forbidden):
        take_back(city, order, own_shift=False)
    with pytest.raises(Forbidden), transaction():
        cancel(order.id, "mistake", "", city.cashier, city.now, own_shift=False)
    with pytest.raises(Forbidden), transaction():
        cancel(order.id, "mistake", "", city.cashier, city.now + timedelta(days=1), True)
    take_back(city, order, by=city.manager, own_shift=False)
    with transaction():
        cancel(order.id, "mistake", "", city.manager, city.now + timedelta(days=1), False)
    assert verify() == []


def test_a_cashier_takes_back_what_waits_for_today_and_nothing_of_another_day(city: City) -> None:
    today = sell(city, serve_now=False, service="pick_up")
    with transaction():
        cancel(today.id, "changed_mind", "", city.cashier, city.now, own_shift=False)
    tomorrow = sell(city, serve_now=False, service="pick_up")
    with transaction():
        db.session.get_one(Order, tomorrow.id).on = city.today + timedelta(days=1)
    with pytest.raises(Forbidden), transaction():
        cancel(tomorrow.id, "changed_mind", "", city.cashier, city.now, own_shift=False)


def test_a_stranger_does_not_learn_of_the_order(city: City) -> None:
    order = sell(city)
    with pytest.raises(CanteenError) as refused:
        take_back(city, order, by=city.cashier_elsewhere)
    assert refused.value.code == "not_found"


def test_a_refund_of_the_next_month_falls_into_the_month_it_is_made(city: City) -> None:
    order = sell(city, payment="online", serve_now=False)
    later = city.now + timedelta(days=40)
    with transaction():
        made = refund(order.id, {city.items[1].id: 1}, "quality", "", city.manager, later)
    month = clock.period_of(clock.business_date(later))
    assert made.on == clock.business_date(later) != date.min
    assert db.session.scalar(sa.select(Refund.period)) == month


@pytest.mark.parametrize(
    ("fault", "checks"),
    [
        (
            "UPDATE order_refunds SET list_fen = list_fen + 30, discount_fen = discount_fen + 30",
            {"refunds_match"},
        ),
        ("UPDATE order_refund_lines SET quantity = 3", {"refunds_match", "portions_match"}),
        (
            "UPDATE order_refunds SET payable_fen = 5000, list_fen = 5030",
            {"refunds_match", "charges_match_orders"},
        ),
        ("UPDATE order_refunds SET cash_fen = payable_fen",
         {"refunds_match", "charges_match_orders"}),
        ("DELETE FROM refunds", {"charges_match_orders"}),
        ("UPDATE orders SET paid_at = NULL, paid_on = NULL", {"refunds_match"}),
    ],
)  # fmt: skip
def test_a_refund_altered_is_found(city: City, fault: str, checks: set[str]) -> None:
    take_back(city, sell(city, payment="online", serve_now=False))
    with planted(fault):
        assert checks <= {finding.check for finding in verify()}
    assert verify() == []


def test_taken_back_at_one_instant_a_dish_goes_back_once_and_the_rest_with_the_order(
    app: Flask, city: City
) -> None:
    order, barrier = sell(city, payment="online", serve_now=False), Barrier(4)
    number, item, manager, at = order.id, city.items[1].id, city.manager, city.now
    db.session.remove()

    def act(which: int) -> str:
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    if which:
                        refund(number, {item: 2}, "quality", "", manager, at)
                    else:
                        cancel(number, "mistake", "", manager, at)
            except CanteenError as refusal:
                return refusal.code
            finally:
                db.session.remove()
            return "done"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(act, range(4)))
    assert answers[0] == "done" and answers.count("done") <= 2
    assert set(answers) <= {"done", "no_such_portions", "already_cancelled"}
    assert sum(db.session.scalars(sa.select(Refund.amount_fen))) == 1590
    assert verify() == []
