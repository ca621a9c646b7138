"""Meals held at closing, and what decisions about findings do to the money of each meal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.checks import deciding as findings
from canteen.checks.models import Suspicion
from canteen.db import changed, db
from canteen.errors import Refused
from canteen.settlements import appealing, changing
from canteen.settlements.changing import AT_ONCE, Changed
from canteen.subsidies.granting import GRANTS
from canteen.territory.actors import Actor, job
from canteen.words import Text

UNDECIDED = ("open", "asked")
SETTLER = job("settle_findings")


class ForeignMeals(Refused):
    """A finding can only take back meals of its own canteen and period."""

    code = "foreign_meals"
    text = Text(
        "所选餐次不属于这条疑点的食堂和月份", "The chosen meals are not of this canteen and month"
    )


def hold(period: str, at: datetime) -> int:
    """Take out of a period every meal that waits for a decision; gives how many.

    Part of closing, set-based: each such meal gets a row that takes its subsidy back, "held", so
    the statement is without it and the meal's story says why.
    """
    later = sa.alias(GRANTS)
    undecided = (
        Suspicion.period == period, Suspicion.mode == "hold", Suspicion.order_id.is_not(None),
        Suspicion.state.in_(UNDECIDED),
    )
    if not db.session.scalar(sa.select(sa.exists().where(*undecided))):
        return 0
    waiting = (
        sa.select(Suspicion.order_id, sa.func.min(Suspicion.id).label("suspicion_id"))
        .where(*undecided).group_by(Suspicion.order_id).subquery()
    )  # fmt: skip
    c = GRANTS.c
    same = ("order_id", "elder_id", "canteen_id", "period", "on", "meal", "policy_id",
            "group_code", "funding_id")  # fmt: skip
    values: dict[str, Any] = {name: c[name] for name in same}
    values |= {name: -c[name] for name in ("sign", *changing.FENS)}
    values |= {
        "number": c.number + 1, "cause": sa.literal("held"), "cause_id": waiting.c.suspicion_id,
        "made_at": sa.literal(at, c.made_at.type),
    }
    query = (
        sa.select(*values.values())
        .join(waiting, waiting.c.order_id == c.order_id)
        .where(
            c.period == period, c.sign == 1,
            ~sa.exists().where(later.c.order_id == c.order_id, later.c.number > c.number),
        )
        .order_by(c.id)
    )
    return changed(db.session.execute(GRANTS.insert().from_select(list(values), query)))


def decide(
    suspicion_id: int, verdict: str, reason: str, *, by: Actor, at: datetime,
    false_alarm: bool = False, orders: Collection[int] = (),
) -> Changed:  # fmt: skip
    """Decide a finding and let the money follow: "pay", "deny" or "ask".

    "pay" gives a held meal its subsidy, "deny" takes it back for good, each at once where the
    statement is still under review, else in the next open month. A finding about no single meal
    is denied for the chosen `orders`. Whoever an upheld appeal went against does not deny the same
    meal again. Refuses as `checks.deciding.decide` does, and ForeignMeals and SameJudge.
    """
    take_in_hand([suspicion_id], orders)
    suspicion = findings.decide(
        suspicion_id, verdict, reason, by=by, at=at, false_alarm=false_alarm
    )
    if verdict == "ask":
        return Changed()
    about = [*orders] if suspicion.order_id is None else [suspicion.order_id]
    if verdict == "deny" and appealing.overruled(about, by):
        raise appealing.SameJudge()
    if suspicion.order_id is not None:
        return settle([suspicion.order_id], by, at, reason)
    if verdict == "deny" and orders:
        _must_be_its_own(suspicion, orders)
        chosen: dict[int, int | None] = dict.fromkeys(orders, suspicion.id)
        return changing.take_back(chosen, "denied", by, at, reason=reason)
    return Changed()


def take_in_hand(suspicion_ids: Collection[int], orders: Collection[int] = ()) -> None:
    """Hold what deciding these findings touches, all of it first and always in one order: months,
    statements, findings. `orders`: the meals picked for a finding about no single one."""
    about = db.session.execute(
        sa.select(Suspicion.period, Suspicion.canteen_id, Suspicion.order_id).where(
            Suspicion.id.in_(suspicion_ids)
        )
    ).all()
    meals = {row.order_id for row in about if row.order_id is not None}
    changing.hold_statements(((row.period, row.canteen_id) for row in about), meals.union(orders))
    db.session.execute(
        sa.select(Suspicion.id).where(Suspicion.id.in_(suspicion_ids))
        .order_by(Suspicion.id).with_for_update()
    ).all()  # fmt: skip


def settle(order_ids: Iterable[int], by: Actor, at: datetime, reason: str = "") -> Changed:
    """Bring the money of these meals in line with what was decided about their findings.

    Denied by any finding: taken back. Undecided by any that holds: left as it is. Else a held or
    denied meal is paid. Doing it twice changes nothing.
    """
    wanted = sorted(set(order_ids))
    denied, waiting = _verdicts(wanted)
    take: dict[int, int | None] = {}
    release: dict[int, int | None] = {}
    uphold: dict[int, int | None] = {}
    for row in changing.last_rows(wanted):
        order, stands = row["order_id"], row["sign"] > 0
        if order in denied:
            if stands or row["cause"] == "held":
                take[order] = denied[order]
        elif order in waiting or stands:
            continue
        elif row["cause"] == "held":
            release[order] = row["cause_id"]
        elif row["cause"] == "denied" and _about_one_meal(row["cause_id"], order):
            uphold[order] = row["cause_id"]
    parts = (
        changing.take_back(take, "denied", by, at, reason=reason),
        changing.give_again(release, "released", by, at, reason=reason),
        changing.give_again(uphold, "upheld", by, at, reason=reason),
    )
    periods: dict[str, int] = {}
    for part in parts:
        for period, meals in part.periods.items():
            periods[period] = periods.get(period, 0) + meals
    return Changed(
        sum(part.meals for part in parts), sum(part.fen for part in parts),
        tuple(sorted({each for part in parts for each in part.statements})), periods,
    )  # fmt: skip


def settle_cleared(at: datetime, *, by: Actor = SETTLER) -> Changed:
    """Pay the meals that are held and that no finding holds any more; run after the checks."""
    later = sa.alias(GRANTS)
    still = sa.exists().where(
        Suspicion.order_id == GRANTS.c.order_id, Suspicion.mode == "hold",
        Suspicion.state.in_(UNDECIDED),
    )
    free = db.session.scalars(
        sa.select(GRANTS.c.order_id).where(
            GRANTS.c.cause == "held", ~still,
            ~sa.exists().where(
                later.c.order_id == GRANTS.c.order_id, later.c.number > GRANTS.c.number
            ),
        )
    ).all()
    return settle(free, by, at) if free else Changed()


def _verdicts(order_ids: list[int]) -> tuple[dict[int, int], set[int]]:
    """Which of these meals are denied, {order: finding}, and which still wait for a decision."""
    denied: dict[int, int] = {}
    waiting: set[int] = set()
    for start in range(0, len(order_ids), AT_ONCE):
        rows = db.session.execute(
            sa.select(Suspicion.id, Suspicion.order_id, Suspicion.state).where(
                Suspicion.order_id.in_(order_ids[start : start + AT_ONCE]),
                (Suspicion.state == "denied")
                | (Suspicion.state.in_(UNDECIDED) & (Suspicion.mode == "hold")),
            )
        )
        for row in rows:
            if row.state == "denied":
                denied.setdefault(row.order_id, row.id)
            else:
                waiting.add(row.order_id)
    return denied, waiting


def _about_one_meal(suspicion_id: int | None, order_id: int) -> bool:
    """Whether a meal was denied by a finding about itself (not picked out of a pattern)."""
    suspicion = db.session.get(Suspicion, suspicion_id) if suspicion_id else None
    return suspicion is not None and suspicion.order_id == order_id


def _must_be_its_own(suspicion: Suspicion, orders: Collection[int]) -> None:
    own = db.session.scalar(
        sa.select(sa.func.count(GRANTS.c.order_id.distinct())).where(
            GRANTS.c.order_id.in_(orders), GRANTS.c.canteen_id == suspicion.canteen_id,
            GRANTS.c.number == 1,
            sa.func.substr(sa.cast(GRANTS.c.on, sa.String), 1, 7) == suspicion.period,
        )
    )
    if own != len(set(orders)):
        raise ForeignMeals(field="orders")
