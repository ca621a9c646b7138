"""From the start to the number one collects with; and every no gives back what was chosen."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.menus.models import Menu, MenuItem
from canteen.orders.models import Order
from canteen.subsidies.models import QuotaUse
from tests.factories import City, make_canteen, make_elder
from tests.web.elder.conftest import ON, asked, order, order_id_of, words


def orders() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Order))


def path(city: City, rest: str = "") -> str:
    return f"/home/elders/{city.elder.id}{rest}"


def test_the_start_greets_shows_the_week_and_one_way_on(elder: FlaskClient, city: City) -> None:
    first = elder.get("/home")
    assert first.status_code == 303 and first.location == path(city)
    said = words(elder.get(first.location))
    assert "赵和平，上午好" in said and "本周 5 次，已用 0 次" in said and "点餐" in said


def test_a_meal_is_ordered_in_a_few_taps(elder: FlaskClient, city: City) -> None:
    where = elder.get(path(city, "/order"))
    assert city.here.name in where.text and city.elsewhere.name not in where.text
    when = elder.get(path(city, f"/order/meal?canteen={city.here.id}"))
    first_choice = when.text.partition("big-choice-first")[2]
    assert first_choice.index("今天") < first_choice.index("明天")
    dishes = elder.get(
        path(city, f"/order/dishes?canteen={city.here.id}&on={ON}&meal=lunch")
    )
    assert "15.00" in dishes.text and "软烂" in dishes.text
    query = f"canteen={city.here.id}&on={ON}&meal=lunch&item-{city.items[0].id}=1"
    how = elder.get(path(city, f"/order/service?{query}"))
    assert "自己来取" in how.text and "在食堂吃" in how.text
    summary = words(elder.get(path(city, f"/order/summary?{query}&service=pick_up")))
    for part in ("15.00", "1.50", "3.00", "10.50", "本周第1次补贴，共5次"):
        assert part in summary
    placed = order(elder, city)
    found = db.session.get(Order, order_id_of(placed))
    assert (found.channel, found.state, found.payable_fen) == ("elder", "placed", 1050)
    page = words(elder.get(placed.location))
    assert f"取餐号 {found.id} " in page and "10:00—14:00" in page
    assert "本周 5 次，已用 1 次" in page
    assert f"第 {found.id} 号" in words(elder.get(path(city)))


def test_the_place_one_mostly_eats_at_stands_first(elder: FlaskClient, city: City) -> None:
    with transaction():
        other = make_canteen("120104001", name="一号食堂")
    order(elder, city)
    page = elder.get(path(city, "/order")).text
    assert page.index("常去的") < page.index(city.here.name) < page.index(other.name)


def test_a_canteen_with_one_way_of_eating_does_not_ask(elder: FlaskClient, city: City) -> None:
    with transaction():
        db.session.get(Canteen, city.here.id).capabilities = ["pick_up"]
    query = f"canteen={city.here.id}&on={ON}&meal=lunch&item-{city.items[0].id}=1"
    answer = elder.get(path(city, f"/order/service?{query}"))
    assert answer.status_code == 303 and "service=pick_up" in answer.location


def test_the_button_pressed_twice_orders_once(elder: FlaskClient, city: City) -> None:
    first, again = order(elder, city), order(elder, city)
    assert first.location == again.location and orders() == 1
    assert db.session.get(MenuItem, city.items[0].id).taken == 1


def test_the_same_key_for_something_else_is_refused(elder: FlaskClient, city: City) -> None:
    order(elder, city)
    other = order(elder, city, many=2)
    assert other.status_code == 409 and orders() == 1


def test_a_dish_sold_out_meanwhile_gives_everything_back(elder: FlaskClient, city: City) -> None:
    with transaction():
        db.session.get(MenuItem, city.items[0].id).portions = 1
    refused = order(elder, city, many=2, expected=2400)
    assert refused.status_code == 422
    said = words(refused)
    assert "只剩 1 份" in said and "您选的都还在" in said
    assert f"item-{city.items[0].id}=2" in refused.text  # the way back to the dishes
    assert orders() == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(QuotaUse)) == 0


def test_a_price_that_changed_is_shown_before_anything_is_ordered(
    elder: FlaskClient, city: City
) -> None:
    refused = order(elder, city, expected=1000)
    assert refused.status_code == 409 and orders() == 0
    assert "价格已变为 10.50 元" in words(refused)
    assert 'name="expected" value="1050"' in refused.text
    assert "a-key-of-this-form" not in refused.text  # the next try is another act


def test_after_the_cut_off_the_meal_is_shown_closed_with_the_reason(
    elder: FlaskClient, city: City, at: time_machine.Coordinates
) -> None:
    at.shift(timedelta(hours=4))
    page = words(elder.get(path(city, f"/order/meal?canteen={city.here.id}")))
    assert page.index("明天") < page.index("已经订不了的") < page.index("预订已于 14:00 截止")
    refused = order(elder, city)
    assert refused.status_code == 422 and "已于 14:00 截止" in words(refused) and orders() == 0
    dishes = elder.get(path(city, f"/order/dishes?canteen={city.here.id}&on={ON}&meal=lunch"))
    assert dishes.status_code == 303 and "/order/meal" in dishes.location


def test_a_canteen_suspended_meanwhile_takes_no_order(elder: FlaskClient, city: City) -> None:
    with transaction():
        db.session.get(Canteen, city.here.id).status = "suspended"
    refused = order(elder, city)
    assert refused.status_code == 422 and orders() == 0
    assert "不能接单" in words(refused) and "换一家食堂" in words(refused)
    chosen = elder.get(path(city, f"/order/meal?canteen={city.here.id}"), follow_redirects=True)
    assert "现在不能点餐，请另选一家" in words(chosen)


@pytest.mark.parametrize("changes", [
    {"canteen": ""}, {"canteen": "99999999"}, {"canteen": "９"}, {"on": "2026-13-01"},
    {"on": "2026-11-19"}, {"meal": "supper"}, {"service": "delivery"}, {"service": ""},
    {"once": "short"}, {"canteen": str(2**70)},
])  # fmt: skip
def test_an_order_that_makes_no_sense_saves_nothing(
    elder: FlaskClient, city: City, changes: dict[str, str]
) -> None:
    with transaction():
        db.session.get(Canteen, city.here.id).capabilities = ["pick_up"]
    answer = order(elder, city, **changes)
    assert answer.status_code in (303, 404, 422) and orders() == 0
    if answer.status_code == 303:
        assert answer.location.endswith("/order")


def test_without_a_dish_the_page_asks_for_one(elder: FlaskClient, city: City) -> None:
    query = f"canteen={city.here.id}&on={ON}&meal=lunch&item-{city.items[0].id}=0"
    for step in ("service", "summary"):
        answer = elder.get(path(city, f"/order/{step}?{query}"))
        assert answer.status_code == 422 and "请至少点一份" in words(answer)


def test_ordering_the_same_meal_twice_is_said_beforehand(elder: FlaskClient, city: City) -> None:
    number = order_id_of(order(elder, city))
    query = f"canteen={city.here.id}&on={ON}&meal=lunch&item-{city.items[0].id}=1"
    summary = words(elder.get(path(city, f"/order/summary?{query}&service=pick_up")))
    assert f"这一餐已经订过了（第 {number} 号）" in summary
    assert "今天1次补贴已用过" in summary and "13.50" in summary


def test_nobody_orders_for_a_stranger(elder: FlaskClient, city: City) -> None:
    with transaction():
        stranger = make_elder(name="钱福顺")
    url = f"/home/elders/{stranger.id}/orders"
    assert elder.post(url, data=asked(city)).status_code == 404
    assert elder.get(f"/home/elders/{stranger.id}").status_code == 404
    assert orders() == 0


def test_the_pages_speak_english(elder: FlaskClient, city: City) -> None:
    elder.set_cookie("lang", "en")
    assert "Good morning, 赵和平" in words(elder.get(path(city)))
    query = f"canteen={city.here.id}&on={ON}&meal=lunch&item-{city.items[0].id}=1"
    summary = words(elder.get(path(city, f"/order/summary?{query}&service=pick_up")))
    assert "Subsidised meal 1 of 5 this week" in summary and "Confirm; pay 10.50 yuan" in summary


def test_a_canteen_without_menus_shows_its_phone_and_a_way_on(
    elder: FlaskClient, city: City
) -> None:
    with transaction():
        bare = make_canteen("120104001", phone="02212345678")
    page = words(elder.get(path(city, f"/order/meal?canteen={bare.id}")))
    assert "菜单还没有公布" in page and "02212345678" in page and "换一家食堂" in page


def test_tomorrows_meal_can_be_ordered_today(elder: FlaskClient, city: City) -> None:
    tomorrow = ON + timedelta(days=1)
    item = db.session.scalar(
        sa.select(MenuItem)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(Menu.on == tomorrow, Menu.meal == "lunch", MenuItem.price_fen == 1500)
    )
    sent = {f"item-{city.items[0].id}": 0, f"item-{item.id}": 1, "on": tomorrow.isoformat()}
    placed = order(elder, city, **sent)
    assert db.session.get(Order, order_id_of(placed)).on == tomorrow
    assert "明天" in words(elder.get(path(city)))
