"""Long work: asked for here, followed while it runs, cancelled, and its outcome read."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import transaction
from canteen.errors import CanteenError, Refused
from canteen.settlements.closing import ended, open_periods_ended
from canteen.tasks import asking
from canteen.tasks.models import Task
from canteen.territory.actors import BUREAU
from canteen.web.bureau.door import DECIDERS, blueprint
from canteen.web.guards import actor, guard
from canteen.words import Text, month

WORDS = {
    "close_month": Text("月度结账", "Close a month"),
    "check_meals": Text("检查一个月的餐次", "Check a month's meals"),
    "what_if": Text("政策测算", "What-if of a policy"),
}
# What an outcome's figures are called; what is not here is for programs.
FIGURES = {
    "statements": Text("结算单", "Statements"), "meals": Text("餐次", "Meals"),
    "total_fen": Text("金额", "Sum"), "held_true": Text("符合条件的疑点", "Findings that hold"),
    "new": Text("新发现", "New"), "cleared": Text("已不成立", "No longer found"),
    "released": Text("放行餐次", "Meals released"),
}  # fmt: skip
ASKED_HERE = ("close_month", "check_meals")


class NoSuchWork(Refused):
    """This work cannot be asked for here."""

    code = "no_such_work"
    text = Text("不能这样办理", "This cannot be asked for here")


def called(task: Task) -> Text:
    """A task by its name and what it is about."""
    words = WORDS.get(task.kind, Text(task.kind, task.kind))
    period = str(task.args.get("period", ""))
    about = month(period) if period else Text("", "")
    return Text(f"{words.zh} {about.zh}".strip(), f"{words.en} {about.en}".strip())


@blueprint.get("/tasks")
@guard(*BUREAU)
def list_tasks() -> ResponseReturnValue:
    """My long work, and what may be asked for."""
    return _page()


@blueprint.post("/tasks")
@guard(*DECIDERS)
def start_task() -> ResponseReturnValue:
    """Ask for long work."""
    by, kind = actor(), request.form.get("kind", "")
    period = request.form.get("period", "").strip()
    try:
        if kind not in ASKED_HERE or (kind == "close_month" and by.role != "city"):
            raise NoSuchWork(field="kind")
        if kind == "close_month":
            ended(period, clock.business_date())
        with transaction():
            task = asking.start(kind, {"period": period}, by, at=clock.now())
    except CanteenError as refusal:
        return _page(refusal), 422
    return redirect(url_for("bureau.task", task_id=task.id), 303)


@blueprint.get("/tasks/<int:task_id>")
@guard(*BUREAU)
def task(task_id: int) -> ResponseReturnValue:
    """One piece of long work: how far it is, or what came of it."""
    return _one(task_id)


@blueprint.post("/tasks/<int:task_id>/cancellation")
@guard(*BUREAU)
def cancel_task(task_id: int) -> ResponseReturnValue:
    """Give it up."""
    try:
        with transaction():
            asking.cancel(task_id, actor(), at=clock.now())
    except asking.TaskEnded as refusal:
        return _one(task_id, refusal), 409
    return redirect(url_for("bureau.task", task_id=task_id), 303)


def _page(refusal: CanteenError | None = None) -> str:
    by, today = actor(), clock.business_date()
    this = clock.period_of(today)
    return render_template(
        "bureau/tasks.html", tasks=asking.latest(by), called_task=called, states=asking.STATES,
        closable=open_periods_ended(today) if by.role == "city" else [],
        checkable=[this, clock.period_before(this)] if by.role in DECIDERS else [],
        month=month, refusal=refusal,
    )


def _one(task_id: int, refusal: CanteenError | None = None) -> str:
    found = asking.get_for(actor(), task_id)
    result = found.result or {}
    figures = [(label, name, result[name]) for name, label in FIGURES.items() if name in result]
    return render_template(
        "bureau/task.html", task=found, name=called(found), states=asking.STATES,
        figures=figures, path=result.get("path"), under_way=found.state in asking.OPEN,
        says=Text(*found.says) if found.says else None,
        failure=Text(*found.failure) if found.failure else None, refusal=refusal,
    )
