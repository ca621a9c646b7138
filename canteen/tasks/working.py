"""Doing long work: one task at a time, its progress told in between, taken up again if it died."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db, in_transaction, is_postgresql, transaction
from canteen.errors import CanteenError
from canteen.tasks.models import Task
from canteen.words import Text

log = logging.getLogger(__name__)
# A running task that was not heard of for so long has lost its worker.
SILENT = timedelta(seconds=60)
MOST_RUNS = 3
GAVE_UP = Text(
    "处理进程多次中断，请联系管理员", "The process that did it died several times; ask for help"
)
BROKE = Text(
    "处理时出错，已记录，请稍后再试", "Something went wrong and was noted; try again later"
)


class Cancelled(Exception):
    """The person who asked gave the task up."""


class Progress:
    """How far a task is. `step` between transactions; it also notices that it was given up."""

    def __init__(self, task_id: int) -> None:
        self.task_id = task_id

    def step(self, done: int, of: int, says: Text) -> None:
        """Tell that `done` of `of` steps are behind and which comes now.

        Raises Cancelled when the task was given up. Inside a transaction on SQLite, which has one
        writer, nothing can be told: the step is told by the next one outside.
        """
        if in_transaction() and not is_postgresql():
            return
        values = {"done_steps": done, "all_steps": of, "says": [says.zh, says.en]}
        with db.engine.begin() as connection:
            given_up = connection.execute(
                sa.update(Task.__table__)
                .where(Task.__table__.c.id == self.task_id)
                .values(heard_at=clock.now(), **values)
                .returning(Task.__table__.c.cancel_asked)
            ).scalar()
        if given_up:
            raise Cancelled


Work = Callable[[Progress, Task], Mapping[str, Any]]


def run_next(kinds: Mapping[str, Work]) -> int | None:
    """Do the task that waits longest, if any; gives its id.

    What it gives back is kept as the result. A refusal is kept as its failure, in the words of
    the user; anything else is logged.
    """
    task_id = _take()
    if task_id is None:
        return None
    task = db.session.get_one(Task, task_id, populate_existing=True)
    db.session.expunge(task)
    db.session.rollback()
    try:
        result = dict(kinds[task.kind](Progress(task_id), task))
        state, failure = "done", None
    except Cancelled:
        state, result, failure = "cancelled", None, None
    except CanteenError as refusal:
        state, result, failure = "failed", None, [refusal.text.zh, refusal.text.en]
    except Exception:
        log.exception("task %s (%s) failed", task_id, task.kind)
        state, result, failure = "failed", None, [*BROKE]
    db.session.rollback()
    with transaction() as session:
        session.execute(
            sa.update(Task).where(Task.id == task_id)
            .values(state=state, result=result, failure=failure, ended_at=clock.now())
        )  # fmt: skip
    return task_id


def _take() -> int | None:
    """Make the next task ours: the oldest that waits, or one whose worker died."""
    now = clock.now()
    lost = (Task.state == "running") & (Task.heard_at < now - SILENT)
    with transaction() as session:
        session.execute(
            sa.update(Task).where(lost, Task.runs >= MOST_RUNS)
            .values(state="failed", failure=[*GAVE_UP], ended_at=now)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        found = session.scalar(
            sa.select(Task.id).where((Task.state == "waiting") | lost)
            .order_by(Task.id).limit(1).with_for_update(skip_locked=True)
        )  # fmt: skip
        if found is None:
            return None
        taken = session.execute(
            sa.update(Task).where(Task.id == found, (Task.state == "waiting") | lost)
            .values(state="running", started_at=now, heard_at=now, runs=Task.runs + 1)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        return found if changed(taken) else None
