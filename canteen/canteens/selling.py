"""What a sale must know of a canteen, in one query: it stands on the hot path of every order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from canteen.canteens import hours
from canteen.canteens.finding import Hours, NoSuchCanteen
from canteen.canteens.lifecycle import must_sell
from canteen.canteens.models import Canteen, Closure, MealPeriod
from canteen.canteens.pricing import discount_query, standard_set_query
from canteen.db import db, is_postgresql
from canteen.errors import Refused
from canteen.words import Text

# The service a diner asks for, and the capability a canteen needs for it.
SERVICE_NEEDS = {"eat_in": "dine_in", "pick_up": "pick_up", "delivery": "delivery"}


class ServiceNotOffered(Refused):
    """The canteen does not offer that way of having the meal."""

    code = "service_not_offered"
    text = Text("这家食堂没有这项服务", "This canteen does not offer that service")


@dataclass(frozen=True)
class Terms:
    """A canteen on one day, for one meal and one diner's age, as a sale is priced by it."""

    canteen_id: int
    name: str
    status: str
    tier: int
    grade: str | None
    district_code: str
    street_code: str
    capabilities: tuple[str, ...]
    open_weekdays: str
    closed: bool
    period: Hours | None
    standard_set_fen: int | None
    discount_bp: int


def terms(
    canteen_id: int, on: date, meal: str, *, age: int | None = None, hold_sign: bool = False
) -> Terms:
    """The terms of a sale; `discount_bp` is 0 without an age. NoSuchCanteen when there is none.

    With `hold_sign` the canteen's sign cannot change until this transaction ends: an order that
    was checked against it is then saved before a delisting, or refused after it, never between.
    """
    query = _query(age is not None, hold_sign and is_postgresql())
    wanted: dict[str, Any] = {"canteen": canteen_id, "day": on, "asked_meal": meal}
    if age is not None:
        wanted["years"] = age
    row = db.session.execute(query, wanted).first()
    if row is None:
        raise NoSuchCanteen(field="canteen_id")
    period = None
    if row.opens is not None:
        period = Hours(meal, row.opens, row.closes, row.order_until)
    return Terms(
        canteen_id=row.id, name=row.name, status=row.status, tier=row.tier, grade=row.grade,
        district_code=row.district_code, street_code=row.street_code,
        capabilities=tuple(row.capabilities), open_weekdays=row.open_weekdays,
        closed=bool(row.closed), period=period, standard_set_fen=row.set_fen,
        discount_bp=row.discount_bp or 0,
    )  # fmt: skip


@cache
def _query(with_age: bool, locked: bool) -> sa.Select:
    """The query of `terms`, built once: every sale waits for it."""
    on = sa.bindparam("day", type_=sa.Date)
    meal = sa.bindparam("asked_meal", type_=sa.String)
    discount: sa.ColumnElement[int] = sa.literal(0)
    if with_age:
        years = sa.bindparam("years", type_=sa.Integer)
        discount = discount_query(Canteen.id, years, on).scalar_subquery()
    closed = sa.exists().where(Closure.canteen_id == Canteen.id, Closure.on == on)
    query = (
        sa.select(
            Canteen.id, Canteen.name, Canteen.status, Canteen.tier, Canteen.grade,
            Canteen.district_code, Canteen.street_code, Canteen.capabilities,
            Canteen.open_weekdays, closed.label("closed"),
            MealPeriod.opens, MealPeriod.closes, MealPeriod.order_until,
            standard_set_query(Canteen.district_code, on).scalar_subquery().label("set_fen"),
            discount.label("discount_bp"),
        )
        .outerjoin(MealPeriod, (MealPeriod.canteen_id == Canteen.id) & (MealPeriod.meal == meal))
        .where(Canteen.id == sa.bindparam("canteen", type_=Canteen.id.type))
    )  # fmt: skip
    return query.with_for_update(read=True, of=Canteen) if locked else query


def check_sale(
    terms: Terms, on: date, meal: str, service: str, *, ahead_at: datetime | None = None
) -> None:
    """Refuse a sale the canteen cannot make, in the order a person would ask.

    CanteenNotSelling, ClosedDay, MealNotServed, ServiceNotOffered and, for an order made ahead at
    the Shanghai wall-clock moment `ahead_at`, TooLateToOrder.
    """
    must_sell(terms.status)
    hours.check_open(terms.open_weekdays, [on] if terms.closed else [], on)
    period = hours.period_of_meal([terms.period] if terms.period else [], meal)
    if SERVICE_NEEDS.get(service) not in terms.capabilities:
        raise ServiceNotOffered(field="service")
    if ahead_at is not None:
        hours.check_order_ahead(period, on, ahead_at)
