"""Finding orders among those the one who asks may see."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.errors import NotFound
from canteen.menus.models import Dish, MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.territory.actors import COUNTER, HOME, Actor
from canteen.territory.models import stem


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """The orders an actor may see: their ground's, their canteens', their own or their elders'."""
    if actor.role in ("city", "job"):
        return sa.true()
    if actor.role in ("street", "district", "evaluator"):
        inside = Canteen.street_code.startswith(stem(str(actor.territory)))
        return Order.canteen_id.in_(sa.select(Canteen.id).where(inside))
    if actor.role == "operator":
        mine = sa.select(Canteen.id).where(Canteen.operator_id == actor.operator_id)
        return Order.canteen_id.in_(mine)
    if actor.role in COUNTER:
        return Order.canteen_id == actor.canteen_id
    if actor.role in HOME:
        return Order.elder_id.in_(actor.elder_ids)
    return sa.false()


def get_for(actor: Actor, order_id: int) -> Order:
    """One order the actor may see, as it stands now. Refuses a stranger with NotFound."""
    order = db.session.scalar(
        sa.select(Order)
        .where(Order.id == order_id, visible(actor))
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound()
    return order


def recent(actor: Actor, limit: int = 50, before: int | None = None, **equal: Any) -> list[Order]:
    """The newest orders the actor may see, `equal` narrowing by column; pages by `before` an id."""
    wanted = sa.select(Order).where(visible(actor)).filter_by(**equal)
    if before is not None:
        wanted = wanted.where(Order.id < before)
    return list(db.session.scalars(wanted.order_by(Order.id.desc()).limit(limit)))


def lines_of(order_ids: list[int]) -> dict[int, list[Any]]:
    """The dishes of several orders in one query: rows of name, name_en, quantity, unit_fen."""
    rows = db.session.execute(
        sa.select(
            OrderLine.order_id, OrderLine.menu_item_id, OrderLine.quantity, OrderLine.unit_fen,
            Dish.name, Dish.name_en,
        )
        .join(MenuItem, MenuItem.id == OrderLine.menu_item_id)
        .join(Dish, Dish.id == MenuItem.dish_id)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.order_id, OrderLine.menu_item_id)
    )
    found: dict[int, list[Any]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        found[row.order_id].append(row)
    return found
