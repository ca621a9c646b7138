"""Asking for long work, following it, giving it up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import changed, db
from canteen.errors import Conflict, NotFound
from canteen.tasks.models import Task
from canteen.territory.actors import Actor
from canteen.words import Text

OPEN = ("waiting", "running")
MOST_OPEN = 5
STATES = {
    "waiting": Text("排队中", "Waiting"),
    "running": Text("进行中", "Running"),
    "done": Text("已完成", "Done"),
    "failed": Text("未完成", "Failed"),
    "cancelled": Text("已取消", "Cancelled"),
}


class TaskNotFound(NotFound):
    """There is no such task of this person."""

    code = "task_not_found"
    text = Text("没有找到这项任务", "This task was not found")


class TaskEnded(Conflict):
    """A task that ended cannot be cancelled."""

    code = "task_ended"
    text = Text("这项任务已经结束", "This task has ended already")


class LastStep(Conflict):
    """A task at its last step is finished before anybody could stop it."""

    code = "task_at_last_step"
    text = Text(
        "已经是最后一步，不能再取消", "It is at its last step and can no longer be cancelled"
    )


class TooMany(Conflict):
    """One person has enough tasks under way."""

    code = "too_many_tasks"
    text = Text(
        "您已有{most}项任务在办，请等其中一项完成或取消一项",
        "You have {most} tasks under way; wait for one or cancel one",
    )


def start(kind: str, args: Mapping[str, Any], by: Actor, *, at: datetime) -> Task:
    """Ask for long work in the act's transaction; a worker takes it up within seconds.

    The same work asked for twice while it is under way is one task. `args` is plain JSON. The
    work is done with the rights of who asked. Refuses with TooMany.
    """
    mine = sa.select(Task).where(Task.asked_by == by.label, Task.state.in_(OPEN))
    under_way = list(db.session.scalars(mine.order_by(Task.id)))
    for task in under_way:
        if (task.kind, task.args) == (kind, dict(args)):
            return task
    if len(under_way) >= MOST_OPEN:
        raise TooMany(most=MOST_OPEN)
    task = Task(
        kind=kind, args=dict(args), state="waiting", done_steps=0, all_steps=0, says={},
        asked_by=by.label, asked_by_user_id=by.user_id, asked_at=at, cancel_asked=False, runs=0,
    )
    db.session.add(task)
    db.session.flush()
    record(by.label, "ask", "task", task.id, {"kind": kind, **args})
    return task


def get_for(by: Actor, task_id: int) -> Task:
    """A task of this person, as it is now. Refuses with TaskNotFound."""
    task = db.session.get(Task, task_id, populate_existing=True)
    if task is None or task.asked_by != by.label:
        raise TaskNotFound()
    return task


def visible(by: Actor) -> Any:
    """The tasks an actor may know of: their own."""
    return Task.asked_by == by.label


def latest(by: Actor, limit: int = 50) -> list[Task]:
    """The last tasks of this person, the newest first."""
    query = sa.select(Task).where(visible(by)).order_by(Task.id.desc()).limit(limit)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def at_last_step() -> sa.ColumnElement[bool]:
    """Whether no step comes after the one at hand, before which a task could still be ended."""
    return (Task.all_steps > 0) & (Task.done_steps >= Task.all_steps - 1)


def cancel(task_id: int, by: Actor, *, at: datetime) -> Task:
    """Give a task up: at once while it waits, else before its next step.

    What its steps have done stays done. Refuses with TaskNotFound, TaskEnded and LastStep.
    """
    task = get_for(by, task_id)
    waiting = db.session.execute(
        sa.update(Task).where(Task.id == task_id, Task.state == "waiting")
        .values(state="cancelled", cancel_asked=True, ended_at=at)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if not changed(waiting):
        running = db.session.execute(
            sa.update(Task)
            .where(Task.id == task_id, Task.state == "running", ~at_last_step())
            .values(cancel_asked=True).execution_options(synchronize_session=False)
        )  # fmt: skip
        if not changed(running):
            raise LastStep() if get_for(by, task_id).state == "running" else TaskEnded()
    record(by.label, "cancel", "task", task_id, {"kind": task.kind})
    return get_for(by, task_id)
