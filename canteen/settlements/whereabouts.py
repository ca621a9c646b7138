"""Where an operator's money is: each month of each canteen, who has it, what is in question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.payments.models import Charge, Refund
from canteen.settlements import finding
from canteen.settlements.deadlines import due_on
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import Appeal, Correction
from canteen.settlements.rules import by_ids
from canteen.subsidies.models import LOST, Grant, Period, after_closing
from canteen.territory.actors import Actor

MONTHS = 6
UNDECIDED = ("open", "asked")
ALL_FEN = Grant.till_fen + Grant.account_fen + Grant.enterprise_fen + Grant.delivery_fen
ENDED = ("paid", "carried", "repaid")


@dataclass
class Question:
    """What is in question or was decided of a canteen's month: sums in fen with the meals."""

    held_fen: int = 0
    held_meals: int = 0
    problems: int = 0
    asked: int = 0
    corrections: int = 0
    appeals: int = 0
    changes: dict[str, tuple[int, int]] = field(default_factory=dict)  # cause: (meals, fen)

    @property
    def anything(self) -> bool:
        """Whether there is something to say."""
        return bool(
            self.held_meals or self.problems or self.corrections or self.appeals or self.changes
        )


@dataclass
class Place:
    """One canteen's month on its way. `promised` is the day by which it is to be paid."""

    statement: Statement
    canteen: Canteen | None
    payout: Payout | None
    promised: date | None
    question: Question = field(default_factory=Question)

    @property
    def earned_fen(self) -> int:
        """What the programme pays beyond what was advanced."""
        return self.statement.enterprise_fen + self.statement.delivery_fen


@dataclass
class Running:
    """One canteen's month that is not closed yet: what it came to so far."""

    canteen: Canteen
    meals: int = 0
    advanced_fen: int = 0
    earned_fen: int = 0
    online_fen: int = 0
    question: Question = field(default_factory=Question)

    @property
    def total_fen(self) -> int:
        """All that is to come."""
        return self.advanced_fen + self.earned_fen + self.online_fen


@dataclass(frozen=True)
class Month:
    """A month: its statements, or what runs up while it is open."""

    period: str
    open: bool
    places: list[Place]
    running: list[Running]

    @property
    def total_fen(self) -> int:
        """All of the month together."""
        return sum(one.statement.total_fen for one in self.places) + sum(
            one.total_fen for one in self.running
        )

    @property
    def ended(self) -> bool:
        """Whether nothing of it is on its way any more."""
        return not self.open and all(one.statement.stage in ENDED for one in self.places)


def months(by: Actor, *, on: date, count: int = MONTHS) -> list[Month]:
    """The open month and the latest closed ones of a reader's canteens, the latest first."""
    here = {one.id: one for one in db.session.scalars(
        sa.select(Canteen).where(canteens.visible(by)).order_by(Canteen.name, Canteen.id)
    )}  # fmt: skip
    open_now = set(
        db.session.scalars(sa.select(Period.period).where(Period.closed_at.is_(None)))
    )
    periods = finding.periods_for(by)[:count]
    questions = _questions(list(here), [*periods, *open_now])
    found = [
        Month(period, True, [], rows) for period in sorted(open_now, reverse=True)
        if (rows := _running(period, here, questions))
    ]  # fmt: skip
    places = _places(by, periods, here, questions)
    found += [Month(period, False, places[period], []) for period in periods if period in places]
    return found


def waiting_fen(told: Sequence[Month]) -> int:
    """All that is on its way of these months and not paid yet."""
    return sum(
        one.statement.total_fen
        for month in told for one in month.places if one.statement.stage not in ENDED
    ) + sum(one.total_fen for month in told for one in month.running)  # fmt: skip


def _places(
    by: Actor, periods: list[str], here: dict[int, Canteen],
    questions: dict[tuple[str, int], Question],
) -> dict[str, list[Place]]:  # fmt: skip
    rows = db.session.execute(
        sa.select(Statement, Payout)
        .outerjoin(Payout, Payout.statement_id == Statement.id)
        .where(Statement.period.in_(periods), finding.visible(by))
        .order_by(Statement.period.desc(), Statement.canteen_id)
    ).all()
    rules = by_ids({statement.rule_id for statement, _ in rows})
    found: dict[str, list[Place]] = {}
    for statement, payout in rows:
        promised = None
        if statement.stage not in ENDED:
            begun = statement.prepared_at.date()
            promised = due_on(statement.period, "approved", begun, rules[statement.rule_id])
        place = Place(statement, here.get(statement.canteen_id), payout, promised)
        place.question = questions.get((statement.period, statement.canteen_id), Question())
        found.setdefault(statement.period, []).append(place)
    return found


