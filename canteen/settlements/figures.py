"""The desks' figures: meals, subsidies and findings by month, by ground and by tier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens import finding as canteens
from canteen.canteens.models import TIERS, Canteen
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.checks.precision import denied_fen
from canteen.db import db
from canteen.papers.tables import Column, Table
from canteen.settlements.exporting import places
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant, Period
from canteen.territory.actors import Actor
from canteen.territory.models import level_of, stem
from canteen.words import Text, month

MOST_MONTHS = 36
WITHIN = {
    "district": Text("区", "District"), "street": Text("街道（乡镇）", "Street"),
    "canteen": Text("食堂", "Canteen"),
}  # fmt: skip
COLUMNS = (
    Column(Text("补贴餐次", "Subsidised meals"), "int", summed=True),
    Column(Text("老人补贴(元)", "Elder subsidy (yuan)"), "fen", summed=True),
    Column(Text("运营补贴(元)", "Enterprise (yuan)"), "fen", summed=True),
    Column(Text("送餐补贴(元)", "Delivery (yuan)"), "fen", summed=True),
    Column(Text("补贴合计(元)", "All subsidies (yuan)"), "fen", summed=True),
    Column(Text("疑点", "Findings"), "int", summed=True),
    Column(Text("待处理", "Undecided"), "int", summed=True),
    Column(Text("核准支付", "To be paid"), "int", summed=True),
    Column(Text("不予支付", "Denied"), "int", summed=True),
    Column(Text("不予支付(元)", "Denied (yuan)"), "fen", summed=True),
)


@dataclass(frozen=True)
class Wanted:
    """From which month to which, on which part of one's ground, of which tier."""

    first: str
    last: str
    territory: str | None = None
    tier: int | None = None


@dataclass
class Sums:
    """What one month, ground or tier comes to. Subsidies are net of what was taken back."""

    meals: int = 0
    elder_fen: int = 0
    enterprise_fen: int = 0
    delivery_fen: int = 0
    undecided: int = 0
    paid: int = 0
    denied: int = 0
    denied_fen: int = 0

    @property
    def subsidy_fen(self) -> int:
        """All three subsidies together."""
        return self.elder_fen + self.enterprise_fen + self.delivery_fen

    @property
    def found(self) -> int:
        """What the checks found and still stands, whatever was decided."""
        return self.undecided + self.paid + self.denied

    def add(self, other: Sums) -> None:
        """Take up another's sums."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def cells(self) -> tuple[int, ...]:
        """The sums in the order of COLUMNS."""
        return (
            self.meals, self.elder_fen, self.enterprise_fen, self.delivery_fen, self.subsidy_fen,
            self.found, self.undecided, self.paid, self.denied, self.denied_fen,
        )


NAMES = tuple(field.name for field in fields(Sums))
PAID = NAMES[:4]  # meals and the three subsidies
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Figures:
    """The figures three ways, each in its order, and altogether; `within` says what grounds are."""

    within: str
    months: dict[str, Sums]
    grounds: dict[Text, Sums]
    tiers: dict[int, Sums]
    total: Sums


def figures(by: Actor, wanted: Wanted) -> Figures:
    """Count what the actor may see. Months without anything are there with noughts."""
    within = _within(by, wanted)
    cells = _granted(by, wanted, within)
    for key, found in _findings(by, wanted, within).items():
        cells.setdefault(key, Sums()).add(found)
    names = _names(by, wanted, within)
    months = _fold(cells, lambda key: key[0])
    grounds = _fold(cells, lambda key: key[1])
    tiers = _fold(cells, lambda key: key[2])
    total = Sums()
    for sums in months.values():
        total.add(sums)
    return Figures(
        within, {period: months.get(period, Sums()) for period in span(wanted.first, wanted.last)},
        {names[code]: grounds.get(code, Sums()) for code in names},
        {tier: tiers.get(tier, Sums()) for tier in TIERS if wanted.tier in (None, tier)}, total,
    )


def span(first: str, last: str) -> list[str]:
    """The periods from one to another, the last MOST_MONTHS of them."""
    periods = []
    while first <= last and len(periods) < 1200:
        periods.append(first)
        first = clock.next_period(first)
    return periods[-MOST_MONTHS:]


def tables_of(found: Figures) -> list[Table]:
    """The figures as tables: by month, by ground, by tier."""
    by_month = ((month(period), *sums.cells()) for period, sums in found.months.items())
    by_ground = ((name, *sums.cells()) for name, sums in found.grounds.items())
    by_tier = ((TIERS[tier], *sums.cells()) for tier, sums in found.tiers.items())
    ground = WITHIN[found.within]
    return [
        Table(Text("按月", "By month"),
              (Column(Text("月份", "Month"), width=12), *COLUMNS), by_month),
        Table(Text(f"按{ground.zh}", f"By {ground.en.lower()}"),
              (Column(ground, width=26), *COLUMNS), by_ground),
        Table(Text("按等级", "By tier"), (Column(Text("等级", "Tier")), *COLUMNS), by_tier),
    ]  # fmt: skip


def _within(by: Actor, wanted: Wanted) -> str:
    """What the ground is told apart by: a city by districts, a district by streets."""
    narrowest = wanted.territory or by.territory
    level = level_of(narrowest) if narrowest else "city"
    return {"city": "district", "district": "street"}.get(level, "canteen")


def _column(within: str) -> Any:
    return {
        "district": Canteen.district_code, "street": Canteen.street_code, "canteen": Canteen.code,
    }[within]


def _here(by: Actor, wanted: Wanted) -> list[Any]:
    where = [canteens.visible(by)]
    if wanted.territory:
        inside = stem(wanted.territory)
        where.append(Canteen.street_code.startswith(inside, autoescape=True))
    if wanted.tier:
        where.append(Canteen.tier == wanted.tier)
    return where


def _names(by: Actor, wanted: Wanted, within: str) -> dict[str, Text]:
    """The grounds there are, by their codes, in order: those with a canteen."""
    if within == "canteen":
        rows = db.session.execute(
            sa.select(Canteen.code, Canteen.name, Canteen.name_en).where(*_here(by, wanted))
            .order_by(Canteen.code)
        )  # fmt: skip
        return {row.code: Text(row.name, row.name_en or row.name) for row in rows}
    column, named = _column(within), places()
    codes = db.session.scalars(
        sa.select(column).where(*_here(by, wanted)).distinct().order_by(column)
    )
    return {code: named.get(code, Text(code, code)) for code in codes}


def _granted(by: Actor, wanted: Wanted, within: str) -> dict[Key, Sums]:
    """Meals and subsidies: of a closed month from its statements, which are the sums of its
    grants, with what is paid to elders' accounts; of an open one from the grants."""
    cells: dict[Key, Sums] = {}
    for g in (_stated(by, wanted), _to_account(by, wanted), _of_open_months(by, wanted)):
        column = _column(within)
        rows = db.session.execute(
            sa.select(g.c.period, column, Canteen.tier, *(sa.func.sum(g.c[name]) for name in PAID))
            .join(Canteen, Canteen.id == g.c.canteen_id)
            .group_by(g.c.period, column, Canteen.tier)
        )
        for period, ground, tier, *sums in rows:
            added = Sums(*(int(value) for value in sums))
            cells.setdefault((period, ground, tier), Sums()).add(added)
    return cells


