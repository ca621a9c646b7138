"""Which suspicions somebody may see."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.checks.catalogue import DESK_ONLY
from canteen.checks.deciding import NoSuchSuspicion
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.territory.actors import Actor

# A cashier sees none: a suspicion may be about the one who stands at the till.
FOUND_OF = ("operator", "manager")
READERS = (*canteens.STAFF, *FOUND_OF, "job")


def get_for(actor: Actor, suspicion_id: int) -> Suspicion:
    """One suspicion, if the actor may see it. Refuses NoSuchSuspicion."""
    suspicion = db.session.scalars(
        sa.select(Suspicion)
        .join(Canteen, Canteen.id == Suspicion.canteen_id)
        .where(Suspicion.id == suspicion_id, _visible(actor))
    ).first()
    if suspicion is None:
        raise NoSuchSuspicion()
    return suspicion


def told_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Which findings an actor may learn of at all, wherever they were made: those of whom it is
    found do not learn what is for the desk alone."""
    if actor.role not in READERS:
        return sa.false()
    return not_for_desk() if actor.role in FOUND_OF else sa.true()


def not_for_desk() -> sa.ColumnElement[bool]:
    """Which findings are not for the desk alone."""
    return Suspicion.code.not_in(DESK_ONLY)


def _visible(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(told_to(actor), canteens.visible(actor))
