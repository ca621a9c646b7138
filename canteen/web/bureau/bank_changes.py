"""Changed accounts at the bureau: asked for by one, confirmed by another once the wait is over."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, config
from canteen.canteens.models import Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import CanteenError
from canteen.payouts import changing_accounts, warning
from canteen.payouts.models import BankChange
from canteen.web.bureau.door import PAGE, asked, asked_page, blueprint
from canteen.web.errors import rendered
from canteen.web.forms import BadField, point, row_ids
from canteen.web.grounds import operators
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text


@blueprint.get("/bank-changes")
def bank_changes() -> ResponseReturnValue:
    """The changes on this ground, those that wait first."""
    return _page()


@blueprint.post("/bank-changes")
def ask_bank_change() -> ResponseReturnValue:
    """Ask for another account of an enterprise; an elder's is asked for on their own page."""
    by, form = actor(), request.form
    try:
        given = row_ids([form.get("operator_id", "")])
        if not given:
            raise BadField(Text("请选择企业", "Choose an enterprise"), field="operator_id")
        with transaction():
            changing_accounts.ask(
                form.get("payout_account", ""), by, at=clock.now(),
                operator_id=given[0], reason=form.get("reason", ""),
            )  # fmt: skip
    except CanteenError as refusal:
        return _page(refusal)
    flash(t("已提出，等另一位同事核实", "Asked for; a colleague must confirm it"), "done")
    return redirect(url_for("bureau.bank_changes"), 303)


@blueprint.post("/bank-changes/confirmations")
def confirm_bank_changes() -> ResponseReturnValue:
    """Confirm those ticked: all of them or none."""
    ids = row_ids(request.form.getlist("change_ids"))
    try:
        with transaction():
            for change_id in ids:
                changing_accounts.confirm(change_id, actor(), at=clock.now())
    except CanteenError as refusal:
        return _page(refusal)
    flash(
        t("已确认 {n} 条，从现在起按新账户付款", "{n} confirmed; they hold from now on", n=len(ids))
        if ids else t("请先勾选要确认的各条", "Tick those to confirm first"),
        "done" if ids else "look",
    )  # fmt: skip
    return redirect(url_for("bureau.bank_changes"), 303)


@blueprint.post("/bank-changes/<int:change_id>/confirmation")
def confirm_bank_change(change_id: int) -> ResponseReturnValue:
    """Confirm one, after it was checked with the payee."""
    return _act(
        lambda: changing_accounts.confirm(change_id, actor(), at=clock.now()),
        t("已确认，从现在起按新账户付款", "Confirmed; paid to the new account from now on"),
    )


@blueprint.post("/bank-changes/<int:change_id>/refusal")
def refuse_bank_change(change_id: int) -> ResponseReturnValue:
    """Refuse one, saying why."""
    reason = request.form.get("reason", "")
    return _act(
        lambda: changing_accounts.refuse(change_id, reason, actor(), at=clock.now()),
        t("已记为未同意，账户不变", "Refused; the account stays"), f"refuse-{change_id}-{{}}",
    )


@blueprint.post("/bank-changes/<int:change_id>/withdrawal")
def withdraw_bank_change(change_id: int) -> ResponseReturnValue:
    """Take back what one has asked for oneself."""
    return _act(
        lambda: changing_accounts.withdraw(change_id, actor(), at=clock.now()),
        t("已撤回", "Withdrawn"),
    )


def _act(act: Any, said: str, ids: str = "{}") -> ResponseReturnValue:
    try:
        with transaction():
            act()
    except CanteenError as refusal:
        point(refusal, ids)
        return _page(refusal)
    flash(said, "done")
    return redirect(url_for("bureau.bank_changes"), 303)


def _page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    by, now = actor(), clock.now()
    state, page = asked("state", changing_accounts.CHANGE_STATES), asked_page()
    where = [changing_accounts.visible(by)] + ([BankChange.state == state] if state else [])
    total = db.session.scalar(sa.select(sa.func.count()).select_from(BankChange).where(*where)) or 0
    waits = sa.case((BankChange.state == "waiting", 0), else_=1)
    rows = db.session.execute(
        sa.select(BankChange, sa.func.coalesce(Elder.name, Operator.name).label("name"))
        .outerjoin(Elder, Elder.id == BankChange.elder_id)
        .outerjoin(Operator, Operator.id == BankChange.operator_id)
        .where(*where).order_by(waits, BankChange.not_before, BankChange.id.desc())
        .limit(PAGE).offset((page - 1) * PAGE)
    ).all()  # fmt: skip
    mine = set(db.session.scalars(
        sa.select(BankChange.id).where(changing_accounts.decidable(by),
                                       BankChange.id.in_([row[0].id for row in rows]))
    ))  # fmt: skip
    untold = set(db.session.scalars(
        sa.select(BankChange.id).where(BankChange.id.in_(mine), warning.untold())
    ))  # fmt: skip
    told = set(db.session.scalars(
        sa.select(BankChange.id).where(BankChange.id.in_(mine), warning.told_by(by))
    ))  # fmt: skip
    return rendered(
        "bureau/bank_changes.html", rows=rows, total=total, page=page, last=-(-total // PAGE),
        state=state, states=changing_accounts.CHANGE_STATES, tail=warning.tail,
        mine=mine, untold=untold, told=told, now=now, me=by, refusal=refusal, given=request.form,
        days=config.current().account_wait_days,
        enterprises=db.session.execute(
            sa.select(Operator.id, Operator.name).where(operators(by)).order_by(Operator.name)
        ).all(),
    )  # fmt: skip
