"""Who usually eats at a canteen, when, and what: read from its own orders, in sets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine

KNOWN_DAYS = 90
USUAL_DAYS = 28
MOST_REGULARS = 2_000
MOST_USUAL = 60


def regulars(canteen_id: int, on: date, most: int = MOST_REGULARS) -> list[int]:
    """The elders who bought here in the last 90 days or have an order here on this day.

    At most `most`, those who came oftenest; whoever has an order on the day is always among the
    first.
    """
    today = sa.func.max(sa.case((Order.on == on, 1), else_=0))
    rows = db.session.execute(
        sa.select(Order.elder_id)
        .where(
            Order.canteen_id == canteen_id, Order.on.between(on - timedelta(days=KNOWN_DAYS), on),
            Order.elder_id.is_not(None), Order.state != "cancelled",
        )
        .group_by(Order.elder_id)
        .order_by(today.desc(), sa.func.count().desc(), Order.elder_id)
        .limit(most)
    )  # fmt: skip
    return [row.elder_id for row in rows]


def usual_people(canteen_id: int, on: date, most: int = MOST_USUAL) -> dict[str, list[int]]:
    """Who is usually here at each meal of a day, the likeliest first: {"lunch": [elder ids]}.

    Counted over the 28 days before; a visit on the same day of the week counts double.
    """
    same_weekday = [on - timedelta(days=7 * weeks) for weeks in range(1, USUAL_DAYS // 7 + 1)]
    weight = sa.func.sum(sa.case((Order.on.in_(same_weekday), 2), else_=1))
    place = sa.func.row_number().over(
        partition_by=Order.meal, order_by=(weight.desc(), sa.func.max(Order.on).desc(),
                                           Order.elder_id),
    )  # fmt: skip
    ranked = (
        sa.select(Order.meal, Order.elder_id, place.label("place"))
        .where(_lately(canteen_id, on))
        .group_by(Order.meal, Order.elder_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(ranked).where(ranked.c.place <= most).order_by(ranked.c.meal, ranked.c.place)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.meal, []).append(row.elder_id)
    return found


def usual_dishes(
    canteen_id: int, on: date, elder_ids: Collection[int] | None = None
) -> dict[int, dict[str, list[int]]]:
    """What each elder usually takes at each meal: {elder id: {"lunch": [dish ids]}}.

    Of the 28 days before: the set or dish taken most often, and whatever else was taken at more
    than half of those meals.
    """
    asked: dict[str, Any] = {
        "canteen": canteen_id, "since": on - timedelta(days=USUAL_DAYS),
        "until": on - timedelta(days=1),
    }
    if elder_ids is not None:
        asked["elders"] = list(elder_ids)
    rows = db.session.execute(_usual(elder_ids is not None), asked)
    found: dict[int, dict[str, list[int]]] = {}
    for row in rows:
        found.setdefault(row.elder_id, {}).setdefault(row.meal, []).append(row.dish_id)
    return found


@cache
def _usual(of_some: bool) -> sa.Select[Any]:
    """The query of `usual_dishes`, built once: whoever is identified waits for it."""
    order, line, item = (
        sa.inspect(model).local_table.c for model in (Order, OrderLine, MenuItem)
    )
    lately = [
        order.canteen_id == sa.bindparam("canteen", type_=order.canteen_id.type),
        order.on.between(
            sa.bindparam("since", type_=sa.Date), sa.bindparam("until", type_=sa.Date)
        ),
        order.elder_id.is_not(None),
        order.state.in_(("placed", "served")),
    ]
    if of_some:
        some = sa.bindparam("elders", type_=order.elder_id.type, expanding=True)
        lately.append(order.elder_id.in_(some))
    # One row for each order and dish, so that two portions do not count as two visits.
    visits = (
        sa.select(order.elder_id, order.meal, order.id, order.on, item.dish_id)
        .join(line.order_id.table, line.order_id == order.id)
        .join(item.id.table, item.id == line.menu_item_id)
        .where(*lately)
        .subquery()
    )
    times = sa.func.count()
    by_dish = (
        sa.select(
            visits.c.elder_id, visits.c.meal, visits.c.dish_id, times.label("times"),
            sa.func.row_number().over(
                partition_by=(visits.c.elder_id, visits.c.meal),
                order_by=(times.desc(), sa.func.max(visits.c.on).desc(), visits.c.dish_id),
            ).label("place"),
        )
        .group_by(visits.c.elder_id, visits.c.meal, visits.c.dish_id)
        .subquery()
    )  # fmt: skip
    meals = (
        sa.select(order.elder_id, order.meal, sa.func.count().label("meals"))
        .where(*lately)
        .group_by(order.elder_id, order.meal)
        .subquery()
    )
    same = sa.and_(meals.c.elder_id == by_dish.c.elder_id, meals.c.meal == by_dish.c.meal)
    return (
        sa.select(by_dish.c.elder_id, by_dish.c.meal, by_dish.c.dish_id)
        .join(meals, same)
        .where(sa.or_(by_dish.c.place == 1, by_dish.c.times * 2 > meals.c.meals))
        .order_by(by_dish.c.elder_id, by_dish.c.meal, by_dish.c.place)
    )


def _lately(canteen_id: int, on: date) -> Any:
    return sa.and_(
        Order.canteen_id == canteen_id,
        Order.on.between(on - timedelta(days=USUAL_DAYS), on - timedelta(days=1)),
        Order.elder_id.is_not(None),
        Order.state.in_(("placed", "served")),
    )
