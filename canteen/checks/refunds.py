"""Checks of what was taken back: by whom, how soon, how late."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.giving_back import BACK
from canteen.checks.parts import Check, Scope, found, key, share_bp
from canteen.checks.summing import DAYS
from canteen.orders.models import Order
from canteen.words import Text

back, m = BACK.c, MEALS.c
taken = sa.func.count(back.order_id.distinct())  # once, though dish by dish


def _of_person(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """What one person took back at a canteen, under "user:7:3:2026-10". Nothing is at stake for
    the programme: the subsidy went back with the meal; the money in the drawer may not have."""
    return (
        found(
            canteen=back.canteen_id, key=key(back.by, back.canteen_id, scope.period),
            user=back.by, refunds=taken, refund_fen=sa.func.sum(back.refund_fen),
            order_ids=sa.func.aggregate_strings(spelling.text(back.order_id), ","), **evidence,
        )
        .where(*_at_the_till(scope)).group_by(back.by, back.canteen_id)
    )  # fmt: skip


def _at_the_till(scope: Scope) -> list[Any]:
    return [back.back_on >= scope.first, back.channel == "till", back.paid]


def _rate(scope: Scope) -> sa.Select[Any]:
    often = (
        sa.select(
            back.by, back.canteen_id, taken.label("refunds"),
            sa.func.sum(back.refund_fen).label("fen"),
            sa.func.aggregate_strings(spelling.text(back.order_id), ",").label("order_ids"),
        )
        .where(*_at_the_till(scope)).group_by(back.by, back.canteen_id)
        .having(taken >= scope["refunds"]).subquery()
    )  # fmt: skip
    o = often.c
    # Whoever's subsidised sales alone are too many for such a rate has sold even more in all.
    some = (
        sa.select(o.by, o.canteen_id, o.refunds, o.fen, o.order_ids)
        .select_from(often)
        .outerjoin(MEALS, sa.and_(m.canteen_id == o.canteen_id, m.placed_by == o.by))
        .group_by(o.by, o.canteen_id, o.refunds, o.fen, o.order_ids)
        .having(sa.func.count(m.order_id) * scope["rate_bp"] <= o.refunds * 10_000)
        .subquery()
    )
    o = some.c
    own = sa.and_(
        Order.canteen_id == o.canteen_id, Order.on.between(scope.first, scope.last),
        Order.channel == "till", Order.placed_by == o.by,
    )  # fmt: skip
    each = (
        sa.select(
            o.by, o.canteen_id, sa.func.min(o.refunds).label("refunds"),
            sa.func.min(o.fen).label("fen"), sa.func.min(o.order_ids).label("order_ids"),
            sa.func.count(Order.id).label("sales"),
        )
        .select_from(some).outerjoin(Order, own).group_by(o.by, o.canteen_id).subquery()
    )  # fmt: skip
    e = each.c
    all_refunds = (
        sa.select(taken).select_from(BACK).where(*_at_the_till(scope)).scalar_subquery()
    )
    all_sales = sa.select(sa.func.sum(DAYS.c.orders)).scalar_subquery()
    rate = share_bp(e.refunds, e.sales)
    others = sa.func.coalesce(share_bp(all_refunds - e.refunds, all_sales - e.sales), 0)
    return found(
        canteen=e.canteen_id, key=key(e.by, e.canteen_id, scope.period), user=e.by,
        refunds=e.refunds, sales=e.sales, rate_bp=rate, others_bp=others,
        refund_fen=e.fen, order_ids=e.order_ids,
    ).where(rate >= scope["rate_bp"], rate >= others * scope["times"])  # fmt: skip


def _at_once(scope: Scope) -> sa.Select[Any]:
    return (
        _of_person(scope, within_s=sa.literal(scope["within_s"]))
        .where(back.back_at - back.placed_at <= scope["within_s"])
        .having(taken >= scope["refunds"])
    )  # fmt: skip


def _long_after(scope: Scope) -> sa.Select[Any]:
    return (
        _of_person(scope, hours=sa.literal(scope["hours"]))
        .where(back.back_at - back.served_at >= scope["hours"] * 3600)
        .having(taken >= scope["refunds"])
    )  # fmt: skip


def _check(code: str, title: Text, reason: Text, why: Text, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "refunds", title, reason, why, "warn", find, thresholds, about)


CHECKS = (
    _check(
        "refund_rate", Text("某人退款率偏高", "One person refunds far more"),
        Text("账号{user}售出{sales}份，退款{refunds}份（{rate_bp}），其他人为{others_bp}",
             "{user} took back {refunds} of {sales} sales ({rate_bp}); the others {others_bp}"),
        Text("退款后现金可能没有给老人", "The cash may not have gone to the diner"),
        _rate, refunds=10, rate_bp=500, times=3, about="nothing",
    ),
    _check(
        "refund_at_once", Text("屡次售出即退", "Sold and taken back at once"),
        Text("账号{user}有{refunds}次在售出{within_s}秒内退款，共{refund_fen}元",
             "{user} took back {refunds:sale|sales} within {within_s} seconds ({refund_fen} yuan)"),
        Text("先出小票再退，钱进了自己口袋", "The diner has left with the slip"),
        _at_once, within_s=120, refunds=5, about="nothing",
    ),
    _check(
        "refund_long_after", Text("老人离开很久后退款", "Taken back long after the diner left"),
        Text("账号{user}有{refunds}次在出餐{hours}小时以后退款，共{refund_fen}元",
             "{user} took back {refunds:meal|meals} {hours:hour|hours} or more after serving"
             " ({refund_fen} yuan)"),
        Text("人已离开，退款给了谁", "To whom was the money given?"),
        _long_after, hours=3, refunds=3, about="nothing",
    ),
)  # fmt: skip
