"""What orders brought: sums by meal, service and way of paying, and what dishes gave back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.orders.models import Order, OrderRefund

# How a sale was paid: wholly in notes and coins, wholly online, some of each, or nothing to pay.
WAYS = ("cash", "online", "mixed", "nothing")


@dataclass(frozen=True)
class Sums:
    """Meals and their parts in fen; list = discount + subsidy + cash + online."""

    code: str = ""
    meals: int = 0
    elder_meals: int = 0
    subsidised: int = 0
    list_fen: int = 0
    discount_fen: int = 0
    subsidy_fen: int = 0
    cash_fen: int = 0
    online_fen: int = 0
    excess_fen: int = 0

    @property
    def paid_fen(self) -> int:
        """What the diners paid."""
        return self.cash_fen + self.online_fen

    def __add__(self, other: Sums) -> Sums:
        """Both together, under no code."""
        return Sums("", *(getattr(self, name) + getattr(other, name) for name in COUNTED))


COUNTED = tuple(name for name in Sums.__dataclass_fields__ if name != "code")


@dataclass(frozen=True)
class Refunds:
    """Single dishes taken back: how often, at list price, and what the diners got, in fen."""

    times: int = 0
    list_fen: int = 0
    discount_fen: int = 0
    payable_fen: int = 0
    cash_fen: int = 0

    @property
    def online_fen(self) -> int:
        """What went back through the provider."""
        return self.payable_fen - self.cash_fen


def refunds(*conditions: Any, ended: datetime | None = None) -> Refunds:
    """Sums of single dishes taken back from the orders that meet the conditions."""
    names = ("list_fen", "discount_fen", "payable_fen", "cash_fen")
    query = (
        sa.select(
            sa.func.count(),
            *(sa.func.coalesce(sa.func.sum(getattr(OrderRefund, name)), 0) for name in names),
        )
        .select_from(OrderRefund)
        .join(Order, Order.id == OrderRefund.order_id)
        .where(*conditions)
    )
    row = db.session.execute(until(query, OrderRefund.at, ended)).one()
    return Refunds(*(int(value) for value in row))


def way_of() -> Any:
    """How an order was paid, one of WAYS, told by the database."""
    return sa.case(
        (Order.payable_fen == 0, "nothing"),
        (Order.payment == "cash", "cash"),
        (Order.cash_fen > 0, "mixed"),
        else_="online",
    )


def until(query: Any, at: Any, ended: datetime | None) -> Any:
    """A query narrowed to what happened before an instant; as it is when there is none."""
    return query if ended is None else query.where(at <= ended)


def rows_of(*conditions: Any) -> Sequence[Any]:
    """Sums by meal, service and way of paying of the orders that meet the conditions."""

    def when(condition: Any, value: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)

    way = way_of()
    return db.session.execute(
        sa.select(
            Order.meal, Order.service, way.label("way"), sa.func.count().label("meals"),
            when(Order.elder_id.is_not(None), 1).label("elder_meals"),
            when(Order.subsidy_fen > 0, 1).label("subsidised"),
            sa.func.sum(Order.list_fen).label("list_fen"),
            sa.func.sum(Order.discount_fen).label("discount_fen"),
            sa.func.sum(Order.subsidy_fen).label("subsidy_fen"),
            sa.func.sum(Order.cash_fen).label("cash_fen"),
            sa.func.sum(Order.payable_fen - Order.cash_fen).label("online_fen"),
            sa.func.sum(Order.excess_fen).label("excess_fen"),
        )
        .where(*conditions)
        .group_by(Order.meal, Order.service, way)
    ).all()


def grouped(rows: Sequence[Any], by: str, order: list[str]) -> list[Sums]:
    """The rows added up by one of their columns, in a given order."""
    codes = {getattr(row, by) for row in rows}
    return [
        Sums(code, *(_sum(rows, name, by, code) for name in COUNTED))
        for code in sorted(codes, key=order.index)
    ]


def total(rows: Sequence[Any]) -> Sums:
    """All the rows added up."""
    return Sums("", *(_sum(rows, name) for name in COUNTED))


def _sum(rows: Sequence[Any], name: str, by: str = "", code: str = "") -> int:
    return sum(int(getattr(row, name)) for row in rows if not by or getattr(row, by) == code)
