"""PINs: which are refused as too easy, whose may be set by whom, and how guesses are slowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.access import pins
from canteen.access.models import FailedSignIn, User
from canteen.access.pins import NoPin, NotYou, WeakPin, WrongPin
from canteen.access.signing_in import SignInOutcome, TooManyAttempts, UserDisabled, attempt
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import NotFound
from tests.factories import City, make_city

PIN, OTHER = "260318", "703915"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def city(app: Flask) -> City:
    """A canteen whose cashier has a PIN."""
    city = make_city()
    with transaction():
        pins.set_pin(city.cashier.user_id or 0, PIN, city.cashier)
    return city


def tried(
    city: City, pin: str = "000001", *, user_id: int | None = None, till: int = 1,
    remote: str = "192.0.2.1", at: datetime = NOON, canteen_id: int | None = None,
) -> SignInOutcome:
    """One attempt, as the door makes it."""
    with transaction():
        return pins.attempt_pin(
            user_id or city.cashier.user_id or 0, pin, canteen_id=canteen_id or city.here.id,
            till=till, remote=remote, at=at,
        )


@pytest.mark.parametrize(
    "pin",
    [
        "", "12345", "1234567", "12345a", "１２３４５６", "111111", "121212", "112112", "123123",
        "123456", "012345", "890123", "654321", "246802", "112233", "998877", "110011", "147258",
        "520131", "888666",
    ],
)  # fmt: skip
def test_a_pin_anybody_would_try_first_is_refused(pin: str) -> None:
    with pytest.raises(WeakPin) as refused:
        pins.checked(pin)
    assert refused.value.field == "pin"


def test_the_digits_of_the_login_are_no_secret() -> None:
    assert pins.checked("703915", "cashier12") == "703915"
    with pytest.raises(WeakPin):
        pins.checked("703915", "cashier703915")


def test_nearly_every_other_pin_is_good() -> None:
    """What is forbidden must not be most of what there is."""
    rng = Random(7)
    drawn = [f"{rng.randrange(10**6):06d}" for _ in range(5_000)]

    def good(pin: str) -> bool:
        try:
            return pins.checked(pin) == pin
        except WeakPin:
            return False

    assert sum(map(good, drawn)) > 4_900


def test_the_right_pin_opens_and_only_a_hash_is_kept(city: City) -> None:
    assert tried(city, PIN).or_raise().id == city.cashier.user_id
    user = db.session.get_one(User, city.cashier.user_id)
    assert PIN not in (user.pin_hash or "") and (user.pin_hash or "").startswith("$argon2id$")


def test_a_wrong_pin_and_a_stranger_are_answered_alike(city: City) -> None:
    wrong = tried(city, OTHER)
    stranger = tried(city, PIN, user_id=city.cashier_elsewhere.user_id)
    nobody = tried(city, PIN, user_id=4_000_000)
    assert isinstance(wrong.refusal, WrongPin)
    assert wrong.refusal.text == stranger.refusal.text == nobody.refusal.text
    elsewhere = tried(city, PIN, canteen_id=city.elsewhere.id)
    assert isinstance(elsewhere.refusal, WrongPin)


def test_who_has_no_pin_is_told_so(city: City) -> None:
    assert isinstance(tried(city, PIN, user_id=city.manager.user_id).refusal, NoPin)


def test_a_disabled_cashier_opens_nothing(city: City) -> None:
    with transaction():
        db.session.get_one(User, city.cashier.user_id).disabled_at = NOON
    assert isinstance(tried(city, PIN).refusal, UserDisabled)
    assert all(user.id != city.cashier.user_id for user in pins.of_canteen(city.here.id))


def test_the_sixth_guess_at_one_till_waits_even_with_the_right_pin(city: City) -> None:
    for n in range(pins.PER_TILL):
        assert isinstance(tried(city, at=NOON + timedelta(minutes=n)).refusal, WrongPin)
    refusal = tried(city, PIN, at=NOON + timedelta(minutes=10)).refusal
    assert isinstance(refusal, TooManyAttempts) and refusal.retry_after == 5 * 60
    later = NOON + timedelta(minutes=10)
    assert tried(city, PIN, till=2, at=later).user is not None, "another till stays open"
    assert tried(city, PIN, at=NOON + timedelta(minutes=16)).user is not None


def test_guesses_spread_over_tills_and_addresses_are_slowed_as_well(city: City) -> None:
    for n in range(pins.PER_USER):
        outcome = tried(city, till=n, remote=f"192.0.2.{n}")
        assert isinstance(outcome.refusal, WrongPin)
    assert isinstance(tried(city, PIN, till=99, remote="192.0.2.99").refusal, TooManyAttempts)


def test_one_address_cannot_try_everybody_and_passwords_count_too(city: City) -> None:
    with transaction():
        for n in range(15):
            attempt(f"nobody{n}", "wrong", "192.0.2.7", NOON)
    for n in range(15):
        tried(city, user_id=5_000 + n, remote="192.0.2.7")
    assert isinstance(tried(city, PIN, remote="192.0.2.7").refusal, TooManyAttempts)
    assert tried(city, PIN, remote="192.0.2.8").user is not None


def test_a_success_forgives_this_till_and_keeps_the_rest(city: City) -> None:
    for _ in range(pins.PER_TILL - 1):
        tried(city)
    assert tried(city, PIN).user is not None
    for _ in range(pins.PER_TILL):
        assert isinstance(tried(city).refusal, WrongPin)
    assert isinstance(tried(city).refusal, TooManyAttempts)


def test_nothing_readable_is_kept_of_an_attempt(city: City) -> None:
    tried(city, OTHER)
    kept = db.session.scalars(sa.select(FailedSignIn.who)).all()
    assert len(kept) == 3 and all(len(who) == 64 for who in kept)


def test_a_manager_sets_a_cashiers_pin_and_that_ends_open_sessions(city: City) -> None:
    before = db.session.get_one(User, city.cashier.user_id).session_mark
    with transaction():
        pins.set_pin(city.cashier.user_id or 0, OTHER, city.manager)
    assert tried(city, OTHER).user is not None
    db.session.expire_all()
    assert db.session.get_one(User, city.cashier.user_id).session_mark != before
    last = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert last is not None and (last.act, last.detail) == ("set_pin", {"again": True})


def test_nobody_sets_a_pin_off_their_counter(city: City) -> None:
    for by, whose in (
        (city.cashier, city.manager), (city.manager, city.cashier_elsewhere),
        (city.cashier_elsewhere, city.cashier),
    ):
        with pytest.raises(NotFound), transaction():
            pins.set_pin(whose.user_id or 0, OTHER, by)


def test_an_open_tablet_is_not_enough_to_change_a_pin(city: City) -> None:
    own = city.cashier.user_id or 0
    with transaction():
        assert isinstance(pins.attempt_own(own, "wrong", "192.0.2.1", NOON).refusal, NotYou)
        assert pins.attempt_own(own, PIN, "192.0.2.1", NOON).user is not None
    with transaction():
        for _ in range(pins.PER_TILL):
            pins.attempt_own(own, "wrong", "192.0.2.1", NOON)
        refusal = pins.attempt_own(own, PIN, "192.0.2.1", NOON).refusal
    assert isinstance(refusal, TooManyAttempts)
