"""The review of a statement: operator, street, district, city; nobody passes what they prepared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock
from canteen.audit.recording import record, record_each
from canteen.db import changed, db
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.settlements import paying_out
from canteen.settlements.deadlines import due_on
from canteen.settlements.finding import visible
from canteen.settlements.models import STAGES, Statement, StatementStep
from canteen.territory.actors import Actor
from canteen.words import Text

NEXT = {"operator": "street", "street": "district", "district": "city", "city": "approved"}
MOST_AT_ONCE = 2_000
SHORTEST_REASON = 4


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
        "{count} of these statements were moved by somebody else; none was changed, look again",
    )


class ReasonMissing(Refused):
    """Sending a statement back needs a reason."""

    code = "reason_missing"
    text = Text("请写明退回原因(至少4个字)", "Say why it goes back (at least 4 characters)")


class NothingChosen(Refused):
    """No statement, or too many, were chosen."""

    code = "nothing_chosen"
    text = Text("请选择 1 至 {most} 张结算单", "Choose between 1 and {most} statements")


class NowhereBack(Refused):
    """The first office of a chain has nobody to send the statement back to."""

    code = "nowhere_back"
    text = Text("这是第一个环节，无处可退", "This is the first office of the chain")


@dataclass(frozen=True)
class Passed:
    """How many statements moved, to which stages."""

    count: int
    to: dict[str, int]


def confirm(statement_ids: Sequence[int], by: Actor, *, at: datetime | None = None) -> Passed:
    """The operator agrees with its statements; see `approve`."""
    by.must_be("operator")
    return approve(statement_ids, by, at=at)


def approve(statement_ids: Sequence[int], by: Actor, *, at: datetime | None = None) -> Passed:
    """Pass statements on to the next office; the city's approval orders the payout.

    All of them or none. The actor's role says at which stage they must stand. A statement of
    nothing or less is not paid but carried to the next month. Refuses with NotFound (not on the
    actor's ground), NotYourTurn, SameHand, Moved and NothingChosen.
    """
    at = at or clock.now()
    ids = sorted(set(statement_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise NothingChosen(most=MOST_AT_ONCE, field="statement_ids")
    stage, rows = _standing(ids, by)
    verdict = "confirmed" if stage == "operator" else "approved"
    moves: dict[tuple[str, date | None], list[int]] = {}
    for row in rows:
        to = NEXT[stage]
        if to == "approved" and row.total_fen <= 0:
            to = "carried"
        due = due_on(row.period, to, clock.business_date(at))
        moves.setdefault((to, due), []).append(row.id)
    for (to, due), moved in moves.items():
        _move(moved, stage, to, due, verdict, by, at)
    approved = [id_ for (to, _), moved in moves.items() if to == "approved" for id_ in moved]
    paying_out.order(approved, at)
    told = {row.id: {"stage": stage, "total_fen": row.total_fen} for row in rows}
    record_each(by.label, verdict, "statement", told)
    return Passed(len(rows), dict(Counter({to: len(ids) for (to, _), ids in moves.items()})))


def return_(statement_id: int, reason: str, by: Actor, *, at: datetime | None = None) -> str:
    """Send a statement back to where its chain begins, saying why; gives that stage.

    A canteen's goes back to its operator, an elder's to the street. Refuses with ReasonMissing,
    NowhereBack and whatever `approve` refuses with.
    """
    at = at or clock.now()
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise ReasonMissing(field="reason")
    stage, (row,) = _standing([statement_id], by)
    to = "operator" if row.payee == "canteen" else "street"
    if to == stage:
        raise NowhereBack()
    due = due_on(row.period, to, clock.business_date(at))
    _move([row.id], stage, to, due, "returned", by, at, reason[:400])
    record(by.label, "returned", "statement", row.id, {"stage": stage, "reason": reason[:400]})
    return to


def _standing(ids: list[int], by: Actor) -> tuple[str, Sequence[Any]]:
    """The statements as they stand, if this actor may act on every one of them now."""
    rows = db.session.execute(
        sa.select(Statement.__table__).where(Statement.id.in_(ids), visible(by))
        .order_by(Statement.id)
    ).all()  # fmt: skip
    if len(rows) != len(ids):
        raise NotFound()
    if by.role not in NEXT or by.user_id is None:
        raise NotYourTurn(stage=STAGES[rows[0].stage])
    stages = list(STAGES)
    for row in rows:
        if stages.index(row.stage) < stages.index(by.role):
            raise NotYourTurn(stage=STAGES[row.stage])
    moved = [row.id for row in rows if row.stage != by.role]
    if moved:
        raise Moved(count=len(moved), statement_ids=moved)
    _other_hands(ids, by)
    return by.role, rows


def _other_hands(ids: list[int], by: Actor) -> None:
    """Refuse when the actor prepared one of these, or acted elsewhere since its last return."""
    step, later = aliased(StatementStep), aliased(StatementStep)
    returned = (
        sa.select(sa.func.coalesce(sa.func.max(later.id), 0))
        .where(later.statement_id == step.statement_id, later.verdict == "returned")
        .scalar_subquery()
    )
    mine = sa.select(step.statement_id).where(
        step.statement_id.in_(ids),
        step.by_label == by.label,
        step.stage != by.role,
        (step.id >= returned) | (step.verdict == "prepared"),
    )
    own = list(db.session.scalars(mine.distinct()))
    if own:
        raise SameHand(statement_ids=own)


def _move(
    ids: list[int], stage: str, to: str, due: date | None, verdict: str, by: Actor, at: datetime,
    reason: str = "",
) -> None:  # fmt: skip
    """Move statements that still stand at a stage, with a step for each."""
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
                "statement_id": id_, "stage": stage, "verdict": verdict, "to_stage": to,
                "by_user_id": by.user_id, "by_label": by.label, "reason": reason, "at": at,
            }
            for id_ in ids
        ],
    )
