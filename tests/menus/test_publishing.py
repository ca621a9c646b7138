"""Dishes and menus: published ahead, never for a day that is past, never below what is sold."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.canteens.hours import ClosedDay, MealNotServed
from canteen.canteens.lifecycle import CanteenNotSelling
from canteen.canteens.models import Canteen, Closure
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.menus.cooking import BadDish, DishKnown, change_price, create_dish, retire
from canteen.menus.models import Dish, MenuItem
from canteen.menus.offering import dishes_of, menu_for, menus_between, menus_of_day
from canteen.menus.publishing import (
    BadMenu,
    BelowTaken,
    Line,
    MenuKnown,
    YesterdaysMenu,
    add_line,
    back_on,
    change_portions,
    copy_last_week,
    publish,
    sold_out,
)
from canteen.menus.serving import SoldOut, take
from canteen.territory.actors import Actor
from tests.factories import make_canteen, make_menu, make_territories

FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 23)
NOON: datetime = clock.instant(FRIDAY, time(12))


@pytest.fixture
def canteen(app: Flask) -> Canteen:
    """A canteen open on weekdays."""
    with transaction():
        make_territories()
        return make_canteen(open_weekdays="12345")


def manager(canteen: Canteen) -> Actor:
    """The canteen's manager."""
    return Actor(role="manager", user_id=1, canteen_id=canteen.id)


def told(subject_id: int, subject: str = "menu") -> list[tuple[str, str, dict[str, Any]]]:
    """Who did what to a menu, as the trail has it."""
    of = (AuditRecord.subject == subject, AuditRecord.subject_id == str(subject_id))
    rows = db.session.scalars(sa.select(AuditRecord).where(*of).order_by(AuditRecord.id))
    return [(row.actor, row.act, row.detail) for row in rows]


def dish(canteen: Canteen, name: str = "红烧肉套餐", price_fen: int = 1500) -> Dish:
    """A set on the canteen's list."""
    with transaction():
        return create_dish(
            canteen.id, name, "set", price_fen, name_en="Set", marks=["soft"], by=manager(canteen)
        )


def test_a_published_menu_is_on_offer_with_its_prices(canteen: Canteen) -> None:
    usual, special = dish(canteen), dish(canteen, "素烩", 500)
    with transaction():
        lines = [Line(usual.id, 50), Line(special.id, 10, 450)]
        made = publish(canteen.id, MONDAY, "lunch", lines, by=manager(canteen), at=NOON)
    menu = menu_for(canteen.id, MONDAY, "lunch")
    assert menu is not None
    [(_, act, said)] = told(made.id)
    assert (act, said["meal"], said["count"]) == ("publish_menu", "lunch", 2)
    assert [(row.name, row.price_fen, row.left) for row in menu.items] == [
        ("素烩", 450, 10), ("红烧肉套餐", 1500, 50),
    ]
    assert menu.items[0].marks == ("soft",)
    assert menu_for(canteen.id, MONDAY, "dinner") is None
    with transaction():
        change_price(usual.id, 1800, by=manager(canteen))
    assert menu_for(canteen.id, MONDAY, "lunch") == menu


