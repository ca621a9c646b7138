"""What the undecided and the denied mean for the money: meals held, meals not paid, sums."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.checks import meals
from canteen.checks import worth as stakes
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


@dataclass(frozen=True)
class Problems:
    """What is undecided: how many findings, how many of them held, and what they are worth.

    `meals` and `worth_fen`: each meal's subsidy is counted once, however many findings are about
    it; `held_meals` and `held_fen` the same of what is held. What the canteen was asked to
    explain is among them.
    """

    count: int = 0
    held: int = 0
    asked: int = 0
    meals: int = 0
    worth_fen: int = 0
    held_meals: int = 0
    held_fen: int = 0

    @property
    def warned(self) -> int:
        """How many findings only warn."""
        return self.count - self.held


def problems(
    period: str, *, canteen_ids: Collection[int] | None = None, district: str | None = None
) -> Problems:
    """What is undecided of a period at some canteens, in a district or everywhere: "3 problems
    worth 45.00 yuan". Of an elder who eats elsewhere as well, only the meals at these canteens
    count. A few queries, whatever their number."""
    where = [Suspicion.period == period, Suspicion.state.in_(UNDECIDED)]
    if canteen_ids is not None:
        where.append(Suspicion.canteen_id.in_(canteen_ids))
    if district is not None:
        ground = sa.select(Canteen.id).where(Canteen.district_code == district)
        where.append(Suspicion.canteen_id.in_(ground))
    held = sa.case((Suspicion.mode == "hold", 1), else_=0)
    asked = sa.case((Suspicion.state == "asked", 1), else_=0)
    counts = sa.select(sa.func.count(), sa.func.sum(held), sa.func.sum(asked)).where(*where)
    count, holding, asking = (int(n or 0) for n in db.session.execute(counts).one())
    if not count:
        return Problems()
    once: dict[int, tuple[int, bool]] = {}
    for (_, order_id), (fen, is_held) in stakes.at_stake(where).items():
        once[order_id] = (fen, is_held or once.get(order_id, (0, False))[1])
    held_fens = [fen for fen, is_held in once.values() if is_held]
    return Problems(
        count, holding, asking, len(once), sum(fen for fen, _ in once.values()),
        len(held_fens), sum(held_fens),
    )  # fmt: skip


def worth(
    period: str, *, canteen_ids: Collection[int] | None = None, district: str | None = None
) -> int:
    """What the undecided findings of a period are worth, in fen: each meal's subsidy once."""
    return problems(period, canteen_ids=canteen_ids, district=district).worth_fen


def meals_of(suspicion_id: int) -> sa.Select[tuple[int]]:
    """The meals one finding is about, held as a whole or not; none for what is not there."""
    suspicion = db.session.get(Suspicion, suspicion_id)
    if suspicion is None:
        return sa.select(Suspicion.order_id).where(sa.false())  # type: ignore[return-value]
    return meals.of(suspicion)


def _orders(period: str, *conditions: Any) -> sa.Select[tuple[int]]:
    return (
        sa.select(Suspicion.order_id)
        .where(Suspicion.period == period, Suspicion.order_id.is_not(None), *conditions)
        .distinct()
    )  # fmt: skip
