"""Findings as desks read them: canteen by canteen, what is at stake counted once, the meals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.checks import meals, worth
from canteen.checks.explaining import explain
from canteen.checks.finding import told_to
from canteen.checks.models import STATES, UNDECIDED, Suspicion, SuspicionStep
from canteen.db import db
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.settlements import withdrawing
from canteen.settlements.changing import last_rows
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.tills.models import Till, TillEntry

GROUPS = 20
FIRST = 8
MEALS = 100
s = Suspicion
SAID = SuspicionStep.verdict.in_(("answer", "note"))


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; nothing given is everything the reader may see. `explained`:
    only what the canteen has said something about."""

    period: str | None = None
    code: str | None = None
    mode: str | None = None
    canteen_id: int | None = None
    territory: str | None = None
    states: tuple[str, ...] = UNDECIDED
    explained: bool = False


@dataclass
class Group:
    """The findings of one canteen. `worth_fen`: each undecided meal's subsidy once."""

    canteen_id: int
    count: int
    held: int
    asked: int
    worth_fen: int = 0
    held_fen: int = 0
    canteen: Canteen | None = None
    findings: list[Suspicion] = field(default_factory=list)

    @property
    def more(self) -> int:
        """How many findings are not among those shown."""
        return self.count - len(self.findings)


@dataclass(frozen=True)
class Groups:
    """One page of canteens with findings. The counts are over all pages, `worth_fen` and
    `held_fen` of this one."""

    rows: list[Group]
    canteens: int
    count: int
    held: int
    asked: int
    worth_fen: int
    held_fen: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.canteens // self.size))


@dataclass(frozen=True)
class Behind:
    """A meal behind a finding: where and when, how it was sold, what is at stake, how it stands.

    `cause` is that of the last row of its subsidy; `stands` whether it is subsidised now.
    """

    order: Order
    canteen: Canteen
    elder: Elder | None
    till: str | None
    number: int | None
    kept: bool
    how: str
    stake_fen: int
    stands: bool
    cause: str
    period: str


def conditions(by: Actor, wanted: Wanted) -> list[Any]:
    """The conditions on Suspicion of what a list shows: nothing beyond the reader's ground."""
    ground = [canteens.visible(by)]
    if wanted.territory:
        ground.append(canteens.on_ground(wanted.territory))
    where: list[Any] = [s.canteen_id.in_(sa.select(Canteen.id).where(*ground))]
    where += [told_to(by), s.state.in_(wanted.states)]
    for column, value in (
        (s.period, wanted.period), (s.code, wanted.code), (s.mode, wanted.mode),
        (s.canteen_id, wanted.canteen_id),
    ):  # fmt: skip
        if value is not None:
            where.append(column == value)
    if wanted.explained:
        where.append(s.id.in_(sa.select(SuspicionStep.suspicion_id).where(SAID)))
    return where


def by_canteen(by: Actor, wanted: Wanted, *, page: int = 1, first: int = FIRST) -> Groups:
    """The findings a reader may see, by canteen: what is held and dear first, `first` of each.

    What is at stake is added up meal by meal for the canteens of this page only: over a whole
    city that would be every meal of the month.
    """
    where = conditions(by, wanted)
    held = sa.case((s.mode == "hold", 1), else_=0)
    undecided = sa.case((s.state.in_(UNDECIDED), s.amount_fen), else_=0)
    dear = (sa.func.sum(held * undecided).desc(), sa.func.sum(undecided).desc(), s.canteen_id)
    rows = db.session.execute(
        sa.select(
            s.canteen_id, sa.func.count(), sa.func.sum(held),
            sa.func.sum(sa.case((s.state == "asked", 1), else_=0)),
        ).where(*where).group_by(s.canteen_id).order_by(*dear)
    )  # fmt: skip
    groups = [Group(*(int(value or 0) for value in row)) for row in rows]
    shown = groups[(page - 1) * GROUPS : page * GROUPS]
    here = {group.canteen_id: group for group in shown}
    for canteen_id, fen, held_fen in worth.by_canteen([*where, s.canteen_id.in_(here)]):
        here[canteen_id].worth_fen, here[canteen_id].held_fen = fen, held_fen
    _fill(shown, where, first)
    sums = {name: sum(getattr(one, name) for one in groups) for name in ("count", "held", "asked")}
    stakes = {name: sum(getattr(one, name) for one in shown) for name in ("worth_fen", "held_fen")}
    return Groups(shown, len(groups), **sums, **stakes, number=page, size=GROUPS)


def _fill(groups: list[Group], where: list[Any], first: int) -> None:
    """Put the canteens and the first findings of each into the groups, in two queries."""
    here = {group.canteen_id: group for group in groups}
    for canteen in db.session.scalars(sa.select(Canteen).where(Canteen.id.in_(here))):
        here[canteen.id].canteen = canteen
    order = (sa.case((s.mode == "hold", 0), else_=1), s.period.desc(), s.amount_fen.desc(), s.id)
    place = sa.func.row_number().over(partition_by=s.canteen_id, order_by=order).label("place")
    ranked = sa.select(s.id, place).where(*where, s.canteen_id.in_(here)).subquery()
    found = db.session.scalars(
        sa.select(s).join(ranked, ranked.c.id == s.id).where(ranked.c.place <= first)
        .order_by(ranked.c.place)
    )  # fmt: skip
    for suspicion in found:
        here[suspicion.canteen_id].findings.append(suspicion)


