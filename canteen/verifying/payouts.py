"""Checks of paying out: released by two people, sent as released, one way only, accounts kept."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen, Operator
from canteen.db import canonical
from canteen.elders.models import Elder
from canteen.money import yuan
from canteen.payments.models import OutboxMessage
from canteen.payouts.models import BankChange, PayoutBatch, PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.models import Payout, Statement
from canteen.verifying.findings import Check, Found, stream, text_of
from canteen.words import Text

UNDER_WAY = ("waiting", "sent")


def payouts_by_two() -> Found:
    """Whatever is under way or paid lies in a batch that one person made and another released."""
    batch, line, m = PayoutBatch, PayoutLine, OutboxMessage
    # Before there were batches a payout was ordered in the very act that approved it.
    before_batches = sa.exists().where(
        Payout.batch_id.is_(None), m.reference == _reference(), m.made_at == Payout.made_at
    )
    state = sa.case((Payout.state == "paid", "paid"), else_="waiting")
    query = (
        sa.select(Payout.id, Payout.amount_fen, batch.state, batch.released_by, batch.made_by,
                  line.amount_fen.label("line_fen"), line.account, Payout.account.label("own"),
                  (line.state == state).label("alike"))
        .outerjoin(batch, batch.id == Payout.batch_id)
        .outerjoin(line, sa.and_(line.batch_id == batch.id, line.payout_id == Payout.id))
        .where(Payout.state.in_((*UNDER_WAY, "paid")), sa.not_(before_batches))
        .where(sa.or_(
            sa.func.coalesce(batch.state, "").not_in(("released", "done")),
            sa.func.coalesce(batch.released_by, batch.made_by) == batch.made_by,
            line.id.is_(None), line.amount_fen != Payout.amount_fen,
            line.account != Payout.account, line.state != state,
        ))
        .order_by(Payout.id)
    )  # fmt: skip
    for row in stream(query):
        if row.state not in ("released", "done"):
            said = Text("不在已放行的批次里", "lies in no batch that was released")
        elif row.released_by in (None, row.made_by):
            said = Text("没有第二个人放行", "was released by nobody else than its maker")
        elif row.line_fen != row.amount_fen:
            said = Text("与批次明细金额不一致", "is not of the amount its batch released")
        elif row.account != row.own:
            said = Text("与批次明细账户不一致", "does not go to the account its batch released")
        else:
            said = Text("与批次明细状态不一致", "and its line do not stand alike")
        yield f"payout {row.id}", said


def batches_add_up() -> Found:
    """A batch's count, sum and digest are those of its lines, as they were released."""
    b, line = PayoutBatch, PayoutLine
    rows = stream(
        sa.select(b.id, b.count, b.total_fen, b.digest, line.payout_id, line.account,
                  line.amount_fen)
        .outerjoin(line, line.batch_id == b.id)
        .where(b.state != "cancelled")
        .order_by(b.id, line.payout_id)
    )  # fmt: skip
    for (id_, count, total_fen, digest), group in groupby(rows, key=lambda row: row[:4]):
        lines = [[row.payout_id, row.account, row.amount_fen] for row in group if row.payout_id]
        fen = sum(line[2] for line in lines)
        if (count, total_fen) != (len(lines), fen):
            yield f"batch {id_}", Text(
                "记为 {count} 笔 {total} 元，明细为 {lines} 笔 {sum} 元",
                "says {count} payouts of {total} yuan, its lines are {lines} of {sum}",
            ).format(count=count, total=yuan(total_fen), lines=len(lines), sum=yuan(fen))
        elif hashlib.sha256(canonical([id_, lines]).encode()).hexdigest() != digest:
            yield f"batch {id_}", Text(
                "明细与复核时不一致", "its lines are not those that were checked"
            )


