"""What the payment provider said about an order's charge, brought to the order."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.db import UTCDateTime, changed, db
from canteen.orders.models import Order
from canteen.payments import charging
from canteen.payments.models import Charge
from canteen.subsidies.granting import open_period


def charge_arrived(
    charge_id: int, at: datetime, provider_id: str | None = None, received_fen: int | None = None
) -> bool:
    """An online payment arrived: the order is paid, True the first time only.

    The diner who pays at the till has the meal in hand: such an order is served with it. One that
    was ordered ahead waits to be fetched. A payment that comes after its order was cancelled is
    given back by itself.
    """
    # The order first, then its charge: a cancellation at the same instant locks them in that order.
    order_id = db.session.scalar(
        sa.select(Order.id)
        .join(Charge, Charge.order_id == Order.id)
        .where(Charge.id == charge_id)
        .with_for_update(of=Order)
    )
    period = open_period(clock.business_date(at))
    if not charging.settle(
        charge_id, at=at, period=period, provider_id=provider_id, received_fen=received_fen
    ):
        return False
    today = clock.business_date(at)
    in_hand = sa.and_(Order.channel == "till", Order.on == today, Order.service != "delivery")
    return bool(
        changed(
            db.session.execute(
                sa.update(Order)
                .where(Order.id == order_id, Order.state == "awaiting_payment")
                .values(
                    state=sa.case((in_hand, "served"), else_="placed"),
                    paid_at=at, paid_on=today,
                    served_at=sa.case((in_hand, sa.literal(at, UTCDateTime)), else_=None),
                    served_by=sa.case((in_hand, Order.placed_by), else_=None),
                )
                .execution_options(synchronize_session=False)
            )
        )
    )
