"""The review in a story: steps, amendments, meals looked at, corrections, appeals, findings."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from canteen.checks import explaining
from canteen.checks.models import VERDICTS, Suspicion, SuspicionStep
from canteen.db import db
from canteen.elders.models import Elder
from canteen.elders.seeing import masked_name
from canteen.money import yuan
from canteen.payouts import failures
from canteen.settlements.correcting import ANSWERS
from canteen.settlements.models import Statement, StatementAmendment, StatementStep
from canteen.settlements.review_models import Appeal, Correction, SampledMeal
from canteen.stories.events import Event, because
from canteen.subsidies.models import CAUSES
from canteen.territory.actors import ROLES
from canteen.words import Text, month

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
APPEALED = {
    "upheld": Text("申诉成立{why}", "The appeal was upheld{why}"),
    "rejected": Text("申诉驳回{why}", "The appeal was rejected{why}"),
    "moot": Text("核减已撤销，申诉了结{why}", "The denial was lifted, the appeal closed{why}"),
}
CAME_BACK = Text("款项被退回", "The money was sent back")
MOST_NAMED = 6
# Why sums change that no single meal accounts for.
AMENDED = {
    "extrapolated": Text("抽查推算扣减", "Deducted by the sample"),
    "given_back": Text("退还以前月份的推算扣减", "Given back of an earlier deduction"),
}
# A statement's moves to the bank and back are its payout's, which tells more of them.
NOT_PAYING = sa.and_(StatementStep.verdict != "paid", StatementStep.stage != "paid")


def steps(*where: sa.ColumnElement[bool]) -> list[Event]:
    """The steps of statements through their offices."""
    rows = db.session.execute(
        sa.select(StatementStep, Statement).join(
            Statement, Statement.id == StatementStep.statement_id
        ).where(*where).order_by(StatementStep.id)
    )  # fmt: skip
    told = []
    for step, statement in rows:
        office = ROLES.get(step.stage) if step.verdict != "confirmed" else None
        there = Text(f"（{office.zh}）", f" ({office.en})") if office else Text("", "")
        text = Text("{month}结算单：{words}{there}{why}",
                    "Statement of {month}: {words}{there}{why}").format(
            month=month(statement.period), there=there,
            words=CAME_BACK if step.stage == "paid" else STEPS[step.verdict],
            why=because(failures.why(step.reason) if step.stage == "paid" else step.reason),
        )  # fmt: skip
        told.append(Event(step.at, "review", text, step.by_label, ("statement", statement.id)))
    return told


def amendments(statement_id: int) -> list[Event]:
    """Each change of a statement's sums since it was prepared, with its cause."""
    return [
        Event(
            each.at, "money",
            Text("金额由 {old} 元更正为 {new} 元（{cause}）{why}",
                 "Amended from {old} to {new} yuan ({cause}){why}").format(
                old=yuan(each.total_before_fen), new=yuan(each.total_after_fen),
                cause=(AMENDED | CAUSES).get(each.cause, each.cause), why=because(each.reason)),
            each.by_label,
        )
        for each in db.session.scalars(
            sa.select(StatementAmendment).where(StatementAmendment.statement_id == statement_id)
        )
    ]  # fmt: skip


def looks(*where: sa.ColumnElement[bool], gather: bool = False) -> list[Event]:
    """Drawn meals that were looked at, and what was found.

    `gather` names each meal, and tells those found right at one go in one line.
    """
    told, right = [], defaultdict(list)
    for meal in db.session.scalars(
        sa.select(SampledMeal).where(SampledMeal.looked_at.is_not(None), *where)
    ):
        if gather and meal.verdict == "right" and not meal.reason:
            right[meal.looked_at, meal.looked_by or ""].append(meal.order_id)
            continue
        words = (
            Text("抽查{meal}无误{why}", "Drawn and looked at{meal}: right{why}")
            if meal.verdict == "right"
            else Text("抽查{meal}有误{why}", "Drawn and looked at{meal}: wrong{why}")
        ).format(
            meal=Text(" 第 {n} 号餐", ", meal {n}").format(n=meal.order_id) if gather else "",
            why=because(meal.reason),
        )  # fmt: skip
        about = ("meal", meal.order_id)
        told.append(Event(meal.looked_at, "review", words, meal.looked_by or "", about))
    for (at, by), meals in right.items():
        words = Text("抽查 {n} 餐无误", "Drawn and looked at: {n:meal|meals} right")
        about = ("meal", meals[0]) if len(meals) == 1 else None
        told.append(Event(at, "review", words.format(n=len(meals)), by, about))
    return told


