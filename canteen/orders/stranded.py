"""Open orders their canteen will not serve: its sign is down, or it announced the day as closed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen.canteens.lifecycle import may_sell
from canteen.canteens.models import MEALS, OPEN_STATUSES, STATUSES, Canteen, Closure
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Refused
from canteen.notices.telling import tell
from canteen.orders.models import Cancellation, Order
from canteen.words import Text, day

REASON = "not_serving"
KIND = "order_gone"
GONE = Text(
    "{canteen}{on}{meal}不供餐，第 {n} 号订单已取消，付过的钱全额退回。请另选一家食堂订餐。",
    "{canteen} does not serve {meal} on {on}: order {n} is cancelled and what was paid goes back"
    " in full. Please order at another canteen.",
)


class NotServing(Refused):
    """The canteen will not serve this order, so nobody pays for it."""

    code = "canteen_not_serving"
    text = Text(
        "{why}，这一单做不了。没有扣款，订单会自动取消，请另选一家食堂订餐",
        "{why}, so this order cannot be served. Nothing was charged; the order is cancelled by"
        " itself. Please order at another canteen",
    )


def why(order_ids: Collection[int]) -> dict[int, Text]:
    """Which of these orders wait at a canteen that will not serve them, each with the reason."""
    rows = db.session.execute(
        sa.select(Order.id, Order.on, Canteen.status, Closure.reason)
        .join(Canteen, Canteen.id == Order.canteen_id)
        .outerjoin(Closure, _CLOSED)
        .where(Order.id.in_(order_ids), _WAITS, _UNSERVED)
    )
    return {row.id: _why(row) for row in rows}


def _why(row: Any) -> Text:
    if not may_sell(row.status):
        return Text("这家食堂目前“{status}”", "The canteen is “{status}”").format(
            status=STATUSES[row.status]
        )
    return Text("这家食堂{on}停业（{reason}）", "The canteen is closed on {on} ({reason})").format(
        on=day(row.on), reason=row.reason
    )


def must_serve(order_id: int) -> None:
    """Refuse with NotServing where the canteen will not serve this order."""
    if found := why([order_id]):
        raise NotServing(why=found[order_id])


def waiting(canteen_id: int, on: date) -> int:
    """How many orders of a canteen, for this day and later, wait to be served."""
    query = sa.select(sa.func.count()).select_from(Order)
    return db.session.scalar(
        query.where(Order.canteen_id == canteen_id, Order.on >= on, _WAITS)
    ) or 0


def gone(order_ids: Collection[int]) -> set[int]:
    """Which of these orders were cancelled because their canteen does not serve."""
    return set(db.session.scalars(
        sa.select(Cancellation.order_id)
        .where(Cancellation.order_id.in_(order_ids), Cancellation.reason_code == REASON)
    ))  # fmt: skip


def stranded(on: date, limit: int = 500) -> list[int]:
    """Orders for this day and later that their canteen will not serve."""
    shut = sa.select(Canteen.id).where(Canteen.status.not_in(OPEN_STATUSES))
    resting = sa.select(Closure.canteen_id).where(Closure.on >= on)
    return list(db.session.scalars(
        sa.select(Order.id)
        .join(Canteen, Canteen.id == Order.canteen_id)
        .outerjoin(Closure, _CLOSED)
        # The canteens first: they are few, and their orders lie in an index.
        .where(Order.canteen_id.in_(shut.union(resting)), Order.on >= on, _WAITS, _UNSERVED)
        .order_by(Order.id).limit(limit)
    ))  # fmt: skip


def tell_of(order: Order, at: datetime) -> None:
    """Tell the elder of an order just cancelled because its canteen does not serve."""
    if order.elder_id is None:
        return
    canteen = db.session.get_one(Canteen, order.canteen_id)
    elder = db.session.get_one(Elder, order.elder_id)
    said = GONE.format(
        canteen=Text(canteen.name, canteen.name_en or canteen.name), on=day(order.on),
        meal=MEALS[order.meal], n=order.id,
    )
    tell(
        f"order:{order.id}:{REASON}", KIND, said, at=at, elder_id=order.elder_id,
        phone=(elder.phone or "")[:20], path=f"/home/orders/{order.id}",
    )


_CLOSED = (Closure.canteen_id == Order.canteen_id) & (Closure.on == Order.on)
# What is on its way to a door is a meal that was made: it is delivered.
_WAITS = Order.state.in_(("placed", "awaiting_payment")) & Order.sent_at.is_(None)
_UNSERVED = Canteen.status.not_in(OPEN_STATUSES) | Closure.on.is_not(None)
