"""What anybody may read of one canteen: whatever its sign says, and where to go instead."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.canteens.finding import NoSuchCanteen
from canteen.canteens.models import OPEN_STATUSES, Canteen, ListingChange
from canteen.db import db

# A canteen that was never listed is nobody's business yet; a sign taken down is everybody's.
PUBLIC_STATUSES = (*OPEN_STATUSES, "suspended", "delisted")


def shown(canteen_id: int) -> Canteen:
    """A canteen whose sign hangs or hung. NoSuchCanteen for one that never had it."""
    query = sa.select(Canteen).where(
        Canteen.id == canteen_id, Canteen.status.in_(PUBLIC_STATUSES)
    )
    canteen = db.session.scalars(query).first()
    if canteen is None:
        raise NoSuchCanteen()
    return canteen


def last_change(canteen_id: int) -> ListingChange | None:
    """What last happened to a canteen's sign, if anything is written down."""
    query = sa.select(ListingChange).where(ListingChange.canteen_id == canteen_id)
    latest = (ListingChange.at.desc(), ListingChange.id.desc())
    return db.session.scalars(query.order_by(*latest).limit(1)).first()


def instead_of(canteen: Canteen, most: int = 3) -> list[Canteen]:
    """Where to go instead: the canteens that sell in the same district, the nearest first.

    The same street comes first; within it and beyond it, by distance where both places are known.
    """
    away: sa.ColumnElement[float] = sa.literal(0.0)
    if canteen.latitude is not None and canteen.longitude is not None:
        # Squares of degrees: near enough to put neighbours in order, and alike on any database.
        north, east = Canteen.latitude - canteen.latitude, Canteen.longitude - canteen.longitude
        away = sa.func.coalesce(north * north + east * east * 0.6, 1_000.0)
    elsewhere = sa.case((Canteen.street_code == canteen.street_code, 0), else_=1)
    query = (
        sa.select(Canteen)
        .where(
            Canteen.district_code == canteen.district_code,
            Canteen.status.in_(OPEN_STATUSES),
            Canteen.id != canteen.id,
        )
        .order_by(elsewhere, away, Canteen.name, Canteen.id)
        .limit(most)
    )
    return list(db.session.scalars(query))
