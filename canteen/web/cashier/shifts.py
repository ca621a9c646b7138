"""The shifts of a counter: the X report of an open one, the Z report of a closed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import MEALS
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.orders.models import SERVICES
from canteen.subsidies.explaining import FUNDERS
from canteen.territory.actors import Actor
from canteen.tills import reporting, shifts
from canteen.tills.cash import DENOMINATIONS, MOVES
from canteen.tills.models import Shift, Till, TillEntry
from canteen.tills.notes import NOTES
from canteen.web.cashier.door import MANAGER, blueprint, here
from canteen.web.errors import rendered
from canteen.web.forms import whole
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text

A_PAGE = 40
PAPERS = ("80", "58")
KINDS = {
    "paid_in": Text("存入", "Paid in"),
    "paid_out": Text("取出", "Paid out"),
    "collected": Text("收取餐款", "Collected on orders"),
    "refunded": Text("退还现金", "Given back in cash"),
}
WAYS = {
    "cash": Text("现金", "Cash"),
    "online": Text("线上", "Online"),
    "mixed": Text("现金 + 线上", "Cash + online"),
    "nothing": Text("无需付款", "Nothing to pay"),
}


@blueprint.get("/shifts")
def list_shifts() -> ResponseReturnValue:
    """The counter's shifts, newest first; a cashier sees their own.

    A tablet knows its shift by till and number: asked for that, the shift itself is shown.
    """
    canteen, by = here(), actor()
    wanted = sa.select(Shift.id).where(Shift.canteen_id == canteen.id)
    if by.role != "manager":
        wanted = wanted.where(Shift.cashier_id == by.user_id)
    till = whole(request.args.get("till", ""))
    number = whole(request.args.get("number", ""), most=2**31 - 1)
    if till and number:
        one = db.session.scalar(wanted.where(Shift.till_id == till, Shift.number == number))
        if one is not None:
            return redirect(url_for("cashier.shift", shift_id=one))
    if before := whole(request.args.get("before", "")):
        wanted = wanted.where(Shift.id < before)
    rows = shown(wanted.order_by(Shift.id.desc()).limit(A_PAGE))
    return render_template(
        "cashier/shifts.html", canteen=canteen, rows=rows, unsent=unsent(canteen.id),
        sees_all=by.role == "manager", today=clock.business_date(),
        more=min(row.Shift.id for row in rows) if len(rows) == A_PAGE else None,
    )


@blueprint.get("/shifts/<int:shift_id>")
def shift(shift_id: int) -> ResponseReturnValue:
    """One shift: X while it is open, Z once it is closed; `paper` for a roll of 58 or 80 mm."""
    return _page(shift_id)


@blueprint.post("/shifts/<int:shift_id>/reason")
@MANAGER
def explain_shift(shift_id: int) -> ResponseReturnValue:
    """Say why a shift that was closed without network is over or short."""
    try:
        with transaction():
            shifts.explain(shift_id, request.form.get("reason", ""), actor())
    except CanteenError as refusal:
        return _page(shift_id, refusal)
    flash(t("已记下原因", "The reason is on record"), "done")
    return redirect(url_for("cashier.shift", shift_id=shift_id), 303)


def _page(shift_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    by = actor()
    found = db.session.get_one(Shift, shift_id)
    paper = request.args.get("paper", "")
    return rendered(
        "cashier/shift.html", canteen=here(), report=reporting.report(found),
        blind=blind(found, by), manager=by.role == "manager", refusal=refusal,
        said_reason=request.form.get("reason", ""), paper=paper if paper in PAPERS else None,
        printed_at=clock.now(), **WORDS,
    )


WORDS: dict[str, Any] = {
    "meals": MEALS, "services": SERVICES, "ways": WAYS, "kinds": KINDS, "reasons": MOVES,
    "denominations": DENOMINATIONS, "funders": FUNDERS, "note_words": NOTES,
}


def blind(found: Shift, by: Actor) -> bool:
    """Whether the reader may not yet know what should lie in the drawer: the count comes first."""
    return found.closed_at is None and by.role != "manager"


def shown(wanted: sa.Select[Any]) -> Sequence[Any]:
    """Rows of Shift, till and cashier names, and the number of sales, for a list of shifts."""
    sales = (
        sa.select(sa.func.count())
        .where(
            TillEntry.shift_id == Shift.id, TillEntry.kind == "sale",
            TillEntry.order_id.is_not(None),
        )
        .correlate(Shift)
        .scalar_subquery()
    )  # fmt: skip
    return db.session.execute(
        sa.select(Shift, Till.name.label("till"), User.name.label("cashier"), sales.label("sales"))
        .join(Till, Till.id == Shift.till_id)
        .join(User, User.id == Shift.cashier_id)
        .where(Shift.id.in_(wanted))
        .order_by(Shift.opened_at.desc(), Shift.id.desc())
    ).all()


def unsent(canteen_id: int) -> Sequence[Any]:
    """The tills that made entries which have not arrived: (name, how many)."""
    return db.session.execute(
        sa.select(Till.name, (Till.claimed - Till.head).label("count"), Till.seen_at)
        .where(Till.canteen_id == canteen_id, Till.claimed > Till.head)
        .order_by(Till.name)
    ).all()
