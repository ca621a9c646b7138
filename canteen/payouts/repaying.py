"""Money a payee sent back for a statement below nothing, instead of letting it be netted."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db, is_postgresql
from canteen.errors import Conflict, Forbidden, Refused
from canteen.money import yuan
from canteen.payouts.models import Repayment
from canteen.payouts.references import BadReference, alike, as_printed
from canteen.reasons import reason_of
from canteen.settlements import booking, finding
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.rules import OFFICES
from canteen.territory.actors import Actor
from canteen.words import Text, month

REPAYMENTS_LOCK = 20_261_101  # any number of our own: repayments are noted one after another


class NotOwing(Conflict):
    """The statement owes nothing that can be paid back: it is not carried, or a later one nets it
    or was passed itself."""

    code = "not_owing"
    text = Text(
        "这张结算单没有待退的款，或已由后面的结算单抵扣、结转",
        "This statement owes nothing, or a later one nets it or carries it on",
    )


class OtherAmount(Refused):
    """Only the whole sum can be noted as paid back."""

    code = "other_amount"
    text = Text("应退 {sum} 元，请核对到账金额", "{sum} yuan are owed; check what arrived")


class ReferenceUsed(Conflict):
    """One transfer of the bank was noted for another debt of the same sum."""

    code = "reference_used"
    text = Text(
        "银行流水号 {reference} 的 {sum} 元已登记为另一张结算单的退款，一笔款只能冲一笔账",
        "{sum} yuan under {reference} are noted for another statement; one transfer settles one",
    )


class DayAhead(Refused):
    """Money cannot have come on a day that has not."""

    code = "repaid_day_ahead"
    text = Text("到账日期不能晚于今天", "The day it came cannot lie ahead")


class DayBefore(Refused):
    """Nothing was owed yet."""

    code = "repaid_day_before"
    text = Text("到账日期不能早于{month}", "The day it came cannot lie before {month}")


class NotedAlready(Conflict):
    """A colleague noted it, and it waits to be confirmed."""

    code = "repayment_noted"
    text = Text(
        "这笔退款已有人登记，请由另一位同事复核，或先撤回登记",
        "This repayment is noted already; a colleague confirms it, or take the note back first",
    )


class NotNoted(Conflict):
    """No repayment of it waits to be confirmed."""

    code = "repayment_not_noted"
    text = Text(
        "没有待复核的退款登记，可能已被他人办理，请刷新",
        "No repayment waits to be confirmed here; look again",
    )


class SameHand(Forbidden):
    """Whoever noted the money does not confirm that it came."""

    code = "same_hand"
    text = Text(
        "这笔退款是您登记的，须由另一位同事对照银行流水复核",
        "You noted this repayment; a colleague must check it against the bank",
    )


def note(
    statement_id: int, amount_fen: int, received_on: date, reference: str, by: Actor, *,
    on: date, at: datetime,
) -> Repayment:  # fmt: skip
    """Note that a payee paid back (fen) what a carried statement is below nothing.

    For the district that pays, and the city. Nothing else changes before a colleague has confirmed
    it (`confirm`): the debt stays carried. Refuses StatementNotFound, NotOwing, NotedAlready,
    OtherAmount, BadReference, ReferenceUsed, DayAhead, DayBefore.
    """
    statement, _ = _owing(statement_id, by)
    if _noted(statement_id) is not None:
        raise NotedAlready()
    reference = as_printed(reference)
    made = Repayment(
        statement_id=statement_id, amount_fen=amount_fen, received_on=received_on,
        reference=reference, noted_by=by.label, noted_at=at,
    )
    _must_fit(made, statement, on)
    db.session.add(made)
    db.session.flush()
    record(by.label, "note_repayment", "statement", statement_id,
           {"amount_fen": amount_fen, "reference": reference})  # fmt: skip
    return made


def confirm(statement_id: int, by: Actor, *, on: date, at: datetime) -> Repayment:
    """Somebody else of the district or the city has found the money on the bank's statement.

    The statement is then "repaid" and no later one takes it up; the books show the mirror image of
    a payout. One that only rolled on, into a statement under review that earned nothing to net it
    with, is taken out of that again: what was carried was never booked twice. All that `note`
    refuses is refused again; and NotNoted, SameHand.
    """
    statement, later = _owing(statement_id, by)
    made = _waiting(statement_id)
    if by.user_id is None or made.noted_by == by.label:
        raise SameHand()
    _must_fit(made, statement, on)
    if later is not None:
        _take_out(statement, later, by, at)
    statement.stage, statement.stage_since, statement.due_on = "repaid", at, None
    made.confirmed_by, made.confirmed_at = by.label, at
    db.session.add(
        StatementStep(
            statement_id=statement_id, stage="carried", verdict="repaid", to_stage="repaid",
            by_user_id=by.user_id, by_label=by.label, reason=made.reference, at=at,
        )
    )
    db.session.flush()
    booking.post_repayment(statement_id, made.amount_fen, made.received_on, at)
    record(by.label, "repaid", "statement", statement_id,
           {"amount_fen": made.amount_fen, "reference": made.reference}
           | ({"taken_out_of": later.id} if later else {}))  # fmt: skip
    return made


def take_back(statement_id: int, reason: str, by: Actor) -> None:
    """What was noted did not come after all, or not so: the note goes, the trail keeps it.

    For whoever may note one. Refuses StatementNotFound, NotNoted, ReasonMissing.
    """
    _must_decide(statement_id, by)
    _held(statement_id)
    made, why = _waiting(statement_id), reason_of(reason)
    record(by.label, "drop_repayment", "statement", statement_id, {
        "amount_fen": made.amount_fen, "reference": made.reference, "noted_by": made.noted_by,
        "received_on": str(made.received_on), "reason": why,
    })  # fmt: skip
    db.session.delete(made)
    db.session.flush()


def waiting_count(by: Actor) -> int:
    """How many noted repayments this person may confirm."""
    if by.role not in ("district", "city"):
        return 0
    query = (
        sa.select(sa.func.count()).select_from(Repayment)
        .join(Statement, Statement.id == Repayment.statement_id)
        .where(Repayment.confirmed_at.is_(None), Repayment.noted_by != by.label,
               finding.visible(by))
    )  # fmt: skip
    return db.session.scalar(query) or 0


def _must_decide(statement_id: int, by: Actor) -> None:
    if by.role not in ("district", "city", "job"):
        raise Forbidden()
    finding.get_for(by, statement_id)


def _owing(statement_id: int, by: Actor) -> tuple[Statement, Statement | None]:
    """The statement and the one it was carried into, held, if it may be paid back now."""
    _must_decide(statement_id, by)
    statement, later = _held(statement_id)
    rolled = later is None or (
        later.stage in OFFICES and later.total_fen <= later.carried_fen
    )
    if statement.stage != "carried" or statement.total_fen >= 0 or not rolled:
        raise NotOwing()
    return statement, later


def _must_fit(made: Repayment, statement: Statement, on: date) -> None:
    """Refuse what cannot be the money that this statement owes."""
    owed = -statement.total_fen
    if made.amount_fen != owed:
        raise OtherAmount(field="amount", sum=yuan(owed))
    if not made.reference:
        raise BadReference(field="reference")
    if _noted_before(made.reference, owed, statement.id):
        raise ReferenceUsed(field="reference", reference=made.reference, sum=yuan(owed))
    if made.received_on > on:
        raise DayAhead(field="received_on")
    if made.received_on < clock.period_days(statement.period)[0]:
        raise DayBefore(field="received_on", month=month(statement.period))


def _noted(statement_id: int) -> Repayment | None:
    return db.session.scalar(
        sa.select(Repayment).where(Repayment.statement_id == statement_id)
        .with_for_update().execution_options(populate_existing=True)
    )  # fmt: skip


def _waiting(statement_id: int) -> Repayment:
    """What was noted and waits to be confirmed, held until the act ends."""
    made = _noted(statement_id)
    if made is None or made.confirmed_at is not None:
        raise NotNoted()
    return made


def _held(statement_id: int) -> tuple[Statement, Statement | None]:
    """A statement and the one that took it up, if any, held until the act ends."""
    into = sa.select(Statement.carried_into_id).where(Statement.id == statement_id)
    rows = db.session.scalars(
        sa.select(Statement)
        .where((Statement.id == statement_id) | (Statement.id == into.scalar_subquery()))
        .order_by(Statement.id).with_for_update().execution_options(populate_existing=True)
    ).all()  # fmt: skip
    by_id = {row.id: row for row in rows}
    statement = by_id[statement_id]
    if statement.carried_into_id is not None and statement.carried_into_id not in by_id:
        raise NotOwing()  # taken up in this instant
    return statement, by_id.get(statement.carried_into_id or 0)


def _take_out(statement: Statement, later: Statement, by: Actor, at: datetime) -> None:
    """What is paid back is carried no longer: the later statement tells it by a step."""
    later.carried_fen -= statement.total_fen
    later.total_fen -= statement.total_fen
    statement.carried_into_id = None
    said = Text("{month}的欠款已退回，不再结转", "what was owed for {month} was paid back").format(
        month=month(statement.period)
    )
    db.session.add(
        StatementStep(
            statement_id=later.id, stage=later.stage, verdict="amended", to_stage=later.stage,
            by_user_id=by.user_id, by_label=by.label, reason=f"{said.zh} / {said.en}", at=at,
        )
    )


def _noted_before(reference: str, amount_fen: int, statement_id: int) -> bool:
    """Whether this transfer was noted for another debt of this sum.

    Two who note one wait for each other. A transfer that pays several debts is told by their
    different sums.
    """
    if is_postgresql():
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(REPAYMENTS_LOCK)))
    as_told = sa.func.upper(sa.func.replace(Repayment.reference, " ", ""))
    found = sa.exists().where(
        as_told == alike(reference), Repayment.amount_fen == amount_fen,
        Repayment.statement_id != statement_id,
    )
    return bool(db.session.scalar(sa.select(found)))
