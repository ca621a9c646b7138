"""Long work: asked for here, followed while it runs, cancelled, and its outcome read."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask import redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.errors import CanteenError, Conflict, Refused
from canteen.settlements.closing import ended, open_periods_ended
from canteen.subsidies.models import Period
from canteen.tasks import asking, files
from canteen.tasks.models import Task
from canteen.territory.actors import BUREAU, Actor
from canteen.web.bureau.door import DECIDERS, blueprint, grounds, place, places
from canteen.web.guards import actor, guard
from canteen.web.language import locale, said
from canteen.words import Text, day, month

WORDS = {
    "close_month": Text("月度结账", "Close a month"),
    "check_meals": Text("检查一个月的餐次", "Check a month's meals"),
    "what_if": Text("政策试算", "What-if of a policy"),
    "export_meals": Text("导出补贴餐次", "Take out the subsidised meals"),
}
# What an outcome's figures are called; what is not here is for programs.
FIGURES = {
    "statements": Text("结算单", "Statements"), "meals": Text("餐次", "Meals"),
    "total_fen": Text("金额", "Sum"), "held_true": Text("符合条件的疑点", "Findings that hold"),
    "new": Text("新发现", "New"), "cleared": Text("已不成立", "No longer found"),
    "released": Text("放行餐次", "Meals released"), "rows": Text("行数", "Rows"),
}  # fmt: skip
# What may be asked for here, and by whom.
ASKED_HERE = {"close_month": ("city",), "check_meals": DECIDERS, "export_meals": BUREAU}


class NoSuchWork(Refused):
    """This work cannot be asked for here."""

    code = "no_such_work"
    text = Text("不能这样办理", "This cannot be asked for here")


class NoFile(Conflict):
    """The task made no file, has not made it yet, or it is gone after a week."""

    code = "no_file"
    text = Text("文件还没有生成，或已过期清除", "The file is not there yet, or gone by now")


def called(task: Task) -> Text:
    """A task by its name and what it is about."""
    words = WORDS.get(task.kind, Text(task.kind, task.kind))
    period = str(task.args.get("period", ""))
    about = month(period) if period else _tried(task) if task.args.get("names") else Text("", "")
    where = task.args.get("territory")
    if where in places():
        about = Text("{about} {where}", "{about} {where}").format(about=about, where=place(where))
    return Text(f"{words.zh} {about.zh}".strip(), f"{words.en} {about.en}".strip())


def _tried(task: Task) -> Text:
    """What a what-if is about: its drafts and its days."""
    first, last = (day(date.fromisoformat(task.args[end]), year=True) for end in ("first", "last"))
    names = task.args["names"]
    return Text("{names}，{first}至{last}", "{names}, {first} to {last}").format(
        names=Text("、".join(names), ", ".join(names)), first=first, last=last
    )


@blueprint.get("/tasks")
@guard(*BUREAU)
def list_tasks() -> ResponseReturnValue:
    """My long work, and what may be asked for."""
    return _page()


@blueprint.post("/tasks")
@guard(*BUREAU)
def start_task() -> ResponseReturnValue:
    """Ask for long work."""
    by, kind = actor(), request.form.get("kind", "")
    period = request.form.get("period", "").strip()
    try:
        if by.role not in ASKED_HERE.get(kind, ()):
            raise NoSuchWork(field="kind")
        if kind == "close_month":
            ended(period, clock.business_date())
        else:
            scope_of(period, clock.business_date())
        with transaction():
            task = asking.start(kind, {"period": period} | _more(kind, by), by, at=clock.now())
    except CanteenError as refusal:
        return _page(refusal), 422
    return redirect(url_for("bureau.task", task_id=task.id), 303)


def _more(kind: str, by: Actor) -> dict[str, str]:
    """What a workbook must be told beside its month: the language, the part of the ground."""
    if kind != "export_meals":
        return {}
    territory = request.form.get("territory", "")
    part = {"territory": territory} if territory in dict(grounds(by)) else {}
    return {"locale": locale()} | part


@blueprint.get("/tasks/<int:task_id>")
@guard(*BUREAU)
def task(task_id: int) -> ResponseReturnValue:
    """One piece of long work: how far it is, or what came of it."""
    return _one(task_id)


@blueprint.get("/tasks/<int:task_id>/file")
@guard(*BUREAU)
def task_file(task_id: int) -> ResponseReturnValue:
    """The file a task left; gone after a week."""
    found = asking.get_for(actor(), task_id)
    path = files.of_task(task_id)
    if found.kind != "export_meals" or found.state != "done" or not path.exists():
        raise NoFile()
    name = f"{said(called(found))}.xlsx".replace(" ", "_")
    return send_file(path, as_attachment=True, download_name=name, max_age=0)


@blueprint.post("/tasks/<int:task_id>/cancellation")
@guard(*BUREAU)
def cancel_task(task_id: int) -> ResponseReturnValue:
    """Give it up."""
    try:
        with transaction():
            asking.cancel(task_id, actor(), at=clock.now())
    except (asking.TaskEnded, asking.LastStep) as refusal:
        return _one(task_id, refusal), 409
    return redirect(url_for("bureau.task", task_id=task_id), 303)


def _page(refusal: CanteenError | None = None) -> str:
    by, today = actor(), clock.business_date()
    this = clock.period_of(today)
    return render_template(
        "bureau/tasks.html", tasks=asking.latest(by), called_task=called, states=asking.STATES,
        closable=open_periods_ended(today) if by.role == "city" else [],
        checkable=[this, clock.period_before(this)] if by.role in DECIDERS else [],
        exportable=_exportable(this), grounds=grounds(by), month=month, refusal=refusal,
    )


def _exportable(this: str) -> list[str]:
    """The running month, the one before and every other there is, the latest first."""
    known = db.session.scalars(sa.select(Period.period).where(Period.period < this))
    return sorted({this, clock.period_before(this), *known}, reverse=True)


def _one(task_id: int, refusal: CanteenError | None = None) -> str:
    found = asking.get_for(actor(), task_id)
    result = found.result or {}
    figures = [(label, name, result[name]) for name, label in FIGURES.items() if name in result]
    return render_template(
        "bureau/task.html", task=found, name=called(found), states=asking.STATES,
        figures=figures, path=result.get("path"), under_way=found.state in asking.OPEN,
        at_last_step=found.all_steps > 0 and found.done_steps >= found.all_steps - 1,
        says=Text(*found.says) if found.says else None,
        failure=Text(*found.failure) if found.failure else None, refusal=refusal,
    )
