"""The amounts in question of a statement: held, denied, given up, asked about, deducted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from canteen.checks.finding import told_to
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import DIRECTED, Grant, after_closing, is_last
from canteen.territory.actors import Actor
from canteen.words import Text

WORDS = {
    "held": Text("暂扣待定", "Held for a decision"),
    "denied": Text("已核减", "Denied"),
    "corrected": Text("已更正收回", "Given up or corrected"),
    "late_fact": DIRECTED["late_fact", -1],
    "doubt": Text("有疑点，尚未决定", "Found by a check, undecided"),
    "pattern": Text("针对多餐的疑点，尚未决定", "Found of several meals, undecided"),
    "asked": Text("退回待更正", "Sent back to be put right"),
    "appealed": Text("申诉待复核", "Objected to, to be decided"),
    "cancelled": Text("结账后退餐收回", "Taken back with a meal cancelled after closing"),
    "deducted": Text("抽查推算扣减", "Deducted by the sample"),
}

IN_SUM = ("doubt", "pattern", "asked")  # what the rest comes to is not in the sum to pay


@dataclass(frozen=True)
class Amount:
    """One kind of amount in question: how many meals, how many fen; of a "pattern" how many
    findings, whose meals may overlap. `mode`: how the findings behind it are handled, if alike."""

    code: str
    meals: int
    fen: int
    mode: str | None = None

    @property
    def text(self) -> Text:
        """What it is called."""
        return WORDS[self.code]

    @property
    def in_sum(self) -> bool:
        """Whether it is in the sum to pay as that stands now."""
        return self.code in IN_SUM


def of(statement: Statement, by: Actor) -> list[Amount]:
    """What of a canteen's statement is in question now as this reader may learn of it, and what
    was taken off it."""
    if statement.canteen_id is None:
        return []
    here = (
        Grant.period == statement.period, Grant.canteen_id == statement.canteen_id, is_last(Grant),
    )  # fmt: skip
    taken = db.session.execute(
        sa.select(Grant.cause, sa.func.count(), -sa.func.sum(Grant.canteen_fen))
        .where(
            *here, Grant.sign < 0, Grant.cause.in_(WORDS),
            (Grant.cause != "cancelled") | after_closing(Grant),
        )
        .group_by(Grant.cause)
    )  # fmt: skip
    found = {
        cause: Amount(cause, meals, int(fen), "hold" if cause == "held" else None)
        for cause, meals, fen in taken
    }
    undecided = _undecided(statement, by)
    about_one = sa.select(Suspicion.order_id).where(*undecided, Suspicion.order_id.is_not(None))
    for code, those in (
        ("doubt", about_one), ("asked", _asked(statement)),
        ("appealed", _appealed(statement)),
    ):
        meals, fen = db.session.execute(
            sa.select(sa.func.count(), sa.func.sum(sa.func.abs(Grant.canteen_fen)))
            .where(*here, Grant.order_id.in_(those),
                   Grant.sign > 0 if code == "doubt" else sa.true())
        ).one()  # fmt: skip
        if meals:
            found[code] = Amount(code, meals, int(fen or 0))
    if "doubt" in found:
        stands = sa.select(Grant.order_id).where(*here, Grant.sign > 0)
        modes = set(db.session.scalars(
            sa.select(Suspicion.mode).where(*undecided, Suspicion.order_id.in_(stands)).distinct()
        ))  # fmt: skip
        found["doubt"] = replace(found["doubt"], mode=_alike(modes))
    number, fen, *modes = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(Suspicion.amount_fen),
                  sa.func.min(Suspicion.mode), sa.func.max(Suspicion.mode))
        .where(*undecided, Suspicion.order_id.is_(None))
    ).one()  # fmt: skip
    if number:
        found["pattern"] = Amount("pattern", number, int(fen or 0), _alike(set(modes)))
    if statement.deducted_fen < 0:
        found["deducted"] = Amount("deducted", 0, -statement.deducted_fen)
    return [found[code] for code in WORDS if code in found]


def _alike(modes: set[str]) -> str | None:
    return modes.pop() if len(modes) == 1 else None


def _undecided(statement: Statement, by: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Suspicion.period == statement.period, Suspicion.canteen_id == statement.canteen_id,
        Suspicion.state.in_(UNDECIDED), told_to(by),
    )  # fmt: skip


def _asked(statement: Statement) -> sa.Select[tuple[int]]:
    return sa.select(Correction.order_id).where(
        Correction.statement_id == statement.id, Correction.state == "asked"
    )


def _appealed(statement: Statement) -> sa.Select[tuple[int]]:
    return sa.select(Appeal.order_id).where(
        Appeal.canteen_id == statement.canteen_id, Appeal.state == "filed"
    )