@pytest.mark.parametrize(
    ("on", "meal", "refusal"),
    [
        (date(2026, 11, 19), "lunch", YesterdaysMenu),
        (date(2026, 11, 21), "lunch", ClosedDay),
        (date(2026, 11, 24), "lunch", ClosedDay),
        (MONDAY, "supper", MealNotServed),
        (FRIDAY, "lunch", MenuKnown),
    ],
)
def test_a_menu_has_an_open_day_to_come_and_a_served_meal(
    canteen: Canteen, on: date, meal: str, refusal: type[CanteenError]
) -> None:
    with transaction():
        db.session.add(Closure(canteen_id=canteen.id, on=date(2026, 11, 24), reason="检修"))
        make_menu(canteen, FRIDAY)
    known = dish(canteen)
    with pytest.raises(refusal), transaction():
        publish(canteen.id, on, meal, [Line(known.id, 5)], by=manager(canteen), at=NOON)


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (Line(0, 5), "dish_id"),
        (Line(-1, 5), "dish_id"),
        (Line(1, -1), "portions"),
        (Line(1, 5001), "portions"),
        (Line(1, 5, 0), "price_fen"),
        (Line(1, 5, 100_001), "price_fen"),
    ],
)
def test_a_bad_line_is_named_by_its_row_and_nothing_is_saved(
    canteen: Canteen, second: Line, field: str
) -> None:
    one, other = dish(canteen), dish(canteen, "另一道")
    chosen = {0: one.id, 1: other.id}.get(second.dish_id, second.dish_id)
    lines = [Line(one.id, 5), Line(chosen, second.portions, second.price_fen)]
    with pytest.raises(BadMenu) as refused, transaction():
        publish(canteen.id, MONDAY, "lunch", lines, by=manager(canteen), at=NOON)
    assert (refused.value.row, refused.value.field) == (2, field)
    assert menus_of_day(canteen.id, MONDAY) == []


def test_a_foreign_or_retired_dish_stands_on_no_menu(canteen: Canteen) -> None:
    with transaction():
        other = make_canteen()
    foreign, old = dish(other, "别家菜"), dish(canteen, "旧菜")
    with transaction():
        retire(old.id, by=manager(canteen), at=NOON)
    assert dishes_of(canteen.id) == [] and len(dishes_of(canteen.id, retired=True)) == 1
    for wrong in (foreign, old):
        with pytest.raises(BadMenu), transaction():
            publish(canteen.id, MONDAY, "lunch", [Line(wrong.id, 5)], by=manager(canteen), at=NOON)
    with pytest.raises(BadMenu), transaction():
        publish(canteen.id, MONDAY, "lunch", [], by=manager(canteen), at=NOON)


def test_a_canteen_without_its_sign_publishes_nothing(canteen: Canteen) -> None:
    known = dish(canteen)
    with transaction():
        db.session.get_one(Canteen, canteen.id).status = "suspended"
    with pytest.raises(CanteenNotSelling), transaction():
        publish(canteen.id, MONDAY, "lunch", [Line(known.id, 5)], by=manager(canteen), at=NOON)


def test_dishes_are_checked_and_named_once(canteen: Canteen) -> None:
    dish(canteen)
    with pytest.raises(DishKnown):
        dish(canteen)
    for name, kind, price, marks, field in (
        ("", "set", 100, [], "name"), ("长" * 41, "set", 100, [], "name"),
        ("菜", "feast", 100, [], "kind"), ("菜", "set", 0, [], "price_fen"),
        ("菜", "set", 100_001, [], "price_fen"), ("菜", "set", 100, ["tasty"], "marks"),
    ):  # fmt: skip
        with pytest.raises(BadDish) as refused, transaction():
            create_dish(canteen.id, name, kind, price, marks=marks, by=manager(canteen))
        assert refused.value.field == field


def test_only_the_kitchen_writes_menus_and_the_cashier_may_say_sold_out(canteen: Canteen) -> None:
    known = dish(canteen)
    cashier = Actor(role="cashier", user_id=2, canteen_id=canteen.id)
    with transaction():
        [item, *_] = make_menu(canteen, FRIDAY)
        other = make_canteen()
    with pytest.raises(Forbidden), transaction():
        publish(canteen.id, MONDAY, "lunch", [Line(known.id, 5)], by=cashier, at=NOON)
    with pytest.raises(Forbidden), transaction():
        change_price(known.id, 100, by=cashier)
    stranger = Actor(role="manager", user_id=3, canteen_id=other.id)
    line = Line(known.id, 5)
    for act in (
        lambda: change_price(known.id, 100, by=stranger),
        lambda: sold_out(item.id, by=stranger, at=NOON),
        lambda: add_line(item.menu_id, line, by=stranger, at=NOON),
    ):
        with pytest.raises(NotFound), transaction():
            act()
    with transaction():
        sold_out(item.id, by=cashier, at=NOON)
    with pytest.raises(SoldOut), transaction():
        take({item.id: 1})
    with transaction():
        back_on(item.id, by=cashier, at=NOON)
        take({item.id: 1})
    assert told(item.menu_id) == [
        ("user:2", "sold_out", {"dish_id": item.dish_id}),
        ("user:2", "back_on", {"dish_id": item.dish_id}),
    ]


