"""The meals of some elders with all it takes to price them again, read in a few statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.orders.models import Order, OrderRefund
from canteen.settlements.spans import Back
from canteen.subsidies.granting import COUNTED, GRANTS, USES
from canteen.subsidies.models import Period
from canteen.subsidies.publishing import InForce, by_id
from canteen.subsidies.quotas import quota_keys
from canteen.subsidies.shapes import Policy

Row = dict[str, Any]


@dataclass(frozen=True)
class Meal:
    """A paid meal, and the rows of its subsidy in their order (none: it was paid in full).

    `elder_id` is whom the subsidy is for. `inputs` is None for a meal sold to nobody known and
    claimed afterwards. `list_fen` is what is left after dishes were given back.
    """

    order_id: int
    elder_id: int
    canteen_id: int
    on: date
    meal: str
    policy_id: int
    inputs: Any
    list_fen: int
    paid_in_full: bool
    placed_at: datetime
    rows: tuple[Row, ...] = field(default=(), repr=False)

    @property
    def last(self) -> Row | None:
        """The last row of its subsidy."""
        return self.rows[-1] if self.rows else None


class Used:
    """How often elders were subsidised, as their counters say; counted on as meals are given."""

    def __init__(self, elder_ids: Collection[int], since: date) -> None:
        first = min(clock.week_start(since), since.replace(day=1))
        rows = db.session.execute(
            sa.select(USES).where(USES.c.elder_id.in_(elder_ids), USES.c.starts_on >= first)
        )
        self.counters = {(row.elder_id, row.period_code, row.starts_on): row.used for row in rows}

    def of(self, policy: Policy, meal: Meal) -> dict[str, int]:
        """The keys of a case, as `granting.used` gives them."""
        return {
            COUNTED.get(code, "used_this_meal"): self.counters.get((meal.elder_id, code, start), 0)
            for code, start, _ in quota_keys(policy, meal.on, meal.meal)
        }

    def add(self, policy: Policy, meal: Meal) -> None:
        """One more meal was given."""
        for code, start, _ in quota_keys(policy, meal.on, meal.meal):
            key = (meal.elder_id, code, start)
            self.counters[key] = self.counters.get(key, 0) + 1


def meals_of(elder_ids: Collection[int], back: Back, since: date, upto: date) -> list[Meal]:
    """Every paid meal of these elders from a day to a day, or claimed by them, as far back as its
    district looks; oldest first."""
    chains: dict[int, list[Row]] = {}
    for row in db.session.execute(
        sa.select(GRANTS)
        .where(GRANTS.c.elder_id.in_(elder_ids), GRANTS.c.on.between(since, upto))
        .order_by(GRANTS.c.order_id, GRANTS.c.number)
    ).mappings():
        chains.setdefault(row["order_id"], []).append(dict(row))
    refunded = (
        sa.select(sa.func.coalesce(sa.func.sum(OrderRefund.list_fen), 0))
        .where(OrderRefund.order_id == Order.id).correlate(Order).scalar_subquery()
    )  # fmt: skip
    o, g = Order, GRANTS.c
    columns = (
        o.id, o.canteen_id, o.on, o.meal, o.inputs, o.placed_at,
        (o.list_fen - refunded).label("list_fen"),
        sa.and_(o.subsidy_fen == 0, o.excess_fen == 0).label("paid_in_full"),
    )
    paid = [
        o.paid_at.is_not(None), o.state.in_(("placed", "served")),
        back.covers(o.canteen_id, o.on),
    ]  # fmt: skip
    known = sa.select(o.elder_id, o.policy_id, *columns).where(
        o.elder_id.in_(elder_ids), o.on.between(since, upto), o.policy_id.is_not(None), *paid
    )
    of_nobody = (  # sold to nobody known, claimed by an elder afterwards
        sa.select(g.elder_id, g.policy_id, *columns)
        .join(GRANTS, sa.and_(g.order_id == o.id, g.number == 1))
        .where(g.elder_id.in_(elder_ids), g.on.between(since, upto), o.elder_id.is_(None), *paid)
    )
    meals = [
        Meal(
            row.id, row.elder_id, row.canteen_id, row.on, row.meal, row.policy_id, row.inputs,
            row.list_fen, bool(row.paid_in_full), row.placed_at, tuple(chains.get(row.id, ())),
        )
        for query in (known, of_nobody)
        for row in db.session.execute(query)
    ]
    return sorted(meals, key=lambda meal: (meal.on, meal.placed_at, meal.order_id))


def closed_periods() -> set[str]:
    """The months that were closed."""
    return set(db.session.scalars(sa.select(Period.period).where(Period.closed_at.is_not(None))))


def policies_of(meals: Collection[Meal]) -> dict[int, InForce]:
    """The policies of these meals by their ids: a city has a handful."""
    return {policy_id: by_id(policy_id) for policy_id in {meal.policy_id for meal in meals}}
