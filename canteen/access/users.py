"""Users: added with a role and its ground, disabled, given a new password; and whom they act as."""

from __future__ import annotations

import re
import secrets

import sqlalchemy as sa

from canteen import clock
from canteen.access import passwords
from canteen.access.models import ApiToken, User
from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.territory.actors import BUREAU, COUNTER, HOME, ROLES, Actor
from canteen.territory.models import Territory, level_of
from canteen.words import Text

LOCALES = ("zh", "en")
# The ground each role stands on: the column that must be filled in, the others stay empty.
GROUND = {
    **dict.fromkeys((*BUREAU, "evaluator"), "territory"),
    "operator": "operator_id",
    **dict.fromkeys(COUNTER, "canteen_id"),
    "elder": "elder_id",
    "family": None,
}
# Rooms of the same rank are not imported; these columns of theirs say whose ground a user is on.
_canteens = sa.table("canteens", sa.column("id"), sa.column("district_code"))
_operators = sa.table("operators", sa.column("id"))
_elders = sa.table("elders", sa.column("id"), sa.column("street_code"))
_family = sa.table(
    "family_members", sa.column("elder_id"), sa.column("user_id"), sa.column("ended_at")
)


class BadLogin(Refused):
    """The login has characters it may not have, or the wrong length."""

    code = "bad_login"
    text = Text(
        "登录名为 3 至 40 位小写字母、数字或 . _ - @ +",
        "A login has 3 to 40 lower-case letters, digits or . _ - @ +",
    )


class LoginTaken(Conflict):
    """Somebody has this login."""

    code = "login_taken"
    text = Text("登录名“{login}”已有人使用", "The login “{login}” is taken")


class BadUser(Refused):
    """A field of the user is missing or fits neither the role nor anything that exists."""

    code = "bad_user"


