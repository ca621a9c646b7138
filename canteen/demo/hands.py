"""Who of the demo city acts: somebody of each kind, by the ground they have."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.db import db
from canteen.territory.actors import Actor


def of(role: str) -> dict[object, Actor]:
    """The first actor of a role for each ground: an operator, a canteen, a territory."""
    users = db.session.scalars(sa.select(User).where(User.role == role).order_by(User.id.desc()))
    ground = {"operator": "operator_id", "cashier": "canteen_id", "manager": "canteen_id"}
    return {getattr(user, ground.get(role, "territory_code")): actor_of(user) for user in users}


def at_canteen(role: str, canteen_id: int) -> Actor:
    """The cashier or manager of a canteen."""
    found = sa.select(User).where(User.role == role, User.canteen_id == canteen_id)
    return actor_of(db.session.scalars(found.order_by(User.id).limit(1)).one())
