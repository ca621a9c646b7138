"""One's orders: the number to collect with, taking one back, the history, and stars for a meal."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding as canteens
from canteen.canteens.models import MEALS
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders import cancelling, finding, quoting, stranded
from canteen.orders.expiring import PAY_WITHIN
from canteen.orders.models import PAYMENTS, SERVICES, STATES, Cancellation, Order
from canteen.performance import rating
from canteen.web.elder import showing
from canteen.web.elder.door import blueprint, the_elder
from canteen.web.errors import status_of
from canteen.web.forms import Fields, whole
from canteen.web.guards import actor
from canteen.web.language import t

A_PAGE = 10
REASONS = ("changed_mind", "mistake")
STARS = {5: ("很满意", "Very good"), 4: ("满意", "Good"), 3: ("一般", "All right"),
         2: ("不太好", "Not so good"), 1: ("不好", "Bad")}  # fmt: skip


def mine(order_id: int) -> Order:
    """One order of the reader's elders, as it stands now."""
    found = finding.get_for(actor(), order_id)
    g.elder_id = found.elder_id
    return found


@blueprint.get("/elders/<int:elder_id>/orders")
def list_orders(elder_id: int) -> ResponseReturnValue:
    """Every order, the newest first, each with its price in one line."""
    elder = the_elder(elder_id)
    before = whole(request.args.get("before", ""))
    found = finding.recent(actor(), A_PAGE, before, elder_id=elder_id)
    return render_template(
        "elder/orders.html", elder=elder, shown=showing.listed(found), first=before is None,
        more=found[-1].id if len(found) == A_PAGE else None,
    )


@blueprint.get("/orders/<int:order_id>")
def order(order_id: int) -> ResponseReturnValue:
    """One order: the number, where and when, what it cost and why, and the way back."""
    found = mine(order_id)
    return render_template("elder/order.html", **facts(found))


def facts(found: Order) -> dict[str, Any]:
    """What the pages about one order show."""
    now, quote = clock.now(), quoting.explain(found)
    unserved = stranded.why([found.id]).get(found.id)
    until = cancelling.take_back_until(found)
    periods = canteens.hours_of(found.canteen_id)
    return {
        "order": found,
        "canteen": showing.places([found.canteen_id])[found.canteen_id],
        "elder": db.session.get_one(Elder, found.elder_id),
        "lines": finding.lines_of([found.id])[found.id],
        "hours": next((one for one in periods if one.meal == found.meal), None),
        # A till without network may have shown the diner another sum than the rules give.
        "quote": showing.strip(quote)
        | {"discount_fen": found.discount_fen, "payable_fen": found.payable_fen},
        "week": showing.week_after(found, quote),
        "states": STATES, "services": SERVICES, "payments": PAYMENTS, "meals": MEALS,
        "today": clock.business_date(now),
        "take_back_until": until if found.state in ("placed", "awaiting_payment") else None,
        "may_take_back": found.state in ("placed", "awaiting_payment") and (
            now <= until or unserved is not None
        ),
        "pay_by": found.placed_at + PAY_WITHIN,
        "stranded": unserved,
        "cancellation": db.session.get(Cancellation, found.id),
        "cancel_words": cancelling.REASONS,
        "rating": rating.rating_of(found.id), "stars": STARS,
    }


@blueprint.get("/orders/<int:order_id>/cancellation")
def think_again(order_id: int) -> ResponseReturnValue:
    """Ask once, naming the order and what happens to the money."""
    found = mine(order_id)
    if found.state not in ("placed", "awaiting_payment"):
        return redirect(url_for("elder.order", order_id=order_id), 303)
    return render_template("elder/cancel.html", **facts(found))


@blueprint.post("/orders/<int:order_id>/cancellation")
def cancel(order_id: int) -> ResponseReturnValue:
    """Take the order back: portions, this week's meal and the money return at once."""
    code = request.form.get("code", "changed_mind")
    try:
        with transaction():
            kind = finding.get_for(actor(), order_id).payment
            back = cancelling.cancel(
                order_id, code if code in REASONS else "changed_mind", "", actor(), clock.now()
            )
    except CanteenError as refusal:
        page = render_template("elder/order.html", **facts(mine(order_id)), refusal=refusal)
        return page, status_of(refusal)[0]
    if back.refund_fen and kind == "online":
        flash(t("已退订，{sum} 元按原路退回", "Taken back; {sum} yuan goes back the way it came",
                sum=yuan(back.refund_fen)), "done")  # fmt: skip
    else:
        flash(t("已退订，不用付钱", "Taken back; there is nothing to pay"), "done")
    return redirect(url_for("elder.order", order_id=order_id), 303)


@blueprint.get("/orders/<int:order_id>/rating")
def rate(order_id: int) -> ResponseReturnValue:
    """How was it: five answers in words, and a sentence for who likes."""
    found = mine(order_id)
    if found.state != "served" or rating.rating_of(order_id):
        return redirect(url_for("elder.order", order_id=order_id), 303)
    return render_template("elder/rate.html", **facts(found), given={}, refusal=None)


@blueprint.post("/orders/<int:order_id>/rating")
def send_rating(order_id: int) -> ResponseReturnValue:
    """Keep the stars and the sentence; a no gives both back."""
    found, given = mine(order_id), request.form
    try:
        fields = Fields(given)
        stars = int(fields.choice("stars", [str(one) for one in STARS]) or 0)
        comment = fields.text("comment", most=rating.MOST_COMMENT, required=False)
        with transaction():
            rating.rate(order_id, stars, comment, by=actor(), on=clock.business_date())
    except CanteenError as refusal:
        page = render_template(
            "elder/rate.html", **facts(found), given=given, refusal=refusal
        )
        return page, status_of(refusal)[0]
    flash(t("谢谢您的评价", "Thank you for telling us"), "done")
    return redirect(url_for("elder.order", order_id=order_id), 303)
