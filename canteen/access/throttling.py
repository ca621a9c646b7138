"""Patience with those who guess: failures are counted in the database, and then everyone waits."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from canteen import config
from canteen.access.models import FailedSignIn
from canteen.db import changed, db, is_postgresql
from canteen.errors import Refused
from canteen.words import Text

WINDOW = timedelta(minutes=15)
PER_REMOTE = 30  # a canteen's tills share one address


class TooManyAttempts(Refused):
    """Too many failures from here or for this login; `retry_after` seconds until the next try."""

    code = "too_many_attempts"
    text = Text(
        "尝试次数过多，请 {minutes} 分钟后再试", "Too many attempts; try again in {minutes} minutes"
    )

    @property
    def retry_after(self) -> int:
        """Seconds until it may be tried again."""
        return int(self.detail["retry_after"])


def who(kind: str, value: object) -> str:
    """What is counted, as it is kept: a keyed hash, so that nobody reads logins or addresses."""
    key = bytes.fromhex(config.current().hash_key)
    return hmac.new(key, f"sign-in:{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def must_wait(limits: Mapping[str, int], at: datetime) -> TooManyAttempts | None:
    """The refusal when any of those counted has failed as often as its limit within 15 minutes.

    It is closed until the oldest of these failures is 15 minutes old; tries while it is closed are
    not to be counted. Until the transaction ends, nobody else tries the same.
    """
    _one_at_a_time(limits)
    wait = max(_wait(one, limit, at) for one, limit in limits.items())
    if not wait:
        return None
    return TooManyAttempts(retry_after=wait, minutes=math.ceil(wait / 60))


def failed(counted: Iterable[str], at: datetime) -> None:
    """Count one failure for each of them."""
    db.session.execute(sa.insert(FailedSignIn), [{"who": one, "at": at} for one in counted])


def forgive(counted: Iterable[str]) -> None:
    """Forget the failures of those who have shown who they are."""
    db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.who.in_(list(counted))))


def forget_failures(before: datetime) -> int:
    """Drop failures that count no more; gives how many."""
    return changed(db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < before)))


def _one_at_a_time(counted: Iterable[str]) -> None:
    """Let guesses at one login wait for each other, or many at one instant would all be first.

    SQLite has one writer anyway. The locks are taken in one order, so that nobody waits in a ring.
    """
    if is_postgresql():
        for number in sorted(int(one[:15], 16) for one in counted):
            db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _wait(counted: str, limit: int, at: datetime) -> int:
    """Seconds until this login or address may be tried again; 0 when it may be now."""
    oldest = db.session.scalars(
        sa.select(FailedSignIn.at)
        .where(FailedSignIn.who == counted, FailedSignIn.at > at - WINDOW)
        .order_by(FailedSignIn.at.desc())
        .limit(1)
        .offset(limit - 1)
    ).first()
    return 0 if oldest is None else max(math.ceil((oldest + WINDOW - at).total_seconds()), 1)
