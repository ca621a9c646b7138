"""Signing in: the password, and patience with those who guess."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.access import passwords, throttling
from canteen.access.models import User
from canteen.access.throttling import PER_REMOTE, WINDOW, TooManyAttempts, forget_failures
from canteen.db import db
from canteen.errors import CanteenError, Refused
from canteen.words import Text

__all__ = [
    "PER_LOGIN", "PER_REMOTE", "WINDOW", "SignInOutcome", "TooManyAttempts", "UserDisabled",
    "WrongSignIn", "attempt", "forget_failures",
]  # fmt: skip

PER_LOGIN = 5


class WrongSignIn(Refused):
    """No such login, or not its password: which of the two is not told."""

    code = "wrong_sign_in"
    text = Text("登录名或密码不对", "The login or the password is wrong")


class UserDisabled(Refused):
    """The password is right, but the user was disabled."""

    code = "user_disabled"
    text = Text("这个账号已停用，请联系管理员", "This account is disabled; please ask your office")


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
    own = throttling.who("login", login)
    limits = {own: PER_LOGIN, throttling.who("remote", remote): PER_REMOTE}
    refusal = throttling.must_wait(limits, at)
    if refusal is not None:
        return SignInOutcome(None, refusal)
    user = db.session.scalar(
        sa.select(User).where(User.login == login).execution_options(populate_existing=True)
    )
    if user is None:
        passwords.spend_the_same_time(password)
    elif passwords.fits(password, user.password_hash):
        return _signed_in(user, password, own)
    throttling.failed(limits, at)
    return SignInOutcome(None, WrongSignIn())


def _signed_in(user: User, password: str, own: str) -> SignInOutcome:
    if user.disabled_at is not None:
        return SignInOutcome(None, UserDisabled())
    throttling.forgive([own])
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_of(password)
    return SignInOutcome(user)
