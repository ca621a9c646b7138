"""Reading the trail: a page of it narrowed down, or all of it to take away and check elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.audit.recording import GENESIS, hash_of
from canteen.db import db


@dataclass(frozen=True)
class Page:
    """One page of the trail, the latest first."""

    rows: list[AuditRecord]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def page(
    *, bounds: sa.ColumnElement[bool] | None = None, actors: sa.Select[Any] | None = None,
    actor: str | None = None, act: str | None = None, subject: str | None = None,
    subject_id: str | None = None, since: datetime | None = None, until: datetime | None = None,
    number: int = 1, size: int = 50,
) -> Page:  # fmt: skip
    """A page of the trail: within `bounds` (a condition on AuditRecord), of some people (a select
    of labels) or one of them."""
    where = _where(actors, actor, act, subject, subject_id, since, until)
    where += [] if bounds is None else [bounds]
    total = db.session.scalar(sa.select(sa.func.count()).select_from(AuditRecord).where(*where))
    rows = db.session.scalars(
        sa.select(AuditRecord).where(*where).order_by(AuditRecord.id.desc())
        .limit(size).offset((number - 1) * size)
    )  # fmt: skip
    return Page(list(rows), total or 0, number, size)


def lines(*, actors: sa.Select[Any] | None = None, first: int = 1) -> Iterator[str]:
    """The trail as JSON lines, oldest first, each with its hash and that of the one before."""
    query = sa.select(AuditRecord).where(AuditRecord.id >= first).order_by(AuditRecord.id)
    if actors is not None:
        query = query.where(AuditRecord.actor.in_(actors))
    for row in db.session.scalars(query.execution_options(yield_per=2_000)):
        yield json.dumps(_plain(row), ensure_ascii=False, sort_keys=True) + "\n"


def check(taken: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Check lines taken away earlier, with this service's key: (line, what is wrong).

    Whole when it begins with the first record; a part is checked from its own first record on.
    """
    previous, expected = None, None
    for number, line in enumerate(taken, 1):
        try:
            row = json.loads(line)
            at = datetime.fromisoformat(row["at"])
        except (ValueError, KeyError, TypeError):
            yield number, "is not a record of the trail"
            continue
        before = previous or (GENESIS if row.get("id") == 1 else row.get("previous_hash"))
        if expected is not None and row.get("id") != expected:
            yield number, f"record {expected} is missing"
        elif row.get("previous_hash") != before:
            yield number, "is not chained to the record before it"
        if row.get("hash") != hash_of({**row, "at": at}):
            yield number, "was altered after it was written"
        previous, expected = row.get("hash"), int(row.get("id") or 0) + 1


def _plain(row: AuditRecord) -> dict[str, Any]:
    return {
        "id": row.id, "at": row.at.isoformat(timespec="microseconds"), "actor": row.actor,
        "act": row.act, "subject": row.subject, "subject_id": row.subject_id,
        "detail": row.detail, "previous_hash": row.previous_hash, "hash": row.hash,
    }


def _where(
    actors: Any, actor: str | None, act: str | None, subject: str | None,
    subject_id: str | None, since: datetime | None, until: datetime | None,
) -> list[Any]:  # fmt: skip
    given = (
        (actors, AuditRecord.actor.in_(actors) if actors is not None else None),
        (actor, AuditRecord.actor == actor), (act, AuditRecord.act == act),
        (subject, AuditRecord.subject == subject),
        (subject_id, AuditRecord.subject_id == subject_id),
        (since, AuditRecord.at >= since if since else None),
        (until, AuditRecord.at < until if until else None),
    )  # fmt: skip
    return [condition for value, condition in given if value is not None]
