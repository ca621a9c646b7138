"""Paying an order online: one page that says what is owed, by when, and whether it has arrived."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from canteen import config, delivering
from canteen.db import db
from canteen.demo import provider
from canteen.demo.provider import PretendProvider
from canteen.demo.provider_rules import ApiError
from canteen.errors import CanteenError
from canteen.orders import stranded
from canteen.orders.models import Order
from canteen.payments import charging
from canteen.payments.gateway import ProviderDown
from canteen.payments.models import Charge
from canteen.web.elder.door import blueprint
from canteen.web.elder.orders import facts, mine
from canteen.web.language import said, t


def pretender() -> PretendProvider | None:
    """The provider that only pretends, where the settings say so."""
    return provider.current() or provider.install(config.current())


@blueprint.get("/orders/<int:order_id>/payment")
def pay(order_id: int) -> ResponseReturnValue:
    """What is to be paid and by when; an order that is not waiting has its own page, and one
    that its canteen will not serve."""
    found = mine(order_id)
    if found.state != "awaiting_payment" or stranded.why([order_id]):
        return redirect(url_for("elder.order", order_id=order_id), 303)
    return render_template(
        "elder/pay.html", **facts(found), charge=charging.of_order(order_id),
        pretending=pretender() is not None,
    )


@blueprint.post("/orders/<int:order_id>/payment")
def pay_now(order_id: int) -> ResponseReturnValue:
    """Pay: the provider is asked once however often the button is pressed.

    Where it only pretends, the diner's own agreement is pretended too, and its notice is taken in
    here as if it had been posted.
    """
    found, charge = mine(order_id), charging.of_order(order_id)
    if found.state != "awaiting_payment" or charge is None or charge.state != "pending":
        return redirect(url_for("elder.order", order_id=order_id), 303)
    release()
    pretend = pretender()
    try:
        intent = delivering.begin_payment(charge)
        if pretend is not None:
            pretend.pay(intent.provider_id)
    except ProviderDown:
        flash(t("支付平台暂时没有回应，没有扣款，请过一会儿再试",
                "The payment provider does not answer; nothing was charged, try again soon"),
              "no")  # fmt: skip
    except ApiError:
        flash(t("这笔付款没有成功，请再试一次", "The payment did not go through; try again"), "no")
    except stranded.NotServing as refusal:
        flash(said(refusal.text), "no")
        return redirect(url_for("elder.order", order_id=order_id), 303)
    except CanteenError as refusal:
        flash(said(refusal.text), "no")
    return _after(order_id, charge)


@blueprint.post("/orders/<int:order_id>/payment/check")
def check_payment(order_id: int) -> ResponseReturnValue:
    """Ask the provider whether the payment has arrived, only because the reader asks."""
    found, charge = mine(order_id), charging.of_order(order_id)
    if found.state != "awaiting_payment" or charge is None:
        return redirect(url_for("elder.order", order_id=order_id), 303)
    release()
    return _after(order_id, charge)


def _after(order_id: int, charge: Charge) -> ResponseReturnValue:
    """Take in what the provider has to say, then show how the order stands."""
    pretend = pretender()
    if pretend is not None:
        delivering.take_notices(pretend)
    if _waits(order_id):
        try:
            delivering.ask_about(charge)
        except ProviderDown:
            pass  # no news: the page says that it still waits
        except CanteenError as refusal:
            flash(said(refusal.text), "no")
    if not _waits(order_id):
        flash(t("钱已收到", "Your payment has arrived"), "done")
        return redirect(url_for("elder.order", order_id=order_id), 303)
    flash(t("还没有收到付款", "The payment has not arrived yet"), "look")
    return redirect(url_for("elder.pay", order_id=order_id), 303)


def _waits(order_id: int) -> bool:
    return db.session.get_one(Order, order_id, populate_existing=True).state == "awaiting_payment"


def release() -> None:
    """Reading is over: hold nothing of the database while the provider is asked."""
    db.session.expunge_all()
    db.session.rollback()
