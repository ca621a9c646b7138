"""One event of a story, and what several stories tell alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen.checks import explaining
from canteen.checks.models import VERDICTS, Suspicion, SuspicionStep
from canteen.db import db
from canteen.money import yuan
from canteen.settlements.models import STAGES, Payout, Statement, StatementStep
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import CAUSES, Grant
from canteen.words import Text, day, month

KINDS = {
    "meal": Text("用餐", "Meal"),
    "money": Text("补贴与付款", "Money"),
    "review": Text("审核", "Review"),
    "doubt": Text("疑点", "Doubt"),
    "register": Text("登记", "Register"),
    "sign": Text("挂牌与检查", "Sign and inspections"),
}
STEPS = {
    "prepared": Text("结账生成结算单", "The statement was prepared"),
    "confirmed": Text("运营企业确认", "The operator confirmed it"),
    "consented": Text("逾期未办，视为同意", "Nobody spoke in time: taken as consent"),
    "escalated": Text("逾期未办，上报下一级", "Nobody acted in time: passed on"),
    "approved": Text("核准", "Approved"),
    "returned": Text("退回", "Sent back"),
    "undone": Text("撤回核准", "The approval was taken back"),
    "amended": Text("金额更正", "The sums were amended"),
    "paid": Text("已付款", "Paid"),
    "carried": Text("结转下月", "Carried to the next month"),
    "repaid": Text("已退回款项", "Paid back"),
}


@dataclass(frozen=True)
class Event:
    """Something that happened. `by` labels who did it; `about` is a thing to open: ("meal", 7)."""

    at: datetime
    kind: str
    text: Text
    by: str = ""
    about: tuple[str, int] | None = None


def in_order(events: Iterable[Event], limit: int | None = None) -> list[Event]:
    """Oldest first; with `limit` the last so many of them."""
    told = sorted(events, key=lambda event: event.at)
    return told[-limit:] if limit else told


def grants(rows: Iterable[Grant], *, name_day: bool = False) -> list[Event]:
    """What was given for meals and taken back, each with its cause and the month it is settled."""
    told = []
    for row in rows:
        fen = row.till_fen + row.account_fen + row.enterprise_fen + row.delivery_fen
        on = day(row.on, year=True)
        told.append(
            Event(
                row.made_at, "money",
                Text(
                    "{on}{what} {sum} 元（{cause}），计入{month}"
                    if name_day else "{what} {sum} 元（{cause}），计入{month}",
                    "{on}: {what} {sum} yuan ({cause}), settled in {month}"
                    if name_day else "{what} {sum} yuan ({cause}), settled in {month}",
                ).format(
                    on=on, what=Text("给补贴", "granted") if fen >= 0 else
                    Text("收回补贴", "taken back"), sum=yuan(abs(fen)), cause=CAUSES[row.cause],
                    month=month(row.period),
                ),
                about=("meal", row.order_id),
            )
        )  # fmt: skip
    return told


def statement_steps(*where: sa.ColumnElement[bool]) -> list[Event]:
    """The steps of statements, with the sum they stood at."""
    rows = db.session.execute(
        sa.select(StatementStep, Statement).join(
            Statement, Statement.id == StatementStep.statement_id
        ).where(*where).order_by(StatementStep.id)
    )  # fmt: skip
    told = []
    for step, statement in rows:
        words = STEPS[step.verdict]
        office = STAGES.get(step.stage)
        there = Text(f"（{office.zh}）", f" ({office.en})") if office else Text("", "")
        why = Text(f"：{step.reason}", f": {step.reason}") if step.reason else Text("", "")
        told.append(
            Event(
                step.at, "review",
                Text("{month}结算单：{words}{there}{why}",
                     "Statement of {month}: {words}{there}{why}").format(
                    month=month(statement.period), words=words, there=there, why=why),
                step.by_label, ("statement", statement.id),
            )
        )  # fmt: skip
    return told


def findings(*where: sa.ColumnElement[bool]) -> list[Event]:
    """What the checks found and what was decided about it."""
    found = list(db.session.scalars(sa.select(Suspicion).where(*where)))
    told = [
        Event(
            each.found_at, "doubt",
            Text("检查发现：{what}", "A check found: {what}").format(
                what=explaining.explain(each).sentence
            ),
            "job:check_meals", ("finding", each.id),
        )
        for each in found
    ]  # fmt: skip
    by_id = {each.id: each for each in found}
    steps = db.session.scalars(
        sa.select(SuspicionStep).where(SuspicionStep.suspicion_id.in_(by_id))
    )
    for step in steps:
        why = Text(f"：{step.reason}", f": {step.reason}") if step.reason else Text("", "")
        told.append(
            Event(
                step.at, "doubt",
                Text("疑点“{title}”{verdict}{why}", "“{title}”: {verdict}{why}").format(
                    title=explaining.explain(by_id[step.suspicion_id]).title,
                    verdict=VERDICTS[step.verdict], why=why),
                step.by_label, ("finding", step.suspicion_id),
            )
        )  # fmt: skip
    return told


def corrections(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Lines sent back to be put right, and what the canteen answered."""
    told = []
    for each in db.session.scalars(sa.select(Correction).where(*where)):
        about = ("meal", each.order_id)
        asked = Text("请食堂更正：{what}", "The canteen was asked to put right: {what}")
        told.append(
            Event(each.asked_at, "review", asked.format(what=each.what), each.asked_by, about)
        )
        if each.answered_at:
            answered = Text("食堂答复：{what}", "The canteen answered: {what}")
            told.append(
                Event(each.answered_at, "review", answered.format(what=each.answer or each.act),
                      each.answered_by or "", about)
            )  # fmt: skip
    return told


def appeals(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Objections to what was denied, and how they were decided."""
    told = []
    for each in db.session.scalars(sa.select(Appeal).where(*where)):
        about = ("meal", each.order_id)
        filed = Text("食堂申诉：{why}", "The canteen appealed: {why}").format(why=each.reason)
        told.append(Event(each.filed_at, "review", filed, each.filed_by, about))
        if each.decided_at:
            verdict = (
                Text("申诉成立：{why}", "Upheld: {why}")
                if each.state == "upheld" else Text("申诉驳回：{why}", "Rejected: {why}")
            )  # fmt: skip
            told.append(
                Event(each.decided_at, "review", verdict.format(why=each.decision),
                      each.decided_by or "", about)
            )  # fmt: skip
    return told


def payouts(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Payouts ordered and what became of them."""
    told = []
    rows = db.session.execute(
        sa.select(Payout, Statement).join(Statement, Statement.id == Payout.statement_id)
        .where(*where)
    )  # fmt: skip
    for payout, statement in rows:
        about = ("statement", statement.id)
        what = {"sum": yuan(payout.amount_fen), "month": month(statement.period)}
        told.append(
            Event(payout.made_at, "money",
                  Text("{month}应付 {sum} 元", "{sum} yuan to be paid for {month}").format(**what),
                  about=about)
        )  # fmt: skip
        if payout.paid_at:
            told.append(
                Event(payout.paid_at, "money",
                      Text("{month}的 {sum} 元已到账", "{sum} yuan for {month} arrived").format(
                          **what), about=about)
            )  # fmt: skip
    return told
