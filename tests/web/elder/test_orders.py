"""Taking an order back within its time, the history with its prices, and stars for a meal."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db, transaction
from canteen.menus.models import MenuItem
from canteen.orders.models import Cancellation, Order
from canteen.orders.serving import serve
from canteen.performance.models import Rating
from tests.factories import City, make_elder
from tests.web.elder.conftest import order, order_id_of, words
from tests.web.world import make_order


def test_an_order_is_taken_back_with_its_portion_and_its_meal_of_the_week(
    elder: FlaskClient, city: City
) -> None:
    page = order(elder, city).location
    asked = words(elder.get(f"{page}/cancellation"))
    assert "要退订这一单吗" in asked and "还没有付过钱" in asked
    gone = elder.post(f"{page}/cancellation", follow_redirects=True)
    assert "已退订，不用付钱" in words(gone)
    assert db.session.get(MenuItem, city.items[0].id).taken == 0
    assert "已用 0 次" in words(elder.get(f"/home/elders/{city.elder.id}"))
    again = elder.post(f"{page}/cancellation")
    assert again.status_code == 409 and "已经取消过了" in words(again)


def test_ten_minutes_are_given_even_when_ordering_closes_sooner(
    elder: FlaskClient, city: City, at: time_machine.Coordinates
) -> None:
    at.shift(timedelta(hours=2, minutes=58))  # 13:58
    page = order(elder, city).location
    at.shift(timedelta(minutes=10))
    assert "14:08 前可以退订" in words(elder.get(page))
    at.shift(timedelta(seconds=1))
    late = words(elder.get(page))
    assert "自己退订的时间" in late and "退订这一单" not in late
    refused = elder.post(f"{page}/cancellation")
    assert refused.status_code == 422 and "请与食堂联系" in words(refused)
    assert db.session.get(Order, order_id_of_path(page)).state == "placed"


def order_id_of_path(page: str) -> int:
    return int(page.rpartition("/")[2])


def served(elder: FlaskClient, city: City) -> str:
    """The address of an order just handed over."""
    page = order(elder, city).location
    with transaction():
        serve(order_id_of_path(page), city.cashier, clock.now())
    return page


def test_a_served_meal_is_rated_once_and_a_no_keeps_the_words(
    elder: FlaskClient, city: City
) -> None:
    page = served(elder, city)
    assert "上一餐怎么样" in words(elder.get(f"/home/elders/{city.elder.id}"))
    without = elder.post(f"{page}/rating", data={"comment": "豆腐很嫩"})
    assert without.status_code == 422 and "豆腐很嫩" in without.text
    thanks = elder.post(
        f"{page}/rating", data={"stars": "4", "comment": "豆腐很嫩"}, follow_redirects=True
    )
    assert "谢谢您的评价" in words(thanks) and "您的评价：满意 — 豆腐很嫩" in words(thanks)
    assert db.session.get(Rating, order_id_of_path(page)).stars == 4
    again = elder.post(f"{page}/rating", data={"stars": "1"})
    assert again.status_code == 409 and "已经评价过" in words(again)
    assert elder.get(f"{page}/rating").status_code == 303


def test_a_meal_not_yet_had_cannot_be_rated(elder: FlaskClient, city: City) -> None:
    page = order(elder, city).location
    refused = elder.post(f"{page}/rating", data={"stars": "5"})
    assert refused.status_code == 422 and "取餐后才能评价" in words(refused)
    assert db.session.get(Rating, order_id_of_path(page)) is None


def test_a_served_meal_cannot_be_taken_back(elder: FlaskClient, city: City) -> None:
    page = served(elder, city)
    assert elder.get(f"{page}/cancellation").status_code == 303
    assert elder.post(f"{page}/cancellation").status_code == 422
    assert db.session.get(Cancellation, order_id_of_path(page)) is None


def test_the_history_shows_each_price_and_pages_back(elder: FlaskClient, city: City) -> None:
    with transaction():
        for _ in range(11):
            make_order(city.here, city.elder, city.items[0], city.today)
    newest = order_id_of(order(elder, city))
    first = elder.get(f"/home/elders/{city.elder.id}/orders")
    assert first.text.count("order-card") == 10 and f"/home/orders/{newest}" in first.text
    assert "− 3.00 补贴" in words(first) and "= 您付 10.50 元" in words(first)
    before = newest - 9
    second = elder.get(f"/home/elders/{city.elder.id}/orders?before={before}")
    assert second.text.count("order-card") == 2 and "回到最近的" in words(second)


def test_a_strangers_order_does_not_exist(elder: FlaskClient, city: City) -> None:
    with transaction():
        other = make_order(city.here, make_elder(name="钱福顺"), city.items[0], city.today)
    for url in ("", "/cancellation", "/payment", "/rating"):
        assert elder.get(f"/home/orders/{other.id}{url}").status_code == 404
    assert elder.post(f"/home/orders/{other.id}/cancellation").status_code == 404
