"""Looking at the drawn meals of a statement: right or wrong, and what a wrong one does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record, record_each
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Conflict, NotFound, Refused
from canteen.orders.models import Order
from canteen.reasons import reason_of
from canteen.settlements import appealing, changing, extrapolating, judges
from canteen.settlements.extrapolating import overturned, subsidised
from canteen.settlements.models import Statement
from canteen.settlements.review_models import SampledMeal
from canteen.settlements.standing import standing
from canteen.subsidies.models import Grant, is_last
from canteen.territory.actors import DECIDERS, Actor
from canteen.words import Text

VERDICTS = {"right": Text("无误", "Right"), "wrong": Text("有误", "Wrong")}
WHY_WRONG = Text(
    "第 {n} 号餐：有误的请写明原因（2至400字）",
    "Meal {n}: if it is wrong, say why (2 to 400 characters)",
)


class BadVerdict(Refused):
    """A drawn meal is right or wrong."""

    code = "bad_verdict"
    text = Text("请为每一餐选择“无误”或“有误”", "Choose right or wrong for each meal")


class NotDrawn(NotFound):
    """The meal is not in this statement's sample."""

    code = "not_drawn"
    text = Text("这一餐不在抽查之列", "This meal is not in the sample")


class NothingToJudge(Conflict):
    """The meal's subsidy was taken back or is held; a finding or a correction decides."""

    code = "nothing_to_judge"
    text = Text(
        "第 {n} 号餐的补贴已收回或暂扣，不用在抽查里看",
        "The subsidy of meal {n} was taken back or is held; no look is needed",
    )


class RestMiscounted(Refused):
    """Whoever finds the rest right at one go says how many that are."""

    code = "rest_miscounted"
    text = Text(
        "其余没有看的是 {n} 餐，填的是 {given} 餐；请看过再填",
        "{n:meal is|meals are} left, {given} were entered; look at them, then enter their number",
    )


@dataclass(frozen=True)
class Drawn:
    """A drawn meal with what is to be compared: the order, the elder, the subsidy as it was given
    first, whether it still stands, and whether an appeal found it right after all."""

    sampled: SampledMeal
    order: Order
    grant: Grant
    elder_name: str
    elder_last4: str
    stands: bool
    overturned: bool

    @property
    def fen(self) -> int:
        """What the meal's subsidies came to at the canteen."""
        return self.grant.canteen_fen


@dataclass(frozen=True)
class Flagged:
    """A finding about this canteen and month; without a meal it is about a pattern."""

    suspicion: Suspicion
    order: Order | None


def sample_of(statement: Statement) -> list[Drawn]:
    """The drawn meals of a statement, the earliest first."""
    first, last = sa.orm.aliased(Grant), sa.orm.aliased(Grant)
    rows = db.session.execute(
        sa.select(SampledMeal, Order, first, Elder.name, Elder.ric_last4, last.sign,
                  overturned())
        .join(Order, Order.id == SampledMeal.order_id)
        .join(first, sa.and_(first.order_id == Order.id, first.number == 1))
        .join(last, last.order_id == Order.id)
        .join(Elder, Elder.id == first.elder_id)
        .where(SampledMeal.statement_id == statement.id, is_last(last))
        .order_by(first.on, Order.id)
        .execution_options(populate_existing=True)
    )
    return [Drawn(*row[:5], row[5] > 0, bool(row[6])) for row in rows]


def flagged_of(statement: Statement, limit: int = 200) -> list[Flagged]:
    """What the checks found at this canteen in this month: what holds first, then the dearest."""
    if statement.canteen_id is None:
        return []
    rows = db.session.execute(
        sa.select(Suspicion, Order)
        .outerjoin(Order, Order.id == Suspicion.order_id)
        .where(
            Suspicion.period == statement.period, Suspicion.canteen_id == statement.canteen_id,
            Suspicion.state != "cleared",
        )
        .order_by(
            sa.case((Suspicion.state.in_(UNDECIDED), 0), else_=1),
            sa.case((Suspicion.mode == "hold", 0), else_=1), Suspicion.amount_fen.desc(),
            Suspicion.id,
        )
        .limit(limit)
    )
    return [Flagged(*row) for row in rows]


