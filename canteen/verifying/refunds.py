"""Checks of refunds: never more than was there, and what a cancellation gave back is the rest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.money import yuan
from canteen.orders.models import Cancellation, Order, OrderLine, OrderRefund, OrderRefundLine
from canteen.verifying.findings import Check, Found, differences, stream
from canteen.words import Text


def refunds_match() -> Found:
    """Every refund of single dishes is of its own dishes, and no order gave back too much."""
    yield from _dishes_sum()
    yield from _dishes_too_many()
    back = given_back()
    paid = Order.paid_at.is_not(None)
    rest = sa.case((paid, Order.payable_fen - sa.func.coalesce(back.c.payable_fen, 0)), else_=0)
    faults: dict[str, Any] = {
        "unpaid": back.c.order_id.is_not(None) & sa.not_(paid),
        "too_much": (back.c.list_fen >= Order.list_fen)
        | (back.c.discount_fen > Order.discount_fen)
        | (back.c.payable_fen > Order.payable_fen)
        | (back.c.cash_fen > Order.cash_fen)
        | (back.c.payable_fen - back.c.cash_fen > Order.payable_fen - Order.cash_fen),
        "rest": Cancellation.order_id.is_not(None) & (Cancellation.refund_fen != rest),
    }
    query = (
        sa.select(
            Order.id, sa.case(*((what, code) for code, what in faults.items())).label("fault")
        )
        .outerjoin(back, back.c.order_id == Order.id)
        .outerjoin(Cancellation, Cancellation.order_id == Order.id)
        .where(sa.or_(*faults.values()))
    )
    for row in stream(query):
        yield f"order {row.id}", FAULTS[row.fault]


FAULTS = {
    "unpaid": Text("没有付款却退了单品", "was never paid, but dishes of it were refunded"),
    "too_much": Text("单品退得比原单还多", "more was refunded than there was"),
    "rest": Text(
        "取消时退的不是余下的金额", "its cancellation gave back something else than what was left"
    ),
}


def given_back() -> sa.CTE:
    """What the refunds of single dishes of each order come to, in fen."""
    names = ("list_fen", "discount_fen", "payable_fen", "cash_fen")
    return (
        sa.select(
            OrderRefund.order_id,
            *(sa.func.sum(getattr(OrderRefund, name)).label(name) for name in names),
        )
        .group_by(OrderRefund.order_id)
        .cte("given_back")
    )


def _dishes_sum() -> Found:
    line, back = OrderLine, OrderRefundLine
    expected = [sa.select(OrderRefund.id.label("id"), OrderRefund.list_fen.label("amount"))]
    actual = [
        sa.select(
            OrderRefund.id.label("id"), sa.func.sum(back.quantity * line.unit_fen).label("amount")
        )
        .join(back, back.refund_id == OrderRefund.id)
        .join(
            line,
            sa.and_(line.order_id == OrderRefund.order_id, line.menu_item_id == back.menu_item_id),
        )
        .group_by(OrderRefund.id)
    ]
    for row in differences(("id",), expected, actual):
        yield f"refund {row.id}", Text(
            "退标价 {list} 元，菜品合计 {lines} 元",
            "{list} yuan at list price, its dishes sum to {lines}",
        ).format(list=yuan(row.expected), lines=yuan(row.actual))


def _dishes_too_many() -> Found:
    line, back = OrderLine, OrderRefundLine
    query = (
        sa.select(OrderRefund.order_id, back.menu_item_id)
        .join(back, back.refund_id == OrderRefund.id)
        .join(
            line,
            sa.and_(line.order_id == OrderRefund.order_id, line.menu_item_id == back.menu_item_id),
        )
        .group_by(OrderRefund.order_id, back.menu_item_id, line.quantity)
        .having(sa.func.sum(back.quantity) > line.quantity)
    )
    for row in stream(query):
        yield f"order {row.order_id}", Text(
            "{item} 号菜退得比点的多", "more of menu item {item} was refunded than was ordered"
        ).format(item=row.menu_item_id)


CHECKS = (
    Check(
        "refunds_match", Text("退款不多于原单", "Refunds give back what was there"),
        refunds_match,
    ),
)
