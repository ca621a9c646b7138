"""Checks of settling: every grant in one statement, approved by other hands, paid as approved."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.money import yuan
from canteen.payments.models import Charge, Refund
from canteen.settlements.models import Payout, Statement, StatementLine
from canteen.subsidies.models import Grant, Period
from canteen.verifying.findings import Check, Found, differences, stream
from canteen.words import Text

SHOULD = Text(
    "按明细应为 {expected}，结算单为 {actual}",
    "the meals say {expected}, the statement says {actual}",
)


def settled_once() -> Found:
    """The statements of closed months hold every grant and taking of theirs, once and no others."""
    closed = sa.select(Period.period).where(Period.closed_at.is_not(None))
    granted = (
        sa.select(
            Grant.period, Grant.canteen_id, sa.func.sum(Grant.sign).label("meals"),
            *(sa.func.sum(getattr(Grant, name)).label(name)
              for name in ("till_fen", "enterprise_fen", "delivery_fen")),
        )
        .where(Grant.period.in_(closed)).group_by(Grant.period, Grant.canteen_id).cte("granted")
    )  # fmt: skip
    sides = {"meals": "meals", "elder_fen": "till_fen", "enterprise_fen": "enterprise_fen",
             "delivery_fen": "delivery_fen"}  # fmt: skip
    expected = [
        _row(granted.c.period, granted.c.canteen_id, side, granted.c[name])
        for side, name in sides.items()
    ]
    for table, sign in ((Charge, 1), (Refund, -1)):
        taken = sa.select(
            table.period, table.canteen_id, sa.func.sum(sign * table.amount_fen).label("fen")
        ).where(table.period.in_(closed))
        if table is Charge:
            taken = taken.where(Charge.state == "succeeded")
        part = taken.group_by(table.period, table.canteen_id).subquery()
        expected.append(_row(part.c.period, part.c.canteen_id, "online_fen", part.c.fen))
    s = Statement
    actual = [
        _row(s.period, s.canteen_id, side, getattr(s, side)).where(s.payee == "canteen")
        for side in (*sides, "online_fen")
    ]
    for row in differences(("period", "who", "side"), expected, actual):
        yield f"canteen {row.who} {row.period}", _sentence(row)
    yield from _elders_once(closed)
    for row in stream(sa.select(s.id, s.period).where(s.period.not_in(closed))):
        yield f"statement {row.id}", Text(
            "{period} 尚未结账却有结算单", "exists although {period} is not closed"
        ).format(period=row.period)
    known = sa.select(Period.period)
    for table, name in ((Grant, "grant"), (Charge, "charge"), (Refund, "refund")):
        lost = sa.select(table.id, table.period).where(
            table.period.is_not(None), table.period.not_in(known)
        )
        for row in stream(lost):
            yield f"{name} {row.id}", Text(
                "属于不存在的月份 {period}", "belongs to {period}, a month nobody opened"
            ).format(period=row.period)


def _elders_once(closed: Any) -> Found:
    fen = sa.func.sum(Grant.account_fen)
    expected = [
        _row(Grant.period, Grant.elder_id, "account_fen", fen)
        .where(Grant.period.in_(closed), Grant.account_fen != 0)
        .group_by(Grant.period, Grant.elder_id)
    ]
    s = Statement
    actual = [_row(s.period, s.elder_id, "account_fen", s.account_fen).where(s.payee == "elder")]
    for row in differences(("period", "who", "side"), expected, actual):
        yield f"elder {row.who} {row.period}", _sentence(row)


def _row(period: Any, who: Any, side: str, amount: Any) -> Any:
    return sa.select(
        period.label("period"), who.label("who"), sa.literal(side).label("side"),
        amount.label("amount"),
    )


def _sentence(row: Any) -> Text:
    shown = {
        name: str(int(value)) if row.side == "meals" else yuan(value)
        for name, value in (("expected", row.expected), ("actual", row.actual))
    }
    side = Text(row.side, row.side)
    return Text("{side}：{what}", "{side}: {what}").format(side=side, what=SHOULD.format(**shown))


def lines_sum_to_statements() -> Found:
    """The funders' lines of each statement sum to its sides."""
    s, line = Statement, StatementLine
    sides = {
        "elder": s.elder_fen + s.account_fen, "enterprise": s.enterprise_fen,
        "delivery": s.delivery_fen, "deduction": s.deducted_fen,
    }  # fmt: skip
    expected = [
        sa.select(s.id.label("id"), sa.literal(side).label("side"), fen.label("amount"))
        for side, fen in sides.items()
    ]
    actual = [
        sa.select(
            line.statement_id.label("id"), line.side.label("side"),
            sa.func.sum(line.amount_fen).label("amount"),
        ).group_by(line.statement_id, line.side)
    ]
    for row in differences(("id", "side"), expected, actual):
        yield f"statement {row.id} {row.side}", Text(
            "合计 {expected} 元，出资方共 {actual} 元",
            "{expected} yuan, its funders' lines sum to {actual}",
        ).format(expected=yuan(row.expected), actual=yuan(row.actual))


def carried_once() -> Found:
    """What a statement took up equals what the statements carried into it came to."""
    before = aliased(Statement)
    expected = [
        sa.select(
            before.carried_into_id.label("id"), sa.func.sum(before.total_fen).label("amount")
        ).where(before.carried_into_id.is_not(None)).group_by(before.carried_into_id)
    ]  # fmt: skip
    actual = [sa.select(Statement.id.label("id"), Statement.carried_fen.label("amount"))]
    for row in differences(("id",), expected, actual):
        yield f"statement {row.id}", Text(
            "应结转 {expected} 元，记为 {actual} 元",
            "{expected} yuan were carried into it, it says {actual}",
        ).format(expected=yuan(row.expected), actual=yuan(row.actual))


def payouts_match_approvals() -> Found:
    """Exactly the approved statements with something to pay have a payout, of that amount."""
    s = Statement
    approved = sa.and_(s.stage.in_(("approved", "paid")))
    expected = [sa.select(s.id.label("id"), s.total_fen.label("amount")).where(approved)]
    actual = [sa.select(Payout.statement_id.label("id"), Payout.amount_fen.label("amount"))]
    for row in differences(("id",), expected, actual):
        yield f"statement {row.id}", Text(
            "批准 {expected} 元，付款 {actual} 元",
            "{expected} yuan approved, {actual} ordered to pay",
        ).format(expected=yuan(row.expected), actual=yuan(row.actual))
    unlike = (s.stage == "paid") != (Payout.state == "paid")
    both = sa.select(Payout.id, Payout.state, s.stage).join(s, s.id == Payout.statement_id)
    for row in stream(both.where(unlike)):
        yield f"payout {row.id}", Text(
            "付款状态 {state}，结算单状态 {stage}", "is {state}, its statement is {stage}"
        ).format(state=row.state, stage=row.stage)


CHECKS = (
    Check("settled_once", Text("每餐只结算一次", "Every meal is settled once"), settled_once),
    Check(
        "lines_sum_to_statements",
        Text("出资明细合计等于结算单", "Funders' lines sum to statements"),
        lines_sum_to_statements,
    ),
    Check("carried_once", Text("结转金额一致", "Remainders are carried once"), carried_once),
    Check(
        "payouts_match_approvals", Text("付款与批准一致", "Payouts equal approvals"),
        payouts_match_approvals,
    ),
)
