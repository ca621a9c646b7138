"""How many days a district allows for what comes after a meal, and until when a day is within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.settlements.review_models import ReviewRule

# The fewest and the most days a rule may name of each; the table checks the same.
LIMITS = {"claim": (1, 366), "late": (30, 3660), "debt": (1, 366), "appeal": (1, 366)}


@dataclass(frozen=True)
class Days:
    """The days of a review rule. Defaults of our own: nothing is published.

    `claim`: after a meal paid in full, its subsidy may be claimed. `late`: how old a meal may be
    that a fact recorded late still changes. `debt`: a payee's debt may stand before the district
    is asked to see to it. `appeal`: after a denial, it may be objected to.
    """

    claim: int = 30
    late: int = 730
    debt: int = 30
    appeal: int = 15


DEFAULT = Days()


def of(row: ReviewRule) -> Days:
    """The days of a stored rule."""
    return Days(row.claim_days, row.late_days, row.debt_days, row.appeal_days)


def columns(days: Days) -> dict[str, int]:
    """The days as the columns of a rule."""
    return {f"{name}_days": number for name, number in asdict(days).items()}


def allowed(district: str, on: date) -> Days:
    """The days of the rule in force in a district on a day."""
    row = db.session.scalars(
        sa.select(ReviewRule)
        .where(ReviewRule.district_code == district, ReviewRule.from_on <= on)
        .order_by(ReviewRule.from_on.desc()).limit(1)
    ).first()  # fmt: skip
    return of(row) if row else DEFAULT


def within(name: str, district: Any, on: Any, today: date) -> sa.ColumnElement[bool]:
    """Whether a day (a column) still lies within the days of the rule that was in force on it in
    a district (a column). Two columns and the few rules there are: no query a row."""
    rules: dict[str, list[tuple[date, int]]] = {}
    for row in db.session.scalars(sa.select(ReviewRule).order_by(ReviewRule.from_on)):
        rules.setdefault(row.district_code, []).append((row.from_on, getattr(of(row), name)))
    default = today - timedelta(days=getattr(DEFAULT, name))
    found = [district.not_in(list(rules)) & (on >= default)]
    for code, mine in rules.items():
        spans = [(date.min, getattr(DEFAULT, name)), *mine]
        for (first, days), following in zip(spans, [*spans[1:], None], strict=True):
            earliest = max(first, today - timedelta(days=days))
            if following is None:
                found.append((district == code) & (on >= earliest))
            elif earliest < following[0]:
                found.append((district == code) & (on >= earliest) & (on < following[0]))
    return sa.or_(*found)


@dataclass(frozen=True)
class Back:
    """How old meals may be that are priced again, by the rules in force on a day.

    `earliest` is the oldest day of any district, `default` that of a district without a rule;
    `own` the days from which districts' meals count that say otherwise.
    """

    earliest: date
    default: date
    own: tuple[tuple[date, tuple[str, ...]], ...]

    def covers(self, canteen_id: Any, on: Any) -> sa.ColumnElement[bool]:
        """Whether a meal (its columns) is young enough in the district of its canteen."""
        if not self.own:
            return on >= self.default  # type: ignore[no-any-return]
        ruled = [code for _, codes in self.own for code in codes]
        return sa.or_(
            (on >= self.default) & canteen_id.not_in(_canteens_of(ruled)),
            *((on >= first) & canteen_id.in_(_canteens_of(codes)) for first, codes in self.own),
        )


def back_from(today: date) -> Back:
    """How far back late facts are looked for on a day, by district."""
    last: dict[str, int] = {}
    for row in db.session.scalars(
        sa.select(ReviewRule).where(ReviewRule.from_on <= today).order_by(ReviewRule.from_on)
    ):
        last[row.district_code] = row.late_days
    by_day: dict[date, list[str]] = {}
    for code, days in last.items():
        if days != DEFAULT.late:
            by_day.setdefault(today - timedelta(days=days), []).append(code)
    default = today - timedelta(days=DEFAULT.late)
    own = tuple((first, tuple(codes)) for first, codes in sorted(by_day.items()))
    return Back(min([default, *by_day]), default, own)


def _canteens_of(districts: Sequence[str]) -> Any:
    return sa.select(Canteen.id).where(Canteen.district_code.in_(districts))
