"""Taking a till's journal in: each entry once, in its order, signed, and kept as it was signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.access.models import User
from canteen.audit.recording import record
from canteen.db import UTCDateTime, changed, db
from canteen.errors import CanteenError, Conflict, Forbidden, NotFound, Refused
from canteen.territory.actors import COUNTER, Actor
from canteen.tills import entries, keys, timing
from canteen.tills.entries import BadEntry, Envelope
from canteen.tills.keeping import Act, Done, carry_out
from canteen.tills.models import Shift, Till, TillEntry
from canteen.words import Text


class NoSuchTill(NotFound):
    """No tablet was ever enrolled under this id."""

    code = "no_such_till"
    text = Text("这台平板还没有登记", "This tablet is not enrolled")


class TillWithdrawn(Forbidden):
    """The tablet may not send anything until a manager reinstates it."""

    code = "till_withdrawn"
    text = Text(
        "这台收银机已停用。未上传的销售仍保存在平板上，请联系经理",
        "This till was withdrawn. Its unsent sales stay on the tablet; ask the manager",
    )


class JournalAltered(Conflict):
    """A number came again with another content: something was changed after it was signed."""

    code = "journal_altered"
    text = Text(
        "第 {number} 号记录与已收到的不同，请联系经理",
        "Entry {number} differs from the one received before; tell the manager",
    )
    alarm = "altered"


class JournalUnsigned(Refused):
    """The signature does not fit the entry, its number and the entry before it."""

    code = "journal_unsigned"
    text = Text(
        "第 {number} 号记录的签名不对，没有入账，请联系经理",
        "The signature of entry {number} does not fit; it was not booked; tell the manager",
    )
    alarm = "unsigned"


@dataclass(frozen=True)
class Sent:
    """An entry as it came."""

    number: int
    body: str
    mac: str


@dataclass(frozen=True)
class Call:
    """What a tablet said with its entries: `last` is the highest number it ever made, `off_ms`
    how far our clock is ahead of its own, `live` that it waits before handing anything over."""

    till_id: int
    last: int
    off_ms: int
    live: bool
    received_at: datetime


def head(till_id: int) -> tuple[int, int]:
    """The last number received of a till, and the highest it said it made. NoSuchTill, and
    TillWithdrawn."""
    row = db.session.execute(
        sa.select(Till.head, Till.claimed, Till.withdrawn_at).where(Till.id == till_id)
    ).first()
    if row is None:
        raise NoSuchTill()
    if row.withdrawn_at is not None:
        raise TillWithdrawn()
    return row.head, row.claimed


def take(call: Call, sent: Sent, refusal: CanteenError | None = None) -> dict[str, Any] | None:
    """Take the next entry in, inside the door's transaction; what became of it, as JSON.

    An entry that was taken before gives what it gave then; one whose predecessor is missing gives
    None. With `refusal`, the entry that cannot be carried out is kept with that reason instead.
    Refuses NoSuchTill, TillWithdrawn, JournalAltered, JournalUnsigned (nothing was taken; the
    door calls `sound_alarm`), and whatever the entry itself is refused with.
    """
    said = entries.envelope(sent.body)
    asked = {"till": call.till_id, "shift": said and said.shift, "user": said and said.cashier}
    row = db.session.connection().execute(_HEAD, asked).first()
    if row is None:
        raise NoSuchTill()
    if row.withdrawn_at is not None:
        raise TillWithdrawn()
    if sent.number <= row.head:
        return _again(call, sent, row)
    if sent.number > row.head + 1:
        return None
    key = keys.key_for(call.till_id, row.salt)
    if not keys.signed(key, row.head_mac, sent.number, sent.body, sent.mac):
        raise JournalUnsigned(number=sent.number)
    device_at = said.at if said else call.received_at
    off_ms = call.off_ms if said is None or said.off is None else said.off
    if abs(off_ms) > timing.MOST_OFF_MS:
        off_ms = call.off_ms
    after = row.head_at or row.enrolled_at  # no till sold before it was one
    made = timing.made_at(device_at, off_ms, after, call.received_at)
    if not _advance(call, sent, made):
        return _again(call, sent, row)  # another copy of it was quicker
    if said is None and refusal is None:
        if call.live:
            raise BadEntry()
        refusal = BadEntry()
    act = _act(call, sent, said, row, made)
    if refusal is None and said is not None:
        done = carry_out(act, entries.body(said.kind, sent.body))
    else:
        done = Done(shift_id=act.shift_id if act.shift_open else None)
    late = timing.notes(off_ms, made, call.received_at) if not call.live else []
    done.notes = late + done.notes
    outcome = _outcome(sent.number, done, refusal)
    db.session.connection().execute(
        _KEEP,
        {
            "till_id": call.till_id, "number": sent.number,
            "kind": said.kind if said else "withdrawn", "shift_id": done.shift_id,
            "cashier_id": row.user_id, "order_id": done.order_id, "kept": not call.live,
            "device_at": device_at, "made_at": made, "received_at": call.received_at,
            "body": sent.body, "mac": sent.mac, "outcome": outcome, "notes": done.notes,
        },
    )
    return outcome


def sound_alarm(till_id: int, alarm: str, at: datetime) -> None:
    """Note the first thing about a till's chain that cannot be true, until a manager has looked."""
    rung = db.session.execute(
        sa.update(Till)
        .where(Till.id == till_id, Till.alarm.is_(None))
        .values(alarm=alarm, alarm_at=at)
        .execution_options(synchronize_session=False)
    )
    if changed(rung):
        record(f"till:{till_id}", "alarm", "till", till_id, {"alarm": alarm})


