"""Waiting for a diner's online payment: its code to scan, and what became of it."""

from __future__ import annotations

import io

import segno
from flask import flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from canteen import delivering
from canteen.db import db
from canteen.demo import provider as pretend
from canteen.demo.provider_rules import ApiError
from canteen.errors import CanteenError, Conflict
from canteen.orders import finding
from canteen.payments import charging, gateway
from canteen.payments.gateway import ProviderDown
from canteen.web.cashier.door import blueprint, here
from canteen.web.errors import wants_json
from canteen.web.guards import actor
from canteen.web.language import said, t
from canteen.words import Text

DOWN = Text(
    "支付平台暂时没有回应，没有扣款。可以再试一次，或改收现金",
    "The payment provider does not answer; nothing was charged. Try again, or take cash",
)


class NothingToPay(Conflict):
    """The order is not waiting for an online payment."""

    code = "nothing_to_pay"
    text = Text("这份订单不需要线上支付", "This order has no online payment")


@blueprint.get("/orders/<int:order_id>/payment")
def payment(order_id: int) -> ResponseReturnValue:
    """The code a diner scans; once it is paid, the way on to handing the meal over."""
    order = finding.get_for(actor(), order_id)
    charge = charging.of_order(order_id)
    if charge is None:
        raise NothingToPay()
    number, state, provider_id = order.id, charge.state, charge.provider_id
    code, down = None, None
    if state == "pending" and provider_id:
        db.session.rollback()  # hold nothing while the provider is asked
        try:
            code = _code(gateway.get_charge(provider_id).client_secret)
        except (ProviderDown, gateway.ProviderRefused):
            down = DOWN
    order = finding.get_for(actor(), number)
    return render_template(
        "cashier/payment.html", order=order, canteen=here(), state=state, code=code,
        down=down or (DOWN if state == "pending" and not provider_id else None),
        can_pretend=pretend.current() is not None and state == "pending" and bool(provider_id),
    )


@blueprint.get("/orders/<int:order_id>/payment/code")
def payment_code(order_id: int) -> ResponseReturnValue:
    """The code alone, for the till that shows it: {"svg"}, null as long as there is none.

    Raises ProviderDown (503) when the provider does not answer; asking again costs nothing.
    """
    finding.get_for(actor(), order_id)
    charge = charging.of_order(order_id)
    if charge is None:
        raise NothingToPay()
    state, provider_id, online_fen = charge.state, charge.provider_id, charge.amount_fen
    svg = None
    if state == "pending" and provider_id:
        db.session.rollback()  # hold nothing while the provider is asked
        svg = _code(gateway.get_charge(provider_id).client_secret)
    return jsonify({"svg": svg, "state": state, "online_fen": online_fen})


@blueprint.get("/orders/<int:order_id>/payment/state")
def payment_state(order_id: int) -> ResponseReturnValue:
    """Whether the payment has arrived, for the page that waits."""
    order = finding.get_for(actor(), order_id)
    return jsonify({"order_id": order.id, "state": order.state, "paid": order.paid_at is not None})


@blueprint.post("/orders/<int:order_id>/payment")
def check_payment(order_id: int) -> ResponseReturnValue:
    """Ask the provider now: its notice may be late or lost, or the payment never begun."""
    finding.get_for(actor(), order_id)
    charge = charging.of_order(order_id)
    if charge is None:
        raise NothingToPay()
    if charge.state == "pending":
        try:
            if charge.provider_id is None:
                delivering.begin_payment(charge)
            else:
                delivering.ask_about(charge)
        except ProviderDown:
            db.session.rollback()
            if wants_json():
                raise
            flash(said(DOWN), "look")
        except CanteenError as refusal:
            if wants_json():
                raise
            flash(said(refusal.text), "no")
    if wants_json():
        return payment_state(order_id)
    return redirect(url_for("cashier.payment", order_id=order_id), 303)


@blueprint.post("/orders/<int:order_id>/payment/pretended")
def pretend_payment(order_id: int) -> ResponseReturnValue:
    """In the demo, where no money moves: the diner agrees on their phone."""
    finding.get_for(actor(), order_id)
    charge, provider = charging.of_order(order_id), pretend.current()
    if charge is None or provider is None or charge.provider_id is None:
        raise NothingToPay()
    try:
        provider.pay(charge.provider_id)
    except ApiError:
        flash(t("这笔支付没有成功，可以再试", "The payment did not go through; try again"), "look")
    db.session.rollback()
    return check_payment(order_id)


def _code(secret: str) -> Markup:
    """What the provider gave for the diner's phone, as a code to scan; drawn here, kept nowhere."""
    out = io.BytesIO()
    segno.make(secret, error="m", micro=False).save(
        out, kind="svg", omitsize=True, border=2, xmldecl=False, svgns=True, svgclass="qr",
        lineclass=None,
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - our own drawing, no text of anybody's
