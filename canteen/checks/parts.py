"""What a check is: a code, a sentence, its thresholds and one query over a period's meals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.errors import Refused
from canteen.words import Text

FAMILIES = {
    "people": Text("人员资格", "People"),
    "caps": Text("次数上限", "Caps"),
    "times": Text("时间与地点", "Places and times"),
    "papers": Text("食堂与证照", "Canteen and papers"),
    "prices": Text("价格", "Prices"),
    "patterns": Text("规律异常", "Patterns"),
    "delivery": Text("送餐", "Delivery"),
    "tills": Text("收银机", "Tills"),
    "refunds": Text("退款", "Refunds"),
    "money": Text("资金与统计", "Money and statistics"),
}
KEPT = ("canteen_id", "elder_id", "order_id", "key", "amount_fen")


class BadPeriod(Refused):
    """A period is a month like 2026-10."""

    code = "bad_period"
    text = Text("月份请写成 2026-10 这样", "Write the month like 2026-10")


@dataclass(frozen=True)
class Scope:
    """What is looked at: a period's meals up to and including `as_of`, of one district or canteen
    or of all. `thresholds` are those of the check at hand, `among` the ids marked for it, where
    it marks any, and `policies` the policies of the period's meals, where they were read."""

    period: str
    first: date
    last: date
    as_of: date
    district: str | None = None
    canteen_id: int | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)
    among: sa.Select[tuple[int]] | None = None
    policies: Mapping[int, Any] | None = None

    def __getitem__(self, name: str) -> int:
        """A threshold of the check at hand."""
        return self.thresholds[name]


def scope_of(
    period: str, today: date, *, district: str | None = None, canteen_id: int | None = None
) -> Scope:
    """The scope of a period's meals whose days are over: up to yesterday, or the last day.
    Refuses BadPeriod."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", period, re.ASCII):
        raise BadPeriod(field="period")
    first, last = clock.period_days(period)
    return Scope(period, first, last, min(last, today - timedelta(days=1)), district, canteen_id)


@dataclass(frozen=True)
class Among:
    """Whom a check may concern: "meal", "elder" or "canteen", and what must hold of its row in
    MEALS, DINERS or PLACES. It may hold of too many, never of too few."""

    kind: str
    holds: Any


@dataclass(frozen=True)
class Look:
    """A check's query that concerns only whom `among` tells, and need not look at anybody else."""

    find: Callable[[Scope], sa.Select[Any]]
    among: Callable[[Scope], Among]

    def __call__(self, scope: Scope) -> sa.Select[Any]:
        """The query."""
        return self.find(scope)


def among(
    kind: str, holds: Callable[[Scope], Any]
) -> Callable[[Callable[[Scope], sa.Select[Any]]], Look]:
    """Before a check's query: whom it may concern, see `Among`."""

    def looking(find: Callable[[Scope], sa.Select[Any]]) -> Look:
        return Look(find, lambda scope: Among(kind, holds(scope)))

    return looking


@dataclass(frozen=True)
class Check:
    """One check. `reason` is the sentence a reviewer reads, filled from the evidence; `why` says
    what the check is for. `find` gives the columns KEPT and, beside them, the evidence. `about`
    tells how a finding leads to its meals (see `meals.LEADS`; "nothing": to none).

    Thresholds are our own defaults, nothing is published; each district may set its own. Their
    names carry the unit: `_fen`, `_bp` (of 10,000), `_s`, `_minutes`, `_days`; else a count.
    """

    code: str
    family: str
    title: Text
    reason: Text
    why: Text
    mode: str
    find: Callable[[Scope], sa.Select[Any]]
    thresholds: Mapping[str, int] = field(default_factory=dict)
    about: str = "order"

    @property
    def among(self) -> Callable[[Scope], Among] | None:
        """Whom it may concern, if it says so."""
        return self.find.among if isinstance(self.find, Look) else None


def found(
    *, canteen: Any, key: Any, amount: Any = 0, elder: Any = None, order: Any = None,
    **evidence: Any,
) -> sa.Select[Any]:
    """The columns of a check's query, in the order all checks have."""
    columns = (canteen, elder, order, key, amount)
    types = (sa.BigInteger, sa.BigInteger, sa.BigInteger, sa.Text, sa.BigInteger)
    kept = [
        sa.cast(sa.null() if column is None else column, kind).label(name)
        for name, column, kind in zip(KEPT, columns, types, strict=True)
    ]
    return sa.select(*kept, *(column.label(name) for name, column in evidence.items()))


def key(*pieces: Any) -> Any:
    """A key of words and columns joined by colons: key("elder", 5, "2026-10") "elder:5:2026-10"."""
    made: Any = None
    for piece in pieces:
        told = sa.literal(piece, sa.Text) if isinstance(piece, str) else sa.cast(piece, sa.Text)
        made = told if made is None else made + sa.literal(":", sa.Text) + told
    return made


def share_bp(part: Any, whole: Any) -> Any:
    """A share in basis points, whole and rounded down; nothing of nothing is nothing."""
    return part_of(10_000, part, whole)


def part_of(amount: Any, part: Any, whole: Any) -> Any:
    """amount × part ⁄ whole, rounded down; a sum is a decimal in one database and not in the
    other, so all three are made whole numbers first."""
    big = [sa.cast(value, sa.BigInteger) for value in (amount, part)]
    divisor = sa.func.nullif(sa.cast(whole, sa.BigInteger), 0, type_=sa.BigInteger)
    return big[0] * big[1] // divisor


def nearest(value: Any) -> Any:
    """A mean as the nearest whole number."""
    return sa.cast(sa.func.round(value), sa.Integer)
