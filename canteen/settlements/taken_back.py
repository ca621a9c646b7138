"""Why a meal's subsidy no longer stands: who took it back, when, why, and what that came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen.checks.models import SuspicionStep
from canteen.db import db
from canteen.settlements.models import Statement, StatementAmendment
from canteen.settlements.review_models import SampledMeal
from canteen.subsidies.models import Grant
from canteen.words import Text

WORDS = {
    "held": Text("这一餐的补贴暂扣，等待决定", "The subsidy of this meal is held for a decision"),
    "denied": Text("这一餐的补贴已核减", "The subsidy of this meal was denied"),
    "corrected": Text("这一餐的补贴已更正收回", "The subsidy of this meal was given up"),
    "late_fact": Text(
        "这一餐的补贴因补录的情况收回", "The subsidy of this meal was taken back for a late fact"
    ),
}


@dataclass(frozen=True)
class TakenBack:
    """What was taken back of a meal (fen, above nothing), for which cause; `by` a label and
    `reason` where somebody gave one."""

    cause: str
    at: datetime
    fen: int
    by: str = ""
    reason: str = ""

    @property
    def text(self) -> Text:
        """What happened, in a sentence's beginning."""
        return WORDS[self.cause]


def of(order_id: int) -> TakenBack | None:
    """What took back the subsidy of a meal, when none stands now; a cancelled meal says so itself.

    Of one taken back in instalments what decided that, not the instalment.
    """
    rows = db.session.scalars(
        sa.select(Grant).where(Grant.order_id == order_id).order_by(Grant.number.desc())
    ).all()
    if not rows or rows[0].sign > 0:
        return None
    row = next((row for row in rows if row.sign < 0 and row.cause != "spread"), rows[0])
    if row.cause not in WORDS:
        return None
    return TakenBack(row.cause, row.made_at, -row.whole_fen, *_said(row))


def _said(row: Grant) -> tuple[str, str]:
    """Who took a row back and why: as the finding, the look or the statement it changed tells."""
    s, amended, step, meal = Statement, StatementAmendment, SuspicionStep, SampledMeal
    denial = row.cause == "denied"
    told = [
        sa.select(step.by_label, step.reason)
        .where(sa.literal(denial), step.suspicion_id == row.cause_id, step.verdict == "deny")
        .order_by(step.id.desc()),
        sa.select(meal.looked_by, meal.reason)
        .where(sa.literal(denial), meal.order_id == row.order_id, meal.verdict == "wrong"),
        sa.select(amended.by_label, amended.reason)
        .join(s, s.id == amended.statement_id)
        .where(s.period == row.period, s.canteen_id == row.canteen_id,
               amended.cause == row.cause, amended.at == row.made_at),
    ]  # fmt: skip
    for query in told:
        found = db.session.execute(query.limit(1)).first()
        if found:
            return found[0] or "", found[1]
    return "", ""
