"""The kitchen's board in a real browser: a new order comes by itself, a tap takes it further."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page, expect

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.models import Order, OrderRefund
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from tests.browser.conftest import give_password, sign_in
from tests.factories import City, make_city


def order_ahead(city: City, **changes: object) -> int:
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "delivery",
        "lines": {city.items[0].id: 1}, "elder_id": city.elder.id, "channel": "elder",
    }
    at = clock.instant(city.today, time(9))  # ordering closes in the afternoon
    with transaction():
        return place(Wish(**(values | changes)), city.manager, at).order_id


def test_a_new_order_is_announced_and_taken_to_the_door_without_a_reload(
    app: Flask, live: Callable[[], str], page: Page
) -> None:
    city = make_city()
    address = live()
    sign_in(page, address, give_password(city.cashier.user_id or 0))
    page.goto(f"{address}/till/kitchen")
    expect(page.get_by_text("没有要装的订单")).to_be_visible()
    page.evaluate("window.stayed = true")
    number = order_ahead(city)
    ticket = page.locator(f"#ticket-{number}")
    expect(ticket).to_be_visible()
    expect(ticket).to_have_class("ticket ticket-pack ticket-new")
    expect(page.get_by_role("status").filter(has_text="新订单")).to_contain_text("赵和平")
    ticket.get_by_role("button", name="装好了").click()
    ticket.get_by_role("button", name="送出").click()
    ticket.get_by_label("签收人").fill("赵女儿")
    page.wait_for_timeout(6000)  # what is being typed outlives the board's own refreshing
    expect(ticket.get_by_label("签收人")).to_have_value("赵女儿")
    ticket.get_by_role("button", name="已送到").click()
    expect(ticket).to_have_count(0)
    assert page.evaluate("window.stayed") is True
    order = db.session.get_one(Order, number, populate_existing=True)
    assert (order.state, order.note) == ("served", "签收人：赵女儿")


def test_a_tap_the_server_refuses_is_said_aloud(
    app: Flask, live: Callable[[], str], page: Page
) -> None:
    city = make_city()
    number = order_ahead(city)
    address = live()
    sign_in(page, address, give_password(city.cashier.user_id or 0))
    page.goto(f"{address}/till/kitchen")
    with transaction():
        db.session.get_one(Order, number).state = "awaiting_payment"
    page.locator(f"#ticket-{number}").get_by_role("button", name="装好了").click()
    expect(page.get_by_role("status").filter(has_text="待支付")).to_be_visible()


def test_two_taps_take_a_dish_back_and_enter_takes_back_nothing(
    app: Flask, live: Callable[[], str], page: Page
) -> None:
    city = make_city()
    lines = {city.items[0].id: 1, city.items[1].id: 2}
    number = order_ahead(city, lines=lines, service="eat_in", channel="till", serve_now=True)
    address = live()
    sign_in(page, address, give_password(city.manager.user_id or 0))
    page.goto(f"{address}/till/orders/{number}")
    page.locator(".give-back-row").nth(1).click()
    page.locator("#reason-" + str(city.items[1].id)).fill("凉了")
    page.keyboard.press("Enter")
    assert db.session.scalar(sa.select(sa.func.count(OrderRefund.id))) == 0
    page.locator(".give-back-dish[open]").get_by_role("button", name="餐品问题").click()
    expect(page.get_by_text("请退现金 2.70 元")).to_be_visible()
    expect(page.get_by_text("凉了")).to_be_visible()
