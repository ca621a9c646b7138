"""Long work is done once, told as it goes, given up when asked, and taken up when it died."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import background, clock
from canteen.db import db, in_transaction, transaction
from canteen.errors import Refused
from canteen.tasks import asking, working
from canteen.tasks.models import Task
from canteen.tasks.working import Progress, Work
from canteen.territory.actors import Actor
from canteen.words import Text

ONE = Text("第一步", "Step one")


@pytest.fixture
def by(app: Flask) -> Actor:
    return Actor("city", None, "tester", territory="120000")


def ask(by: Actor, kind: str = "count", **args: object) -> int:
    with transaction():
        return asking.start(kind, args, by, at=clock.now()).id


def work(task_id: int, run: Work) -> Task:
    assert working.run_next({"count": run}) == task_id
    return db.session.get_one(Task, task_id, populate_existing=True)


def test_work_is_done_once_and_keeps_its_result(by: Actor) -> None:
    task_id = ask(by)
    seen = []

    def count(progress: Progress, task: Task) -> dict[str, int]:
        for number in range(3):
            progress.step(number, 3, ONE)
            found = db.session.execute(
                sa.select(Task.done_steps, Task.state).where(Task.id == task_id)
            ).one()
            db.session.rollback()
            seen.append(tuple(found))
            with transaction():
                assert in_transaction()
                progress.step(number, 3, ONE)
        return {"meals": 3}

    done = work(task_id, count)
    assert seen == [(0, "running"), (1, "running"), (2, "running")]
    assert (done.state, done.result, done.runs) == ("done", {"meals": 3}, 1)
    assert working.run_next({}) is None


def test_the_same_wish_twice_is_one_task_and_nobody_asks_for_too_much(by: Actor) -> None:
    assert ask(by, period="2026-10") == ask(by, period="2026-10")
    for number in range(4):
        ask(by, number=number)
    with pytest.raises(asking.TooMany):
        ask(by, number=9)


def test_a_waiting_task_is_cancelled_at_once_a_running_one_at_its_next_step(by: Actor) -> None:
    waiting = ask(by)
    with transaction():
        assert asking.cancel(waiting, by, at=clock.now()).state == "cancelled"
    with pytest.raises(asking.TaskEnded), transaction():
        asking.cancel(waiting, by, at=clock.now())
    running = ask(by)
    reached = []

    def count(progress: Progress, task: Task) -> dict[str, int]:
        progress.step(0, 2, ONE)
        with transaction():
            asking.cancel(running, by, at=clock.now())
        progress.step(1, 2, ONE)
        reached.append(1)
        return {}

    assert work(running, count).state == "cancelled"
    assert reached == []


def test_the_last_step_is_not_given_up(by: Actor) -> None:
    task_id = ask(by)

    def count(progress: Progress, task: Task) -> dict[str, int]:
        progress.step(1, 2, ONE)
        with pytest.raises(asking.LastStep), transaction():
            asking.cancel(task_id, by, at=clock.now())
        return {"meals": 3}

    done = work(task_id, count)
    assert (done.state, done.cancel_asked) == ("done", False)


def test_a_refusal_is_told_in_its_words_and_a_fault_is_not(by: Actor) -> None:
    refused = ask(by)

    def refuse(progress: Progress, task: Task) -> dict[str, int]:
        raise Refused(Text("月份还没有结束", "The month has not ended"))

    assert work(refused, refuse).failure == ["月份还没有结束", "The month has not ended"]
    broken = ask(by, other=1)

    def break_(progress: Progress, task: Task) -> dict[str, int]:
        raise ZeroDivisionError("secret")

    task = work(broken, break_)
    assert (task.state, task.failure) == ("failed", [*working.BROKE])


def test_a_task_whose_worker_died_is_done_again_but_not_for_ever(by: Actor) -> None:
    task_id = ask(by)

    class Killed(BaseException):
        pass

    def die(progress: Progress, task: Task) -> dict[str, int]:
        raise Killed

    for run in range(1, working.MOST_RUNS + 1):
        with pytest.raises(Killed):
            working.run_next({"count": die})
        db.session.rollback()
        task = db.session.get_one(Task, task_id, populate_existing=True)
        assert (task.state, task.runs) == ("running", run)
        assert working.run_next({"count": die}) is None  # its worker may still be alive
        heard_long_ago()
    assert working.run_next({"count": die}) is None
    task = db.session.get_one(Task, task_id, populate_existing=True)
    assert (task.state, task.failure) == ("failed", [*working.GAVE_UP])


def heard_long_ago() -> None:
    with transaction() as session:
        session.execute(sa.update(Task).values(heard_at=clock.now() - timedelta(minutes=2)))


def test_a_worker_in_a_long_step_says_that_it_lives(by: Actor) -> None:
    task_id = ask(by)

    def count(progress: Progress, task: Task) -> dict[str, int]:
        heard_long_ago()
        for _ in range(200):
            time.sleep(0.05)
            heard_at = db.session.scalar(sa.select(Task.heard_at).where(Task.id == task_id))
            db.session.rollback()
            if heard_at > clock.now() - working.SILENT:
                return {"another worker": working.run_next({})}
        return {}

    assert working.run_next({"count": count}, beat=0.05) == task_id
    task = db.session.get_one(Task, task_id, populate_existing=True)
    assert (task.result, task.runs) == ({"another worker": None}, 1)


@pytest.mark.parametrize("tells", [True, False])
def test_a_worker_taken_for_dead_writes_nothing_more(by: Actor, tells: bool) -> None:
    task_id = ask(by)

    def count(progress: Progress, task: Task) -> dict[str, int]:
        if task.runs == 1:
            heard_long_ago()
            assert working.run_next({"count": count}) == task_id
            if tells:
                progress.step(0, 9, ONE)
        return {"run": task.runs}

    done = work(task_id, count)
    assert (done.state, done.result, done.all_steps) == ("done", {"run": 2}, 0)


def test_nobody_sees_or_cancels_another_persons_task(by: Actor) -> None:
    task_id = ask(by)
    other = Actor("city", 7, territory="120000")
    assert asking.latest(other) == []
    with pytest.raises(asking.TaskNotFound), transaction():
        asking.cancel(task_id, other, at=clock.now())


def test_work_of_somebody_who_left_is_not_done(by: Actor) -> None:
    with transaction():
        task = asking.start("check_meals", {"period": "2026-10"}, by, at=clock.now())
    assert background.run_tasks() == task.id
    done = db.session.get_one(Task, task.id, populate_existing=True)
    assert done.state == "failed"
