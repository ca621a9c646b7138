"""Users: the role says which ground they need, and passwords keep strangers out."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from canteen.access import passwords, tokens, users
from canteen.access.models import User
from canteen.audit.models import AuditRecord
from canteen.db import canonical, db, transaction
from canteen.elders import family
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.elders.factories import CLI, STREET, TILL, enrolled
from tests.factories import make_canteen, make_operator, make_territories

PASSWORD = "correct horse"
CITY = Actor(role="city", user_id=900, territory="120000")
HEXI = Actor(role="district", user_id=901, territory="120103")


@pytest.fixture(autouse=True)
def ground(app: Flask) -> None:
    with transaction():
        make_territories()
        make_canteen("120104001")
        make_operator(50)


def added(
    login: str = "street", role: str = "street", password: str = PASSWORD, by: Actor = CLI,
    **ground: Any,
) -> User:  # fmt: skip
    if role == "street" and not ground:
        ground = {"territory": STREET}
    with transaction():
        user_id = users.add_user(login, password, "王芳", role, by=by, **ground)
    return db.session.get_one(User, user_id)


def test_a_user_is_kept_with_a_hash_and_never_the_password() -> None:
    user = added("  Street.One ")
    assert (user.login, user.role, user.territory_code) == ("street.one", "street", STREET)
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(vars(user))
    assert passwords.fits(PASSWORD, user.password_hash)
    assert not passwords.fits(PASSWORD + "!", user.password_hash)
    told = canonical([record.detail for record in db.session.query(AuditRecord)])
    assert PASSWORD not in told and user.password_hash not in told


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"login": "ab"}, "login"),
        ({"login": "a b c"}, "login"),
        ({"login": "王芳芳"}, "login"),
        ({"role": "king", "territory": STREET}, "role"),
        ({"role": "job"}, "role"),
        ({"role": "district"}, "territory"),
        ({"role": "district", "territory": STREET}, "territory"),
        ({"role": "street", "territory": "120104999"}, "territory"),
        ({"role": "cashier"}, "canteen_id"),
        ({"role": "cashier", "canteen_id": 99}, "canteen_id"),
        ({"role": "cashier", "canteen_id": 1, "territory": STREET}, "territory"),
        ({"role": "operator", "operator_id": 99}, "operator_id"),
        ({"role": "elder", "elder_id": 99}, "elder_id"),
        ({"role": "family", "elder_id": 99}, "elder_id"),
        ({"password": "short"}, "password"),
        ({"password": "483920"}, "password"),
        ({"password": "0123456789"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"password": "a" * 129}, "password"),
        ({"login": "a-long-login", "password": "A-Long-Login"}, "password"),
    ],
)
def test_what_does_not_fit_is_refused_naming_the_field(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(CanteenError) as refused:
        added(**wish)
    assert refused.value.field == field
    assert refused.value.text.zh and refused.value.text.en
    assert db.session.query(User).count() == 0


def test_every_role_stands_on_its_ground() -> None:
    elder_id = enrolled()
    for login, role, ground in (
        ("city", "city", {"territory": "120000"}),
        ("district", "district", {"territory": "120104"}),
        ("eva", "evaluator", {"territory": "120104"}),
        ("operator", "operator", {"operator_id": 1}),
        ("manager", "manager", {"canteen_id": 1}),
        ("cashier", "cashier", {"canteen_id": 1}),
        ("elder", "elder", {"elder_id": elder_id}),
        ("family", "family", {}),
    ):
        actor = users.actor_of(added(login, role, **ground))
        assert actor.role == role
        assert (actor.territory or actor.operator_id or actor.canteen_id or actor.elder_ids) == (
            next(iter(ground.values()), ()) if role != "elder" else (elder_id,)
        )


def test_elders_and_family_may_use_six_digits_that_are_not_obvious() -> None:
    assert added("family", "family", "483920")
    for easy in ("123456", "654321", "000000", "12345"):
        with pytest.raises(passwords.WeakPassword):
            added("family2", "family", easy)


def test_a_login_is_taken_once() -> None:
    added()
    with pytest.raises(users.LoginTaken):
        added("STREET")


def test_who_may_add_whom() -> None:
    assert added("one", by=CITY)
    assert added("two", "district", by=HEXI, territory="120103")
    assert added("three", by=HEXI, territory="120103001")
    for role, ground in (
        ("street", {"territory": STREET}), ("cashier", {"canteen_id": 1}),
        ("city", {"territory": "120000"}), ("operator", {"operator_id": 1}),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            added("four", role, by=HEXI, **ground)
    with pytest.raises(Forbidden):
        added("five", "family", by=TILL)


def test_a_new_password_signs_out_everywhere_and_revokes_tokens() -> None:
    user = added()
    mark = user.session_mark
    with transaction():
        token = tokens.make_token(user.id, "script", 30, users.actor_of(user))
    with transaction():
        users.set_password(user.id, "another horse", users.actor_of(user))
    db.session.expire_all()
    assert user.session_mark != mark
    assert passwords.fits("another horse", user.password_hash)
    assert tokens.user_of_token(token).reason == "revoked"


def test_nobody_sets_a_strangers_password() -> None:
    user = added()
    for by, refusal in ((HEXI, NotFound), (TILL, Forbidden)):
        with pytest.raises(refusal), transaction():
            users.set_password(user.id, "another horse", by)
    with pytest.raises(NotFound), transaction():
        users.set_password(999, "another horse", CITY)


def test_disabling_keeps_the_user_and_shuts_the_door() -> None:
    user = added()
    with pytest.raises(NotFound), transaction():
        users.disable(user.id, HEXI)
    with transaction():
        users.disable(user.id, CITY)
    db.session.expire_all()
    assert user.disabled_at is not None
    boss = added("boss", "city", territory="120000")
    with pytest.raises(users.BadUser), transaction():
        users.disable(boss.id, users.actor_of(boss))


def test_family_acts_for_whoever_allows_it_now() -> None:
    elder_id = enrolled()
    user = added("family", "family", "483920")
    assert users.actor_of(user).elder_ids == ()
    with transaction():
        family.allow(elder_id, user.id, "女儿", CLI)
    assert users.actor_of(user).elder_ids == (elder_id,)
    with transaction():
        family.end(elder_id, user.id, CLI)
    assert users.actor_of(user).elder_ids == ()


def test_a_login_is_found_whatever_its_case() -> None:
    user = added()
    assert users.by_login(" STREET ").id == user.id
    with pytest.raises(NotFound):
        users.by_login("nobody")
