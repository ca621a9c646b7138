"""Where tablets send their journal: entry by entry, each its own act, answered as JSON.

The signature of each entry is what lets it in; a cookie would say less. What was taken before an
entry that fails stays taken, and sending all of it again does no harm.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import structlog
from flask import Response, jsonify, request
from sqlalchemy.exc import DataError, IntegrityError

from canteen import clock
from canteen.db import db, transaction
from canteen.errors import CanteenError, Refused
from canteen.tills import enrolling, journal, timing
from canteen.tills.entries import LONGEST, Number
from canteen.tills.models import Till
from canteen.web.cashier.door import blueprint
from canteen.web.cashier.tablet import MARK
from canteen.web.errors import BROKEN_JSON, shape, status_of
from canteen.web.guards import MB, public
from canteen.words import Text

log = structlog.get_logger("canteen.web")
MOST_AT_ONCE = 500  # more are taken with the next call


class BadJournal(Refused):
    """The call is not what a tablet of ours sends."""

    code = "bad_journal"
    text = Text("上传的内容格式不对", "What was sent is not a journal")


class BrokenEntry(Refused):
    """The database would not hold what the entry says: kept as it is, for people to look at."""

    code = "broken_entry"
    text = Text(
        "这条记录未能入账，已原样保存，请联系经理",
        "This entry could not be booked; it is kept as it is; tell the administrator",
    )


class _Entry(msgspec.Struct, frozen=True):
    number: Number
    body: Annotated[str, msgspec.Meta(max_length=LONGEST, pattern=r"^[^\x00]*$")]
    mac: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class _Journal(msgspec.Struct, frozen=True):
    till: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    entries: list[_Entry]
    last: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    now: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    live: bool = False


_read = msgspec.json.Decoder(_Journal)


@blueprint.post("/journal")
@public(body=MB, own_page=False)
def take_journal() -> tuple[Response, int]:
    """Take in what a till has done, in order; what became of each, and how far we have come."""
    try:
        return jsonify(_taken(request.get_data(cache=False))), 200
    except CanteenError as refusal:
        status, _ = status_of(refusal)
        no = shape(refusal.code, refusal.text, field=refusal.field, detail=refusal.detail)
        return jsonify(no), status
    except UnicodeDecodeError:
        return jsonify(shape(*BROKEN_JSON)), 400


def _taken(data: bytes) -> dict[str, Any]:
    """Every entry in its turn; stops at the first that does not follow on the last one taken."""
    now = clock.now()
    try:
        sent = _read.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadJournal(why=str(error)[:200]) from error
    if sent.live and len(sent.entries) != 1:
        raise BadJournal(field="entries")
    off_ms = timing.offset_ms(now, sent.now)
    call = journal.Call(sent.till, sent.last, off_ms, sent.live, now)
    outcomes: list[dict[str, Any]] = []
    for entry in sent.entries[:MOST_AT_ONCE]:
        outcome = _take(call, journal.Sent(entry.number, entry.body, entry.mac))
        if outcome is None:
            break
        outcomes.append(outcome)
    if sent.live and outcomes:  # a queue waits: what it needs is known
        head, claimed = entry.number, max(sent.last, entry.number)
    else:
        head, claimed = journal.head(sent.till)
    return {"now": now.isoformat(), "head": head, "claimed": claimed, "outcomes": outcomes}


def _take(
    call: journal.Call, entry: journal.Sent, again: bool = False
) -> dict[str, Any] | None:
    """One entry. A tablet that waits is told no; one that has acted is told how it was kept."""
    try:
        with transaction():
            return journal.take(call, entry)
    except (journal.JournalAltered, journal.JournalUnsigned) as broken:
        # A fitting signature is the tablet's own; without one, only what comes from it rings.
        if broken.alarm == journal.JournalAltered.alarm or _is_tablet(call.till_id):
            with transaction():
                journal.sound_alarm(call.till_id, broken.alarm, call.received_at)
        raise
    except (journal.NoSuchTill, journal.TillWithdrawn):
        raise
    except CanteenError as refusal:
        if call.live:
            raise
        reason = refusal
    except (IntegrityError, DataError) as fault:
        if call.live:
            raise
        if not again:  # somebody else may have written the same row in that instant
            return _take(call, entry, again=True)
        log.error("broken_entry", till=call.till_id, number=entry.number, fault=str(fault)[:300])
        reason = BrokenEntry()
    with transaction():
        return journal.take(call, entry, refusal=reason)


def _is_tablet(till_id: int) -> bool:
    """Whether this call comes from the very tablet that was enrolled as the till."""
    till = db.session.get(Till, till_id)
    return till is not None and enrolling.is_marked(till, request.cookies.get(MARK, ""))
