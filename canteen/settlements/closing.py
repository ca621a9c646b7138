"""Closing a month, once: every grant and online taking of the period becomes statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.checks import running
from canteen.checks.parts import scope_of
from canteen.db import db, insert
from canteen.errors import Refused
from canteen.payments.models import Charge, Refund
from canteen.settlements import booking, extrapolating, holding, sampling
from canteen.settlements.models import Statement
from canteen.settlements.preparing import prepare
from canteen.subsidies.models import Grant, Period
from canteen.territory.actors import Actor
from canteen.words import Text, day, month


class BadPeriod(Refused):
    """The period is not a month written like 2026-10."""

    code = "bad_period"
    text = Text(
        "“{given}”不是月份，请写成 2026-10 这样", "“{given}” is not a month; write it like 2026-10"
    )


class NotEnded(Refused):
    """The month has not ended yet in Shanghai."""

    code = "period_not_ended"
    text = Text(
        "{month}到{last}才结束，之后才能结账", "{month} can be closed after it ends on {last}"
    )


class EarlierOpen(Refused):
    """A month before it has meals or takings and is still open."""

    code = "earlier_period_open"
    text = Text("请先结{earlier}的账，再结{month}", "Close {earlier} first, then {month}")


@dataclass(frozen=True)
class Closing:
    """What closing a period came to; `already` when it had been closed before."""

    period: str
    already: bool
    statements: int
    meals: int
    total_fen: int


def close(
    period: str, by: Actor, *, on: date, at: datetime, checking: bool = False
) -> Closing:
    """Close a settlement period ("2026-10") as of the Shanghai day `on`; money in fen.

    One scan over the period's grants, in the database; cost and memory do not grow with Python.
    With `checking` every check looks at the meals once more before. Meals that wait for a
    decision are held: they are in no sum until somebody decides. Grants and takings that arrive
    later find the period closed and carry the next open one, so they fall into the next statement
    by themselves. Closing again changes nothing and answers the first result. Refuses with
    BadPeriod, NotEnded and EarlierOpen.
    """
    ended(period, on)
    _lock(period)
    if db.session.get_one(Period, period, populate_existing=True).closed_at is not None:
        return _closing(period, already=True)
    earlier = _open_before(period)
    if earlier:
        raise EarlierOpen(month=month(period), earlier=month(earlier), field="period")
    if checking:
        running.run(scope_of(period, on), by=by, at=at)
    held = holding.hold(period, at)
    prepare(period, by, on=on, at=at)
    end = sampling.chain_end()
    drawn = sampling.draw(period, end, at)
    booking.post_closing(period, at)
    extrapolating.give_back(period, by, at)
    db.session.execute(
        sa.update(Period)
        .where(Period.period <= period, Period.closed_at.is_(None))
        .values(closed_at=at, closed_by=by.label)
    )
    done = _closing(period, already=False)
    record(
        by.label, "close", "period", period,
        {"statements": done.statements, "meals": done.meals, "held": held,
         "total_fen": done.total_fen, "drawn": drawn, "chain_end": end},
    )  # fmt: skip
    return done


def open_periods_ended(on: date) -> list[str]:
    """The periods that ended before the day `on` and are still open, oldest first."""
    this = clock.period_of(on)
    return list(
        db.session.scalars(
            sa.select(Period.period)
            .where(Period.closed_at.is_(None), Period.period < this)
            .order_by(Period.period)
        )
    )


def ended(period: str, on: date) -> date:
    """The last day of a period that is over by the day `on`. Refuses with BadPeriod, NotEnded."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", period, re.ASCII):
        raise BadPeriod(given=period[:20], field="period")
    last = clock.period_days(period)[1]
    if on <= last:
        raise NotEnded(month=month(period), last=day(last, year=True), field="period")
    return last


def _lock(period: str) -> None:
    """Hold the period and every open one before it; who is granting in them waits."""
    rows = [{"period": name} for name in (period, clock.next_period(period))]
    db.session.execute(insert(Period.__table__).on_conflict_do_nothing(), rows)
    db.session.execute(
        sa.select(Period.period)
        .where(Period.period <= period, Period.closed_at.is_(None) | (Period.period == period))
        .order_by(Period.period)
        .with_for_update()
    ).all()


def _open_before(period: str) -> str | None:
    """The first open period before this one that anything fell into."""
    return db.session.scalar(
        sa.select(Period.period)
        .where(
            Period.period < period,
            Period.closed_at.is_(None),
            sa.or_(
                *(
                    sa.exists().where(table.period == Period.period)
                    for table in (Grant, Charge, Refund)
                )
            ),
        )
        .order_by(Period.period)
        .limit(1)
    )


def _closing(period: str, *, already: bool) -> Closing:
    found = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.sum(sa.case((Statement.payee == "canteen", Statement.meals), else_=0)),
            sa.func.sum(Statement.total_fen),
        ).where(Statement.period == period)
    ).one()
    return Closing(period, already, *(int(number or 0) for number in found))

