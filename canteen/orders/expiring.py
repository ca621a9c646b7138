"""Orders nobody paid, fetched or will serve: cancelled one by one by the timetable."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from canteen.db import db
from canteen.orders import stranded
from canteen.orders.cancelling import AlreadyCancelled, cancel
from canteen.orders.models import Order
from canteen.territory.actors import Actor

PAY_WITHIN = timedelta(minutes=15)


def unpaid(at: datetime, limit: int = 500) -> list[int]:
    """Orders still waiting for an online payment a quarter of an hour after they were placed."""
    return list(
        db.session.scalars(
            sa.select(Order.id)
            .where(Order.state == "awaiting_payment", Order.placed_at < at - PAY_WITHIN)
            .order_by(Order.id)
            .limit(limit)
        )
    )


def uncollected(before: date, limit: int = 500) -> list[int]:
    """Orders of days before `before` that nobody fetched: no meal, so no subsidy and no charge.

    Not a delivery that left the house: whether it arrived is for people to say, not for the clock.
    """
    return list(
        db.session.scalars(
            sa.select(Order.id)
            .where(
                Order.state.in_(("placed", "awaiting_payment")), Order.on < before,
                Order.sent_at.is_(None),
            )
            .order_by(Order.id)
            .limit(limit)
        )
    )


def expire(order_id: int, reason_code: str, by: Actor, at: datetime) -> bool:
    """Cancel one such order, inside the job's transaction; False when somebody was quicker."""
    try:
        cancel(order_id, reason_code, "", by, at)
    except AlreadyCancelled:
        return False
    return True


def give_up(order_id: int, by: Actor, at: datetime) -> bool:
    """Cancel an order its canteen will not serve (see `stranded`) and tell its elder, inside the
    job's transaction. False when it was served or cancelled, or will be served after all."""
    order = db.session.scalar(
        sa.select(Order).where(Order.id == order_id)
        .with_for_update().execution_options(populate_existing=True)
    )  # fmt: skip
    if order is None or not stranded.why([order_id]):
        return False
    cancel(order_id, stranded.REASON, "", by, at)
    stranded.tell_of(order, at)
    return True
