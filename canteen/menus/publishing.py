"""Menus: published for a day and meal, copied from last week, changed while they are sold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.hours import check_open, is_open_day, period_of_meal
from canteen.canteens.lifecycle import must_sell
from canteen.canteens.models import Canteen
from canteen.db import changed, db, insert
from canteen.errors import Conflict, NotFound, Refused
from canteen.menus.cooking import KITCHEN, checked_price
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.territory.actors import Actor
from canteen.words import Text, day

MOST_PORTIONS = 5_000
MOST_ITEMS = 60
COUNTER = ("cashier", "manager", "operator")


class BadMenu(Refused):
    """One line of a menu cannot be right; `field` and `row` name it."""

    code = "bad_menu"
    text = Text("菜单有误", "That menu cannot be right")


class YesterdaysMenu(Refused):
    """A day that is past has no menu to change."""

    code = "yesterdays_menu"
    text = Text("{on}已经过去，菜单不能再改", "{on} is past; its menu can no longer be changed")


class MenuKnown(Conflict):
    """There is a menu for that meal already."""

    code = "menu_known"
    text = Text("这一餐的菜单已发布", "The menu for that meal is already published")


class BelowTaken(Refused):
    """More portions than that are already sold."""

    code = "portions_below_taken"
    text = Text("已售出 {taken} 份，不能少于这个数", "{taken} portions are already sold")


@dataclass(frozen=True)
class Line:
    """A dish on a menu to be published; without a price it keeps the dish's usual one."""

    dish_id: int
    portions: int
    price_fen: int | None = None


def publish(
    canteen_id: int, on: date, meal: str, lines: Sequence[Line], *, by: Actor, at: datetime
) -> Menu:
    """Publish what the canteen offers for one meal of one day.

    Refuses YesterdaysMenu, ClosedDay, MealNotServed, CanteenNotSelling, BadMenu naming the row,
    and MenuKnown: add to a published menu by `add_line`.
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be(*KITCHEN)
    _check_day(canteen, on, meal, at)
    if not 1 <= len(lines) <= MOST_ITEMS:
        wrong = Text(f"菜单应有 1—{MOST_ITEMS} 道菜", f"A menu has 1 to {MOST_ITEMS} dishes")
        raise BadMenu(wrong, field="lines")
    rows = _checked(canteen_id, lines)
    made = db.session.execute(
        insert(Menu)
        .values(canteen_id=canteen_id, on=on, meal=meal, published_at=at)
        .on_conflict_do_nothing()
        .returning(Menu.id)
    ).scalar()
    if made is None:
        raise MenuKnown(field="meal")
    db.session.execute(sa.insert(MenuItem), [row | {"menu_id": made} for row in rows])
    detail = {"canteen": canteen_id, "on": on.isoformat(), "meal": meal, "count": len(rows)}
    record(by.label, "publish_menu", "menu", made, detail)
    return db.session.get_one(Menu, made)


def add_line(menu_id: int, line: Line, *, by: Actor, at: datetime) -> MenuItem:
    """Add a dish to a published menu of today or later. Refuses BadMenu and YesterdaysMenu."""
    menu = db.session.get(Menu, menu_id)
    if menu is None:
        raise NotFound()
    finding.get_for(by, menu.canteen_id)
    by.must_be(*KITCHEN)
    _check_not_past(menu.on, at)
    [row] = _checked(menu.canteen_id, [line])
    made = db.session.execute(
        insert(MenuItem)
        .values(row | {"menu_id": menu_id})
        .on_conflict_do_nothing()
        .returning(MenuItem.id)
    ).scalar()
    if made is None:
        raise BadMenu(Text("这道菜已在菜单上", "It is already on the menu"), field="dish_id")
    record(by.label, "add_to_menu", "menu", menu_id, row)
    return db.session.get_one(MenuItem, made)


def change_portions(item_id: int, portions: int, *, by: Actor, at: datetime) -> MenuItem:
    """How many portions there are of a dish on a menu; never fewer than are sold (BelowTaken)."""
    item = _item_for(by, item_id, at)
    _check_portions(portions, None)
    was = item.portions
    done = db.session.execute(
        sa.update(MenuItem)
        .where(MenuItem.id == item_id, MenuItem.taken <= portions)
        .values(portions=portions, sold_out=False)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(item)
    if changed(done) != 1:
        raise BelowTaken(field="portions", taken=item.taken)
    detail = {"dish_id": item.dish_id, "from": was, "to": portions}
    record(by.label, "change_portions", "menu", item.menu_id, detail)
    return item


def sold_out(item_id: int, *, by: Actor, at: datetime) -> MenuItem:
    """There is no more of it, whatever the portions say: nobody can order it from this instant."""
    return _mark(item_id, True, by, at)


def back_on(item_id: int, *, by: Actor, at: datetime) -> MenuItem:
    """There is some of it after all: what is left of the portions can be ordered again."""
    return _mark(item_id, False, by, at)


def copy_last_week(canteen_id: int, monday: date, *, by: Actor, at: datetime) -> int:
    """Publish the week that starts on `monday` as the week before it was; gives how many menus.

    Past days, closed days, meals that have a menu and retired dishes are left out. The prices are
    last week's, the portions too.
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be(*KITCHEN)
    must_sell(canteen.status)
    today = clock.business_date(at)
    closures = finding.closures_between(canteen_id, monday, monday + timedelta(days=6))
    days = [monday + timedelta(days=n) for n in range(7)]
    open_days = [d for d in days if d >= today and is_open_day(canteen.open_weekdays, closures, d)]
    served = [period.meal for period in finding.hours_of(canteen_id)]
    if not open_days or not served:
        return 0
    before = {on - timedelta(days=7): on for on in open_days}
    target = sa.case(*((Menu.on == old, new) for old, new in before.items()))
    source = sa.select(Menu.canteen_id, target, Menu.meal, sa.literal(at, Menu.published_at.type))
    source = source.where(
        Menu.canteen_id == canteen_id, Menu.on.in_(before), Menu.meal.in_(served),
        Menu.published_at.is_not(None),
        sa.exists().where(
            MenuItem.menu_id == Menu.id, Dish.id == MenuItem.dish_id, Dish.retired_at.is_(None)
        ),
    )  # fmt: skip
    columns = ("canteen_id", "on", "meal", "published_at")
    made = db.session.execute(
        insert(Menu).from_select(columns, source).on_conflict_do_nothing().returning(Menu.id)
    ).scalars().all()
    if not made:
        return 0
    old, new = sa.orm.aliased(Menu), sa.orm.aliased(Menu)
    follows = sa.or_(*((old.on == a) & (new.on == b) for a, b in before.items()))
    items = (
        sa.select(new.id, MenuItem.dish_id, MenuItem.price_fen, MenuItem.portions)
        .join(old, (old.canteen_id == new.canteen_id) & (old.meal == new.meal) & follows)
        .join(MenuItem, MenuItem.menu_id == old.id)
        .join(Dish, Dish.id == MenuItem.dish_id)
        .where(new.id.in_(made), Dish.retired_at.is_(None))
    )
    into = ("menu_id", "dish_id", "price_fen", "portions")
    db.session.execute(sa.insert(MenuItem).from_select(into, items))
    detail = {"from_on": monday.isoformat(), "count": len(made)}
    record(by.label, "copy_menus", "canteen", canteen_id, detail)
    return len(made)


