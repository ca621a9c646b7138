"""Claims of meals paid in full: filed for an elder, checked, decided by another person."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.adjustments import claiming, claims
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders import cards, seeing
from canteen.elders.models import Elder
from canteen.errors import CanteenError, NotFound
from canteen.orders import finding as orders
from canteen.web import looks
from canteen.web.bureau import trail
from canteen.web.bureau.door import PAGE, asked, asked_page, blueprint, canteen_names
from canteen.web.errors import rendered, status_of
from canteen.web.forms import BadField, Fields
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.receipt_numbers import order_of
from canteen.words import Text


def claims_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The claims of this ground, those that wait first, and the form to file one."""
    by, state, page = actor(), asked("state", claiming.STATES), asked_page()
    rows = claims.list_for(by, state=state, limit=PAGE + 1, skip=(page - 1) * PAGE)
    return rendered(
        "bureau/claims.html", rows=rows[:PAGE], state=state, states=claiming.STATES,
        kinds=claiming.KINDS, page=page, last=page + (len(rows) > PAGE), refusal=refusal,
        given=request.form if refusal else request.args,
        counts={code: claims.count(by, code) for code in claiming.STATES},
        names=canteen_names(row.order.canteen_id for row in rows),
    )


def claim_page(claim_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """One claim: the meal, what it would get, and the decision."""
    by = actor()
    row = claims.get_for(by, claim_id)
    if row is None:
        raise NotFound()
    looks.note("elder", row.claim.elder_id)
    quote, why = None, None
    if row.claim.state == "asked":
        try:
            quote = claiming.price(row.claim)[1]
            why = None if quote.account_fen else claiming.why_not(quote)
        except CanteenError as nothing:
            why = nothing.text
    return rendered(
        "bureau/claim.html", row=row, quote=quote, why=why, kinds=claiming.KINDS,
        states=claiming.STATES, canteen=db.session.get_one(Canteen, row.order.canteen_id),
        lines=orders.lines_of([row.order.id])[row.order.id], refusal=refusal, given=request.form,
        own=row.claim.asked_by == by.label, trail=trail.of("claim", claim_id),
    )


@blueprint.get("/claims", endpoint="claims")
def list_claims() -> ResponseReturnValue:
    """The claims of this ground."""
    return claims_page()


@blueprint.post("/claims")
def file_claim() -> ResponseReturnValue:
    """File a claim for an elder: by the card's number and the receipt's or the order's."""
    fields = Fields(request.form)
    try:
        elder_id = _holder(fields.text("card", most=20))
        order_id, _ = order_of(fields.text("receipt", most=60))
        kind = str(fields.choice("kind", claiming.KINDS))
        reason = fields.text("reason", most=400)
        with transaction():
            made = claiming.file(order_id, elder_id, kind, reason, actor(), clock.now())
            claim_id = made.id
    except NotFound:
        return claims_page(BadField(
            Text("没有找到这份订单", "This order was not found"), field="receipt"
        ))  # fmt: skip
    except CanteenError as refusal:
        return claims_page(refusal)
    flash(t("已提交，请另一位同事审核", "Filed; a colleague must decide it"), "done")
    return redirect(url_for("bureau.claim", claim_id=claim_id), 303)


def _holder(card: str) -> int:
    """Whose card it is. Refuses BadField, for a card of somebody off this ground as for none."""
    elder_id = cards.holder(card)
    seen = elder_id and db.session.scalar(
        sa.select(Elder.id).where(Elder.id == elder_id, seeing.visible(actor()))
    )
    if not seen:
        raise BadField(Text("没有这张卡", "There is no such card"), field="card")
    return int(seen)


@blueprint.get("/claims/<int:claim_id>")
def claim(claim_id: int) -> ResponseReturnValue:
    """One claim."""
    return claim_page(claim_id)


@blueprint.post("/claims/<int:claim_id>/decision")
def decide_claim(claim_id: int) -> ResponseReturnValue:
    """Approve or refuse a claim, with a reason."""
    fields = Fields(request.form)
    try:
        verdict = fields.choice("verdict", ("approve", "refuse"))
        reason = fields.text("reason", most=400, required=verdict == "refuse")
        with transaction():
            if verdict == "approve":
                claiming.approve(claim_id, reason, actor(), clock.now())
            else:
                claiming.refuse(claim_id, reason, actor(), clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return claim_page(claim_id, refusal)
    flash(t("已批准，随下次结算打到老人账户", "Approved; paid with the next settlement")
          if verdict == "approve" else t("已退回，并告知老人", "Refused; the elder is told"),
          "done")  # fmt: skip
    return redirect(url_for("bureau.claim", claim_id=claim_id), 303)