def add_user(
    login: str,
    password: str,
    name: str,
    role: str,
    *,
    by: Actor,
    territory: str | None = None,
    operator_id: int | None = None,
    canteen_id: int | None = None,
    elder_id: int | None = None,
    locale: str = "zh",
) -> int:
    """Add somebody who may sign in; the user's id.

    City staff add anybody, district staff those of their district. Refuses BadLogin, LoginTaken,
    BadUser and WeakPassword naming the field.
    """
    by.must_be("city", "district")
    login = login.strip().lower()
    if not re.fullmatch(r"[a-z0-9._@+\-]{3,40}", login):
        raise BadLogin(field="login")
    name = name.strip()
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise _bad("name", "姓名为 1 至 40 个字", "A name has 1 to 40 characters")
    if role not in GROUND:
        known = " · ".join(GROUND)
        raise _bad("role", f"角色可以是：{known}", f"The role may be: {known}")
    if locale not in LOCALES:
        raise _bad("locale", "语言可以是 zh 或 en", "The language may be zh or en")
    given = {
        "territory": territory, "operator_id": operator_id,
        "canteen_id": canteen_id, "elder_id": elder_id,
    }  # fmt: skip
    _check_ground(role, given, by)
    user_id = db.session.scalar(
        insert(User.__table__)
        .values(
            login=login, password_hash=passwords.hash_of(passwords.checked(password, role, login)),
            name=name, role=role, territory_code=territory, operator_id=operator_id,
            canteen_id=canteen_id, elder_id=elder_id, locale=locale, session_mark=_mark(),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(User.__table__.c.id)
    )  # fmt: skip
    if user_id is None:
        raise LoginTaken(field="login", login=login)
    record(by.label, "add_user", "user", user_id, {"login": login, "role": role})
    return user_id


def disable(user_id: int, by: Actor) -> None:
    """Let a user in no more: pages, tokens and all. Refuses NotFound off the actor's ground."""
    user = _held(user_id, by)
    if user.disabled_at is not None:
        return
    if user.id == by.user_id:
        raise _bad("user", "不能停用自己的账号", "You cannot disable your own account")
    user.disabled_at = clock.now()
    user.session_mark = _mark()
    db.session.flush()
    record(by.label, "disable_user", "user", user_id, {"login": user.login})


def set_password(user_id: int, password: str, by: Actor) -> None:
    """A new password: by the user, or by staff for one of their ground.

    Whoever is signed in as this user is signed out everywhere, and the user's tokens are revoked.
    Refuses WeakPassword and NotFound.
    """
    user = db.session.get(User, user_id) if by.user_id == user_id else _held(user_id, by)
    if user is None:
        raise NotFound()
    user.password_hash = passwords.hash_of(passwords.checked(password, user.role, user.login))
    user.session_mark = _mark()
    db.session.execute(
        sa.update(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    db.session.flush()
    record(by.label, "set_password", "user", user_id)


def by_login(login: str) -> User:
    """The user with this login. Refuses NotFound."""
    user = db.session.scalar(sa.select(User).where(User.login == login.strip().lower()))
    if user is None:
        raise NotFound(
            Text("没有登录名为“{login}”的用户", "There is no user with the login “{login}”").format(
                login=login.strip()[:40]
            ),
            field="login",
        )
    return user


def actor_of(user: User) -> Actor:
    """Whom the user acts as. Elders act for themselves, family for the elders who allow it now."""
    elder_ids: tuple[int, ...] = (user.elder_id,) if user.elder_id is not None else ()
    if user.role in HOME:
        allowed = db.session.scalars(
            sa.select(_family.c.elder_id)
            .where(_family.c.user_id == user.id, _family.c.ended_at.is_(None))
            .order_by(_family.c.elder_id)
        )
        elder_ids = tuple(dict.fromkeys((*elder_ids, *allowed)))
    return Actor(
        role=user.role, user_id=user.id, name=user.name, territory=user.territory_code,
        operator_id=user.operator_id, canteen_id=user.canteen_id, elder_ids=elder_ids,
    )  # fmt: skip


def _check_ground(role: str, given: dict[str, str | int | None], by: Actor) -> None:
    """The role's ground is named, exists and lies where the actor may decide; no other is named."""
    needed = GROUND[role]
    for field, value in given.items():
        if field == needed and value is None:
            raise _bad(
                field, f"{ROLES[role].zh}必须填写 {field}", f"The role {role} needs a {field}"
            )
        if field != needed and value is not None:
            raise _bad(field, f"{ROLES[role].zh}没有 {field}", f"The role {role} has no {field}")
    if needed is None:
        return
    exists, place = _place(needed, given[needed], role)
    if not exists:
        raise _bad(needed, f"{needed} 不存在或与角色不符", f"There is no such {needed} for {role}")
    if not (by.role in ("job", "city") or (place is not None and by.reaches(place))):
        raise Forbidden()


def _place(needed: str, value: str | int | None, role: str) -> tuple[bool, str | None]:
    """Whether the ground exists, and the territory it lies in, if it lies in one."""
    if needed == "territory":
        code = db.session.scalar(sa.select(Territory.code).where(Territory.code == value))
        fits = code is not None and (role == "evaluator" or level_of(code) == role)
        return fits, code
    table, column = {
        "operator_id": (_operators, sa.null()),
        "canteen_id": (_canteens, _canteens.c.district_code),
        "elder_id": (_elders, _elders.c.street_code),
    }[needed]
    row = db.session.execute(sa.select(table.c.id, column).where(table.c.id == value)).first()
    return row is not None, row[1] if row else None


def _held(user_id: int, by: Actor) -> User:
    by.must_be("city", "district")
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None:
        raise NotFound()
    if by.role in ("job", "city"):
        return user
    needed = GROUND[user.role]
    value = {"territory": user.territory_code, "canteen_id": user.canteen_id,
             "elder_id": user.elder_id}.get(needed or "")  # fmt: skip
    place = _place(needed, value, user.role)[1] if needed and value is not None else None
    if place is None or not by.reaches(place):
        raise NotFound()
    return user


def _bad(field: str, zh: str, en: str) -> BadUser:
    return BadUser(Text(zh, en), field=field)


def _mark() -> str:
    return secrets.token_hex(8)