def _mark(item_id: int, value: bool, by: Actor, at: datetime) -> MenuItem:
    item = _item_for(by, item_id, at)
    item.sold_out = value
    db.session.flush()
    act = "sold_out" if value else "back_on"
    record(by.label, act, "menu", item.menu_id, {"dish_id": item.dish_id})
    return item


def _item_for(by: Actor, item_id: int, at: datetime) -> MenuItem:
    """A line of today's or a later menu of a canteen the actor stands behind the counter of."""
    query = sa.select(MenuItem, Menu.on).join(Menu, Menu.id == MenuItem.menu_id).join(
        Canteen, Canteen.id == Menu.canteen_id
    )
    row = db.session.execute(query.where(MenuItem.id == item_id, finding.visible(by))).first()
    if row is None:
        raise NotFound()
    by.must_be(*COUNTER)
    _check_not_past(row.on, at)
    return row[0]


def _check_day(canteen: Canteen, on: date, meal: str, at: datetime) -> None:
    must_sell(canteen.status)
    _check_not_past(on, at)
    check_open(canteen.open_weekdays, finding.closures_between(canteen.id, on, on), on)
    period_of_meal(finding.hours_of(canteen.id), meal)


def _check_not_past(on: date, at: datetime) -> None:
    if on < clock.business_date(at):
        raise YesterdaysMenu(field="on", on=day(on))


def _checked(canteen_id: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines as rows; BadMenu names the first row (from 1) that cannot be right."""
    wanted = [line.dish_id for line in lines]
    query = sa.select(Dish.id, Dish.price_fen).where(
        Dish.id.in_(wanted), Dish.canteen_id == canteen_id, Dish.retired_at.is_(None)
    )
    usual = {row.id: row.price_fen for row in db.session.execute(query)}
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if line.dish_id not in usual:
            unknown = Text("本食堂没有这道菜", "This canteen has no such dish")
            raise BadMenu(unknown, field="dish_id", row=number)
        if line.dish_id in wanted[: number - 1]:
            twice = Text("同一道菜出现两次", "The same dish stands there twice")
            raise BadMenu(twice, field="dish_id", row=number)
        _check_portions(line.portions, number)
        price = usual[line.dish_id] if line.price_fen is None else line.price_fen
        rows.append({
            "dish_id": line.dish_id, "portions": line.portions,
            "price_fen": checked_price(price, BadMenu, number),
        })  # fmt: skip
    return rows


def _check_portions(portions: int, row: int | None) -> None:
    if not 0 <= portions <= MOST_PORTIONS:
        most = Text(f"份数应在 0—{MOST_PORTIONS} 之间", f"Portions run from 0 to {MOST_PORTIONS}")
        raise BadMenu(most, field="portions", row=row)
