"""Orders at the counter: handed over, taken back, explained, and counted at the day's end."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db, transaction
from canteen.menus.models import MenuItem
from canteen.orders.models import Cancellation, Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.subsidies.models import QuotaUse
from tests.factories import City


def order_ahead(city: City, **changes: object) -> int:
    """An order an elder placed by phone for today's lunch, to be paid when it is fetched."""
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "pick_up",
        "lines": {city.items[0].id: 1}, "elder_id": city.elder.id,
    }
    with transaction():
        return place(Wish(**(values | changes)), city.cashier, clock.now()).order_id


def state(order_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True).state


def test_an_order_made_ahead_waits_in_the_list_until_it_is_paid_and_handed_over(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city)
    page = cashier.get("/till/orders").text
    assert f"第 {number} 号" in page and "赵和平" in page and "收 10.50 元并出餐" in page
    done = cashier.post(f"/till/orders/{number}/serving")
    assert done.status_code == 303 and state(number) == "served"
    assert "收现金 10.50 元" in cashier.get(done.location).text
    assert "没有等着取的订单" in cashier.get("/till/orders").text
    assert f"第 {number} 号" in cashier.get("/till/orders?show=all").text


def test_a_delivery_of_yesterday_nobody_signed_for_stays_in_the_list(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city, service="delivery")
    with transaction() as session:
        order = session.get_one(Order, number)
        order.sent_at, order.on = clock.now(), order.on - timedelta(days=1)
    page = cashier.get("/till/orders").text
    assert f"第 {number} 号" in page and "没有签收" in page and "并出餐" not in page


def test_an_order_handed_over_twice_is_refused_the_second_time(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city)
    cashier.post(f"/till/orders/{number}/serving")
    second = cashier.post(f"/till/orders/{number}/serving", follow_redirects=True)
    assert "不能出餐" in second.text


def test_a_cancellation_gives_money_portions_and_quota_back(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city, serve_now=True)
    taken_back = cashier.post(
        f"/till/orders/{number}/cancellation", data={"code": "quality", "reason": "凉了"},
        follow_redirects=True,
    )
    assert "请退现金 10.50 元" in taken_back.text and "餐品问题" in taken_back.text
    assert state(number) == "cancelled"
    assert db.session.get_one(MenuItem, city.items[0].id, populate_existing=True).taken == 0
    assert set(db.session.scalars(sa.select(QuotaUse.used))) == {0}
    assert db.session.scalar(sa.select(Cancellation.refund_fen)) == 1050
    assert "作废" in cashier.get(f"/till/orders/{number}/receipt").text


@pytest.mark.parametrize("code", ["", "because", "unpaid' --"])
def test_a_cancellation_without_a_reason_we_know_keeps_the_order(
    cashier: FlaskClient, city: City, code: str
) -> None:
    number = order_ahead(city)
    refused = cashier.post(
        f"/till/orders/{number}/cancellation", data={"code": code, "reason": "凉了"}
    )
    assert refused.status_code == 422 and "请选择原因" in refused.text
    assert "凉了" in refused.text and state(number) == "placed"


def test_every_step_of_a_price_is_on_the_page_of_its_order(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city, serve_now=True)
    page = cashier.get(f"/till/orders/{number}").text
    for said in ("餐费15.00元", "食堂自己的优惠10%", "80周岁", "由市级和区级承担", "付给运营企业"):
        assert said in page or said.replace("和", "、") in page
    assert "已用 1 次" in page


def test_the_paper_remembers_its_width(cashier: FlaskClient, city: City) -> None:
    number = order_ahead(city, serve_now=True)
    assert "receipt-58" not in cashier.get(f"/till/orders/{number}/receipt").text
    cashier.get(f"/till/orders/{number}/receipt?paper=58")
    assert "receipt-58" in cashier.get(f"/till/orders/{number}/receipt").text


def test_a_stranger_does_not_learn_of_an_order(cashier: FlaskClient, city: City) -> None:
    elsewhere = Wish(
        canteen_id=city.elsewhere.id, on=city.today, meal="lunch", service="eat_in",
        lines={city.items_elsewhere[0].id: 1}, serve_now=True,
    )
    with transaction():
        number = place(elsewhere, city.cashier_elsewhere, clock.now()).order_id
    for path in ("", "/receipt", "/payment", "/payment/state"):
        assert cashier.get(f"/till/orders/{number}{path}").status_code == 404
    for path in ("/serving", "/cancellation", "/payment", "/payment/pretended"):
        assert cashier.post(f"/till/orders/{number}{path}").status_code == 404
    assert state(number) == "served"


def test_the_day_adds_up_to_the_drawer(cashier: FlaskClient, city: City) -> None:
    order_ahead(city, serve_now=True)
    back = order_ahead(city, serve_now=True, elder_id=None)
    order_ahead(city, serve_now=True, elder_id=None, lines={city.items[2].id: 2})
    order_ahead(city, elder_id=None)  # not paid, so not counted
    with transaction():
        order = db.session.get_one(Order, back)
        assert order.payable_fen == 1500
    cashier.post(f"/till/orders/{back}/cancellation", data={"code": "mistake"})
    page = " ".join(cashier.get("/till/day").text.split())
    # 10.50 + 15.00 + 14.00 taken, 15.00 given back
    assert "24.50" in page and "收 39.50，退 15.00" in page
    assert "企业补贴 2.00 元" in page
    assert "这一天没有收款" in cashier.get("/till/day?on=2024-02-30x").text or "24.50" in page
    assert cashier.get("/till/day?on=0001-01-01").status_code == 200
