"""Lines sent back to be put right: only what is marked may be changed, with before and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.orders.models import Order
from canteen.reasons import reason_of
from canteen.settlements import reviewing
from canteen.settlements.finding import get_for
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.review_models import Correction
from canteen.settlements.rules import OFFICES
from canteen.settlements.standing import standing
from canteen.subsidies.models import Grant, is_last
from canteen.territory.actors import Actor
from canteen.words import Text

MOST_LINES = 1_000
ACTS = {
    "keep": Text("无误，说明情况", "It is right; say why"),
    "withdraw": Text("撤回这餐的补贴", "Give up this meal's subsidy"),
    "service": Text("改为实际用餐方式", "It was served another way"),
    "receiver": Text("补记送餐签收人", "Who took the delivery"),
}
# The same as what was answered.
ANSWERS = {
    "keep": Text("这一餐无误", "It is right"),
    "withdraw": Text("撤回了这餐的补贴", "Gave up this meal's subsidy"),
    "service": Text("改为实际用餐方式", "It was served another way"),
    "receiver": Text("补记了送餐签收人", "Said who took the delivery"),
}
STATES = {
    "asked": Text("待更正", "To be put right"),
    "answered": Text("已回复", "Answered"),
    "closed": Text("已核阅", "Taken note of"),
    "withdrawn": Text("不再要求", "No longer asked"),
}


class NothingMarked(Refused):
    """No line, or too many, were marked."""

    code = "nothing_marked"
    text = Text("请勾选 1 至 {most} 条要更正的餐次", "Mark between 1 and {most} meals")


class ForeignLine(NotFound):
    """A marked meal is not in this statement, or its subsidy does not stand any more."""

    code = "foreign_line"
    text = Text(
        "所选餐次不在这张结算单里，或补贴已收回",
        "A marked meal is not in this statement, or is not subsidised any more",
    )


class NoSuchCorrection(NotFound):
    """There is no such correction on this ground."""

    code = "no_such_correction"
    text = Text("没有找到这条更正", "This correction was not found")


class NotAsked(Conflict):
    """The line is not waiting for that any more."""

    code = "correction_moved"
    text = Text("这一条已经办理，请刷新", "This line was seen to already; look again")


class NotTheirs(Forbidden):
    """An office above asked for the line."""

    code = "correction_not_yours"
    text = Text(
        "这一条是上级要求更正的，须由上级撤回", "An office above asked for this line; it decides"
    )


@dataclass(frozen=True)
class Line:
    """A correction with its meal, for the page."""

    correction: Correction
    order: Order
    elder_name: str
    elder_last4: str


def send_back(
    statement_id: int, order_ids: Collection[int], what: str, by: Actor, at: datetime,
    *, days: Collection[date] = (),
) -> int:
    """Mark lines (and all lines of `days`) of a canteen's statement and return it to the operator;
    gives how many lines are asked for.

    `what` says what must be put right. Only those lines may then be changed. Refuses with
    NothingMarked, ForeignLine and as `reviewing.return_` does.
    """
    what = reason_of(what)
    standing([statement_id], by)
    statement = db.session.get_one(Statement, statement_id, populate_existing=True)
    if statement.payee != "canteen":
        raise reviewing.NowhereBack()
    wanted = sorted(_lines_in(statement, order_ids, days))
    if not 1 <= len(wanted) <= MOST_LINES:
        raise NothingMarked(most=MOST_LINES, field="orders")
    known = set(
        db.session.scalars(
            sa.select(Correction.order_id).where(
                Correction.statement_id == statement_id, Correction.state == "asked"
            )
        )
    )
    rows = [
        {
            "statement_id": statement_id, "order_id": order_id, "state": "asked", "what": what,
            "asked_by": by.label, "asked_at": at, "answer": "", "before": {}, "after": {},
        }
        for order_id in wanted
        if order_id not in known
    ]
    if rows:
        db.session.execute(sa.insert(Correction), rows)
    reviewing.return_(statement_id, what, by, at=at)
    record(by.label, "ask_corrections", "statement", statement_id,
           {"meals": wanted[:200], "count": len(wanted), "what": what})  # fmt: skip
    return len(wanted)


def close(statement_id: int, by: Actor, at: datetime) -> int:
    """Take note of the answered lines of a statement at the actor's office; gives how many.

    Not of those an office above asked for: it looks at the answers itself.
    """
    by.must_be("street", "district", "city")
    standing([statement_id], by)
    mine = OFFICES.index(by.role)
    asked_at = _offices_asking(statement_id)
    found = [
        each for each in _of(statement_id, "answered") if OFFICES.index(asked_at(each)) <= mine
    ]
    for correction in found:
        correction.state, correction.closed_by, correction.closed_at = "closed", by.label, at
    db.session.flush()
    if found:
        record(by.label, "close_corrections", "statement", statement_id,
               {"lines": [each.id for each in found]})  # fmt: skip
    return len(found)


def withdraw(correction_id: int, by: Actor, at: datetime) -> None:
    """The reviewer no longer asks for a line that was not answered yet, wherever the statement is.

    For the office that asked, or one above it. Refuses with NoSuchCorrection, Forbidden and
    NotAsked.
    """
    by.must_be("street", "district", "city")
    correction = get(correction_id, by)
    if correction.state != "asked":
        raise NotAsked()
    asked_at = _offices_asking(correction.statement_id)
    if OFFICES.index(by.role) < OFFICES.index(asked_at(correction)):
        raise NotTheirs()
    correction.state, correction.closed_by, correction.closed_at = "withdrawn", by.label, at
    db.session.flush()
    record(by.label, "withdraw_correction", "statement", correction.statement_id,
           {"line": correction.id, "meal": correction.order_id})  # fmt: skip


def get(correction_id: int, by: Actor) -> Correction:
    """One correction on the actor's ground, held. Refuses with NoSuchCorrection."""
    found = db.session.get(
        Correction, correction_id, populate_existing=True, with_for_update=True
    )
    if found is None:
        raise NoSuchCorrection()
    get_for(by, found.statement_id)
    return found


