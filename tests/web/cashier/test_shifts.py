"""The pages of shifts: blind before the count, complete after it, plain about what is missing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.access.models import User
from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.tills import shifts
from canteen.tills.models import Shift, Till
from tests.factories import City, make_user
from tests.settlements.factories import sell
from tests.tills.drawers import begin, end, make_till, put, sale, sign
from tests.web.world import sign_in

MINUTE = timedelta(minutes=1)


@pytest.fixture
def till(city: City) -> Till:
    with transaction():
        return make_till(city.here.id)


@pytest.fixture
def shift_id(city: City, till: Till) -> int:
    """200.00 float + a subsidised sale of 10.50 + one of 18.00 − 25.50 paid out = 203.00."""
    with transaction():
        shift_id = begin(city, till, city.now)
        sale(city, till, shift_id, city.items[:1], city.now, elder_id=city.elder.id)
        sale(city, till, shift_id, city.items[:2], city.now, kept=True, notes=("late",))
        put(till, shift_id, -2550, "purchase", "小葱和姜", city.cashier, city.now)
    return shift_id


def test_a_cashier_sees_no_sum_of_cash_before_the_count(
    cashier: FlaskClient, city: City, shift_id: int
) -> None:
    for page in (f"/till/shifts/{shift_id}", f"/till/shifts/{shift_id}?paper=58", "/till/shifts"):
        text = cashier.get(page).text
        for sum_ in ("203.00", "28.50", "18.00", "33.00", "10.50"):
            assert sum_ not in text, page
    page = cashier.get(f"/till/shifts/{shift_id}").text
    assert "清点完" in page and "200.00" in page and "25.50" in page and "小葱和姜" in page
    assert "班中报表 X" in page


def test_a_manager_sees_the_x_report_of_an_open_shift(
    manager: FlaskClient, city: City, shift_id: int
) -> None:
    page = manager.get(f"/till/shifts/{shift_id}").text
    for sum_ in ("203.00", "28.50", "33.00", "−1.50", "−3.00"):
        assert sum_ in page
    assert "市级" in page and "区级" in page and "流水号" in page and "1–4，无缺号" in page
    assert "上传比成交晚" in page


def test_the_z_report_says_what_was_counted_and_why_it_is_short(
    cashier: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    count = {"10000": 2, "100": 1, "50": 1}
    with transaction():
        end(city, till, shift_id, count, city.now + MINUTE, "找零时多给了", left_fen=10000)
    page = cashier.get(f"/till/shifts/{shift_id}").text
    for words in ("交班报表 Z", "203.00", "201.50", "短款 1.50", "找零时多给了", "5 角", "101.50"):
        assert words in page
    roll = cashier.get(f"/till/shifts/{shift_id}?paper=58").text
    assert 'class="receipt receipt-58"' in roll and "短款 1.50" in roll and "签字" in roll
    listed = cashier.get("/till/shifts").text
    assert "203.00" in listed and "短 1.50" in listed


def test_a_z_report_does_not_change_when_a_sale_is_taken_back_later(
    manager: FlaskClient, city: City, till: Till
) -> None:
    with transaction():
        shift_id = begin(city, till, city.now, 0)
        order = sale(city, till, shift_id, city.items[:1], city.now)
        end(city, till, shift_id, {"1000": 1, "500": 1}, city.now + MINUTE)
    address = f"/till/shifts/{shift_id}"
    before = manager.get(address).text
    with transaction():
        second = begin(city, till, city.now + 2 * MINUTE, 5000, number=2)
        cancel(order.id, "mistake", "", city.manager, city.now + 3 * MINUTE)
        shifts.refunded(till.id, order.id, 1500, city.manager, city.now + 3 * MINUTE)
    assert manager.get(address).text == before
    page = manager.get(f"/till/shifts/{second}").text
    assert "退还现金" in page and "35.00" in page
    assert "上一班留下 0.00 元" in page


def test_what_was_not_sent_yet_is_said(manager: FlaskClient, till: Till, shift_id: int) -> None:
    assert "未上传" not in manager.get(f"/till/shifts/{shift_id}").text
    with transaction():
        db.session.get_one(Till, till.id).claimed = till.head + 3
    for page in (f"/till/shifts/{shift_id}", f"/till/shifts/{shift_id}?paper=80", "/till/shifts"):
        assert "还有 3 笔未上传" in manager.get(page).text


def test_a_missing_number_is_said(
    manager: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    with transaction():
        found = db.session.get_one(Till, till.id)
        found.head, found.claimed = found.head + 1, found.claimed + 1
        sign(found, "withdrawn", city.now, shift_id, code="sold_out")
    page = manager.get(f"/till/shifts/{shift_id}").text
    assert "缺少流水号 5" in page and "1–6，缺 1 号" in page


def test_a_cashier_sees_only_shifts_of_their_own(app: Flask, city: City, shift_id: int) -> None:
    with transaction():
        other = make_user("cashier", canteen_id=city.here.id)
    client = sign_in(app, other)
    assert client.get(f"/till/shifts/{shift_id}").status_code == 404
    assert f"/till/shifts/{shift_id}" not in client.get("/till/shifts").text
    elsewhere = sign_in(app, db.session.get_one(User, city.cashier_elsewhere.user_id))
    assert elsewhere.get(f"/till/shifts/{shift_id}").status_code == 404


def test_a_tablet_finds_its_shift_by_till_and_number(
    cashier: FlaskClient, till: Till, shift_id: int
) -> None:
    found = cashier.get(f"/till/shifts?till={till.id}&number=1")
    assert found.status_code == 302 and found.location.endswith(f"/till/shifts/{shift_id}")
    for query in (f"till={till.id}&number=2", "till=x&number=1", f"till={'9' * 30}&number=1"):
        assert cashier.get(f"/till/shifts?{query}").status_code == 200


def test_an_open_shift_of_a_withdrawn_till_hides_no_day(
    cashier: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    assert "28.50" not in cashier.get("/till/day").text
    with transaction():
        db.session.get_one(Till, till.id).withdrawn_at = city.now
    assert "28.50" in cashier.get("/till/day").text


def test_a_manager_explains_a_shift_closed_without_network(
    manager: FlaskClient, cashier: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    with transaction():
        end(city, till, shift_id, {"10000": 2}, city.now + MINUTE, kept=True)
    address = f"/till/shifts/{shift_id}"
    assert "没有写明原因" in manager.get(address).text
    assert cashier.post(f"{address}/reason", data={"reason": "x"}).status_code == 403
    refused = manager.post(f"{address}/reason", data={"reason": " "})
    assert refused.status_code == 422 and "请写明原因" in refused.text
    assert manager.post(f"{address}/reason", data={"reason": "漏记一笔"}).status_code == 303
    assert "漏记一笔" in manager.get(address).text
    db.session.expire_all()
    assert db.session.get_one(Shift, shift_id).reason == "漏记一笔"


def test_the_day_lists_its_shifts_and_the_cash_beside_them(
    manager: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    page = manager.get("/till/day").text
    assert f"/till/shifts/{shift_id}" in page and "班次以外" not in page
    with transaction():
        sell(city, city.items[2:], city.today)
    page = manager.get("/till/day").text
    assert "班次以外" in page and "7.00" in page


def test_the_day_hides_cash_from_a_cashier_while_a_shift_is_open(
    cashier: FlaskClient, city: City, till: Till, shift_id: int
) -> None:
    page = cashier.get("/till/day").text
    assert "清点" in page
    for sum_ in ("28.50", "33.00", "18.00"):
        assert sum_ not in page
    with transaction():
        end(city, till, shift_id, {"10000": 2}, city.now + MINUTE, "少了")
    assert "28.50" in cashier.get("/till/day").text


def test_the_pages_speak_english(manager: FlaskClient, shift_id: int) -> None:
    manager.set_cookie("lang", "en")
    for page in (f"/till/shifts/{shift_id}", f"/till/shifts/{shift_id}?paper=80"):
        text = manager.get(page).text
        assert "X report" in text and "Expected" in text and "Small purchase" in text
    assert "Over or short" in manager.get("/till/shifts").text
