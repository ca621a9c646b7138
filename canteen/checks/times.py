"""Checks of where and when: two places at once, hours and days, cards read in a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen, Closure, MealPeriod
from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Scope, found, key, share_bp
from canteen.checks.people import meal
from canteen.words import Text

m = MEALS.c
COUNTER = sa.and_(m.channel == "till", m.service != "delivery")


def _impossible_way(scope: Scope) -> sa.Select[Any]:
    one, other = aliased(Canteen), aliased(Canteen)
    before = aliased(MEALS)
    b = before.c
    far = spelling.metres(one.latitude, one.longitude, other.latitude, other.longitude)
    seconds = m.at - b.at
    return (
        meal(
            other_order_id=b.order_id, other_canteen_id=b.canteen_id, metres=far,
            minutes=seconds // 60,
        )
        .join(before, sa.and_(b.elder_id == m.elder_id, b.day == m.day))
        .join(one, one.id == m.canteen_id)
        .join(other, other.id == b.canteen_id)
        .where(
            b.canteen_id != m.canteen_id, b.service != "delivery", m.service != "delivery",
            sa.or_(b.at < m.at, sa.and_(b.at == m.at, b.order_id < m.order_id)),
            far * 3600 > seconds * scope["metres_an_hour"], far > scope["metres"],
        )
    )


def _many_canteens(scope: Scope) -> sa.Select[Any]:
    week = spelling.week_of(m.day)
    canteens = sa.func.count(m.canteen_id.distinct())
    return (
        found(
            canteen=sa.func.min(m.canteen_id), elder=m.elder_id,
            key=key("elder", m.elder_id, "week", week, scope.period),
            amount=sa.func.sum(m.stake_fen),
            canteens=canteens, meals=sa.func.count(), from_on=sa.func.min(m.on),
            order_ids=sa.func.aggregate_strings(spelling.text(m.order_id), ","),
        )
        .group_by(m.elder_id, week)
        .having(canteens >= scope["canteens"])
    )  # fmt: skip


def _hours(slack: int) -> tuple[Any, Any]:
    """Whether the sale fell into the hours of its own meal, and into those of another."""
    own, other = aliased(MealPeriod), aliased(MealPeriod)
    inside = m.minute.between(
        spelling.minutes(own.opens) - slack, spelling.minutes(own.closes) + slack
    )
    in_own = sa.exists().where(own.canteen_id == m.canteen_id, own.meal == m.meal, inside)
    in_other = sa.exists().where(
        other.canteen_id == m.canteen_id, other.meal != m.meal,
        m.minute.between(spelling.minutes(other.opens), spelling.minutes(other.closes)),
    )
    return in_own, in_other


def _out_of_hours(scope: Scope) -> sa.Select[Any]:
    in_own, in_other = _hours(scope["minutes"])
    return meal(meal=m.meal, sold_at=m.at).where(COUNTER, _served_here(), ~in_own, ~in_other)


def _other_meals_hours(scope: Scope) -> sa.Select[Any]:
    in_own, in_other = _hours(scope["minutes"])
    return meal(meal=m.meal, sold_at=m.at).where(COUNTER, _served_here(), ~in_own, in_other)


def _served_here() -> Any:
    return sa.exists().where(MealPeriod.canteen_id == m.canteen_id, MealPeriod.meal == m.meal)


def _meal_not_served(scope: Scope) -> sa.Select[Any]:
    any_hours = sa.exists().where(MealPeriod.canteen_id == m.canteen_id)
    return meal(meal=m.meal).where(any_hours, ~_served_here())


def _closed_day(scope: Scope) -> sa.Select[Any]:
    closed = sa.and_(Closure.canteen_id == m.canteen_id, Closure.on == m.on)
    return meal(closed_for=Closure.reason).join(Closure, closed)


def _closed_weekday(scope: Scope) -> sa.Select[Any]:
    weekday = spelling.text(spelling.weekday(m.day))
    return (
        meal(weekday=spelling.weekday(m.day))
        .join(Canteen, Canteen.id == m.canteen_id)
        .where(~Canteen.open_weekdays.contains(weekday))
    )


def _other_day(scope: Scope) -> sa.Select[Any]:
    apart = spelling.day_of(m.served) - m.day
    return meal(sold_at=m.served, days=apart).where(
        m.served.is_not(None), sa.func.abs(apart) > scope["days"]
    )


def in_a_row(scope: Scope, who: Any, moment: Any, *conditions: Any) -> sa.Subquery:
    """Meals of one till or hand that follow each other without a pause of more than `gap_s`:
    who, day, canteen_id, meals, from_at, to_at, stake_fen, elders, order_ids of each long run."""
    apart = moment - sa.func.lag(moment).over(
        partition_by=(who, m.day), order_by=(moment, m.order_id)
    )
    begins = sa.case((apart <= scope["gap_s"], 0), else_=1)
    first = (
        sa.select(
            who.label("who"), m.day, m.canteen_id, m.order_id, m.stake_fen, m.elder_id,
            moment.label("moment"), begins.label("begins"),
        ).where(*conditions).subquery()
    )  # fmt: skip
    runs = sa.select(
        first,
        sa.func.sum(first.c.begins).over(
            partition_by=(first.c.who, first.c.day), order_by=(first.c.moment, first.c.order_id)
        ).label("run"),
    ).subquery()  # fmt: skip
    r = runs.c
    return (
        sa.select(
            r.who, r.day, sa.func.min(r.canteen_id).label("canteen_id"),
            sa.func.count().label("meals"), sa.func.min(r.moment).label("from_at"),
            sa.func.max(r.moment).label("to_at"), sa.func.sum(r.stake_fen).label("stake_fen"),
            sa.func.count(r.elder_id.distinct()).label("elders"),
            sa.func.aggregate_strings(spelling.text(r.order_id), ",").label("order_ids"),
        )
        .group_by(r.who, r.day, r.run)
        .having(sa.func.count() >= scope["meals"])
        .subquery()
    )  # fmt: skip


def _burst(scope: Scope) -> sa.Select[Any]:
    who = sa.func.coalesce(
        key("till", m.till_id), sa.literal("canteen:") + spelling.text(m.canteen_id)
    )
    r = in_a_row(scope, who, m.at, COUNTER).c
    seconds = r.to_at - r.from_at
    return found(
        canteen=r.canteen_id, key=key(r.who, r.from_at), amount=r.stake_fen,
        meals=r.meals, elders=r.elders, seconds=seconds, from_at=r.from_at, order_ids=r.order_ids,
    )  # fmt: skip


def _before_closing(scope: Scope) -> sa.Select[Any]:
    closes = spelling.minutes(MealPeriod.closes)
    late = sa.func.sum(sa.case((m.minute.between(closes - scope["minutes"], closes), 1), else_=0))
    bp = share_bp(late, sa.func.count())
    return (
        found(
            canteen=m.canteen_id, key=key("canteen", m.canteen_id, scope.period),
            amount=sa.func.sum(m.stake_fen), meals=sa.func.count(), late=late, share_bp=bp,
        )
        .join(MealPeriod, sa.and_(
            MealPeriod.canteen_id == m.canteen_id, MealPeriod.meal == m.meal
        ))
        .where(COUNTER).group_by(m.canteen_id)
        .having(sa.func.count() >= scope["meals"], bp >= scope["share_bp"])
    )  # fmt: skip


def _round_times(scope: Scope) -> sa.Select[Any]:
    exact = sa.func.sum(sa.case((m.at % 300 == 0, 1), else_=0))
    bp = share_bp(exact, sa.func.count())
    return (
        found(
            canteen=m.canteen_id, key=key("canteen", m.canteen_id, scope.period),
            amount=sa.func.sum(m.stake_fen), meals=sa.func.count(), exact=exact, share_bp=bp,
        )
        .where(COUNTER).group_by(m.canteen_id)
        .having(sa.func.count() >= scope["meals"], bp >= scope["share_bp"])
    )  # fmt: skip


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "times", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "impossible_way", Text("短时间内在两家食堂用餐", "At two canteens in too short a time"),
        Text("两家食堂相距{metres}米，两次用餐只隔{minutes}分钟（另一份为订单{other_order_id}）",
             "Two canteens {metres} m apart, only {minutes} minutes between the meals"
             " (the other is order {other_order_id})"),
        Text("按两家食堂的坐标和常人脚程估算", "By the canteens' distance and an elder's pace"),
        "hold", _impossible_way, metres_an_hour=20_000, metres=500,
    ),
    _check(
        "many_canteens", Text("一周辗转多家食堂", "Many canteens in a week"),
        Text("从{from_on}起的一周内在{canteens}家食堂用了{meals}份补贴餐",
             "{meals} subsidised meals at {canteens} canteens in the week from {from_on}"),
        Text("老人多在家门口用餐，卡可能被他人使用", "Elders eat near home; the card may be lent"),
        "warn", _many_canteens, canteens=4, about="orders",
    ),
    _check(
        "out_of_hours", Text("非供餐时间售卖", "Sold outside serving hours"),
        Text("{sold_at}售出{meal}，不在供餐时间内",
             "{meal} sold at {sold_at}, outside the serving hours"),
        Text("厨房不供餐时刷卡，多为补刷", "Cards read while nothing is served"),
        "warn", _out_of_hours, minutes=30,
    ),
    _check(
        "other_meals_hours", Text("在别的餐次时间售卖", "Sold in another meal's hours"),
        Text("{sold_at}售出{meal}，当时是另一餐的时间",
             "{meal} sold at {sold_at}, in the hours of another meal"),
        Text("用别的餐次绕开一餐一份的限制", "Another meal's name escapes one subsidy a meal"),
        "warn", _other_meals_hours, minutes=30,
    ),
    _check(
        "meal_not_served", Text("食堂不供应这一餐", "A meal the canteen does not serve"),
        Text("{meal_on}售出{meal}，但食堂没有这一餐的供餐时间",
             "{meal} sold on {meal_on}; the canteen has no hours for it"),
        Text("食堂登记的餐次之外不应有售卖", "Nothing is sold at meals that are not offered"),
        "hold", _meal_not_served,
    ),
    _check(
        "closed_day", Text("歇业日售卖", "Sold on a day announced closed"),
        Text("食堂公告{meal_on}歇业（{closed_for}），当天仍有补贴餐",
             "The canteen announced it was closed on {meal_on} ({closed_for})"),
        Text("歇业公告与售卖相矛盾", "Announcement and sale contradict each other"),
        "hold", _closed_day,
    ),
    _check(
        "closed_weekday", Text("休息日售卖", "Sold on a weekday of rest"),
        Text("{meal_on}不在食堂登记的营业日内",
             "{meal_on} is not among the canteen's opening days"),
        Text("登记的营业日之外不应有售卖", "Nothing is sold outside the opening days"),
        "warn", _closed_weekday,
    ),
    _check(
        "other_day", Text("取餐日与用餐日不符", "Handed over on another day"),
        Text("{meal_on}的餐在{sold_at}才取，相差{days}天",
             "A meal of {meal_on} was handed over at {sold_at}, {days} days apart"),
        Text("补记的餐不是当天吃的", "A meal written down later was not eaten that day"),
        "warn", _other_day, days=0,
    ),
    _check(
        "burst", Text("连续快速刷卡", "Cards read in quick succession"),
        Text("从{from_at}起{seconds}秒内连续售出{meals}份补贴餐（{elders}人）",
             "{meals} subsidised meals of {elders} elders within {seconds} seconds"
             " from {from_at}"),
        Text("一叠卡由一人代刷，人未到场", "One hand reads a stack of cards, nobody is there"),
        "warn", _burst, meals=10, gap_s=8, about="orders",
    ),
    _check(
        "before_closing", Text("集中在收餐前售卖", "Sold just before closing"),
        Text("本月{meals}份补贴餐中有{late}份（{share_bp}）集中在收餐前几分钟",
             "{late} of {meals} meals ({share_bp}) were sold in the minutes before closing"),
        Text("收餐时补刷当天没来的人的卡", "Cards of who did not come are read at the end"),
        "warn", _before_closing, minutes=10, meals=30, share_bp=5_000, about="canteen",
    ),
    _check(
        "round_times", Text("售卖时间过于整齐", "Times too round"),
        Text("本月{meals}份补贴餐中有{exact}份（{share_bp}）正好落在整五分",
             "{exact} of {meals} meals ({share_bp}) fall exactly on a fifth minute"),
        Text("人工补录的时间往往是整数", "Times made up by hand are round"),
        "warn", _round_times, meals=30, share_bp=3_000, about="canteen",
    ),
)  # fmt: skip
