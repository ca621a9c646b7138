"""The amounts in question of a statement: held, denied, given up, asked about, deducted."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import Grant, after_closing
from canteen.words import Text

WORDS = {
    "held": Text("暂扣待定", "Held for a decision"),
    "denied": Text("已核减", "Denied"),
    "corrected": Text("已更正收回", "Given up or corrected"),
    "late_fact": Text("资格补记收回", "Taken back for a fact told late"),
    "doubt": Text("有疑点，尚未决定", "Found by a check, undecided"),
    "asked": Text("退回待更正", "Sent back to be put right"),
    "appealed": Text("申诉待复核", "Objected to, to be decided"),
    "cancelled": Text("结账后退餐收回", "Taken back with a meal cancelled after closing"),
    "deducted": Text("抽查推算扣减", "Deducted by the sample"),
}


@dataclass(frozen=True)
class Question:
    """One kind of amount in question: how many meals, how many fen."""

    code: str
    meals: int
    fen: int

    @property
    def text(self) -> Text:
        """What it is called."""
        return WORDS[self.code]


def of(statement: Statement) -> list[Question]:
    """What of a canteen's statement is in question now, and what was taken off it."""
    if statement.canteen_id is None:
        return []
    later = sa.orm.aliased(Grant)
    worth = Grant.till_fen + Grant.enterprise_fen + Grant.delivery_fen
    last = ~sa.exists().where(later.order_id == Grant.order_id, later.number > Grant.number)
    here = (Grant.period == statement.period, Grant.canteen_id == statement.canteen_id, last)
    taken = db.session.execute(
        sa.select(Grant.cause, sa.func.count(), -sa.func.sum(worth))
        .where(
            *here, Grant.sign < 0, Grant.cause.in_(WORDS),
            (Grant.cause != "cancelled") | after_closing(Grant),
        )
        .group_by(Grant.cause)
    )  # fmt: skip
    found = {cause: Question(cause, meals, int(fen)) for cause, meals, fen in taken}
    for code, those in (
        ("doubt", _suspected(statement)), ("asked", _asked(statement)),
        ("appealed", _appealed(statement)),
    ):
        meals, fen = db.session.execute(
            sa.select(sa.func.count(), sa.func.sum(sa.func.abs(worth)))
            .where(*here, Grant.order_id.in_(those),
                   Grant.sign > 0 if code == "doubt" else sa.true())
        ).one()  # fmt: skip
        if meals:
            found[code] = Question(code, meals, int(fen or 0))
    if statement.deducted_fen < 0:
        found["deducted"] = Question("deducted", 0, -statement.deducted_fen)
    return [found[code] for code in WORDS if code in found]


def _suspected(statement: Statement) -> sa.Select[tuple[int | None]]:
    return sa.select(Suspicion.order_id).where(
        Suspicion.period == statement.period, Suspicion.canteen_id == statement.canteen_id,
        Suspicion.order_id.is_not(None), Suspicion.state.in_(("open", "asked")),
    )


def _asked(statement: Statement) -> sa.Select[tuple[int]]:
    return sa.select(Correction.order_id).where(
        Correction.statement_id == statement.id, Correction.state == "asked"
    )


def _appealed(statement: Statement) -> sa.Select[tuple[int]]:
    return sa.select(Appeal.order_id).where(
        Appeal.canteen_id == statement.canteen_id, Appeal.state == "filed"
    )
