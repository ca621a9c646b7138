"""Statements at the bureau: found, checked, approved in one act or sent back with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.budgets import guarding
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.settlements import correcting, finding, gates, reviewing, rules, searching
from canteen.settlements.models import STAGES, Statement
from canteen.settlements.review_models import Correction
from canteen.territory.actors import ROLES, Actor
from canteen.web import looks
from canteen.web.bureau import showing
from canteen.web.bureau.door import DECIDERS, asked, asked_page, blueprint, grounds
from canteen.web.errors import rendered, status_of
from canteen.web.filters import month
from canteen.web.forms import row_ids
from canteen.web.guards import actor
from canteen.web.language import said, t
from canteen.words import Text

PAGE = 100
NEXT = {stage: ROLES[stage] for stage in ("street", "district", "city")} | {
    stage: STAGES[stage] for stage in ("approved", "carried")
}


def list_page(by: Actor, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The list as the address asks for it, with sums over everything found."""
    periods = finding.periods_for(by)
    wanted = searching.Wanted(
        period=asked("period", periods), stage=asked("stage", STAGES),
        payee=asked("payee", ("canteen", "elder")),
        territory=asked("territory", dict(grounds(by))), text=asked("text"),
    )
    today = clock.business_date()
    page = searching.search(by, wanted, on=today, page=asked_page(), size=PAGE)
    return rendered(
        "bureau/statements.html", page=page, wanted=wanted, today=today,
        months=[(one, month(one)) for one in periods],
        grounds=grounds(by), sums=searching.sums(by, wanted), refusal=refusal, me=by.role,
        to_correct={row[0]: row[3] for row in correcting.asked_of(by)},
        picked=row_ids(request.form.getlist("statement_ids")), waiting=finding.work_list(
            by, on=today, limit=1),
        next_office=next_office(
            row.statement for row in page.rows if row.statement.stage == by.role
        ),
        blocked=gates.named(refusal.detail.get("statement_ids", ())) if refusal else {},
        query=request.query_string.decode("ascii", "ignore"),
    )  # fmt: skip


def statement_page(
    by: Actor, statement_id: int, refusal: CanteenError | None = None, **given: Any
) -> ResponseReturnValue:
    """One statement; after a refusal with what was typed and what is wrong."""
    found = finding.get_for(by, statement_id)
    sent_back = sa.exists().where(Correction.statement_id == statement_id)
    if found.elder_id or db.session.scalar(sa.select(sent_back)):  # else it names nobody
        looks.note("statement", statement_id)
    today, short = clock.business_date(), []
    if found.stage == by.role and by.role in DECIDERS:
        short = guarding.short_for(by, [statement_id], on=today)
    return rendered(
        "bureau/statement.html", **showing.statement(by, found), refusal=refusal, given=given,
        next_office=next_office([found] if found.stage == by.role else []),
        following=next_waiting(by, statement_id), today=today, me=by.role, short=short,
    )


def next_office(rows: Iterable[Statement]) -> Text:
    """Where statements go from the office they stand at, as their rules say."""
    listed = list(rows)
    known = rules.by_ids({row.rule_id for row in listed})
    to = dict.fromkeys(known[row.rule_id].after(row.stage, row.payee) for row in listed)
    found = [NEXT[stage] for stage in to]
    return Text("、".join(each.zh for each in found), " or ".join(each.en for each in found))


def next_waiting(by: Actor, but: int) -> int | None:
    """The next statement that waits for this office, after the one in hand."""
    mine = sa.select(Statement.id).where(
        finding.visible(by), Statement.stage == by.role, Statement.id != but
    )
    return db.session.scalar(mine.order_by(Statement.due_on, Statement.id).limit(1))


def pass_on(by: Actor, ids: list[int]) -> reviewing.Passed:
    """Pass statements on in one transaction and say so."""
    with transaction():
        done = reviewing.approve(ids, by, at=clock.now())
    to = next(iter(done.to), "")
    flash(
        t("已办理 {n} 张结算单，下一步：{next}", "{n} passed on; next: {next}",
          n=done.count, next=NEXT.get(to, to)),
        "done",
    )  # fmt: skip
    return done


@blueprint.get("/statements")
def statements() -> ResponseReturnValue:
    """Every statement on this ground, narrowed as asked."""
    return list_page(actor())


@blueprint.post("/statements/approvals")
def approve() -> ResponseReturnValue:
    """Approve the ticked statements: all of them or none."""
    by, ids = actor(), row_ids(request.form.getlist("statement_ids"))
    one = len(ids) == 1 and request.form.get("from") == "statement"
    try:
        pass_on(by, ids)
    except CanteenError as refusal:
        if one and status_of(refusal)[0] != 404:
            return statement_page(by, ids[0], refusal)
        if status_of(refusal)[0] == 404:
            raise
        return list_page(by, refusal)
    if one:
        return redirect(url_for("bureau.statement", statement_id=ids[0]), 303)
    return redirect(url_for("bureau.statements", stage=by.role), 303)


@blueprint.get("/statements/<int:statement_id>")
def statement(statement_id: int) -> ResponseReturnValue:
    """One statement: where it stands, what it sums up, who pays, and what may be done."""
    return statement_page(actor(), statement_id)


@blueprint.post("/statements/<int:statement_id>/returns")
def send_back(statement_id: int) -> ResponseReturnValue:
    """Send a statement back to where its chain begins, with the reason typed."""
    by, reason = actor(), request.form.get("reason", "")
    try:
        with transaction():
            to = reviewing.return_(statement_id, reason, by, at=clock.now())
    except CanteenError as refusal:
        return statement_page(by, statement_id, refusal, reason=reason)
    flash(t("已退回：{to}。对方会看到您写的原因", "Returned: {to}. They see your reason",
            to=said(STAGES[to])), "done")  # fmt: skip
    return redirect(url_for("bureau.statement", statement_id=statement_id), 303)
