"""The budget guard: what each purse has spent and owes, and when its money will be gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock
from canteen.budgets.funding import budgets
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.settlements.models import Statement, StatementLine
from canteen.settlements.rules import OFFICES
from canteen.subsidies.models import Funding, FundingShare, Grant, Period, purse_of
from canteen.territory.actors import Actor

PACE_DAYS = 28  # four of each weekday
DAY = timedelta(days=1)
SETTLED = ("paid", "repaid")


@dataclass(frozen=True)
class Purse:
    """One purse in a year, in fen: what it had, what is paid, approved, under review, and granted
    in months still open; how much a weekday costs (Monday first); the day the money is gone.
    """

    code: str
    year: int
    budget_fen: int
    paid_fen: int
    approved_fen: int
    review_fen: int
    open_fen: int
    by_weekday_fen: tuple[int, ...] = field(default=(0,) * 7)
    gone_on: date | None = None

    @property
    def committed_fen(self) -> int:
        """What it owes already and has not paid."""
        return self.approved_fen + self.review_fen + self.open_fen

    @property
    def left_fen(self) -> int:
        """What is neither paid nor owed; below nothing when more was granted than there was."""
        return self.budget_fen - self.paid_fen - self.committed_fen

    @property
    def pace_fen(self) -> int:
        """What a week of the last four cost."""
        return sum(self.by_weekday_fen)

    @property
    def short(self) -> bool:
        """Whether its money will not last the year."""
        return self.budget_fen > 0 and (self.left_fen < 0 or self.gone_on is not None)


def purses(by: Actor, year: int, *, on: date) -> list[Purse]:
    """Every purse on the actor's ground with its year as it stands on a day; set-based.

    A purse is listed when it has a budget or pays anything. The forecast follows the pace of the
    last 28 days, weekday by weekday, and is made for the running year only.
    """
    had, spent, granted = budgets(year), _spent(year), _open(year)
    pace = _pace(on) if year == on.year else {}
    found = []
    for code in sorted({*had, *spent, *granted}, key=lambda each: (len(each), each)):
        if not by.reaches(code):
            continue
        sums = spent.get(code, {})
        purse = Purse(
            code, year, had.get(code, 0), sums.get("paid", 0), sums.get("approved", 0),
            sums.get("review", 0), granted.get(code, 0), pace.get(code, (0,) * 7),
        )
        gone = gone_on(purse.left_fen, purse.by_weekday_fen, on) if year == on.year else None
        found.append(Purse(**(vars(purse) | {"gone_on": gone if purse.budget_fen else None})))
    return found


def warnings(by: Actor, *, on: date) -> list[Purse]:
    """The purses of the actor's ground whose money will not last the running year."""
    return [purse for purse in purses(by, on.year, on=on) if purse.short]


def short_for(by: Actor, statements: Any, *, on: date) -> list[Purse]:
    """Of the purses that pay some statements (a query of their ids), those the actor may see and
    whose money will not last the running year."""
    line = StatementLine
    codes = set(db.session.scalars(
        sa.select(line.territory_code).where(line.statement_id.in_(statements)).distinct()
    ))  # fmt: skip
    return [purse for purse in warnings(by, on=on) if purse.code in codes] if codes else []


def gone_on(left_fen: int, by_weekday_fen: tuple[int, ...], on: date) -> date | None:
    """The day, from `on` to the year's end, on which the money is gone at this pace."""
    year = on.year
    while on.year == year:
        left_fen -= by_weekday_fen[on.weekday()]
        if left_fen < 0:
            return on
        on += DAY
    return None


def _spent(year: int) -> dict[str, dict[str, int]]:
    """By purse, what the lines of the year's statements came to: paid, approved, under review."""
    state = sa.case(
        (Statement.stage.in_(OFFICES), "review"), (_settled(Statement), "paid"),
        (Statement.id.in_(_netted()), "paid"), else_="approved",
    )  # fmt: skip
    rows = db.session.execute(
        sa.select(StatementLine.territory_code, state, sa.func.sum(StatementLine.amount_fen))
        .join(Statement, Statement.id == StatementLine.statement_id)
        .where(Statement.period.between(f"{year}-01", f"{year}-12"))
        .group_by(StatementLine.territory_code, state)
    )
    found: dict[str, dict[str, int]] = {}
    for code, which, fen in rows:
        found.setdefault(code, {})[which] = int(fen)
    return found


