"""Doing long work: one task at a time, its progress told in between, taken up again if it died.

A run is a task and its number. While it lasts a thread says every quarter of a minute that it is
alive, however long a step takes; one that was taken for dead all the same writes nothing more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db, in_transaction, is_postgresql, transaction
from canteen.errors import CanteenError
from canteen.tasks.models import Task
from canteen.words import Text

log = logging.getLogger(__name__)
# A running task that was not heard of for so long has lost its worker.
SILENT = timedelta(seconds=60)
BEAT = 15.0  # seconds between two signs of life
MOST_RUNS = 3
GAVE_UP = Text(
    "处理进程多次中断，请联系管理员", "The process that did it died several times; ask for help"
)
BROKE = Text(
    "处理时出错，已记录，请稍后再试", "Something went wrong and was noted; try again later"
)


class Cancelled(Exception):
    """The person who asked gave the task up, or another worker has taken it over."""


class Run(NamedTuple):
    """One attempt at a task: nothing of it counts once the next one has begun."""

    task_id: int
    number: int

    def update(self) -> sa.Update:
        """A statement about the task as long as this attempt is the one that counts."""
        tasks = Task.__table__
        return sa.update(tasks).where(
            tasks.c.id == self.task_id, tasks.c.runs == self.number, tasks.c.state == "running"
        )


class Progress:
    """How far a task is. `step` between transactions; it also notices that it was given up."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def step(self, done: int, of: int, says: Text) -> None:
        """Tell that `done` of `of` steps are behind and which comes now.

        Raises Cancelled when the task was given up or taken over. The last step cannot be given
        up any more. Inside a transaction on SQLite, which has one writer, nothing can be told:
        the step is told by the next one outside.
        """
        if in_transaction() and not is_postgresql():
            return
        values = {"done_steps": done, "all_steps": of, "says": [says.zh, says.en]}
        with db.engine.begin() as connection:
            given_up = connection.execute(
                self.run.update().values(heard_at=clock.now(), **values)
                .returning(Task.__table__.c.cancel_asked)
            ).scalar()
        if given_up is not False:  # asked for, or no longer ours
            raise Cancelled


Work = Callable[[Progress, Task], Mapping[str, Any]]


def run_next(kinds: Mapping[str, Work], beat: float = BEAT) -> int | None:
    """Do the task that waits longest, if any; gives its id.

    What it gives back is kept as the result. A refusal is kept as its failure, in the words of
    the user; anything else is logged. Every `beat` seconds it is told that the worker lives.
    """
    run = _take()
    if run is None:
        return None
    task = db.session.get_one(Task, run.task_id, populate_existing=True)
    db.session.expunge(task)
    db.session.rollback()
    try:
        with _alive(run, beat):
            result = dict(kinds[task.kind](Progress(run), task))
        state, failure = "done", None
    except Cancelled:
        state, result, failure = "cancelled", None, None
    except CanteenError as refusal:
        state, result, failure = "failed", None, [refusal.text.zh, refusal.text.en]
    except Exception:
        log.exception("task %s (%s) failed", run.task_id, task.kind)
        state, result, failure = "failed", None, [*BROKE]
    db.session.rollback()
    with transaction() as session:
        ended = session.execute(
            run.update()
            .values(state=state, result=result, failure=failure, ended_at=clock.now())
        )  # fmt: skip
    if not changed(ended):
        log.warning("task %s was taken over from run %s", *run)
    return run.task_id


@contextmanager
def _alive(run: Run, every: float) -> Iterator[None]:
    """Say in a thread, on its own connection, that a run's worker lives."""
    engine, over = db.engine, threading.Event()

    def beat() -> None:
        while not over.wait(every):
            try:
                with engine.begin() as connection:
                    connection.execute(run.update().values(heard_at=clock.now()))
            except sa.exc.SQLAlchemyError:  # the next one may get through
                log.warning("task %s: its sign of life was not taken", run.task_id)

    thread = threading.Thread(target=beat, name=f"task-{run.task_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _take() -> Run | None:
    """Make the next task ours: the oldest that waits, or one whose worker died."""
    now = clock.now()
    lost = (Task.state == "running") & (Task.heard_at < now - SILENT)
    with transaction() as session:
        session.execute(
            sa.update(Task).where(lost, Task.runs >= MOST_RUNS)
            .values(state="failed", failure=[*GAVE_UP], ended_at=now)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        found = session.execute(
            sa.select(Task.id, Task.runs).where((Task.state == "waiting") | lost)
            .order_by(Task.id).limit(1).with_for_update(skip_locked=True)
        ).first()  # fmt: skip
        if found is None:
            return None
        taken = session.execute(
            sa.update(Task)
            .where(Task.id == found.id, Task.runs == found.runs, (Task.state == "waiting") | lost)
            .values(state="running", started_at=now, heard_at=now, runs=found.runs + 1,
                    done_steps=0, all_steps=0, says={})
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        return Run(found.id, found.runs + 1) if changed(taken) else None