def _again(call: Call, sent: Sent, row: Any) -> dict[str, Any]:
    """What an entry that was taken before gave then."""
    found = db.session.execute(_TAKEN, {"till": call.till_id, "of": sent.number}).all()
    macs = {each.number: each.mac for each in found}
    if sent.number not in macs:  # the till was withdrawn in this very instant
        raise TillWithdrawn()
    if macs[sent.number] == sent.mac:
        return dict(found[-1].outcome)
    key = keys.key_for(call.till_id, row.salt)
    if keys.signed(key, macs.get(sent.number - 1, ""), sent.number, sent.body, sent.mac):
        raise JournalAltered(number=sent.number)
    raise JournalUnsigned(number=sent.number)


def _advance(call: Call, sent: Sent, made: datetime) -> bool:
    """Move the till's head to this entry; False when another request did so first."""
    moved = db.session.connection().execute(
        _ADVANCE,
        {
            "till": call.till_id, "before": sent.number - 1, "to": sent.number,
            "signature": sent.mac, "made": made, "said": max(call.last, sent.number),
            "now": call.received_at, "drift": call.off_ms,
        },
    )
    return changed(moved) == 1


def _act(call: Call, sent: Sent, said: Envelope | None, row: Any, made: datetime) -> Act:
    """Who did it, in which shift, when."""
    ended = row.disabled_at is not None and row.disabled_at <= made
    known = row.role in COUNTER and row.user_canteen_id == row.canteen_id and not ended
    by = Actor(
        role=row.role if known else "cashier", user_id=row.user_id,
        name=row.user_name or f"till:{call.till_id}", canteen_id=row.canteen_id,
    )
    return Act(
        till_id=call.till_id, canteen_id=row.canteen_id, number=sent.number, by=by, known=known,
        shift_number=said.shift if said else None, shift_id=row.shift_id,
        shift_open=row.shift_id is not None and row.closed_at is None, live=call.live,
        made_at=made, received_at=call.received_at,
    )


def _outcome(number: int, done: Done, refusal: CanteenError | None) -> dict[str, Any]:
    """What became of an entry, as the tablet is told and as it is kept."""
    text = refusal.text if refusal else None
    return {
        "number": number, "result": "refused" if refusal else "done",
        "order_id": done.order_id, "state": done.state,
        "code": refusal.code if refusal else None,
        "text": {"zh": text.zh, "en": text.en} if text else None,
        "charge_id": done.charge_id, "parts": done.parts, "bearer": done.bearer,
        "drawer": done.drawer, "notes": done.notes,
    }


_TILL, _SHIFT, _USER, _ENTRY = (
    sa.inspect(model).local_table for model in (Till, Shift, User, TillEntry)
)
_HEAD = (
    sa.select(
        _TILL.c.canteen_id, _TILL.c.salt, _TILL.c.head, _TILL.c.head_mac, _TILL.c.head_at,
        _TILL.c.enrolled_at, _TILL.c.withdrawn_at,
        _SHIFT.c.id.label("shift_id"), _SHIFT.c.closed_at,
        _USER.c.id.label("user_id"), _USER.c.role, _USER.c.name.label("user_name"),
        _USER.c.canteen_id.label("user_canteen_id"), _USER.c.disabled_at,
    )
    .outerjoin(
        _SHIFT,
        sa.and_(
            _SHIFT.c.till_id == _TILL.c.id,
            _SHIFT.c.number == sa.bindparam("shift", type_=sa.Integer),
        ),
    )
    .outerjoin(_USER, _USER.c.id == sa.bindparam("user", type_=_USER.c.id.type))
    .where(_TILL.c.id == sa.bindparam("till", type_=_TILL.c.id.type))
)
_SAID = sa.bindparam("said", type_=sa.Integer)
_ADVANCE = (
    sa.update(_TILL)
    .where(
        _TILL.c.id == sa.bindparam("till", type_=_TILL.c.id.type),
        _TILL.c.head == sa.bindparam("before", type_=sa.Integer),
        _TILL.c.withdrawn_at.is_(None),
    )
    .values(
        head=sa.bindparam("to", type_=sa.Integer),
        head_mac=sa.bindparam("signature", type_=sa.String),
        head_at=sa.bindparam("made", type_=UTCDateTime),
        claimed=sa.case((_TILL.c.claimed < _SAID, _SAID), else_=_TILL.c.claimed),
        seen_at=sa.bindparam("now", type_=UTCDateTime),
        drift_ms=sa.bindparam("drift", type_=_TILL.c.drift_ms.type),
    )
)
_KEEP = sa.insert(_ENTRY)
_TAKEN = (
    sa.select(_ENTRY.c.number, _ENTRY.c.mac, _ENTRY.c.outcome)
    .where(
        _ENTRY.c.till_id == sa.bindparam("till", type_=_ENTRY.c.till_id.type),
        _ENTRY.c.number.between(
            sa.bindparam("of", type_=sa.Integer) - 1, sa.bindparam("of", type_=sa.Integer)
        ),
    )
    .order_by(_ENTRY.c.number)
)
