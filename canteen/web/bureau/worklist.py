"""The work of an office as lines: how many of what, by when, where to begin.

One registry for both desks: each line belongs to a page and is there once that page is. A line
of nothing is not shown.
"""

from __future__ import annotations

from datetime import date
from functools import partial

import sqlalchemy as sa
from flask import current_app, url_for

from canteen.adjustments import claims
from canteen.canteens import finding as canteens
from canteen.canteens import licensing
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.money import yuan
from canteen.notices import telling
from canteen.performance import inspecting, judging
from canteen.settlements import appealing, correcting, finding, problems
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import PolicyDraft
from canteen.territory.actors import BUREAU, DECIDERS, Actor
from canteen.web.bureau import money_work
from canteen.web.bureau.work_lines import Line, Task
from canteen.words import Text, day

OFFICES = (*BUREAU, "operator")
APPLYING = {
    "applied": (Text("家食堂新申请挂牌", "Canteens that applied for the sign"),
                Text("待受理", "To be taken up")),
    "under_review": (Text("家食堂的申请在审核", "Applications under review"),
                     Text("待公示或退回", "Put up for notice or returned")),
    "public_notice": (Text("家食堂在公示", "Canteens on public notice"),
                      Text("期满可挂牌", "Listed once it has run")),
}  # fmt: skip


def tasks(by: Actor, today: date, work: finding.WorkList) -> list[Task]:
    """The work of this reader, their statements of `work` first, in the order in which it hurts
    to wait."""
    door = "operator" if by.role == "operator" else "bureau"
    found = []
    for line in (Line(OFFICES, "statements", partial(_statements, work)), *LINES):
        endpoint = f"{door}.{line.endpoint}"
        if by.role in line.roles and endpoint in current_app.view_functions:
            found.append(line.count(by, today, endpoint))
    return [task for task in found if task is not None and task.count]


def _statements(work: finding.WorkList, by: Actor, today: date, to: str) -> Task | None:
    if not work.waiting_count:
        return None
    verb = {
        "operator": Text("张结算单待确认", "Statements to confirm"),
        "city": Text("张结算单待批准", "Statements to approve for payment"),
    }.get(by.role, Text("张结算单待审核", "Statements to review"))
    note = Text("合计 {sum} 元", "{sum} yuan together").format(sum=yuan(work.waiting_fen))
    if work.overdue_count:
        note = Text("其中 {n} 张已过期限", "{n} of them are past their day").format(
            n=work.overdue_count
        )
    due = work.waiting[0].statement.due_on
    return Task(verb, note, work.waiting_count, url_for(to, stage=by.role), due,
                work.overdue_count > 0)  # fmt: skip


def _findings(by: Actor, today: date, to: str) -> Task | None:
    held = problems.to_decide(by, held_only=True)
    count = held or problems.to_decide(by)
    if held:
        return Task(
            Text("条疑点暂扣着钱，待决定", "Findings hold money until you decide"),
            Text("决定之前，结算单过不了区里这一关", "No statement passes the district before"),
            held, url_for(to, mode="hold"),
        )  # fmt: skip
    return Task(
        Text("条提醒可以看看", "Warnings to look at"),
        Text("不影响结算", "They hold up no statement"), count, url_for(to),
    )  # fmt: skip


def _problems(by: Actor, today: date, to: str) -> Task | None:
    asked = problems.asked_of(by)
    if asked:
        return Task(
            Text("件事请您说明", "Questions to answer"),
            Text("区里等您的答复才能决定", "The district decides once you answer"), asked,
            url_for(to), late=True,
        )  # fmt: skip
    count, mine = problems.to_decide(by), problems.in_hand(by)
    if not mine:
        return Task(
            Text("个问题由区里决定", "Problems the district decides"),
            Text("已结账送审；还可以写明经过", "The month is closed; you can still explain"),
            count, url_for(to),
        )  # fmt: skip
    note = Text("改好了，钱就不会被暂扣", "What is put right is not held back")
    if mine < count:
        note = Text("{n} 个还可以自己改好，其余由区里决定",
                    "{n} you can put right; the district decides the others").format(n=mine)
    return Task(
        Text("个问题还没有结论", "Problems not settled"), note, count, url_for(to)
    )  # fmt: skip


def _to_correct(by: Actor, today: date, to: str) -> Task | None:
    asked = correcting.asked_of(by)
    url = url_for(to, stage="operator")
    if len(asked) == 1:
        url = url_for("operator.corrections", statement_id=asked[0][0])
    return Task(
        Text("餐请您更正", "Meals to put right"),
        Text("退回的结算单里标出的", "Marked in a statement that came back"),
        sum(row[3] for row in asked), url, late=True,
    )  # fmt: skip


