"""Where statements stand: whether this person may act on them now, and moving them with a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.audit.models import AuditRecord
from canteen.db import changed, db
from canteen.elders.models import ElderFact
from canteen.errors import Conflict, Forbidden, NotFound
from canteen.settlements.finding import visible
from canteen.settlements.models import STAGES, Statement, StatementAmendment, StatementStep
from canteen.settlements.rules import OFFICES
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.words import Text

# What is no step of an office in the chain: sums that follow a decision, whoever made it. Whoever
# raised a sum so approves no payment of it: `must_not_have_raised`.
ASIDE = ("amended",)
FACT_ACTS = ("record_fact", "end_fact", "withdraw_fact")
RAISED = Text(
    "您调高过这张结算单的金额，批准付款须由另一位同事办理",
    "You raised what this statement pays; a colleague must approve the payment",
)


class NotYourTurn(Forbidden):
    """The statement is with another office than the actor's."""

    code = "not_your_turn"
    text = Text("这张结算单目前{stage}", "This statement is now: {stage}")


class SameHand(Forbidden):
    """The same person has acted on the statement at another stage, or prepared it."""

    code = "same_hand"
    text = Text(
        "您经手过这张结算单的其他环节，须由另一位同事办理",
        "You have already acted on this statement at another stage; a colleague must do this",
    )


class Moved(Conflict):
    """Somebody else moved the statement meanwhile."""

    code = "statement_moved"
    text = Text(
        "有{count}张结算单已被他人办理，本次没有办理任何一张，请刷新后再选",
        "Somebody else moved {count} of these statements; none was changed, look again",
    )


def standing(ids: Sequence[int], by: Actor) -> tuple[str, Sequence[Any]]:
    """The statements as they stand, held until the act ends, if this actor's office has all of
    them now; gives that office too. Refuses with NotFound, NotYourTurn, Moved, SameHand."""
    rows = db.session.execute(
        sa.select(Statement.__table__).where(Statement.id.in_(ids), visible(by))
        .order_by(Statement.id).with_for_update()
    ).all()  # fmt: skip
    if len(rows) != len(set(ids)):
        raise NotFound()
    if by.role not in OFFICES or by.user_id is None:
        raise NotYourTurn(stage=STAGES[rows[0].stage])
    stages = list(STAGES)
    for row in rows:
        if stages.index(row.stage) < stages.index(by.role):
            raise NotYourTurn(stage=STAGES[row.stage])
    moved = [row.id for row in rows if row.stage != by.role]
    if moved:
        raise Moved(count=len(moved), statement_ids=moved)
    other_hands(ids, by)
    return by.role, rows


def other_hands(ids: Sequence[int], by: Actor) -> None:
    """Refuse with SameHand when the actor prepared one of these, or acted for another office since
    its last return. The person counts, not the role held today."""
    step, later = aliased(StatementStep), aliased(StatementStep)
    returned = (
        sa.select(sa.func.coalesce(sa.func.max(later.id), 0))
        .where(
            later.statement_id == step.statement_id, later.verdict == "returned",
            later.stage.in_(OFFICES),
        )
        .scalar_subquery()
    )
    mine = sa.select(step.statement_id).where(
        step.statement_id.in_(ids),
        step.by_label == by.label,
        step.stage != by.role,
        step.verdict.not_in(ASIDE),
        (step.id >= returned) | (step.verdict == "prepared"),
    )
    own = list(db.session.scalars(mine.distinct()))
    if own:
        raise SameHand(statement_ids=own)


def must_not_have_raised(ids: Sequence[int], by: Actor) -> None:
    """Refuse with SameHand when the actor's decisions (held meals paid, appeals upheld, verdicts
    changed) raised, all together, what one of these pays since its last return. What the nightly
    job gave again for a fact counts as theirs who recorded, ended or withdrew one of that elder.

    For the approval that orders the payment: nobody after it would look at the sum.
    """
    step, amended = StatementStep, StatementAmendment
    returned = (
        sa.select(sa.func.max(step.at))
        .where(
            step.statement_id == amended.statement_id, step.verdict == "returned",
            step.stage.in_(OFFICES),
        )
        .correlate(amended).scalar_subquery()
    )  # fmt: skip
    raised = (
        sa.select(amended.statement_id)
        .where(
            amended.statement_id.in_(ids),
            sa.or_(amended.by_label == by.label, _raised_by_a_fact_of(by)),
            sa.or_(returned.is_(None), amended.at > returned),
        )
        .group_by(amended.statement_id)
        .having(sa.func.sum(amended.total_after_fen - amended.total_before_fen) > 0)
    )
    own = list(db.session.scalars(raised))
    if own:
        raise SameHand(RAISED, statement_ids=own)


def _raised_by_a_fact_of(by: Actor) -> Any:
    """Whether an amendment gave meals again because the register was changed, of an elder whose
    facts this person changed between the closing and it."""
    amended, trail = StatementAmendment, AuditRecord
    again = (
        sa.select(Grant.id)
        .join(Statement, Statement.period == Grant.period)
        .where(
            Statement.id == amended.statement_id,
            sa.or_(Statement.canteen_id == Grant.canteen_id, Statement.elder_id == Grant.elder_id),
            Grant.cause == "late_fact", Grant.sign > 0, Grant.made_at == amended.at,
            sa.or_(
                sa.exists().where(
                    trail.subject == "elder", trail.act.in_(FACT_ACTS), trail.actor == by.label,
                    trail.subject_id == sa.cast(Grant.elder_id, sa.String(40)),
                    trail.at.between(Statement.prepared_at, amended.at),
                ),
                sa.exists().where(  # what a file of the register adds has no record of its own
                    ElderFact.elder_id == Grant.elder_id, ElderFact.recorded_by == by.label,
                    ElderFact.recorded_at.between(Statement.prepared_at, amended.at),
                ),
            ),
        )
        .correlate(amended)
    )  # fmt: skip
    return sa.and_(
        amended.cause == "late_fact", amended.total_after_fen > amended.total_before_fen,
        again.exists(),
    )


def move(
    ids: Sequence[int], stage: str, to: str, due: date | None, verdict: str, by: Actor,
    at: datetime, reason: str = "", *, office: str = "",
) -> None:  # fmt: skip
    """Move statements that still stand at a stage, with a step for each; `office` is who acts,
    when that is not the stage itself. Refuses with Moved."""
    done = db.session.execute(
        sa.update(Statement)
        .where(Statement.id.in_(ids), Statement.stage == stage)
        .values(stage=to, stage_since=at, due_on=due)
        .execution_options(synchronize_session=False)
    )
    if changed(done) != len(ids):
        raise Moved(count=len(ids) - changed(done))
    db.session.execute(
        sa.insert(StatementStep),
        [
            {
                "statement_id": id_, "stage": office or stage, "verdict": verdict, "to_stage": to,
                "by_user_id": by.user_id, "by_label": by.label, "reason": reason, "at": at,
            }
            for id_ in ids
        ],
    )
