"""The rows that checks give: for each meal, each canteen, or each elder at each canteen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Look, Scope, among, found, key
from canteen.checks.summing import CELLS, DINERS, PLACES

m, cell, place, diner = MEALS.c, CELLS.c, PLACES.c, DINERS.c


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


def per_elder(scope: Scope, amount: Any, meals: Any, **evidence: Any) -> sa.Select[Any]:
    """One row for each elder of DINERS at each of their canteens, under "elder:5:3:2026-10":
    every district judges its own."""
    return found(
        canteen=cell.canteen_id, elder=cell.elder_id,
        key=key("elder", cell.elder_id, cell.canteen_id, scope.period), amount=amount, meals=meals,
        canteens=diner.canteens, **evidence,
    ).select_from(CELLS).join(DINERS, diner.elder_id == cell.elder_id)  # fmt: skip


def per_crowd(
    scope: Scope, kind: str, shared: Any, amount: Any, meals: Any, *conditions: Any
) -> sa.Select[Any]:
    """Elders of whom as many as `elders` share something of DINERS: one row for each of their
    canteens, under "phone:5:3:2026-10", 5 being the first of them. All of them are named at each
    canteen; the sums are of the canteen alone."""
    elders = sa.func.count()
    crowds = (
        sa.select(
            shared.label("shared"), elders.label("elders"),
            sa.func.min(diner.elder_id).label("first"),
            sa.func.aggregate_strings(spelling.text(diner.elder_id), ",").label("elder_ids"),
        )
        .where(shared != "", *conditions)
        .group_by(shared).having(elders >= scope["elders"]).subquery()
    )  # fmt: skip
    c = crowds.c
    return (
        found(
            canteen=cell.canteen_id, key=key(kind, c.first, cell.canteen_id, scope.period),
            amount=sa.func.sum(amount), elders=c.elders, meals=sa.func.sum(meals),
            canteens=sa.func.count().over(partition_by=c.first), elder_ids=c.elder_ids,
        )
        .select_from(crowds).join(DINERS, shared == c.shared)
        .join(CELLS, cell.elder_id == diner.elder_id).where(amount > 0)
        .group_by(cell.canteen_id, c.first, c.elders, c.elder_ids)
    )  # fmt: skip
