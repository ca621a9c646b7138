"""Giving back single dishes of a paid order, as long as the subsidy stays what it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import Conflict, Refused
from canteen.menus.serving import put_back
from canteen.orders.cancelling import AlreadyCancelled, check_counter, check_reason
from canteen.orders.finding import get_for
from canteen.orders.models import Order, OrderLine, OrderRefund, OrderRefundLine
from canteen.orders.quoting import explain
from canteen.orders.remaining import Rest, rest_of
from canteen.payments import charging
from canteen.subsidies.cases import Quote
from canteen.subsidies.granting import open_period
from canteen.territory.actors import COUNTER, Actor
from canteen.words import Text


class NothingPaid(Conflict):
    """The order was not paid, so no money can come back for a dish."""

    code = "nothing_paid"
    text = Text(
        "这份还没有付款，没有钱可退。不要了请取消订单，再重新点",
        "Nothing was paid yet. Cancel the order and order again",
    )


class NoSuchPortions(Refused):
    """More of a dish than the order still holds, or a dish that is not on it."""

    code = "no_such_portions"
    text = Text("退的份数多于这份订单里还有的", "The order does not hold that many portions")


class AllOfIt(Refused):
    """Every dish was named: that is a cancellation."""

    code = "all_of_it"
    text = Text(
        "全部都退，请用“取消并退款”", "To give back everything, cancel the whole order"
    )


class SubsidyChanges(Refused):
    """Without these dishes the elder or the enterprise would get another subsidy."""

    code = "subsidy_changes"
    text = Text(
        "退了这些，这一餐的补贴就变了（{why}）。请取消整单，再把留下的重新卖一次",
        "Without these dishes the subsidy changes ({why}). Cancel the whole order, then sell what "
        "stays once more",
    )


def refund(
    order_id: int, lines: Mapping[int, int], reason_code: str, reason: str, by: Actor,
    at: datetime, own_shift: bool | None = None,
) -> OrderRefund:
    """Give back some dishes {menu item: how many} of a paid order, in the door's transaction.

    What stays is priced again by the same policy and facts: the canteen's discount follows the
    list price, the subsidy must stay as it is (SubsidyChanges says why it would not). The money
    goes back online as far as it came online, the rest in cash; the portions go back to the menu.
    Refuses also NothingPaid, NoSuchPortions, AllOfIt, AlreadyCancelled, and whom `cancel` refuses.
    """
    by.must_be(*COUNTER)
    check_reason(reason_code)
    held = sa.select(Order.id).where(Order.id == order_id).with_for_update()
    db.session.execute(held)  # two refunds at one instant: the second sees what the first left
    order = get_for(by, order_id)
    if order.state == "cancelled":
        raise AlreadyCancelled()
    check_counter(order, by, at, own_shift)
    if order.paid_at is None:
        raise NothingPaid()
    rest = rest_of(order)
    list_fen, discount_fen = _worth(order, lines, rest)
    payable_fen = list_fen - discount_fen
    online_fen = min(payable_fen, rest.online_fen)
    made = OrderRefund(
        order_id=order_id, at=at, on=clock.business_date(at), refunded_by=by.label,
        reason_code=reason_code, reason=reason[:200], list_fen=list_fen,
        discount_fen=discount_fen, payable_fen=payable_fen, cash_fen=payable_fen - online_fen,
    )
    db.session.add(made)
    db.session.flush()
    db.session.execute(
        sa.insert(OrderRefundLine.__table__),
        [
            {"refund_id": made.id, "menu_item_id": item, "quantity": quantity}
            for item, quantity in sorted(lines.items())
        ],
    )
    put_back(lines)
    charge = charging.of_order(order_id) if online_fen else None
    if charge is not None:
        period = open_period(clock.business_date(at))
        charging.refund_charge(charge.id, online_fen, at=at, period=period)
    detail = {"reason_code": reason_code, "reason": made.reason, "amount_fen": payable_fen,
              "portions": sum(lines.values())}  # fmt: skip
    record(by.label, "refund_dishes", "order", order_id, detail)
    return made


def _worth(order: Order, lines: Mapping[int, int], rest: Rest) -> tuple[int, int]:
    """The list price and the canteen's discount in fen of what is given back."""
    if not lines or any(
        not 1 <= quantity <= rest.lines.get(item, 0) for item, quantity in lines.items()
    ):
        raise NoSuchPortions(field="lines")
    units = db.session.execute(
        sa.select(OrderLine.menu_item_id, OrderLine.unit_fen).where(OrderLine.order_id == order.id)
    )
    unit_fen = {row.menu_item_id: row.unit_fen for row in units}
    list_fen = sum(unit_fen[item] * quantity for item, quantity in lines.items())
    if list_fen >= rest.list_fen:
        raise AllOfIt(field="lines")
    before, after = explain(order), explain(order, rest.list_fen - list_fen)
    # What was given in excess stays where it is: the diner keeps it, the canteen bears it.
    discount_fen = rest.discount_fen - (after.discount_fen + order.excess_fen)
    if _given(before) != _given(after) or not 0 <= discount_fen <= list_fen:
        refusals = [*after.refusals(), *before.refusals()]
        why = refusals[0].text if refusals else Text("按价格计算", "it depends on the price")
        raise SubsidyChanges(field="lines", why=_clause(why))
    return list_fen, discount_fen


def _clause(sentence: Text) -> Text:
    """A sentence without its full stop, to stand within another."""
    return Text(sentence.zh.rstrip("。"), sentence.en.rstrip("."))


def _given(quote: Quote) -> tuple[object, ...]:
    """Everything others pay for a meal."""
    return (
        quote.subsidy_fen, quote.account_fen, quote.enterprise_fen, quote.delivery_fen,
        quote.uses_quota, quote.funders(),
    )
