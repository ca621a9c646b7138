"""Which sale followed which at a till, for the checks that look for stacks of cards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import BIG, MEALS, WHOLE, here, measured
from canteen.checks.parts import Scope
from canteen.db import BigId, db

m = MEALS.c

# The subsidised meals sold at tills, or at the counter of a canteen without one (`place`),
# numbered in their order: till by till, day by day.
SALES = sa.Table(
    "checked_sales", here,
    sa.Column("id", BigId, primary_key=True), sa.Column("place", BIG), sa.Column("day", WHOLE),
    sa.Column("at", BIG), sa.Column("order_id", BIG), sa.Column("canteen_id", BIG),
    sa.Column("elder_id", BIG), sa.Column("stake_fen", BIG), prefixes=["TEMPORARY"],
)  # fmt: skip


def fill() -> None:
    """Fill SALES from MEALS."""
    place = sa.func.coalesce(m.till_id, -m.canteen_id)
    query = (
        sa.select(place, m.day, m.at, m.order_id, m.canteen_id, m.elder_id, m.stake_fen)
        .where(m.channel == "till").order_by(place, m.day, m.at, m.order_id)
    )  # fmt: skip
    names = [column.name for column in SALES.c if column.name != "id"]
    db.session.execute(sa.insert(SALES).from_select(names, query))
    measured(SALES)


def followed(before: Any, sale: Any, by: int = 1) -> Any:
    """Whether a sale was made at the same place and day, so many sales after another."""
    return sa.and_(
        before.id == sale.id - by, before.place == sale.place, before.day == sale.day
    )


def in_a_row(scope: Scope, sold: sa.FromClause, *conditions: Any, **sums: Any) -> sa.Subquery:
    """Sales that follow each other by one till or hand without a pause of more than `gap_s`.

    `sold` has who, day, moment, order_id, canteen_id. Gives who, canteen_id, from_at, to_at,
    order_ids and the `sums` (made from the columns of `sold`) of each run, where the conditions
    on the sums hold.
    """
    s = sold.c
    over = {"partition_by": (s.who, s.day), "order_by": (s.moment, s.order_id)}
    apart = s.moment - sa.func.lag(s.moment).over(**over)
    first = sa.select(
        sold, sa.case((apart <= scope["gap_s"], 0), else_=1).label("begins")
    ).subquery()
    over = {"partition_by": (first.c.who, first.c.day),
            "order_by": (first.c.moment, first.c.order_id)}  # fmt: skip
    runs = sa.select(first, sa.func.sum(first.c.begins).over(**over).label("run")).subquery()
    r = runs.c
    made = {name: make(r) for name, make in sums.items()}
    return (
        sa.select(
            r.who, sa.func.min(r.canteen_id).label("canteen_id"),
            sa.func.min(r.moment).label("from_at"), sa.func.max(r.moment).label("to_at"),
            sa.func.aggregate_strings(spelling.text(r.order_id), ",").label("order_ids"),
            *(column.label(name) for name, column in made.items()),
        )
        .group_by(r.who, r.day, r.run)
        .having(sa.and_(*(condition(made) for condition in conditions)))
        .subquery()
    )  # fmt: skip
