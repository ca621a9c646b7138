"""Checks of orders: their parts, lines, grants, online money and portions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.db import db
from canteen.menus.models import MenuItem
from canteen.money import yuan
from canteen.orders.models import (
    Cancellation,
    Order,
    OrderLine,
    OrderRefund,
    OrderRefundLine,
)
from canteen.orders.quoting import explain
from canteen.payments.models import Charge, Refund
from canteen.subsidies.models import Funding, Grant
from canteen.verifying.findings import Check, Found, differences, stream
from canteen.verifying.refunds import given_back
from canteen.words import Text

FENS = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
SAMPLE = 500


def parts_sum() -> Found:
    """List price = discount + subsidy + payable, nothing negative, in every order."""
    parts = Order.discount_fen + Order.subsidy_fen + Order.payable_fen
    least = [Order.discount_fen < 0, Order.subsidy_fen < 0, Order.payable_fen < 0]
    wrong = sa.or_(Order.list_fen != parts, Order.list_fen <= 0, *least)
    for row in stream(sa.select(Order.id, Order.list_fen, parts.label("parts")).where(wrong)):
        yield f"order {row.id}", Text(
            "标价 {list} 元，各部分合计 {parts} 元",
            "list price {list} yuan, the parts sum to {parts}",
        ).format(list=yuan(row.list_fen), parts=yuan(row.parts))


def lines_sum() -> Found:
    """The dishes of every order sum to its list price."""
    expected = [sa.select(Order.id.label("id"), Order.list_fen.label("amount"))]
    actual = [
        sa.select(
            OrderLine.order_id.label("id"),
            sa.func.sum(OrderLine.quantity * OrderLine.unit_fen).label("amount"),
        ).group_by(OrderLine.order_id)
    ]
    for row in differences(("id",), expected, actual):
        yield f"order {row.id}", Text(
            "标价 {list} 元，菜品合计 {lines} 元",
            "list price {list} yuan, its dishes sum to {lines}",
        ).format(list=yuan(row.expected), lines=yuan(row.actual))


def grants_match_orders() -> Found:
    """Each subsidised order has its grant, each cancelled one has it back, and the sums agree.

    The rows of an order answer each other: every one mirrors the one before it. A claim made
    afterwards pays to the elder's account what the till did not give.
    """
    given, last, later = aliased(Grant), aliased(Grant), aliased(Grant)
    cancelled = Order.state == "cancelled"
    claimed = given.cause.in_(("claim", "late_fact"))
    # Not the rooms' own rule: a second opinion asks in words of its own.
    is_last = ~sa.exists().where(later.order_id == last.order_id, later.number > last.number)
    faults = {
        "missing": (Order.subsidy_fen > 0) & given.id.is_(None),
        "amount": given.id.is_not(None) & (given.till_fen != Order.subsidy_fen),
        "person": ((sa.func.coalesce(Order.elder_id, 0) != given.elder_id) & ~claimed)
        | (given.canteen_id != Order.canteen_id)
        | (given.on != Order.on),
        "not_back": cancelled & given.id.is_not(None) & (last.cause != "cancelled"),
        "back": (last.cause == "cancelled") & sa.not_(cancelled),
    }  # fmt: skip
    query = (
        sa.select(Order.id, _which(faults))
        .outerjoin(given, sa.and_(given.order_id == Order.id, given.number == 1))
        .outerjoin(last, sa.and_(last.order_id == Order.id, is_last))
        .where(sa.or_(*faults.values()))
    )
    for row in stream(query):
        yield f"order {row.id}", GRANT_FAULTS[row.fault]
    before = aliased(Grant)
    answers = {
        "alone": before.id.is_(None),
        "mirror": (Grant.sign < 0)
        & sa.or_(*(getattr(before, f) + getattr(Grant, f) != 0 for f in FENS)),
    }
    query = (
        sa.select(Grant.order_id, _which(answers))
        .outerjoin(
            before,
            sa.and_(before.order_id == Grant.order_id, before.number == Grant.number - 1),
        )
        .where(Grant.number > 1, sa.or_(*answers.values()))
    )
    for row in stream(query):
        yield f"order {row.order_id}", GRANT_FAULTS[row.fault]
    off = sa.or_(*(getattr(Grant, f) != Grant.sign * getattr(Funding, f) for f in FENS))
    for row in stream(
        sa.select(Grant.order_id, Grant.id).join(Funding, Funding.id == Grant.funding_id).where(off)
    ):
        yield f"order {row.order_id}", GRANT_FAULTS["funding"]


def _which(faults: dict[str, Any]) -> Any:
    """The code of the first fault that holds."""
    return sa.case(*((what, code) for code, what in faults.items())).label("fault")


GRANT_FAULTS = {
    "missing": Text("有补贴却没有补贴记录", "has a subsidy but no grant"),
    "amount": Text("补贴金额与补贴记录不符", "its subsidy differs from its grant"),
    "person": Text(
        "补贴记录的老人、食堂或日期与订单不符", "its grant names another elder, canteen or day"
    ),
    "not_back": Text("已取消但补贴没有收回", "was cancelled but its grant was not taken back"),
    "back": Text("没有取消，补贴却被收回", "was not cancelled but its grant was taken back"),
    "alone": Text("收回了从未给过的补贴", "a grant was taken back that was never given"),
    "mirror": Text("收回的金额与给出的不符", "what was taken back differs from what was given"),
    "funding": Text("补贴金额与出资方案不符", "its grant differs from the way it was funded"),
}


def priced_by_policy() -> Found:
    """A sample of subsidised orders, spread over all of them, prices the same again.

    What a till without network gave in excess the canteen bears: its discount is larger by that.
    """
    count = db.session.scalar(sa.select(sa.func.max(Order.id))) or 0
    step = max(1, count // SAMPLE)
    chosen = sa.select(Order).where(
        Order.policy_id.is_not(None), Order.inputs.is_not(None), Order.id % step == 0
    )
    for order in db.session.scalars(chosen.execution_options(yield_per=100)):
        quote = explain(order)
        excess = order.excess_fen
        again = (
            quote.list_fen, quote.discount_fen + excess, quote.subsidy_fen,
            quote.payable_fen - excess,
        )
        if again != (order.list_fen, order.discount_fen, order.subsidy_fen, order.payable_fen):
            yield f"order {order.id}", Text(
                "按当时政策应补 {again} 元，实际补了 {was} 元",
                "by its policy the subsidy is {again} yuan, it was {was}",
            ).format(again=yuan(quote.subsidy_fen), was=yuan(order.subsidy_fen))


def charges_match_orders() -> Found:
    """Online money: paid orders have their charge, cancelled ones their refund, none too much."""
    of_charge = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_fen), 0)).where(
        Refund.charge_id == Charge.id
    )
    refunded = of_charge.where(Refund.state != "failed").correlate(Charge).scalar_subquery()
    # A refund the provider refused is still owed; that is for people to see to, not a fault here.
    owed = of_charge.where(Refund.state == "failed").correlate(Charge).scalar_subquery()
    succeeded = sa.func.coalesce(Charge.state, "") == "succeeded"
    cancelled = Order.state == "cancelled"
    online = Order.payable_fen - Order.cash_fen
    dishes = given_back()
    # A cancellation gives back the rest, so with it all of the online part has gone back.
    of_dishes = sa.func.coalesce(dishes.c.payable_fen - dishes.c.cash_fen, 0)
    taken = sa.case((cancelled, online), else_=of_dishes)
    faults = {
        "unpaid": Order.paid_at.is_not(None) & (online > 0) & sa.not_(succeeded),
        "amount": Charge.id.is_not(None)
        & ((Charge.amount_fen != online) | (Charge.canteen_id != Order.canteen_id)),
        "not_noted": succeeded
        & Order.paid_at.is_(None)
        & sa.not_(Charge.amount_fen.between(refunded, refunded + owed)),
        "too_much": refunded > sa.func.coalesce(Charge.amount_fen, 0),
        "refund": succeeded
        & Order.paid_at.is_not(None)
        & sa.not_(taken.between(refunded, refunded + owed)),
        "period": succeeded & Charge.period.is_(None),
    }
    query = (
        sa.select(Order.id, _which(faults))
        .outerjoin(Charge, Charge.order_id == Order.id)
        .outerjoin(dishes, dishes.c.order_id == Order.id)
        .where(Order.payment == "online", sa.or_(*faults.values()))
    )
    for row in stream(query):
        yield f"order {row.id}", CHARGE_FAULTS[row.fault]


CHARGE_FAULTS = {
    "unpaid": Text("已标为付款，但没有到账的支付", "is marked paid without a payment that arrived"),
    "amount": Text("支付金额或食堂与订单不符", "its payment is of another amount or canteen"),
    "not_noted": Text(
        "支付已到账，订单未标为付款，也未退款",
        "was paid for, but is neither marked paid nor refunded",
    ),
    "too_much": Text("退款超过支付金额", "more was refunded than was paid"),
    "refund": Text("退款与取消、退菜记录不符", "what went back differs from what it gave back"),
    "period": Text("到账支付没有结算月份", "its payment belongs to no settlement month"),
}


def cancellations_match() -> Found:
    """Exactly the cancelled orders have a cancellation."""
    cancelled = Order.state == "cancelled"
    query = (
        sa.select(Order.id, cancelled.label("cancelled"))
        .outerjoin(Cancellation, Cancellation.order_id == Order.id)
        .where(cancelled != Cancellation.order_id.is_not(None))
    )
    for row in stream(query):
        yield f"order {row.id}", (
            Text("已取消但没有取消记录", "is cancelled without a record of it")
            if row.cancelled
            else Text("有取消记录但未取消", "has a cancellation but is not cancelled")
        )


def portions_match() -> Found:
    """The portions taken of every dish equal what orders not cancelled hold; none oversold."""
    kept = Order.state != "cancelled"
    expected = [
        sa.select(
            OrderLine.menu_item_id.label("id"), sa.func.sum(OrderLine.quantity).label("amount")
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(kept)
        .group_by(OrderLine.menu_item_id),
        sa.select(
            OrderRefundLine.menu_item_id.label("id"),
            (-sa.func.sum(OrderRefundLine.quantity)).label("amount"),
        )
        .join(OrderRefund, OrderRefund.id == OrderRefundLine.refund_id)
        .join(Order, Order.id == OrderRefund.order_id)
        .where(kept)
        .group_by(OrderRefundLine.menu_item_id),
    ]
    actual = [sa.select(MenuItem.id.label("id"), MenuItem.taken.label("amount"))]
    for row in differences(("id",), expected, actual):
        yield f"menu item {row.id}", Text(
            "订单共 {orders} 份，菜单记为 {taken} 份",
            "orders hold {orders} portions, the menu says {taken}",
        ).format(orders=int(row.expected), taken=int(row.actual))
    wrong: Any = (MenuItem.taken < 0) | (MenuItem.taken > MenuItem.portions)
    for row in stream(sa.select(MenuItem.id, MenuItem.taken, MenuItem.portions).where(wrong)):
        yield f"menu item {row.id}", Text(
            "共 {portions} 份，已取 {taken} 份", "{taken} of {portions} portions are taken"
        ).format(taken=row.taken, portions=row.portions)


CHECKS = (
    Check("parts_sum", Text("每单各部分合计等于标价", "The parts of each order sum"), parts_sum),
    Check("lines_sum", Text("每单菜品合计等于标价", "The dishes of each order sum"), lines_sum),
    Check(
        "grants_match_orders", Text("订单与补贴记录一致", "Orders and grants agree"),
        grants_match_orders,
    ),
    Check(
        "priced_by_policy", Text("抽查订单按当时政策计价", "Sampled orders price the same again"),
        priced_by_policy,
    ),
    Check(
        "charges_match_orders", Text("线上支付、退款与订单一致", "Payments and orders agree"),
        charges_match_orders,
    ),
    Check(
        "cancellations_match", Text("取消记录与订单一致", "Cancellations and orders agree"),
        cancellations_match,
    ),
    Check("portions_match", Text("份数与订单一致", "Portions and orders agree"), portions_match),
)
