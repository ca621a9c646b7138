"""The performance-target table of a district's year: what was planned, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.budgets.models import PerformanceTarget
from canteen.canteens.models import Canteen
from canteen.db import db, insert
from canteen.errors import Forbidden, NotFound, Refused
from canteen.performance.models import Inspection, Rating
from canteen.settlements.models import Payout, Statement
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.words import Text

# code: (what is measured, "count" or "bp" of a share)
MEASURES: dict[str, tuple[Text, str]] = {
    "meals": (Text("补贴餐数", "Subsidised meals"), "count"),
    "elders": (Text("享受补贴的老人", "Elders served"), "count"),
    "canteens": (Text("挂牌食堂", "Canteens listed"), "count"),
    "evaluated": (Text("完成评估的食堂", "Canteens evaluated"), "count"),
    "satisfaction": (Text("满意率（4星及以上）", "Satisfied (4 stars and more)"), "bp"),
    "in_time": (Text("结算单次月底前付清", "Statements paid by the end of the next month"), "bp"),
}
GOOD_STARS = 4
LISTED = ("listed", "warned")


class BadTarget(Refused):
    """No such measure, or a target that cannot be."""

    code = "bad_target"
    text = Text("请填写有效的目标值", "Enter a target that can be reached")


@dataclass(frozen=True)
class Target:
    """One line of the table; shares in basis points, None: not planned, or nothing to measure."""

    code: str
    title: Text
    unit: str
    planned: int | None
    actual: int | None

    @property
    def reached(self) -> bool | None:
        """Whether the aim was reached; None when there is nothing to compare."""
        if self.planned is None or self.actual is None:
            return None
        return self.actual >= self.planned


def aim(
    year: int, district: str, code: str, target: int, by: Actor, at: datetime
) -> None:
    """Set what a district aims at in a year; by the city or the district itself.

    Refuses NotFound off the actor's ground and BadTarget.
    """
    if by.role not in ("district", "city"):
        raise Forbidden()
    if not by.reaches(district):
        raise NotFound()
    if code not in MEASURES or target < 0 or (MEASURES[code][1] == "bp" and target > 10_000):
        raise BadTarget(field=code)
    row = {
        "year": year, "district_code": district, "code": code, "target": target,
        "set_by": by.label, "set_at": at,
    }  # fmt: skip
    making = insert(PerformanceTarget.__table__).values(row)
    db.session.execute(
        making.on_conflict_do_update(
            index_elements=["year", "district_code", "code"],
            set_={"target": target, "set_by": by.label, "set_at": at},
        )
    )
    record(by.label, "set_target", "district", district, {"year": year, code: target})


def table(year: int, district: str) -> list[Target]:
    """The table of a district's year as it stands."""
    rows = db.session.execute(
        sa.select(PerformanceTarget.code, PerformanceTarget.target).where(
            PerformanceTarget.year == year, PerformanceTarget.district_code == district
        )
    )
    planned = {row.code: row.target for row in rows}
    actual = actuals(year, district)
    return [
        Target(code, title, unit, planned.get(code), actual.get(code))
        for code, (title, unit) in MEASURES.items()
    ]


def actuals(year: int, district: str) -> dict[str, int | None]:
    """What came of each measure, by set-based counting."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    here = sa.select(Canteen.id).where(Canteen.district_code == district)
    months = (f"{year}-01", f"{year}-12")
    s = Statement
    meals = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(s.meals), 0)).where(
            s.district_code == district, s.payee == "canteen", s.period.between(*months)
        )
    )
    served = (
        sa.select(Grant.elder_id)
        .where(
            Grant.canteen_id.in_(here), Grant.on.between(first, last),
            Grant.period >= f"{year}-01",  # which is indexed
        )
        .group_by(Grant.elder_id).having(sa.func.sum(Grant.sign) > 0).subquery()
    )  # fmt: skip
    elders = db.session.scalar(sa.select(sa.func.count()).select_from(served))
    listed = db.session.scalar(
        sa.select(sa.func.count()).select_from(Canteen).where(
            Canteen.district_code == district, Canteen.status.in_(LISTED)
        )
    )
    visited = db.session.scalar(
        sa.select(sa.func.count(Inspection.canteen_id.distinct())).where(
            Inspection.canteen_id.in_(here), Inspection.on.between(first, last)
        )
    )
    stars, good = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(sa.case((Rating.stars >= GOOD_STARS, 1), else_=0)))
        .where(Rating.canteen_id.in_(here), Rating.on.between(first, last))
    ).one()  # fmt: skip
    return {
        "meals": int(meals or 0), "elders": int(elders or 0), "canteens": int(listed or 0),
        "evaluated": int(visited or 0), "satisfaction": _share(good, stars),
        "in_time": _in_time(district, year),
    }  # fmt: skip


def unevaluated(year: int, district: str, least_months: int = 3) -> list[int]:
    """Canteens that sold subsidised meals in at least so many months and were never visited.

    Who was open for less than three months is not evaluated in its first year.
    """
    s = Statement
    visited = sa.exists().where(
        Inspection.canteen_id == s.canteen_id,
        Inspection.on.between(date(year, 1, 1), date(year, 12, 31)),
    )
    rows = db.session.scalars(
        sa.select(s.canteen_id)
        .where(
            s.district_code == district, s.payee == "canteen", s.meals > 0, ~visited,
            s.period.between(f"{year}-01", f"{year}-12"),
        )
        .group_by(s.canteen_id).having(sa.func.count() >= least_months).order_by(s.canteen_id)
    )  # fmt: skip
    return [int(each) for each in rows if each is not None]


def _in_time(district: str, year: int) -> int | None:
    """The share of the year's payouts that arrived by the end of the month after theirs."""
    ends: dict[Any, Any] = {}
    for number in range(1, 13):
        period = f"{year}-{number:02d}"
        after = clock.next_period(clock.next_period(period))
        ends[period] = sa.literal(
            clock.instant(clock.period_days(after)[0], time(0)), Payout.paid_at.type
        )
    in_time = Payout.paid_at < sa.case(ends, value=Statement.period)
    count, good = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(sa.case((in_time, 1), else_=0)))
        .join(Statement, Statement.id == Payout.statement_id)
        .where(Statement.district_code == district, Statement.period.in_(list(ends)))
    ).one()
    return _share(good, count)


def _share(part: Any, whole: Any) -> int | None:
    return int(part or 0) * 10_000 // int(whole) if whole else None
