"""The four stories: of a meal, an elder, a canteen and a statement."""

from __future__ import annotations

from datetime import datetime, time

import sqlalchemy as sa

from canteen import clock
from canteen.adjustments.models import Claim
from canteen.canteens.models import REASONS, STATUSES, Closure, Licence, ListingChange
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders.models import CARE_LEVELS, CATEGORIES, Card, Elder, ElderFact, FamilyMember
from canteen.elders.models import STATUSES as ELDER_STATUSES
from canteen.money import yuan
from canteen.orders.cancelling import REASONS as CANCELLED_FOR
from canteen.orders.models import (
    PAYMENTS,
    SERVICES,
    Cancellation,
    Order,
    OrderRefund,
)
from canteen.payments.models import Charge, Refund
from canteen.performance.models import Inspection, Judgement
from canteen.settlements.models import Payout, Statement, StatementAmendment, StatementStep
from canteen.settlements.review_models import Appeal, Correction, SampledMeal
from canteen.stories import events
from canteen.stories.events import Event, in_order
from canteen.subsidies.models import Grant
from canteen.tills.models import Till, TillEntry
from canteen.words import Text, day

MOST = 200
FACTS = {
    **CATEGORIES, **CARE_LEVELS, **ELDER_STATUSES,
    "covered": Text("享受长期护理保险", "Covered by long-term care"),
    **{str(n): Text(f"残疾{n}级", f"Disability grade {n}") for n in range(1, 5)},
}  # fmt: skip


def of_meal(order_id: int) -> list[Event]:
    """Everything that happened to one meal, from the order to the bank."""
    order = db.session.get_one(Order, order_id)
    told = [*_ordered(order), *_at_till(order_id), *_taken_back(order), *_online(order_id)]
    rows = db.session.scalars(sa.select(Grant).where(Grant.order_id == order_id))
    told += events.grants(rows)
    told += events.findings(Suspicion.order_id == order_id)
    told += events.corrections(Correction.order_id == order_id)
    told += events.appeals(Appeal.order_id == order_id)
    told += _claims(Claim.order_id == order_id)
    periods = sa.select(Grant.period).where(Grant.order_id == order_id)
    own = (Statement.canteen_id == order.canteen_id) & Statement.period.in_(periods)
    told += events.statement_steps(own, StatementStep.verdict != "amended")
    return in_order(told)


def of_elder(elder_id: int, limit: int = MOST) -> list[Event]:
    """What is on the register of an elder, and what their subsidy came to: the last events."""
    elder = db.session.get_one(Elder, elder_id)
    told = [
        Event(elder.registered_at, "register", Text("登记为老人", "Put on the register"))
    ]
    for fact in db.session.scalars(sa.select(ElderFact).where(ElderFact.elder_id == elder_id)):
        until = (
            Text("，至{on}", ", until {on}").format(on=day(fact.valid_to, year=True))
            if fact.valid_to else Text("", "")
        )  # fmt: skip
        told.append(
            Event(
                fact.recorded_at, "register",
                Text("记入：{what}，自{on}{until}", "Recorded: {what}, from {on}{until}").format(
                    what=FACTS.get(fact.value, fact.value), on=day(fact.valid_from, year=True),
                    until=until),
                fact.recorded_by,
            )
        )  # fmt: skip
    for card in db.session.scalars(sa.select(Card).where(Card.elder_id == elder_id)):
        tail = card.number[-4:]
        issued = Text("发卡，尾号 {n}", "Card issued, ends {n}").format(n=tail)
        told.append(Event(_noon(card.issued_on), "register", issued))
        if card.lost_at:
            lost = Text("卡挂失，尾号 {n}", "Card reported lost, ends {n}").format(n=tail)
            told.append(Event(card.lost_at, "register", lost))
    for member in db.session.scalars(
        sa.select(FamilyMember).where(FamilyMember.elder_id == elder_id)
    ):
        may = Text("准许{who}代订", "Let {who} order").format(who=member.relation)
        told.append(Event(member.since, "register", may))
        if member.ended_at:
            no = Text("停止{who}代订", "Ended {who}'s ordering").format(who=member.relation)
            told.append(Event(member.ended_at, "register", no))
    latest = sa.select(Grant).where(Grant.elder_id == elder_id).order_by(Grant.id.desc())
    told += events.grants(db.session.scalars(latest.limit(limit)), name_day=True)
    told += events.findings(Suspicion.elder_id == elder_id)
    told += _claims(Claim.elder_id == elder_id)
    told += events.statement_steps(Statement.elder_id == elder_id)
    return in_order(told, limit)


