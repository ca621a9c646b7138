"""What is left of an order after dishes of it were given back: portions and money."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from canteen.db import db
from canteen.orders.models import Order, OrderLine, OrderRefund, OrderRefundLine


@dataclass(frozen=True)
class Rest:
    """The portions {menu item: how many} and the fen of an order that were not given back."""

    lines: dict[int, int]
    list_fen: int
    discount_fen: int
    payable_fen: int
    cash_fen: int

    @property
    def online_fen(self) -> int:
        """What is left of the part paid online."""
        return self.payable_fen - self.cash_fen


def rest_of(order: Order) -> Rest:
    """What is left of an order; all of it as long as nothing was given back."""
    back = db.session.execute(
        sa.select(
            *(
                sa.func.coalesce(sa.func.sum(getattr(OrderRefund, name)), 0)
                for name in ("list_fen", "discount_fen", "payable_fen", "cash_fen")
            )
        ).where(OrderRefund.order_id == order.id)
    ).one()
    list_fen, discount_fen, payable_fen, cash_fen = (int(fen) for fen in back)
    return Rest(
        portions_of([order.id])[order.id], order.list_fen - list_fen,
        order.discount_fen - discount_fen, order.payable_fen - payable_fen,
        order.cash_fen - cash_fen,
    )


def portions_of(order_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """The portions of several orders that were not given back, in two queries."""
    kept: dict[int, dict[int, int]] = {order_id: {} for order_id in order_ids}
    for row in db.session.execute(
        sa.select(OrderLine.order_id, OrderLine.menu_item_id, OrderLine.quantity)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.order_id, OrderLine.menu_item_id)
    ):
        kept[row.order_id][row.menu_item_id] = row.quantity
    for row in db.session.execute(
        sa.select(
            OrderRefund.order_id, OrderRefundLine.menu_item_id,
            sa.func.sum(OrderRefundLine.quantity).label("quantity"),
        )
        .join(OrderRefund, OrderRefund.id == OrderRefundLine.refund_id)
        .where(OrderRefund.order_id.in_(order_ids))
        .group_by(OrderRefund.order_id, OrderRefundLine.menu_item_id)
    ):
        kept[row.order_id][row.menu_item_id] -= int(row.quantity)
    return kept


def cash_held(order: Order) -> int:
    """The fen in notes and coins that a diner gets back when the order is taken back, before or
    after the act.

    An order whose online part has not arrived was still begun with its cash part on the counter;
    one to be paid in cash only when it is fetched has brought nothing yet.
    """
    if order.paid_at is None and order.payment == "cash":
        return 0
    return rest_of(order).cash_fen
