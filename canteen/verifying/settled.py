"""Checks of settling: every grant in one statement, approved by other hands, paid as approved."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.money import yuan
from canteen.payments.models import Charge, OutboxMessage, Refund
from canteen.settlements.models import Payout, Statement, StatementLine, StatementStep
from canteen.subsidies.models import Grant, Period
from canteen.verifying.findings import Check, Found, differences, stream, text_of
from canteen.words import Text

SHOULD = Text(
    "按明细应为 {expected}，结算单为 {actual}",
    "the meals say {expected}, the statement says {actual}",
)
ONLY_ONCE = ("operator", "street", "district", "city")


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


def approved_by_chain() -> Found:
    """Nothing is approved without every office since its last return, each by another hand."""
    step, back, other = aliased(StatementStep), aliased(StatementStep), aliased(StatementStep)
    last_return = (
        sa.select(sa.func.coalesce(sa.func.max(back.id), 0))
        .where(back.statement_id == step.statement_id, back.verdict == "returned",
               back.stage.in_(ONLY_ONCE))
        .correlate(step).scalar_subquery()
    )  # fmt: skip
    passed = (
        sa.select(step.statement_id, step.stage, step.by_label)
        .where(step.verdict.in_(("confirmed", "approved")), step.id > last_return)
        .cte("passed")
    )
    offices = (
        sa.select(passed.c.statement_id, sa.func.count(passed.c.stage.distinct()).label("offices"))
        .group_by(passed.c.statement_id).subquery()
    )  # fmt: skip
    needed = sa.case((Statement.payee == "canteen", 4), else_=3)
    query = (
        sa.select(Statement.id, Statement.stage)
        .outerjoin(offices, offices.c.statement_id == Statement.id)
        .where(
            Statement.stage.in_(("approved", "paid", "carried")),
            sa.func.coalesce(offices.c.offices, 0) != needed,
        )
    )
    for row in stream(query):
        yield f"statement {row.id}", Text(
            "没有走完各级审核", "was approved without every office of its chain"
        )
    first, second = aliased(passed), aliased(passed)
    same = (
        sa.select(first.c.statement_id, first.c.by_label)
        .join(second, sa.and_(second.c.statement_id == first.c.statement_id,
                              second.c.by_label == first.c.by_label,
                              second.c.stage != first.c.stage))
        .distinct()
    )  # fmt: skip
    prepared = sa.select(passed.c.statement_id, passed.c.by_label).join(
        other,
        sa.and_(other.statement_id == passed.c.statement_id, other.verdict == "prepared",
                other.by_label == passed.c.by_label),
    ).distinct()  # fmt: skip
    for query in (same, prepared):
        for row in stream(query):
            yield f"statement {row.statement_id}", Text(
                "{who} 在不止一个环节经手", "{who} acted at more than one stage"
            ).format(who=row.by_label)
    last = sa.select(sa.func.max(step.id)).group_by(step.statement_id)
    moved = (
        sa.select(Statement.id, Statement.stage, step.to_stage)
        .outerjoin(step, sa.and_(step.statement_id == Statement.id, step.id.in_(last)))
        .where(sa.func.coalesce(step.to_stage, "") != Statement.stage)
    )
    for row in stream(moved):
        yield f"statement {row.id}", Text(
            "现处 {stage}，但最后一步是到 {to}", "stands at {stage}, its last step led to {to}"
        ).format(stage=row.stage, to=row.to_stage or "—")


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
    m = OutboxMessage
    sent = (
        sa.select(Payout.id, Payout.amount_fen, m.payload)
        .join(m, sa.and_(m.reference == sa.literal("payout:") + text_of(Payout.id),
                         m.kind == "transfer"))
    )  # fmt: skip
    for row in stream(sent):
        if int(row.payload.get("amount_fen", 0)) != row.amount_fen:
            yield f"payout {row.id}", Text(
                "应付 {due} 元，发出 {sent} 元", "is of {due} yuan, {sent} were sent"
            ).format(due=yuan(row.amount_fen), sent=yuan(int(row.payload.get("amount_fen", 0))))
    unsent = sa.select(Payout.id).where(
        Payout.state != "failed",
        sa.not_(sa.exists().where(m.reference == sa.literal("payout:") + text_of(Payout.id))),
    )
    for row in stream(unsent):
        yield f"payout {row.id}", Text("没有发出的记录", "there is no order to send it")


CHECKS = (
    Check("settled_once", Text("每餐只结算一次", "Every meal is settled once"), settled_once),
    Check(
        "lines_sum_to_statements",
        Text("出资明细合计等于结算单", "Funders' lines sum to statements"),
        lines_sum_to_statements,
    ),
    Check("carried_once", Text("结转金额一致", "Remainders are carried once"), carried_once),
    Check(
        "approved_by_chain",
        Text("逐级审核、各由一人", "Approved office by office, by other hands"),
        approved_by_chain,
    ),
    Check(
        "payouts_match_approvals", Text("付款与批准一致", "Payouts equal approvals"),
        payouts_match_approvals,
    ),
)
