"""A cashier's time at a till: opened with a float, moved cash, counted blind, closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.errors import Conflict, Refused
from canteen.money import yuan
from canteen.orders.finding import get_for
from canteen.orders.remaining import cash_held
from canteen.territory.actors import Actor
from canteen.tills import booking
from canteen.tills.cash import (
    MOST_FEN,
    MOVES,
    ONE_WAY,
    BadSum,
    check_count,
    check_sum,
    drawer,
)
from canteen.tills.models import CashMove, Shift, TillEntry
from canteen.words import Text

MOST_REASON = 200


class ShiftOpen(Conflict):
    """The till has an open shift already, or had one of this number."""

    code = "shift_open"
    text = Text(
        "这台收银机已经开班，请先交班", "A shift is open at this till; close it first"
    )


class NoShift(Conflict):
    """No shift of this number is open at the till."""

    code = "no_shift"
    text = Text("还没有开班，或这一班已经交班", "No shift is open, or it was closed already")


class ReasonNeeded(Refused):
    """The count differs from what must be there. How much is not told: the count is blind."""

    code = "reason_needed"
    text = Text(
        "清点的现金与账面不符，请再数一遍；仍不符请写明原因",
        "The count differs from the books. Please count again; if it still does, write why",
    )


class ReasonTooLong(Refused):
    """More words than the record holds."""

    code = "reason_too_long"
    text = Text("原因请不超过 {most} 字", "A reason has at most {most} letters")


def open_shift(
    till_id: int, canteen_id: int, number: int, cashier_id: int, float_fen: int, at: datetime
) -> int:
    """Open a shift with so many fen of float in the drawer; gives its id.

    Refuses with ShiftOpen (one is open, or the number was used) and BadSum.
    """
    check_sum(float_fen, "float_fen")
    made = db.session.execute(
        insert(Shift.__table__)
        .values(
            till_id=till_id, canteen_id=canteen_id, number=number, cashier_id=cashier_id,
            opened_at=at, float_fen=float_fen, reason="",
        )
        .on_conflict_do_nothing()
        .returning(Shift.id)
    ).scalar()
    if made is None:
        raise ShiftOpen(number=number)
    detail = {"till": till_id, "number": number, "float_fen": float_fen}
    record(f"user:{cashier_id}", "open_shift", "shift", made, detail)
    return int(made)


def move(
    shift_id: int, fen: int, reason_code: str, reason: str, by: Actor, at: datetime, *,
    kept: bool = False,
) -> int:
    """Put cash into the drawer (fen > 0) or take it out (fen < 0); gives the move's id.

    Refuses with NoShift once the shift is closed, BadSum for nought, an absurd sum (also with what
    is in the drawer) or the wrong way for its reason, ReasonNeeded for "other" without words
    (unless it was `kept`: done before anybody could ask), ReasonTooLong.
    """
    if reason_code not in MOVES:
        raise Refused(
            Text("请选择存取原因", "Choose a reason"), code="bad_reason", field="reason_code"
        )
    reason = _words(reason)
    if not fen or check_sum(abs(fen), "fen") != abs(fen):
        raise BadSum(field="fen", most=yuan(MOST_FEN))
    kind = "paid_in" if fen > 0 else "paid_out"
    if ONE_WAY.get(reason_code, kind) != kind:
        raise BadSum(
            Text("这项原因与存取方向不符", "This reason goes the other way"), field="reason_code"
        )
    if reason_code == "other" and not reason and not kept:
        raise ReasonNeeded(
            Text("请写明这笔现金的去向或来历", "Say what this cash was for"), field="reason"
        )
    _open(shift_id)
    if abs(drawer(shift_id).expected_fen + fen) > MOST_FEN:  # else no count could ever close it
        raise BadSum(field="fen", most=yuan(MOST_FEN))
    return _write(shift_id, kind, abs(fen), None, by, at, reason_code, reason)


def collected(till_id: int | None, order_id: int, fen: int, by: Actor, at: datetime) -> int | None:
    """Cash taken for an order that was not sold at the till: into its open shift's drawer.

    Does nothing (None) when there is no till, no open shift or no cash.
    """
    return _of_order("collected", till_id, order_id, fen, by, at)


def refunded(till_id: int | None, order_id: int, fen: int, by: Actor, at: datetime) -> int | None:
    """Cash given back for an order, whole or in part: out of the drawer of the shift open now.

    Does nothing (None) when there is no till, no open shift or no cash. Call it for every order
    whose cash lay in the drawer, also one cancelled before the rest was paid online.
    """
    return _of_order("refunded", till_id, order_id, fen, by, at)


def back_from_drawer(order_id: int, by: Actor, at: datetime) -> int | None:
    """The cash part of an order cancelled because its online part never came is to be given back:
    out of the drawer of the till that took it. Does nothing (None) for any other order."""
    till_id = db.session.scalar(
        sa.select(TillEntry.till_id).where(
            TillEntry.order_id == order_id, TillEntry.kind == "sale"
        )
    )
    if till_id is None:
        return None
    return refunded(till_id, order_id, cash_held(get_for(by, order_id)), by, at)


def close_shift(
    shift_id: int, count: Any, counted_fen: int, reason: str, left_fen: int, by: Actor,
    at: datetime, *, kept: bool = False,
) -> Shift:
    """Close a shift with a count {fen: pieces}; what must be there is summed at this moment.

    `left_fen` stays in the drawer as the next float. Writes the entry "shift:<id>" in the
    canteen's book. Refuses with NoShift, BadCount and BadSum naming the field, ReasonTooLong,
    and ReasonNeeded when the count is over or short without a word on it, unless the closing was
    `kept`: then it has happened, and `explain` says why later.
    """
    pieces = check_count(count, counted_fen)
    if check_sum(left_fen, "left_fen") > counted_fen:
        raise BadSum(
            Text("留下的备用金不能多于清点的现金", "More cannot stay than was counted"),
            field="left_fen",
        )
    reason = _words(reason)
    shift = _open(shift_id)
    expected_fen = drawer(shift_id).expected_fen
    if counted_fen != expected_fen and not reason and not kept:
        raise ReasonNeeded(field="reason")
    shift.count = pieces
    shift.counted_fen, shift.expected_fen = counted_fen, expected_fen
    shift.over_fen, shift.left_fen = counted_fen - expected_fen, left_fen
    shift.reason = reason
    # A tablet's clock may be set back: a shift never ends before it began.
    shift.closed_at = max(at, shift.opened_at)
    db.session.flush()
    booking.book(shift)
    record(by.label, "close_shift", "shift", shift_id, {
        "counted_fen": counted_fen, "expected_fen": expected_fen, "over_fen": shift.over_fen,
        "left_fen": left_fen, "reason": reason,
    })  # fmt: skip
    return shift


def explain(shift_id: int, reason: str, by: Actor) -> None:
    """A manager says why a shift was over or short, where nobody had said so.

    Refuses with ReasonNeeded (no words), NoShift (still open, exact, or explained already).
    """
    by.must_be("manager")
    reason = _words(reason)
    if not reason:
        raise ReasonNeeded(Text("请写明原因", "Write why"), field="reason")
    shift = db.session.get(Shift, shift_id, with_for_update=True, populate_existing=True)
    if shift is None or shift.reason or not shift.over_fen:
        raise NoShift(Text("这一班没有待说明的长短款", "Nothing of this shift is to be explained"))
    shift.reason = reason
    db.session.flush()
    record(by.label, "explain_shift", "shift", shift_id, {
        "over_fen": shift.over_fen, "reason": reason,
    })  # fmt: skip


def _open(shift_id: int) -> Shift:
    """The shift, held until the transaction ends: no cash moves while it is being closed."""
    shift = db.session.get(Shift, shift_id, with_for_update=True, populate_existing=True)
    if shift is None or shift.closed_at is not None:
        raise NoShift()
    return shift


def _of_order(
    kind: str, till_id: int | None, order_id: int, fen: int, by: Actor, at: datetime
) -> int | None:
    if till_id is None or not fen:
        return None
    shift_id = db.session.scalar(
        sa.select(Shift.id)
        .where(Shift.till_id == till_id, Shift.closed_at.is_(None))
        .with_for_update()
    )
    if shift_id is None:
        return None
    return _write(shift_id, kind, fen, order_id, by, at)


def _write(
    shift_id: int, kind: str, fen: int, order_id: int | None, by: Actor, at: datetime,
    reason_code: str = "", reason: str = "",
) -> int:
    """Write the move; gives its id."""
    made = CashMove(
        shift_id=shift_id, kind=kind, fen=fen, order_id=order_id, reason_code=reason_code,
        reason=reason, moved_by=by.label, moved_at=at,
    )
    db.session.add(made)
    db.session.flush()
    return made.id


def _words(reason: str) -> str:
    """The reason without blanks around it; refuses with ReasonTooLong."""
    reason = str(reason or "").strip()
    if len(reason) > MOST_REASON:
        raise ReasonTooLong(field="reason", most=MOST_REASON)
    return reason
