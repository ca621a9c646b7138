"""Checks of where: at two canteens at once, at many in a week."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen
from canteen.checks import spelling
from canteen.checks.elsewhere import SEEN
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Scope, among, found, key
from canteen.checks.rows import meal
from canteen.checks.summing import DINERS
from canteen.words import Text

m, d = MEALS.c, DINERS.c
ONE, OTHER = aliased(Canteen), aliased(Canteen)
FAR = spelling.metres(ONE.latitude, ONE.longitude, OTHER.latitude, OTHER.longitude)
APART = sa.func.abs(m.at - SEEN.c.at)  # seconds


def _was_seen(scope: Scope) -> Any:
    return sa.exists().where(SEEN.c.elder_id == d.elder_id)


def _also_elsewhere(**evidence: Any) -> sa.Select[Any]:
    """Meals handed over beside what the elder took at another canteen that day. Of two subsidised
    meals it is the later that is in question; at full price the other may come before or after."""
    s, same = SEEN.c, MEALS.alias().c
    full_price = ~sa.exists().where(same.order_id == s.order_id)
    return (
        meal(
            other_order_id=s.order_id, other_canteen_id=s.canteen_id, minutes=APART // 60,
            **evidence,
        )
        .join(SEEN, sa.and_(s.elder_id == m.elder_id, s.day == m.day))
        .join(ONE, ONE.id == m.canteen_id)
        .join(OTHER, OTHER.id == s.canteen_id)
        .where(
            s.canteen_id != m.canteen_id, m.service != "delivery", m.handed,
            sa.or_(
                s.at < m.at, sa.and_(s.at == m.at, s.order_id < m.order_id), full_price,
            ),
        )
    )  # fmt: skip


@among("elder", _was_seen)
def _impossible_way(scope: Scope) -> sa.Select[Any]:
    return _also_elsewhere(metres=FAR).where(
        APART * scope["metres_an_hour"] < FAR * 3600, scope["metres"] < FAR
    )


@among("elder", _was_seen)
def _way_unknown(scope: Scope) -> sa.Select[Any]:
    return _also_elsewhere().where(FAR.is_(None), scope["minutes"] * 60 >= APART)


@among("elder", lambda scope: d.canteens >= scope["canteens"])
def _many_canteens(scope: Scope) -> sa.Select[Any]:
    """One for each of the canteens, so that each district judges its own."""
    other = MEALS.alias().c
    their_week = spelling.week_of(other.day)
    weeks = (
        sa.select(
            other.elder_id, their_week.label("week"),
            sa.func.count(other.canteen_id.distinct()).label("canteens"),
        )
        .where(sa.true() if scope.among is None else other.elder_id.in_(scope.among))
        .group_by(other.elder_id, their_week)
        .having(sa.func.count(other.canteen_id.distinct()) >= scope["canteens"]).subquery()
    )  # fmt: skip
    w = weeks.c
    return (
        found(
            canteen=m.canteen_id, elder=m.elder_id,
            key=key("elder", m.elder_id, m.canteen_id, "week", w.week, scope.period),
            amount=sa.func.sum(m.stake_fen),
            canteens=w.canteens, meals=sa.func.count(), from_on=sa.func.min(m.on),
            order_ids=sa.func.aggregate_strings(spelling.text(m.order_id), ","),
        )
        .join(weeks, sa.and_(w.elder_id == m.elder_id, w.week == spelling.week_of(m.day)))
        .group_by(m.elder_id, m.canteen_id, w.week, w.canteens)
    )  # fmt: skip


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "times", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "impossible_way", Text("短时间内在两家食堂用餐", "At two canteens in too short a time"),
        Text("两家食堂相距{metres}米，两次用餐只隔{minutes}分钟（另一份为订单{other_order_id}）",
             "Two canteens {metres} m apart, only {minutes:minute|minutes} between the meals"
             " (the other is order {other_order_id})"),
        Text("按两家食堂的坐标和常人脚程估算", "By the canteens' distance and an elder's pace"),
        "hold", _impossible_way, metres_an_hour=20_000, metres=500,
    ),
    _check(
        "way_unknown", Text("在两家食堂用餐但距离不明", "At two canteens, the way unknown"),
        Text("与在另一家食堂的用餐只隔{minutes}分钟（订单{other_order_id}），有一家没有坐标，无法算出距离",
             "Only {minutes:minute|minutes} from a meal at another canteen (order"
             " {other_order_id}); one of the two has no place on the map"),
        Text("没有坐标就算不出路程，请补登坐标", "Without a place on the map no way is reckoned"),
        "warn", _way_unknown, minutes=30,
    ),
    _check(
        "many_canteens", Text("一周辗转多家食堂", "Many canteens in a week"),
        Text("一周内在{canteens}家食堂用餐，从{from_on}起在这一家有{meals}份补贴餐",
             "Subsidised at {canteens} canteens in a week, with {meals:meal|meals} here from"
             " {from_on}"),
        Text("老人多在家门口用餐，卡可能被他人使用", "Elders eat near home; the card may be lent"),
        "warn", _many_canteens, canteens=4, about="orders",
    ),
)  # fmt: skip