def _running(
    period: str, here: dict[int, Canteen], questions: dict[tuple[str, int], Question]
) -> list[Running]:
    found: dict[int, Running] = {}

    def of(canteen_id: int) -> Running:
        return found.setdefault(canteen_id, Running(here[canteen_id]))

    mine = Grant.canteen_id.in_(here)
    for row in db.session.execute(
        sa.select(
            Grant.canteen_id, sa.func.sum(Grant.sign), sa.func.sum(Grant.till_fen),
            sa.func.sum(Grant.enterprise_fen + Grant.delivery_fen),
        ).where(Grant.period == period, mine).group_by(Grant.canteen_id)
    ):  # fmt: skip
        one = of(row[0])
        one.meals, one.advanced_fen, one.earned_fen = (int(value or 0) for value in row[1:])
    for sign, table, more in ((1, Charge, [Charge.state == "succeeded"]), (-1, Refund, [])):
        rows = db.session.execute(
            sa.select(table.canteen_id, sa.func.sum(table.amount_fen))
            .where(table.period == period, table.canteen_id.in_(here), *more)
            .group_by(table.canteen_id)
        )
        for canteen_id, fen in rows:
            of(canteen_id).online_fen += sign * int(fen)
    for canteen_id, one in found.items():
        one.question = questions.get((period, canteen_id), Question())
    return sorted(found.values(), key=lambda one: (one.canteen.name, one.canteen.id))


def _questions(canteen_ids: list[int], periods: list[str]) -> dict[tuple[str, int], Question]:
    """What is in question of these canteens and months, in five queries."""
    found: dict[tuple[str, int], Question] = {}

    def of(period: str, canteen_id: int) -> Question:
        return found.setdefault((period, canteen_id), Question())

    for period, canteen_id, cause, meals, fen in db.session.execute(_changes(canteen_ids, periods)):
        of(period, canteen_id).changes[cause] = (int(meals), int(fen))
    for period, canteen_id, meals, fen in db.session.execute(_held(canteen_ids, periods)):
        one = of(period, canteen_id)
        one.held_meals, one.held_fen = int(meals), -int(fen)
    asked = sa.func.sum(sa.case((Suspicion.state == "asked", 1), else_=0))
    for period, canteen_id, number, waiting in db.session.execute(
        sa.select(Suspicion.period, Suspicion.canteen_id, sa.func.count(), asked)
        .where(
            Suspicion.period.in_(periods), Suspicion.canteen_id.in_(canteen_ids),
            Suspicion.state.in_(UNDECIDED),
        )
        .group_by(Suspicion.period, Suspicion.canteen_id)
    ):
        of(period, canteen_id).problems, of(period, canteen_id).asked = number, int(waiting)
    s = Statement
    for period, canteen_id, number in db.session.execute(
        sa.select(s.period, s.canteen_id, sa.func.count())
        .join(Correction, Correction.statement_id == s.id)
        .where(s.period.in_(periods), s.canteen_id.in_(canteen_ids), Correction.state == "asked")
        .group_by(s.period, s.canteen_id)
    ):
        of(period, canteen_id).corrections = number
    for period, canteen_id, number in db.session.execute(
        sa.select(Grant.period, Appeal.canteen_id, sa.func.count())
        .join(Grant, Grant.id == Appeal.grant_id)
        .where(Appeal.canteen_id.in_(canteen_ids), Appeal.state == "filed")
        .group_by(Grant.period, Appeal.canteen_id)
    ):
        of(period, canteen_id).appeals = number
    return found


def _changes(canteen_ids: list[int], periods: list[str]) -> Any:
    """What was taken back or given again later, by the month it fell into; of cancelled meals
    those whose own month was closed."""
    later = (*LOST, "released", "upheld", "claim")
    return (
        sa.select(
            Grant.period, Grant.canteen_id, Grant.cause, sa.func.count(), sa.func.sum(ALL_FEN)
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
    after = sa.alias(Grant.__table__)
    return (
        sa.select(Grant.period, Grant.canteen_id, sa.func.count(), sa.func.sum(ALL_FEN))
        .where(
            Grant.period.in_(periods), Grant.canteen_id.in_(canteen_ids), Grant.cause == "held",
            ~sa.exists().where(after.c.order_id == Grant.order_id, after.c.number > Grant.number),
        )
        .group_by(Grant.period, Grant.canteen_id)
    )
