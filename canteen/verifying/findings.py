"""What a check is, what it finds, and the one way two sets of sums are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from canteen.db import db, is_postgresql
from canteen.words import Text

Found = Iterator[tuple[str, Text]]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: which check saw it, on what, and what it is."""

    check: str
    subject: str
    message: Text


@dataclass(frozen=True)
class Check:
    """One thing that must be true of the whole database."""

    code: str
    title: Text
    find: Callable[[], Found]


class Result(NamedTuple):
    """A check that ran: how many things it found, and the first of them."""

    check: Check
    count: int
    findings: list[Finding]


def stream(query: Any) -> Iterator[Any]:
    """The rows of a query, some at a time."""
    yield from db.session.execute(query.execution_options(yield_per=2000))


def differences(
    keys: Sequence[str], expected: Sequence[Any], actual: Sequence[Any]
) -> Iterator[Any]:
    """Where two sets of sums differ: rows of the keys, `expected` and `actual`.

    Each select gives the keys and `amount`; a key only one side knows counts as nought on the
    other. One query over both sides, so nothing is read into memory but what differs.
    """
    sides = [
        sa.select(*(side.c[key] for key in keys), sa.literal(number).label("which"), side.c.amount)
        for number, selects in enumerate((expected, actual))
        for side in (select.subquery() for select in selects)
    ]
    both = sa.union_all(*sides).subquery()

    def total(number: int) -> Any:
        return sa.func.sum(sa.case((both.c.which == number, both.c.amount), else_=0))

    yield from stream(
        sa.select(
            *(both.c[key] for key in keys),
            total(0).label("expected"), total(1).label("actual"),
        )
        .group_by(*(both.c[key] for key in keys))
        .having(total(0) != total(1))
        .order_by(*(both.c[key] for key in keys))
    )  # fmt: skip


def text_of(number: Any) -> Any:
    """A number as text in the database."""
    return sa.cast(number, sa.String(20))


def week_of(day: Any) -> Any:
    """The Monday of a day, told by the database."""
    if is_postgresql():
        return sa.cast(sa.func.date_trunc("week", sa.cast(day, sa.DateTime)), sa.Date)
    return sa.type_coerce(sa.func.date(day, "weekday 0", "-6 days"), sa.Date)


def month_of(day: Any) -> Any:
    """The first of a day's month, told by the database."""
    if is_postgresql():
        return sa.cast(sa.func.date_trunc("month", sa.cast(day, sa.DateTime)), sa.Date)
    return sa.type_coerce(sa.func.date(day, "start of month"), sa.Date)
