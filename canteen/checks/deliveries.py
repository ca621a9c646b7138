"""Checks of what was handed over: delivered, signed for, collected."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen.checks.following import in_a_row
from canteen.checks.gathering import MEALS, SERVED
from canteen.checks.parts import Check, Scope, found, key
from canteen.checks.rows import each_meal
from canteen.words import Text

m = MEALS.c
DELIVERED = m.service == "delivery"
MINUTES = (m.at - m.sent) // 60  # on the way, once it was handed over


def _signed_at_once(scope: Scope) -> sa.Select[Any]:
    sold = (
        sa.select(
            m.served_by.label("who"), m.day, m.at.label("moment"), m.order_id, m.canteen_id,
            m.stake_fen,
        )
        .where(DELIVERED, m.handed, m.served_by.is_not(None)).subquery()
    )  # fmt: skip
    r = in_a_row(
        scope, sold, lambda made: made["meals"] >= scope["meals"],
        meals=lambda r: sa.func.count(), stake_fen=lambda r: sa.func.sum(r.stake_fen),
    ).c
    return found(
        canteen=r.canteen_id, key=key(r.who, r.from_at), amount=r.stake_fen, user=r.who,
        meals=r.meals, seconds=r.to_at - r.from_at, from_at=r.from_at, order_ids=r.order_ids,
    )  # fmt: skip


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "delivery", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "unsigned", Text("送餐无人签收", "A delivery nobody signed for"),
        Text("{meal_on}的送餐没有签收记录", "The delivery of {meal_on} was never signed for"),
        Text("没有送到的餐不应补贴", "A meal that did not arrive is not subsidised"),
        "hold", each_meal(
            lambda scope: sa.and_(DELIVERED, ~m.handed, m.on <= scope.as_of), sent_at=m.sent
        ),
    ),
    _check(
        "never_sent", Text("签收了却没有送出", "Signed for but never sent out"),
        Text("{meal_on}的送餐{served_at}签收，却没有送出记录",
             "Signed for at {served_at} on {meal_on}, but it was never sent out"),
        Text("送餐应有装车出发的记录", "A delivery leaves the house first"),
        "warn", each_meal(
            lambda scope: sa.and_(DELIVERED, m.handed, m.sent.is_(None)), served_at=SERVED
        ),
    ),
    _check(
        "signed_before_sent", Text("先签收后送出", "Signed for before it was sent"),
        Text("{meal_on}的送餐{served_at}签收，{sent_at}才送出",
             "Signed for at {served_at}, sent out only at {sent_at} ({meal_on})"),
        Text("次序颠倒说明签收是补点的", "The order shows that it was signed without a visit"),
        "hold", each_meal(
            lambda scope: sa.and_(DELIVERED, m.handed, m.at < m.sent),
            served_at=SERVED, sent_at=m.sent,
        ),
    ),
    _check(
        "signed_at_once", Text("一次点完多份签收", "Many deliveries signed at once"),
        Text("账号{user}从{from_at}起{seconds}秒内签收了{meals}份送餐",
             "{user} signed for {meals} deliveries within {seconds} seconds from {from_at}"),
        Text("逐户送到不可能同时签收", "Door to door cannot be all at once"),
        "warn", _signed_at_once, meals=6, gap_s=15, about="orders",
    ),
    _check(
        "slow_delivery", Text("送餐时间过长", "Too long on the way"),
        Text("{meal_on}的送餐{sent_at}出发，{minutes}分钟后才签收",
             "Sent at {sent_at} on {meal_on}, signed for {minutes:minute|minutes} later"),
        Text("热饭久置不安全", "Hot food is not safe for long"),
        "warn", each_meal(
            lambda scope: sa.and_(DELIVERED, m.handed, scope["minutes"] < MINUTES),
            sent_at=m.sent, served_at=SERVED, minutes=MINUTES,
        ), minutes=180,
    ),
    _check(
        "not_collected", Text("没有取餐", "Never collected"),
        Text("{meal_on}预订的餐没有取餐记录", "The meal ordered for {meal_on} was never collected"),
        Text("没有取走的餐不应补贴", "A meal nobody took is not subsidised"),
        "hold", each_meal(
            lambda scope: sa.and_(m.state == "placed", ~DELIVERED, m.on <= scope.as_of)
        ),
    ),
)  # fmt: skip
