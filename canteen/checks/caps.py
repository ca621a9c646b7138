"""Checks of the caps: every elder's meals counted anew from the grants, beside the counters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.granted import standing
from canteen.checks.parts import Check, Look, Scope, among
from canteen.checks.policies import any_of, at_most, bodies, cap
from canteen.checks.rows import each_meal, meal
from canteen.checks.summing import DINERS, WEEKS
from canteen.db import db
from canteen.orders.models import Order
from canteen.subsidies.models import Grant
from canteen.tills.ruling import beyond_caps
from canteen.words import Text

m, p = MEALS.c, DINERS.c
WEEK = timedelta(days=7)
earned_fen = m.stake_fen - m.subsidy_fen  # what is paid for the meal beside the elder's subsidy


def _beyond(kind: str, begins: Any, may_be: Callable[[Any], Any]) -> Look:
    """The meals granted after as many others of the elder as the cap allows.

    `begins(day)` tells the days of one day, week or month; `may_be(least cap)` the elders who may
    have had too many. Counted are all grants in force, of any period; what the programme bears
    beyond the caps by the district's rule is left out.
    """

    def elders(scope: Scope) -> Any:
        caps = [(body.get("caps") or {}).get(kind) for body in bodies(scope).values()]
        least = min((most for most in caps if most is not None), default=None)
        # What arrived late of other months is beside meals that are not laid out.
        late = (p.first_on < scope.first) | (p.last_on > scope.last)
        return sa.false() if least is None else late | may_be(least)

    @among("elder", elders)
    def find(scope: Scope) -> sa.Select[Any]:
        most = cap(scope, kind)
        lowest, highest = db.session.execute(
            sa.select(sa.func.min(p.first_on), sa.func.max(p.last_on))
        ).one()
        if most is None or lowest is None:
            return meal(before=sa.literal(0), most=sa.literal(0)).where(sa.false())
        borne = sa.exists().where(Order.id == Grant.order_id, beyond_caps())
        order = sa.func.row_number().over(
            partition_by=(Grant.elder_id, begins(Grant.on)), order_by=Grant.id
        )
        counted = (
            sa.select(Grant.order_id, order.label("place"))
            .where(
                *standing(), (Grant.enterprise_fen != 0) | ~borne,
                Grant.on.between(lowest.replace(day=1) - WEEK, highest + WEEK),
            )
        )  # fmt: skip
        if scope.among is not None:
            counted = counted.where(Grant.elder_id.in_(scope.among))
        pool = counted.subquery()
        return (
            meal(before=pool.c.place - 1, most=most)
            .join(pool, pool.c.order_id == m.order_id)
            .where(pool.c.place > most)
        )

    return find


def _twice_a_day() -> Any:
    """Elders who may have had two meals on one day."""
    return (p.days < p.meals) | (p.canteens > 1)


def _in_a_week(least: int) -> Any:
    """Elders who may have had more than so many meals in a natural week."""
    return sa.or_(*(p[week] > least for week in WEEKS))


def _day(day: Any) -> Any:
    return day


def _week(day: Any) -> Any:
    return spelling.week_of(spelling.day_number(day))


def _month(day: Any) -> Any:
    return sa.extract("year", day) * 12 + sa.extract("month", day)


@among("elder", lambda scope: _twice_a_day())
def _same_meal(scope: Scope) -> sa.Select[Any]:
    other = aliased(MEALS)
    before = sa.and_(
        other.c.elder_id == m.elder_id, other.c.day == m.day, other.c.meal == m.meal,
        other.c.order_id < m.order_id,
    )
    first = (
        sa.select(sa.func.min(other.c.order_id)).where(before).correlate(MEALS).scalar_subquery()
    )
    return meal(meal=m.meal, other_order_id=first).where(sa.exists().where(before))


def _not_covered(scope: Scope) -> Any:
    wrong = []
    for policy, body in bodies(scope).items():
        wrong.append(sa.and_(m.policy_id == policy, m.meal.not_in(body["meals"])))
        if body.get("days") == "weekdays":
            wrong.append(sa.and_(m.policy_id == policy, spelling.weekday(m.day) > 5))
    return any_of(wrong)


def _elder_most(scope: Scope) -> Any:
    return at_most(scope, "layers")


def _earned_most(scope: Scope) -> Any:
    """The enterprise's part, and for a meal that was brought what bringing it earns."""
    alone = at_most(scope, "enterprise")
    if not any(body.get("delivery") for body in bodies(scope).values()):
        return alone
    both = at_most(scope, "enterprise", "delivery")
    return sa.case((m.service == "delivery", both), else_=alone)