def corrections(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Lines sent back to be put right, what the canteen answered, and who took note of it."""
    told = []
    for each in db.session.scalars(sa.select(Correction).where(*where)):
        about = ("meal", each.order_id)
        asked = Text("请食堂更正：{what}", "The canteen was asked to put right: {what}")
        told.append(
            Event(each.asked_at, "review", asked.format(what=each.what), each.asked_by, about)
        )
        if each.answered_at:
            answered = Text("食堂答复“{act}”{why}", "The canteen answered “{act}”{why}").format(
                act=ANSWERS.get(each.act or "", each.act), why=because(each.answer)
            )
            told.append(Event(each.answered_at, "review", answered, each.answered_by or "", about))
        if each.closed_at:
            ended = (
                Text("不再要求更正", "The line is no longer asked for")
                if each.state == "withdrawn" else Text("核阅更正", "The answer was taken note of")
            )  # fmt: skip
            told.append(Event(each.closed_at, "review", ended, each.closed_by or "", about))
    return told


def appeals(*where: sa.ColumnElement[bool]) -> list[Event]:
    """Objections to what was denied, and how they were decided."""
    told = []
    for each in db.session.scalars(sa.select(Appeal).where(*where)):
        about = ("meal", each.order_id)
        filed = Text("食堂申诉：{why}", "The canteen appealed: {why}").format(why=each.reason)
        told.append(Event(each.filed_at, "review", filed, each.filed_by, about))
        if each.decided_at:
            verdict = APPEALED[each.state].format(why=because(each.decision))
            told.append(Event(each.decided_at, "review", verdict, each.decided_by or "", about))
    return told


def findings(*where: sa.ColumnElement[bool], naming: str = "meal elder") -> list[Event]:
    """What the checks found and what was decided about it, each of its meal or its masked elder.

    Which of the two a reader must be told is `naming`. What is the same of several meals, found
    or decided at one go, is one event.
    """
    query = sa.select(Suspicion, Elder.name).outerjoin(Elder, Elder.id == Suspicion.elder_id)
    said, of_whom = {}, {}
    lines: dict[tuple[Any, ...], list[Suspicion]] = defaultdict(list)
    for each, name in db.session.execute(query.where(*where).order_by(Suspicion.id)):
        said[each.id] = each, explaining.explain(each)
        of_whom[each.id] = masked_name(name) if name and "elder" in naming else ""
        what = Text("检查发现{of}：{what}", "A check found{of}: {what}").format(
            what=said[each.id][1].sentence, of="{of}")  # fmt: skip
        alone = each.order_id is None and each.id
        lines[each.found_at, what, "job:check_meals", alone].append(each)
    steps = sa.select(SuspicionStep).join(Suspicion, Suspicion.id == SuspicionStep.suspicion_id)
    for step in db.session.scalars(steps.where(*where).order_by(SuspicionStep.id)):
        one, words = said[step.suspicion_id]
        text = Text("疑点“{title}”{of}{verdict}{why}", "“{title}”{of}: {verdict}{why}").format(
            title=words.title, verdict=VERDICTS[step.verdict], why=because(step.reason), of="{of}"
        )
        alone = one.order_id is None and (one.id, step.id)
        lines[step.at, text, step.by_label, alone].append(one)
    told = []
    for (at, text, by, _), found in lines.items():
        meals = "meal" in naming and found[0].order_id
        of = _meals(found) if meals else _elder(of_whom[found[0].id])
        about = ("finding", found[0].id) if len(found) == 1 else None
        words = Text(*(side.replace("{of}", of[n], 1) for n, side in enumerate(text)))
        told.append(Event(at, "doubt", words, by, about))
    return told


def _meals(found: list[Suspicion]) -> Text:
    """Which meals an event is about, the first few by their numbers."""
    ids = sorted({each.order_id for each in found if each.order_id})
    first = ids[:MOST_NAMED]
    more = Text("等 {n} 餐", " and {left} more") if len(ids) > MOST_NAMED else Text("餐", "")
    return Text("（第 {zh} 号{more}）", " ({word} {en}{more})").format(
        word="meal" if len(ids) == 1 else "meals",
        zh="、".join(map(str, first)), en=", ".join(map(str, first)),
        more=more.format(n=len(ids), left=len(ids) - MOST_NAMED),
    )  # fmt: skip


def _elder(name: str) -> Text:
    return Text("（{who}）", " ({who})").format(who=name) if name else Text("", "")
