"""Once-only keys and job runs: what was asked or due is done once and answered the same again."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen import clock, config
from canteen.db import Json, UTCDateTime, canonical, changed, db, insert
from canteen.errors import Conflict, Refused
from canteen.words import Text


class OnceKey(db.Model):
    """A key a client chose for one act, the digest of what it asked and the answer it got."""

    __tablename__ = "once_keys"
    owner: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[Any] = mapped_column(Json, nullable=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class JobRun(db.Model):
    """A job done for what was due, written in the same transaction as its work."""

    __tablename__ = "job_runs"
    job: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    due: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)
    result: Mapped[Any] = mapped_column(Json, default=dict)


class KeyReused(Conflict):
    """The key was used before for something else."""

    code = "key_reused"
    text = Text(
        "这个请求编号已用于另一笔内容不同的请求，没有重复办理",
        "This request key was already used for a different request; nothing was done",
    )


class BadKey(Refused):
    """The key is missing, too short or too long."""

    code = "bad_key"
    text = Text("请求编号须为 8 至 80 个字符", "The request key must have 8 to 80 characters")


def claim(owner: str, key: str, wish: Any) -> Any | None:
    """Take the key for this act, or give back the answer of whoever took it first.

    Must be the first statement of the act, inside its transaction: a second request with the same
    key waits here until the first has committed. Refuses with KeyReused when `wish` (any JSON
    value) differs from the first one, and with BadKey when the key is malformed.
    """
    if not 8 <= len(key) <= 80:
        raise BadKey(field="Idempotency-Key")
    # Keyed: a wish may hold an ID number, which a bare digest would let anybody guess.
    secret = bytes.fromhex(config.current().hash_key)
    digest = hmac.new(secret, canonical(wish).encode(), hashlib.sha256).hexdigest()
    row = {"owner": owner, "key": key, "digest": digest, "made_at": clock.now()}
    taken = db.session.execute(insert(OnceKey.__table__).values(row).on_conflict_do_nothing())
    if changed(taken):
        return None
    first = db.session.execute(
        sa.select(OnceKey.digest, OnceKey.answer).where(OnceKey.owner == owner, OnceKey.key == key)
    ).one()
    if first.digest != digest:
        raise KeyReused()
    return first.answer


def keep(owner: str, key: str, answer: Any) -> None:
    """Remember what the act answered, in the act's own transaction."""
    db.session.execute(
        sa.update(OnceKey.__table__)
        .where(OnceKey.owner == owner, OnceKey.key == key)
        .values(answer=answer)
    )


def forget_before(instant: datetime) -> int:
    """Drop keys nobody will repeat any more; gives how many."""
    return changed(db.session.execute(sa.delete(OnceKey).where(OnceKey.made_at < instant)))


def begin_job(job: str, due: datetime) -> bool:
    """Take a due job for this transaction; False when somebody has done it or is doing it now."""
    row = {"job": job, "due": due, "done_at": clock.now(), "result": {}}
    taken = db.session.execute(insert(JobRun.__table__).values(row).on_conflict_do_nothing())
    return changed(taken) == 1


def finish_job(job: str, due: datetime, result: dict[str, Any]) -> None:
    """Note what the job did, in the transaction of its work."""
    db.session.execute(
        sa.update(JobRun)
        .where(JobRun.job == job, JobRun.due == due)
        .values(done_at=clock.now(), result=result)
    )


def last_due(job: str) -> datetime | None:
    """The latest due instant this job was done for."""
    return db.session.scalar(sa.select(sa.func.max(JobRun.due)).where(JobRun.job == job))
