"""Where an operator is paid: its account, and another one asked for."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, config
from canteen.canteens.models import Operator
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.payouts import changing_accounts, warning
from canteen.payouts.models import BankChange
from canteen.web.errors import rendered
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.operator.door import blueprint


@blueprint.get("/account")
def bank_account() -> ResponseReturnValue:
    """The account as it is, and what was asked for."""
    return _page()


@blueprint.post("/account")
def ask_account() -> ResponseReturnValue:
    """Ask to be paid elsewhere."""
    by, form = actor(), request.form
    try:
        with transaction():
            changing_accounts.ask(
                form.get("payout_account", ""), by, at=clock.now(), operator_id=by.operator_id,
                reason=form.get("reason", ""),
            )  # fmt: skip
    except CanteenError as refusal:
        return _page(refusal)
    flash(t("已提出，民政局核实后生效", "Asked for; the bureau confirms it"), "done")
    return redirect(url_for("operator.bank_account"), 303)


@blueprint.post("/account/changes/<int:change_id>/withdrawal")
def withdraw_account(change_id: int) -> ResponseReturnValue:
    """Take the wish back, whoever asked: the account stays as it is."""
    try:
        with transaction():
            changing_accounts.withdraw(change_id, actor(), at=clock.now())
    except CanteenError as refusal:
        return _page(refusal)
    flash(t("已撤回，账户不变", "Withdrawn; the account stays"), "done")
    return redirect(url_for("operator.bank_account"), 303)


def _page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    by = actor()
    operator = db.session.get_one(Operator, by.operator_id)
    changes = (
        db.session.query(BankChange).filter(BankChange.operator_id == operator.id)
        .order_by(BankChange.id.desc()).limit(20).all()
    )  # fmt: skip
    return rendered(
        "operator/account.html", operator=operator, changes=changes, refusal=refusal,
        waiting=changing_accounts.waiting_of(operator_id=operator.id),
        states=changing_accounts.CHANGE_STATES, tail=warning.tail,
        days=config.current().account_wait_days, given=request.form,
    )
