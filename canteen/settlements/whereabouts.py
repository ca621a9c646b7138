"""Where an operator's money is: each month of each canteen, who has it, what is in question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.payments.models import Charge, Refund
from canteen.settlements import finding, months_in_question
from canteen.settlements.deadlines import ahead
from canteen.settlements.models import Payout, Statement
from canteen.settlements.months_in_question import MonthInQuestion, MonthsInQuestion
from canteen.settlements.rules import by_ids
from canteen.subsidies.models import Grant, Period
from canteen.territory.actors import Actor

MONTHS = 6
ENDED = ("paid", "carried", "repaid")


@dataclass
class Place:
    """One canteen's month on its way. `promised` is the day by which it is to be paid."""

    statement: Statement
    canteen: Canteen | None
    payout: Payout | None
    promised: date | None
    question: MonthInQuestion = field(default_factory=MonthInQuestion)

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
    question: MonthInQuestion = field(default_factory=MonthInQuestion)

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
    """The open month, the latest closed ones and every one that is not settled yet, of a reader's
    canteens, the latest first."""
    here = {one.id: one for one in db.session.scalars(
        sa.select(Canteen).where(canteens.visible(by)).order_by(Canteen.name, Canteen.id)
    )}  # fmt: skip
    open_now = set(
        db.session.scalars(sa.select(Period.period).where(Period.closed_at.is_(None)))
    )
    under_way = db.session.scalars(
        sa.select(Statement.period).where(finding.visible(by), Statement.stage.not_in(ENDED))
        .distinct()
    )  # fmt: skip
    periods = sorted({*finding.periods_for(by)[:count], *under_way}, reverse=True)
    questions = months_in_question.of(list(here), [*periods, *open_now])
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
    questions: MonthsInQuestion,
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
            promised = ahead(statement, rules[statement.rule_id])["approved"]
        place = Place(statement, here.get(statement.canteen_id), payout, promised)
        place.question = questions.get((statement.period, statement.canteen_id), MonthInQuestion())
        found.setdefault(statement.period, []).append(place)
    return found


def _running(
    period: str, here: dict[int, Canteen], questions: MonthsInQuestion
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
        one.question = questions.get((period, canteen_id), MonthInQuestion())
    return sorted(found.values(), key=lambda one: (one.canteen.name, one.canteen.id))
