"""Checks of what was taken back: by whom, how soon, how late."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.parts import Check, Scope, found, key, share_bp
from canteen.orders.models import Cancellation, Order
from canteen.words import Text


def _of_person(scope: Scope, **evidence: Any) -> sa.Select[Any]:
    """What one person took back at a canteen, under "user:7:3:2026-10". Nothing is at stake for
    the programme: the subsidy went back with the meal; the money in the drawer may not have."""
    return (
        found(
            canteen=Order.canteen_id,
            key=key(Cancellation.cancelled_by, Order.canteen_id, scope.period),
            user=Cancellation.cancelled_by, refunds=sa.func.count(),
            refund_fen=sa.func.sum(Cancellation.refund_fen),
            order_ids=sa.func.aggregate_strings(spelling.text(Order.id), ","), **evidence,
        )
        .select_from(Cancellation).join(Order, Order.id == Cancellation.order_id)
        .where(
            Cancellation.on.between(scope.first, scope.last), Order.channel == "till",
            Order.paid_at.is_not(None),
        )
        .group_by(Cancellation.cancelled_by, Order.canteen_id)
    )  # fmt: skip


def _rate(scope: Scope) -> sa.Select[Any]:
    back = (
        sa.select(
            Cancellation.cancelled_by.label("user"), Order.canteen_id,
            sa.func.count().label("refunds"), sa.func.sum(Cancellation.refund_fen).label("fen"),
            sa.func.aggregate_strings(spelling.text(Order.id), ",").label("order_ids"),
        )
        .join(Order, Order.id == Cancellation.order_id)
        .where(Cancellation.on.between(scope.first, scope.last), Order.channel == "till")
        .group_by(Cancellation.cancelled_by, Order.canteen_id).subquery()
    )  # fmt: skip
    sold = (
        sa.select(Order.placed_by.label("user"), Order.canteen_id, sa.func.count().label("sales"))
        .where(Order.on.between(scope.first, scope.last), Order.channel == "till")
        .group_by(Order.placed_by, Order.canteen_id).subquery()
    )  # fmt: skip
    refunds = sa.func.coalesce(back.c.refunds, 0)
    all_refunds, all_sales = sa.func.sum(refunds).over(), sa.func.sum(sold.c.sales).over()
    others = share_bp(all_refunds - refunds, all_sales - sold.c.sales)
    each = (
        sa.select(
            sold.c.user, sold.c.canteen_id, sold.c.sales, back.c.refunds, back.c.fen,
            back.c.order_ids, share_bp(refunds, sold.c.sales).label("rate_bp"),
            sa.func.coalesce(others, 0).label("others_bp"),
        )
        .join(back, sa.and_(
            back.c.user == sold.c.user, back.c.canteen_id == sold.c.canteen_id
        ), isouter=True).subquery()
    )  # fmt: skip
    e = each.c
    return found(
        canteen=e.canteen_id, key=key(e.user, e.canteen_id, scope.period), user=e.user,
        refunds=e.refunds, sales=e.sales, rate_bp=e.rate_bp, others_bp=e.others_bp,
        refund_fen=e.fen, order_ids=e.order_ids,
    ).where(
        e.refunds >= scope["refunds"], e.rate_bp >= scope["rate_bp"],
        e.rate_bp >= e.others_bp * scope["times"],
    )  # fmt: skip


def _at_once(scope: Scope) -> sa.Select[Any]:
    after = spelling.epoch(Cancellation.at) - spelling.epoch(Order.placed_at)
    return (
        _of_person(scope, within_s=sa.literal(scope["within_s"]))
        .where(after <= scope["within_s"]).having(sa.func.count() >= scope["refunds"])
    )  # fmt: skip


def _long_after(scope: Scope) -> sa.Select[Any]:
    after = spelling.epoch(Cancellation.at) - spelling.epoch(Order.served_at)
    return (
        _of_person(scope, hours=sa.literal(scope["hours"]))
        .where(after >= scope["hours"] * 3600).having(sa.func.count() >= scope["refunds"])
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
             "{user} took back {refunds} sales within {within_s} seconds ({refund_fen} yuan)"),
        Text("先出小票再退，钱进了自己口袋", "The diner has left with the slip"),
        _at_once, within_s=120, refunds=5, about="nothing",
    ),
    _check(
        "refund_long_after", Text("老人离开很久后退款", "Taken back long after the diner left"),
        Text("账号{user}有{refunds}次在出餐{hours}小时以后退款，共{refund_fen}元",
             "{user} took back {refunds} meals {hours} hours or more after they were served"
             " ({refund_fen} yuan)"),
        Text("人已离开，退款给了谁", "To whom was the money given?"),
        _long_after, hours=3, refunds=3, about="nothing",
    ),
)  # fmt: skip
