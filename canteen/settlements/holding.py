"""Meals held at closing, and what decisions about findings do to the money of each meal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.checks import deciding as findings
from canteen.checks.models import UNDECIDED, Suspicion, SuspicionStep
from canteen.checks.precision import denials
from canteen.db import changed, db
from canteen.errors import Refused
from canteen.settlements import appealing, changing, judges
from canteen.settlements.changing import AT_ONCE, Changed
from canteen.subsidies.granting import GRANTS
from canteen.subsidies.models import Grant, is_last
from canteen.territory.actors import Actor, job
from canteen.words import Text

SETTLER = job("settle_findings")


class NothingDenied(Refused):
    """A finding about no single meal is denied by naming meals whose subsidy stands."""

    code = "nothing_denied"
    text = Text(
        "请勾选不予支付的餐；没有要核减的餐，请选“核准支付”",
        "Tick the meals that are not paid; if there are none, choose to pay",
    )


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
            c.period == period, c.sign == 1, is_last(c)
        )
        .order_by(c.id)
    )
    return changed(db.session.execute(GRANTS.insert().from_select(list(values), query)))


def decide(
    suspicion_id: int, verdict: str, reason: str, *, by: Actor, at: datetime,
    false_alarm: bool = False, orders: Collection[int] = (),
) -> Changed:  # fmt: skip
    """Decide a finding and let the money follow: "pay", "deny" or "ask".

    "pay" gives a held or denied meal its subsidy, "deny" takes it back for good, each at once where
    the statement is still under review, else in the next open month. A finding about no single
    meal is denied for the chosen `orders`, and paid for those it denied before. Whoever an upheld
    appeal went against does not deny the same meal again. Refuses as `checks.deciding.decide`
    does, and NothingDenied, ForeignMeals and SameJudge.
    """
    take_in_hand([suspicion_id], orders)
    suspicion = findings.decide(
        suspicion_id, verdict, reason, by=by, at=at, false_alarm=false_alarm
    )
    if verdict == "ask":
        return Changed()
    about = [*orders] if suspicion.order_id is None else [suspicion.order_id]
    if verdict == "deny" and judges.overruled(about, by):
        raise appealing.SameJudge()
    if suspicion.order_id is not None:
        return settle([suspicion.order_id], by, at, reason)
    if verdict == "pay":
        return settle(denied_by([suspicion.id]), by, at, reason)
    _must_be_its_own(suspicion, orders)
    chosen: dict[int, int | None] = dict.fromkeys(orders, suspicion.id)
    done = changing.take_back(chosen, "denied", by, at, reason=reason)
    if not done.meals and not denied_by([suspicion.id]):
        raise NothingDenied(field="orders")
    return done


def take_in_hand(suspicion_ids: Collection[int], orders: Collection[int] = ()) -> None:
    """Hold what deciding these findings touches, all of it first and always in one order: months,
    statements, findings. `orders`: the meals picked for a finding about no single one; those it
    denied before are held as well."""
    about = db.session.execute(
        sa.select(Suspicion.period, Suspicion.canteen_id, Suspicion.order_id).where(
            Suspicion.id.in_(suspicion_ids)
        )
    ).all()
    meals = {row.order_id for row in about if row.order_id is not None}
    meals.update(denied_by(suspicion_ids))
    changing.hold_statements(((row.period, row.canteen_id) for row in about), meals.union(orders))
    db.session.execute(
        sa.select(Suspicion.id).where(Suspicion.id.in_(suspicion_ids))
        .order_by(Suspicion.id).with_for_update()
    ).all()  # fmt: skip


def settle(order_ids: Iterable[int], by: Actor, at: datetime, reason: str = "") -> Changed:
    """Bring the money of these meals in line with what was decided about their findings.

    Denied by any finding: taken back. Undecided by any that holds: left as it is. Else a held meal
    is paid, and a denied one if what denied it was decided otherwise. Doing it twice changes
    nothing.
    """
    wanted = sorted(set(order_ids))
    denied, waiting = _verdicts(wanted)
    take: dict[int, int | None] = {}
    release: dict[int, int | None] = {}
    for row in changing.last_rows(wanted):
        order, stands = row["order_id"], row["sign"] > 0
        if order in denied:
            if stands or row["cause"] == "held":
                take[order] = denied[order]
        elif order in waiting or stands:
            continue
        elif row["cause"] == "held" or (
            row["cause"] == "denied" and _denies_no_more(row["cause_id"])
        ):
            release[order] = row["cause_id"]
    return together((
        changing.take_back(take, "denied", by, at, reason=reason),
        changing.give_again(release, "released", by, at, reason=reason),
    ))  # fmt: skip


def together(parts: Collection[Changed]) -> Changed:
    """Several changes as one."""
    periods: Counter[str] = Counter()
    for part in parts:
        periods.update(part.periods)
    return Changed(
        sum(part.meals for part in parts), sum(part.fen for part in parts),
        tuple(sorted({each for part in parts for each in part.statements})), periods,
    )  # fmt: skip


def settle_cleared(at: datetime, *, by: Actor = SETTLER) -> Changed:
    """Pay the meals that are held and that no finding holds any more; run after the checks."""
    c = GRANTS.c
    still = sa.exists().where(
        Suspicion.order_id == c.order_id, Suspicion.mode == "hold",
        Suspicion.state.in_(UNDECIDED),
    )
    free = (c.cause == "held", ~still, is_last(c))
    orders = sa.select(c.order_id).where(*free)
    rows = db.session.execute(orders.add_columns(c.period, c.canteen_id)).all()
    changing.hold_statements({(row.period, row.canteen_id) for row in rows}, orders)
    # Read again: whoever held the statements before may have decided something.
    still_free = set(db.session.scalars(orders))
    return settle(still_free.intersection(row.order_id for row in rows), by, at)


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


def denied_by(suspicion_ids: Collection[int]) -> list[int]:
    """The meals whose subsidy is denied now, and by one of these findings."""
    once = sa.exists().where(
        SuspicionStep.suspicion_id == Suspicion.id, SuspicionStep.verdict == "deny"
    )
    query = (
        sa.select(Grant.order_id).join(Suspicion, sa.and_(*denials()))
        .where(Suspicion.id.in_(suspicion_ids), once, is_last(Grant))
    )  # fmt: skip
    return list(db.session.scalars(query))


def _denies_no_more(suspicion_id: int | None) -> bool:
    """Whether the finding that denied a meal was taken up again and came out otherwise."""
    suspicion = db.session.get(Suspicion, suspicion_id) if suspicion_id else None
    return suspicion is not None and suspicion.state in ("paid", "cleared")


def _must_be_its_own(suspicion: Suspicion, orders: Collection[int]) -> None:
    own = db.session.scalar(
        sa.select(sa.func.count(GRANTS.c.order_id.distinct())).where(
            GRANTS.c.order_id.in_(orders), GRANTS.c.canteen_id == suspicion.canteen_id,
            GRANTS.c.sign == 1, GRANTS.c.period == suspicion.period,
        )
    )
    if own != len(set(orders)):
        raise ForeignMeals(field="orders")
