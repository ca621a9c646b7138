"""The timetable is killed half way, run twice at once, and taken over: the books stay whole.

Real processes, real SIGKILL, both databases. Where a process is killed is made certain by a
trigger that keeps it busy in the middle of its transaction.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.cli import main
from canteen.db import db, is_postgresql, transaction
from canteen.ledger.models import Entry
from canteen.once import JobRun
from canteen.orders.models import Order
from canteen.settlements.models import Statement, StatementLine
from canteen.subsidies.models import Period
from canteen.verifying import verify
from tests.settlements.factories import little_month
from tests.stories.processes import Process

WAIT = 120.0
pytestmark = pytest.mark.slow
Start = Callable[..., Process]


@pytest.fixture
def start(process_environment: dict[str, str]) -> Iterator[Start]:
    """Start `canteen` in a process of its own."""
    started: list[Process] = []

    def run(*words: str) -> Process:
        process = Process(process_environment, canteen, *words, errors=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.forget()


def canteen(*words: str) -> None:
    """The command line."""
    main(list(words), prog_name="canteen")


@pytest.fixture
def october(app: Flask) -> None:
    """Meals of October, long past for any clock a test may run under, and nothing done yet."""
    from datetime import date

    little_month(date(2025, 10, 1), post=False)
    db.session.rollback()


def finish(process: Process) -> str:
    said = process.communicate(WAIT)
    assert process.returncode == 0, said
    return said


def facts() -> dict[str, int]:
    """What the timetable leaves behind."""
    db.session.rollback()
    tables = {"entries": Entry, "statements": Statement, "lines": StatementLine, "jobs": JobRun}
    found = {
        name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for name, table in tables.items()
    }
    found["booked"] = db.session.scalar(
        sa.select(sa.func.count()).where(Order.booked_in.is_not(None))
    ) or 0  # fmt: skip
    found["closed"] = db.session.scalar(
        sa.select(sa.func.count()).where(Period.closed_at.is_not(None))
    ) or 0  # fmt: skip
    db.session.rollback()
    return found


@contextmanager
def stuck_at(table: str) -> Iterator[None]:
    """Whoever writes a row of this table is busy for a very long time, in its transaction."""
    with transaction() as session:
        if is_postgresql():
            session.execute(sa.text(
                "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_sleep(300); RETURN NEW; END $$"))  # fmt: skip
            act = "FOR EACH ROW EXECUTE FUNCTION linger()"
        else:
            act = (
                "BEGIN SELECT COUNT(*) FROM (WITH RECURSIVE n(i) AS"
                " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000000000) SELECT i FROM n); END"
            )
        session.execute(sa.text(f"CREATE TRIGGER lingering BEFORE INSERT ON {table} {act}"))
    try:
        yield
    finally:
        with transaction() as session:
            on = f" ON {table}" if is_postgresql() else ""
            session.execute(sa.text(f"DROP TRIGGER lingering{on}"))
            if is_postgresql():
                session.execute(sa.text("DROP FUNCTION linger()"))


def wait_until(happened: Callable[[], bool], process: Process) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + WAIT
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.05)


def lingers() -> bool:
    """Whether a process is in the middle of the slow trigger, its transaction open."""
    if is_postgresql():
        asleep = sa.text("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                         " AND datname = current_database()")  # fmt: skip
        found = bool(db.session.scalar(asleep))
        db.session.rollback()
        return found
    return all(_write_lock_is_taken() for _ in range(16))


def _write_lock_is_taken() -> bool:
    time.sleep(0.05)
    raw = db.engine.raw_connection()
    try:
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("ROLLBACK")
    except Exception as locked:
        assert "locked" in str(locked)
        return True
    finally:
        raw.execute("PRAGMA busy_timeout = 20000")
        raw.close()
    return False


@pytest.mark.parametrize("table", ["postings", "statements", "statement_lines", "audit_records"])
def test_killed_half_way_nothing_is_half_done_and_the_next_run_finishes(
    october: None, start: Start, table: str
) -> None:
    with stuck_at(table):
        process = start("scheduler", "--once")
        if table != "postings":
            wait_until(lambda: facts()["booked"] > 0, process)
        wait_until(lingers, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait(WAIT) == -signal.SIGKILL
        if is_postgresql():  # the server notices at its next word to the dead client
            with transaction() as session:
                session.execute(sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE wait_event = 'PgSleep' AND datname = current_database()"))  # fmt: skip
            wait_until(lambda: not lingers(), start("verify", "--only", "parts_sum"))
    left = facts()
    assert (left["statements"], left["lines"], left["closed"]) == (0, 0, 0)
    assert (left["booked"] > 0) == (left["entries"] > 0) == (table != "postings")
    finish(start("scheduler", "--once"))
    done = facts()
    assert (done["statements"], done["closed"] > 0) == (3, True)
    assert verify() == []
    db.session.rollback()
    finish(start("scheduler", "--once"))
    assert facts() == done, "running once more changes nothing"


def test_two_schedulers_at_one_moment_do_everything_once(october: None, start: Start) -> None:
    first, second = start("scheduler", "--once"), start("scheduler", "--once")
    for process in (first, second):
        assert "ran: " in finish(process)
    found = facts()
    assert found["statements"] == 3
    days = db.session.execute(
        sa.select(Entry.on, sa.func.count()).where(Entry.kind == "day").group_by(Entry.on)
    ).all()
    assert [number for _, number in days] == [2] * 7, "one entry a canteen and day"
    assert verify() == []


def test_one_leads_another_stands_by_and_takes_over_when_it_is_killed(
    october: None, start: Start
) -> None:
    leader = start("scheduler")
    assert leader.stdout.readline() == "scheduler leading\n"
    standby = start("scheduler")
    assert standby.stdout.readline() == "scheduler standing by: another scheduler leads\n"
    wait_until(lambda: facts()["statements"] == 3, leader)
    leader.send_signal(signal.SIGKILL)
    assert leader.wait(WAIT) == -signal.SIGKILL
    assert standby.stdout.readline() == "scheduler leading\n"
    standby.send_signal(signal.SIGTERM)
    said = standby.communicate(WAIT)
    assert standby.returncode == 0
    assert said.endswith("scheduler stopped\n")
    assert verify() == []
