"""The receipt of an order: on the screen, on paper, and as bytes for a receipt printer."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.elders import identifying
from canteen.orders import finding, quoting
from canteen.orders.models import PAYMENTS, SERVICES, Order
from canteen.web.cashier import basket as baskets
from canteen.web.cashier import showing
from canteen.web.cashier.door import blueprint, here
from canteen.web.guards import actor

PAPER_COOKIE = "paper"
PAPERS = ("80", "58")


@blueprint.get("/orders/<int:order_id>/receipt")
def receipt(order_id: int) -> ResponseReturnValue:
    """The paper a diner takes along, and the change to give back."""
    found = finding.get_for(actor(), order_id)
    received = baskets.whole(request.args.get("received", ""))
    shown = _shown(found)
    due = shown["quote"]["payable_fen"]
    page = render_template(
        "cashier/receipt.html", **shown, paper=_paper(), received=received,
        change=showing.change(received, due) if found.paid_at else None,
    )
    response: Response = make_response(page)
    if request.args.get(PAPER_COOKIE) in PAPERS:  # only how the page looks, so a link may say it
        response.set_cookie(
            PAPER_COOKIE, request.args[PAPER_COOKIE], max_age=365 * 86400, samesite="Lax",
            secure=request.is_secure, httponly=True,
        )
    return response


def _paper() -> str:
    """The width of the paper in mm: as the address asks, as it was last, else 80."""
    paper = request.args.get(PAPER_COOKIE) or request.cookies.get(PAPER_COOKIE)
    return paper if paper in PAPERS else PAPERS[0]


def _shown(found: Order) -> dict[str, Any]:
    """What a receipt shows of an order."""
    quote = quoting.explain(found)
    diner = None
    if found.elder_id is not None:
        diner = identifying.to_serve(actor(), found.elder_id)
    return {
        "order": found, "canteen": here(), "lines": finding.lines_of([found.id])[found.id],
        "diner": diner, "quote": showing.strip(quote),
        "dots": showing.week_after(found, quote) if diner else None,
        "today": clock.business_date(), "meals": MEALS, "services": SERVICES,
        "payments": PAYMENTS,
    }
