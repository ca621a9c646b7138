"""Telling operators what the checks found, once a day, as long as they can put it right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.checks import worth
from canteen.checks.finding import not_for_desk
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.money import yuan
from canteen.notices.telling import tell
from canteen.settlements import rules, withdrawing
from canteen.subsidies.models import Period
from canteen.words import Text, day, month

KIND = "problems"
PATH = "/operator/problems"


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
    number = rules.rule_for(district, on).due_days["operator"]
    return clock.period_days(clock.next_period(period))[0].replace(day=number)


def days_left(period: str, districts: Mapping[int, str], on: date) -> dict[int, date]:
    """Until when each of these canteens ({id: district}) puts its month right by itself.

    Once the month is closed that is the day its statement is due; a canteen whose statement is
    with the offices, or has none, is not in it: the district decides there. A day may have passed.
    """
    if not withdrawing.is_closed(period):
        days = {code: put_right_by(period, code, on) for code in set(districts.values())}
        return {canteen_id: days[code] for canteen_id, code in districts.items()}
    due = withdrawing.due_in_hand(period, districts)
    return {canteen_id: day or on for canteen_id, day in due.items()}


def warn_operators(on: date, at: datetime) -> int:
    """Leave each operator with undecided findings a message for this day; gives how many.

    Of a month that is past its day, or closed and with the offices, only what the operator was
    asked to explain is told. A second run of the same day tells nobody again.
    """
    told = 0
    for period in _periods(on):
        for operator_id, found in _by_operator(period, on).items():
            if found.until is None and not found.asked:
                continue
            text = _words(found, period, found.until) if found.until else _asked(found, period)
            key = f"{KIND}:{operator_id}:{period}:{on}"
            if tell(key, KIND, text, at=at, operator_id=operator_id, path=PATH) is not None:
                told += 1
    return told


@dataclass
class Found:
    """What an operator can still put right, `until` when, each meal's subsidy once; and `asked`:
    how many findings it is to explain, in its hands or not."""

    count: int = 0
    asked: int = 0
    worth_fen: int = 0
    until: date | None = None


def _periods(on: date) -> list[str]:
    """The months from the last one on of which something is undecided."""
    earliest = clock.period_of(on.replace(day=1) - timedelta(days=1))
    where = (Suspicion.state.in_(UNDECIDED), Suspicion.period >= earliest)
    query = sa.select(Suspicion.period).where(*where).distinct().order_by(Suspicion.period)
    return list(db.session.scalars(query))


def _by_operator(period: str, on: date) -> dict[int, Found]:
    """What is undecided of a month by operator: a few queries for the whole city."""
    where = [Suspicion.period == period, Suspicion.state.in_(UNDECIDED), not_for_desk()]
    asked = sa.func.sum(sa.case((Suspicion.state == "asked", 1), else_=0))
    rows = db.session.execute(
        sa.select(
            Canteen.operator_id, Canteen.id, Canteen.district_code, sa.func.count(), asked
        )
        .join(Suspicion, Suspicion.canteen_id == Canteen.id)
        .where(*where).group_by(Canteen.operator_id, Canteen.id, Canteen.district_code)
        .order_by(Canteen.operator_id)
    ).all()  # fmt: skip
    days = days_left(period, {row.id: row.district_code for row in rows}, on)
    found: dict[int, Found] = {}
    mine = {}
    for operator_id, canteen_id, _, count, waiting in rows:
        one = found.setdefault(operator_id, Found())
        one.asked += int(waiting)
        until = days.get(canteen_id)
        if until is not None and until >= on:
            mine[canteen_id] = one
            one.count += count
            one.until = min(until, one.until or until)
    for canteen_id, fen, _ in worth.by_canteen(where):
        if canteen_id in mine:
            mine[canteen_id].worth_fen += fen
    return found


def _words(found: Found, period: str, until: date) -> Text:
    return Text(
        "{month}有 {n} 个问题，涉及 {sum} 元，请在{until}前处理",
        "{month}: {n:problem|problems} worth {sum} yuan; put right before {until}",
    ).format(month=month(period), n=found.count, sum=yuan(found.worth_fen), until=day(until))


def _asked(found: Found, period: str) -> Text:
    return Text(
        "{month}有 {n} 个问题等您说明",
        "{month}: {n:problem waits|problems wait} for your explanation",
    ).format(month=month(period), n=found.asked)
