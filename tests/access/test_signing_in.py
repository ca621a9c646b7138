"""Signing in: who gets in, who has to wait, and what is remembered of the attempt."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask

from canteen import clock
from canteen.access import passwords, throttling, users
from canteen.access.models import FailedSignIn, User
from canteen.access.signing_in import (
    PER_LOGIN,
    PER_REMOTE,
    SignInOutcome,
    TooManyAttempts,
    UserDisabled,
    WrongSignIn,
    attempt,
    forget_failures,
)
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from tests.elders.factories import CLI, STREET, lay_ground

PASSWORD = "correct horse"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def somebody(app: Flask) -> int:
    lay_ground()
    with transaction():
        return users.add_user("street", PASSWORD, "王芳", "street", by=CLI, territory=STREET)


def tried(
    password: str = "wrong", login: str = "street", remote: str = "192.0.2.1", at: datetime = NOON
) -> SignInOutcome:
    """One attempt, as a door makes it."""
    with transaction():
        return attempt(login, password, remote, at)


def failures() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(FailedSignIn)) or 0


def test_the_right_password_lets_in(somebody: int) -> None:
    outcome = tried(PASSWORD, " Street ")
    assert outcome.or_raise().id == somebody
    assert failures() == 0


@pytest.mark.parametrize(
    ("login", "password"), [("street", "wrong"), ("nobody", PASSWORD), ("", "")]
)
def test_unknown_login_and_wrong_password_are_answered_alike(login: str, password: str) -> None:
    outcome = tried(password, login)
    assert outcome.user is None
    assert isinstance(outcome.refusal, WrongSignIn)
    assert outcome.refusal.text == WrongSignIn.text
    assert failures() == 2  # one for the login, one for the address; kept although refused
    with pytest.raises(WrongSignIn):
        outcome.or_raise()


def test_the_sixth_try_waits_even_with_the_right_password() -> None:
    for n in range(PER_LOGIN):
        assert isinstance(tried(at=NOON + timedelta(minutes=n)).refusal, WrongSignIn)
    late = NOON + timedelta(minutes=10)
    refusal = tried(PASSWORD, at=late).refusal
    assert isinstance(refusal, TooManyAttempts)
    assert refusal.retry_after == 5 * 60
    assert "5 分钟" in refusal.text.zh and "5 minutes" in refusal.text.en
    assert failures() == 2 * PER_LOGIN  # a try while it is closed does not make the wait longer
    assert tried(PASSWORD, at=late + timedelta(minutes=5)).user is not None


def test_another_login_of_the_same_address_is_not_held_up() -> None:
    for _ in range(PER_LOGIN):
        tried(login="somebody-else")
    assert tried(PASSWORD).user is not None


def test_an_address_that_tries_many_logins_waits() -> None:
    for n in range(PER_REMOTE):
        tried(login=f"guess{n}")
    assert isinstance(tried(PASSWORD).refusal, TooManyAttempts)
    assert tried(PASSWORD, remote="192.0.2.2").user is not None


def test_success_forgives_the_login() -> None:
    for _ in range(PER_LOGIN - 1):
        tried()
    assert tried(PASSWORD).user is not None
    for _ in range(PER_LOGIN - 1):
        assert isinstance(tried().refusal, WrongSignIn)


def test_a_disabled_user_is_told_only_with_the_right_password(somebody: int) -> None:
    with transaction():
        users.disable(somebody, CLI)
    assert isinstance(tried(PASSWORD).refusal, UserDisabled)
    assert isinstance(tried("wrong").refusal, WrongSignIn)


def told() -> list[tuple[str, str, str]]:
    """What the trail tells of coming in: who, what, about whom."""
    of_doors = AuditRecord.act.in_(("sign_in", "fail_sign_in", "close_sign_in"))
    rows = db.session.scalars(sa.select(AuditRecord).where(of_doors).order_by(AuditRecord.id))
    return [(row.actor, row.act, f"{row.subject}:{row.subject_id}") for row in rows]


def test_the_trail_tells_who_came_in_and_failed_to_once_a_window(somebody: int) -> None:
    at = clock.now()
    assert tried(PASSWORD, at=at).user is not None
    user = f"user:{somebody}"
    assert told() == [(user, "sign_in", user)]
    for n in range(PER_LOGIN + 3):
        tried(at=at + timedelta(seconds=n))
    closed = [("nobody", "fail_sign_in", user), ("nobody", "close_sign_in", user)]
    assert told()[1:] == closed
    tried(at=at + throttling.WINDOW + timedelta(seconds=1))
    assert told()[3:] == [("nobody", "fail_sign_in", user)]


def test_guessed_logins_fill_no_trail_and_are_not_written_down() -> None:
    for n in range(PER_REMOTE + 3):
        tried(login=f"secret{n}", at=clock.now())
    [(by, act, of)] = told()
    assert (by, act) == ("nobody", "close_sign_in")
    assert re.fullmatch("address:[0-9a-f]{12}", of)


def test_only_hashes_of_login_and_address_are_kept() -> None:
    tried(login="street", remote="192.0.2.77")
    kept = set(db.session.scalars(sa.select(FailedSignIn.who)))
    bare = {hashlib.sha256(said).hexdigest() for said in (b"street", b"192.0.2.77")}
    assert len(kept) == 2 and not kept & bare
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in kept)


def test_an_old_hash_is_renewed_at_the_next_sign_in(somebody: int) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with transaction() as session:
        session.execute(sa.update(User).values(password_hash=old))
    assert passwords.is_outdated(old)
    assert tried(PASSWORD).user is not None
    db.session.expire_all()
    kept = db.session.get_one(User, somebody).password_hash
    assert kept != old and not passwords.is_outdated(kept) and passwords.fits(PASSWORD, kept)


def test_a_hash_that_is_none_lets_nobody_in(somebody: int) -> None:
    with transaction() as session:
        session.execute(sa.update(User).values(password_hash="!"))
    assert isinstance(tried("!").refusal, WrongSignIn)


def test_guesses_at_one_instant_are_counted_one_after_the_other(app: Flask) -> None:
    def guess(n: int) -> str:
        with app.app_context():
            refusal = tried(f"guess {n}", remote=f"192.0.2.{n}").refusal
            return refusal.code if refusal else ""

    db.session.rollback()
    with ThreadPoolExecutor(8) as at_once:
        codes = list(at_once.map(guess, range(16)))
    assert codes.count("wrong_sign_in") == PER_LOGIN
    assert codes.count("too_many_attempts") == 16 - PER_LOGIN


def test_old_failures_are_forgotten() -> None:
    tried(at=NOON - timedelta(days=2))
    tried(at=NOON)
    with transaction():
        assert forget_failures(NOON - timedelta(days=1)) == 2
    assert failures() == 2


def test_a_password_of_any_length_takes_no_longer() -> None:
    assert isinstance(tried("x" * 1_000_000).refusal, WrongSignIn)
