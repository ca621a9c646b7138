"""A meal is sold from the page alone, once, at the price that was shown, and says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.canteens.models import Canteen, ListingChange
from canteen.db import db, transaction
from canteen.elders import ric
from canteen.menus.models import Menu, MenuItem
from canteen.orders.models import Order
from canteen.subsidies.models import Grant, QuotaUse
from tests.factories import LONG_AGO, City, make_elder, make_menu
from tests.web.cashier.conftest import Till, enter


def orders() -> list[Order]:
    found = list(db.session.scalars(sa.select(Order).order_by(Order.id)))
    db.session.rollback()
    return found


def test_an_elder_is_sold_a_subsidised_meal_and_the_receipt_says_what_is_left(till: Till) -> None:
    till.find("zhp")
    assert "赵和平" in till.page
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    assert "10.50" in till.page and "80周岁" in till.page
    till.tap("received-2000")
    assert "找零 9.50" in till.page
    sold = till.sell()
    assert sold.status_code == 303
    receipt = till.client.get(sold.location).text
    for said in ("15.00", "1.50", "3.00", "10.50", "市级", "区级", "9.50", "已用 1 / 5"):
        assert said in receipt
    assert "赵和平" not in receipt, "the paper shows a masked name"
    [order] = orders()
    assert (order.state, order.payment, order.payable_fen) == ("served", "cash", 1050)


def test_a_worker_needs_no_card_and_pays_the_list_price(till: Till) -> None:
    till.choose(0)
    till.choose(1, times=2)
    till.tap("other")
    till.sell()
    [order] = orders()
    assert (order.elder_id, order.list_fen, order.payable_fen) == (None, 2100, 2100)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Grant)) == 0


def test_nothing_is_sold_before_somebody_said_who_eats(till: Till) -> None:
    till.choose()
    answer = till.sell()
    assert answer.status_code == 422 and "请先识别食客" in till.page
    assert not orders()


def test_whoever_taps_twice_sells_once_and_sees_the_same_receipt(till: Till) -> None:
    till.tap("other")
    till.choose()
    form = till.form
    first, second = (till.client.post("/till/sales", data=form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert len(orders()) == 1


def test_a_form_that_has_sold_says_so_when_it_asks_for_something_else(till: Till) -> None:
    till.tap("other")
    till.choose()
    form = till.form
    till.client.post("/till/sales", data=form)
    item = f"item-{till.city.items[0].id}"
    again = till.show(
        till.client.post("/till/sales", data=form | {item: "2", "expected": "3000"})
    )
    assert again.status_code == 409 and "上一笔已经收款" in till.page
    assert till.form["once"] != form["once"] and till.form[item] == "2"
    assert len(orders()) == 1


def test_a_price_that_changed_brings_the_form_back_with_everything_in_it(till: Till) -> None:
    till.tap(f"elder-{till.city.elder.id}")
    till.tap("service-pick_up")
    till.choose()
    answer = till.sell(expected="1", received="50")
    assert answer.status_code == 409 and "价格已变为 10.50 元" in till.page
    form = till.form
    assert form["expected"] == "1050" and form["service"] == "pick_up"
    assert form["elder"] == str(till.city.elder.id) and form["received"] == "50"
    assert not orders()
    assert till.sell().status_code == 303


def test_the_second_meal_of_a_day_says_why_it_has_no_subsidy(till: Till) -> None:
    for _ in range(2):
        till.show(till.client.get(f"/till?elder={till.city.elder.id}"))
        till.choose()
        page = till.page
        till.sell()
    assert "今天1次补贴已用过" in page and "本周 5 次，已用 1 次" in page
    assert [order.subsidy_fen for order in orders()] == [300, 0]


def test_a_card_that_cannot_be_read_sends_the_subsidy_to_the_account(till: Till) -> None:
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    till.tap("account-toggle")
    assert "13.50" in till.page and "之后打到老人账户" in till.page
    till.sell()
    [order] = orders()
    assert (order.subsidy_fen, order.payable_fen) == (0, 1350)
    assert db.session.scalar(sa.select(Grant.account_fen)) == 300


@pytest.mark.parametrize("text", ["赵和", "ZHP", "0013", "19900000001"])
def test_a_person_is_found_by_whatever_they_have_with_them(till: Till, text: str) -> None:
    till.find(text)
    assert "赵和平" in till.page


def test_a_scanned_card_chooses_its_holder_at_once(till: Till) -> None:
    till.choose()
    till.find(f"1000{till.city.elder.id:06d}")
    assert till.form["elder"] == str(till.city.elder.id)
    assert "10.50" in till.page, "and the dishes are still there"


def test_no_page_shows_an_id_number_and_no_address_carries_what_was_typed(till: Till) -> None:
    number = ric.make("129901", till.city.elder.birth_date, 1)
    assert till.client.get("/till/find").status_code == 405
    till.find(number)
    assert till.form["elder"] == str(till.city.elder.id)
    assert number not in till.page and number[:-4] not in till.page


def test_a_misread_number_is_said_where_it_was_typed(till: Till) -> None:
    till.choose()
    answer = till.find("129901194005010012")
    assert answer.status_code == 422 and "129901194005010012" in till.page
    assert f"item-{till.city.items[0].id}" in till.form


def test_sold_out_is_one_tap_and_one_tap_back(till: Till) -> None:
    item = till.city.items[1].id
    till.choose(1)
    till.client.post(f"/till/items/{item}/sold-out", data=till.form)
    till.show(till.client.get("/till"))
    assert "已售完" in till.page and f"item-{item}" not in till.form
    assert db.session.get_one(MenuItem, item).sold_out
    db.session.rollback()
    till.client.post(f"/till/items/{item}/back-on", data=till.form)
    db.session.expire_all()
    assert not db.session.get_one(MenuItem, item).sold_out


def test_the_last_portion_sold_elsewhere_is_refused_by_name_and_the_basket_stays(
    till: Till,
) -> None:
    with transaction():
        db.session.get_one(MenuItem, till.city.items[0].id).portions = 1
    till.tap("other")
    till.choose(0, times=2)
    answer = till.sell()
    assert answer.status_code == 422 and "只剩 1 份" in till.page
    assert till.form[f"item-{till.city.items[0].id}"] == "2"


def test_a_dish_of_another_canteen_is_never_sold_here(till: Till) -> None:
    till.tap("other")
    foreign = f"item-{till.city.items_elsewhere[0].id}"
    assert till.sell(**{foreign: "1"}).status_code == 422
    url = f"/till/items/{till.city.items_elsewhere[0].id}/sold-out"
    assert till.client.post(url).status_code == 404
    assert not orders()


def test_nonsense_in_the_form_is_left_out(till: Till) -> None:
    nonsense = {
        "item-x": "1", f"item-{till.city.items[0].id}": "-3", "item-99999999999999999999": "1",
        "elder": "99999999999999999999", "meal": "supper", "received": "much", "expected": "?",
        "service": "catapult", "payment": "shells", "do": "explode-7",
    }
    answer = till.show(till.client.post("/till", data=till.form | nonsense))
    assert answer.status_code == 200
    assert till.form["meal"] == "lunch" and till.form["elder"] == ""
    till.show(till.client.post("/till", data={"elder": "4040404"}))
    assert "没有找到" in till.page and till.form["elder"] == ""
    assert not orders()


def test_an_absurd_quantity_and_a_price_nobody_saw_are_refused_in_words(till: Till) -> None:
    till.tap("other")
    item = f"item-{till.city.items[0].id}"
    assert till.sell(**{item: "5000"}).status_code == 422 and "每样须为 1 至 50 份" in till.page
    answer = till.sell(**{item: "1", "expected": ""})
    assert answer.status_code == 409 and "价格已变为 15.00 元" in till.page
    assert not orders()


@pytest.mark.parametrize("hour", [0, 7, 12, 16, 23])
def test_the_till_opens_at_a_meal_that_has_a_menu_at_any_hour(
    app: Flask, city: City, hour: int
) -> None:
    with transaction():
        make_menu(city.here, city.today, "dinner")
    midnight = clock.instant(city.today, clock.local(LONG_AGO).time().replace(hour=0))
    with time_machine.travel(midnight + timedelta(hours=hour, minutes=1), tick=False):
        till = Till(enter(app, city.cashier), city)
    assert till.form["meal"] == ("lunch" if hour <= 12 else "dinner")


def test_changing_the_meal_empties_the_basket_and_keeps_the_diner(till: Till) -> None:
    with transaction():
        make_menu(till.city.here, till.city.today, "breakfast", prices=(500,))
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    till.tap("meal-breakfast")
    form = till.form
    assert form["elder"] == str(till.city.elder.id)
    assert not [name for name in form if name.startswith("item-")]


def test_without_a_menu_the_till_says_what_to_do(app: Flask, city: City) -> None:
    with transaction():
        for menu in db.session.scalars(sa.select(Menu).where(Menu.canteen_id == city.here.id)):
            menu.on = city.today + timedelta(days=1)
    page = enter(app, city.manager).get("/till").text
    assert "今天还没有菜单" in page and "去发布菜单" in page


def test_a_suspended_canteen_sells_nothing_from_that_instant_and_says_why(till: Till) -> None:
    till.tap("other")
    till.choose()
    form = till.form
    with transaction():
        db.session.get_one(Canteen, till.city.here.id).status = "suspended"
        db.session.add(
            ListingChange(
                canteen_id=till.city.here.id, from_status="listed", to_status="suspended",
                reason_code="food_safety", reason="冷藏柜温度不合格", decided_by="user:1",
                at=clock.now(),
            )
        )
    answer = till.show(till.client.post("/till/sales", data=form))
    assert answer.status_code == 422 and "冷藏柜温度不合格" in till.page
    assert "不能收银" in till.client.get("/till").text
    assert not orders()


def test_a_script_of_the_page_gets_the_sale_alone(cashier: FlaskClient, city: City) -> None:
    part = cashier.post("/till", data={"do": "other"}, headers={"X-Part": "sale"}).text
    assert part.lstrip().startswith("<form") and "<html" not in part


def test_the_price_is_explained_in_english_too(till: Till) -> None:
    till.client.set_cookie("lang", "en")
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    assert "Entitled as" in till.page and "0 of 5" in till.page


def test_two_people_of_one_name_are_told_apart(till: Till) -> None:
    with transaction():
        make_elder(name="赵和平", street="120104002", sequence=77)
    till.find("赵和平")
    assert till.page.count('name="do" value="elder-') == 2 and "本街道" in till.page
    assert till.form["elder"] == "", "a name alone chooses nobody"


def test_a_canteen_without_a_dining_room_sells_to_take_away(till: Till) -> None:
    with transaction():
        db.session.get_one(Canteen, till.city.here.id).capabilities = ["pick_up"]
    till.show(till.client.get("/till?other=1"))
    till.choose()
    assert till.sell().status_code == 303
    assert orders()[0].service == "pick_up"


def test_what_an_elder_must_not_eat_stands_beside_the_name(till: Till) -> None:
    with transaction():
        allergic = make_elder(name="李秀兰", sequence=78, diet_notes="花生过敏")
    till.tap(f"elder-{allergic.id}")
    assert "花生过敏" in till.page


def test_quota_is_taken_once_for_a_sale_sent_five_times(till: Till) -> None:
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    form = till.form
    for _ in range(5):
        assert till.client.post("/till/sales", data=form).status_code == 303
    assert set(db.session.scalars(sa.select(QuotaUse.used))) == {1}
