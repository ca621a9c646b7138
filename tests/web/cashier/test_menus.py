"""The manager publishes, changes and copies menus; the cashier looks, and marks what is gone."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db, transaction
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.menus.offering import menu_for
from tests.factories import City, make_menu


def tomorrow(city: City) -> str:
    return (city.today + timedelta(days=1)).isoformat()


def test_a_menu_is_published_from_the_dishes_given_portions(
    manager: FlaskClient, city: City
) -> None:
    first, second = city.items[0].dish_id, city.items[1].dish_id
    url = f"/till/menus/{tomorrow(city)}/lunch"
    assert f"portions-{first}" in manager.get(url).text
    sent = {f"portions-{first}": "30", f"price-{first}": "16.5", f"portions-{second}": ""}
    assert manager.post(url, data=sent).status_code == 303
    menu = menu_for(city.here.id, city.today + timedelta(days=1), "lunch")
    assert [(item.dish_id, item.price_fen, item.portions) for item in menu.items] == [
        (first, 1650, 30)
    ]


def test_a_menu_with_a_wrong_price_comes_back_as_it_was_filled_in(
    manager: FlaskClient, city: City
) -> None:
    dish = city.items[0].dish_id
    sent = {f"portions-{dish}": "30", f"price-{dish}": "sixteen"}
    back = manager.post(f"/till/menus/{tomorrow(city)}/lunch", data=sent)
    assert back.status_code == 422 and 'value="sixteen"' in back.text
    assert menu_for(city.here.id, city.today + timedelta(days=1), "lunch") is None


def test_portions_change_while_they_sell_but_not_below_what_is_sold(
    manager: FlaskClient, city: City
) -> None:
    item = city.items[0]
    with transaction():
        db.session.get_one(MenuItem, item.id).taken = 7
    url = f"/till/menus/{item.menu_id}/portions"
    assert manager.post(url, data={f"portions-{item.id}": "8"}).status_code == 303
    refused = manager.post(url, data={f"portions-{item.id}": "6"})
    assert refused.status_code == 422 and "已售出 7 份" in refused.text
    db.session.rollback()
    assert db.session.get_one(MenuItem, item.id, populate_existing=True).portions == 8


def test_a_dish_is_added_to_a_menu_and_a_new_one_to_the_kitchen(
    manager: FlaskClient, city: City
) -> None:
    new = {"name": "清炒油麦菜", "kind": "dish", "price": "5", "marks": "low_salt"}
    made = manager.post(f"/till/dishes/{city.today}/lunch", data=new)
    assert made.status_code == 303
    dish = db.session.scalar(sa.select(Dish.id).where(Dish.name == "清炒油麦菜"))
    db.session.rollback()
    menu_id = city.items[0].menu_id
    sent = {"dish": str(dish), "portions": "12"}
    assert manager.post(f"/till/menus/{menu_id}/lines", data=sent).status_code == 303
    again = manager.post(f"/till/menus/{menu_id}/lines", data=sent)
    assert again.status_code == 422 and "已在菜单上" in again.text


def test_last_week_is_copied_where_nothing_is_published(manager: FlaskClient, city: City) -> None:
    with transaction():
        make_menu(city.here, city.today - timedelta(days=6), "dinner")
    monday = clock.week_start(city.today + timedelta(days=1))
    manager.post("/till/menus", data={"week": monday.isoformat()})
    copied = menu_for(city.here.id, city.today + timedelta(days=1), "dinner")
    assert copied is not None and len(copied.items) == 3


def test_a_cashier_sees_menus_and_marks_sold_out_but_publishes_nothing(
    cashier: FlaskClient, city: City
) -> None:
    item = city.items[0]
    assert cashier.get("/till/menus").status_code == 200
    page = cashier.get(f"/till/menus/{city.today}/lunch").text
    assert "标售完" in page and "保存份数" not in page
    assert cashier.post(f"/till/menus/items/{item.id}").status_code == 303
    db.session.rollback()
    assert db.session.get_one(MenuItem, item.id, populate_existing=True).sold_out
    db.session.rollback()
    assert cashier.post(f"/till/menus/items/{item.id}", data={"do": "back"}).status_code == 303
    for url in (
        f"/till/menus/{tomorrow(city)}/lunch", "/till/menus", f"/till/menus/{item.menu_id}/lines",
        f"/till/menus/{item.menu_id}/portions", f"/till/dishes/{city.today}/lunch",
    ):
        assert cashier.post(url, data={}).status_code == 403


def test_addresses_of_no_meal_and_no_day_are_not_found(manager: FlaskClient, city: City) -> None:
    for path in ("2026-02-30/lunch", f"{city.today}/supper", "0001-01-01/lunch", "x/lunch"):
        assert manager.get(f"/till/menus/{path}").status_code == 404
    assert manager.get("/till/menus?week=9999-12-31").status_code == 200


def test_yesterdays_menu_can_be_looked_at_and_not_changed(
    manager: FlaskClient, city: City
) -> None:
    yesterday = city.today - timedelta(days=1)
    with transaction():
        items = make_menu(city.here, yesterday)
    page = manager.get(f"/till/menus/{yesterday}/lunch").text
    assert "菜0" in page and "标售完" not in page
    sent = {f"portions-{items[0].id}": "5"}
    assert manager.post(f"/till/menus/{items[0].menu_id}/portions", data=sent).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Menu)) == 3
