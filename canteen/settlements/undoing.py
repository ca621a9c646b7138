"""Taking back one's own approval while nobody has acted on it: a step more, never one less."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import CanteenError, Conflict
from canteen.reasons import reason_of
from canteen.settlements import booking, paying_out, rules
from canteen.settlements.deadlines import due_on
from canteen.settlements.finding import get_for
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.review_models import Correction, SampledMeal
from canteen.settlements.rules import OFFICES
from canteen.settlements.standing import move, other_hands
from canteen.territory.actors import Actor
from canteen.words import Text

# How an office is passed: by its people, or by the rule when it was silent.
PASSED = ("confirmed", "approved", "consented", "escalated")
# The true-ups' room lies above this one: all that is read of it is whether a year's final one
# stands.
TRUE_UPS = sa.table("true_ups", *map(sa.column, ("year", "district_code", "kind", "state")))


class NothingToUndo(Conflict):
    """The last step was not this office's, or the next office has begun."""

    code = "nothing_to_undo"
    text = Text(
        "下一环节已经开始办理，不能撤回；如有差错请对方退回",
        "The next office has begun; it cannot be taken back. Ask them to return it",
    )


class TakenBackBefore(Conflict):
    """What a payee owes passes by silence; silence is taken back once."""

    code = "taken_back_before"
    text = Text(
        "您已撤回过一次，这张应扣回的结算单不能再撤回；如有差错请对方退回，或对核减提出申诉",
        "You took it back once already; what is owed cannot be taken back again. Ask the next"
        " office to return it, or object to what was denied",
    )


class TruedUp(Conflict):
    """The final true-up of city and district has counted the statement."""

    code = "trued_up"
    text = Text(
        "{year}年终清算已复核，这张结算单已计入，不能撤回；有差错的餐次请在以后的月份更正",
        "The final true-up of {year} was confirmed and counts this statement; it cannot be taken"
        " back. Put wrong meals right in a later month",
    )


def undo(statement_id: int, reason: str, by: Actor, *, at: datetime | None = None) -> str:
    """Take back the approval of the actor's office, saying why; gives the stage it stands at again.

    Possible until the next office has acted: moved the statement, looked at a meal of its sample
    or changed its sums; the city's until its payout was put into a batch, or its remainder taken
    up. What silence brought about may be taken back as well, what is owed once. Refuses with
    NotFound, ReasonMissing, SameHand, NothingToUndo, TakenBackBefore, TruedUp and PayoutUnderWay.
    """
    at = at or clock.now()
    reason = reason_of(reason)
    get_for(by, statement_id)
    row = db.session.get_one(
        Statement, statement_id, populate_existing=True, with_for_update=True
    )
    if by.user_id is None:
        raise NothingToUndo()
    refusal = _refusal(row, by, lock=True)
    if refusal:
        raise refusal
    other_hands([row.id], by)
    if row.stage == "approved":
        paying_out.withdraw([row.id])
    if row.stage == "carried":
        booking.take_back_cleared(row.id, clock.business_date(at), f"Approval of {row.id} undone")
    rule = rules.rule_of(row)
    due = due_on(row.period, by.role, clock.business_date(at), rule)
    was = row.stage
    move([row.id], was, by.role, due, "undone", by, at, reason, office=by.role)
    record(by.label, "undone", "statement", row.id, {"was": was, "reason": reason})
    return by.role


def may_undo(statement: Statement, by: Actor) -> bool:
    """Whether the last step of a statement was this office's and nobody has acted after it."""
    return _refusal(statement, by) is None


def _refusal(statement: Statement, by: Actor, *, lock: bool = False) -> CanteenError | None:
    if by.role not in OFFICES or statement.stage in ("paid", "repaid", *OFFICES[:1]):
        return NothingToUndo()
    if statement.stage == "carried" and statement.carried_into_id is not None:
        return NothingToUndo()
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
        return NothingToUndo()
    begun = sa.union_all(
        sa.select(SampledMeal.order_id).where(
            SampledMeal.statement_id == statement.id, SampledMeal.looked_at > last.at
        ),
        sa.select(Correction.id).where(
            Correction.statement_id == statement.id, Correction.closed_at > last.at
        ),
    )
    if db.session.execute(begun.limit(1)).first() is not None:
        return NothingToUndo()
    if by.role == "operator" and statement.total_fen <= 0 and _took_back(statement.id):
        return TakenBackBefore()
    return _true_up(statement, lock) if by.role == OFFICES[-1] else None


def _took_back(statement_id: int) -> bool:
    """Whether the operator took a step back before."""
    undone = sa.exists().where(
        StatementStep.statement_id == statement_id, StatementStep.stage == "operator",
        StatementStep.verdict == "undone",
    )
    return bool(db.session.scalar(sa.select(undone)))


def _true_up(statement: Statement, lock: bool) -> TruedUp | None:
    """TruedUp when the final true-up of the statement's year stands; a draft is held, so that it
    is not confirmed meanwhile."""
    year, known = int(statement.period[:4]), TRUE_UPS.c
    query = sa.select(known.state).where(
        known.year == year, known.district_code == statement.district_code, known.kind == "final"
    )
    state = db.session.scalar(query.with_for_update() if lock else query)
    return TruedUp(year=year) if state not in (None, "draft") else None
