"""Getting ordered meals to their diners: packed, sent out, handed over, a tap for each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db
from canteen.errors import Refused
from canteen.orders.finding import get_for
from canteen.orders.models import STATES, Order
from canteen.orders.serving import NotServable, serve
from canteen.territory.actors import COUNTER, Actor
from canteen.words import Text, day

MOST_NOTE = 120


class NotDelivered(Refused):
    """Only an order to be delivered is sent out."""

    code = "not_a_delivery"
    text = Text("这份不是送餐，请直接出餐", "This order is not to be delivered; hand it over")


class NobodySigned(Refused):
    """A delivery was handed over to nobody."""

    code = "nobody_signed"
    text = Text("请填签收人的姓名（最多 20 字）", "Say who took it (at most 20 letters)")


class NotPacked(NotServable):
    """The order is not waiting for the kitchen any more."""

    code = "not_packable"
    text = Text("这份订单{state}，不用再装餐", "This order need not be packed: {state}")


def pack(order_id: int, by: Actor, at: datetime) -> Order:
    """The meal stands ready in its box. Said twice, the first time counts. Refuses NotPacked."""
    return _mark(order_id, by, at, packed_at=sa.func.coalesce(Order.packed_at, _instant(at)))


def unpack(order_id: int, by: Actor, at: datetime) -> Order:
    """It is not ready after all. Refuses NotPacked, also once it is on its way."""
    return _mark(order_id, by, at, Order.sent_at.is_(None), packed_at=None)


def send_out(order_id: int, by: Actor, at: datetime) -> Order:
    """The delivery leaves the house, packed by then. Refuses NotDelivered, NotPacked."""
    if get_for(by, order_id).service != "delivery":
        raise NotDelivered()
    return _mark(
        order_id, by, at,
        packed_at=sa.func.coalesce(Order.packed_at, _instant(at)),
        sent_at=sa.func.coalesce(Order.sent_at, _instant(at)),
    )


def deliver(order_id: int, signed_by: str, by: Actor, at: datetime) -> Order:
    """The delivery reached its diner: served, with who took it in the note ("签收人：…").

    Cash still owed was taken at the door. Refuses NotDelivered, NobodySigned, NotServable.
    """
    name = " ".join(signed_by.split())
    if not 1 <= len(name) <= 20:
        raise NobodySigned(field="signed_by")
    if get_for(by, order_id).service != "delivery":
        raise NotDelivered()
    order = serve(order_id, by, at)
    signature = f"签收人：{name}"
    kept = order.note[: MOST_NOTE - len(signature) - 1]
    order.note = f"{kept} {signature}".strip()
    order.packed_at, order.sent_at = order.packed_at or at, order.sent_at or at
    db.session.flush()
    return order


def _mark(
    order_id: int, by: Actor, at: datetime, *more: sa.ColumnElement[bool], **values: Any
) -> Order:
    """Set how far an order of today has come, as long as it waits to be handed over."""
    by.must_be(*COUNTER)
    order = get_for(by, order_id)
    if order.on != clock.business_date(at):
        raise NotPacked(state=Text(f"是{day(order.on).zh}的", f"it is for {day(order.on).en}"))
    took = changed(
        db.session.execute(
            sa.update(Order)
            .where(Order.id == order_id, Order.state == "placed", *more)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    )
    order = get_for(by, order_id)
    if not took:
        on_its_way = Text("已送出", "it is on its way")
        raise NotPacked(state=on_its_way if order.state == "placed" else STATES[order.state])
    return order


def _instant(at: datetime) -> sa.ColumnElement[datetime]:
    return sa.literal(at, Order.packed_at.type)
