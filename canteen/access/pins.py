"""PINs: six digits that open a till for its cashier, and patience with those who guess them."""

from __future__ import annotations

import secrets
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from canteen import clock
from canteen.access import passwords, throttling
from canteen.access.models import User
from canteen.access.signing_in import SignInOutcome, UserDisabled
from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import NotFound, Refused
from canteen.territory.actors import COUNTER, Actor
from canteen.words import Text

LENGTH = 6
PER_TILL = 5
PER_USER = 15  # over all tills: a guesser with two tablets does not get twice the tries
# What people choose because the fingers find it: lines over the key pad, lucky and dear numbers.
DEAR = (
    "147258 147852 159357 258369 258147 357159 369258 369147 741852 852963 963852 753951 951753"
    " 520131 521131 131452 131420 520520 521521 168168 518518 666888 888666 886688 668866 110110"
    " 110119 112358 314159 100000 200000 800000 888800 666600 100001 200001 800008"
)


class WeakPin(Refused):
    """The PIN is not six digits, or one that anybody would try first."""

    code = "weak_pin"


class WrongPin(Refused):
    """Not this person's PIN, or nobody of this counter: which of the two is not told."""

    code = "wrong_pin"
    text = Text("PIN 码不对", "The PIN is wrong")


class NoPin(Refused):
    """This cashier has no PIN yet."""

    code = "no_pin"
    text = Text(
        "还没有设置 PIN 码：请用登录名和密码登录后设置，或请经理设置",
        "No PIN is set yet: sign in with login and password and set one, or ask the manager",
    )


class NotYou(Refused):
    """The current PIN or password that was given is neither."""

    code = "not_you"
    text = Text("现在的 PIN 码或密码不对", "The present PIN or password is wrong")


def checked(pin: str, login: str = "") -> str:
    """The PIN, if nobody would guess it first. Refuses with WeakPin.

    Refused: anything but six ASCII digits; digits that repeat (one, a pair or three of them);
    steps of one size (012345, 987654, 246802); two digits only; 112233 and its like; lines over
    the key pad and numbers many hold dear; the digits of the login.
    """
    if len(pin) != LENGTH or not (pin.isascii() and pin.isdigit()):
        raise WeakPin(Text("PIN 码是 6 位数字", "A PIN has 6 digits"), field="pin")
    digits = [int(sign) for sign in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    pairs = {pin[place : place + 2] for place in (0, 2, 4)}
    easy = (
        len(set(pin)) < 3
        or len(steps) == 1
        or pin[:3] == pin[3:]
        or len(pairs) == 1
        or all(pair[0] == pair[1] for pair in pairs)
        or pin in DEAR
        or pin in "".join(sign for sign in login if sign.isdigit())
    )
    if easy:
        raise WeakPin(
            Text(
                "这个 PIN 码太容易被猜到，请换一个", "This PIN is too easy to guess; choose another"
            ),
            field="pin",
        )  # fmt: skip
    return pin


def set_pin(user_id: int, pin: str, by: Actor) -> None:
    """A new PIN: a person of the counter their own, or a manager one for a cashier of theirs.

    A PIN set by the manager over another ends the cashier's open sessions. Refuses WeakPin, and
    NotFound for anybody else's.
    """
    by.must_be(*COUNTER)
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None or user.disabled_at is not None or not _may_set(user, by):
        raise NotFound()
    again = user.pin_hash is not None
    user.pin_hash = passwords.hash_of(checked(pin, user.login))
    if again and by.user_id != user_id:
        user.session_mark = secrets.token_hex(8)
    db.session.flush()
    record(by.label, "set_pin", "user", user_id, {"again": again})


def attempt_pin(
    user_id: int, pin: str, *, canteen_id: int, till: int, remote: str, at: datetime | None = None
) -> SignInOutcome:
    """Try to open a till of a canteen by PIN. Refusals are handed back, as by signing_in.attempt.

    Five failures of one person at one till, fifteen of one person anywhere or thirty of one
    address within 15 minutes close it. A success forgives the person's failures at this till.
    """
    at = at or clock.now()
    here = throttling.who("pin", f"{user_id}:{till}")
    limits = {
        here: PER_TILL,
        throttling.who("pin-of", user_id): PER_USER,
        throttling.who("remote", remote): throttling.PER_REMOTE,
    }
    refusal = throttling.must_wait(limits, at)
    if refusal is not None:
        return SignInOutcome(None, refusal)
    user = db.session.scalar(
        sa.select(User)
        .where(User.id == user_id, User.canteen_id == canteen_id, User.role.in_(COUNTER))
        .execution_options(populate_existing=True)
    )
    if user is not None and user.pin_hash is None:
        return SignInOutcome(None, NoPin(field="pin"))
    if user is None:
        passwords.spend_the_same_time(pin)
    elif passwords.fits(pin, user.pin_hash or ""):
        if user.disabled_at is not None:
            return SignInOutcome(None, UserDisabled())
        throttling.forgive([here])
        if passwords.is_outdated(user.pin_hash or ""):
            user.pin_hash = passwords.hash_of(pin)
        return SignInOutcome(user)
    throttling.failed(limits, at)
    return SignInOutcome(None, WrongPin(field="pin"))


def attempt_own(
    user_id: int, secret: str, remote: str, at: datetime | None = None
) -> SignInOutcome:
    """Whether somebody who is signed in knows their own PIN or password, before it is changed.

    An open tablet on the counter must not be enough. Throttled like a sign-in.
    """
    at = at or clock.now()
    own = throttling.who("own", user_id)
    limits = {own: PER_TILL, throttling.who("remote", remote): throttling.PER_REMOTE}
    refusal = throttling.must_wait(limits, at)
    if refusal is not None:
        return SignInOutcome(None, refusal)
    user = db.session.get(User, user_id, populate_existing=True)
    kept = [user.pin_hash, user.password_hash] if user is not None else []
    if any(passwords.fits(secret, one) for one in kept if one):
        throttling.forgive([own])
        return SignInOutcome(user)
    throttling.failed(limits, at)
    return SignInOutcome(None, NotYou(field="current"))


def of_canteen(canteen_id: int) -> list[User]:
    """Who may open a till of this canteen, cashiers first, by name."""
    return list(
        db.session.scalars(
            sa.select(User)
            .where(
                User.canteen_id == canteen_id, User.role.in_(COUNTER), User.disabled_at.is_(None)
            )
            .order_by(User.role, User.name, User.id)
        )
    )


def _may_set(user: User, by: Actor) -> bool:
    if by.role == "job" or by.user_id == user.id:
        return True
    of_mine = user.role == "cashier" and user.canteen_id == by.canteen_id
    return by.role == "manager" and of_mine
