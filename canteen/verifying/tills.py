"""Checks of the tills' journals: whole chains, signed sales, excesses explained, limits kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.errors import CanteenError
from canteen.money import yuan
from canteen.orders.models import Order, OrderLine
from canteen.orders.quoting import explain
from canteen.tills import entries, keys, ruling
from canteen.tills.models import Till, TillEntry
from canteen.verifying.findings import Check, Found, month_of, stream
from canteen.words import Text

MISSING = Text("第 {number} 号记录缺失", "entry {number} is missing")
FORGED = Text(
    "第 {number} 号记录的签名与内容不符",
    "the signature of entry {number} does not fit what it says",
)
END = Text(
    "应止于第 {head} 号，与最后一条记录不符",
    "should end with entry {head}, which is not the last one there is",
)
UNSENT = Text(
    "平板做过 {claimed} 条记录，只收到 {head} 条",
    "the tablet made {claimed} entries, only {head} have arrived",
)
ALARMS = {
    "altered": Text("收到过内容被改动的记录", "an entry came again with another content"),
    "unsigned": Text("收到过签名不对的记录", "an entry came that its key had not signed"),
}
SALE_FAULTS = {
    "unread": Text("已入账但内容无法读出", "was booked although it cannot be read"),
    "no_order": Text("已入账却没有订单", "was booked without an order"),
    "refused": Text("未入账却有订单", "was refused and has an order"),
    "twice": Text("与另一条记录指向同一份订单", "names the same order as another entry"),
    "canteen": Text("订单不是这台收银机的", "its order is not one of this till"),
    "parts": Text("订单金额与签名的内容不符", "its order's sums are not those that were signed"),
    "void": Text("作废的销售没有取消", "a sale it took back is not cancelled"),
    "lines": Text("订单菜品与签名的内容不符", "its order's dishes are not those that were signed"),
}


def till_chains() -> Found:
    """Every journal is whole from 1 to its head, each entry signed over the one before it."""
    heads = {
        till.id: till for till in db.session.execute(sa.select(Till.id, Till.salt, Till.head,
                                                               Till.head_mac)).all()
    }  # fmt: skip
    rows = stream(
        sa.select(TillEntry.till_id, TillEntry.number, TillEntry.body, TillEntry.mac).order_by(
            TillEntry.till_id, TillEntry.number
        )
    )
    seen = set()
    for till_id, journal in groupby(rows, key=lambda row: row.till_id):
        seen.add(till_id)
        yield from _chain(heads[till_id], journal)
    for till in heads.values():
        if till.id not in seen and till.head:
            yield f"till {till.id}", END.format(head=till.head)


def _chain(till: Any, journal: Iterator[Any]) -> Found:
    key, before, number = keys.key_for(till.id, till.salt), "", 0
    for entry in journal:
        number += 1
        if entry.number != number:
            yield f"till {till.id}", MISSING.format(number=number)
            number = entry.number
        elif not keys.signed(key, before, number, entry.body, entry.mac):
            yield f"till {till.id}", FORGED.format(number=number)
        before = entry.mac
    if (number, before) != (till.head, till.head_mac):
        yield f"till {till.id}", END.format(head=till.head)


def till_sales() -> Found:
    """Every sale of a journal that was taken has its own order, at the sums that were signed."""
    rows = stream(
        sa.select(
            TillEntry.till_id, TillEntry.number, TillEntry.body, TillEntry.outcome,
            TillEntry.order_id, Till.canteen_id.label("till_canteen"), Order.canteen_id,
            Order.channel, Order.list_fen, Order.payable_fen, Order.cash_fen,
            OrderLine.menu_item_id, OrderLine.quantity, OrderLine.unit_fen,
        )
        .join(Till, Till.id == TillEntry.till_id)
        .outerjoin(Order, Order.id == TillEntry.order_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(TillEntry.kind == "sale")
        .order_by(TillEntry.till_id, TillEntry.number)
    )
    for (till_id, number), group in groupby(rows, key=lambda row: (row.till_id, row.number)):
        fault = _sale_fault(list(group))
        if fault:
            yield f"till {till_id} entry {number}", SALE_FAULTS[fault]
    twice = (
        sa.select(TillEntry.till_id, sa.func.max(TillEntry.number).label("number"))
        .where(TillEntry.kind == "sale", TillEntry.order_id.is_not(None))
        .group_by(TillEntry.till_id, TillEntry.order_id)
        .having(sa.func.count() > 1)
    )
    for row in stream(twice):
        yield f"till {row.till_id} entry {row.number}", SALE_FAULTS["twice"]
    voids = (
        sa.select(TillEntry.till_id, TillEntry.number, TillEntry.outcome)
        .outerjoin(Order, Order.id == TillEntry.order_id)
        .where(
            TillEntry.kind == "void", sa.func.coalesce(Order.state, "") != "cancelled",
        )
    )  # fmt: skip
    for row in stream(voids):
        if row.outcome.get("result") == "done":
            yield f"till {row.till_id} entry {row.number}", SALE_FAULTS["void"]


def _sale_fault(rows: list[Any]) -> str | None:
    """What is wrong with one sale; `rows` are its dishes."""
    entry = rows[0]
    done = entry.outcome.get("result") == "done"
    if entry.order_id is None or not done:
        return "no_order" if done else "refused" if entry.order_id is not None else None
    try:
        said = entries.body("sale", entry.body)
    except CanteenError:
        return "unread"
    assert isinstance(said, entries.Sale)
    if entry.canteen_id != entry.till_canteen or entry.channel != "till":
        return "canteen"
    signed = (said.list_fen, said.payable_fen, said.cash_fen)
    if signed != (entry.list_fen, entry.payable_fen, entry.cash_fen):
        return "parts"
    dishes = {(row.menu_item_id, row.quantity, row.unit_fen) for row in rows}
    return None if dishes == set(said.lines) else "lines"


def till_excess() -> Found:
    """What a canteen bears beyond the policy was given by a till without network, to the fen."""
    kept = (
        sa.exists()
        .where(TillEntry.order_id == Order.id, TillEntry.kind == "sale", TillEntry.kept)
    )  # fmt: skip
    for row in stream(sa.select(Order.id).where(Order.excess_fen != 0, ~kept)):
        yield f"order {row.id}", Text(
            "有超额金额，却不是断网时的销售", "has an excess but was not sold without network"
        )
    chosen = sa.select(Order).where(Order.excess_fen != 0)
    for order in db.session.scalars(chosen.execution_options(yield_per=100)):
        quote = explain(order)
        again = quote.payable_fen - order.payable_fen
        if again != order.excess_fen or quote.discount_fen + again != order.discount_fen:
            yield f"order {order.id}", Text(
                "超额应为 {again} 元，记为 {was} 元",
                "its excess should be {again} yuan, {was} is written",
            ).format(again=yuan(again), was=yuan(order.excess_fen))


def till_limits() -> Found:
    """What the programme bears beyond the caps was sold without network, within the limits."""
    kept = (
        sa.exists()
        .where(TillEntry.order_id == Order.id, TillEntry.kind == "sale", TillEntry.kept)
    )  # fmt: skip
    for row in stream(sa.select(Order.id).where(ruling.beyond_caps(), ~kept)):
        yield f"order {row.id}", Text(
            "超出次数的补贴不是断网时给的",
            "was subsidised beyond the caps but not sold without network",
        )
    month = month_of(Order.on)
    sums = (
        sa.select(
            Order.canteen_id, Canteen.district_code, month.label("month"),
            sa.func.sum(Order.subsidy_fen).label("fen"),
        )
        .join(Canteen, Canteen.id == Order.canteen_id)
        .where(ruling.beyond_caps(), Order.state != "cancelled")
        .group_by(Order.canteen_id, Canteen.district_code, month)
    )
    for row in db.session.execute(sums).all():
        limit = ruling.largest_limit_fen(row.district_code, clock.period_of(row.month))
        if row.fen > limit:
            yield f"canteen {row.canteen_id} {clock.period_of(row.month)}", Text(
                "补贴资金承担了 {fen} 元，限额 {limit} 元",
                "the programme bears {fen} yuan beyond the caps, at most {limit} is allowed",
            ).format(fen=yuan(int(row.fen)), limit=yuan(limit))


def till_alarms() -> Found:
    """No till was seen to break its chain, and none claims entries that never arrived."""
    query = sa.select(Till.id, Till.alarm, Till.claimed, Till.head)
    for row in stream(query.where(Till.alarm.is_not(None) | (Till.claimed > Till.head))):
        if row.alarm:
            yield f"till {row.id}", ALARMS.get(row.alarm, Text(row.alarm, row.alarm))
        if row.claimed > row.head:
            yield f"till {row.id}", UNSENT.format(claimed=row.claimed, head=row.head)


CHECKS = (
    Check("till_chains", Text("收银记录连续未改", "Tills' journals are whole"), till_chains),
    Check("till_sales", Text("收银记录与订单一致", "Tills' sales are their orders"), till_sales),
    Check("till_excess", Text("断网超额有据", "Excesses are explained"), till_excess),
    Check("till_limits", Text("断网超额在限额内", "Excesses are within limits"), till_limits),
    Check("till_alarms", Text("收银机没有警报", "No till has an alarm"), till_alarms),
)
