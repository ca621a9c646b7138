"""Telling operators what the checks found, once a day, as long as they can put it right."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.checks.holding import Problems, problems
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.money import yuan
from canteen.notices.telling import tell
from canteen.settlements import rules
from canteen.subsidies.models import Period
from canteen.words import Text, day, month

KIND = "problems"
PATH = "/operator/problems"
UNDECIDED = ("open", "asked")


def open_periods(on: date) -> list[str]:
    """The months up to this one that are not closed and that anything may have fallen into."""
    this = clock.period_of(on)
    return list(
        db.session.scalars(
            sa.select(Period.period)
            .where(Period.closed_at.is_(None), Period.period <= this).order_by(Period.period)
        )
    )  # fmt: skip


def put_right_by(period: str, district: str, on: date) -> date:
    """The day of the next month by which an operator of the district confirms its statement."""
    number = rules.rule_for(district, on).day_of("operator") or 5
    return clock.period_days(clock.next_period(period))[0].replace(day=number)


def warn_operators(on: date, at: datetime) -> int:
    """Leave each operator with undecided findings a message for this day; gives how many.

    Of a month that is past its day only what the operator was asked to explain is told. A second
    run of the same day tells nobody again.
    """
    told = 0
    for (operator_id, period), canteens in _grounds(on).items():
        until = min(put_right_by(period, district, on) for district in canteens.values())
        found = problems(period, canteen_ids=list(canteens))
        if not found.count or (until < on and not found.asked):
            continue
        text = _words(found, period, until) if until >= on else _asked(found, period)
        key = f"{KIND}:{operator_id}:{period}:{on}"
        if tell(key, KIND, text, at=at, operator_id=operator_id, path=PATH) is not None:
            told += 1
    return told


def _grounds(on: date) -> dict[tuple[int, str], dict[int, str]]:
    """Of which operators and months something is undecided: their canteens and districts."""
    earliest = clock.period_of(on.replace(day=1) - timedelta(days=1))
    rows = db.session.execute(
        sa.select(Canteen.operator_id, Suspicion.period, Canteen.id, Canteen.district_code)
        .join(Suspicion, Suspicion.canteen_id == Canteen.id)
        .where(Suspicion.state.in_(UNDECIDED), Suspicion.period >= earliest)
        .distinct().order_by(Canteen.operator_id, Suspicion.period, Canteen.id)
    )  # fmt: skip
    found: dict[tuple[int, str], dict[int, str]] = {}
    for operator_id, period, canteen_id, district in rows:
        found.setdefault((operator_id, period), {})[canteen_id] = district
    return found


def _words(found: Problems, period: str, until: date) -> Text:
    return Text(
        "{month}有 {n} 个问题，涉及 {sum} 元，请在{until}前处理",
        "{month}: {n} problems worth {sum} yuan; put them right before {until}",
    ).format(month=month(period), n=found.count, sum=yuan(found.worth_fen), until=day(until))


def _asked(found: Problems, period: str) -> Text:
    return Text(
        "{month}有 {n} 个问题等您说明", "{month}: {n} problems wait for your explanation"
    ).format(month=month(period), n=found.asked)
