"""What tills gave beyond what was due while they could not ask, and who bears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.orders.models import Order
from canteen.tills.models import BEARERS, Till, TillEntry
from canteen.tills.ruling import beyond_caps
from canteen.words import Text


@dataclass(frozen=True)
class Sum:
    """So many meals, so many fen."""

    meals: int = 0
    fen: int = 0


@dataclass(frozen=True)
class Sums:
    """The excess of a canteen's month, by who bears it."""

    canteen: Sum
    programme: Sum


@dataclass(frozen=True)
class Page:
    """One page of the meals with an excess."""

    rows: list[Any]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def sums(canteen_id: int, period: str) -> Sums:
    """How much was given in excess in a month's meals, by bearer; what was taken back is gone."""
    return Sums(
        canteen=_sum(Order.excess_fen, canteen_id, period, "canteen"),
        programme=_sum(Order.subsidy_fen, canteen_id, period, "programme"),
    )


def meals(canteen_id: int, period: str, bearer: str | None, *, page: int, size: int) -> Page:
    """The meals behind the sums, of one bearer or both, oldest first: rows of order, till, number,
    made_at, received_at, notes."""
    where = _where(canteen_id, period, bearer)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Order).where(*where)) or 0
    entry = sa.and_(TillEntry.order_id == Order.id, TillEntry.kind == "sale")
    rows = db.session.execute(
        sa.select(
            Order, Till.name.label("till"), TillEntry.number, TillEntry.made_at,
            TillEntry.received_at, TillEntry.notes,
        )
        .outerjoin(TillEntry, entry)
        .outerjoin(Till, Till.id == TillEntry.till_id)
        .where(*where)
        .order_by(Order.on, Order.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    return Page(list(rows), int(total), page, size)


def entry_of(order_id: int) -> tuple[Till, TillEntry] | None:
    """The till that sold an order and its entry of the journal; None for any other order."""
    row = db.session.execute(
        sa.select(Till, TillEntry)
        .join(TillEntry, TillEntry.till_id == Till.id)
        .where(TillEntry.order_id == order_id, TillEntry.kind == "sale")
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def bearer_of(order: Order) -> tuple[str, Text] | None:
    """Who bears the excess of an order ("canteen" or "programme") in words; None without any."""
    if (order.inputs or {}).get("beyond_caps"):
        return "programme", BEARERS["programme"]
    return ("canteen", BEARERS["canteen"]) if order.excess_fen > 0 else None


def _sum(fen: Any, canteen_id: int, period: str, bearer: str) -> Sum:
    row = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(fen)).where(*_where(canteen_id, period, bearer))
    ).one()
    return Sum(int(row[0]), int(row[1] or 0))


def _where(canteen_id: int, period: str, bearer: str | None) -> list[Any]:
    first, last = clock.period_days(period)
    by_bearer = {"canteen": Order.excess_fen > 0, "programme": beyond_caps()}
    which = by_bearer[bearer] if bearer else sa.or_(*by_bearer.values())
    return [
        Order.canteen_id == canteen_id, Order.on.between(first, last),
        Order.state != "cancelled", which,
    ]
