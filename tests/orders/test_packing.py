"""Meals are packed, sent out and handed over a tap at a time; mixed payment at the counter."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.checks import running
from canteen.checks.models import Suspicion
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden
from canteen.orders.cancelling import cancel
from canteen.orders.expiring import uncollected
from canteen.orders.models import Order
from canteen.orders.packing import (
    NobodySigned,
    NotDelivered,
    NotPacked,
    deliver,
    pack,
    send_out,
    unpack,
)
from canteen.orders.paying import charge_arrived
from canteen.orders.placing import Placed, place
from canteen.orders.remaining import cash_held
from canteen.orders.serving import NotServable, serve
from canteen.orders.wishing import BadWish, Wish
from canteen.payments import charging
from canteen.payments.models import Refund
from canteen.territory.actors import job
from canteen.verifying import verify
from tests.factories import City, make_city


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


def order_ahead(city: City, **changes: object) -> Placed:
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "delivery",
        "lines": {city.items[0].id: 1}, "elder_id": city.elder.id, "channel": "elder",
        "note": "少盐",
    }
    with transaction():
        return place(Wish(**(values | changes)), city.manager, city.now)


def now(order_id: int) -> Order:
    return db.session.get_one(Order, order_id, populate_existing=True)


def test_a_delivery_is_packed_sent_out_and_signed_for(city: City) -> None:
    number, at = order_ahead(city).order_id, city.now
    with transaction():
        pack(number, city.cashier, at)
    with transaction():
        pack(number, city.cashier, at + timedelta(minutes=2))
    assert now(number).packed_at == at
    with transaction():
        send_out(number, city.cashier, at + timedelta(minutes=5))
    with pytest.raises(NotPacked), transaction():
        unpack(number, city.cashier, at)
    with transaction():
        deliver(number, " 赵 女儿 ", city.cashier, at + timedelta(minutes=20))
    order = now(number)
    assert order.state == "served" and order.note == "少盐 签收人：赵 女儿"
    assert (order.served_by, order.paid_at) == (city.cashier.label, order.served_at)
    with pytest.raises(NotPacked), transaction():
        pack(number, city.cashier, at)
    assert verify() == []


def test_a_delivery_sent_out_and_not_signed_for_waits_for_people_not_for_the_clock(
    city: City,
) -> None:
    number, at, tomorrow = order_ahead(city).order_id, city.now, city.today + timedelta(days=1)
    assert uncollected(tomorrow) == [number], "as long as it has not left the house"
    with transaction():
        send_out(number, city.cashier, at)
    db.session.rollback()
    assert uncollected(tomorrow) == []
    period, later = clock.period_of(city.today), at + timedelta(days=1)
    with transaction():
        running.run(scope_of(period, tomorrow), by=job("check_meals"), at=later)
    held = sa.select(Suspicion.order_id).where(
        Suspicion.code == "unsigned", Suspicion.mode == "hold", Suspicion.state == "open"
    )
    assert db.session.scalars(held).all() == [number]
    db.session.rollback()
    with transaction():
        cancel(number, "not_received", "", city.manager, later)
    assert now(number).state == "cancelled"
    db.session.rollback()
    assert verify() == []


def test_what_was_packed_too_early_is_unpacked(city: City) -> None:
    number = order_ahead(city, service="pick_up").order_id
    with transaction():
        pack(number, city.cashier, city.now)
    with transaction():
        unpack(number, city.cashier, city.now)
    assert now(number).packed_at is None


def test_only_deliveries_leave_and_somebody_signs(city: City) -> None:
    fetched, sent = order_ahead(city, service="pick_up").order_id, order_ahead(city).order_id
    with pytest.raises(NotDelivered), transaction():
        send_out(fetched, city.cashier, city.now)
    with pytest.raises(NotDelivered), transaction():
        deliver(fetched, "赵", city.cashier, city.now)
    with pytest.raises(NobodySigned), transaction():
        deliver(sent, "  ", city.cashier, city.now)
    assert now(sent).state == "placed"


def test_only_orders_of_today_at_ones_own_canteen_are_packed(city: City) -> None:
    number = order_ahead(city).order_id
    with pytest.raises(NotPacked), transaction():
        pack(number, city.cashier, city.now + timedelta(days=1))
    with pytest.raises(CanteenError) as refused, transaction():
        pack(number, city.cashier_elsewhere, city.now)
    assert refused.value.code == "not_found"
    with pytest.raises(Forbidden), transaction():
        pack(number, city.elder_actor, city.now)


def test_a_sale_paid_by_phone_at_the_till_is_served_when_the_money_arrives(city: City) -> None:
    sold = order_ahead(
        city, service="eat_in", channel="till", payment="online", cash_fen=500, note=""
    )
    charge = charging.of_order(sold.order_id)
    assert (sold.state, charge.amount_fen if charge else 0) == ("awaiting_payment", 550)
    with pytest.raises(NotServable), transaction():
        serve(sold.order_id, city.cashier, city.now)
    with transaction():
        assert charge_arrived(sold.charge_id or 0, city.now, "pi_1")
    order = now(sold.order_id)
    assert (order.state, order.cash_fen, order.payable_fen) == ("served", 500, 1050)
    assert (order.served_at, order.served_by) == (city.now, city.manager.label)
    with transaction():
        assert not charge_arrived(sold.charge_id or 0, city.now, "pi_1")
    assert verify() == []


@pytest.mark.parametrize("ahead", [{"channel": "elder"}, {"channel": "till"}])
def test_a_delivery_paid_by_phone_still_waits_for_its_delivery(
    city: City, ahead: dict[str, str]
) -> None:
    ordered = order_ahead(city, payment="online", **ahead)
    with transaction():
        charge_arrived(ordered.charge_id or 0, city.now, "pi_1")
    assert now(ordered.order_id).state == "placed" and now(ordered.order_id).served_at is None


def test_a_mixed_sale_given_up_returns_its_cash_and_a_late_payment_by_itself(city: City) -> None:
    sold = order_ahead(city, service="eat_in", channel="till", payment="online", cash_fen=500)
    assert cash_held(now(sold.order_id)) == 500
    with transaction():
        back = cancel(sold.order_id, "mistake", "", city.cashier, city.now, own_shift=False)
    assert back.refund_fen == 0
    with transaction():
        charge_arrived(sold.charge_id or 0, city.now, "pi_1")
    assert now(sold.order_id).state == "cancelled"
    assert list(db.session.scalars(sa.select(Refund.amount_fen))) == [550]
    assert verify() == []


@pytest.mark.parametrize("cash_fen", [-1, 1050, 2000])
def test_a_cash_part_leaves_something_to_pay_online(city: City, cash_fen: int) -> None:
    with pytest.raises(BadWish) as refused:
        order_ahead(city, payment="online", cash_fen=cash_fen)
    assert refused.value.field == "cash_fen"


def test_an_elder_at_home_has_no_cash_part(city: City) -> None:
    with pytest.raises(Forbidden), transaction():
        wish = Wish(
            canteen_id=city.here.id, on=city.today, meal="lunch", service="eat_in",
            lines={city.items[0].id: 1}, elder_id=city.elder.id, payment="online", cash_fen=100,
        )
        place(wish, city.elder_actor, city.now)
