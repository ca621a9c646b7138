"""Marking lines of a statement to be put right, seeing the answers, taking a step back."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError, NotFound
from canteen.orders.models import SERVICES
from canteen.settlements import correcting, finding, undoing
from canteen.settlements.models import STAGES
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau import showing
from canteen.web.bureau.door import blueprint
from canteen.web.bureau.statements import statement_page
from canteen.web.errors import rendered, status_of
from canteen.web.forms import a_day, row_ids
from canteen.web.guards import actor
from canteen.web.language import said, t

MOST = 5_000


def marks_page(
    by: Actor, statement_id: int, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """Every meal of a statement by day, to be ticked."""
    found = finding.get_for(by, statement_id)
    if found.payee != "canteen":
        raise NotFound()
    looks.note("statement", statement_id)
    meals = finding.meals_of(found, size=MOST).rows
    back = {row.order.id for row in meals if row.grant.sign < 0}
    days: dict[date, list[Any]] = {}
    for row in meals:
        if row.grant.sign > 0 and row.order.id not in back:
            days.setdefault(row.grant.on, []).append(row)
    return rendered(
        "bureau/marks.html", statement=found, payee=showing.payee(found), days=days,
        refusal=refusal, given=request.form, picked=set(row_ids(request.form.getlist("orders"))),
        picked_days=set(request.form.getlist("days")), services=SERVICES,
        mine=found.stage == by.role,
    )  # fmt: skip


@blueprint.get("/statements/<int:statement_id>/marks")
def marks(statement_id: int) -> ResponseReturnValue:
    """Choose the lines that must be put right."""
    return marks_page(actor(), statement_id)


@blueprint.post("/statements/<int:statement_id>/marks")
def mark(statement_id: int) -> ResponseReturnValue:
    """Send the statement back with the ticked lines and days; only they open to the operator."""
    by, days = actor(), [a_day(given) for given in request.form.getlist("days")]
    try:
        with transaction():
            count = correcting.send_back(
                statement_id, row_ids(request.form.getlist("orders")),
                request.form.get("reason", ""), by, clock.now(), days=[day for day in days if day],
            )
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return marks_page(by, statement_id, refusal)
    flash(t("已退回运营企业，请其更正 {n} 餐", "Returned to the operator with {n:meal|meals} to put"
            " right", n=count), "done")  # fmt: skip
    return redirect(url_for("bureau.statement", statement_id=statement_id), 303)


@blueprint.post("/statements/<int:statement_id>/noted-corrections")
def note_corrections(statement_id: int) -> ResponseReturnValue:
    """Take note of every answered line."""
    by = actor()
    try:
        with transaction():
            count = correcting.close(statement_id, by, clock.now())
    except CanteenError as refusal:
        return statement_page(by, statement_id, refusal)
    flash(t("已核阅 {n} 条更正", "{n:correction|corrections} noted", n=count), "done")
    return redirect(url_for("bureau.statement", statement_id=statement_id), 303)


@blueprint.post("/corrections/<int:correction_id>/withdrawals")
def withdraw_correction(correction_id: int) -> ResponseReturnValue:
    """No longer ask for a line."""
    by = actor()
    statement_id = correcting.get(correction_id, by).statement_id
    try:
        with transaction():
            correcting.withdraw(correction_id, by, clock.now())
    except CanteenError as refusal:
        return statement_page(by, statement_id, refusal)
    flash(t("这一条不再要求更正", "That line is no longer asked for"), "done")
    return redirect(url_for("bureau.statement", statement_id=statement_id), 303)


@blueprint.post("/statements/<int:statement_id>/undoings")
def undo(statement_id: int) -> ResponseReturnValue:
    """Take back one's own office's approval."""
    return undo_at("bureau", statement_id)


def undo_at(door: str, statement_id: int) -> ResponseReturnValue:
    """Take back the approval of the reader's office, at either desk."""
    by, reason = actor(), request.form.get("reason", "")
    try:
        with transaction():
            to = undoing.undo(statement_id, reason, by, at=clock.now())
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return statement_page(by, statement_id, refusal, undo_reason=reason)
    flash(t("已撤回：{to}", "Taken back: {to}", to=said(STAGES[to])), "done")
    return redirect(url_for(f"{door}.statement", statement_id=statement_id), 303)
