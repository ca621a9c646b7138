"""Portions taken by an order and put back by its cancellation; never more than were cooked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from canteen.db import db, is_postgresql
from canteen.errors import Refused
from canteen.menus.models import Dish, MenuItem
from canteen.words import Text


class SoldOut(Refused):
    """There is not enough of a dish left; `item_id`, `name` and `left` are in the detail."""

    code = "sold_out"
    text = Text("“{name}”只剩 {left} 份,请调整数量", "Only {left} of “{name}” left; take fewer")


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
    wanted = _quantities(lines)
    statement = (
        sa.update(MenuItem)
        .where(
            _locked(lines), MenuItem.portions - MenuItem.taken >= wanted, ~MenuItem.sold_out
        )
        .values(taken=MenuItem.taken + wanted)
        .returning(MenuItem.id, MenuItem.menu_id, MenuItem.dish_id, MenuItem.price_fen)
        .execution_options(synchronize_session=False)
    )
    taken = {row[0]: Taken(*row) for row in db.session.execute(statement)}
    if len(taken) != len(lines):
        _refuse(min(set(lines) - set(taken)))
    return taken


def put_back(lines: Mapping[int, int]) -> None:
    """Give back what an order (or several together) had taken, {menu item: quantity}.

    A dish marked sold out stays so: the kitchen, not the count, said that there is none.
    """
    if lines:
        db.session.execute(
            sa.update(MenuItem)
            .where(_locked(lines))
            .values(taken=MenuItem.taken - _quantities(lines))
            .execution_options(synchronize_session=False)
        )


def _quantities(lines: Mapping[int, int]) -> sa.ColumnElement[int]:
    if len(lines) == 1:
        return sa.literal(next(iter(lines.values())), sa.Integer)
    return sa.case(dict(sorted(lines.items())), value=MenuItem.id, else_=0)


def _locked(lines: Mapping[int, int]) -> sa.ColumnElement[bool]:
    """The rows meant, on PostgreSQL locked by ascending id first; SQLite has one writer anyway."""
    if len(lines) == 1:
        return MenuItem.id == next(iter(lines))
    meant = MenuItem.id.in_(sorted(lines))
    if not is_postgresql():
        return meant
    row = sa.orm.aliased(MenuItem)
    locked = (
        sa.select(row.id).where(row.id.in_(sorted(lines))).order_by(row.id).with_for_update()
    ).cte("locked")
    return MenuItem.id.in_(sa.select(locked.c.id))


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
