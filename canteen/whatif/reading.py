"""The served orders of elders, a few thousand at a time, as the service took them in."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db, is_postgresql
from canteen.orders.models import Order, OrderRefund
from canteen.subsidies.models import Grant
from canteen.whatif.calendar import Calendar
from canteen.whatif.results import Recorded

AIM = 8_000  # orders to hold at once
MOST_ELDERS = 4_000  # whose numbers one query may carry
ORDERS, REFUNDS = sa.inspect(Order).local_table, sa.inspect(OrderRefund).local_table
GRANTS, CANTEENS = sa.inspect(Grant).local_table, sa.inspect(Canteen).local_table


class Batch(NamedTuple):
    """Some orders: rows of (elder, order, day, meal, canteen, inputs as text), each elder's as
    they came. `share` of all is read with it."""

    rows: Sequence[Any]
    share: float


def canteens_in(territory: str, city: bool) -> frozenset[int] | None:
    """The canteens on a territory's ground as it is now; None for all there are."""
    if city:
        return None
    column = CANTEENS.c.street_code
    found = db.session.scalars(
        sa.select(CANTEENS.c.id).where(column.startswith(territory, autoescape=True))
    )
    return frozenset(found)


def batches(calendar: Calendar, canteens: frozenset[int] | None) -> Iterator[Batch]:
    """All orders of every elder who ate at these canteens in the period, wherever they ate.

    A cap is reached by meals anywhere, so the others are read as well. An elder's come by their
    numbers: the order in which the service took them in and granted by them. All of the city is
    read as it lies, which is much quicker than elder by elder.
    """
    if is_postgresql():  # compiling these short queries takes longer than running them
        db.session.execute(sa.text("SET LOCAL jit = off"))
    if canteens is None:
        yield from _by_range(calendar)
    else:
        yield from _by_number(calendar, canteens)


def refunded(calendar: Calendar) -> dict[int, int]:
    """Fen of the list price of single dishes taken back, by order: the meal without them counts."""
    rows = db.session.execute(
        sa.select(REFUNDS.c.order_id, sa.func.sum(REFUNDS.c.list_fen))
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .where(ORDERS.c.on.between(calendar.begin, calendar.end))
        .group_by(REFUNDS.c.order_id)
    )
    return {order_id: int(fen) for order_id, fen in rows}


def recorded(calendar: Calendar, canteens: frozenset[int] | None) -> Recorded:
    """What was granted for meals of the period, less what was taken back."""
    grant = GRANTS.c
    sums = (grant.sign, grant.till_fen + grant.account_fen, grant.enterprise_fen,
            grant.delivery_fen)  # fmt: skip
    query = sa.select(*(sa.func.coalesce(sa.func.sum(each), 0) for each in sums)).where(
        grant.on.between(calendar.first, calendar.last)
    )
    if canteens is not None:
        query = query.where(grant.canteen_id.in_(canteens))
    return Recorded(*(int(number) for number in db.session.execute(query).one()))


def _orders(calendar: Calendar, *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    day = sa.type_coerce(ORDERS.c.on, sa.Text)  # as the database gives it, text or date
    return sa.select(
        ORDERS.c.elder_id, ORDERS.c.id, day, ORDERS.c.meal, ORDERS.c.canteen_id,
        sa.cast(ORDERS.c.inputs, sa.Text),
    ).where(*which, ORDERS.c.state == "served", ORDERS.c.on.between(calendar.begin, calendar.end))


def _rows(query: sa.Select[Any], values: dict[str, Any]) -> list[Any]:
    """What the driver gives, as it gives it: millions of rows need no wrapping."""
    result = db.session.execute(query, values)
    return list(result.cursor.fetchall())  # type: ignore[attr-defined]


def _by_range(calendar: Calendar) -> Iterator[Batch]:
    """So many numbers of orders at a time as the last batch suggests."""
    whole = sa.select(sa.func.min(ORDERS.c.id) - 1, sa.func.max(ORDERS.c.id)).where(
        ORDERS.c.on.between(calendar.begin, calendar.end)
    )
    after, most = db.session.execute(whole).one()
    if most is None:
        return
    query = _orders(
        calendar, ORDERS.c.id > sa.bindparam("after", type_=sa.BigInteger),
        ORDERS.c.id <= sa.bindparam("upto", type_=sa.BigInteger), ORDERS.c.elder_id.is_not(None),
    ).order_by(ORDERS.c.id)
    step, least = 1_000, after
    while after < most:
        upto = min(after + step, most)
        rows = _rows(query, {"after": after, "upto": upto})
        step = max(1, min(step * 4, step * AIM // max(len(rows), 1), 1_000_000))
        after = upto
        yield Batch(rows, (after - least) / (most - least))


def _by_number(calendar: Calendar, canteens: frozenset[int]) -> Iterator[Batch]:
    here = (
        sa.select(ORDERS.c.elder_id)
        .where(
            ORDERS.c.canteen_id.in_(canteens), ORDERS.c.elder_id.is_not(None),
            ORDERS.c.state == "served", ORDERS.c.on.between(calendar.first, calendar.last),
        )
        .distinct()
    )  # fmt: skip
    elders = array("q", sorted(db.session.scalars(here)))
    mine = ORDERS.c.elder_id.in_(sa.bindparam("elders", expanding=True))
    query = _orders(calendar, mine).order_by(ORDERS.c.elder_id, ORDERS.c.id)
    done, step = 0, 100
    while done < len(elders):
        some = elders[done : done + step].tolist()
        rows = _rows(query, {"elders": some})
        done += len(some)
        step = max(1, min(step * 4, step * AIM // max(len(rows), 1), MOST_ELDERS))
        yield Batch(rows, done / len(elders))
