"""Facts recorded after the meals they concern: what was paid is put right, up and down.

A death, move, institution or insurance told late takes back exactly its meals; a status granted
backwards pays the elder what the till did not give; a fact that is corrected undoes what it did.
Months still open are left to the checks, which hold a doubtful meal for a decision: there only
what an elder missed is given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.adjustments.gathering import (
    Meal,
    Used,
    closed_periods,
    meals_of,
    policies_of,
)
from canteen.adjustments.judging import (
    Change,
    cause_of,
    decided_since,
    gets_nothing,
    missed,
    was_late_fact,
)
from canteen.adjustments.models import FactReview
from canteen.adjustments.taking_up import take_up
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record_each
from canteen.db import db, insert
from canteen.elders.histories import histories
from canteen.elders.models import ElderFact
from canteen.orders.models import Order
from canteen.settlements import changing, spans
from canteen.settlements.spans import Back
from canteen.subsidies import granting
from canteen.subsidies.publishing import InForce
from canteen.territory.actors import Actor, job

LOOKER = job("late_facts")
WITHDRAWN_SINCE = timedelta(days=60)  # looked at every night: doing it twice changes nothing
AT_ONCE = 100
REASON = "资格情况补记或更正，按现登记重新核算 / priced again by the register as corrected"


@dataclass(frozen=True)
class Looked:
    """What a look came to: facts looked at, meals taken back, given again and given first.

    `last` is the fact, or the withdrawal, to go on after; None when there are no more.
    """

    facts: int = 0
    taken_back: int = 0
    given_again: int = 0
    given: int = 0
    last: int | None = None


def look(*, at: datetime, by: Actor = LOOKER, after: int = 0, limit: int = AT_ONCE) -> Looked:
    """Put right what the facts not looked at yet change, of at most `limit` facts.

    Every change of a fact is looked at once; one that concerns a meal still held for a decision
    waits for that decision. Doing it twice changes nothing.
    """
    today = clock.business_date(at)
    back = spans.back_from(today)
    changes = _unlooked(back, at - (today - back.earliest), after, limit)
    looked = _put_right(changes, back, today, by, at)
    _note(changes, looked["waiting"], looked["by_fact"], at)
    _record(by, looked["by_elder"])
    last = changes[-1].fact_id if len(changes) == limit else None
    return Looked(len(changes), looked["taken"], looked["again"], looked["given"], last)


def look_at_withdrawn(
    *, at: datetime, by: Actor = LOOKER, after: int = 0, limit: int = AT_ONCE
) -> Looked:
    """Put right what facts did, or justified, that were withdrawn as never true, of at most
    `limit` of them: a file may withdraw thousands."""
    changes, last = _withdrawn(at - WITHDRAWN_SINCE, after, limit)
    today = clock.business_date(at)
    looked = _put_right(changes, spans.back_from(today), today, by, at)
    _record(by, looked["by_elder"])
    return Looked(len(changes), looked["taken"], looked["again"], looked["given"], last)


def content_of(fact: Any) -> Any:
    """What a fact says, as text put together by the database: the mark of its review."""
    fact_to = sa.func.coalesce(sa.cast(fact.valid_to, sa.String(10)), "")
    return (
        fact.value + sa.literal("|") + sa.cast(fact.valid_from, sa.String(10))
        + sa.literal("|") + fact_to
    )  # fmt: skip


def _unlooked(back: Back, recorded: datetime, after: int, limit: int) -> list[Change]:
    """Facts that came, or ended, after meals they concern and were not looked at as they stand."""
    f, o, g = ElderFact, Order, granting.GRANTS.c
    eaten = sa.and_(
        o.elder_id == f.elder_id, o.on >= back.earliest, o.on >= f.valid_from,
        o.paid_at.is_not(None), back.covers(o.canteen_id, o.on),
    )  # fmt: skip
    late = (f.recorded_at >= recorded) & sa.exists().where(eaten, o.placed_at < f.recorded_at)
    ended = f.valid_to.is_not(None) & sa.exists().where(eaten, o.on > f.valid_to)
    claimed = sa.exists().where(
        g.elder_id == f.elder_id, g.on >= f.valid_from, g.cause == "claim",
        g.made_at < f.recorded_at, back.covers(g.canteen_id, g.on),
    )  # fmt: skip
    seen = sa.exists().where(FactReview.fact_id == f.id, FactReview.digest == content_of(f))
    altered = sa.exists().where(FactReview.fact_id == f.id)
    rows = db.session.execute(
        sa.select(f.id, f.elder_id, f.kind, f.value, f.valid_from, f.valid_to, f.recorded_at)
        .where(f.id > after, ~seen, late | ended | claimed | altered)
        .order_by(f.id).limit(limit)
    )  # fmt: skip
    return [Change(*row) for row in rows]


def _withdrawn(since: datetime, after: int, limit: int) -> tuple[list[Change], int | None]:
    """Facts taken back as never true, as the trail tells of them, and the record to go on after."""
    a = AuditRecord
    rows = db.session.execute(
        sa.select(a.id, a.subject_id, a.detail, a.at)
        .where(a.id > after, a.act == "withdraw_fact", a.at >= since)
        .order_by(a.id).limit(limit)
    ).all()  # fmt: skip
    changes = [
        Change(
            int(said["fact"]), int(elder), said["kind"], said["value"],
            date.fromisoformat(said["from"]),
            date.fromisoformat(said["to"]) if said["to"] else None, at, gone=True,
        )
        for _, elder, said, at in rows
    ]  # fmt: skip
    return changes, rows[-1].id if len(rows) == limit else None


def _put_right(
    changes: Sequence[Change], back: Back, today: date, by: Actor, at: datetime
) -> dict[str, Any]:
    """Price the meals these changes concern again, and write what differs."""
    outcome: dict[str, Any] = {
        "taken": 0, "again": 0, "given": 0, "by_fact": {}, "by_elder": {}, "waiting": set(),
    }
    if not changes:
        return outcome
    of_elder: dict[int, list[Change]] = {}
    for change in changes:
        of_elder.setdefault(change.elder_id, []).append(change)
    since = max(min(change.valid_from for change in changes), back.earliest)
    meals = meals_of(list(of_elder), back, since, today)
    people, policies, closed = histories(of_elder), policies_of(meals), closed_periods()
    take: dict[int, int | None] = {}
    again: dict[int, int | None] = {}
    candidates: list[tuple[Meal, Change]] = []
    denied: list[tuple[Meal, list[Change]]] = []
    for meal in meals:
        mine = of_elder[meal.elder_id]
        if meal.elder_id not in people or not any(one.concerns(meal.on) for one in mine):
            continue
        last = meal.last
        if last is not None and last["cause"] == "held":
            outcome["waiting"] |= {one.fact_id for one in mine if one.concerns(meal.on)}
            continue
        policy, standing = policies[meal.policy_id].policy, people[meal.elder_id].on(meal.on)
        if last is None:
            cause = cause_of(mine, meal.on, taking=False)
            if cause is not None:
                candidates.append((meal, cause))
        elif last["sign"] > 0:
            settled = clock.period_of(meal.on) in closed
            if not settled or decided_since(last, mine, meal.on):
                continue
            cause = cause_of(mine, meal.on, taking=True)
            if cause is not None and gets_nothing(policy, meal, standing):
                take[meal.order_id] = cause.fact_id
        elif was_late_fact(meal) and not gets_nothing(policy, meal, standing):
            cause = cause_of(mine, meal.on, taking=False)
            again[meal.order_id] = cause.fact_id if cause else None
        elif last["cause"] == "denied" and not gets_nothing(policy, meal, standing):
            denied.append((meal, mine))
    outcome["taken"] = changing.take_back(take, "late_fact", by, at, reason=REASON).meals
    outcome["again"] = changing.give_again(again, "late_fact", by, at, reason=REASON).meals
    given = _give(candidates, people, policies, since, at)
    outcome["given"] = len(given)
    taken_up = take_up(denied, by, at)
    elders = {meal.order_id: meal.elder_id for meal in meals}
    for name, orders in (("taken_back", take), ("given_again", again), ("given", given)):
        for order_id, fact_id in orders.items():
            elder = outcome["by_elder"].setdefault(elders[order_id], {})
            elder.setdefault(name, {})[str(order_id)] = fact_id
            counts = outcome["by_fact"].setdefault(fact_id, [0, 0])
            counts[0 if name == "taken_back" else 1] += 1
    for order_id, fact_id in taken_up.items():
        elder = outcome["by_elder"].setdefault(elders[order_id], {})
        elder.setdefault("taken_up", {})[str(order_id)] = fact_id
    return outcome


def _give(
    candidates: Sequence[tuple[Meal, Change]], people: Mapping[int, Any],
    policies: Mapping[int, InForce], since: date, at: datetime,
) -> dict[int, int]:  # fmt: skip
    """Pay to the elders' accounts what they missed, within the caps; {order: fact}."""
    if not candidates:
        return {}
    given = {}
    used = Used({meal.elder_id for meal, _ in candidates}, since)
    for meal, cause in candidates:
        in_force = policies[meal.policy_id]
        policy = in_force.policy
        standing = people[meal.elder_id].on(meal.on)
        quote = missed(policy, meal, standing, used.of(policy, meal))
        if quote is None:
            continue
        if quote.uses_quota:
            if not granting.take_quota(policy, meal.elder_id, meal.on, meal.meal):
                continue
            used.add(policy, meal)
        granting.grant(
            granting.Meal(meal.order_id, meal.elder_id, meal.canteen_id, meal.on, meal.meal),
            in_force, quote, at, cause="late_fact", cause_id=cause.fact_id,
        )
        given[meal.order_id] = cause.fact_id
    return given


def _note(
    changes: Sequence[Change], waiting: Collection[int], by_fact: Mapping[int, list[int]],
    at: datetime,
) -> None:  # fmt: skip
    """Write down that these facts were looked at, as they stand; what waits, as not done yet.

    No mark is kept of what a fact said before, or nobody would look should it say that again.
    """
    if not changes:
        return
    db.session.execute(
        sa.delete(FactReview).where(FactReview.fact_id.in_([each.fact_id for each in changes]))
    )
    rows = []
    for change in changes:
        taken, given = by_fact.get(change.fact_id, (0, 0))
        until = change.valid_to.isoformat() if change.valid_to else ""
        digest = f"{change.value}|{change.valid_from.isoformat()}|{until}"
        rows.append({
            "fact_id": change.fact_id, "digest": "" if change.fact_id in waiting else digest,
            "taken_back": taken, "given": given, "looked_at": at,
        })  # fmt: skip
    db.session.execute(insert(FactReview.__table__).on_conflict_do_nothing(), rows)


def _record(by: Actor, by_elder: Mapping[int, dict[str, Any]]) -> None:
    record_each(by.label, "late_fact", "elder", {each: by_elder[each] for each in
                                                  sorted(by_elder)})  # fmt: skip
