"""Signing in: the password, and patience with those who guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.access import passwords, throttling
from canteen.access.models import User
from canteen.access.throttling import PER_REMOTE, WINDOW, TooManyAttempts, forget_failures
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import CanteenError, Refused
from canteen.territory.actors import BUREAU
from canteen.words import Text

__all__ = [
    "PER_LOGIN", "PER_REMOTE", "WINDOW", "SignInOutcome", "TooManyAttempts", "UserDisabled",
    "WrongSignIn", "attempt", "forget_failures",
]  # fmt: skip

PER_LOGIN = 5
# Whose coming in is on the trail. A cashier's shift is; diners and their families are let be.
RECORDED = (*BUREAU, "evaluator", "operator", "manager")
NOBODY = "nobody"  # who acted, when nobody has shown who they are


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

    The trail tells when somebody of an office, an operator or a canteen's manager came in; that
    somebody failed to (once in those 15 minutes for each of them), and that a login or an address
    was closed: without what was typed, unless it is theirs.
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
    _record_failure(user, limits, remote, at)
    return SignInOutcome(None, WrongSignIn())


def _signed_in(user: User, password: str, own: str) -> SignInOutcome:
    if user.disabled_at is not None:
        return SignInOutcome(None, UserDisabled())
    throttling.forgive([own])
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_of(password)
    if user.role in RECORDED:
        record(f"user:{user.id}", "sign_in", "user", user.id)
    return SignInOutcome(user)


def _record_failure(
    user: User | None, limits: Mapping[str, int], remote: str, at: datetime
) -> None:
    """A failure on the trail, as seldom as nobody can fill it by guessing."""
    of, acts = ("address", throttling.who("remote", remote)[:12]), []
    if user is not None and user.role in RECORDED:
        of, acts = ("user", str(user.id)), ["fail_sign_in"]
    if throttling.must_wait(limits, at) is not None:
        acts.append("close_sign_in")
    recent = sa.select(AuditRecord.act).where(
        AuditRecord.subject == of[0], AuditRecord.subject_id == of[1], AuditRecord.act.in_(acts),
        AuditRecord.at > at - WINDOW,
    )
    told = set(db.session.scalars(recent)) if acts else set()
    for act in acts:
        if act not in told:
            record(NOBODY, act, *of)
