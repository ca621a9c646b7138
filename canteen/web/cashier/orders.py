"""Today's orders at the counter: listed, explained, handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.db import db, transaction
from canteen.elders import identifying
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders import cancelling, finding, quoting, remaining, serving
from canteen.orders.models import PAYMENTS, SERVICES, STATES, Cancellation, Order, OrderRefund
from canteen.web import counter
from canteen.web.cashier import showing
from canteen.web.cashier.door import blueprint, here, to_collect
from canteen.web.errors import rendered
from canteen.web.forms import whole
from canteen.web.guards import actor
from canteen.web.language import said, t

REASONS = ("mistake", "changed_mind", "sold_out", "quality", "not_collected", "not_received")
DISH_REASONS = REASONS[:4]  # a single dish was neither fetched nor delivered alone
A_PAGE = 60
UNSIGNED = timedelta(days=31)  # so long a delivery nobody signed for stays in the list


@blueprint.get("/orders")
def list_orders() -> ResponseReturnValue:
    """Today's orders: those to hand over or waiting for their payment, with the deliveries of
    earlier days nobody signed for; or all."""
    canteen, today = here(), clock.business_date()
    show = request.args.get("show", "collect")
    before = whole(request.args.get("before", ""))
    wanted = sa.select(Order).where(finding.visible(actor()))
    if show == "collect":
        # What left the house on an earlier day and nobody signed for is still somebody's to do.
        unsigned = Order.on.between(today - UNSIGNED, today) & Order.sent_at.is_not(None)
        wanted = wanted.where((Order.on == today) | unsigned)
        # The earliest meal first, and within it whoever ordered first.
        meals = sa.case({"breakfast": 0, "lunch": 1}, value=Order.meal, else_=2)
        wanted = wanted.where(Order.state.in_(("placed", "awaiting_payment")))
        wanted = wanted.order_by(Order.on, meals, Order.id)
    else:
        wanted = wanted.where(Order.on == today).order_by(Order.id.desc())
        if before is not None:
            wanted = wanted.where(Order.id < before)
    found = list(db.session.scalars(wanted.limit(A_PAGE if show == "all" else 200)))
    return render_template(
        "cashier/orders.html", canteen=canteen, today=today, show=show, rows=_rows(found),
        waiting=to_collect(canteen.id), more=found[-1].id if len(found) == A_PAGE else None,
        meals=MEALS, services=SERVICES, payments=PAYMENTS,
    )


def _rows(found: Sequence[Order]) -> list[dict[str, Any]]:
    lines = finding.lines_of([one.id for one in found])
    people = showing.names({one.elder_id for one in found})
    some_back = set(
        db.session.scalars(
            sa.select(OrderRefund.order_id).where(OrderRefund.order_id.in_(list(lines)))
        )
    )
    return [
        {
            "order": one, "lines": lines[one.id], "diner": people.get(one.elder_id or 0),
            "given_back": one.id in some_back,
        }
        for one in found
    ]


@blueprint.get("/orders/<int:order_id>")
def order(order_id: int) -> ResponseReturnValue:
    """One order with every step of its price."""
    return order_page(order_id)


@blueprint.post("/orders/<int:order_id>/serving")
def serve(order_id: int) -> ResponseReturnValue:
    """Hand an order over; cash still owed is taken in the same act."""
    try:
        with transaction():
            before = finding.get_for(actor(), order_id).paid_at
            at = clock.now()
            served = serving.serve(order_id, actor(), at)
            if before is None:
                counter.collected(order_id, served.cash_fen, actor(), at)
    except CanteenError as refusal:
        flash(said(refusal.text), "no")
        return redirect(url_for("cashier.order", order_id=order_id), 303)
    if before is None:
        done = t("已出餐，收现金 {sum} 元", "Handed over, {sum} yuan taken in cash",
                 sum=yuan(served.payable_fen))  # fmt: skip
    else:
        done = t("已出餐，此前已付款", "Handed over; it was paid before")
    flash(t("第 {n} 号{done}", "Order {n}: {done}", n=order_id, done=done), "done")
    return redirect(url_for("cashier.receipt", order_id=order_id), 303)


def order_page(
    order_id: int, *, refusal: CanteenError | None = None, reason: str = ""
) -> ResponseReturnValue:
    """The page of one order, with what was just refused and the words that were typed."""
    found = finding.get_for(actor(), order_id)
    refunds = db.session.scalars(
        sa.select(OrderRefund).where(OrderRefund.order_id == order_id).order_by(OrderRefund.id)
    )
    return rendered(
        "cashier/order.html", **_shown(found), refusal=refusal, reason=reason,
        reasons=[(one, cancelling.REASONS[one]) for one in REASONS],
        dish_reasons=[(one, cancelling.REASONS[one]) for one in DISH_REASONS],
        cancellation=db.session.get(Cancellation, order_id), refunds=list(refunds),
        rest=remaining.rest_of(found), cash_held=remaining.cash_held(found),
        cancel_words=cancelling.REASONS, states=STATES,
    )


def _shown(found: Order) -> dict[str, Any]:
    """What the pages of one order show."""
    quote = quoting.explain(found)
    diner = None
    if found.elder_id is not None:
        diner = identifying.to_serve(actor(), found.elder_id)
    return {
        "order": found, "canteen": here(), "lines": finding.lines_of([found.id])[found.id],
        "diner": diner, "steps": quote.steps,
        # What the diner was shown without network may differ from what the rules give.
        "quote": showing.strip(quote)
        | {"discount_fen": found.discount_fen, "payable_fen": found.payable_fen},
        "dots": showing.week_after(found, quote) if diner else None,
        "today": clock.business_date(), "meals": MEALS, "services": SERVICES,
        "payments": PAYMENTS,
    }
