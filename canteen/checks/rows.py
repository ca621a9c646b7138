"""The rows that checks give: one for each meal, or one for each canteen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from canteen.checks.gathering import MEALS
from canteen.checks.parts import Look, Scope, among, found, key
from canteen.checks.summing import CELLS, PLACES

m, cell, place = MEALS.c, CELLS.c, PLACES.c


def meal(**evidence: Any) -> sa.Select[Any]:
    """One row for each meal, under "order:12"."""
    return found(
        canteen=m.canteen_id, elder=m.elder_id, order=m.order_id, key=key("order", m.order_id),
        amount=m.stake_fen, meal_on=m.on, **evidence,
    )  # fmt: skip


def each_meal(holds: Callable[[Scope], Any], **evidence: Any) -> Look:
    """A check that is one condition over the row of a meal in MEALS. What is told as evidence is
    a column, or what reckons it from the scope."""

    def find(scope: Scope) -> sa.Select[Any]:
        told = {name: v(scope) if callable(v) else v for name, v in evidence.items()}
        return meal(**told).where(holds(scope))

    return among("meal", holds)(find)


def per_canteen(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """One row for each canteen, under "canteen:3:2026-10", with all its subsidised meals."""
    return found(
        canteen=place.canteen_id, key=key("canteen", place.canteen_id, scope.period),
        amount=place.stake_fen, meals=place.meals, **evidence,
    )  # fmt: skip


def of_meals(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """As `per_canteen`, with only the meals of which something holds."""
    return found(
        canteen=m.canteen_id, key=key("canteen", m.canteen_id, scope.period),
        amount=sa.func.sum(m.stake_fen), meals=sa.func.count(), **evidence,
    ).group_by(m.canteen_id)  # fmt: skip


def of_cells(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """As `per_canteen`, with only the elders of whom something holds."""
    return found(
        canteen=cell.canteen_id, key=key("canteen", cell.canteen_id, scope.period),
        amount=sa.func.sum(cell.stake_fen), meals=sa.func.sum(cell.meals), **evidence,
    ).group_by(cell.canteen_id)  # fmt: skip
