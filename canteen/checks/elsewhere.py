"""Who was seen at two canteens on the day of a subsidised meal, at full price or not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import BIG, MEALS, WHOLE, here, measured
from canteen.checks.parts import Scope
from canteen.checks.summing import DINERS
from canteen.db import db, insert
from canteen.orders.models import Order

m, d = MEALS.c, DINERS.c

# What an elder took in hand on a day on which they had a subsidised meal at another canteen; `at`
# in seconds. A delivery is handed over at their door and says nothing of where they were.
SEEN = sa.Table(
    "checked_seen", here,
    sa.Column("elder_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("order_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("canteen_id", BIG), sa.Column("day", WHOLE), sa.Column("at", BIG),
    prefixes=["TEMPORARY"],
)  # fmt: skip


def fill(scope: Scope) -> None:
    """Fill SEEN from MEALS and the orders at full price."""
    names = [column.name for column in SEEN.c]
    for query in (_subsidised(), _full_price(scope)):
        db.session.execute(insert(SEEN).from_select(names, query).on_conflict_do_nothing())
    measured(SEEN)


def _subsidised() -> sa.Select[Any]:
    """Of those only who eat at several canteens at all."""
    several = sa.select(d.elder_id).where(d.canteens > 1)
    return sa.select(m.elder_id, m.order_id, m.canteen_id, m.day, m.at).where(
        m.elder_id.in_(several), m.handed, m.service != "delivery",
        _also_at_another(m.elder_id, m.day, m.canteen_id),
    )


def _full_price(scope: Scope) -> sa.Select[Any]:
    """Of the period's own days, and only what was not at the one canteen of the elder's subsidised
    meals. Orders of a known elder without a subsidy have an index of their own."""
    own = (  # in a query of its own, so that no database begins with the elders
        sa.select(sa.case((d.canteens > 1, 0), else_=d.canteen_id))
        .where(d.elder_id == Order.elder_id).correlate(Order).scalar_subquery()
    )  # fmt: skip
    day = spelling.day_within(Order.on, scope.first, scope.last)
    return sa.select(
        Order.elder_id, Order.id, Order.canteen_id, day, spelling.epoch(Order.served_at)
    ).where(
        Order.on.between(scope.first, scope.last), Order.elder_id.is_not(None),
        Order.subsidy_fen == sa.literal_column("0"), Order.canteen_id != own,
        Order.state == "served", Order.served_at.is_not(None), Order.service != "delivery",
        _also_at_another(Order.elder_id, day, Order.canteen_id),
    )  # fmt: skip


def _also_at_another(elder: Any, day: Any, canteen: Any) -> Any:
    """Whether the elder had a subsidised meal at another canteen on that day."""
    other = MEALS.alias().c
    return sa.exists().where(
        other.elder_id == elder, other.day == day, other.canteen_id != canteen
    )
