"""Checks of prices: the gate, the menu, the floor, and each canteen's own past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.checks.gathering import KITCHENS, MEALS
from canteen.checks.parts import Check, Scope, among, found, key, nearest, share_bp
from canteen.checks.policies import bodies, by_policy, policies_that
from canteen.checks.rows import each_meal, meal, of_meals, per_canteen
from canteen.checks.summing import LINES, PLACES
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.orders.models import OrderLine, OrderRefund
from canteen.words import Text

m, place = MEALS.c, PLACES.c


def _gated(scope: Scope) -> list[int]:
    """The policies that judge the list price against the standard set."""
    return policies_that(
        scope,
        lambda body: any(
            gate["kind"] == "price_at_least_standard_set"
            and gate.get("judged_on", "list") == "list"
            for gate in body.get("gates", ())
        ),
    )


def _below_floor(scope: Scope) -> Any:
    return sa.and_(m.list_fen < m.set_fen, m.policy_id.in_(_gated(scope)))


def _at_floor(scope: Scope) -> sa.Select[Any]:
    bp = share_bp(place.exact, place.meals)
    return (
        per_canteen(scope, exact=place.exact, share_bp=bp)
        .where(place.meals >= scope["meals"], bp >= scope["share_bp"])
    )  # fmt: skip


def _refunded_below_floor(scope: Scope) -> sa.Select[Any]:
    back = (
        sa.select(OrderRefund.order_id, sa.func.sum(OrderRefund.list_fen).label("fen"))
        .where(OrderRefund.on >= scope.first - timedelta(days=31))
        .group_by(OrderRefund.order_id).subquery()
    )  # fmt: skip
    left = m.list_fen - back.c.fen
    return (
        meal(list_fen=left, back_fen=back.c.fen, set_fen=m.set_fen)
        .join(back, back.c.order_id == m.order_id)
        .where(m.policy_id.in_(_gated(scope)), left < m.set_fen)
    )


def _above_menu(scope: Scope) -> sa.Select[Any]:
    return (
        meal(list_fen=m.list_fen, menu_fen=LINES.c.menu_fen)
        .join(LINES, LINES.c.order_id == m.order_id)
        .where(LINES.c.sold_fen > LINES.c.menu_fen)
    )


def _lines_differ(scope: Scope) -> sa.Select[Any]:
    return (
        meal(list_fen=m.list_fen, lines_fen=LINES.c.sold_fen)
        .join(LINES, LINES.c.order_id == m.order_id)
        .where(LINES.c.sold_fen != m.list_fen)
    )


def _dish_jump(scope: Scope) -> sa.Select[Any]:
    since = scope.first - timedelta(days=scope["days"])
    past = (
        sa.select(
            MenuItem.dish_id, sa.func.sum(MenuItem.price_fen).label("sum_fen"),
            sa.func.count().label("days"),
        )
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(Menu.on >= since, Menu.on < scope.first)
        .group_by(MenuItem.dish_id)
        .having(sa.func.count() >= scope["seen"])
        .subquery()
    )
    usual = sa.cast(past.c.sum_fen, sa.Float) / past.c.days
    line = aliased(OrderLine)
    stake = (
        sa.select(sa.func.sum(m.stake_fen))
        .join(line, line.order_id == m.order_id).where(line.menu_item_id == MenuItem.id)
        .correlate(MenuItem).scalar_subquery()
    )  # fmt: skip
    return (
        found(
            canteen=Menu.canteen_id, key=key("item", MenuItem.id), amount=stake, dish=Dish.name,
            dish_en=Dish.name_en, price_fen=MenuItem.price_fen,
            usual_fen=nearest(usual), meal_on=Menu.on,
        )
        .select_from(Menu)
        .join(MenuItem, MenuItem.menu_id == Menu.id)
        .join(Dish, Dish.id == MenuItem.dish_id)
        .join(past, past.c.dish_id == MenuItem.dish_id)
        .where(
            Menu.on.between(scope.first, scope.last),
            MenuItem.price_fen * 10_000 >= usual * scope["rise_bp"], stake > 0,
        )
    )  # fmt: skip


def _bounds(scope: Scope) -> dict[int, tuple[int, int, int]]:
    """What each policy asks of a standard set: the least and most fen, ten thousand times, and
    the usual price."""
    found = {}
    for policy, body in bodies(scope).items():
        standard = body.get("standard_set") or {}
        fen, vary = standard.get("default_fen"), standard.get("vary_bp")
        if fen is not None and vary is not None:
            found[policy] = (fen * (10_000 - vary), fen * (10_000 + vary), fen)
    return found


def _may_be_outside(scope: Scope) -> Any:
    bounds = _bounds(scope).values()
    if not bounds:
        return sa.false()
    least, most = max(low for low, _, _ in bounds), min(high for _, high, _ in bounds)
    k = KITCHENS.c
    price = k.set_fen * 10_000
    outside = sa.or_(k.repriced, k.set_fen.is_(None), price < least, price > most)
    return sa.exists().where(k.id == place.canteen_id, outside)


@among("canteen", _may_be_outside)
def _set_out_of_bounds(scope: Scope) -> sa.Select[Any]:
    bounds = _bounds(scope)
    low, high, middle = (
        by_policy({policy: each[side] for policy, each in bounds.items()}) for side in range(3)
    )
    if low is None or high is None or middle is None:
        nothing = sa.func.max(m.set_fen)
        return of_meals(scope, set_fen=nothing, usual_fen=nothing).where(sa.false())
    price = m.set_fen
    outside = sa.or_(price * 10_000 < low, price * 10_000 > high)
    return of_meals(scope, set_fen=sa.func.max(price), usual_fen=sa.func.max(middle)).where(
        outside
    )


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "prices", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "below_floor", Text("低于标准套餐价", "Below the standard set"),
        Text("{meal_on}的餐价{list_fen}元，低于区定标准套餐价{set_fen}元",
             "{list_fen} yuan on {meal_on}, below the district's standard set of {set_fen}"),
        Text("价格门槛独立复核", "The price gate, checked anew"),
        "hold", each_meal(_below_floor, list_fen=m.list_fen, set_fen=m.set_fen),
    ),
    _check(
        "at_floor", Text("每餐恰好等于标准套餐价", "Every sale exactly at the floor"),
        Text("本月{meals}份补贴餐中有{exact}份（{share_bp}）恰好等于标准套餐价",
             "{exact} of {meals} meals ({share_bp}) cost exactly the standard set"),
        Text("真实点餐的价格有高有低", "Real meals cost now more, now less"),
        "warn", _at_floor, meals=30, share_bp=9_800, about="canteen",
    ),
    _check(
        "refunded_below_floor", Text("退菜后低于标准套餐价", "Below the floor after a refund"),
        Text("{meal_on}退掉{back_fen}元的菜后只剩{list_fen}元，低于标准套餐价{set_fen}元，补贴未退",
             "After {back_fen} yuan of dishes went back, {list_fen} are left on {meal_on}, below"
             " the standard set of {set_fen}; the subsidy stayed"),
        Text("先凑够门槛再退菜", "Dishes added for the gate and then taken back"),
        "hold", _refunded_below_floor,
    ),
    _check(
        "above_menu", Text("高于菜单价", "Above the menu's price"),
        Text("{meal_on}按{list_fen}元售出，菜单价为{menu_fen}元",
             "Sold for {list_fen} yuan on {meal_on}; the menu says {menu_fen}"),
        Text("抬高餐价以够到补贴门槛", "A price lifted to reach the gate"), "hold", _above_menu,
    ),
    _check(
        "lines_differ", Text("菜品合计与餐价不符", "The dishes do not come to the price"),
        Text("{meal_on}餐价{list_fen}元，菜品合计{lines_fen}元",
             "{list_fen} yuan on {meal_on}; its dishes come to {lines_fen}"),
        Text("记录自身须一致", "A record must agree with itself"), "hold", _lines_differ,
    ),
    _check(
        "dish_jump", Text("菜价突然上涨", "A dish suddenly dearer"),
        Text("{meal_on}“{dish}”卖{price_fen}元，平时约{usual_fen}元",
             "“{dish_en}” cost {price_fen} yuan on {meal_on}, usually about {usual_fen}"),
        Text("与该食堂自己过去的价格相比", "Against the canteen's own past"),
        "warn", _dish_jump, days=90, seen=5, rise_bp=15_000, about="item",
    ),
    _check(
        "set_out_of_bounds", Text("区定套餐价超出幅度", "The standard set out of bounds"),
        Text("区定标准套餐价{set_fen}元，超出全市{usual_fen}元的浮动范围（{meals}份）",
             "The district's standard set of {set_fen} yuan lies outside the city's bounds around"
             " {usual_fen} ({meals:meal|meals})"),
        Text("市里规定了浮动幅度", "The city bounds how far a district may vary"),
        "warn", _set_out_of_bounds, about="canteen",
    ),
)  # fmt: skip
