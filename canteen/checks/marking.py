"""Which meals, elders and canteens a check may concern at all, marked for all checks in one pass.

A check's own query is exact and may be dear; what it may concern is told by one condition over a
row that was laid out already, and mostly nothing is. A check nobody is marked for is not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from canteen.checks.gathering import BIG, MEALS, here, measured
from canteen.checks.parts import Among
from canteen.checks.summing import DINERS, PLACES
from canteen.db import db

# One mark: the check with its thresholds has a number, the meal, elder or canteen its id.
MARKS = sa.Table(
    "checked_marks", here,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)  # fmt: skip
TOLD = sa.Table(
    "checked_told", here, sa.Column("id", BIG), sa.Column("bits", BIG), prefixes=["TEMPORARY"]
)
WIDTH = 60  # conditions a whole number can hold
# What is marked, and the column of MEALS that names it.
COLUMNS = {
    "meal": (MEALS, MEALS.c.order_id, MEALS.c.order_id),
    "elder": (DINERS, DINERS.c.elder_id, MEALS.c.elder_id),
    "canteen": (PLACES, PLACES.c.canteen_id, MEALS.c.canteen_id),
}


def column_of(among: Among) -> Any:
    """The column of MEALS that a check's marks are of."""
    return COLUMNS[among.kind][2]


def mark(asked: dict[int, Among]) -> set[int]:
    """Mark for every number what its condition holds of; gives the numbers that marked anything."""
    for kind, (table, key, _) in COLUMNS.items():
        conditions = [(n, among.holds) for n, among in asked.items() if among.kind == kind]
        for start in range(0, len(conditions), WIDTH):
            _pass(table, key, conditions[start : start + WIDTH])
    measured(MARKS)
    return set(db.session.scalars(sa.select(MARKS.c.number).distinct()))


def marked(number: int) -> sa.Select[tuple[int]]:
    """The ids marked under a number."""
    return sa.select(MARKS.c.id).where(MARKS.c.number == number)


def _pass(table: sa.Table, key: Any, conditions: Sequence[tuple[int, Any]]) -> None:
    """One scan of a table for many conditions, each of which answers with a bit of its own."""
    bits: Any = None
    for place, (_, holds) in enumerate(conditions):
        bit = sa.case((holds, sa.literal_column(str(1 << place))), else_=sa.literal_column("0"))
        bits = bit if bits is None else bits + bit
    rows = sa.select(key.label("id"), bits.label("bits")).subquery()
    db.session.execute(sa.delete(TOLD))
    told = sa.select(rows.c.id, rows.c.bits).where(rows.c.bits != 0)
    db.session.execute(sa.insert(TOLD).from_select(["id", "bits"], told))
    parts = [
        sa.select(sa.literal_column(str(number)).label("number"), TOLD.c.id).where(
            TOLD.c.bits.bitwise_and(sa.literal_column(str(1 << place))) != 0
        )
        for place, (number, _) in enumerate(conditions)
    ]
    query = sa.union_all(*parts).subquery()
    db.session.execute(
        sa.insert(MARKS).from_select(["number", "id"], sa.select(query.c.number, query.c.id))
    )