def periods_for(by: Actor, states: tuple[str, ...] = tuple(STATES)) -> list[str]:
    """The periods of which a reader may see findings in these states, latest first."""
    where = conditions(by, Wanted(states=states))
    rows = db.session.scalars(
        sa.select(s.period).where(*where).distinct().order_by(s.period.desc())
    )
    return list(rows)


def codes_for(by: Actor, wanted: Wanted) -> dict[str, int]:
    """How many findings each check has in a list narrowed by all but the check: one query."""
    where = conditions(by, replace(wanted, code=None))
    rows = db.session.execute(sa.select(s.code, sa.func.count()).where(*where).group_by(s.code))
    return {code: int(count) for code, count in rows}


def to_decide(by: Actor, *, held_only: bool = False, period: str | None = None) -> int:
    """How many findings on the reader's ground nobody decided."""
    where = conditions(by, Wanted(mode="hold" if held_only else None, period=period))
    return db.session.scalar(sa.select(sa.func.count()).select_from(s).where(*where)) or 0


def asked_of(by: Actor) -> int:
    """How many findings the bureau asked this operator or canteen to explain."""
    where = conditions(by, Wanted(states=("asked",)))
    return db.session.scalar(sa.select(sa.func.count()).select_from(s).where(*where)) or 0


def in_hand(by: Actor) -> int:
    """How many of the findings nobody decided lie in months their operator can still put right."""
    rows = db.session.execute(
        sa.select(s.period, s.canteen_id, sa.func.count())
        .where(*conditions(by, Wanted())).group_by(s.period, s.canteen_id)
    )  # fmt: skip
    months: dict[str, dict[int, int]] = {}
    for period, canteen_id, count in rows:
        months.setdefault(period, {})[canteen_id] = int(count)
    return sum(
        sum(here.values()) if not withdrawing.is_closed(period)
        else sum(here[canteen_id] for canteen_id in withdrawing.due_in_hand(period, here))
        for period, here in months.items()
    )  # fmt: skip


def said_of(suspicion_ids: Iterable[int]) -> dict[int, str]:
    """What the canteen said last of each of these findings, asked or not."""
    steps = db.session.scalars(
        sa.select(SuspicionStep)
        .where(SuspicionStep.suspicion_id.in_(list(suspicion_ids)), SAID)
        .order_by(SuspicionStep.id)
    )
    return {step.suspicion_id: step.reason for step in steps}


def meals_behind(suspicion: Suspicion, *, page: int = 1, size: int = MEALS) -> tuple[
    list[Behind], int
]:  # fmt: skip
    """The meals a finding is about, what was denied of it since included, oldest first: one page
    of them, and how many there are."""
    named = sa.select(Order.id).where(Order.id.in_(explain(suspicion).order_ids))
    # A line that was put right names its correction, a meal given up the finding.
    put_right = sa.exists().where(
        Grant.cause == "corrected", Correction.id == Grant.cause_id,
        Correction.order_id == Grant.order_id, Correction.act.in_(("withdraw", "service")),
    )
    lost = sa.select(Grant.order_id).where(
        Grant.canteen_id == suspicion.canteen_id, Grant.period >= suspicion.period,
        Grant.cause.in_(("denied", "corrected")), Grant.cause_id == suspicion.id, ~put_right,
    )
    about = sa.union(meals.of(suspicion).order_by(None), named, lost).subquery()
    which = Order.id.in_(sa.select(about.c[0]))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(about)) or 0
    rows = db.session.execute(
        sa.select(Order, Canteen, Elder, Till.name, TillEntry, Grant.whole_fen)
        .join(Canteen, Canteen.id == Order.canteen_id)
        .outerjoin(Elder, Elder.id == Order.elder_id)
        .outerjoin(TillEntry, sa.and_(TillEntry.order_id == Order.id, TillEntry.kind == "sale"))
        .outerjoin(Till, Till.id == TillEntry.till_id)
        .outerjoin(Grant, sa.and_(Grant.order_id == Order.id, Grant.number == 1))
        .where(which)
        .order_by(Order.on, Order.placed_at, Order.id)
        .limit(size).offset((page - 1) * size)
    ).all()  # fmt: skip
    last = {row["order_id"]: row for row in last_rows(order.id for order, *_ in rows)}
    return [_behind(*row, last.get(row[0].id)) for row in rows], total


def _behind(
    order: Order, canteen: Canteen, elder: Elder | None, till: str | None,
    entry: TillEntry | None, stake: int | None, last: dict[str, Any] | None,
) -> Behind:
    return Behind(
        order, canteen, elder, till, entry.number if entry else None,
        entry.kept if entry else False, _how(entry), int(stake or 0),
        bool(last and last["sign"] > 0), last["cause"] if last else "",
        last["period"] if last else "",
    )  # fmt: skip


def _how(entry: TillEntry | None) -> str:
    """How the till found the elder: "card", "name"…; empty for what it does not know."""
    try:
        told = json.loads(entry.body) if entry else {}
    except ValueError:
        return ""
    return str(told.get("how", "")) if isinstance(told, dict) else ""