def _stated(by: Actor, wanted: Wanted) -> Any:
    return (
        sa.select(
            Statement.period, Statement.canteen_id, Statement.meals,
            Statement.elder_fen, Statement.enterprise_fen, Statement.delivery_fen,
        )
        .where(
            Statement.payee == "canteen", Statement.canteen_id.in_(_canteens(by, wanted)),
            Statement.period.between(wanted.first, wanted.last),
        )
        .subquery()
    )  # fmt: skip


def _to_account(by: Actor, wanted: Wanted) -> Any:
    nothing = sa.literal(0)
    return (
        sa.select(
            Grant.period, Grant.canteen_id, nothing.label("meals"),
            sa.func.sum(Grant.account_fen).label("elder_fen"),
            nothing.label("enterprise_fen"), nothing.label("delivery_fen"),
        )
        .where(
            Grant.period.in_(_closed(wanted)), sa.text("account_fen <> 0"),
            Grant.canteen_id.in_(_canteens(by, wanted)),
        )
        .group_by(Grant.period, Grant.canteen_id)
        .subquery()
    )


def _of_open_months(by: Actor, wanted: Wanted) -> Any:
    return (
        sa.select(
            Grant.period, Grant.canteen_id, sa.func.sum(Grant.sign).label("meals"),
            sa.func.sum(Grant.till_fen + Grant.account_fen).label("elder_fen"),
            sa.func.sum(Grant.enterprise_fen).label("enterprise_fen"),
            sa.func.sum(Grant.delivery_fen).label("delivery_fen"),
        )
        .where(
            Grant.period.between(wanted.first, wanted.last), Grant.period.not_in(_closed(wanted)),
            Grant.canteen_id.in_(_canteens(by, wanted)),
        )
        .group_by(Grant.period, Grant.canteen_id)
        .subquery()
    )  # fmt: skip


def _canteens(by: Actor, wanted: Wanted) -> Any:
    return sa.select(Canteen.id).where(*_here(by, wanted))


def _closed(wanted: Wanted) -> Any:
    return sa.select(Period.period).where(
        Period.period.between(wanted.first, wanted.last), Period.closed_at.is_not(None)
    )


def _findings(by: Actor, wanted: Wanted, within: str) -> dict[Key, Sums]:
    """What the checks found and what became of it; what no longer holds is left out."""
    column = _column(within)

    def count(*states: str) -> Any:
        return sa.func.sum(sa.case((Suspicion.state.in_(states), 1), else_=0))

    rows = db.session.execute(
        sa.select(
            Suspicion.period, column, Canteen.tier, count(*UNDECIDED), count("paid"),
            count("denied"), sa.func.sum(denied_fen()),
        )
        .join(Canteen, Canteen.id == Suspicion.canteen_id)
        .where(
            Suspicion.period.between(wanted.first, wanted.last), Suspicion.state != "cleared",
            *_here(by, wanted),
        )
        .group_by(Suspicion.period, column, Canteen.tier)
    )
    return {
        (period, ground, tier): Sums(
            undecided=int(undecided), paid=int(paid), denied=int(denied), denied_fen=int(fen)
        )
        for period, ground, tier, undecided, paid, denied, fen in rows
    }


def _fold(cells: dict[Key, Sums], of: Callable[[Key], Any]) -> dict[Any, Sums]:
    """Sum cells by a part of their key."""
    folded: dict[Any, Sums] = {}
    for key, sums in cells.items():
        folded.setdefault(of(key), Sums()).add(sums)
    return folded
