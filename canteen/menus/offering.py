"""What is on offer: one meal, one day or one week of a canteen, each in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from canteen.db import db
from canteen.menus.models import Dish, Menu, MenuItem


@dataclass(frozen=True)
class Offered:
    """A dish on a menu; `left` is how many portions can still be had (0 when sold out)."""

    item_id: int
    dish_id: int
    name: str
    name_en: str
    kind: str
    price_fen: int
    left: int
    marks: tuple[str, ...]
    portions: int
    taken: int


@dataclass(frozen=True)
class OfferedMenu:
    """One meal of one day of a canteen: sets first, then dishes, each by price."""

    menu_id: int
    canteen_id: int
    on: date
    meal: str
    items: tuple[Offered, ...]


@dataclass(frozen=True)
class Item:
    """A menu item with the menu it stands on, as an order needs it."""

    item_id: int
    menu_id: int
    canteen_id: int
    on: date
    meal: str
    dish_id: int
    name: str
    name_en: str
    kind: str
    price_fen: int
    left: int


_MEAL_ORDER = sa.case({"breakfast": 0, "lunch": 1}, value=Menu.meal, else_=2)
_LEFT = sa.case((MenuItem.sold_out, 0), else_=MenuItem.portions - MenuItem.taken).label("left")


def menu_for(canteen_id: int, on: date, meal: str) -> OfferedMenu | None:
    """What the canteen offers for one meal of one day; None before it is published."""
    found = _menus(Menu.canteen_id == canteen_id, Menu.on == on, Menu.meal == meal)
    return found[0] if found else None


def menus_of_day(canteen_id: int, on: date) -> list[OfferedMenu]:
    """Every published menu of one day, breakfast first."""
    return _menus(Menu.canteen_id == canteen_id, Menu.on == on)


def menus_between(canteen_id: int, first: date, last: date) -> list[OfferedMenu]:
    """Every published menu from `first` to `last`, both included, in order."""
    return _menus(Menu.canteen_id == canteen_id, Menu.on.between(first, last))


def menus_at(canteen_ids: Collection[int], on: date) -> dict[int, list[OfferedMenu]]:
    """Every published menu of one day at several canteens, in one query; a canteen without is
    left out."""
    found: dict[int, list[OfferedMenu]] = {}
    for menu in _menus(Menu.canteen_id.in_(canteen_ids), Menu.on == on):
        found.setdefault(menu.canteen_id, []).append(menu)
    return found


def items(item_ids: Collection[int]) -> dict[int, Item]:
    """Menu items of published menus by their ids, in one query; unknown ids are left out."""
    query = (
        sa.select(
            MenuItem.id, Menu.id, Menu.canteen_id, Menu.on, Menu.meal, Dish.id, Dish.name,
            Dish.name_en, Dish.kind, MenuItem.price_fen, _LEFT,
        )
        .join(Menu, Menu.id == MenuItem.menu_id)
        .join(Dish, Dish.id == MenuItem.dish_id)
        .where(MenuItem.id.in_(item_ids), Menu.published_at.is_not(None))
    )  # fmt: skip
    return {row[0]: Item(*row) for row in db.session.execute(query)}


def dishes_of(canteen_id: int, *, retired: bool = False) -> list[Dish]:
    """The dishes a canteen can put on a menu, sets first; with `retired`, the former ones too."""
    query = sa.select(Dish).where(Dish.canteen_id == canteen_id)
    if not retired:
        query = query.where(Dish.retired_at.is_(None))
    return list(db.session.scalars(query.order_by(Dish.kind.desc(), Dish.price_fen, Dish.id)))


def _menus(*conditions: sa.ColumnElement[bool]) -> list[OfferedMenu]:
    query = (
        sa.select(
            Menu.id, Menu.canteen_id, Menu.on, Menu.meal,
            MenuItem.id.label("item_id"), MenuItem.dish_id, Dish.name, Dish.name_en, Dish.kind,
            MenuItem.price_fen, _LEFT, Dish.marks, MenuItem.portions, MenuItem.taken,
        )
        .join(MenuItem, MenuItem.menu_id == Menu.id)
        .join(Dish, Dish.id == MenuItem.dish_id)
        .where(*conditions, Menu.published_at.is_not(None))
        .order_by(Menu.on, _MEAL_ORDER, Dish.kind.desc(), MenuItem.price_fen, MenuItem.id)
    )  # fmt: skip
    found: dict[int, tuple[tuple[int, int, date, str], list[Offered]]] = {}
    for row in db.session.execute(query):
        offered = Offered(
            item_id=row.item_id, dish_id=row.dish_id, name=row.name,
            name_en=row.name_en or row.name, kind=row.kind, price_fen=row.price_fen,
            left=row.left, marks=tuple(row.marks), portions=row.portions, taken=row.taken,
        )  # fmt: skip
        found.setdefault(row.id, (tuple(row[:4]), []))[1].append(offered)
    return [OfferedMenu(*menu, items=tuple(offers)) for menu, offers in found.values()]
