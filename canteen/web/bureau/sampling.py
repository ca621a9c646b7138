"""The sample of a statement: the meals drawn, what was found, and what the errors come to."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.checks.explaining import explain
from canteen.checks.models import STATES as FINDING_STATES
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders.models import SERVICES
from canteen.settlements import extrapolating, finding, gates, looking, rules, sampling
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau import showing
from canteen.web.bureau.door import DECIDERS, blueprint
from canteen.web.errors import rendered, status_of
from canteen.web.forms import BadField, Fields, whole
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text


def sample_page(
    by: Actor, statement_id: int, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """The drawn and the flagged meals of a statement, at either desk."""
    found = finding.get_for(by, statement_id)
    looks.note("statement", statement_id)
    flagged = [
        (each, explain(each.suspicion)) for each in looking.flagged_of(found)
    ]
    draws = sampling.draws_of(found.period, found.district_code)
    return rendered(
        "bureau/sample.html", statement=found, payee=showing.payee(found), refusal=refusal,
        drawn=looking.sample_of(found), flagged=flagged, given=request.form,
        draw=sampling.drawing_of(draws[0]) if draws else None, prime=sampling.PRIME,
        sample=showing.sample(found), rule=rules.rule_of(found), services=SERVICES,
        finding_states=FINDING_STATES,
        sums=extrapolating.of(found) if found.payee == "canteen" else None,
        mine=found.stage == by.role and by.role in DECIDERS,
        missing=gates.missing([found.id], "district"),
    )  # fmt: skip


@blueprint.get("/statements/<int:statement_id>/sample")
def statement_sample(statement_id: int) -> ResponseReturnValue:
    """The sample of a statement."""
    return sample_page(actor(), statement_id)


@blueprint.post("/statements/<int:statement_id>/sample")
@guard(*DECIDERS)
def look_at_sample(statement_id: int) -> ResponseReturnValue:
    """Say of each drawn meal whether it is right; a wrong one is denied at once."""
    by, verdicts = actor(), {}
    for name, verdict in request.form.items():
        number = whole(name.removeprefix("verdict-")) if name.startswith("verdict-") else None
        if number is not None and verdict:
            verdicts[number] = (verdict, request.form.get(f"reason-{number}", ""))
    try:
        with transaction():
            count = looking.look(statement_id, verdicts, by, clock.now())
            if request.form.get("rest"):  # what was ticked counts, the rest is right
                left = _rest(Fields(request.form))
                count += looking.look_rest([statement_id], by, clock.now(), given=left)
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return sample_page(by, statement_id, refusal)
    flash(t("已记下 {n} 餐的核对结果", "Noted for {n:meal|meals}", n=count), "done")
    return redirect(url_for("bureau.statement_sample", statement_id=statement_id), 303)


def _rest(fields: Fields) -> int:
    """How many the looker says are left. Refuses BadField, naming the box as the page does."""
    try:
        return fields.whole("rest_count")
    except BadField:
        said = Text("请在“其余看过几餐”里填写整数",
                    "Fill in “How many of the rest did you look at” with a whole number")
        raise BadField(said, field="rest_count") from None


@blueprint.post("/statements/<int:statement_id>/deductions")
@guard(*DECIDERS)
def deduct(statement_id: int) -> ResponseReturnValue:
    """Take off what the sample says of the meals nobody looked at, as the page showed it."""
    by = actor()
    try:
        fen = Fields(request.form).whole("fen", most=10**11)
        with transaction():
            extrapolating.apply(statement_id, fen, by, clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return sample_page(by, statement_id, refusal)
    flash(t("已扣减 {sum} 元", "{sum} yuan were deducted", sum=yuan(fen)), "done")
    return redirect(url_for("bureau.statement_sample", statement_id=statement_id), 303)