def _over_elder(scope: Scope) -> Any:
    return sa.func.coalesce(m.subsidy_fen > _elder_most(scope), sa.false())


def _of_side(elder: Any, earned: Any) -> Callable[[Scope], Any]:
    """Evidence of the side that got too much, the elder's first. What is given is a column, what
    is due reckoned from the scope."""

    def told(scope: Scope) -> Any:
        sides = [side(scope) if callable(side) else side for side in (elder, earned)]
        return sa.case((_over_elder(scope), sides[0]), else_=sides[1])

    return told


def _check(code: str, title: Text, reason: Text, why: Text, find: Any) -> Check:
    return Check(code, "caps", title, reason, why, "hold", find)


RECOUNT = Text("不看计数器，按补贴记录独立重数", "Counted anew from the grants, not the counters")
CHECKS = (
    _check(
        "second_of_day", Text("超出每日上限", "More than a day allows"),
        Text("{meal_on}之前已有{before}份补贴餐，每日至多{most}份",
             "{before} subsidised before it on {meal_on}; at most {most} a day"),
        RECOUNT, _beyond("per_day", _day, lambda least: _twice_a_day()),
    ),
    _check(
        "sixth_of_week", Text("超出每周上限", "More than a week allows"),
        Text("{meal_on}所在的自然周之前已有{before}份补贴餐，每周至多{most}份",
             "{before} subsidised before it in the week of {meal_on}; at most {most} a week"),
        RECOUNT, _beyond("per_week", _week, _in_a_week),
    ),
    _check(
        "over_month", Text("超出每月上限", "More than a month allows"),
        Text("{meal_on}所在的月份之前已有{before}份补贴餐，每月至多{most}份",
             "{before} subsidised before it in the month of {meal_on}; at most {most} a month"),
        RECOUNT, _beyond("per_month", _month, lambda least: p.meals > least),
    ),
    _check(
        "same_meal_twice", Text("同一餐两份补贴", "The same meal twice"),
        Text("{meal_on}同一餐（{meal}）已有另一份补贴（订单{other_order_id}）",
             "Another {meal} of {meal_on} was subsidised as well (order {other_order_id})"),
        Text("一个人一餐只吃一份", "Nobody eats the same meal twice"), _same_meal,
    ),
    _check(
        "meal_not_covered", Text("这一餐不在补贴范围", "A meal the policy does not cover"),
        Text("{meal_on}的{meal}不在当时政策的补贴范围内",
             "The policy did not cover {meal} on {meal_on}"),
        Text("各版政策补贴的餐次和日子不同", "Each version names its meals and days"),
        each_meal(_not_covered, meal=m.meal),
    ),
    _check(
        "over_amount", Text("补贴金额超标", "More than the policy's amount"),
        Text("{meal_on}给{side}补贴了{given_fen}元，政策每餐至多{due_fen}元",
             "{given_fen} yuan given to the {side} on {meal_on}; the policy gives at most"
             " {due_fen} a meal"),
        Text("老人和企业两侧的金额逐餐复核", "Both sides' amounts, checked meal by meal"),
        each_meal(
            lambda scope: _over_elder(scope) | (earned_fen > _earned_most(scope)),
            side=_of_side("elder", "enterprise"), given_fen=_of_side(m.subsidy_fen, earned_fen),
            due_fen=_of_side(_elder_most, _earned_most),
        ),
    ),
)  # fmt: skip
