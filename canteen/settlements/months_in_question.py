"""What is in question of canteens' months, check by check, and what was decided of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from canteen.checks import catalogue
from canteen.checks.finding import not_for_desk
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import LOST, Grant, after_closing, is_last
from canteen.words import Text


@dataclass(frozen=True)
class Doubt:
    """What one check found and nobody decided: how often, how many are to be explained, and what
    the canteen gets for it at most, in fen."""

    code: str
    number: int
    asked: int
    fen: int

    @property
    def title(self) -> Text:
        """What the check is called."""
        check = catalogue.BY_CODE.get(self.code)
        return check.title if check else Text(self.code, self.code)


@dataclass
class MonthInQuestion:
    """What is in question or was decided of a canteen's month: sums in fen with the meals."""

    held_fen: int = 0
    held_meals: int = 0
    doubts: list[Doubt] = field(default_factory=list)  # dearest first
    corrections: int = 0
    corrections_fen: int = 0
    appeals: int = 0
    appeals_fen: int = 0
    changes: dict[str, tuple[int, int]] = field(default_factory=dict)  # cause: (meals, fen)

    @property
    def problems(self) -> int:
        """How many findings nobody decided."""
        return sum(one.number for one in self.doubts)

    @property
    def asked(self) -> int:
        """How many of them the canteen is asked to explain."""
        return sum(one.asked for one in self.doubts)

    @property
    def anything(self) -> bool:
        """Whether there is something to say."""
        return bool(
            self.held_meals or self.doubts or self.corrections or self.appeals or self.changes
        )


MonthsInQuestion = dict[tuple[str, int], MonthInQuestion]


def of(canteen_ids: Iterable[int], periods: Iterable[str]) -> MonthsInQuestion:
    """What is in question of these canteens and months, {(period, canteen): …}, in five queries."""
    here, found = (list(canteen_ids), list(periods)), MonthsInQuestion()

    def at(period: str, canteen_id: int) -> MonthInQuestion:
        return found.setdefault((period, canteen_id), MonthInQuestion())

    for period, canteen_id, cause, meals, fen in db.session.execute(_changes(*here)):
        at(period, canteen_id).changes[cause] = (int(meals), int(fen))
    for period, canteen_id, meals, fen in db.session.execute(_held(*here)):
        one = at(period, canteen_id)
        one.held_meals, one.held_fen = int(meals), -int(fen)
    for period, canteen_id, code, number, asked, fen in db.session.execute(_doubts(*here)):
        doubt = Doubt(code, int(number), int(asked), int(fen or 0))
        at(period, canteen_id).doubts.append(doubt)
    for period, canteen_id, number, fen in db.session.execute(_corrections(*here)):
        one = at(period, canteen_id)
        one.corrections, one.corrections_fen = int(number), int(fen or 0)
    for period, canteen_id, number, fen in db.session.execute(_appeals(*here)):
        one = at(period, canteen_id)
        one.appeals, one.appeals_fen = int(number), -int(fen or 0)
    return found


def _doubts(canteen_ids: list[int], periods: list[str]) -> Any:
    fen = sa.func.sum(Suspicion.amount_fen)
    return (
        sa.select(
            Suspicion.period, Suspicion.canteen_id, Suspicion.code, sa.func.count(),
            sa.func.sum(sa.case((Suspicion.state == "asked", 1), else_=0)), fen,
        )
        .where(
            Suspicion.period.in_(periods), Suspicion.canteen_id.in_(canteen_ids),
            Suspicion.state.in_(UNDECIDED), not_for_desk(),
        )
        .group_by(Suspicion.period, Suspicion.canteen_id, Suspicion.code)
        .order_by(fen.desc(), Suspicion.code)
    )


def _corrections(canteen_ids: list[int], periods: list[str]) -> Any:
    """Meals sent back and not answered, with what they stand for in their month."""
    s = Statement
    return (
        sa.select(
            s.period, s.canteen_id, sa.func.count(Correction.id.distinct()),
            sa.func.sum(Grant.canteen_fen),
        )
        .join(Correction, Correction.statement_id == s.id)
        .outerjoin(Grant, sa.and_(
            Grant.order_id == Correction.order_id, Grant.period == s.period,
            Grant.canteen_id == s.canteen_id,
        ))
        .where(s.period.in_(periods), s.canteen_id.in_(canteen_ids), Correction.state == "asked")
        .group_by(s.period, s.canteen_id)
    )  # fmt: skip


def _appeals(canteen_ids: list[int], periods: list[str]) -> Any:
    """Denials objected to and not decided, by the month each fell into."""
    return (
        sa.select(Grant.period, Appeal.canteen_id, sa.func.count(), sa.func.sum(Grant.canteen_fen))
        .join(Grant, Grant.id == Appeal.grant_id)
        .where(
            Grant.period.in_(periods), Appeal.canteen_id.in_(canteen_ids),
            Appeal.state == "filed",
        )
        .group_by(Grant.period, Appeal.canteen_id)
    )


def _changes(canteen_ids: list[int], periods: list[str]) -> Any:
    """What was taken back or given again later, by the month it fell into; of cancelled meals
    those whose own month was closed."""
    later = (*LOST, "released", "upheld", "claim")
    return (
        sa.select(
            Grant.period, Grant.canteen_id, Grant.cause, sa.func.count(),
            sa.func.sum(Grant.canteen_fen),
        )
        .where(
            Grant.period.in_(periods), Grant.canteen_id.in_(canteen_ids),
            Grant.cause.in_(later) | (Grant.cause == "cancelled") & after_closing(Grant),
            # what was released only to be denied at once was never given
            ~((Grant.cause == "released") & Grant.id.in_(_only_to_be_denied(canteen_ids, periods))),
        )
        .group_by(Grant.period, Grant.canteen_id, Grant.cause)
    )


def _only_to_be_denied(canteen_ids: list[int], periods: list[str]) -> Any:
    given, after = sa.alias(Grant.__table__), sa.alias(Grant.__table__)
    return sa.select(given.c.id).where(
        given.c.period.in_(periods), given.c.canteen_id.in_(canteen_ids),
        given.c.cause == "released", after.c.order_id == given.c.order_id,
        after.c.number == given.c.number + 1, after.c.made_at == given.c.made_at,
    )


def _held(canteen_ids: list[int], periods: list[str]) -> Any:
    return (
        sa.select(Grant.period, Grant.canteen_id, sa.func.count(), sa.func.sum(Grant.canteen_fen))
        .where(
            Grant.period.in_(periods), Grant.canteen_id.in_(canteen_ids), Grant.cause == "held",
            is_last(Grant),
        )
        .group_by(Grant.period, Grant.canteen_id)
    )
