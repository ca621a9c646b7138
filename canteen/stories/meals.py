"""One meal in a story: ordered, paid, handed over, told by a till, taken back, online."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.db import db
from canteen.money import yuan
from canteen.orders.cancelling import REASONS
from canteen.orders.models import PAYMENTS, SERVICES, Cancellation, Order, OrderRefund
from canteen.payments.models import Charge, Refund
from canteen.stories.events import Event, because
from canteen.tills.models import Till, TillEntry
from canteen.words import Text


def ordered(order: Order) -> list[Event]:
    """From the order to the handing over."""
    how = Text("{service}，应付 {sum} 元", "{service}, {sum} yuan to pay").format(
        service=SERVICES[order.service], sum=yuan(order.payable_fen)
    )
    told = [
        Event(order.placed_at, "meal", Text("下单：{how}", "Ordered: {how}").format(how=how),
              order.placed_by)
    ]  # fmt: skip
    paid = Text("付款（{how}）", "Paid ({how})").format(how=PAYMENTS[order.payment])
    moments = (
        (order.paid_at, paid, ""),
        (order.packed_at, Text("打包", "Packed"), ""),
        (order.sent_at, Text("送出", "Sent out"), ""),
        (order.served_at, Text("交给食客", "Handed over"), order.served_by or ""),
    )
    return told + [Event(at, "meal", words, by) for at, words, by in moments if at]


def at_till(order_id: int) -> list[Event]:
    """The entries of tills about a meal, and how late they arrived."""
    rows = db.session.execute(
        sa.select(TillEntry, Till.name).join(Till, Till.id == TillEntry.till_id)
        .where(TillEntry.order_id == order_id)
    )  # fmt: skip
    return [
        Event(
            entry.received_at, "meal",
            Text("收银机{name}第 {n} 号记录到达，晚 {late} 分钟",
                 "Entry {n} of till {name} arrived, {late} min after it was made").format(
                name=name, n=entry.number,
                late=max(0, round((entry.received_at - entry.made_at).total_seconds() / 60))),
        )
        for entry, name in rows
    ]  # fmt: skip


def taken_back(order: Order) -> list[Event]:
    """A cancellation, or single dishes given back."""
    told = []
    gone = db.session.get(Cancellation, order.id)
    if gone:
        text = Text("取消（{kind}），退还 {sum} 元{why}",
                    "Cancelled ({kind}), {sum} yuan back{why}").format(
            kind=REASONS.get(gone.reason_code, gone.reason_code), sum=yuan(gone.refund_fen),
            why=because(gone.reason))  # fmt: skip
        told.append(Event(gone.at, "meal", text, gone.cancelled_by))
    for part in db.session.scalars(sa.select(OrderRefund).where(OrderRefund.order_id == order.id)):
        text = Text("退部分菜品（{kind}），退还 {sum} 元{why}",
                    "Some dishes back ({kind}), {sum} yuan{why}").format(
            kind=REASONS.get(part.reason_code, part.reason_code), sum=yuan(part.payable_fen),
            why=because(part.reason))  # fmt: skip
        told.append(Event(part.at, "meal", text, part.refunded_by))
    return told


def online(order_id: int) -> list[Event]:
    """Money that came or went back through the provider."""
    charges = db.session.scalars(sa.select(Charge).where(Charge.order_id == order_id)).all()
    told = [
        Event(each.settled_at, "money",
              Text("线上收款 {sum} 元", "{sum} yuan arrived online").format(
                  sum=yuan(each.amount_fen)))
        for each in charges if each.settled_at and each.state == "succeeded"
    ]  # fmt: skip
    back = sa.select(Refund).where(Refund.charge_id.in_([each.id for each in charges]))
    told += [
        Event(each.asked_at, "money",
              Text("线上退款 {sum} 元", "{sum} yuan refunded online").format(
                  sum=yuan(each.amount_fen)))
        for each in db.session.scalars(back)
    ]  # fmt: skip
    return told