def look(
    statement_id: int, verdicts: Mapping[int, tuple[str, str]], by: Actor, at: datetime
) -> int:
    """Say of drawn meals whether they are right or wrong, {order: ("wrong", why)}; gives how many
    verdicts changed.

    For the district, or the city when the statement is there. A wrong meal's subsidy is denied at
    once and the statement amended; a wrong one found right after all gets it back; an extrapolated
    deduction follows. Refuses with NotDrawn, BadVerdict, ReasonMissing, NothingToJudge (nobody
    could object to it either), SameJudge and what `standing` does.
    """
    by.must_be(*DECIDERS)
    _, (row,) = standing([statement_id], by)
    drawn = {
        each.order_id: each
        for each in db.session.scalars(
            sa.select(SampledMeal).where(
                SampledMeal.statement_id == statement_id, SampledMeal.order_id.in_(list(verdicts))
            ).execution_options(populate_existing=True)
        )
    }  # fmt: skip
    if set(verdicts) - set(drawn):
        raise NotDrawn()
    right_after_all = set(
        db.session.scalars(
            sa.select(SampledMeal.order_id).where(
                SampledMeal.statement_id == statement_id, overturned()
            )
        )
    )
    denied: dict[str, list[int]] = {}
    cleared: list[int] = []
    noted: list[tuple[SampledMeal, str, str]] = []
    for order_id, (verdict, given) in sorted(verdicts.items()):
        if verdict not in VERDICTS:
            raise BadVerdict(field=f"meal-{order_id}")
        why = reason_of(given, needed=verdict == "wrong", field=f"reason-{order_id}",
                        text=WHY_WRONG.format(n=order_id))  # fmt: skip
        meal = drawn[order_id]
        if (meal.verdict, meal.reason) == (verdict, why):
            continue
        if verdict == "wrong" and (meal.verdict != "wrong" or order_id in right_after_all):
            denied.setdefault(why, []).append(order_id)
        elif verdict == "right" and meal.verdict == "wrong":
            cleared.append(order_id)
        noted.append((meal, verdict, why))
    newly_wrong = {order for orders in denied.values() for order in orders}
    unjudged = {order for order, meal in drawn.items() if meal.verdict is None}
    for gone in changing.last_rows(newly_wrong | unjudged):
        if gone["sign"] < 0:
            raise NothingToJudge(n=gone["order_id"], field=f"meal-{gone['order_id']}")
    # Asked before anything is noted: whoever looks now is no judge of an earlier denial.
    if judges.overruled(newly_wrong, by):
        raise appealing.SameJudge()
    for meal, verdict, why in noted:
        meal.verdict, meal.reason, meal.looked_by, meal.looked_at = verdict, why, by.label, at
    db.session.flush()
    for why, orders in denied.items():
        changing.take_back(dict.fromkeys(orders), "denied", by, at, reason=why)
    changing.give_again(_by_a_look(cleared), "released", by, at, reason="")
    extrapolating.follow(row.id, by, at)
    if noted:
        said = {str(meal.order_id): verdict for meal, verdict, _ in noted}
        record(by.label, "judge_sample", "statement", statement_id, {"meals": said})
    return len(noted)


def look_rest(
    statement_ids: Iterable[int], by: Actor, at: datetime, *, given: int | None = None
) -> int:
    """Find every drawn meal right that is subsidised and nobody has judged; gives how many.

    `given` is the number a person entered. Refuses with RestMiscounted and as `standing` does.
    """
    ids = list(statement_ids)
    by.must_be(*DECIDERS)
    standing(ids, by)
    open_ = (SampledMeal.statement_id.in_(ids), SampledMeal.verdict.is_(None), subsidised())
    counts = db.session.execute(
        sa.select(SampledMeal.statement_id, sa.func.count()).where(*open_)
        .group_by(SampledMeal.statement_id).order_by(SampledMeal.statement_id)
    ).all()  # fmt: skip
    count = sum(row[1] for row in counts)
    if given not in (None, count):
        raise RestMiscounted(n=count, given=given, field="rest_count")
    db.session.execute(
        sa.update(SampledMeal).where(*open_)
        .values(verdict="right", looked_by=by.label, looked_at=at)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    for statement_id in extrapolating.docked(row[0] for row in counts):
        extrapolating.follow(statement_id, by, at)
    told = {id_: {"right": number} for id_, number in counts}
    record_each(by.label, "judge_sample", "statement", told)
    return count


def _by_a_look(order_ids: list[int]) -> dict[int, Any]:
    """Those of these meals that a look denied, not a finding."""
    return {
        row["order_id"]: None
        for row in changing.last_rows(order_ids)
        if row["cause"] == "denied" and row["cause_id"] is None
    }
