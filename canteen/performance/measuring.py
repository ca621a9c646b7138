"""What can be counted about canteens, by a fixed number of queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.hours import open_days
from canteen.canteens.licensing import missing_papers_of
from canteen.canteens.models import OPEN_STATUSES, Canteen, Closure, ListingChange
from canteen.db import db
from canteen.orders.models import Order
from canteen.performance.models import Rating
from canteen.performance.scoring import Measured
from canteen.subsidies.models import Grant

JUDGED = (*OPEN_STATUSES, "suspended")
# Idle days are counted this far back: more than any rule asks for.
LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True)
class SignFacts:
    """What the judging rules look at. `idle_days` counts the open days since `idle_since`, the
    last day with a meal served, or the day the sign was (again) hung."""

    canteen_id: int
    status: str
    status_since: date
    status_reason: str | None
    open_since: date
    idle_since: date
    idle_days: int
    served_since_change: int
    missing_papers: tuple[str, ...]


@dataclass(frozen=True)
class Meals:
    """One canteen's meals over a window of days."""

    first: date
    last: date
    meals: int
    subsidised: int
    measured: Measured

    @property
    def subsidised_bp(self) -> int:
        """The share of subsidised meals, in basis points."""
        return self.subsidised * 10_000 // self.meals if self.meals else 0


def sign_facts(on: date, canteen_id: int | None = None) -> dict[int, SignFacts]:
    """The facts of every listed, warned or suspended canteen at the end of a day (or of one)."""
    change = sa.select(ListingChange.reason_code).where(ListingChange.canteen_id == Canteen.id)
    latest = change.order_by(ListingChange.at.desc(), ListingChange.id.desc()).limit(1)
    before = ListingChange.from_status
    hung = (
        ListingChange.canteen_id == Canteen.id,
        ListingChange.to_status == "listed",
        sa.or_(before.is_(None), before.not_in(OPEN_STATUSES)),
    )
    # LIMIT 1 along the index (canteen, day): a grouped maximum would read every order there is.
    last_served = (
        sa.select(Order.on)
        .where(Order.canteen_id == Canteen.id, Order.on <= on, Order.state == "served")
        .order_by(Order.on.desc())
        .limit(1)
    )
    query = sa.select(
        Canteen.id, Canteen.status, Canteen.status_since, Canteen.open_weekdays,
        latest.scalar_subquery().label("status_reason"),
        sa.select(sa.func.min(ListingChange.at)).where(*hung).scalar_subquery().label("first_at"),
        sa.select(sa.func.max(ListingChange.at)).where(*hung).scalar_subquery().label("hung_at"),
        last_served.scalar_subquery().label("last_served"),
    ).where(*_judged(canteen_id))  # fmt: skip
    rows = db.session.execute(query).all()
    ids = [row.id for row in rows]
    missing = missing_papers_of(ids, on)
    closed = _closures(on - LOOK_BACK, on, canteen_id)
    served = _served_since_change(on, canteen_id)
    facts = {}
    for row in rows:
        # A canteen that was listed before it came onto the books has no such change: it has
        # always hung, or, when nothing was ever changed, since its status says.
        always = on - LOOK_BACK if row.status_reason else row.status_since
        hung_on = clock.business_date(row.hung_at) if row.hung_at else always
        since = max(d for d in (row.last_served, hung_on, on - LOOK_BACK) if d is not None)
        idle = open_days(row.open_weekdays, closed[row.id], since + timedelta(days=1), on)
        facts[row.id] = SignFacts(
            canteen_id=row.id, status=row.status, status_since=row.status_since,
            status_reason=row.status_reason,
            open_since=clock.business_date(row.first_at) if row.first_at else always,
            idle_since=since, idle_days=idle, served_since_change=served.get(row.id, 0),
            missing_papers=missing[row.id],
        )  # fmt: skip
    return facts


def meals_of(canteen_ids: Collection[int], on: date, days: int) -> dict[int, Meals]:
    """Meals, subsidised meals, days served and ratings over the `days` up to `on`, per canteen.

    A cancelled meal is in none of the sums; a subsidised one is a grant not taken back.
    """
    first = on - timedelta(days=days - 1)
    orders = _grouped(
        sa.select(Order.canteen_id, sa.func.count(), sa.func.count(Order.on.distinct()))
        .where(Order.on.between(first, on), Order.state == "served"),
        Order.canteen_id, canteen_ids,
    )  # fmt: skip
    grants = _grouped(
        sa.select(Grant.canteen_id, sa.func.sum(Grant.sign)).where(Grant.on.between(first, on)),
        Grant.canteen_id, canteen_ids,
    )  # fmt: skip
    ratings = _grouped(
        sa.select(Rating.canteen_id, sa.func.count(), sa.func.sum(Rating.stars))
        .where(Rating.on.between(first, on)),
        Rating.canteen_id, canteen_ids,
    )  # fmt: skip
    closed = _closures(first, on)
    weekdays = db.session.execute(
        sa.select(Canteen.id, Canteen.open_weekdays).where(Canteen.id.in_(canteen_ids))
    )
    found = {}
    for canteen_id, open_weekdays in weekdays:
        meals, served_days = orders.get(canteen_id, (0, 0))
        count, stars = ratings.get(canteen_id, (0, 0))
        found[canteen_id] = Meals(
            first=first, last=on, meals=meals, subsidised=int(*grants.get(canteen_id, (0,))),
            measured=Measured(
                open_days=open_days(open_weekdays, closed[canteen_id], first, on),
                served_days=served_days, ratings=count, stars=int(stars),
            ),
        )  # fmt: skip
    return found


def _judged(canteen_id: int | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [Canteen.status.in_(JUDGED)]
    return conditions if canteen_id is None else [*conditions, Canteen.id == canteen_id]


def _closures(first: date, last: date, canteen_id: int | None = None) -> dict[int, set[date]]:
    query = sa.select(Closure.canteen_id, Closure.on).where(Closure.on.between(first, last))
    if canteen_id is not None:
        query = query.where(Closure.canteen_id == canteen_id)
    closed: dict[int, set[date]] = defaultdict(set)
    for row in db.session.execute(query):
        closed[row.canteen_id].add(row.on)
    return closed


def _served_since_change(on: date, canteen_id: int | None) -> dict[int, int]:
    """Days with a meal served since the sign last changed, for warned canteens."""
    query = (
        sa.select(Canteen.id, sa.func.count(Order.on.distinct()))
        .join(Order, Order.canteen_id == Canteen.id)
        .where(
            *_judged(canteen_id), Canteen.status == "warned", Order.state == "served",
            Order.on > Canteen.status_since, Order.on <= on,
        )
        .group_by(Canteen.id)
    )  # fmt: skip
    return {row[0]: row[1] for row in db.session.execute(query)}


def _grouped(
    query: sa.Select, key: sa.ColumnElement[int], canteen_ids: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """The query's sums per canteen, {canteen: the other columns}."""
    rows = db.session.execute(query.where(key.in_(canteen_ids)).group_by(key))
    return {row[0]: tuple(row[1:]) for row in rows}
