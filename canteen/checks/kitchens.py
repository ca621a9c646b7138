"""Checks of the kitchen: its portions, seats, supplier, and the ways it serves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import OPEN_STATUSES, Canteen
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Scope, among, found, key, part_of
from canteen.checks.rows import meal, of_meals, per_canteen
from canteen.checks.summing import DAYS, GONE, PLACES
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine, OrderRefund, OrderRefundLine
from canteen.words import Text

# The ability a canteen needs for each way to serve.
NEEDS = {"eat_in": "dine_in", "pick_up": "pick_up", "delivery": "delivery"}
m, d, place = MEALS.c, DAYS.c, PLACES.c


def _over_portions(scope: Scope) -> sa.Select[Any]:
    """Counted anew are the dishes of which everything went by their own counter; of the others
    `canteen verify` proves every night that the counter is what was sold."""
    g = GONE.c
    back = (
        sa.select(
            OrderRefundLine.menu_item_id, sa.func.sum(OrderRefundLine.quantity).label("back")
        )
        .join(OrderRefund, OrderRefund.id == OrderRefundLine.refund_id)
        .join(Order, Order.id == OrderRefund.order_id)
        .where(
            OrderRefundLine.menu_item_id.in_(sa.select(g.item_id)), Order.state != "cancelled"
        )
        .group_by(OrderRefundLine.menu_item_id)
        .subquery()
    )
    there = Order.state.in_(("placed", "served"))
    sold = (  # the dishes first: their few lines are found, the others not read
        sa.select(
            g.item_id, sa.func.sum(sa.case((there, OrderLine.quantity), else_=0)).label("sold"),
            sa.func.sum(m.stake_fen).label("stake_fen"),
        )
        .select_from(GONE).outerjoin(OrderLine, OrderLine.menu_item_id == g.item_id)
        .outerjoin(Order, Order.id == OrderLine.order_id)
        .outerjoin(MEALS, m.order_id == Order.id)
        .group_by(g.item_id).subquery()
    )  # fmt: skip
    net = sold.c.sold - sa.func.coalesce(back.c.back, 0)
    over = net - MenuItem.portions
    return (
        found(
            canteen=g.canteen_id, key=key("item", MenuItem.id),
            amount=part_of(sa.func.coalesce(sold.c.stake_fen, 0), over, net),
            sold=net, portions=MenuItem.portions, meal_on=g.on, meal=g.meal,
        )
        .select_from(GONE)
        .join(sold, sold.c.item_id == g.item_id)
        .join(MenuItem, MenuItem.id == g.item_id)
        .outerjoin(back, back.c.menu_item_id == g.item_id)
        .where(over > 0)
    )


def _over_seats(scope: Scope) -> sa.Select[Any]:
    """Looked at are the days on which so many orders of any kind were made in all."""
    seated = Canteen.seats * scope["turns"]
    eaten_in = sa.func.count()
    sittings = (
        sa.select(
            d.canteen_id, d.on, Order.meal, sa.func.min(Canteen.seats).label("seats"),
            eaten_in.label("eaten_in"), sa.func.sum(m.stake_fen).label("stake_fen"),
        )
        .join(Canteen, Canteen.id == d.canteen_id)
        .join(Order, sa.and_(Order.canteen_id == d.canteen_id, Order.on == d.on))
        .outerjoin(MEALS, m.order_id == Order.id)
        .where(
            Canteen.seats > 0, d.orders > seated, Order.service == "eat_in",
            Order.state.in_(("placed", "served")),
        )
        .group_by(d.canteen_id, d.on, Order.meal)
        .having(eaten_in > sa.func.min(seated))
        .subquery()
    )
    s = sittings.c
    over = s.eaten_in - s.seats * scope["turns"]
    return found(
        canteen=s.canteen_id, key=key("canteen", s.canteen_id, s.on, s.meal),
        amount=part_of(sa.func.coalesce(s.stake_fen, 0), over, s.eaten_in),
        eaten_in=s.eaten_in, seats=s.seats, meal_on=s.on, meal=s.meal,
    )  # fmt: skip


def _no_supplier(scope: Scope) -> sa.Select[Any]:
    return (
        per_canteen(scope, tier=place.tier)
        .join(Canteen, Canteen.id == place.canteen_id)
        .where(place.tier > 1, Canteen.supplier_id.is_(None))
    )


def _supplier_gone(scope: Scope) -> Any:
    supplier = aliased(Canteen)
    return sa.and_(
        place.tier > 1,
        sa.exists().where(
            Canteen.id == place.canteen_id, supplier.id == Canteen.supplier_id,
            supplier.status.not_in(OPEN_STATUSES), supplier.status_since < place.last_on,
        ),
    )


@among("canteen", _supplier_gone)
def _supplier_closed(scope: Scope) -> sa.Select[Any]:
    supplier = aliased(Canteen)
    return (
        of_meals(
            scope, supplier_id=sa.func.min(supplier.id), status=sa.func.min(supplier.status),
            since_on=sa.func.min(supplier.status_since),
        )
        .join(Canteen, Canteen.id == m.canteen_id)
        .join(supplier, supplier.id == Canteen.supplier_id)
        .where(supplier.status.not_in(OPEN_STATUSES), m.on > supplier.status_since, m.tier > 1)
    )  # fmt: skip


def _offers_less(scope: Scope) -> Any:
    offered = sa.cast(Canteen.capabilities, sa.Text)
    return sa.exists().where(
        Canteen.id == place.canteen_id,
        sa.or_(*(~offered.like(f'%"{name}"%') for name in NEEDS.values())),
    )


@among("canteen", _offers_less)
def _service_not_offered(scope: Scope) -> sa.Select[Any]:
    needs = sa.case(NEEDS, value=m.service)
    offered = sa.cast(Canteen.capabilities, sa.Text)
    return (
        meal(service=m.service)
        .join(Canteen, Canteen.id == m.canteen_id)
        .where(~offered.like(sa.literal('%"') + needs + sa.literal('"%')))
    )


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "papers", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "over_portions", Text("售出多于备餐", "More sold than cooked"),
        Text("{meal_on}{meal}一道菜备{portions}份，售出{sold}份",
             "{sold} sold of a dish cooked {portions} times ({meal}, {meal_on})"),
        Text("没有做出来的饭不可能卖出", "What was not cooked cannot be sold"),
        "warn", _over_portions, about="item",
    ),
    _check(
        "over_seats", Text("堂食超过座位所能容纳", "More eaten in than the room holds"),
        Text("{meal_on}{meal}堂食{eaten_in}人，食堂只有{seats}个座位",
             "{eaten_in} ate in at {meal} on {meal_on}; the room has {seats} seats"),
        Text("一餐翻台次数有限", "A seat is used only so often in a meal"),
        "warn", _over_seats, turns=4, about="sitting",
    ),
    _check(
        "no_supplier", Text("没有供餐单位", "No supplier"),
        Text("{tier}类食堂没有登记供餐单位，本月有{meals}份补贴餐",
             "A tier {tier} canteen without a supplier; {meals:meal|meals} subsidised this month"),
        Text("二、三类食堂不能自己做饭", "Tiers 2 and 3 do not cook themselves"),
        "warn", _no_supplier, about="canteen",
    ),
    _check(
        "supplier_closed", Text("供餐单位已停业", "The supplier was closed"),
        Text("供餐单位自{since_on}起已停，之后仍有{meals}份补贴餐",
             "The supplier was closed from {since_on}; {meals:meal|meals} after that"),
        Text("饭从哪里来须说明", "Where the meals came from must be explained"),
        "warn", _supplier_closed, about="canteen",
    ),
    _check(
        "service_not_offered", Text("食堂没有这种服务", "A service it does not offer"),
        Text("{meal_on}以{service}方式供餐，食堂现在登记的能力里没有这一项",
             "Served by {service} on {meal_on}, not among what the canteen offers now"),
        Text("没有餐厅不能堂食，没有送餐不能配送", "No eating in without a room"),
        "warn", _service_not_offered,
    ),
)  # fmt: skip
