"""What-if pages: drafts tried on past meals, what came of it, and the workbook to decide with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.subsidies import drafting
from canteen.subsidies.models import PolicyDraft
from canteen.tasks import asking as tasks
from canteen.territory.actors import Actor
from canteen.territory.models import city_of
from canteen.web.bureau import exports, whatif_tables
from canteen.web.bureau.door import DECIDERS, blueprint, grounds, place
from canteen.web.bureau.whatif_sheets import people, series_names, sheets, sides
from canteen.web.errors import rendered
from canteen.web.forms import Fields, row_ids
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.whatif import asking
from canteen.whatif.results import BANDS
from canteen.words import Text


@blueprint.get("/drafts/what-if")
@guard(*DECIDERS)
def what_if() -> ResponseReturnValue:
    """Choose one or two drafts, a period and a ground."""
    return _form()


def _form(refusal: CanteenError | None = None) -> ResponseReturnValue:
    by, today = actor(), clock.business_date()
    first, last = asking.usual_period(today)
    rows = db.session.scalars(
        sa.select(PolicyDraft).where(drafting.visible(by), PolicyDraft.state != "withdrawn")
        .order_by(PolicyDraft.id.desc())
    ).all()  # fmt: skip
    options = [(row.id, row.note or row.code, f"{row.code} · {t(*drafting.STATES[row.state])}")
               for row in rows]  # fmt: skip
    given = request.form or request.args
    return rendered(
        "bureau/draft_what_if.html", drafts=options, given=given, first=first, last=last,
        chosen=row_ids(given.getlist("draft")),
        grounds=_grounds(by), refusal=refusal, today=today,
    )  # fmt: skip


def _grounds(by: Actor) -> list[tuple[str, Text | str]]:
    """The actor's whole ground first, then a city's districts."""
    own = by.territory or ""
    inside = grounds(by) if own == city_of(own) else []
    return [(own, place(own)), *inside]


@blueprint.post("/drafts/what-if")
@guard(*DECIDERS)
def ask_what_if() -> ResponseReturnValue:
    """Begin the replay and go to where it can be waited for."""
    by = actor()
    try:
        asked = _asked(Fields(request.form), by)
        with transaction():
            task_id = tasks.start(asking.KIND, asked, by, at=clock.now()).id
    except CanteenError as refusal:
        return _form(refusal)
    return redirect(url_for("bureau.task", task_id=task_id), 303)


def _asked(fields: Fields, by: Actor) -> dict[str, Any]:
    chosen = row_ids(fields.given.getlist("draft"))
    first, last = fields.day("first"), fields.day("last")
    assert first and last  # they are required
    territory = fields.text("territory", most=9)
    return asking.wish(chosen, first, last, territory, by, on=clock.business_date())


@blueprint.get("/drafts/what-if/<int:result_id>")
@guard(*DECIDERS)
def what_if_result(result_id: int) -> ResponseReturnValue:
    """What came of a replay, for all of its office; its asker is shown how far it is."""
    try:
        found = asking.result(result_id, actor())
    except asking.NotCounted:
        return redirect(url_for("bureau.task", task_id=result_id), 303)
    return shown(found, result_id)


@blueprint.post("/drafts/what-if/<int:result_id>.xlsx")
@guard(*DECIDERS)
def what_if_file(result_id: int) -> ResponseReturnValue:
    """The result as a workbook: the paper a policy is decided on."""
    by = actor()
    found = asking.result(result_id, by)
    name = Text("政策试算_{n}_{first}_{last}", "what_if_{n}_{first}_{last}").format(
        n=result_id, first=found["first"], last=found["last"]
    )
    return exports.taken_out(
        by, "xlsx", name, ("task", result_id),
        exports.tables("xlsx", lambda: whatif_tables.of_result(found)),
    )


def shown(result: Mapping[str, Any], result_id: int) -> str:
    """The page of a finished replay."""
    outcomes, changed = result["outcomes"], asking.changed_since(result)
    names = series_names(outcomes)
    return render_template(
        "bureau/draft_result.html", result=result, outcomes=outcomes, sides=sides(outcomes),
        bands=BANDS, names=names, sheets=sheets(result), result_id=result_id,
        people=[people(outcome) for outcome in outcomes[1:]],
        changed=[name for name, one in zip(names, outcomes, strict=True)
                 if one.get("draft_id") in changed],
        first=date.fromisoformat(result["first"]), last=date.fromisoformat(result["last"]),
    )  # fmt: skip
