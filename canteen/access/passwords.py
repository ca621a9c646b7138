"""Passwords: what a good one is, and argon2 to keep it."""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from canteen import config
from canteen.errors import Refused
from canteen.territory.actors import HOME
from canteen.words import Text

# Argon2id as OWASP recommends for servers: 19 MiB and two passes, about 30 ms.
COST = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}
TEST_COST = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
LONGEST = 128
STAFF_LEAST = 10
HOME_LEAST = 6
RUNS = ("01234567890", "09876543210")


class WeakPassword(Refused):
    """The password is too short, too long or too easy to guess."""

    code = "weak_password"


def checked(password: str, role: str, login: str) -> str:
    """The password, good enough for the role. Refuses with WeakPassword.

    Staff need ten characters. Elders and their family may use six digits, as on a bank card:
    they are throttled like everybody and reach only their own orders.
    """
    least = HOME_LEAST if role in HOME else STAFF_LEAST
    if not least <= len(password) <= LONGEST:
        raise WeakPassword(
            Text("密码至少 {least} 位", "A password has at least {least} characters").format(
                least=least
            ),
            field="password", least=least,
        )  # fmt: skip
    easy = len(set(password)) == 1 or any(password in run for run in RUNS)
    if easy or password.lower() == login.lower():
        raise WeakPassword(
            Text("这个密码太容易被猜到", "This password is too easy to guess"), field="password"
        )
    return password


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(password)


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one that was kept."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # half a character, by JSON
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was kept with other costs than today's."""
    return _hasher().check_needs_rehash(kept)


def spend_the_same_time(password: str) -> None:
    """Check against nothing, so that an unknown login takes as long as a wrong password."""
    fits(password, _nobodys(config.current().testing))


def _hasher() -> PasswordHasher:
    return _hasher_for(config.current().testing)


@lru_cache(maxsize=2)
def _hasher_for(testing: bool) -> PasswordHasher:
    return PasswordHasher(**(TEST_COST if testing else COST))


@lru_cache(maxsize=2)
def _nobodys(testing: bool) -> str:
    return _hasher_for(testing).hash(secrets.token_hex(16))
