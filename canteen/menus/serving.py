"""Portions taken by an order and put back by its cancellation; never more than were cooked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from canteen.db import db, is_postgresql
from canteen.errors import Refused
from canteen.menus.models import Dish, MenuItem
from canteen.words import Text

ITEMS = sa.inspect(MenuItem).local_table


class SoldOut(Refused):
    """There is not enough of a dish left; `item_id`, `name` and `left` are in the detail."""

    code = "sold_out"
    text = Text("“{name}”只剩 {left} 份，请调整数量", "Only {left} of “{name}” left; take fewer")


class BadQuantity(Refused):
    """One takes 1 to 50 portions of a dish."""

    code = "bad_quantity"
    text = Text("每道菜应点 1—50 份", "Order 1 to 50 portions of a dish")


@dataclass(frozen=True)
class Taken:
    """A menu item whose portions were taken, with the price it has on that menu."""

    item_id: int
    menu_id: int
    dish_id: int
    unit_fen: int


def take(lines: Mapping[int, int]) -> dict[int, Taken]:
    """Take portions for an order, {menu item: quantity}, all of them or none, in one statement.

    The database keeps two tills from taking the last portion: each row changes only while it has
    enough left, and rows are locked in ascending order so that two orders never wait for each
    other. Refuses SoldOut naming the first dish that is short; the caller's transaction must then
    end without being saved.
    """
    for quantity in lines.values():
        if not 1 <= quantity <= 50:
            raise BadQuantity(field="quantity")
    if not lines:
        return {}
    statement = _taking(len(lines), is_postgresql())
    taken = {row[0]: Taken(*row) for row in db.session.execute(statement, _named(lines))}
    if len(taken) != len(lines):
        _refuse(min(set(lines) - set(taken)))
    return taken


def put_back(lines: Mapping[int, int]) -> None:
    """Give back what an order (or several together) had taken, {menu item: quantity}.

    A dish marked sold out stays so: the kitchen, not the count, said that there is none.
    """
    if lines:
        statement = _putting_back(len(lines), is_postgresql())
        db.session.execute(statement, _named(lines))


@cache
def _taking(count: int, postgresql: bool) -> sa.ReturningUpdate[tuple[int, int, int, int]]:
    """The statement that takes portions of so many dishes, built once: every sale waits for it."""
    wanted = _quantities(count)
    return (
        sa.update(ITEMS)
        .where(
            _meant(count, postgresql), ITEMS.c.portions - ITEMS.c.taken >= wanted,
            ~ITEMS.c.sold_out,
        )
        .values(taken=ITEMS.c.taken + wanted)
        .returning(ITEMS.c.id, ITEMS.c.menu_id, ITEMS.c.dish_id, ITEMS.c.price_fen)
    )  # fmt: skip


@cache
def _putting_back(count: int, postgresql: bool) -> sa.Update:
    """The statement that gives portions of so many dishes back."""
    left = ITEMS.c.taken - _quantities(count)
    return sa.update(ITEMS).where(_meant(count, postgresql)).values(taken=left)


def _named(lines: Mapping[int, int]) -> dict[str, int]:
    """The parameters of these statements: dish n and how many of it, by ascending dish."""
    named = {}
    for n, (item_id, quantity) in enumerate(sorted(lines.items())):
        named[f"dish_{n}"], named[f"quantity_{n}"] = item_id, quantity
    return named


def _dishes(count: int) -> list[sa.BindParameter[int]]:
    return [sa.bindparam(f"dish_{n}", type_=ITEMS.c.id.type) for n in range(count)]


def _quantities(count: int) -> sa.ColumnElement[int]:
    quantities = [sa.bindparam(f"quantity_{n}", type_=sa.Integer) for n in range(count)]
    if count == 1:
        return quantities[0]
    pairs = zip(_dishes(count), quantities, strict=True)
    return sa.case(*((ITEMS.c.id == dish, quantity) for dish, quantity in pairs), else_=0)


def _meant(count: int, postgresql: bool) -> sa.ColumnElement[bool]:
    """The rows meant, on PostgreSQL locked by ascending id first; SQLite has one writer anyway."""
    if count == 1:
        return ITEMS.c.id == _dishes(1)[0]
    if not postgresql:
        return ITEMS.c.id.in_(_dishes(count))
    row = ITEMS.alias("row")
    meant = sa.select(row.c.id).where(row.c.id.in_(_dishes(count)))
    locked = meant.order_by(row.c.id).with_for_update().cte("locked")
    return ITEMS.c.id.in_(sa.select(locked.c.id))


def _refuse(item_id: int) -> None:
    """Raise SoldOut for an item that had too little left, or for one that is not there."""
    query = sa.select(
        Dish.name, Dish.name_en, MenuItem.sold_out, MenuItem.portions - MenuItem.taken
    ).join(Dish, Dish.id == MenuItem.dish_id)
    row = db.session.execute(query.where(MenuItem.id == item_id)).first()
    name = Text(row[0], row[1] or row[0]) if row else Text("这道菜", "That dish")
    left = 0 if row is None or row[2] else max(row[3], 0)
    text = None
    if left == 0:
        text = Text("“{name}”已售完", "“{name}” is sold out").format(name=name)
    raise SoldOut(text, field="lines", item_id=item_id, name=name, left=left)
