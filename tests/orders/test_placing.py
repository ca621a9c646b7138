"""An order takes portions, quota and subsidy together, or nothing at all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.errors import CanteenError, NotFound
from canteen.menus.models import MenuItem
from canteen.orders.cancelling import AlreadyCancelled, cancel
from canteen.orders.models import Order
from canteen.orders.placing import Placed, PriceChanged, place
from canteen.orders.quoting import explain, quote_for
from canteen.orders.serving import serve
from canteen.orders.wishing import Wish
from canteen.subsidies.models import Grant, QuotaUse
from canteen.territory.actors import Actor
from tests.factories import City, make_city, make_elder, make_menu


def wish(city: City, **changes: object) -> Wish:
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "eat_in",
        "lines": {city.items[0].id: 1}, "elder_id": city.elder.id, "serve_now": True,
    }
    return Wish(**(values | changes))


def sell(city: City, by: Actor | None = None, **changes: object) -> Placed:
    with transaction():
        return place(wish(city, **changes), by or city.cashier, city.now)


def used(city: City) -> dict[str, int]:
    rows = db.session.execute(
        sa.select(QuotaUse.period_code, QuotaUse.used).where(QuotaUse.elder_id == city.elder.id)
    )
    return {row.period_code: row.used for row in rows}


def test_an_elder_of_80_pays_list_less_discount_less_three_yuan(app: Flask) -> None:
    city = make_city()
    placed = sell(city)
    order = db.session.get(Order, placed.order_id)
    assert (order.list_fen, order.discount_fen, order.subsidy_fen, order.payable_fen) == (
        1500, 150, 300, 1050,
    )
    grant = db.session.scalar(sa.select(Grant))
    assert (grant.till_fen, grant.enterprise_fen, grant.on) == (300, 200, city.today)
    assert used(city) == {"day": 1, "week": 1}
    assert explain(order).payable_fen == 1050


def test_a_worker_pays_the_list_price_and_no_grant_is_made(app: Flask) -> None:
    city = make_city()
    placed = sell(city, elder_id=None)
    assert db.session.get(Order, placed.order_id).payable_fen == 1500
    assert db.session.scalar(sa.select(sa.func.count(Grant.id))) == 0
    assert [step.code for step in placed.priced.quote.steps] == [
        "list_price", "no_elder", "payable",
    ]


def test_second_meal_of_the_day_is_full_price_and_says_why(app: Flask) -> None:
    city = make_city()
    sell(city)
    with transaction():
        dinner = make_menu(city.here, city.today, "dinner")
    placed = sell(city, meal="dinner", lines={dinner[0].id: 1})
    quote = placed.priced.quote
    assert (quote.subsidy_fen, quote.payable_fen) == (0, 1350)
    assert any(step.kind == "refusal" for step in quote.steps)
    assert used(city) == {"day": 1, "week": 1}


def test_cancelling_gives_back_quota_portions_and_grant_exactly(app: Flask) -> None:
    city = make_city()
    placed = sell(city, lines={city.items[0].id: 1, city.items[1].id: 2})
    with transaction():
        cancellation = cancel(placed.order_id, "mistake", "", city.cashier, city.now)
    assert cancellation.refund_fen == placed.priced.quote.payable_fen
    assert used(city) == {"day": 0, "week": 0}
    assert set(db.session.scalars(sa.select(MenuItem.taken))) == {0}
    assert db.session.scalar(sa.select(sa.func.sum(Grant.till_fen + Grant.enterprise_fen))) == 0
    with pytest.raises(AlreadyCancelled), transaction():
        cancel(placed.order_id, "mistake", "", city.cashier, city.now)
    assert sell(city).priced.quote.subsidy_fen == 300


def test_a_refused_order_leaves_nothing_behind(app: Flask) -> None:
    city = make_city()
    with pytest.raises(PriceChanged) as refusal:
        sell(city, expected_payable_fen=1)
    assert refusal.value.detail["payable_fen"] == 1050
    assert db.session.scalar(sa.select(sa.func.count(Order.id))) == 0
    assert set(db.session.scalars(sa.select(MenuItem.taken))) == {0}
    assert sum(used(city).values()) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lines": {}}, "bad_order"),
        ({"lines": {999_999: 1}}, "bad_order"),
        ({"meal": "supper"}, "bad_order"),
        ({"service": "by_pigeon"}, "bad_order"),
        ({"payment": "cheque"}, "bad_order"),
        ({"payment": "online"}, "bad_order"),
        ({"note": "x" * 121}, "bad_order"),
        ({"elder_id": 999_999}, "not_found"),
    ],
)
def test_malformed_wishes_are_refused_with_their_field(
    app: Flask, changes: dict, code: str
) -> None:
    city = make_city()
    with pytest.raises(CanteenError) as refusal:
        sell(city, **changes)
    assert refusal.value.code == code
    assert db.session.scalar(sa.select(sa.func.count(Order.id))) == 0


@pytest.mark.parametrize("quantity", [0, -1, 51, 10**12])
def test_absurd_quantities_are_refused(app: Flask, quantity: int) -> None:
    city = make_city()
    with pytest.raises(CanteenError) as refusal:
        sell(city, lines={city.items[0].id: quantity})
    assert (refusal.value.code, refusal.value.field) == ("bad_order", "lines")


def test_yesterdays_menu_is_refused(app: Flask) -> None:
    city = make_city()
    yesterday = city.today - timedelta(days=1)
    with transaction():
        old = make_menu(city.here, yesterday)
    with pytest.raises(CanteenError) as refusal:
        sell(city, on=yesterday, lines={old[0].id: 1})
    assert refusal.value.code == "meal_past"


@pytest.mark.parametrize("status", ["suspended", "delisted", "applied"])
def test_a_canteen_without_its_sign_takes_no_orders(app: Flask, status: str) -> None:
    city = make_city()
    with transaction():
        db.session.get(Canteen, city.here.id).status = status
    with pytest.raises(CanteenError) as refusal:
        sell(city)
    assert refusal.value.code == "canteen_not_selling"


def test_a_cashier_cannot_sell_at_another_canteen(app: Flask) -> None:
    city = make_city()
    with pytest.raises(NotFound):
        sell(city, by=city.cashier_elsewhere)


def test_an_elder_orders_for_nobody_else(app: Flask) -> None:
    city = make_city()
    with transaction():
        other = make_elder(date(1941, 1, 1), name="钱安康")
    with pytest.raises(NotFound):
        sell(city, by=city.elder_actor, elder_id=other.id, serve_now=False, channel="elder")
    with pytest.raises(NotFound):
        sell(city, by=city.elder_actor, elder_id=None, serve_now=False, channel="elder")


def test_portions_cannot_be_oversold(app: Flask) -> None:
    city = make_city()
    with transaction():
        scarce = make_menu(city.here, city.today, "dinner", portions=2)
    sell(city, meal="dinner", lines={scarce[0].id: 2}, elder_id=None)
    with pytest.raises(CanteenError) as refusal:
        sell(city, meal="dinner", lines={scarce[0].id: 1}, elder_id=None)
    assert refusal.value.code == "sold_out"


def test_an_order_to_pick_up_is_paid_when_it_is_served(app: Flask) -> None:
    city = make_city()
    placed = sell(
        city, by=city.elder_actor, serve_now=False, channel="elder", service="pick_up"
    )
    assert db.session.get(Order, placed.order_id).paid_at is None
    with transaction():
        order = serve(placed.order_id, city.cashier, city.now)
    assert (order.state, order.paid_on) == ("served", city.today)
    with pytest.raises(CanteenError) as refusal, transaction():
        serve(placed.order_id, city.cashier, city.now)
    assert refusal.value.code == "not_servable"


def test_a_card_that_cannot_be_read_pays_in_full_and_is_owed_the_subsidy(app: Flask) -> None:
    city = make_city()
    placed = sell(city, to_account=True)
    grant = db.session.scalar(sa.select(Grant))
    assert placed.priced.quote.payable_fen == 1350
    assert (grant.till_fen, grant.account_fen, grant.enterprise_fen) == (0, 300, 200)


def test_a_quote_takes_nothing(app: Flask) -> None:
    city = make_city()
    priced = quote_for(wish(city), city.cashier, city.now)
    db.session.rollback()
    assert priced.quote.payable_fen == 1050
    assert used(city) == {}


def test_sold_today_by_the_shanghai_calendar(app: Flask) -> None:
    late = clock.instant(date(2026, 11, 21), clock.local(clock.now()).time().replace(hour=23))
    assert clock.business_date(late) == date(2026, 11, 21)