def test_portions_never_fall_below_what_is_taken(canteen: Canteen) -> None:
    boss = manager(canteen)
    with transaction():
        [item, *_] = make_menu(canteen, FRIDAY, portions=10)
        take({item.id: 4})
    with pytest.raises(BelowTaken) as refused, transaction():
        change_portions(item.id, 3, by=boss, at=NOON)
    assert "4" in refused.value.text.zh
    with transaction():
        assert change_portions(item.id, 4, by=boss, at=NOON).portions == 4
    [(_, act, said)] = told(item.menu_id)
    assert (act, said["from"], said["to"]) == ("change_portions", 10, 4)
    with pytest.raises(BadMenu), transaction():
        change_portions(item.id, 5001, by=boss, at=NOON)
    with pytest.raises(YesterdaysMenu), transaction():
        change_portions(item.id, 9, by=boss, at=clock.instant(date(2026, 11, 21), time(9)))


def test_a_dish_is_added_to_a_published_menu_once(canteen: Canteen) -> None:
    known, boss = dish(canteen), manager(canteen)
    with transaction():
        [item, *_] = make_menu(canteen, FRIDAY)
        add_line(item.menu_id, Line(known.id, 5), by=boss, at=NOON)
    with pytest.raises(BadMenu), transaction():
        add_line(item.menu_id, Line(known.id, 5), by=boss, at=NOON)
    assert [act for _, act, _ in told(item.menu_id)] == ["add_to_menu"]


def test_last_weeks_menus_are_copied_once(canteen: Canteen) -> None:
    boss = manager(canteen)
    with transaction():
        for on in (date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 19)):
            make_menu(canteen, on)
        make_menu(canteen, date(2026, 11, 18), "dinner")
        make_menu(canteen, date(2026, 11, 26), prices=(900,))
        db.session.add(Closure(canteen_id=canteen.id, on=date(2026, 11, 24), reason="检修"))
        db.session.query(MenuItem).update({"taken": 3})
        db.session.query(Dish).filter_by(name="菜2").update({"retired_at": NOON})
    with transaction():
        assert copy_last_week(canteen.id, MONDAY, by=boss, at=NOON) == 2
    following = menus_between(canteen.id, MONDAY, MONDAY + timedelta(days=6))
    week = {(menu.on, menu.meal): menu for menu in following}
    assert set(week) == {
        (MONDAY, "lunch"), (date(2026, 11, 25), "dinner"), (date(2026, 11, 26), "lunch"),
    }
    copied = week[(MONDAY, "lunch")].items
    assert [(row.name, row.price_fen, row.left, row.taken) for row in copied] == [
        ("菜0", 1500, 100, 0), ("菜1", 300, 100, 0),
    ]
    assert len(week[(date(2026, 11, 26), "lunch")].items) == 1
    with transaction():
        assert copy_last_week(canteen.id, MONDAY, by=boss, at=NOON) == 0
    copied_on = {"from_on": MONDAY.isoformat(), "count": 2}
    assert told(canteen.id, "canteen") == [("user:1", "copy_menus", copied_on)]
    with transaction():
        later = clock.instant(date(2026, 12, 3), time(9))
        assert copy_last_week(canteen.id, date(2026, 11, 30), by=boss, at=later) == 1
