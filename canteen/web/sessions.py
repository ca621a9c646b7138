"""Who a request comes from: a signed session cookie, or the bearer token of a program."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import sqlalchemy as sa
from flask import g, request, session
from sqlalchemy.exc import SQLAlchemyError

from canteen import clock
from canteen.access import tokens, users
from canteen.access.models import User
from canteen.canteens.models import Canteen, Operator
from canteen.db import db
from canteen.territory.actors import HOME, Actor
from canteen.territory.models import Territory
from canteen.tills.journal import TillWithdrawn
from canteen.tills.models import Till
from canteen.words import Text

STAFF_STAY = timedelta(hours=14)  # one working day; the tablet is signed in each morning
DINER_STAY = timedelta(days=30)  # an elder should not have to type a password for every meal


def recognise() -> None:
    """Set `g.actor` from the bearer token, if one is sent, else from the session."""
    g.actor, g.by_token, g.token_failure = None, False, None
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        g.by_token = True
        held = tokens.user_of_token(secret.strip())
        if held.user is None:
            g.token_failure = held
        else:
            g.actor = users.actor_of(held.user)
        return
    number, mark, until = (session.get(name) for name in ("user", "mark", "until"))
    if number is None:
        return
    user = db.session.get(User, number)
    good = (
        user is not None
        and user.disabled_at is None
        and hmac.compare_digest(user.session_mark, str(mark))
        and clock.now().timestamp() < float(until or 0)
    )
    if good:
        g.actor = users.actor_of(user)
    else:
        session.clear()


def refuse_till_shut_out() -> None:
    """Refuse what was opened by PIN on a tablet that its manager has shut out since: it may be
    lost, and whoever holds it must not go on reading. Refuses with TillWithdrawn."""
    till_id = None if g.by_token else session.get("till")
    if not isinstance(till_id, int):
        return
    shut_out = sa.select(Till.id).where(Till.id == till_id, Till.withdrawn_at.is_not(None))
    if db.session.scalar(shut_out) is not None:
        raise TillWithdrawn()


def begin(user: User) -> None:
    """Sign a user in on this browser; whatever the session held before is forgotten."""
    session.clear()
    session.permanent = True
    stay = DINER_STAY if user.role in HOME else STAFF_STAY
    session.update(
        user=user.id, mark=user.session_mark, until=int((clock.now() + stay).timestamp())
    )


def end() -> None:
    """Sign out on this browser."""
    session.clear()


@dataclass
class Reader:
    """Who is signed in, as pages show it at their top."""

    actor: Actor

    @property
    def name(self) -> str:
        """Their name."""
        return self.actor.name

    @property
    def role(self) -> str:
        """Their role's code."""
        return self.actor.role

    @property
    def role_label(self) -> Text:
        """Their role in both languages."""
        return self.actor.role_text

    @cached_property
    def territory_label(self) -> Text | str | None:
        """Whom they act for: the territory, the canteen or the enterprise."""
        try:
            if self.actor.territory:
                at = db.session.get(Territory, self.actor.territory)
                return at.name if at else None
            if self.actor.canteen_id:
                names = sa.select(Canteen.name, Canteen.name_en)
                found = db.session.execute(names.where(Canteen.id == self.actor.canteen_id)).first()
                return Text(found.name, found.name_en or found.name) if found else None
            if self.actor.operator_id:
                name = sa.select(Operator.name).where(Operator.id == self.actor.operator_id)
                return db.session.scalar(name)
        except SQLAlchemyError:  # the page that says so must not need the database
            db.session.rollback()
        return None


def reader() -> Reader | None:
    """The signed-in reader for the page's header, or None."""
    actor = g.get("actor")
    return Reader(actor) if actor else None
