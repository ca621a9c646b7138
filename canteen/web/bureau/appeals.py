"""Objections to denied meals: who objects, why, and what another officer decides."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.settlements import appealing, judges
from canteen.territory.actors import Actor
from canteen.web.bureau.door import DECIDERS, asked, blueprint, canteen_names
from canteen.web.errors import rendered, status_of
from canteen.web.forms import point
from canteen.web.guards import actor, guard
from canteen.web.language import said


def appeals_page(
    by: Actor, refusal: CanteenError | None = None, which: int = 0
) -> ResponseReturnValue:
    """The appeals of a ground, those that wait first."""
    state = asked("state", ("all",))
    states = tuple(appealing.STATES) if state == "all" else ("filed",)
    rows = appealing.appeals_for(by, states)
    shown = [row.appeal for row in rows]
    return rendered(
        "bureau/appeals.html", appeals=rows, state=state or "",
        names=canteen_names(row.order.canteen_id for row in rows),
        states=appealing.STATES, refusal=refusal, which=which, given=request.form,
        deciding=by.role in DECIDERS, judges=judges.of(shown),
        me=by.label, because=judges.denied_because(shown),
        total=appealing.waiting_count(by, states),
    )  # fmt: skip


@blueprint.get("/appeals")
def appeals() -> ResponseReturnValue:
    """The appeals on this ground."""
    return appeals_page(actor())


@blueprint.post("/appeals/<int:appeal_id>/decisions")
@guard(*DECIDERS)
def decide_appeal(appeal_id: int) -> ResponseReturnValue:
    """Uphold or reject an appeal; upheld, the meal is paid."""
    by = actor()
    try:
        with transaction():
            done = appealing.decide(
                appeal_id, request.form.get("verdict", ""), request.form.get("reason", ""), by,
                clock.now(),
            )
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        point(refusal, f"{{}}-{appeal_id}")
        return appeals_page(by, refusal, appeal_id)
    flash(said(appealing.STATES[done.state]), "done")
    return redirect(url_for("bureau.appeals"), 303)
