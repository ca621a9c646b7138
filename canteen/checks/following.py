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


def in_a_row(
    scope: Scope, sold: sa.FromClause, *conditions: Any, crowd: tuple[int, int] | None = None,
    **sums: Any,
) -> sa.Subquery:  # fmt: skip
    """Sales that follow each other by one till or hand without a pause of more than `gap_s`, or
    that are so many within so many seconds (`crowd`), however they are spread within them.

    `sold` has who, day, moment, order_id, canteen_id. Gives who, canteen_id, from_at, to_at,
    order_ids and the `sums` (made from the columns of `sold`) of each run, where the conditions
    on the sums hold.
    """
    follows = _since(sold, 1) <= scope["gap_s"]
    if crowd and crowd[0] > 1:
        many, within = crowd
        full = sa.case((_since(sold, many - 1) <= within, 1), else_=0)  # so many end with this sale
        sold = sa.select(sold, follows.label("follows"), full.label("full")).subquery()
        # It and the sale before it are in one such crowd if one ends with it, or soon after it.
        in_crowd = sa.func.max(sold.c.full).over(**_order_of(sold), rows=(0, many - 2))
        follows = sa.or_(sold.c.follows, in_crowd == 1)
    first = sa.select(sold, sa.case((follows, 0), else_=1).label("begins")).subquery()
    begun = sa.func.sum(first.c.begins).over(**_order_of(first))
    runs = sa.select(first, begun.label("run")).subquery()
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


def _order_of(sold: sa.FromClause) -> dict[str, Any]:
    """The sales of one till or hand on a day, in their order."""
    s = sold.c
    return {"partition_by": (s.who, s.day), "order_by": (s.moment, s.order_id)}


def _since(sold: sa.FromClause, by: int) -> Any:
    """How many seconds lie between a sale and that so many sales before it."""
    return sold.c.moment - sa.func.lag(sold.c.moment, by).over(**_order_of(sold))
