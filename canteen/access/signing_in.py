"""Signing in: the password, and patience with those who guess."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from canteen import clock, config
from canteen.access import passwords
from canteen.access.models import FailedSignIn, User
from canteen.db import changed, db, is_postgresql
from canteen.errors import CanteenError, Refused
from canteen.words import Text

WINDOW = timedelta(minutes=15)
PER_LOGIN = 5
PER_REMOTE = 30  # a canteen's tills share one address


class WrongSignIn(Refused):
    """No such login, or not its password: which of the two is not told."""

    code = "wrong_sign_in"
    text = Text("登录名或密码不对", "The login or the password is wrong")


class UserDisabled(Refused):
    """The password is right, but the user was disabled."""

    code = "user_disabled"
    text = Text("这个账号已停用，请联系管理员", "This account is disabled; please ask your office")


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


@dataclass(frozen=True)
class SignInOutcome:
    """Who signed in, or why nobody did. A refusal is handed back, not raised: raising it inside
    the door's transaction would undo the record of the failure."""

    user: User | None
    refusal: CanteenError | None = None

    def or_raise(self) -> User:
        """The user, or the refusal raised; for a door whose transaction is over."""
        if self.user is None:
            raise self.refusal or WrongSignIn()
        return self.user


def attempt(login: str, password: str, remote: str, at: datetime | None = None) -> SignInOutcome:
    """Try to sign in. `remote` is the caller's address; `at` is now unless told.

    Five failures of one login, or thirty of one address, within 15 minutes close it until the
    oldest of them is 15 minutes old; tries while it is closed are not counted. Only keyed hashes
    of login and address are kept. A success forgives the login's failures, not the address's.
    """
    at = at or clock.now()
    login = login.strip().lower()
    limits = {_who("login", login): PER_LOGIN, _who("remote", remote): PER_REMOTE}
    _one_at_a_time(limits)
    wait = max(_wait(who, limit, at) for who, limit in limits.items())
    if wait:
        detail = {"retry_after": wait, "minutes": math.ceil(wait / 60)}
        return SignInOutcome(None, TooManyAttempts(**detail))
    user = db.session.scalar(
        sa.select(User).where(User.login == login).execution_options(populate_existing=True)
    )
    if user is None:
        passwords.spend_the_same_time(password)
    elif passwords.fits(password, user.password_hash):
        return _signed_in(user, password, _who("login", login))
    db.session.execute(sa.insert(FailedSignIn), [{"who": who, "at": at} for who in limits])
    return SignInOutcome(None, WrongSignIn())


def forget_failures(before: datetime) -> int:
    """Drop failures that count no more; gives how many."""
    return changed(db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < before)))


def _signed_in(user: User, password: str, who: str) -> SignInOutcome:
    if user.disabled_at is not None:
        return SignInOutcome(None, UserDisabled())
    db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.who == who))
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_of(password)
    return SignInOutcome(user)


def _who(kind: str, value: str) -> str:
    key = bytes.fromhex(config.current().hash_key)
    return hmac.new(key, f"sign-in:{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def _one_at_a_time(keys: dict[str, int]) -> None:
    """Let guesses at one login wait for each other, or many at one instant would all be first.

    SQLite has one writer anyway. The locks are taken in one order, so that nobody waits in a ring.
    """
    if is_postgresql():
        for number in sorted(int(who[:15], 16) for who in keys):
            db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _wait(who: str, limit: int, at: datetime) -> int:
    """Seconds until this login or address may be tried again; 0 when it may be now."""
    oldest = db.session.scalars(
        sa.select(FailedSignIn.at)
        .where(FailedSignIn.who == who, FailedSignIn.at > at - WINDOW)
        .order_by(FailedSignIn.at.desc())
        .limit(1)
        .offset(limit - 1)
    ).first()
    return 0 if oldest is None else max(math.ceil((oldest + WINDOW - at).total_seconds()), 1)
