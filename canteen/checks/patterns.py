"""Checks of how a month looks as a whole: attendance, shares, order, who orders for whom."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen, Operator
from canteen.checks import spelling
from canteen.checks.following import SALES, followed
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Scope, found, key, nearest, share_bp
from canteen.checks.rows import of_cells, per_canteen, per_crowd
from canteen.checks.summing import CELLS, DINERS, PLACES, WEEKS, in_week
from canteen.elders.models import Elder
from canteen.words import Text

m, cell, place, diner = MEALS.c, CELLS.c, PLACES.c, DINERS.c


def _perfect(scope: Scope) -> sa.Select[Any]:
    weeks: Any = sum(
        (
            sa.case((in_week(cell.packed, number) >= scope["meals_a_week"], 1), else_=0)
            for number in range(len(WEEKS))
        ),
        sa.literal(0),
    )
    perfect = sa.case((weeks >= scope["weeks"], 1), else_=0)
    count, share = sa.func.sum(perfect), share_bp(sa.func.sum(perfect), sa.func.count())
    return (
        found(
            canteen=cell.canteen_id, key=key("canteen", cell.canteen_id, scope.period),
            amount=sa.func.sum(perfect * cell.stake_fen), elders=sa.func.count(), perfect=count,
            share_bp=share, elder_ids=sa.func.aggregate_strings(
                sa.case((perfect == 1, spelling.text(cell.elder_id))), ","
            ),
        )
        .group_by(cell.canteen_id)
        .having(count >= scope["elders"], share >= scope["share_bp"])
    )


def _subsidised_share(scope: Scope) -> sa.Select[Any]:
    share = share_bp(place.meals, place.orders)
    each = (
        sa.select(
            PLACES, share.label("share_bp"),
            sa.func.avg(share).over(partition_by=place.tier).label("peers"),
        )
        .where(place.orders >= scope["orders"]).subquery()
    )  # fmt: skip
    e = each.c
    return found(
        canteen=e.canteen_id, key=key("canteen", e.canteen_id, scope.period), amount=e.stake_fen,
        meals=e.meals, orders=e.orders, share_bp=e.share_bp,
        peers_bp=nearest(e.peers), tier=e.tier,
    ).where(
        e.share_bp >= scope["share_bp"], e.share_bp >= e.peers + scope["above_bp"]
    )  # fmt: skip


def _procession(scope: Scope) -> sa.Select[Any]:
    sale, before = SALES.c, SALES.alias().c
    days = sa.func.count(sale.day.distinct())
    pairs = (
        sa.select(
            sale.canteen_id, sale.elder_id, days.label("days"),
            sa.func.sum(sale.stake_fen).label("stake_fen"),
        )
        .join(before.id.table, followed(before, sale))
        .where(sale.at - before.at <= scope["gap_s"])
        .group_by(sale.canteen_id, before.elder_id, sale.elder_id)
        .having(sa.func.count() >= scope["days"], days >= scope["days"]).subquery()
    )  # fmt: skip
    p = pairs.c
    return (
        found(
            canteen=p.canteen_id, key=key("canteen", p.canteen_id, scope.period),
            amount=sa.func.sum(p.stake_fen), pairs=sa.func.count(), days=sa.func.min(p.days),
            elder_ids=sa.func.aggregate_strings(spelling.text(p.elder_id), ","),
        )
        .group_by(p.canteen_id).having(sa.func.count() >= scope["pairs"])
    )  # fmt: skip


def _one_user(scope: Scope) -> sa.Select[Any]:
    """One for each of the canteens ordered from, so that each district judges its own."""
    online = (
        sa.select(m.placed_by, m.canteen_id, m.elder_id, m.order_id, m.stake_fen)
        .where(m.channel != "till").cte()
    )  # fmt: skip
    o = online.c
    elders = sa.func.count(o.elder_id.distinct())
    users = (
        sa.select(
            o.placed_by, elders.label("elders"),
            sa.func.count(o.canteen_id.distinct()).label("canteens"),
        )
        .group_by(o.placed_by).having(elders >= scope["elders"]).subquery()
    )  # fmt: skip
    u = users.c
    return (
        found(
            canteen=o.canteen_id, key=key(u.placed_by, o.canteen_id, scope.period),
            amount=sa.func.sum(o.stake_fen), user=u.placed_by, elders=u.elders,
            canteens=u.canteens, meals=sa.func.count(),
            order_ids=sa.func.aggregate_strings(spelling.text(o.order_id), ","),
        )
        .select_from(users).join(online, o.placed_by == u.placed_by)
        .group_by(u.placed_by, u.elders, u.canteens, o.canteen_id)
    )  # fmt: skip


def _shared_phone(scope: Scope) -> sa.Select[Any]:
    return per_crowd(scope, "phone", diner.phone, cell.stake_fen, cell.meals)


def _staff_phone(scope: Scope) -> sa.Select[Any]:
    elders = sa.func.count()
    return (
        of_cells(scope, elders=elders)
        .join(DINERS, diner.elder_id == cell.elder_id)
        .join(Canteen, Canteen.id == cell.canteen_id)
        .join(Operator, Operator.id == Canteen.operator_id)
        .where(sa.or_(diner.phone == Canteen.phone, diner.phone == Operator.phone))
        .having(elders >= scope["elders"])
    )


def _without_card(scope: Scope) -> sa.Select[Any]:
    bp = share_bp(place.bare, place.rung)
    return found(
        canteen=place.canteen_id, key=key("canteen", place.canteen_id, scope.period),
        amount=place.rung_fen, meals=place.rung, without=place.bare, share_bp=bp,
    ).where(place.rung >= scope["meals"], bp >= scope["share_bp"])  # fmt: skip


def _far_street(scope: Scope) -> sa.Select[Any]:
    elders = sa.func.count()
    share = share_bp(elders, sa.func.max(place.elders))
    return (
        found(
            canteen=cell.canteen_id,
            key=key("canteen", cell.canteen_id, Elder.street_code, scope.period),
            amount=sa.func.sum(cell.fetched_fen), street=Elder.street_code, elders=elders,
            meals=sa.func.sum(cell.fetched), share_bp=share,
        )
        .join(Elder, Elder.id == cell.elder_id)
        .join(PLACES, place.canteen_id == cell.canteen_id)
        .where(~Elder.street_code.startswith(place.district), cell.fetched > 0)
        .group_by(cell.canteen_id, Elder.street_code)
        .having(elders >= scope["elders"], share >= scope["share_bp"])
    )  # fmt: skip


def _nobody_else(scope: Scope) -> sa.Select[Any]:
    return per_canteen(scope).where(place.meals >= scope["meals"], place.meals >= place.orders)


def _check(code: str, title: Text, reason: Text, why: Text, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "patterns", title, reason, why, "warn", find, thresholds, about)


CHECKS = (
    _check(
        "perfect_attendance", Text("多数老人次次用满", "Perfect attendance"),
        Text("{elders}位老人中有{perfect}位（{share_bp}）几乎每周都用满次数",
             "{perfect} of {elders} elders ({share_bp}) used every subsidised meal of their weeks"),
        Text("真实的老人会生病、走亲戚", "Real people fall ill and visit their children"),
        _perfect, meals_a_week=5, weeks=3, elders=8, share_bp=6_000, about="elders",
    ),
    _check(
        "subsidised_share", Text("补贴餐占比远高于同类", "Subsidised share far above peers"),
        Text("{orders}份餐中{meals}份有补贴（{share_bp}），同类食堂平均{peers_bp}",
             "{meals} of {orders} meals subsidised ({share_bp}); the tier's mean is {peers_bp}"),
        Text("老人家食堂应面向所有人", "These canteens are to serve everyone"),
        _subsidised_share, orders=50, share_bp=8_500, above_bp=3_000, about="canteen",
    ),
    _check(
        "procession", Text("同一批老人总按同一顺序刷卡", "Always the same order of elders"),
        Text("{pairs}对老人至少{days}天前后紧接着刷卡，顺序不变",
             "{pairs} pairs of elders came in the same order on {days:day|days} or more"),
        Text("一叠卡按同样的顺序代刷", "A stack of cards is read in its order"),
        _procession, gap_s=180, days=6, pairs=4, about="elders",
    ),
    _check(
        "one_user_orders", Text("一个账号替很多老人点餐", "One account orders for many elders"),
        Text("账号{user}本月在{canteens}家食堂替{elders}位老人点餐，其中这里{meals}份补贴餐",
             "Account {user} ordered for {elders} elders at {canteens:canteen|canteens};"
             " {meals:subsidised meal|subsidised meals} here"),
        Text("家属最多替几位老人点餐", "A family orders for a few, not for dozens"),
        _one_user, elders=8, about="orders",
    ),
    _check(
        "shared_phone", Text("多位老人共用一个电话", "Many elders with one phone"),
        Text("{elders}位老人登记了同一个电话，本月在这里有{meals}份补贴餐",
             "{elders} elders share one phone number; {meals:meal|meals} subsidised here"),
        Text("代办人可能掌握着他们的卡", "Somebody may hold their cards"),
        _shared_phone, elders=5, about="elders",
    ),
    _check(
        "staff_phone", Text("老人电话是食堂电话", "The canteen's phone as the elder's"),
        Text("{elders}位老人登记的是食堂或企业的电话，本月有{meals}份补贴餐",
             "{elders} elders are registered under the phone of canteen or operator"
             " ({meals:meal|meals})"),
        Text("核实电话会打到食堂自己那里", "A call to verify would reach the canteen itself"),
        _staff_phone, elders=1, about="canteen",
    ),
    _check(
        "without_card", Text("多数售卖没有刷卡", "Mostly sold without a card"),
        Text("收银机上{meals}份补贴餐中有{without}份（{share_bp}）没有刷卡",
             "{without} of {meals} meals at the till ({share_bp}) were sold without a card"),
        Text("按姓名就能售卖，无须老人到场", "A name is enough to sell without the elder"),
        _without_card, meals=30, share_bp=7_000, about="canteen",
    ),
    _check(
        "far_street", Text("许多老人住得很远", "Many elders from one street far away"),
        Text("{elders}位老人（{share_bp}）住在外区的{street}街道，本月在此用餐{meals}份",
             "{elders} elders ({share_bp}) of street {street} in another district ate here"
             " ({meals:meal|meals})"),
        Text("成批外区老人的卡可能是收来的", "Cards gathered elsewhere come in batches"),
        _far_street, elders=10, share_bp=3_000, about="street",
    ),
    _check(
        "nobody_else", Text("只有补贴餐，没有其他客人", "Nobody eats here but the subsidised"),
        Text("本月{meals}份餐全部是补贴餐，没有一位其他客人",
             "All {meals:meal|meals} of the month were subsidised; not one other guest"),
        Text("只为补贴开的食堂没有市场", "A canteen kept for the subsidy alone"),
        _nobody_else, meals=50, about="canteen",
    ),
)  # fmt: skip
