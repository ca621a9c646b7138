"""Taking an order back: portions, quota and money return at once, or nothing changes."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens.models import MealPeriod
from canteen.db import changed, db
from canteen.errors import Conflict, Forbidden, Refused
from canteen.menus.serving import put_back
from canteen.orders.finding import get_for
from canteen.orders.models import Cancellation, Order
from canteen.orders.quoting import explain
from canteen.orders.remaining import rest_of
from canteen.orders.stranded import why
from canteen.payments import charging
from canteen.subsidies.granting import open_period, take_back
from canteen.territory.actors import COUNTER, HOME, Actor
from canteen.words import Text

REASONS = {
    "changed_mind": Text("不想要了", "Changed my mind"),
    "mistake": Text("点错或收错", "Entered by mistake"),
    "sold_out": Text("菜品售完", "Dish not available"),
    "quality": Text("餐品问题", "Problem with the meal"),
    "not_collected": Text("未取餐", "Not collected"),
    "not_received": Text("送餐无人签收", "Delivery not received"),
    "unpaid": Text("未按时支付", "Not paid in time"),
    "not_serving": Text("食堂停止供餐", "The canteen does not serve"),
}
# 工信厅信管函〔2021〕67号: a payment can be taken back for ten minutes
TAKE_BACK = timedelta(minutes=10)


class AlreadyCancelled(Conflict):
    """The order was taken back before."""

    code = "already_cancelled"
    text = Text("这份订单已经取消过了", "This order was cancelled already")


class JustChanged(Conflict):
    """The order was served or paid in the same instant."""

    code = "order_changed"
    text = Text("订单刚刚有了变化，请看后再定", "The order has just changed; look at it again")


class TooLate(Refused):
    """The diner can no longer take the order back alone."""

    code = "too_late_to_cancel"
    text = Text(
        "已过可自行取消的时间，请与食堂联系",
        "It is too late to cancel this yourself; please speak to the canteen",
    )


def cancel(
    order_id: int, reason_code: str, reason: str, by: Actor, at: datetime,
    own_shift: bool | None = None,
) -> Cancellation:
    """Take an order back, whole, inside the door's transaction.

    The diner may do so within ten minutes of ordering or paying, or until ordering for the meal
    closes, as long as it was not served (TooLate), or as long as its canteen will not serve it; a
    cashier what waits for today, and what they
    sold themselves in the shift that is still open (`own_shift`, which the door knows; None: the
    caller has looked at the shift); a manager at any time — what comes after the month was closed
    falls into the next. What single dishes were given back before stays given back: this returns
    the rest, online as far as it came online, else in cash (remaining.cash_held says how much).
    Refuses AlreadyCancelled, Forbidden.
    """
    check_reason(reason_code)
    order = get_for(by, order_id)
    _check_rights(order, by, at, own_shift)
    took = changed(
        db.session.execute(
            sa.update(Order)
            .where(Order.id == order_id, Order.state == order.state, Order.state != "cancelled")
            .values(state="cancelled")
            .execution_options(synchronize_session=False)
        )
    )
    if not took:
        now = db.session.scalar(sa.select(Order.state).where(Order.id == order_id))
        raise AlreadyCancelled() if now == "cancelled" else JustChanged()
    rest = rest_of(order)
    put_back({item: quantity for item, quantity in rest.lines.items() if quantity})
    # A meal given beyond the caps used no quota, so its cancellation gives none back.
    beyond = (order.inputs or {}).get("beyond_caps")
    take_back(order_id, at, counted=not beyond or explain(order).uses_quota)
    refund_fen = rest.payable_fen if order.paid_at else 0
    _return_money(order, rest.online_fen, at)
    cancellation = Cancellation(
        order_id=order_id, at=at, on=clock.business_date(at), cancelled_by=by.label,
        reason_code=reason_code, reason=reason[:200], refund_fen=refund_fen,
    )
    db.session.add(cancellation)
    db.session.flush()
    db.session.refresh(order)
    if by.role in COUNTER:  # what a diner or the timetable takes back is a Cancellation only
        detail = {"reason_code": reason_code, "reason": cancellation.reason,
                  "amount_fen": refund_fen}  # fmt: skip
        record(by.label, "cancel_order", "order", order_id, detail)
    return cancellation


def _return_money(order: Order, online_fen: int, at: datetime) -> None:
    """Online money goes back through the provider; cash is handed over the counter."""
    if order.payment != "online":
        return
    charge = charging.of_order(order.id)
    if charge is None:
        return
    if order.paid_at is None:
        charging.cancel(charge.id, at=at)
    elif online_fen:
        period = open_period(clock.business_date(at))
        charging.refund_charge(charge.id, online_fen, at=at, period=period)


def check_reason(reason_code: str) -> None:
    """Refuse a reason that is not one of REASONS."""
    if reason_code not in REASONS:
        raise Refused(
            Text("请选择原因", "Choose a reason"), code="bad_reason", field="reason_code"
        )


def check_counter(order: Order, by: Actor, at: datetime, own_shift: bool | None) -> None:
    """Refuse (Forbidden) a cashier what only the manager may take back; see `cancel`."""
    if by.role != "cashier":
        return
    today = order.on == clock.business_date(at)
    if order.state == "served" and not today:
        raise Forbidden(
            Text("隔天的退款请由经理办理", "Only the manager may refund a meal of another day")
        )
    if own_shift is None or (today and order.state != "served"):
        return
    if not today:
        raise Forbidden(
            Text("不是今天的订单，请经理来办", "Only the manager takes back another day's order")
        )
    if not own_shift:
        raise Forbidden(
            Text(
                "这份已经出餐，不是您在这一班卖的，请经理来退",
                "It was handed over and not sold by you in this shift; ask the manager",
            )
        )


def _check_rights(order: Order, by: Actor, at: datetime, own_shift: bool | None) -> None:
    by.must_be(*COUNTER, *HOME)
    if order.state == "cancelled":
        raise AlreadyCancelled()
    check_counter(order, by, at, own_shift)
    late = order.state == "served" or at > take_back_until(order)
    if by.role in HOME and late and not why([order.id]):
        raise TooLate()


def take_back_until(order: Order) -> datetime:
    """The last instant at which the diner may take an order back alone, while it is not served.

    Ten minutes after ordering, or after paying, or when ordering for the meal closes: the latest.
    """
    ends = [order.placed_at + TAKE_BACK]
    if order.paid_at is not None:
        ends.append(order.paid_at + TAKE_BACK)
    closes = db.session.scalar(
        sa.select(MealPeriod.order_until).where(
            MealPeriod.canteen_id == order.canteen_id, MealPeriod.meal == order.meal
        )
    )
    if closes is not None:
        ends.append(clock.instant(order.on, closes))
    return max(ends)
