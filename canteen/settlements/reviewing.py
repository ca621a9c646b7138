"""The review of a statement: operator, street, district, city; nobody passes what they prepared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from canteen import clock
from canteen.audit.recording import record, record_each
from canteen.errors import Refused
from canteen.notices.telling import tell
from canteen.reasons import reason_of
from canteen.settlements import booking, gates, paying_out, rules
from canteen.settlements.deadlines import due_on
from canteen.settlements.standing import (
    Moved,
    NotYourTurn,
    SameHand,
    move,
    must_not_have_raised,
    standing,
)
from canteen.territory.actors import Actor
from canteen.words import Text, month

__all__ = [
    "Moved",
    "NotYourTurn",
    "NothingChosen",
    "NowhereBack",
    "Passed",
    "SameHand",
    "approve",
    "confirm",
    "due_on",
    "return_",
]  # fmt: skip

MOST_AT_ONCE = 2_000


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
    """Pass statements on to the next office of their rule; the city's approval orders the payout.

    All of them or none. The actor's role says at which stage they must stand. A statement of
    nothing or less is not paid but carried to the next month; one of exactly nothing is cleared in
    the books. Refuses with NotFound (not on the
    actor's ground), NotYourTurn, SameHand (the city's also of who raised the sum), Moved,
    NothingChosen, and NotReady while a line is to be put right, a drawn meal was not looked at or
    a finding that holds is undecided.
    """
    at = at or clock.now()
    ids = sorted(set(statement_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise NothingChosen(most=MOST_AT_ONCE, field="statement_ids")
    stage, rows = standing(ids, by)
    if stage == "city":
        must_not_have_raised(ids, by)
    gates.must_be_ready(ids, stage)
    verdict = "confirmed" if stage == "operator" else "approved"
    known = rules.by_ids(row.rule_id for row in rows)
    moves: dict[tuple[str, date | None], list[int]] = {}
    for row in rows:
        rule = known[row.rule_id]
        to = rule.after(stage, row.payee)
        if to == "approved" and row.total_fen <= 0:
            to = "carried"
        due = due_on(row.period, to, clock.business_date(at), rule)
        moves.setdefault((to, due), []).append(row.id)
    for (to, due), moved in moves.items():
        move(moved, stage, to, due, verdict, by, at)
    approved = [id_ for (to, _), moved in moves.items() if to == "approved" for id_ in moved]
    paying_out.order(approved, at)
    if stage == "city":
        booking.post_cleared([row.id for row in rows if not row.total_fen],
                             clock.business_date(at), at)  # fmt: skip
    told = {row.id: {"stage": stage, "total_fen": row.total_fen} for row in rows}
    record_each(by.label, verdict, "statement", told)
    counted: Counter[str] = Counter()
    for (to, _), moved in moves.items():
        counted[to] += len(moved)
    return Passed(len(rows), dict(counted))


def return_(statement_id: int, reason: str, by: Actor, *, at: datetime | None = None) -> str:
    """Send a statement back to where its chain begins, saying why; gives that stage.

    A canteen's goes back to its operator, who is told at once, an elder's to its first office.
    Refuses with ReasonMissing, NowhereBack and whatever `approve` refuses with.
    """
    at = at or clock.now()
    reason = reason_of(reason)
    stage, (row,) = standing([statement_id], by)
    rule = rules.by_ids([row.rule_id])[row.rule_id]
    to = "operator" if row.payee == "canteen" else rule.first("elder")
    if to == stage:
        raise NowhereBack()
    due = due_on(row.period, to, clock.business_date(at), rule)
    move([row.id], stage, to, due, "returned", by, at, reason)
    if row.operator_id and to == "operator":
        words = Text(
            "{month}的结算单被退回：{why}", "The statement of {month} came back: {why}"
        ).format(month=month(row.period), why=Text(reason[:120], reason[:120]))
        tell(
            f"returned:{row.id}:{at.isoformat()}", "returned", words, at=at,
            operator_id=row.operator_id, path=f"/operator/statements/{row.id}",
        )  # fmt: skip
    record(by.label, "returned", "statement", row.id, {"stage": stage, "reason": reason})
    return to