def of_canteen(canteen_id: int, limit: int = MOST) -> list[Event]:
    """What a canteen is known for: its sign, papers, inspections, doubts, statements."""
    told = []
    for change in db.session.scalars(
        sa.select(ListingChange).where(ListingChange.canteen_id == canteen_id)
    ):
        told.append(
            Event(
                change.at, "sign",
                Text("挂牌状态变为“{to}”（{why}）{more}",
                     "The sign became “{to}” ({why}){more}").format(
                    to=STATUSES[change.to_status],
                    why=REASONS.get(change.reason_code, change.reason_code),
                    more=Text(f"：{change.reason}", f": {change.reason}")
                    if change.reason else Text("", "")),
                change.decided_by,
            )
        )  # fmt: skip
    for paper in db.session.scalars(sa.select(Licence).where(Licence.canteen_id == canteen_id)):
        until = day(paper.valid_to, year=True) if paper.valid_to else Text("长期", "open end")
        told.append(
            Event(_noon(paper.valid_from), "sign",
                  Text("证照 {n} 生效，至{until}", "Paper {n} in force, until {until}").format(
                      n=paper.number, until=until))
        )  # fmt: skip
    for closure in db.session.scalars(sa.select(Closure).where(Closure.canteen_id == canteen_id)):
        closed = Text("停业：{why}", "Closed: {why}").format(why=closure.reason)
        told.append(Event(_noon(closure.on), "sign", closed))
    for each in db.session.scalars(
        sa.select(Inspection).where(Inspection.canteen_id == canteen_id)
    ):
        told.append(
            Event(each.submitted_at, "sign",
                  Text("第三方评估（第 {n} 版）", "Evaluated (version {n})").format(n=each.version),
                  f"user:{each.evaluator_id}")
        )  # fmt: skip
    for one in db.session.scalars(sa.select(Judgement).where(Judgement.canteen_id == canteen_id)):
        told.append(
            Event(_noon(one.proposed_on), "sign",
                  Text("系统建议：{what}（{why}）", "Proposed: {what} ({why})").format(
                      what=STATUSES.get(one.proposes, one.proposes),
                      why=REASONS.get(one.reason_code, one.reason_code)), "job:judge")
        )  # fmt: skip
    told += events.findings(Suspicion.canteen_id == canteen_id, Suspicion.order_id.is_(None))
    told += events.statement_steps(Statement.canteen_id == canteen_id)
    told += events.payouts(Statement.canteen_id == canteen_id)
    return in_order(told, limit)


def of_statement(statement_id: int, limit: int = MOST) -> list[Event]:
    """A statement from its closing to the bank: steps, amendments, lines put right, payout."""
    statement = db.session.get_one(Statement, statement_id)
    told = events.statement_steps(
        StatementStep.statement_id == statement_id, StatementStep.verdict != "amended"
    )
    for each in db.session.scalars(
        sa.select(StatementAmendment).where(StatementAmendment.statement_id == statement_id)
    ):
        told.append(
            Event(
                each.at, "money",
                Text("金额由 {old} 元更正为 {new} 元{why}",
                     "Amended from {old} to {new} yuan{why}").format(
                    old=yuan(each.total_before_fen), new=yuan(each.total_after_fen),
                    why=Text(f"：{each.reason}", f": {each.reason}")
                    if each.reason else Text("", "")),
                each.by_label,
            )
        )  # fmt: skip
    looked = sa.select(SampledMeal).where(
        SampledMeal.statement_id == statement_id, SampledMeal.looked_at.is_not(None)
    )
    for meal in db.session.scalars(looked):
        words = (
            Text("抽查无误", "Looked at: right")
            if meal.verdict == "right" else Text("抽查有误：{why}", "Looked at: wrong: {why}")
        )  # fmt: skip
        told.append(
            Event(meal.looked_at, "review", words.format(why=meal.reason), meal.looked_by or "",
                  ("meal", meal.order_id))
        )  # fmt: skip
    told += events.corrections(Correction.statement_id == statement_id)
    if statement.canteen_id is not None:
        told += events.findings(
            Suspicion.canteen_id == statement.canteen_id, Suspicion.period == statement.period
        )
    told += events.payouts(Payout.statement_id == statement_id)
    return in_order(told, limit)


def _ordered(order: Order) -> list[Event]:
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
    told += [Event(at, "meal", words, by) for at, words, by in moments if at]
    return told


def _at_till(order_id: int) -> list[Event]:
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


def _taken_back(order: Order) -> list[Event]:
    told = []
    gone = db.session.get(Cancellation, order.id)
    if gone:
        told.append(
            Event(gone.at, "meal",
                  Text("取消（{why}），退还 {sum} 元", "Cancelled ({why}), {sum} yuan back").format(
                      why=CANCELLED_FOR.get(gone.reason_code, gone.reason_code),
                      sum=yuan(gone.refund_fen)), gone.cancelled_by)
        )  # fmt: skip
    for part in db.session.scalars(sa.select(OrderRefund).where(OrderRefund.order_id == order.id)):
        told.append(
            Event(part.at, "meal",
                  Text("退部分菜品，退还 {sum} 元", "Some dishes back, {sum} yuan").format(
                      sum=yuan(part.payable_fen)), part.refunded_by)
        )  # fmt: skip
    return told


def _online(order_id: int) -> list[Event]:
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


def _claims(*where: sa.ColumnElement[bool]) -> list[Event]:
    told = []
    for each in db.session.scalars(sa.select(Claim).where(*where)):
        about = ("meal", each.order_id)
        asked = Text("申请补领：{why}", "Claimed afterwards: {why}").format(why=each.reason)
        told.append(Event(each.asked_at, "money", asked, each.asked_by, about))
        if each.decided_at:
            words = (
                Text("补领获准", "The claim was approved")
                if each.state == "approved" else Text("补领未获准：{why}", "Refused: {why}")
            )  # fmt: skip
            told.append(
                Event(each.decided_at, "money", words.format(why=each.decision),
                      each.decided_by or "", about)
            )  # fmt: skip
    return told


def _noon(on: object) -> datetime:
    """Something known by its day only stands at that noon."""
    return clock.instant(on, time(12))  # type: ignore[arg-type]
