"""Dishes and orders taken back at the counter, within rights, out of the right drawer."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.models import Order, OrderRefund
from canteen.orders.paying import charge_arrived
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.tills.cash import drawer
from canteen.tills.models import Shift, Till
from canteen.web.language import LANGUAGE_COOKIE
from tests.factories import City
from tests.tills.drawers import begin, end, make_till, open_shift_of, sale
from tests.web.cashier.conftest import enter


def sell(city: City, **changes: object) -> int:
    """The set of 15.00 and two dishes of 3.00 to an elder."""
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "eat_in",
        "lines": {city.items[0].id: 1, city.items[1].id: 2}, "elder_id": city.elder.id,
        "serve_now": True,
    }
    with transaction():
        placed = place(Wish(**(values | changes)), city.cashier, clock.now())
    if placed.charge_id:
        with transaction():
            charge_arrived(placed.charge_id, clock.now(), "pi_1")
    return placed.order_id


def give_back(client: FlaskClient, number: int, **fields: object) -> str:
    answer = client.post(f"/till/orders/{number}/refunds", data=fields, follow_redirects=True)
    return " ".join(answer.text.split())


@pytest.fixture
def till(city: City, cashier: FlaskClient) -> Till:
    """The cashier's till with an open shift, opened on the cashier's tablet."""
    with transaction():
        made = make_till(city.here.id)
        begin(city, made, clock.now())
    with cashier.session_transaction() as session:
        session["till"] = made.id
    return made


def shift_of(till: Till) -> int:
    found = open_shift_of(till.id)
    assert found
    return found.id


def test_a_dish_is_taken_back_with_a_tap_on_its_reason(cashier: FlaskClient, city: City) -> None:
    number = sell(city)
    assert "退单个菜" in cashier.get(f"/till/orders/{number}").text
    page = give_back(cashier, number, **{f"item-{city.items[1].id}": 1, "code": "quality"})
    assert "请退现金 2.70 元" in page and "已退 1" in page and "餐品问题" in page
    assert "退过菜" in cashier.get("/till/orders?show=all").text
    again = cashier.post(f"/till/orders/{number}/cancellation", data={"code": "mistake"},
                         follow_redirects=True).text  # fmt: skip
    assert "请退现金 13.20 元" in again


def test_a_dish_that_carries_the_subsidy_is_refused_in_words(
    cashier: FlaskClient, city: City
) -> None:
    number = sell(city)
    page = give_back(cashier, number, **{f"item-{city.items[0].id}": 1, "code": "quality"})
    assert "请取消整单，再把留下的重新卖一次" in page
    assert db.session.query(OrderRefund).count() == 0


def test_mixed_money_goes_back_both_ways_and_is_told_so(cashier: FlaskClient, city: City) -> None:
    number = sell(city, payment="online", serve_now=False, cash_fen=1490)
    page = cashier.get(f"/till/orders/{number}").text
    assert "现金 14.90 元 + 线上 1.00 元" in page and "退现金 14.90 元，另外 1.00 元" in page
    told = give_back(cashier, number, **{f"item-{city.items[1].id}": 1, "code": "quality"})
    assert "请退现金 1.70 元，另外 1.00 元按原路退回" in told


def test_excess_is_shown_plainly(cashier: FlaskClient, city: City) -> None:
    number = sell(city)
    with transaction():
        order = db.session.get_one(Order, number)
        order.discount_fen, order.excess_fen = order.discount_fen + 300, 300
        order.payable_fen, order.cash_fen = order.payable_fen - 300, order.cash_fen - 300
    page = cashier.get(f"/till/orders/{number}").text
    assert "断网时多优惠了" in page and "其中 3.00 元" in page and "12.90" in page


def test_what_is_given_back_in_cash_leaves_the_drawer_of_the_open_shift(
    cashier: FlaskClient, city: City, till: Till
) -> None:
    with transaction():
        number = sale(city, db.session.merge(till), shift_of(till), city.items, clock.now()).id
    give_back(cashier, number, **{f"item-{city.items[1].id}": 1, "code": "quality"})
    assert drawer(shift_of(till)).refunded_fen == 300
    cashier.post(f"/till/orders/{number}/cancellation", data={"code": "mistake"})
    found = drawer(shift_of(till))
    assert found.refunded_fen == found.sales_fen == 2500


def test_a_closed_shift_is_the_managers_to_take_back(
    cashier: FlaskClient, manager: FlaskClient, city: City, till: Till
) -> None:
    with transaction():
        here = db.session.merge(till)
        number = sale(city, here, shift_of(here), city.items, clock.now()).id
        end(city, here, shift_of(here), {"10000": 2, "1000": 2, "500": 1}, clock.now())
    path = f"/till/orders/{number}/cancellation"
    refused = cashier.post(path, data={"code": "mistake"})
    assert refused.status_code == 403 and "请经理来退" in refused.text
    assert "请经理来退" in give_back(
        cashier, number, **{f"item-{city.items[1].id}": 1, "code": "quality"}
    )
    assert manager.post(path, data={"code": "mistake"}).status_code == 303
    assert db.session.query(Shift).one().closed_at is not None


def test_a_colleagues_sale_is_not_ones_own(cashier: FlaskClient, city: City, till: Till) -> None:
    with transaction():
        here = db.session.merge(till)
        shift = db.session.get_one(Shift, shift_of(here))
        shift.cashier_id = city.manager.user_id
        number = sale(city, here, shift.id, city.items, clock.now()).id
    refused = cashier.post(f"/till/orders/{number}/cancellation", data={"code": "mistake"})
    assert refused.status_code == 403


def test_a_session_with_another_canteens_till_moves_nobodys_cash(
    cashier: FlaskClient, city: City
) -> None:
    with transaction():
        other = make_till(city.elsewhere.id)
        begin(city, other, clock.now())
    with cashier.session_transaction() as session:
        session["till"] = other.id
    number = sell(city)
    give_back(cashier, number, **{f"item-{city.items[1].id}": 1, "code": "quality"})
    assert drawer(shift_of(other)).refunded_fen == 0


@pytest.mark.parametrize(
    "fields",
    [{}, {"item-x": "1"}, {"item-1": "-1"}, {"item-99999999999999999999": "1"},
     {"item-1": "1\n"}],
)  # fmt: skip
def test_nonsense_takes_nothing_back(
    cashier: FlaskClient, city: City, fields: dict[str, str]
) -> None:
    number = sell(city)
    answer = cashier.post(f"/till/orders/{number}/refunds", data=fields | {"code": "quality"})
    assert answer.status_code == 422 and "退的份数多于" in answer.text
    assert db.session.query(OrderRefund).count() == 0


def test_the_pages_speak_english(city: City, app: object) -> None:
    client = enter(app, city.manager)
    client.set_cookie(LANGUAGE_COOKIE, "en")
    number = sell(city, payment="online", serve_now=False, cash_fen=1490)
    page = client.get(f"/till/orders/{number}").text
    assert "Take back a dish" in page and "14.90 in cash + 1.00 online" in page
    assert "Kitchen board" in client.get("/till/kitchen").text
