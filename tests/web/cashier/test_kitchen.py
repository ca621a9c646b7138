"""The kitchen's board: what to cook, what to pack, and a tap for each step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.menus.models import Dish, MenuItem
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.preparing import Wanted, wanted
from canteen.orders.refunding import refund
from canteen.orders.wishing import Wish
from canteen.tills.cash import drawer
from canteen.web.language import LANGUAGE_COOKIE
from tests.factories import City, make_menu
from tests.tills.drawers import begin, make_till
from tests.web.cashier.conftest import enter


@pytest.fixture(autouse=True)
def at_noon(city: City, time_machine: object) -> None:
    """Lunch is being served, whenever the tests run."""
    time_machine.move_to(city.now, tick=False)


def order_ahead(city: City, **changes: object) -> int:
    values: dict = {
        "canteen_id": city.here.id, "on": city.today, "meal": "lunch", "service": "delivery",
        "lines": {city.items[0].id: 1}, "elder_id": city.elder.id, "channel": "elder",
    }
    with transaction():
        return place(Wish(**(values | changes)), city.manager, clock.now()).order_id


def now(order_id: int) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True)


def tap(client: FlaskClient, number: int, step: str, **fields: str) -> str:
    return client.post(
        f"/till/kitchen/{number}", data={"step": step} | fields, follow_redirects=True
    ).text


def test_a_delivery_goes_from_the_board_to_the_door(cashier: FlaskClient, city: City) -> None:
    number = order_ahead(city, note="按门铃")
    board = cashier.get("/till/kitchen").text
    assert f"ticket-{number}" in board and "赵和平" in board and "按门铃" in board
    assert "10.50" not in board and "15.00" not in board
    assert "送出" in tap(cashier, number, "pack")
    assert "签收人" in tap(cashier, number, "send")
    assert f"ticket-{number}" not in tap(cashier, number, "sign", signed_by="赵女儿")
    order = now(number)
    assert (order.state, order.note) == ("served", "按门铃 签收人：赵女儿")
    assert order.packed_at and order.sent_at and order.paid_at


def test_cash_taken_at_the_door_lies_in_the_drawer_of_this_till(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city)
    with transaction():
        till = make_till(city.here.id)
        shift_id = begin(city, till, clock.now())
    with cashier.session_transaction() as session:
        session["till"] = till.id
    tap(cashier, number, "send")
    tap(cashier, number, "sign", signed_by="本人")
    assert drawer(shift_id).collected_fen == 1050


def test_portions_count_what_is_ordered_sold_given_back_and_cancelled(city: City) -> None:
    first, second = city.items[0].id, city.items[1].id
    order_ahead(city, lines={first: 2})
    order_ahead(city, lines={first: 5}, elder_id=None, payment="online")
    sold = order_ahead(
        city, lines={first: 1, second: 3}, elder_id=None, channel="till", serve_now=True,
        service="eat_in",
    )
    with transaction():
        refund(sold, {second: 1}, "quality", "", city.manager, clock.now())
    with transaction():
        gone = place(
            Wish(canteen_id=city.here.id, on=city.today, meal="lunch", service="eat_in",
                 lines={second: 4}), city.cashier, clock.now(),
        )  # fmt: skip
        cancel(gone.order_id, "mistake", "", city.manager, clock.now())
    counted = wanted([city.items[0].menu_id])
    assert counted[first] == Wanted(ahead=7, sold=1, waiting=7)
    assert counted[second] == Wanted(ahead=0, sold=2, waiting=0)


def test_the_board_warns_of_a_dish_its_diner_must_not_eat(
    cashier: FlaskClient, city: City
) -> None:
    with transaction():
        db.session.get_one(Elder, city.elder.id).diet_notes = "花生过敏，低盐"
        dish = db.session.get_one(MenuItem, city.items[1].id).dish_id
        db.session.get_one(Dish, dish).marks = ["peanut"]
    order_ahead(city, lines={city.items[0].id: 1, city.items[1].id: 1})
    board = cashier.get("/till/kitchen").text
    assert "忌口：花生过敏，低盐" in board and board.count("ticket-beware") == 1
    assert "含花生" in board


def test_the_meal_now_and_the_next_are_shown_with_what_is_sold_out(
    cashier: FlaskClient, city: City
) -> None:
    with transaction():
        make_menu(city.here, city.today, "dinner")
        db.session.get_one(MenuItem, city.items[2].id).sold_out = True
    board = cashier.get("/till/kitchen").text
    assert board.index("午餐 <span") < board.index("晚餐 <span") and "售完" in board


def test_at_night_the_board_shows_the_next_day(
    app: Flask, city: City, time_machine: object
) -> None:
    assert "还没有菜单" not in enter(app, city.cashier).get("/till/kitchen").text
    time_machine.move_to(city.now + timedelta(hours=11), tick=False)
    cashier = enter(app, city.cashier)
    assert "还没有菜单" in cashier.get("/till/kitchen").text
    with transaction():
        make_menu(city.here, city.today + timedelta(days=1), "breakfast")
    assert "早餐 <span" in cashier.get("/till/kitchen").text


def test_a_screen_that_is_up_to_date_hears_so(cashier: FlaskClient, city: City) -> None:
    def ask(mark: str) -> tuple[int, str]:
        answer = cashier.get("/till/kitchen", headers={"If-None-Match": mark})
        return answer.status_code, answer.headers["ETag"]

    _, mark = ask("")
    assert ask(mark) == (304, mark)
    number = order_ahead(city)
    status, fresh = ask(mark)
    assert status == 200 and fresh != mark and ask(fresh)[0] == 304
    for step in ("pack", "unpack", "send"):
        tap(cashier, number, step)
        status, newer = ask(fresh)
        assert (status, newer != fresh) == (200, True)
        fresh = newer
    cashier.set_cookie(LANGUAGE_COOKIE, "en")
    assert ask(fresh)[0] == 200


def test_what_waits_for_its_payment_is_cooked_but_not_packed(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city, payment="online")
    assert f"ticket-{number}" not in cashier.get("/till/kitchen").text
    assert "待支付" in tap(cashier, number, "pack")
    assert now(number).packed_at is None


def test_an_order_whose_cash_is_due_is_sent_to_the_counter(
    cashier: FlaskClient, city: City
) -> None:
    number = order_ahead(city, service="pick_up")
    board = tap(cashier, number, "pack")
    assert "去收现金" in board and "交给食客" not in board


@pytest.mark.parametrize("step", ["", "eat", "send"])
def test_a_step_that_is_none_changes_nothing_and_says_so(
    cashier: FlaskClient, city: City, step: str
) -> None:
    number = order_ahead(city, service="pick_up")
    answer = cashier.post(
        f"/till/kitchen/{number}", data={"step": step}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422 and answer.json["error"]["messages"]["en"]
    assert now(number).packed_at is None


def test_the_order_of_a_stranger_is_nobodys_here(cashier: FlaskClient, city: City) -> None:
    with transaction():
        other = place(
            Wish(canteen_id=city.elsewhere.id, on=city.today, meal="lunch", service="pick_up",
                 lines={city.items_elsewhere[0].id: 1}), city.cashier_elsewhere, clock.now(),
        ).order_id  # fmt: skip
    assert cashier.post(f"/till/kitchen/{other}", data={"step": "pack"}).status_code == 404
