"""Payouts at the city: every one with its state, and a failed one let go on."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import Canteen, Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import CanteenError
from canteen.payouts import arriving, finding, retrying
from canteen.payouts.models import PayoutBatch
from canteen.settlements.models import Payout, Statement
from canteen.web.bureau.door import PAGE, asked, asked_page, blueprint, canteen_names
from canteen.web.errors import rendered
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text

STATES = {
    "ready": Text("待编批次", "Ready for a batch"),
    "waiting": Text("已放行，等结果", "Released, no result yet"),
    "sent": Text("在途", "On its way"),
    "paid": Text("已到账", "Paid"),
    "failed": Text("失败", "Failed"),
}


def payouts_page(refusal: CanteenError | None = None) -> ResponseReturnValue:
    """The payouts, failed first, then the newest."""
    state, page = asked("state", STATES), asked_page()
    where = [Payout.state == state] if state else []
    counts = {
        row.state: (row.number, int(row.fen))
        for row in db.session.execute(
            sa.select(Payout.state, sa.func.count().label("number"),
                      sa.func.sum(Payout.amount_fen).label("fen")).group_by(Payout.state)
        )
    }  # fmt: skip
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Payout).where(*where)) or 0
    rows = db.session.execute(
        sa.select(Payout, Statement, sa.func.coalesce(Canteen.name, Elder.name).label("name"),
                  Operator.name.label("operator"), PayoutBatch.way,
                  PayoutBatch.state.label("batch"))
        .outerjoin(PayoutBatch, PayoutBatch.id == Payout.batch_id)
        .join(Statement, Statement.id == Payout.statement_id)
        .outerjoin(Canteen, Canteen.id == Statement.canteen_id)
        .outerjoin(Elder, Elder.id == Statement.elder_id)
        .outerjoin(Operator, Operator.id == Statement.operator_id)
        .where(*where)
        .order_by(sa.case((Payout.state == "failed", 0), else_=1), Payout.id.desc())
        .limit(PAGE).offset((page - 1) * PAGE)
    ).all()  # fmt: skip
    unclear = {
        row.Payout.id for row in rows
        if row.Payout.state == "failed" and arriving.unclear(row.Payout.id)
    }  # fmt: skip
    return rendered(
        "bureau/payouts.html", rows=rows, state=state, states=STATES, counts=counts, page=page,
        total=total, last=-(-total // PAGE), refusal=refusal, ready=finding.ready_sums(),
        unclear=unclear, names=canteen_names(row.Statement.canteen_id for row in rows),
    )


@blueprint.get("/payouts")
@guard("city")
def list_payouts() -> ResponseReturnValue:
    """Every payout."""
    return payouts_page()


@blueprint.post("/payouts/<int:payout_id>/attempts")
@guard("city")
def retry_payout(payout_id: int) -> ResponseReturnValue:
    """Let a failed payout go on; an unclear one is looked up at the provider first."""
    try:
        with transaction():
            outcome = retrying.retry(payout_id, actor(), at=clock.now())
    except CanteenError as refusal:
        return payouts_page(refusal)
    said = {
        "ready": t("已转为待编批次，请编入新的付款批次", "It is ready: put it into a new batch"),
        "asked": t("正在向平台查询原来那一笔，结果稍后自动更新；同一笔不会付两次",
                   "The same transfer is looked up; the result follows, nothing is paid twice"),
    }  # fmt: skip
    flash(said[outcome], "done")
    back = request.form.get("back", "")
    return redirect(
        url_for("bureau.list_payouts", state="failed" if back == "failed" else None), 303
    )