def _netted() -> Any:
    """The carried statements that a later one took up, by one step or several, and that is paid:
    what they were below nothing has come off that payment."""
    s, later = Statement, aliased(Statement)
    chain = sa.select(s.id, s.carried_into_id.label("into")).where(
        s.stage == "carried", s.carried_into_id.is_not(None)
    ).cte("chain", recursive=True)  # fmt: skip
    chain = chain.union_all(
        sa.select(chain.c.id, later.carried_into_id)
        .join(later, later.id == chain.c.into)
        .where(later.stage == "carried", later.carried_into_id.is_not(None))
    )
    end = aliased(Statement)
    return sa.select(chain.c.id).join(end, end.id == chain.c.into).where(_settled(end))


def _settled(statement: Any) -> Any:
    """Whether its money moved, or it came to exactly nothing and was cleared so."""
    return statement.stage.in_(SETTLED) | (
        (statement.stage == "carried") & (statement.total_fen == 0)
    )


def _open(year: int) -> dict[str, int]:
    """By purse, what was granted in months of the year that are not closed yet."""
    still_open = sa.select(Period.period).where(
        Period.closed_at.is_(None), Period.period.between(f"{year}-01", f"{year}-12")
    )
    sums: dict[str, int] = {}
    for row in _granted(Grant.period.in_(still_open)):
        sums[row.purse] = sums.get(row.purse, 0) + int(row.fen)
    return sums


def _pace(on: date) -> dict[str, tuple[int, ...]]:
    """By purse, what a day of the week cost on average in the last four weeks, Monday first."""
    days: dict[str, list[int]] = {}
    first = on - PACE_DAYS * DAY
    # No row falls into a month before its meal's; the months are indexed, the days are not.
    where = Grant.on.between(first, on - DAY) & (Grant.period >= clock.period_of(first))
    for row in _granted(where, Grant.on.label("on")):
        week = days.setdefault(row.purse, [0] * 7)
        week[row.on.weekday()] += int(row.fen)
    weeks = PACE_DAYS // 7
    return {code: tuple(max(0, fen // weeks) for fen in week) for code, week in days.items()}


def _granted(where: Any, *by: Any) -> list[Any]:
    """What grants cost each purse: rows of purse, fen (and `by`).

    The grants are summed by funding first, of which there are few; the elder's part that is paid
    to account is the elder's own district's, everything else the canteen's.
    """
    found: list[Any] = []
    to_account = sa.and_(FundingShare.side == "elder", Funding.account_fen > 0)
    for who, place, sides in (
        (Grant.canteen_id, Canteen, ~to_account), (Grant.elder_id, Elder, to_account),
    ):  # fmt: skip
        # Account-paid fundings are rare: the others are left out before the elders are summed.
        few = [Grant.account_fen != 0] if place is Elder else []
        net = (
            sa.select(
                who.label("who"), Grant.funding_id, sa.func.sum(Grant.sign).label("meals"), *by
            )
            .where(where, *few).group_by(who, Grant.funding_id, *by).subquery()
        )  # fmt: skip
        purse = purse_of(sa.func.substr(place.street_code, 1, 6), place.street_code)
        more = [net.c[column.name] for column in by]
        query = (
            sa.select(
                purse.label("purse"), sa.func.sum(net.c.meals * FundingShare.amount_fen)
                .label("fen"), *more,
            )
            .select_from(net)
            .join(FundingShare, FundingShare.funding_id == net.c.funding_id)
            .join(Funding, Funding.id == net.c.funding_id)
            .join(place, place.id == net.c.who)
            .where(sides).group_by(purse, *more)
        )  # fmt: skip
        found += db.session.execute(query)
    return found
