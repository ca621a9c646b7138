"""Claiming the subsidy of a meal that was paid in full: choose the meal, or copy the receipt."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.adjustments import claiming, claims
from canteen.canteens.models import MEALS
from canteen.db import transaction
from canteen.errors import CanteenError, NotFound
from canteen.settlements import spans
from canteen.territory.models import chain_of
from canteen.web.elder.door import blueprint, the_elder
from canteen.web.errors import rendered
from canteen.web.forms import BadField, Fields
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.receipt_numbers import order_of
from canteen.words import Text


def claims_page(elder_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The meals that can be claimed, and what became of earlier claims."""
    elder = the_elder(elder_id)
    return rendered(
        "elder/claims.html", elder=elder, meals=claims.claimable(elder_id, clock.now()),
        rows=claims.list_for(actor(), elder_id=elder_id), states=claiming.STATES,
        names=MEALS, refusal=refusal, given=request.form,
        within=spans.allowed(chain_of(elder.street_code)["district"], clock.business_date()).claim,
    )


@blueprint.get("/elders/<int:elder_id>/claims", endpoint="claims")
def list_claims(elder_id: int) -> ResponseReturnValue:
    """Claims of this elder."""
    return claims_page(elder_id)


@blueprint.post("/elders/<int:elder_id>/claims", endpoint="file_claim")
def file_claim(elder_id: int) -> ResponseReturnValue:
    """Claim one meal: one of the elder's own, or one on a receipt."""
    fields = Fields(request.form)
    try:
        order_id, proven = order_of(fields.text("receipt", most=200))
        with transaction():
            claiming.file(
                order_id, elder_id, "card_unread", fields.text("reason", required=False),
                actor(), clock.now(), proven=proven,
            )  # fmt: skip
    except NotFound as gone:
        missing = Text("没有找到这份订单，请照小票再填一次",
                       "This order was not found; copy it from the receipt again")  # fmt: skip
        said = gone.text if gone.code == "no_such_receipt" else missing
        return claims_page(elder_id, BadField(said, field="receipt"))
    except CanteenError as refusal:
        return claims_page(elder_id, refusal)
    flash(t("好了，街道核实后会告诉您", "Done. The street checks it and will tell you"), "done")
    return redirect(url_for("elder.claims", elder_id=elder_id), 303)
