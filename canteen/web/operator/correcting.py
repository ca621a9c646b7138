"""Lines sent back to the operator: each is answered by itself, and nothing else can be changed."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.orders.models import SERVICES
from canteen.settlements import answering, appealing, correcting, finding
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau import appeals as shared_appeals
from canteen.web.bureau import marking, meals, sampling, showing
from canteen.web.errors import rendered, status_of
from canteen.web.forms import point
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.operator.door import blueprint


def corrections_page(
    by: Actor, statement_id: int, refusal: CanteenError | None = None, which: int = 0
) -> ResponseReturnValue:
    """What a statement was sent back for, line by line."""
    found = finding.get_for(by, statement_id)
    looks.note("statement", statement_id)
    return rendered(
        "operator/corrections.html", statement=found, payee=showing.payee(found),
        lines=correcting.lines_of(found.id), mine=found.stage == by.role, services=SERVICES,
        refusal=refusal, which=which, given=request.form, **showing.LINE_WORDS,
    )


@blueprint.get("/statements/<int:statement_id>/corrections")
def corrections(statement_id: int) -> ResponseReturnValue:
    """The lines to put right."""
    return corrections_page(actor(), statement_id)


@blueprint.post("/corrections/<int:correction_id>/answers")
def answer_correction(correction_id: int) -> ResponseReturnValue:
    """Answer one line."""
    by, form = actor(), request.form
    statement_id = correcting.get(correction_id, by).statement_id
    try:
        with transaction():
            answering.answer(
                correction_id, form.get("act", ""), form.get("words", ""), by, clock.now(),
                service=form.get("service", ""), receiver=form.get("receiver", ""),
            )
    except CanteenError as refusal:
        if refusal.field == "reason":
            refusal.field = "words"  # as this form calls it
        point(refusal, f"{{}}-{correction_id}")
        return corrections_page(by, statement_id, refusal, correction_id)
    flash(t("已回复这一条", "That line is answered"), "done")
    return redirect(url_for("operator.corrections", statement_id=statement_id), 303)


@blueprint.get("/statements/<int:statement_id>/sample")
def statement_sample(statement_id: int) -> ResponseReturnValue:
    """The meals drawn from a statement, and what was found."""
    return sampling.sample_page(actor(), statement_id)


@blueprint.post("/statements/<int:statement_id>/undoings")
def undo(statement_id: int) -> ResponseReturnValue:
    """Take back the confirmation, or the silence that counted as one."""
    return marking.undo_at("operator", statement_id)


@blueprint.get("/appeals")
def appeals() -> ResponseReturnValue:
    """What the operator objected to, and what became of it."""
    return shared_appeals.appeals_page(actor())


@blueprint.post("/meals/<int:meal_id>/appeals")
def appeal(meal_id: int) -> ResponseReturnValue:
    """Object to the denial of a meal."""
    by = actor()
    try:
        with transaction():
            appealing.file(meal_id, request.form.get("reason", ""), by, clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return meals.meal_page(by, meal_id, refusal)
    flash(t("申诉已提交，由没有参与核减的同事复核", "Filed; somebody who had no hand in the"
            " denial decides"), "done")  # fmt: skip
    return redirect(url_for("operator.meal", meal_id=meal_id), 303)
