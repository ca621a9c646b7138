"""Evaluation: who is due for a visit, a visit entered as a new version, its score explained."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from canteen import clock
from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.performance import carding, inspecting
from canteen.performance.inspecting import Points
from canteen.performance.models import Inspection
from canteen.performance.schemes import NoScheme, Scheme, scheme_named, scheme_on
from canteen.web.bureau.door import PAGE, READERS, asked_page, blueprint, canteen_names
from canteen.web.errors import rendered
from canteen.web.forms import Fields
from canteen.web.guards import actor, guard
from canteen.web.language import t

LATEST = 20


@blueprint.get("/evaluation")
@guard(*READERS)
def evaluation() -> ResponseReturnValue:
    """The canteens to visit, the longest due first, and the latest visits."""
    by, today, page = actor(), clock.business_date(), asked_page()
    due = inspecting.due(by, today)
    shown = due[(page - 1) * PAGE : page * PAGE]
    recent = db.session.execute(
        select(Inspection, Canteen)
        .join(Canteen, Canteen.id == Inspection.canteen_id).where(finding.visible(by))
        .order_by(Inspection.submitted_at.desc(), Inspection.id.desc()).limit(LATEST)
    ).all()  # fmt: skip
    return render_template(
        "bureau/evaluation.html", due=shown, total=len(due), page=page, last=-(-len(due) // PAGE),
        recent=recent, today=today, scheme=scheme_on(today), me=by.role,
        names=canteen_names([one.canteen_id for one in shown]),
    )


def form_page(
    canteen_id: int, scheme: Scheme, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """The sheet of a visit; after a refusal with everything that was typed."""
    found = finding.get_for(actor(), canteen_id)
    return rendered(
        "bureau/inspection_new.html", canteen=found, scheme=scheme, refusal=refusal,
        given=request.form, today=clock.business_date(),
        wrong=refusal.field if refusal else None,
        veto_rows=[(veto.code, veto.title.text) for veto in scheme.vetoes],
        before=next(iter(inspecting.inspections_of(canteen_id)), None),
    )


@blueprint.get("/canteens/<int:canteen_id>/inspections/new")
@guard("evaluator")
def new_inspection(canteen_id: int) -> ResponseReturnValue:
    """The sheet to fill in on a visit."""
    return form_page(canteen_id, scheme_on(clock.business_date()))


@blueprint.post("/canteens/<int:canteen_id>/inspections")
@guard("evaluator")
def inspect(canteen_id: int) -> ResponseReturnValue:
    """Enter a visit; the same day again makes a new version, nothing is overwritten."""
    by, form, at = actor(), request.form, clock.now()
    fields = Fields(form)
    scheme = scheme_on(clock.business_date(at))
    try:
        on = fields.day("on") or clock.business_date(at)
        scheme = scheme_on(on)
        points = {
            one.code: Points(
                fields.whole(f"{one.code}-points", most=100), form.get(f"{one.code}-evidence", "")
            )
            for one in scheme.entered
        }
        with transaction():
            made = inspecting.submit(
                canteen_id, on, points, vetoes=form.getlist("vetoes"),
                remark=form.get("remark", ""), by=by, at=at,
            ).id  # fmt: skip
    except CanteenError as refusal:
        return form_page(canteen_id, scheme, refusal)
    flash(t("评估已提交，得分随即算出", "The visit is entered and scored"), "done")
    return redirect(url_for("bureau.inspection", inspection_id=made), 303)


@blueprint.get("/inspections/<int:inspection_id>")
@guard(*READERS)
def inspection(inspection_id: int) -> ResponseReturnValue:
    """One version of a visit: points, evidence, and the score it led to."""
    found = db.session.get_one(Inspection, inspection_id)
    canteen = finding.get_for(actor(), found.canteen_id)
    try:
        scheme = scheme_named(found.scheme)
    except NoScheme:
        scheme = scheme_on(clock.business_date())
    versions = [
        one for one in inspecting.inspections_of(found.canteen_id) if one.on == found.on
    ]
    card = next(
        (one for one in carding.cards_of(found.canteen_id)
         if one.facts.get("inspection_id") == found.id), None,
    )  # fmt: skip
    return render_template(
        "bureau/inspection.html", inspection=found, canteen=canteen, scheme=scheme, card=card,
        versions=versions, scores=inspecting.scores_of(inspection_id), me=actor().role,
    )
