"""Taking back at the counter: a whole order or single dishes, in two taps and with a reason."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders import cancelling, finding, refunding, remaining
from canteen.web import counter
from canteen.web.cashier.door import blueprint
from canteen.web.cashier.orders import order_page
from canteen.web.forms import whole
from canteen.web.guards import actor
from canteen.web.language import t

DISH = "item-"


@blueprint.post("/orders/<int:order_id>/cancellation")
def cancel(order_id: int) -> ResponseReturnValue:
    """Take an order back with a reason: portions, quota and money return at once."""
    by, at = actor(), clock.now()
    code, reason = request.form.get("code", ""), request.form.get("reason", "").strip()
    try:
        with transaction():
            order = finding.get_for(by, order_id)
            was_paid = order.paid_at is not None
            mine = counter.own_shift(order_id, by)
            taken_back = cancelling.cancel(order_id, code, reason, by, at, own_shift=mine)
            cash_fen = remaining.cash_held(order)
            counter.given_back(order_id, cash_fen, by, at)
    except CanteenError as refusal:
        return order_page(order_id, refusal=refusal, reason=reason)
    _tell(t("已取消", "Cancelled"), cash_fen, taken_back.refund_fen - cash_fen if was_paid else 0)
    return redirect(url_for("cashier.order", order_id=order_id), 303)


@blueprint.post("/orders/<int:order_id>/refunds")
def refund(order_id: int) -> ResponseReturnValue:
    """Take back single dishes with a reason; the rest of the order stays as it is."""
    by, at = actor(), clock.now()
    code, reason = request.form.get("code", ""), request.form.get("reason", "").strip()
    lines = {
        item: quantity
        for name, value in request.form.items()
        if name.startswith(DISH)
        and (item := whole(name.removeprefix(DISH)))
        and (quantity := whole(value))
    }
    try:
        with transaction():
            mine = counter.own_shift(order_id, by)
            made = refunding.refund(order_id, lines, code, reason, by, at, own_shift=mine)
            counter.given_back(order_id, made.cash_fen, by, at)
    except CanteenError as refusal:
        return order_page(order_id, refusal=refusal, reason=reason)
    _tell(t("已退菜", "Taken back"), made.cash_fen, made.payable_fen - made.cash_fen)
    return redirect(url_for("cashier.order", order_id=order_id), 303)


def _tell(done: str, cash_fen: int, online_fen: int) -> None:
    """Say what money goes back, and by which way; cash is what the cashier must act on."""
    cash, online = yuan(cash_fen), yuan(online_fen)
    if cash_fen and online_fen:
        words = t("{done}，请退现金 {cash} 元，另外 {online} 元按原路退回",
                  "{done}: give back {cash} yuan in cash; {online} yuan goes back the way it came",
                  done=done, cash=cash, online=online)  # fmt: skip
    elif cash_fen:
        words = t("{done}，请退现金 {cash} 元", "{done}: give back {cash} yuan in cash",
                  done=done, cash=cash)  # fmt: skip
    elif online_fen:
        words = t("{done}，{online} 元按原路退回",
                  "{done}: {online} yuan goes back the way it came", done=done,
                  online=online)  # fmt: skip
    else:
        words = t("{done}，没有要退的钱", "{done}; there is no money to give back", done=done)
    flash(words, "look" if cash_fen else "done")