def _answered(by: Actor, today: date, to: str) -> Task | None:
    mine = sa.select(sa.func.count(Correction.statement_id.distinct())).join(
        Statement, Statement.id == Correction.statement_id
    )
    count = db.session.scalar(
        mine.where(
            finding.visible(by), Statement.stage == by.role, Correction.state == "answered"
        )
    )
    return Task(
        Text("张结算单的更正已答复", "Statements with corrections answered"),
        Text("对照前后，收下或再问", "Compare before and after"), count or 0,
        url_for(to, stage=by.role),
    )  # fmt: skip


def _appeals(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("件申诉待裁定", "Appeals to decide"),
        Text("由没有经手的人裁定", "By somebody who had no part in it"),
        appealing.waiting_count(by), url_for(to),
    )  # fmt: skip


def _claims(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("件补领申请待核实", "Claims to check"),
        Text("卡没读出、身份后来才批的", "An unread card, a status granted later"),
        claims.count(by), url_for(to),
    )  # fmt: skip


def _policies(by: Actor, today: date, to: str) -> Task | None:
    query = sa.select(sa.func.count(), sa.func.min(PolicyDraft.in_force_from)).where(
        PolicyDraft.state == "proposed", PolicyDraft.territory_code == by.territory,
        PolicyDraft.made_by != by.label,
    )
    count, first = db.session.execute(query).one()
    return Task(
        Text("份政策草案待发布", "Policy drafts to publish"),
        Text("由没有起草的人在施行日之前发布", "By somebody else, before its first day"),
        count, url_for(to), first, bool(first and first <= today),
    )  # fmt: skip


def _proposals(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("条挂牌建议待决定", "Proposals about the sign to decide"),
        Text("规则算出的建议，由您采纳或驳回", "Made by rules; you accept or dismiss them"),
        judging.waiting_count(by), url_for(to),
    )  # fmt: skip


def _papers(by: Actor, today: date, to: str) -> Task | None:
    count, first = licensing.expiring_count(by, today)
    if first is None:
        return None
    ends = Text("最早的{day}到期", "the first ends {day}")
    title = Text("份证照即将到期", "Papers about to end")
    if first < today:
        ends = Text("最早的已于{day}到期", "the first ended {day}")
        title = Text("份证照已到期或即将到期", "Papers ended or about to end")
    return Task(
        title, Text("到期后食堂将不能供餐", "Once a paper has ended the canteen may not sell"),
        count, url_for(to), late=first < today,
        when=ends.format(day=day(first, year=first.year != today.year)),
    )  # fmt: skip


def _applying(status: str, by: Actor, today: date, to: str) -> Task | None:
    query = sa.select(sa.func.count()).where(canteens.visible(by), Canteen.status == status)
    return Task(*APPLYING[status], db.session.scalar(query) or 0, url_for(to, status=status))


def _visits(by: Actor, today: date, to: str) -> Task | None:
    count, first = inspecting.due_count(by, today)
    return Task(
        Text("家食堂应当评估", "Canteens due for a visit"),
        Text("由第三方评估机构上门", "The third-party evaluator goes there"), count,
        url_for(to), first, bool(first and first < today),
    )  # fmt: skip


def _notices(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("条消息未读", "Messages unread"), Text("提醒和通知", "Reminders and news"),
        telling.unread_count(by), url_for(to),
    )  # fmt: skip


LINES = (
    Line(("operator",), "statements", _to_correct),
    Line(("operator",), "problems", _problems),
    Line(DECIDERS, "findings", _findings),
    Line(BUREAU, "statements", _answered),
    Line(DECIDERS, "appeals", _appeals),
    Line(("city",), "list_payouts", money_work.failed),
    Line(("city",), "batches", money_work.drafts),
    Line(("city",), "batches", money_work.ready),
    Line(DECIDERS, "reconciliation", money_work.mismatches),
    Line(BUREAU, "bank_changes", money_work.accounts),
    Line(BUREAU, "claims", _claims),
    Line(DECIDERS, "receivables", money_work.receivables),
    Line(DECIDERS, "receivables", money_work.repayments),
    Line(DECIDERS, "budgets", money_work.budgets),
    Line(("city",), "true_ups", money_work.true_ups),
    Line(("city",), "true_ups", money_work.true_ups_to_pay),
    Line(DECIDERS, "drafts", _policies),
    Line(DECIDERS, "list_proposals", _proposals),
    Line(OFFICES, "list_papers", _papers),
    *(Line(BUREAU, "list_canteens", partial(_applying, status)) for status in APPLYING),
    Line(BUREAU, "evaluation", _visits),
    Line(OFFICES, "notices", _notices),
)
