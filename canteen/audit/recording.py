"""Appending to the audit chain, and walking it to see that it is whole.

What is recorded waits in the session and is appended when the act commits, after everything else
of it. The chain's end is one lock for the whole house: whoever held it while still waiting for a
statement, a payout or a month could wait for somebody who waits for the chain.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from canteen import clock, config
from canteen.audit.models import AuditRecord
from canteen.db import canonical, db, is_postgresql

GENESIS = "0" * 64
CHAIN_LOCK = 20_190_901  # any number of our own: one writer at the chain's end at a time
WAITING = "audit_records"  # where in the session they wait


def record(
    by: str, act: str, subject: str, subject_id: object, detail: dict[str, Any] | None = None
) -> None:
    """Append one record when the act's own transaction commits; none if it does not.

    `by` is who acted ("user:7", "job:judge"), `act` a verb ("approve"), `subject` and
    `subject_id` the thing. `detail` must be JSON and never holds an ID number or a secret.
    """
    record_each(by, act, subject, {subject_id: detail or {}})


def record_each(
    by: str, act: str, subject: str, details: Mapping[object, dict[str, Any]]
) -> None:
    """Record each of many things acted on at once, {subject id: detail}, as `record` does."""
    if not details:
        return
    session = db.session()
    session.connection()  # with a transaction begun, a rollback is told of
    session.info.setdefault(WAITING, []).extend(
        {"actor": by, "act": act, "subject": subject, "subject_id": str(subject_id),
         "detail": dict(detail)}
        for subject_id, detail in details.items()
    )  # fmt: skip


@sa.event.listens_for(db.session, "before_commit")
def _append(session: Session) -> None:
    """Chain what waits, once all else of the act is written and held."""
    waiting = session.info.pop(WAITING, None)
    if not waiting:
        return
    session.flush()
    if is_postgresql():
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
    last = session.execute(
        sa.select(AuditRecord.id, AuditRecord.hash).order_by(AuditRecord.id.desc()).limit(1)
    ).first()
    first, previous = (last.id + 1, last.hash) if last else (1, GENESIS)
    at = clock.now()
    rows = []
    for number, told in enumerate(waiting, first):
        row = {"id": number, "at": at, **told, "previous_hash": previous}
        row["hash"] = previous = hash_of(row)
        rows.append(row)
    session.execute(sa.insert(AuditRecord.__table__), rows)


@sa.event.listens_for(db.session, "after_rollback")
def _forget(session: Session) -> None:
    """Of an act that was not saved nothing is recorded."""
    session.info.pop(WAITING, None)


def end() -> dict[str, Any]:
    """Where the chain ends now, to be noted elsewhere: a chain cut short there is then seen."""
    last = db.session.execute(
        sa.select(AuditRecord.id, AuditRecord.hash).order_by(AuditRecord.id.desc()).limit(1)
    ).first()
    return {"id": last.id, "hash": last.hash} if last else {}


def breaks() -> Iterator[tuple[int, str]]:
    """Walk the whole chain; gives (record id, what is wrong) for each place where it is broken."""
    previous, expected = GENESIS, 1
    rows = db.session.execute(
        sa.select(AuditRecord.__table__).order_by(AuditRecord.id).execution_options(yield_per=5000)
    )
    for row in rows.mappings():
        if row["id"] != expected:
            yield row["id"], f"record {expected} is missing"
        if row["previous_hash"] != previous:
            yield row["id"], "is not chained to the record before it"
        if not hmac.compare_digest(row["hash"], hash_of(dict(row))):
            yield row["id"], "was altered after it was written"
        previous, expected = row["hash"], row["id"] + 1


def hash_of(row: Mapping[str, Any]) -> str:
    """The keyed hash of a record's particulars and of the record before it."""
    parts = {name: row[name] for name in row if name not in ("hash", "at")}
    parts["at"] = row["at"].isoformat(timespec="microseconds")
    key = bytes.fromhex(config.current().audit_key)
    return hmac.new(key, canonical(parts).encode(), hashlib.sha256).hexdigest()
