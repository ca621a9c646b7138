"""Canteens as each may see them: one by its id, the public's list, each desk's work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.hours import is_open_day
from canteen.canteens.models import OPEN_STATUSES, Canteen, Closure, MealPeriod
from canteen.db import db
from canteen.errors import NotFound
from canteen.territory.actors import COUNTER, Actor
from canteen.territory.models import level_of, stem
from canteen.words import Text

STAFF = ("city", "district", "street", "evaluator")


class NoSuchCanteen(NotFound):
    """There is no such canteen, or the one who asks may not know of it."""

    code = "no_such_canteen"
    text = Text("没有找到这家食堂", "No such canteen")


@dataclass(frozen=True)
class Hours:
    """One meal's hours, Shanghai wall clock."""

    meal: str
    opens: time
    closes: time
    order_until: time


@dataclass(frozen=True)
class Listed:
    """A canteen as the public sees it on one day."""

    id: int
    code: str
    name: str
    name_en: str
    district_code: str
    street_code: str
    address: str
    phone: str
    latitude: float | None
    longitude: float | None
    tier: int
    demonstration: bool
    grade: str | None
    status: str
    capabilities: tuple[str, ...]
    open_today: bool
    closed_because: str | None
    hours: tuple[Hours, ...]


def visible(actor: Actor | None) -> sa.ColumnElement[bool]:
    """The condition on Canteen for what `actor` may see; nobody (None) is the public.

    Staff see their ground, operators and canteen people their own, everyone else whatever sells.
    """
    if actor is not None and actor.role == "job":
        return sa.true()
    if actor is not None and actor.role in STAFF:
        return on_ground(actor.territory)
    if actor is not None and actor.role == "operator":
        return Canteen.operator_id == actor.operator_id
    if actor is not None and actor.role in COUNTER:
        return Canteen.id == actor.canteen_id
    return Canteen.status.in_(OPEN_STATUSES)


def on_ground(territory: str | None) -> sa.ColumnElement[bool]:
    """The condition on Canteen for one territory: a street, a district, or the whole city."""
    if territory is None:
        return sa.false()
    level = level_of(territory)
    if level == "street":
        return Canteen.street_code == territory
    if level == "district":
        return Canteen.district_code == territory
    return Canteen.district_code.startswith(stem(territory), autoescape=True)


def get_for(actor: Actor | None, canteen_id: int) -> Canteen:
    """The canteen, if `actor` may see it; a stranger gets NoSuchCanteen."""
    query = sa.select(Canteen).where(Canteen.id == canteen_id, visible(actor))
    canteen = db.session.scalars(query).first()
    if canteen is None:
        raise NoSuchCanteen()
    return canteen


def list_for(
    actor: Actor | None,
    *,
    territory: str | None = None,
    status: str | None = None,
    text: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Sequence[Canteen]:
    """What `actor` may see of the canteens, by district and name, narrowed as asked."""
    query = sa.select(Canteen).where(visible(actor), _matching(text))
    if territory:
        query = query.where(on_ground(territory))
    if status:
        query = query.where(Canteen.status == status)
    query = query.order_by(Canteen.district_code, Canteen.name, Canteen.id)
    return db.session.scalars(query.limit(limit).offset(offset)).all()


def public_list(
    district: str | None = None,
    text: str | None = None,
    *,
    on: date | None = None,
    limit: int = 100,
    offset: int = 0,
    statuses: Sequence[str] = OPEN_STATUSES,
) -> list[Listed]:
    """Who sells on a day (default: today), with that day's hours: one query, by district and name.

    `district` may be a street or the city too; `text` looks in names and addresses; `statuses`
    are the signs asked for.
    """
    on = on or clock.business_date()
    wanted = sa.select(Canteen.id).where(_on_list(district, text, statuses))
    wanted = wanted.order_by(Canteen.district_code, Canteen.name, Canteen.id)
    page = wanted.limit(limit).offset(offset).subquery()
    query = (
        sa.select(Canteen, MealPeriod, Closure.reason)
        .join(page, page.c.id == Canteen.id)
        .outerjoin(MealPeriod, MealPeriod.canteen_id == Canteen.id)
        .outerjoin(Closure, (Closure.canteen_id == Canteen.id) & (Closure.on == on))
        .order_by(Canteen.district_code, Canteen.name, Canteen.id, MealPeriod.opens)
    )
    found: dict[int, tuple[Canteen, str | None, list[Hours]]] = {}
    for canteen, period, closed in db.session.execute(query):
        hours = found.setdefault(canteen.id, (canteen, closed, []))[2]
        if period is not None:
            hours.append(Hours(period.meal, period.opens, period.closes, period.order_until))
    return [_listed(*row, on) for row in found.values()]


def public_count(
    district: str | None = None,
    text: str | None = None,
    *,
    statuses: Sequence[str] = OPEN_STATUSES,
) -> int:
    """How many canteens `public_list` has in all."""
    query = sa.select(sa.func.count()).select_from(Canteen)
    return db.session.scalar(query.where(_on_list(district, text, statuses))) or 0


def hours_of(canteen_id: int) -> list[MealPeriod]:
    """A canteen's meal periods, earliest first."""
    query = sa.select(MealPeriod).where(MealPeriod.canteen_id == canteen_id)
    return list(db.session.scalars(query.order_by(MealPeriod.opens)))


def closures_between(canteen_id: int, first: date, last: date) -> dict[date, str]:
    """The announced closures from `first` to `last`, both included, with their reasons."""
    query = sa.select(Closure.on, Closure.reason).where(
        Closure.canteen_id == canteen_id, Closure.on.between(first, last)
    )
    return {row.on: row.reason for row in db.session.execute(query)}


def _on_list(
    district: str | None, text: str | None, statuses: Sequence[str]
) -> sa.ColumnElement[bool]:
    ground = on_ground(district) if district else sa.true()
    return sa.and_(Canteen.status.in_(statuses), _matching(text), ground)


def _matching(text: str | None) -> sa.ColumnElement[bool]:
    wanted = (text or "").strip()[:40]
    if not wanted:
        return sa.true()
    places = (Canteen.name, Canteen.name_en, Canteen.address, Canteen.code)
    return sa.or_(*(place.icontains(wanted, autoescape=True) for place in places))


def _listed(canteen: Canteen, closed: str | None, hours: list[Hours], on: date) -> Listed:
    return Listed(
        id=canteen.id,
        code=canteen.code,
        name=canteen.name,
        name_en=canteen.name_en or canteen.name,
        district_code=canteen.district_code,
        street_code=canteen.street_code,
        address=canteen.address,
        phone=canteen.phone,
        latitude=canteen.latitude,
        longitude=canteen.longitude,
        tier=canteen.tier,
        demonstration=canteen.demonstration,
        grade=canteen.grade,
        status=canteen.status,
        capabilities=tuple(canteen.capabilities),
        open_today=is_open_day(canteen.open_weekdays, [on] if closed is not None else [], on),
        closed_because=closed,
        hours=tuple(hours),
    )
