"""A receipt as anybody may check it: the meal and its price, nothing of the person."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Response, render_template
from flask.typing import ResponseReturnValue

from canteen.canteens.models import MEALS, Canteen
from canteen.db import db
from canteen.orders import finding, quoting
from canteen.orders.models import SERVICES, Cancellation, Order, OrderRefund
from canteen.tills.checking import NoSuchReceipt, check
from canteen.web.cashier.showing import strip_of
from canteen.web.public.door import blueprint


@blueprint.get("/r/<int:till>/<int:number>/<code>")
def receipt(till: int, number: int, code: str) -> ResponseReturnValue:
    """Whether a receipt is genuine, and what was sold on it."""
    try:
        checked = check(till, number, code)
    except NoSuchReceipt as refusal:
        return _page("public/receipt.html", refusal=refusal.text), 404
    order = checked.order
    canteen = db.session.get_one(Canteen, checked.receipt.till.canteen_id)
    return _page(
        "public/receipt.html", receipt=checked.receipt, entry=checked.entry, order=order,
        canteen=canteen, meals=MEALS, services=SERVICES, **(_sold(order) if order else {}),
    )


def _sold(order: Order) -> dict[str, object]:
    """What was sold, and what has been taken back of it since."""
    refunds = db.session.scalars(
        sa.select(OrderRefund).where(OrderRefund.order_id == order.id).order_by(OrderRefund.id)
    )
    return {
        "lines": finding.lines_of([order.id])[order.id],
        # The reason names the diner's age and why they are entitled: nobody else's business.
        "quote": strip_of(order, quoting.explain(order)) | {"why": None},
        "cancellation": db.session.get(Cancellation, order.id), "refunds": list(refunds),
    }


def _page(template: str, **context: object) -> Response:
    """A page nobody keeps and no search engine lists: it answers for this instant only."""
    response = Response(render_template(template, **context), mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
