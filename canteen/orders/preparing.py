"""What the kitchen must know: portions wanted of each dish, and the orders that wait."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import MealPeriod
from canteen.db import db
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine, OrderRefund, OrderRefundLine


@dataclass(frozen=True)
class Wanted:
    """Portions of one menu item: ordered ahead, sold at the till, and of both not handed over."""

    ahead: int = 0
    sold: int = 0
    waiting: int = 0


def wanted(menu_ids: Collection[int]) -> dict[int, Wanted]:
    """How much of each menu item is wanted, {menu item: Wanted}; cancelled orders count nothing."""
    at_till = Order.channel == "till"
    waits = Order.state.in_(("placed", "awaiting_payment"))

    def sums(quantity: Any) -> list[Any]:
        cases = (("ahead", sa.not_(at_till)), ("sold", at_till), ("waiting", waits))
        return [
            sa.func.sum(sa.case((condition, quantity), else_=0)).label(name)
            for name, condition in cases
        ]

    counts = sa.and_(Order.menu_id.in_(menu_ids), Order.state != "cancelled")
    ordered = (
        sa.select(OrderLine.menu_item_id.label("item"), *sums(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(counts)
        .group_by(OrderLine.menu_item_id)
    )
    back = (
        sa.select(OrderRefundLine.menu_item_id.label("item"), *sums(-OrderRefundLine.quantity))
        .join(OrderRefund, OrderRefund.id == OrderRefundLine.refund_id)
        .join(Order, Order.id == OrderRefund.order_id)
        .where(counts)
        .group_by(OrderRefundLine.menu_item_id)
    )
    both = sa.union_all(ordered, back).subquery()
    rows = db.session.execute(
        sa.select(
            both.c.item,
            *(sa.func.sum(both.c[name]).label(name) for name in ("ahead", "sold", "waiting")),
        ).group_by(both.c.item)
    )
    return {row.item: Wanted(int(row.ahead), int(row.sold), int(row.waiting)) for row in rows}


def waiting(canteen_id: int, on: date, limit: int = 200) -> list[Order]:
    """The orders of a day to be handed over: the earliest meal first, within it the deliveries,
    which must leave before anybody comes to fetch, then whoever ordered first."""
    return list(
        db.session.scalars(
            sa.select(Order)
            .outerjoin(
                MealPeriod,
                sa.and_(MealPeriod.canteen_id == Order.canteen_id, MealPeriod.meal == Order.meal),
            )
            .where(Order.canteen_id == canteen_id, Order.on == on, Order.state == "placed")
            .order_by(
                MealPeriod.opens, sa.case((Order.service == "delivery", 0), else_=1), Order.id
            )
            .limit(limit)
        )
    )


def mark(canteen_id: int, on: date, menu_ids: Collection[int]) -> tuple[Any, ...]:
    """Changes whenever an order of the day or a menu's portions change; two small queries."""
    orders = db.session.execute(
        sa.select(
            sa.func.count(), sa.func.max(Order.id),
            *(
                sa.func.count(when) for when in (Order.paid_at, Order.packed_at, Order.sent_at)
            ),
            *(
                sa.func.sum(sa.case((Order.state == state, Order.id), else_=0))
                for state in ("placed", "awaiting_payment")
            ),
            *(
                sa.func.sum(sa.case((when.is_not(None), Order.id), else_=0))
                for when in (Order.packed_at, Order.sent_at)
            ),
        ).where(Order.canteen_id == canteen_id, Order.on == on)
    ).one()
    items = db.session.execute(
        sa.select(MenuItem.id, MenuItem.portions, MenuItem.taken, MenuItem.sold_out)
        .where(MenuItem.menu_id.in_(menu_ids))
        .order_by(MenuItem.id)
    )
    return (*orders, *(tuple(row) for row in items))