def lines_of(statement_id: int) -> list[Line]:
    """Every correction of a statement, what is open first."""
    rank = sa.case({"asked": 0, "answered": 1}, value=Correction.state, else_=2)
    rows = db.session.execute(
        sa.select(Correction, Order, Elder.name, Elder.ric_last4)
        .join(Order, Order.id == Correction.order_id)
        .join(Elder, Elder.id == Order.elder_id)
        .where(Correction.statement_id == statement_id)
        .order_by(rank, Order.on, Order.id, Correction.id)
        .execution_options(populate_existing=True)
    )
    return [Line(*row) for row in rows]


def asked_of(by: Actor) -> list[tuple[int, str, str, int]]:
    """What an operator or manager has to put right: (statement, period, canteen, lines)."""
    mine = {
        "operator": Statement.operator_id == by.operator_id,
        "manager": Statement.canteen_id == by.canteen_id,
    }.get(by.role, sa.false())
    rows = db.session.execute(
        sa.select(Statement.id, Statement.period, Canteen.name, sa.func.count())
        .join(Correction, Correction.statement_id == Statement.id)
        .join(Canteen, Canteen.id == Statement.canteen_id)
        .where(mine, Correction.state == "asked")
        .group_by(Statement.id, Statement.period, Canteen.name)
        .order_by(Statement.period, Statement.id)
    )  # fmt: skip
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def before_and_after(correction: Correction) -> list[tuple[str, object, object]]:
    """The fields an answer changed: (name, before, after)."""
    names = [*correction.before, *(n for n in correction.after if n not in correction.before)]
    return [
        (name, correction.before.get(name), correction.after.get(name))
        for name in names
        if correction.before.get(name) != correction.after.get(name)
    ]


def _offices_asking(statement_id: int) -> Callable[[Correction], str]:
    """Says of a line of this statement which office sent the statement back for it."""
    returned = sa.select(StatementStep.by_label, StatementStep.at, StatementStep.stage).where(
        StatementStep.statement_id == statement_id, StatementStep.verdict == "returned"
    )
    offices = {(step.by_label, step.at): step.stage for step in db.session.execute(returned)}
    return lambda line: offices.get((line.asked_by, line.asked_at), OFFICES[0])


def _of(statement_id: int, state: str) -> Sequence[Correction]:
    return db.session.scalars(
        sa.select(Correction)
        .where(Correction.statement_id == statement_id, Correction.state == state)
        .order_by(Correction.id).with_for_update().execution_options(populate_existing=True)
    ).all()  # fmt: skip


def _lines_in(
    statement: Statement, order_ids: Collection[int], days: Collection[date]
) -> set[int]:
    """The chosen meals of a statement whose subsidy stands; all of the chosen orders must."""
    first, last = clock.period_days(statement.period)
    standing_here = (
        sa.select(Grant.order_id)
        .where(
            Grant.period == statement.period, Grant.canteen_id == statement.canteen_id,
            Grant.sign > 0, is_last(Grant),
        )
    )  # fmt: skip
    chosen = set(order_ids)
    found = set(db.session.scalars(standing_here.where(Grant.order_id.in_(chosen))))
    if found != chosen:
        raise ForeignLine()
    whole = [each for each in days if first <= each <= last]
    if whole:
        found |= set(db.session.scalars(standing_here.where(Grant.on.in_(whole))))
    return found
