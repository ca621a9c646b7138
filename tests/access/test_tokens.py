"""Bearer tokens: shown once, and why one opens nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from canteen import clock
from canteen.access import tokens, users
from canteen.access.models import ApiToken, User
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.elders.factories import CLI, STREET, TILL, lay_ground


@pytest.fixture
def user(app: Flask) -> User:
    lay_ground()
    with transaction():
        made = users.add_user("street", "correct horse", "王芳", "street", by=CLI, territory=STREET)
    return db.session.get_one(User, made)


def made(user: User, days: int = 30, by: Actor | None = None) -> str:
    with transaction():
        return tokens.make_token(user.id, "script", days, by or users.actor_of(user))


def test_a_token_is_its_users_and_only_its_digest_is_kept(user: User) -> None:
    plain = made(user)
    answer = tokens.user_of_token(plain)
    assert answer.user is not None and (answer.user.id, answer.reason) == (user.id, None)
    kept = db.session.query(ApiToken).one()
    assert plain not in repr(vars(kept)) and kept.digest == tokens.digest_of(plain)


def test_a_token_says_why_it_opens_nothing(user: User) -> None:
    plain = made(user, days=1)
    later = clock.now() + timedelta(days=1, seconds=1)
    assert tokens.user_of_token(plain, later).reason == "expired"
    assert tokens.user_of_token(plain + "x").reason == "unknown"
    assert tokens.user_of_token("").reason == "unknown"
    with transaction():
        users.disable(user.id, CLI)
    assert tokens.user_of_token(plain).reason == "disabled"
    with transaction():
        tokens.revoke(tokens.digest_of(plain), CLI)
    answer = tokens.user_of_token(plain)
    assert (answer.user, answer.reason) == (None, "revoked")
    assert answer.text.zh != tokens.user_of_token("x").text.zh


def test_a_token_is_made_and_revoked_by_its_user_or_the_city(user: User) -> None:
    with pytest.raises(Forbidden):
        made(user, by=TILL)
    plain = made(user, by=Actor(role="city", user_id=99, territory="120000"))
    with pytest.raises(Forbidden), transaction():
        tokens.revoke(tokens.digest_of(plain), TILL)
    with transaction():
        tokens.revoke(tokens.digest_of(plain), users.actor_of(user))
    with pytest.raises(NotFound), transaction():
        tokens.revoke(tokens.digest_of(plain), users.actor_of(user))
    assert db.session.query(ApiToken).filter_by(user_id=user.id).count() == 1


@pytest.mark.parametrize("days", [0, -1, 367])
def test_no_token_lives_for_ever(user: User, days: int) -> None:
    with pytest.raises(tokens.BadToken) as refused:
        made(user, days)
    assert refused.value.field == "days"
