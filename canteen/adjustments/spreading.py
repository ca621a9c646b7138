"""Clawback in instalments: what a month takes back at once is spread over the months to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens.models import Canteen
from canteen.db import db, insert
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.reasons import reason_of
from canteen.settlements import changing
from canteen.subsidies.granting import PERIODS, open_period
from canteen.subsidies.models import LOST, Grant, is_last
from canteen.territory.actors import Actor
from canteen.words import Text

MOST_MONTHS = 12


class NothingToSpread(Refused):
    """Nothing was taken back in the open month, or too little for instalments."""

    code = "nothing_to_spread"
    text = Text(
        "本月没有可分期的扣回款", "Nothing is taken back this month that could be spread"
    )


class SpreadAlready(Conflict):
    """What is taken back is not what was shown: it was spread, or a meal came or went, since."""

    code = "spread_already"
    text = Text(
        "扣回的金额已经变动（可能刚刚分过期），没有再分期。请看现在的金额",
        "What is taken back has changed since, perhaps it was just spread; nothing was spread"
        " again. Look at the sum as it is now",
    )


class BadMonths(Refused):
    """The number of instalments."""

    code = "bad_months"
    text = Text("请分 2 至 {most} 期", "Choose 2 to {most} instalments")


@dataclass(frozen=True)
class Pending:
    """What the open month takes back of a canteen: the meals and their sum in fen."""

    period: str
    orders: Mapping[int, int]

    @property
    def fen(self) -> int:
        """The sum."""
        return sum(self.orders.values())


def pending(canteen_id: int, on: date) -> Pending:
    """The meals of earlier months whose subsidy the open month of a day takes back."""
    period = opening(on)
    rows = db.session.execute(
        sa.select(Grant.order_id, Grant.canteen_fen)
        .where(Grant.canteen_id == canteen_id, lost_before(period)).order_by(Grant.order_id)
    )
    return Pending(period, {order: -int(fen) for order, fen in rows})


def lost_before(period: str) -> sa.ColumnElement[bool]:
    """The rows of meals of earlier months whose subsidy a month takes back for good.

    A meal cancelled late is not among them: its money went back to the diner.
    """
    c = Grant
    first = clock.period_days(period)[0]
    return sa.and_(c.period == period, c.sign < 0, c.cause.in_(LOST), c.on < first, is_last(c))


def spread(
    canteen_id: int, months: int, reason: str, by: Actor, *, on: date, at: datetime,
    expected_fen: int | None = None,
) -> list[tuple[str, int]]:  # fmt: skip
    """Spread what the open month takes back over so many months; gives (month, fen) of each.

    The first part stays where it is; of the others each falls into one of the months to come,
    meal by meal, so every row still names its meal. Decided by the district (or the city).
    `expected_fen` is the sum the decider saw. Refuses NotFound, BadMonths, ReasonMissing,
    SpreadAlready, NothingToSpread.
    """
    if by.role not in ("district", "city"):
        raise Forbidden()
    canteen = db.session.get(Canteen, canteen_id)
    if canteen is None or not by.reaches(canteen.street_code):
        raise NotFound()
    if not 2 <= months <= MOST_MONTHS:
        raise BadMonths(field="months", most=MOST_MONTHS)
    reason = reason_of(reason)
    open_period(clock.period_days(opening(on))[0])  # held open until the act ends
    found = pending(canteen_id, on)
    if expected_fen not in (None, found.fen):
        raise SpreadAlready()
    if len(found.orders) < months:
        raise NothingToSpread(field="months")
    parts = shares(found.orders, months)
    periods = [found.period]
    while len(periods) < months:
        periods.append(clock.next_period(periods[-1]))
    db.session.execute(
        insert(PERIODS).on_conflict_do_nothing(), [{"period": each} for each in periods]
    )
    into = {
        order: period
        for period, part in zip(periods[1:], parts[1:], strict=True) for order in part
    }  # fmt: skip
    causes: dict[int, int | None] = {
        row["order_id"]: row["cause_id"] for row in changing.last_rows(into)
    }
    changing.give_again(causes, "spread", by, at, reason=reason)
    changing.take_back(causes, "spread", by, at, reason=reason, into=into)
    plan = [
        (period, sum(found.orders[order] for order in part))
        for period, part in zip(periods, parts, strict=True)
    ]
    record(by.label, "spread", "canteen", canteen_id,
           {"reason": reason.strip()[:200], "instalments": plan})  # fmt: skip
    return plan


def opening(on: date) -> str:
    """The month a change of a settled meal made on a day falls into: the first one not closed.

    Between a month's end and its closing that is not the month of the day. Reads only.
    """
    closed = db.session.scalar(
        sa.select(sa.func.max(PERIODS.c.period)).where(PERIODS.c.closed_at.is_not(None))
    )
    return clock.next_period(closed) if closed else clock.period_of(on)


def shares(orders: Mapping[int, int], months: int) -> list[list[int]]:
    """Meals dealt out to so many months in their order, each month about as much as the others."""
    parts: list[list[int]] = [[] for _ in range(months)]
    whole, sum_so_far, left = sum(orders.values()), 0, list(orders)
    for number, order in enumerate(left):
        rest = len(left) - number
        which = min(months - 1, sum_so_far * months // whole) if whole else 0
        empty = [n for n in range(months) if not parts[n]]
        if empty and rest <= len(empty):  # nobody's month stays empty
            which = empty[0]
        parts[which].append(order)
        sum_so_far += orders[order]
    return parts
