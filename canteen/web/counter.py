"""What the counter's doors share: whose sale it was, and whose drawer its cash goes through."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import has_request_context, session

from canteen import clock
from canteen.db import db
from canteen.orders.models import Order
from canteen.territory.actors import Actor
from canteen.tills import shifts
from canteen.tills.models import Shift, Till, TillEntry


def till_id(by: Actor) -> int | None:
    """The till that was opened on this tablet; None on any other screen."""
    found = session.get("till") if has_request_context() else None
    if not isinstance(found, int):
        return None
    mine = sa.select(Till.id).where(Till.id == found, Till.canteen_id == by.canteen_id)
    return db.session.scalar(mine)


def own_shift(order_id: int, by: Actor) -> bool:
    """Whether this person sold the order, at this till, in the shift that is still open.

    What was sold past every till (by a program at the counter) has no shift: then it is the
    seller's own as long as its day lasts.
    """
    entry = db.session.execute(
        sa.select(TillEntry.till_id, TillEntry.cashier_id, Shift.closed_at)
        .outerjoin(Shift, Shift.id == TillEntry.shift_id)
        .where(TillEntry.order_id == order_id, TillEntry.kind == "sale")
    ).first()
    if entry is None:
        row = db.session.execute(
            sa.select(Order.placed_by, Order.on).where(Order.id == order_id)
        ).first()
        return row is not None and (row.placed_by, row.on) == (by.label, clock.business_date())
    mine = entry.cashier_id == by.user_id and entry.till_id == till_id(by)
    return mine and entry.closed_at is None


def collected(order_id: int, fen: int, by: Actor, at: datetime) -> None:
    """Cash taken for an order that was handed over goes into this till's drawer."""
    shifts.collected(till_id(by), order_id, fen, by, at)


def given_back(order_id: int, fen: int, by: Actor, at: datetime) -> None:
    """Cash given back for an order comes out of this till's drawer."""
    shifts.refunded(till_id(by), order_id, fen, by, at)
