"""Checks of how a month looks as a whole: attendance, shares, order, who orders for whom."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen, Operator
from canteen.checks import spelling
from canteen.checks.gathering import DAYS, MEALS
from canteen.checks.papers import per_canteen
from canteen.checks.parts import Check, Scope, found, key, nearest, share_bp
from canteen.elders.models import Elder
from canteen.words import Text

m, d = MEALS.c, DAYS.c


def _perfect(scope: Scope) -> sa.Select[Any]:
    week = spelling.week_of(m.day)
    weeks = (
        sa.select(
            m.canteen_id, m.elder_id, week.label("week"), sa.func.count().label("meals"),
            sa.func.sum(m.stake_fen).label("stake_fen"),
        )
        .group_by(m.canteen_id, m.elder_id, week).subquery()
    )  # fmt: skip
    w = weeks.c
    full = sa.func.sum(sa.case((w.meals >= scope["meals_a_week"], 1), else_=0))
    people = (
        sa.select(
            w.canteen_id, w.elder_id, full.label("full"),
            sa.func.sum(w.meals).label("meals"), sa.func.sum(w.stake_fen).label("stake_fen"),
        )
        .group_by(w.canteen_id, w.elder_id).subquery()
    )  # fmt: skip
    p = people.c
    perfect = sa.case((p.full >= scope["weeks"], 1), else_=0)
    count, share = sa.func.sum(perfect), share_bp(sa.func.sum(perfect), sa.func.count())
    return (
        found(
            canteen=p.canteen_id, key=key("canteen", p.canteen_id, scope.period),
            amount=sa.func.sum(perfect * p.stake_fen), elders=sa.func.count(), perfect=count,
            share_bp=share, elder_ids=sa.func.aggregate_strings(
                sa.case((perfect == 1, spelling.text(p.elder_id))), ","
            ),
        )
        .group_by(p.canteen_id)
        .having(count >= scope["elders"], share >= scope["share_bp"])
    )


def _subsidised_share(scope: Scope) -> sa.Select[Any]:
    subsidised = (
        sa.select(
            m.canteen_id, sa.func.min(m.tier).label("tier"), sa.func.count().label("meals"),
            sa.func.sum(m.stake_fen).label("stake_fen"),
        )
        .where(m.on.between(scope.first, scope.last)).group_by(m.canteen_id).subquery()
    )  # fmt: skip
    sold = (
        sa.select(d.canteen_id, sa.func.sum(d.orders).label("orders"))
        .group_by(d.canteen_id).subquery()
    )  # fmt: skip
    s = subsidised.c
    share = share_bp(s.meals, sold.c.orders)
    each = (
        sa.select(
            s.canteen_id, s.tier, s.meals, s.stake_fen, sold.c.orders, share.label("share_bp"),
            sa.func.avg(share).over(partition_by=s.tier).label("peers"),
        )
        .join(sold, sold.c.canteen_id == s.canteen_id)
        .where(sold.c.orders >= scope["orders"]).subquery()
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
    place = sa.func.coalesce(m.till_id, -m.canteen_id)
    over = {"partition_by": (place, m.day), "order_by": (m.at, m.order_id)}
    steps = sa.select(
        m.canteen_id, m.day, m.elder_id, m.stake_fen,
        sa.func.lag(m.elder_id).over(**over).label("before"),
        (m.at - sa.func.lag(m.at).over(**over)).label("gap_s"),
    ).where(m.channel == "till").subquery()  # fmt: skip
    s = steps.c
    pairs = (
        sa.select(
            s.canteen_id, s.before, s.elder_id, sa.func.count(s.day.distinct()).label("days"),
            sa.func.sum(s.stake_fen).label("stake_fen"),
        )
        .where(s.before.is_not(None), s.gap_s <= scope["gap_s"])
        .group_by(s.canteen_id, s.before, s.elder_id)
        .having(sa.func.count(s.day.distinct()) >= scope["days"]).subquery()
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
    elders = sa.func.count(m.elder_id.distinct())
    return (
        found(
            canteen=sa.func.min(m.canteen_id), key=key(m.placed_by, scope.period),
            amount=sa.func.sum(m.stake_fen), user=m.placed_by, elders=elders,
            meals=sa.func.count(),
            order_ids=sa.func.aggregate_strings(spelling.text(m.order_id), ","),
        )
        .where(m.channel != "till").group_by(m.placed_by).having(elders >= scope["elders"])
    )  # fmt: skip


def _shared_phone(scope: Scope) -> sa.Select[Any]:
    elders = sa.func.count(m.elder_id.distinct())
    return (
        found(
            canteen=sa.func.min(m.canteen_id),
            key=key("phone", sa.func.min(m.elder_id), scope.period),
            amount=sa.func.sum(m.stake_fen), elders=elders, meals=sa.func.count(),
            elder_ids=sa.func.aggregate_strings(spelling.text(m.elder_id), ","),
        )
        .join(Elder, Elder.id == m.elder_id).where(Elder.phone.is_not(None), Elder.phone != "")
        .group_by(Elder.phone).having(elders >= scope["elders"])
    )  # fmt: skip


def _staff_phone(scope: Scope) -> sa.Select[Any]:
    elders = sa.func.count(m.elder_id.distinct())
    return (
        per_canteen(scope, elders=elders)
        .join(Elder, Elder.id == m.elder_id)
        .join(Canteen, Canteen.id == m.canteen_id)
        .join(Operator, Operator.id == Canteen.operator_id)
        .where(sa.or_(Elder.phone == Canteen.phone, Elder.phone == Operator.phone))
        .having(elders >= scope["elders"])
    )


def _without_card(scope: Scope) -> sa.Select[Any]:
    bare = sa.func.sum(sa.case((m.how.in_(("card", "ric")), 0), else_=1))
    bp = share_bp(bare, sa.func.count())
    return (
        per_canteen(scope, without=bare, share_bp=bp)
        .where(m.till_id.is_not(None))
        .having(sa.func.count() >= scope["meals"], bp >= scope["share_bp"])
    )


def _far_street(scope: Scope) -> sa.Select[Any]:
    all_elders = (
        sa.select(m.canteen_id, sa.func.count(m.elder_id.distinct()).label("elders"))
        .group_by(m.canteen_id).subquery()
    )  # fmt: skip
    elders = sa.func.count(m.elder_id.distinct())
    share = share_bp(elders, sa.func.max(all_elders.c.elders))
    return (
        found(
            canteen=m.canteen_id, key=key("canteen", m.canteen_id, Elder.street_code, scope.period),
            amount=sa.func.sum(m.stake_fen), street=Elder.street_code, elders=elders,
            meals=sa.func.count(), share_bp=share,
        )
        .join(Elder, Elder.id == m.elder_id)
        .join(all_elders, all_elders.c.canteen_id == m.canteen_id)
        .where(~Elder.street_code.startswith(m.district), m.service != "delivery")
        .group_by(m.canteen_id, Elder.street_code)
        .having(elders >= scope["elders"], share >= scope["share_bp"])
    )  # fmt: skip


def _nobody_else(scope: Scope) -> sa.Select[Any]:
    mine = aliased(DAYS)
    orders = (
        sa.select(sa.func.sum(mine.c.orders)).where(mine.c.canteen_id == m.canteen_id)
        .correlate(MEALS).scalar_subquery()
    )  # fmt: skip
    return (
        per_canteen(scope)
        .where(m.on.between(scope.first, scope.last))
        .having(sa.func.count() >= scope["meals"], sa.func.count() >= orders)
    )


def _check(code: str, title: Text, reason: Text, why: Text, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "patterns", title, reason, why, "warn", find, thresholds, about)


CHECKS = (
    _check(
        "perfect_attendance", Text("多数老人次次用满", "Perfect attendance"),
        Text("{elders}位老人中有{perfect}位（{share_bp}）几乎每周都用满次数",
             "{perfect} of {elders} elders ({share_bp}) used every subsidised meal of their weeks"),
        Text("真实的老人会生病、走亲戚", "Real people fall ill and visit their children"),
        _perfect, meals_a_week=5, weeks=3, elders=8, share_bp=6_000, about="elders_here",
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
             "{pairs} pairs of elders came in the same order on {days} days or more"),
        Text("一叠卡按同样的顺序代刷", "A stack of cards is read in its order"),
        _procession, gap_s=180, days=6, pairs=4, about="elders_here",
    ),
    _check(
        "one_user_orders", Text("一个账号替很多老人点餐", "One account orders for many elders"),
        Text("账号{user}本月替{elders}位老人点了{meals}份补贴餐",
             "Account {user} ordered {meals} subsidised meals for {elders} elders"),
        Text("家属最多替几位老人点餐", "A family orders for a few, not for dozens"),
        _one_user, elders=8, about="orders",
    ),
    _check(
        "shared_phone", Text("多位老人共用一个电话", "Many elders with one phone"),
        Text("{elders}位老人登记了同一个电话，本月有{meals}份补贴餐",
             "{elders} elders share one phone number; {meals} subsidised meals this month"),
        Text("代办人可能掌握着他们的卡", "Somebody may hold their cards"),
        _shared_phone, elders=5, about="elders",
    ),
    _check(
        "staff_phone", Text("老人电话是食堂电话", "The canteen's phone as the elder's"),
        Text("{elders}位老人登记的是食堂或企业的电话，本月有{meals}份补贴餐",
             "{elders} elders are registered under the phone of canteen or operator"
             " ({meals} meals)"),
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
             " ({meals} meals)"),
        Text("成批外区老人的卡可能是收来的", "Cards gathered elsewhere come in batches"),
        _far_street, elders=10, share_bp=3_000, about="street",
    ),
    _check(
        "nobody_else", Text("只有补贴餐，没有其他客人", "Nobody eats here but the subsidised"),
        Text("本月{meals}份餐全部是补贴餐，没有一位其他客人",
             "All {meals} meals of the month were subsidised; not one other guest"),
        Text("只为补贴开的食堂没有市场", "A canteen kept for the subsidy alone"),
        _nobody_else, meals=50, about="canteen",
    ),
)  # fmt: skip