def sent_as_released() -> Found:
    """No payout arrives twice, goes two ways, or is sent for another sum than was released."""
    line, m, batch = PayoutLine, OutboxMessage, PayoutBatch
    twice = (
        sa.select(line.payout_id).where(line.state == "paid")
        .group_by(line.payout_id).having(sa.func.count() > 1)
    )  # fmt: skip
    for row in stream(twice):
        yield f"payout {row.payout_id}", Text("有两笔付款成功", "was paid twice")
    later = aliased(m)
    sent = (
        sa.select(Payout.id, Payout.amount_fen, Payout.state, Payout.account, batch.way,
                  Payout.batch_id, m.state.label("message"), m.payload, m.reference)
        .select_from(m)
        .outerjoin(Payout, m.reference == _reference())
        .outerjoin(batch, batch.id == Payout.batch_id)
        .where(m.kind == "transfer", sa.not_(sa.exists().where(
            later.reference == m.reference, later.id > m.id
        )))
    )  # fmt: skip
    for row in stream(sent):
        fen = int(row.payload.get("amount_fen", 0))
        if row.id is None:
            yield str(row.reference), Text(
                "发出了没有批准的付款", "was sent though nobody approved it"
            )
        elif fen != row.amount_fen:
            yield f"payout {row.id}", Text(
                "应付 {due} 元，发出 {sent} 元", "is of {due} yuan, {sent} were sent"
            ).format(due=yuan(row.amount_fen), sent=yuan(fen))
        elif row.state in (*UNDER_WAY, "paid") and (row.way or "gateway") == "gateway" and (
            (row.payload.get("account"), row.payload.get("batch_id")) != (row.account, row.batch_id)
        ):
            yield f"payout {row.id}", Text(
                "发往的账户不是放行的账户", "was sent to another account than was released"
            )
        elif row.message == "waiting" and (
            row.state not in UNDER_WAY or (row.way or "gateway") != "gateway"
        ):
            yield f"payout {row.id}", Text(
                "状态为 {state}，却还有待发的转账", "is {state}, yet a transfer still waits"
            ).format(state=row.state)
    unsent = (
        sa.select(Payout.id).outerjoin(batch, batch.id == Payout.batch_id)
        .where(
            Payout.state.in_(UNDER_WAY), sa.func.coalesce(batch.way, "gateway") == "gateway",
            sa.not_(sa.exists().where(m.reference == _reference(), m.state != "dead")),
        )
    )  # fmt: skip
    for row in stream(unsent):
        yield f"payout {row.id}", Text("没有发出的记录", "there is no order to send it")


def payees_as_they_are() -> Found:
    """A statement names the operator and the ground of its canteen, and a payout goes to an
    account its payee has now or had."""
    s, c = Statement, BankChange
    unlike = sa.select(s.id).join(Canteen, Canteen.id == s.canteen_id).where(
        (s.operator_id != Canteen.operator_id) | s.operator_id.is_(None)
        | (s.street_code != Canteen.street_code) | (s.district_code != Canteen.district_code)
    )  # fmt: skip
    for row in stream(unlike):
        yield f"statement {row.id}", Text(
            "企业或辖区与食堂不符", "names another operator or ground than its canteen"
        )
    had = sa.exists().where(
        (c.operator_id == s.operator_id) | (c.elder_id == s.elder_id), c.state == "confirmed",
        (c.old_account == Payout.account) | (c.new_account == Payout.account),
    )
    foreign = (
        paying_out.payees(sa.select(Payout.id))
        .join(Payout, Payout.statement_id == s.id)
        .where(
            Payout.account != "", ~had,
            Payout.account != sa.func.coalesce(paying_out.account_of_payee(), ""),
        )
    )
    for row in stream(foreign):
        yield f"payout {row.id}", Text(
            "账户不属于收款人", "goes to an account its payee never had"
        )


def accounts_by_two() -> Found:
    """Accounts were changed by two people, and every payee has the one confirmed last."""
    c = BankChange
    alone = sa.select(c.id).where(
        c.state == "confirmed", sa.func.coalesce(c.decided_by, c.asked_by) == c.asked_by
    )
    for row in stream(alone):
        yield f"change {row.id}", Text("没有第二个人确认", "was confirmed by nobody else")
    payees = ((Operator, c.operator_id, "operator"), (Elder, c.elder_id, "elder"))
    for table, column, name in payees:
        last = (
            sa.select(sa.func.max(c.decided_at)).where(c.state == "confirmed", column == table.id)
            .correlate(table).scalar_subquery()
        )  # fmt: skip
        unlike = (
            sa.select(table.id, c.new_account, table.payout_account)
            .join(c, sa.and_(column == table.id, c.state == "confirmed", c.decided_at == last))
            .where(sa.func.coalesce(table.payout_account, "") != c.new_account)
        )
        for row in stream(unlike):
            yield f"{name} {row.id}", Text(
                "收款账户尾号 {now}，确认的是尾号 {then}",
                "has an account ending {now}, the one confirmed ends {then}",
            ).format(now=(row.payout_account or "—")[-4:], then=row.new_account[-4:] or "—")


def _reference() -> Any:
    return sa.literal("payout:") + text_of(Payout.id)


CHECKS = (
    Check(
        "payouts_by_two", Text("付款经两人办理", "Payouts were released by two people"),
        payouts_by_two,
    ),
    Check("batches_add_up", Text("批次与明细一致", "Batches equal their lines"), batches_add_up),
    Check(
        "sent_as_released", Text("按放行内容只付一次", "Sent as released, once and one way"),
        sent_as_released,
    ),
    Check(
        "payees_as_they_are", Text("收款人与账户相符", "Payees and their accounts agree"),
        payees_as_they_are,
    ),
    Check(
        "accounts_by_two", Text("收款账户经两人确认", "Accounts were changed by two people"),
        accounts_by_two,
    ),
)
