"""The money in a story: subsidies, payouts from batch to bank, debts, instalments, accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.adjustments.models import Claim
from canteen.audit.models import AuditRecord
from canteen.db import db
from canteen.money import yuan
from canteen.payouts import failures
from canteen.payouts.bank_file import number_of
from canteen.payouts.batching import WAYS
from canteen.payouts.changing_accounts import tail
from canteen.payouts.models import BankChange, PayoutBatch, PayoutLine, Repayment
from canteen.settlements import finding
from canteen.settlements.models import Payout, Statement
from canteen.settlements.paying_out import NO_ACCOUNT
from canteen.stories import records
from canteen.stories.events import Event, because
from canteen.subsidies.models import CAUSES, Grant, after_closing
from canteen.words import Text, day, month

WENT = {
    "paid": Text("{month}的 {sum} 元已到账", "{sum} yuan for {month} arrived"),
    "failed": Text("{month}的 {sum} 元未付成{why}", "{sum} yuan for {month} did not arrive{why}"),
    "back": Text("{month}的 {sum} 元被退回{why}", "{sum} yuan for {month} were sent back{why}"),
    "retry": Text("重新办理{month}的 {sum} 元付款", "The payout of {sum} yuan for {month} goes on"),
}
DECIDED = {
    "confirmed": Text("收款账户改为{new}", "The account became the one {new}"),
    "refused": Text("不同意变更收款账户{why}", "The change of account was refused{why}"),
    "withdrawn": Text("撤回收款账户变更", "The change of account was withdrawn"),
}
ON = Text("{on}", "{on}: ")
NOT_PAID = Text("暂扣的补贴不再支付", "Held and now not paid:")
PARTS = Text("，其中老人 {elder} 元、食堂 {canteen} 元",
             ", {elder} of it the elder's and {canteen} the canteen's")
Paid = Mapping[int, tuple[Payout, Statement]]


def grants(rows: Iterable[Grant], *, name_day: bool = False) -> list[Event]:
    """What was given for meals and taken back, each with its cause and the month it is settled.

    What was held and is released only to be denied at once is told as what it is, one denial.
    """
    told = []
    whole = sorted(rows, key=lambda row: (row.order_id, row.number))
    for row, before, after in zip(whole, [None, *whole], [*whole[1:], None], strict=False):
        if _freed(row, after):
            continue
        fen = row.whole_fen
        canteens = abs(row.enterprise_fen + row.delivery_fen)
        parts = PARTS.format(elder=yuan(abs(fen) - canteens), canteen=yuan(canteens))
        text = Text("{on}{what} {sum} 元（{cause}）{parts}，计入{month}",
                    "{on}{what} {sum} yuan ({cause}){parts}, settled in {month}").format(
            on=ON.format(on=day(row.on, year=True)) if name_day else "",
            what=NOT_PAID if before and _freed(before, row) else _given(fen), sum=yuan(abs(fen)),
            cause=CAUSES[row.cause], month=month(row.period), parts=parts if canteens else "",
        )  # fmt: skip
        told.append(Event(row.made_at, "money", text, about=("meal", row.order_id)))
    return told


def _freed(row: Grant, after: Grant | None) -> bool:
    """Whether a row gives only for the next one to take back in the same moment."""
    return after is not None and row.cause == "released" and (
        (row.order_id, row.number + 1, row.made_at) == (after.order_id, after.number, after.made_at)
    )


def late(statement: Statement) -> list[Event]:
    """What a statement settles of earlier months, each time something came late: how many meals."""
    worth, before, after = sa.func.sum(Grant.whole_fen), aliased(Grant), aliased(Grant)
    at_once = (before.made_at == Grant.made_at) & (before.cause == "released")
    was_held = before.id.is_not(None)
    rows = db.session.execute(
        sa.select(
            Grant.made_at, Grant.cause, sa.func.count().label("meals"), worth.label("fen"),
            sa.func.min(Grant.on).label("first"), sa.func.max(Grant.on).label("last"),
            sa.func.min(Grant.order_id).label("order_id"), was_held.label("was_held"),
        )
        .outerjoin(before, (before.order_id == Grant.order_id)
                   & (before.number == Grant.number - 1) & at_once)
        .where(
            *finding.of_statement(statement), after_closing(Grant),
            ~((Grant.cause == "released") & sa.exists().where(
                after.order_id == Grant.order_id, after.number == Grant.number + 1,
                after.made_at == Grant.made_at)),
        )
        .group_by(Grant.made_at, Grant.cause, Grant.sign, was_held)
    )  # fmt: skip
    told = []
    for row in rows:
        fen = int(row.fen)
        text = Text(
            "以前月份 {n} 餐（{first}至{last}）{what} {sum} 元（{cause}）",
            "{what} {sum} yuan for {n:meal|meals} of earlier months, {first} to {last} ({cause})",
        ).format(
            n=row.meals, first=day(row.first, year=True), last=day(row.last, year=True),
            what=NOT_PAID if row.was_held else _given(fen), sum=yuan(abs(fen)),
            cause=CAUSES[row.cause],
        )  # fmt: skip
        about = ("meal", row.order_id) if row.meals == 1 else None
        told.append(Event(row.made_at, "money", text, about=about))
    return told


def claims(*where: sa.ColumnElement[bool]) -> list[Event]:
    """What an elder claimed afterwards, and how it was decided."""
    told = []
    for each in db.session.scalars(sa.select(Claim).where(*where)):
        about = ("meal", each.order_id)
        asked = Text("申请补领：{why}", "Claimed afterwards: {why}").format(why=each.reason)
        told.append(Event(each.asked_at, "money", asked, each.asked_by, about))
        if each.decided_at:
            words = (
                Text("补领获准{why}", "The claim was approved{why}")
                if each.state == "approved"
                else Text("补领未获准{why}", "The claim was refused{why}")
            ).format(why=because(each.decision))
            told.append(Event(each.decided_at, "money", words, each.decided_by or "", about))
    return told


def payouts(*where: sa.ColumnElement[bool], office: bool = True) -> list[Event]:
    """Payouts: ordered, put into a batch, released, arrived, failed, sent back, let go on.

    Why a batch was let go is said to the offices only: it may be about another's payout.
    """
    rows = db.session.execute(
        sa.select(Payout, Statement).join(Statement, Statement.id == Payout.statement_id)
        .where(*where)
    )  # fmt: skip
    paid = {payout.id: (payout, statement) for payout, statement in rows}
    if not paid:
        return []
    ordered = Text("{month}应付 {sum} 元", "{sum} yuan to be paid for {month}")
    nowhere = Text("{month}应付 {sum} 元，还没有收款账户",
                   "{sum} yuan to be paid for {month}; no account is known yet")  # fmt: skip
    told = [
        _of(paid, id_, payout.made_at, nowhere if payout.failure == NO_ACCOUNT else ordered)
        for id_, (payout, _) in paid.items()
    ]
    told += _batches(paid, office)
    last: dict[int, str] = {}
    for row in records.rows("payout", paid):
        id_ = int(row.subject_id)
        act = "back" if (last.get(id_), row.act) == ("paid", "failed") else row.act
        last[id_] = row.act
        if act in WENT:
            failure = row.detail.get("failure")
            why = because(failures.why(failure) if failure else None)
            told.append(_of(paid, id_, row.at, WENT[act], row.actor, why=why))
        else:
            told.append(records.tell(row, "money", ("statement", paid[id_][1].id)))
    return told


def _batches(paid: Paid, office: bool) -> list[Event]:
    """The batches payouts lay in; of one let go only the trail knows what lay in it."""
    told = []
    lines = db.session.execute(
        sa.select(PayoutLine.payout_id, PayoutBatch)
        .join(PayoutBatch, PayoutBatch.id == PayoutLine.batch_id)
        .where(PayoutLine.payout_id.in_(paid))
    )
    made = Text("{month}的付款编入批次 {n}（{way}）", "{month}: in batch {n} ({way})")
    released = Text("批次 {n} 复核放行", "Batch {n} was released")
    for id_, batch in lines:
        number = number_of(batch.id)
        told.append(
            _of(paid, id_, batch.made_at, made, batch.made_by, n=number, way=WAYS[batch.way])
        )
        if batch.released_at:
            by = batch.released_by or ""
            told.append(_of(paid, id_, batch.released_at, released, by, n=number))
    let_go = Text("批次 {n} 取消{why}", "Batch {n} was cancelled{why}")
    for row in db.session.scalars(
        sa.select(AuditRecord).where(
            AuditRecord.subject == "batch", AuditRecord.act == "cancel_batch",
            AuditRecord.at >= min(payout.made_at for payout, _ in paid.values()),
        )
    ):  # fmt: skip
        why = because(row.detail.get("reason") if office else None)
        told += [
            _of(paid, id_, row.at, let_go, row.actor, n=number_of(int(row.subject_id)), why=why)
            for id_ in row.detail.get("payouts", ()) if id_ in paid
        ]  # fmt: skip
    return told


def _of(paid: Paid, id_: int, at: Any, text: Text, by: str = "", **more: Any) -> Event:
    payout, statement = paid[id_]
    said = {"sum": yuan(payout.amount_fen), "month": month(statement.period)} | more
    return Event(at, "money", text.format(**said), by, ("statement", statement.id))


def repayments(*where: sa.ColumnElement[bool]) -> list[Event]:
    """What payees paid back of statements below nothing, once confirmed."""
    rows = db.session.execute(
        sa.select(Repayment, Statement).join(Statement, Statement.id == Repayment.statement_id)
        .where(Repayment.confirmed_at.is_not(None), *where)
    )  # fmt: skip
    text = Text("{on}退回{month}的 {sum} 元，银行流水号 {reference}",
                "{sum} yuan for {month} were paid back on {on}, the bank's reference {reference}")
    return [
        Event(
            paid.confirmed_at or paid.noted_at, "money",
            text.format(on=day(paid.received_on, year=True), month=month(statement.period),
                        sum=yuan(paid.amount_fen), reference=paid.reference),
            paid.confirmed_by or "", ("statement", statement.id),
        )
        for paid, statement in rows
    ]  # fmt: skip


def carried(statement: Statement) -> list[Event]:
    """What a statement took up of earlier ones below nothing, and which later one took it up."""
    took = Text("接续{month}结算单未结的 {sum} 元", "Took up {sum} yuan of {month}'s statement")
    told = [
        Event(
            statement.prepared_at, "money",
            took.format(month=month(each.period), sum=yuan(each.total_fen)),
            statement.prepared_by, ("statement", each.id),
        )
        for each in finding.carried_into(statement.id)
    ]
    if statement.carried_into_id is not None:
        later = db.session.get_one(Statement, statement.carried_into_id)
        text = Text("未结的 {sum} 元转入{month}结算单",
                    "{sum} yuan went into the statement of {month}").format(
            sum=yuan(statement.total_fen), month=month(later.period))  # fmt: skip
        told.append(
            Event(later.prepared_at, "money", text, later.prepared_by, ("statement", later.id))
        )
    return told


def instalments(canteen_id: int, period: str | None = None) -> list[Event]:
    """Sums taken back that were spread over months; those with a part in one month only."""
    told = []
    for row in records.rows("canteen", [canteen_id], act="spread"):
        plan = row.detail["instalments"]
        if period not in (None, *(each for each, _ in plan)):
            continue
        parts = [(month(each), yuan(fen)) for each, fen in plan]
        text = Text("扣回款分 {n} 期（{zh}）{why}", "Taken back in {n} parts ({en}){why}").format(
            n=len(plan), zh="、".join(f"{on.zh} {sum_} 元" for on, sum_ in parts),
            en=", ".join(f"{on.en} {sum_} yuan" for on, sum_ in parts),
            why=because(row.detail.get("reason")),
        )  # fmt: skip
        told.append(Event(row.at, "money", text, row.actor))
    return told


def accounts(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Wishes to be paid to another account, shown by their ends, and how they were decided."""
    told = []
    asked = Text("申请变更收款账户：{old} → {new}", "Another account was asked for: {old} → {new}")
    for each in db.session.scalars(sa.select(BankChange).where(*where)):
        said = {"old": tail(each.old_account), "new": tail(each.new_account, each.old_account)}
        told.append(Event(each.asked_at, "money", asked.format(**said), each.asked_by))
        if each.decided_at:
            text = DECIDED[each.state].format(**said, why=because(each.decision))
            told.append(Event(each.decided_at, "money", text, each.decided_by or ""))
    return told


def _given(fen: int) -> Text:
    return Text("给补贴", "Granted") if fen >= 0 else Text("收回补贴", "Taken back:")
