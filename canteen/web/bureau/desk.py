"""The work list: what waits for this office, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding as canteens
from canteen.canteens import licensing
from canteen.performance import inspecting, judging
from canteen.settlements import finding, paying_out
from canteen.territory.actors import Actor
from canteen.web.bureau.door import DECIDERS, blueprint, canteen_names
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text

FIRST = 8


@dataclass(frozen=True)
class Task:
    """One line of the work list: how many of what, by when, and where to begin."""

    title: Text
    note: Text
    count: int
    url: str
    due: date | None = None
    late: bool = False


@blueprint.get("")
def desk() -> ResponseReturnValue:
    """Everything that waits, as tasks; below it the first statements themselves."""
    by, today = actor(), clock.business_date()
    work = finding.work_list(by, on=today, limit=FIRST)
    proposals = judging.proposals(by, limit=FIRST) if by.role in DECIDERS else []
    return render_template(
        "bureau/desk.html", tasks=_tasks(by, today, work), work=work, today=today,
        proposals=proposals, names=canteen_names(one.canteen_id for one in proposals),
    )


def _tasks(by: Actor, today: date, work: finding.WorkList) -> list[Task]:
    """The work of this office in the order in which it hurts to wait."""
    tasks = []
    if work.waiting_count:
        due = work.waiting[0].statement.due_on
        tasks.append(Task(
            Text("张结算单待审核", "Statements to review"),
            Text("其中 {n} 张已过期限", "{n} of them are past their day").format(
                n=work.overdue_count) if work.overdue_count
            else Text("逐张核对后核准，或退回并说明原因", "Check each, then approve or return it"),
            work.waiting_count, url_for("bureau.statements", stage=by.role), due,
            work.overdue_count > 0,
        ))  # fmt: skip
    if by.role == "city":
        failed = len(paying_out.failed_payouts())
        if failed:
            tasks.append(Task(
                Text("笔付款失败", "Payouts that failed"),
                Text("查看原因，改好后重发", "See why, put it right and send again"),
                failed, url_for("bureau.list_payouts", state="failed"), late=True,
            ))  # fmt: skip
    if by.role in DECIDERS:
        waiting = len(judging.proposals(by))
        if waiting:
            tasks.append(Task(
                Text("条挂牌建议待决定", "Proposals about the sign to decide"),
                Text("规则算出的建议，由您采纳或驳回", "Made by rules; you accept or dismiss them"),
                waiting, url_for("bureau.list_proposals"),
            ))  # fmt: skip
    endings = licensing.expiring(by, today)
    if endings:
        tasks.append(Task(
            Text("份证照即将到期", "Papers about to end"),
            Text("到期后食堂将不能供餐", "Once a paper has ended the canteen may not sell"),
            len(endings), url_for("bureau.list_papers"), endings[0].valid_to,
            endings[0].valid_to < today,
        ))  # fmt: skip
    applying = [one for one in canteens.work_on(by, today) if one.status in APPLYING]
    if applying:
        tasks.append(Task(
            Text("家食堂在申请挂牌", "Canteens applying for the sign"), applying[0].what,
            len(applying), url_for("bureau.list_canteens", status=applying[0].status),
        ))  # fmt: skip
    visits = inspecting.due(by, today)
    if visits:
        tasks.append(Task(
            Text("家食堂应当评估", "Canteens due for a visit"),
            Text("由第三方评估机构上门", "The third-party evaluator goes there"),
            len(visits), url_for("bureau.evaluation"), visits[0].due_on,
            visits[0].due_on < today,
        ))  # fmt: skip
    return tasks


APPLYING = ("applied", "under_review", "public_notice")


@blueprint.get("/papers")
def list_papers() -> ResponseReturnValue:
    """The papers that end soon on this ground, soonest first."""
    return papers_page(actor())


def papers_page(by: Actor) -> ResponseReturnValue:
    """The papers that end soon among those this actor sees, soonest first."""
    today = clock.business_date()
    endings = licensing.expiring(by, today)
    return render_template(
        "bureau/papers.html", endings=endings, today=today, papers=licensing.PAPERS,
        names=canteen_names(one.canteen_id for one in endings),
        title=t("即将到期的证照", "Papers about to end"),
    )
