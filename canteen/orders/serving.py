"""Handing a meal over: paid in cash at that moment if it was not paid before."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db
from canteen.errors import Conflict
from canteen.orders.finding import get_for
from canteen.orders.models import STATES, Order
from canteen.territory.actors import COUNTER, Actor
from canteen.words import Text, day


class NotServable(Conflict):
    """The order was served already, was cancelled, waits for its payment, or is for another day."""

    code = "not_servable"
    text = Text("这份订单{state}，不能出餐", "This order cannot be served: {state}")


def serve(order_id: int, by: Actor, at: datetime) -> Order:
    """Hand an order over. Cash still owed is taken now. Refuses with NotServable, NotFound."""
    by.must_be(*COUNTER)
    order = get_for(by, order_id)
    if order.on != clock.business_date(at):
        raise NotServable(state=Text(f"是{day(order.on).zh}的", f"it is for {day(order.on).en}"))
    paid_at = order.paid_at or at
    took = changed(
        db.session.execute(
            sa.update(Order)
            .where(Order.id == order_id, Order.state == "placed")
            .values(
                state="served", served_at=at, served_by=by.label, paid_at=paid_at,
                paid_on=order.paid_on or clock.business_date(at),
            )
            .execution_options(synchronize_session=False)
        )
    )
    if not took:
        raise NotServable(state=STATES[order.state])
    return get_for(by, order_id)
