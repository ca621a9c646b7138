"""Checks of when: hours and days, cards read in a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen, Closure, MealPeriod
from canteen.checks import spelling
from canteen.checks.following import SALES, followed, in_a_row
from canteen.checks.gathering import COUNTER, MEALS, MINUTE
from canteen.checks.parts import Check, Scope, among, found, key, share_bp
from canteen.checks.rows import each_meal, meal, of_meals
from canteen.checks.summing import PLACES, SOON
from canteen.orders.models import Order
from canteen.tills.models import TillEntry
from canteen.words import Text

m, place = MEALS.c, PLACES.c


def _outside(scope: Scope) -> Any:
    """Sold at the counter outside the hours of its own meal; none, where it is not served."""
    slack = scope["minutes"]
    return sa.and_(COUNTER, ~MINUTE.between(m.opens - slack, m.closes + slack))


def _in_other() -> Any:
    """Whether the sale fell into the hours of another meal."""
    other = aliased(MealPeriod)
    return sa.exists().where(
        other.canteen_id == m.canteen_id, other.meal != m.meal,
        MINUTE.between(spelling.minutes(other.opens), spelling.minutes(other.closes)),
    )


@among("meal", _outside)
def _out_of_hours(scope: Scope) -> sa.Select[Any]:
    return meal(meal=m.meal, sold_at=m.at).where(_outside(scope), ~_in_other())


@among("meal", _outside)
def _other_meals_hours(scope: Scope) -> sa.Select[Any]:
    return meal(meal=m.meal, sold_at=m.at).where(_outside(scope), _in_other())


@among("meal", lambda scope: m.opens.is_(None))
def _meal_not_served(scope: Scope) -> sa.Select[Any]:
    any_hours = sa.exists().where(MealPeriod.canteen_id == m.canteen_id)
    return meal(meal=m.meal).where(m.opens.is_(None), any_hours)


def _closed(scope: Scope) -> Any:
    return sa.exists().where(
        Closure.canteen_id == place.canteen_id, Closure.on.between(place.first_on, place.last_on)
    )


@among("canteen", _closed)
def _closed_day(scope: Scope) -> sa.Select[Any]:
    closed = sa.and_(Closure.canteen_id == m.canteen_id, Closure.on == m.on)
    return meal(closed_for=Closure.reason).join(Closure, closed)


def _rests(scope: Scope) -> Any:
    return sa.exists().where(Canteen.id == place.canteen_id, Canteen.open_weekdays != "1234567")


@among("canteen", _rests)
def _closed_weekday(scope: Scope) -> sa.Select[Any]:
    weekday = spelling.text(spelling.weekday(m.day))
    return (
        meal(weekday=spelling.weekday(m.day))
        .join(Canteen, Canteen.id == m.canteen_id)
        .where(~Canteen.open_weekdays.contains(weekday))
    )


def _days_apart(scope: Scope) -> Any:
    return spelling.day_of(m.at) - m.day


def _burst(scope: Scope) -> sa.Select[Any]:
    """All cards that one till read, whether the meal was subsidised or not; looked at are the
    days on which so many subsidised ones came so close that half of a run may be subsidised, or
    those of a crowd."""
    last, first = SALES.c, SALES.alias().c
    most = max(2 * scope["meals"] * scope["gap_s"], scope["within_s"])
    crowded = (
        sa.select(last.order_id)
        .join(first.id.table, followed(first, last, by=scope["meals"] - 1))
        .where(last.at - first.at <= most)
    )
    days = (
        sa.select(m.canteen_id, m.on).where(m.order_id.in_(crowded)).distinct().subquery()
    )  # fmt: skip
    sale = sa.and_(TillEntry.order_id == Order.id, TillEntry.kind == "sale")
    who = sa.func.coalesce(
        key("till", TillEntry.till_id), sa.literal("canteen:") + spelling.text(Order.canteen_id)
    )
    sold = (
        sa.select(
            who.label("who"), Order.on.label("day"), Order.id.label("order_id"),
            spelling.epoch(sa.func.coalesce(Order.served_at, Order.placed_at)).label("moment"),
            Order.canteen_id, Order.elder_id, m.stake_fen,
        )
        .select_from(days)
        .join(Order, sa.and_(Order.canteen_id == days.c.canteen_id, Order.on == days.c.on))
        .outerjoin(TillEntry, sale).outerjoin(MEALS, m.order_id == Order.id)
        .where(
            Order.channel == "till", Order.elder_id.is_not(None),
            Order.state.in_(("placed", "served")),
        )
        .subquery()
    )  # fmt: skip
    r = in_a_row(
        scope, sold, lambda made: made["sales"] >= scope["sales"],
        lambda made: made["meals"] >= scope["meals"], crowd=(scope["sales"], scope["within_s"]),
        sales=lambda r: sa.func.count(), meals=lambda r: sa.func.count(r.stake_fen),
        elders=lambda r: sa.func.count(r.elder_id.distinct()),
        stake_fen=lambda r: sa.func.sum(r.stake_fen),
    ).c
    return found(
        canteen=r.canteen_id, key=key(r.who, r.from_at), amount=r.stake_fen, sales=r.sales,
        meals=r.meals, elders=r.elders, seconds=r.to_at - r.from_at, from_at=r.from_at,
        order_ids=r.order_ids,
    )  # fmt: skip


def _may_crowd(scope: Scope) -> Any:
    """Sales at most SOON before closing are as many at least, unless the district looks further
    back than that."""
    enough = [place.counter >= scope["meals"]]
    if scope["minutes"] <= SOON:
        enough.append(share_bp(place.soon, place.counter) >= scope["share_bp"])
    return sa.and_(*enough)


@among("canteen", _may_crowd)
def _before_closing(scope: Scope) -> sa.Select[Any]:
    left = m.closes - MINUTE
    late = sa.func.sum(sa.case((left.between(0, scope["minutes"]), 1), else_=0))
    bp = share_bp(late, sa.func.count())
    return (
        of_meals(scope, late=late, share_bp=bp).where(COUNTER, m.closes.is_not(None))
        .having(sa.func.count() >= scope["meals"], bp >= scope["share_bp"])
    )  # fmt: skip


def _round_times(scope: Scope) -> sa.Select[Any]:
    bp = share_bp(place.round, place.counter)
    return found(
        canteen=place.canteen_id, key=key("canteen", place.canteen_id, scope.period),
        amount=place.counter_fen, meals=place.counter, exact=place.round, share_bp=bp,
    ).where(place.counter >= scope["meals"], bp >= scope["share_bp"])  # fmt: skip


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "times", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "out_of_hours", Text("非供餐时间售卖", "Sold outside serving hours"),
        Text("{sold_at}售出{meal}，不在现在登记的供餐时间内",
             "{meal} sold at {sold_at}, outside the serving hours as registered now"),
        Text("厨房不供餐时刷卡，多为补刷", "Cards read while nothing is served"),
        "warn", _out_of_hours, minutes=30,
    ),
    _check(
        "other_meals_hours", Text("在别的餐次时间售卖", "Sold in another meal's hours"),
        Text("{sold_at}售出{meal}，按现在登记的供餐时间是另一餐",
             "{meal} sold at {sold_at}, in the hours of another meal as registered now"),
        Text("用别的餐次绕开一餐一份的限制", "Another meal's name escapes one subsidy a meal"),
        "warn", _other_meals_hours, minutes=30,
    ),
    _check(
        "meal_not_served", Text("食堂不供应这一餐", "A meal the canteen does not serve"),
        Text("{meal_on}售出{meal}，但食堂现在登记的供餐时间里没有这一餐",
             "{meal} sold on {meal_on}; the canteen's hours as registered now have no such meal"),
        Text("食堂登记的餐次之外不应有售卖", "Nothing is sold at meals that are not offered"),
        "warn", _meal_not_served,
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
        Text("{meal_on}不在食堂现在登记的营业日内",
             "{meal_on} is not among the canteen's opening days as registered now"),
        Text("登记的营业日之外不应有售卖", "Nothing is sold outside the opening days"),
        "warn", _closed_weekday,
    ),
    _check(
        "other_day", Text("取餐日与用餐日不符", "Handed over on another day"),
        Text("{meal_on}的餐在{sold_at}才取，相差{days}天",
             "A meal of {meal_on} was handed over at {sold_at}, {days:day|days} apart"),
        Text("补记的餐不是当天吃的", "A meal written down later was not eaten that day"),
        "warn", each_meal(
            lambda scope: sa.and_(m.handed, sa.func.abs(_days_apart(scope)) > scope["days"]),
            sold_at=m.at, days=_days_apart,
        ), days=0,
    ),
    _check(
        "burst", Text("连续快速刷卡", "Cards read in quick succession"),
        Text("从{from_at}起{seconds}秒内连续识别{elders}位老人（{sales}份餐，其中{meals}份有补贴）",
             "{elders} elders read at one till within {seconds} seconds from {from_at}:"
             " {sales:meal|meals}, {meals} of them subsidised"),
        Text("一叠卡由一人代刷，人未到场", "One hand reads a stack of cards, nobody is there"),
        "warn", _burst, sales=10, meals=8, gap_s=8, within_s=180, about="orders",
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
