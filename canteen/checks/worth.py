"""What undecided findings are worth: they overlap, so each meal is counted once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.checks import meals
from canteen.checks.catalogue import CHECKS
from canteen.checks.granted import standing
from canteen.checks.models import UNDECIDED
from canteen.checks.models import Suspicion as s
from canteen.db import db
from canteen.subsidies.models import Grant

AT_ONCE = 1_000


@dataclass(frozen=True)
class Row:
    """What one check found that is undecided: how many, how much, how many of them held."""

    code: str
    count: int
    amount_fen: int
    held: int
    held_fen: int


def undecided(
    period: str, *, district: str | None = None, canteen_id: int | None = None
) -> list[Row]:
    """What is undecided of a period, by check, the largest sum first."""
    held = sa.case((s.mode == "hold", 1), else_=0)
    amount = sa.func.sum(s.amount_fen)
    query = (
        sa.select(
            s.code, sa.func.count(), amount, sa.func.sum(held),
            sa.func.sum(held * s.amount_fen),
        )
        .join(Canteen, Canteen.id == s.canteen_id)
        .where(s.period == period, s.state.in_(UNDECIDED))
        .group_by(s.code).order_by(amount.desc(), s.code)
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
    where = [s.period == period, s.state.in_(UNDECIDED)]
    if canteen_ids is not None:
        where.append(s.canteen_id.in_(canteen_ids))
    if district is not None:
        ground = sa.select(Canteen.id).where(Canteen.district_code == district)
        where.append(s.canteen_id.in_(ground))
    held = sa.case((s.mode == "hold", 1), else_=0)
    asked = sa.case((s.state == "asked", 1), else_=0)
    counts = sa.select(sa.func.count(), sa.func.sum(held), sa.func.sum(asked)).where(*where)
    count, holding, asking = (int(n or 0) for n in db.session.execute(counts).one())
    if not count:
        return Problems()
    once: dict[int, tuple[int, bool]] = {}
    for (_, order_id), (fen, is_held) in at_stake(where).items():
        once[order_id] = (fen, is_held or once.get(order_id, (0, False))[1])
    held_fens = [fen for fen, is_held in once.values() if is_held]
    return Problems(
        count, holding, asking, len(once), sum(fen for fen, _ in once.values()),
        len(held_fens), sum(held_fens),
    )  # fmt: skip


def by_canteen(where: list[Any]) -> list[tuple[int, int, int]]:
    """What the undecided among these findings is worth: (canteen, all, held), in fen."""
    sums: dict[int, tuple[int, int]] = {}
    for (canteen_id, _), (fen, held) in at_stake(where).items():
        whole, of_it = sums.get(canteen_id, (0, 0))
        sums[canteen_id] = (whole + fen, of_it + fen * held)
    return [(canteen_id, *both) for canteen_id, both in sums.items()]


def at_stake(where: list[Any]) -> dict[tuple[int, int], tuple[int, bool]]:
    """The meals the undecided among these findings are about, each once for its canteen:
    {(canteen, order): (its subsidy in fen, whether any of them holds it)}.

    Of an elder who eats elsewhere as well, only the meals at the canteen of the finding count.
    Only what kinds of findings there are is asked for, and findings of one meal go by the meal:
    else a database begins with all the meals of the month.
    """
    found = db.session.execute(
        sa.select(s.id, s.code, s.canteen_id, s.order_id, s.mode)
        .where(*where, s.state.in_(UNDECIDED))
    ).all()  # fmt: skip
    known = {row.id: row for row in found}
    codes = {row.code for row in found}
    stake: dict[tuple[int, int], tuple[int, bool]] = {}

    def note(row: Any, order_id: int, fen: int) -> None:
        _, held = stake.get((row.canteen_id, order_id), (0, False))
        stake[row.canteen_id, order_id] = (fen, held or row.mode == "hold")

    single = [row for row in found if row.order_id is not None]
    stakes = _stakes({row.order_id for row in single})
    for row in single:
        if row.order_id in stakes:
            note(row, row.order_id, stakes[row.order_id])
    for about, lead in meals.LEADS.items():
        mine = [c.code for c in CHECKS if c.about == about and c.code in codes]
        if about == "order" or not mine:
            continue
        base = (
            sa.select(s.id, Grant.order_id, Grant.whole_fen)
            .select_from(s).join(Grant, Grant.period == s.period)
            .where(
                *standing(), *where, s.state.in_(UNDECIDED), s.code.in_(mine),
                Grant.canteen_id == s.canteen_id,
            )
        )  # fmt: skip
        for suspicion_id, order_id, fen in db.session.execute(lead(base)):
            note(known[suspicion_id], order_id, fen)
    return stake


def _stakes(order_ids: set[int]) -> dict[int, int]:
    """What the subsidy of each of these meals comes to, of those that stand or are held."""
    wanted, found = sorted(order_ids), {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = db.session.execute(
            sa.select(Grant.order_id, Grant.whole_fen)
            .where(Grant.order_id.in_(wanted[start : start + AT_ONCE]), *standing())
        )  # fmt: skip
        found |= {row[0]: int(row[1]) for row in rows}
    return found
