"""What the undecided and the denied mean for the money: meals held, meals not paid, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db

UNDECIDED = ("open", "asked")


@dataclass(frozen=True)
class Row:
    """What one check found that is undecided: how many, how much, how many of them held."""

    code: str
    count: int
    amount_fen: int
    held: int
    held_fen: int


def held_orders(period: str) -> sa.Select[tuple[int]]:
    """The meals of a period that wait for a decision, each once."""
    return _orders(period, Suspicion.mode == "hold", Suspicion.state.in_(UNDECIDED))


def held_payees(period: str) -> sa.Select[tuple[int, int | None]]:
    """Who is held as a whole by something that names no single meal: (canteen, elder or None)."""
    return (
        sa.select(Suspicion.canteen_id, Suspicion.elder_id)
        .where(
            Suspicion.period == period, Suspicion.order_id.is_(None), Suspicion.mode == "hold",
            Suspicion.state.in_(UNDECIDED),
        )
        .distinct()
    )


def denied_orders(period: str) -> sa.Select[tuple[int]]:
    """The meals of a period that are not to be paid, each once."""
    return _orders(period, Suspicion.state == "denied")


def undecided(
    period: str, *, district: str | None = None, canteen_id: int | None = None
) -> list[Row]:
    """What is undecided of a period, by check, the largest sum first."""
    held = sa.case((Suspicion.mode == "hold", 1), else_=0)
    amount = sa.func.sum(Suspicion.amount_fen)
    query = (
        sa.select(
            Suspicion.code, sa.func.count(), amount, sa.func.sum(held),
            sa.func.sum(held * Suspicion.amount_fen),
        )
        .join(Canteen, Canteen.id == Suspicion.canteen_id)
        .where(Suspicion.period == period, Suspicion.state.in_(UNDECIDED))
        .group_by(Suspicion.code).order_by(amount.desc(), Suspicion.code)
    )  # fmt: skip
    if district is not None:
        query = query.where(Canteen.district_code == district)
    if canteen_id is not None:
        query = query.where(Canteen.id == canteen_id)
    return [Row(row[0], *(int(value) for value in row[1:])) for row in db.session.execute(query)]


def _orders(period: str, *conditions: Any) -> sa.Select[tuple[int]]:
    return (
        sa.select(Suspicion.order_id)
        .where(Suspicion.period == period, Suspicion.order_id.is_not(None), *conditions)
        .distinct()
    )  # fmt: skip
