"""What was taken back, whole orders and single dishes: by whom, when, for how much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import BIG, here, measured
from canteen.checks.parts import Scope
from canteen.db import db
from canteen.orders.models import Cancellation, Order, OrderRefund

# What was taken back in the period, or shortly before it for a day of it: of which order, whole or
# some of its dishes, when, by whom and for how much; seconds as in MEALS.
BACK = sa.Table(
    "checked_back", here,
    sa.Column("order_id", BIG), sa.Column("whole", sa.Boolean), sa.Column("back_on", sa.Date),
    sa.Column("back_at", BIG), sa.Column("by", sa.String(60)), sa.Column("refund_fen", BIG),
    sa.Column("canteen_id", BIG), sa.Column("on", sa.Date), sa.Column("channel", sa.String(8)),
    sa.Column("paid", sa.Boolean), sa.Column("placed_at", BIG), sa.Column("served_at", BIG),
    prefixes=["TEMPORARY"],
)  # fmt: skip


def fill(scope: Scope) -> None:
    """Fill BACK from the books."""
    for whole, row, by, fen in (
        (True, Cancellation, Cancellation.cancelled_by, Cancellation.refund_fen),
        (False, OrderRefund, OrderRefund.refunded_by, OrderRefund.payable_fen),
    ):
        query = _taken_back(scope, whole, row, by, fen)
        db.session.execute(sa.insert(BACK).from_select([c.name for c in BACK.c], query))
    measured(BACK)


def _taken_back(scope: Scope, whole: bool, row: Any, by: Any, fen: Any) -> sa.Select[Any]:
    epoch = spelling.epoch
    return (
        sa.select(
            row.order_id, sa.literal(whole), row.on, epoch(row.at), by, fen, Order.canteen_id,
            Order.on, Order.channel, Order.paid_at.is_not(None), epoch(Order.placed_at),
            epoch(Order.served_at),
        )
        .select_from(row).outerjoin(Order, Order.id == row.order_id)
        .where(row.on >= scope.first - timedelta(days=31), row.on <= scope.last)
    )  # fmt: skip
