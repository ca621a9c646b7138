"""Taking back one's own approval while nobody has acted on it: a step more, never one less."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import Conflict
from canteen.settlements import paying_out, rules
from canteen.settlements.deadlines import due_on
from canteen.settlements.finding import get_for
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.review_models import Correction, SampledMeal
from canteen.settlements.rules import OFFICES
from canteen.settlements.standing import move, other_hands, reason_of
from canteen.territory.actors import Actor
from canteen.words import Text

# How an office is passed: by its people, or by the rule when it was silent.
PASSED = ("confirmed", "approved", "consented", "escalated")


class NothingToUndo(Conflict):
    """The last step was not this office's, or the next office has begun."""

    code = "nothing_to_undo"
    text = Text(
        "下一环节已经开始办理，不能撤回；如有差错请对方退回",
        "The next office has begun; it cannot be taken back. Ask them to return it",
    )


def undo(statement_id: int, reason: str, by: Actor, *, at: datetime | None = None) -> str:
    """Take back the approval of the actor's office, saying why; gives the stage it stands at again.

    Possible until the next office has acted: moved the statement, looked at a meal of its sample
    or changed its sums; the city's until its payout was put into a batch, or its remainder taken
    up. What silence brought about may be taken back as well. Refuses with NotFound, ReasonMissing,
    SameHand, NothingToUndo and PayoutUnderWay.
    """
    at = at or clock.now()
    reason = reason_of(reason)
    get_for(by, statement_id)
    row = db.session.get_one(
        Statement, statement_id, populate_existing=True, with_for_update=True
    )
    if by.user_id is None or not may_undo(row, by):
        raise NothingToUndo()
    other_hands([row.id], by)
    if row.stage == "approved":
        paying_out.withdraw([row.id])
    rule = rules.rule_of(row)
    due = due_on(row.period, by.role, clock.business_date(at), rule)
    was = row.stage
    move([row.id], was, by.role, due, "undone", by, at, reason, office=by.role)
    record(by.label, "undone", "statement", row.id, {"was": was, "reason": reason})
    return by.role


def may_undo(statement: Statement, by: Actor) -> bool:
    """Whether the last step of a statement was this office's and nobody has acted after it."""
    if by.role not in OFFICES or statement.stage in ("paid", "repaid", *OFFICES[:1]):
        return False
    if statement.stage == "carried" and statement.carried_into_id is not None:
        return False
    last = db.session.scalars(
        sa.select(StatementStep)
        .where(
            StatementStep.statement_id == statement.id,
            ~((StatementStep.verdict == "amended") & StatementStep.by_label.startswith("job:")),
        )
        .order_by(StatementStep.id.desc()).limit(1)
    ).first()  # fmt: skip
    if (
        last is None or last.verdict not in PASSED or last.stage != by.role
        or last.to_stage != statement.stage
    ):
        return False
    begun = sa.union_all(
        sa.select(SampledMeal.order_id).where(
            SampledMeal.statement_id == statement.id, SampledMeal.looked_at > last.at
        ),
        sa.select(Correction.id).where(
            Correction.statement_id == statement.id, Correction.closed_at > last.at
        ),
    )
    return db.session.execute(begun.limit(1)).first() is None
