"""A canteen kept up to date: its papers entered, the days it does not open announced."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import licensing, registering
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.web.bureau.canteens import canteen_page
from canteen.web.bureau.door import DECIDERS, blueprint
from canteen.web.forms import LATEST, Fields
from canteen.web.guards import actor, guard
from canteen.web.language import t

# What the room calls a closure's fields, and what the page does: other forms there have a reason.
CLOSURE_FIELDS = {"on": "closed_on", "reason": "closed_because"}


@blueprint.post("/canteens/<int:canteen_id>/papers")
def add_paper(canteen_id: int) -> ResponseReturnValue:
    """Enter a paper; those before it stay."""
    by, fields = actor(), Fields(request.form)
    try:
        kind = str(fields.choice("kind", licensing.PAPERS))
        number = fields.text("number", most=40)
        first = fields.day("valid_from", since=1980) or clock.business_date()
        last = fields.day("valid_to", required=False, until=LATEST)
        with transaction():
            licensing.add_paper(canteen_id, kind, number, first, last, by=by)
    except CanteenError as refusal:
        return canteen_page(by, canteen_id, refusal, act="paper", typed=request.form)
    flash(t("证照已登记", "The paper is entered"), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id) + "#papers", 303)


@blueprint.post("/canteens/<int:canteen_id>/closures")
@guard(*DECIDERS)
def announce_closure(canteen_id: int) -> ResponseReturnValue:
    """Announce a day on which the canteen does not open, with the reason diners will read."""
    by, fields, today = actor(), Fields(request.form), clock.business_date()
    try:
        on = fields.day("closed_on") or today
        because = fields.text("closed_because", most=80)
        with transaction():
            registering.announce_closure(canteen_id, on, because, by=by, today=today)
    except CanteenError as refusal:
        refusal.field = CLOSURE_FIELDS.get(refusal.field or "", refusal.field)
        return canteen_page(by, canteen_id, refusal, act="closure", typed=request.form)
    flash(t("停业已公告", "The closed day is announced"), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id) + "#closures", 303)


@blueprint.post("/canteens/<int:canteen_id>/closures/withdrawals")
@guard(*DECIDERS)
def withdraw_closure(canteen_id: int) -> ResponseReturnValue:
    """Open after all on an announced day."""
    by, today = actor(), clock.business_date()
    try:
        on = Fields(request.form).day("closed_on") or today
        with transaction():
            registering.withdraw_closure(canteen_id, on, by=by, today=today)
    except CanteenError as refusal:
        refusal.field = CLOSURE_FIELDS.get(refusal.field or "", refusal.field)
        return canteen_page(by, canteen_id, refusal)
    flash(t("已取消停业公告，当天照常营业", "Withdrawn; it opens that day"), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id) + "#closures", 303)
