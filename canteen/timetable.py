"""When what runs: a process of its own, one leader, catching up with whatever was missed."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy.pool import NullPool

from canteen import background, clock, jobs, once
from canteen.db import db

log = logging.getLogger(__name__)
LEADER_LOCK = 20_240_517  # any number of our own, for PostgreSQL's advisory locks
LOOK_EVERY = 2.0  # seconds between a standby's attempts, and between a leader's looks at its lock


@dataclass(frozen=True)
class Due:
    """A job of the calendar, by Shanghai time: every day, or on one day of every month."""

    job: str
    at: time
    run: Callable[[datetime], None]
    day_of_month: int | None = None

    def latest(self, now: datetime) -> datetime:
        """The last instant up to now at which it was due."""
        on = clock.business_date(now)
        if clock.instant(on, self.at) > now:
            on -= timedelta(days=1)
        if self.day_of_month is not None:
            while on.day != self.day_of_month:
                on -= timedelta(days=1)
        return clock.instant(on, self.at)

    def done(self, now: datetime) -> bool:
        """Whether that was done."""
        last = once.last_due(self.job)
        db.session.rollback()
        return last is not None and last >= self.latest(now)


# In the order they must run when several are due: what nobody fetched is cancelled before the
# tills are posted, and posted and checked before the month is closed.
CALENDAR = (
    Due("expire", time(1, 0), jobs.nightly_uncollected),
    Due("post_day", time(1, 10), jobs.nightly_posting),
    Due("check_meals", time(1, 20), jobs.nightly_checks),
    Due("close_month", time(2, 0), jobs.monthly_closing, day_of_month=1),
    Due("late_facts", time(2, 20), jobs.nightly_late_facts),
    Due("judge", time(2, 30), jobs.nightly_judging),
    Due("silence", time(2, 50), jobs.nightly_silence),
    Due("housekeeping", time(3, 10), jobs.nightly_housekeeping),
)
# What is repeated all day, in seconds. Each is harmless when there is nothing to do.
REPEATED: tuple[tuple[str, Callable[[], Any], int], ...] = (
    ("outbox", jobs.send_outbox, 10),
    ("ask_provider", jobs.ask_provider, 60),
    ("expire_unpaid", jobs.expire_unpaid, 300),
    ("cancel_stranded", jobs.cancel_stranded, 30),
    ("tasks", background.run_tasks, 2),
)


def run_due(now: datetime | None = None) -> list[str]:
    """Run every job of the calendar not yet done for its last due instant; gives their names.

    Missed nights fold into one run, missed months are closed one by one. A job that fails is
    logged and still due a minute later; those after it are tried all the same.
    """
    now = now or clock.now()
    ran = []
    for due in CALENDAR:
        if not due.done(now) and _attempt(due.job, partial(due.run, due.latest(now))):
            ran.append(due.job)
    return ran


def run_once() -> tuple[list[str], list[str]]:
    """Run all there is to do now, once; gives what ran and what failed."""
    now = clock.now()  # what falls due meanwhile has not failed
    ran = run_due(now)
    failed = [due.job for due in CALENDAR if not due.done(now)]
    for name, run, _ in REPEATED:
        (ran if _attempt(name, run) else failed).append(name)
    return ran, failed


def serve(app: Flask, say: Callable[[str], None]) -> None:
    """Lead or stand by until SIGTERM or SIGINT; a job that is running is finished first.

    Of several processes one leads. When it dies the database lets go of its lock, and the next
    one leads within seconds, beginning with whatever is due.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    waiting = False
    while not stop.is_set():
        with app.app_context():
            lock = _lock_of(db.engine.url)
        if not lock.take():
            if not waiting:
                say("standing by: another scheduler leads")
            waiting = True
            stop.wait(LOOK_EVERY)
            continue
        waiting = False
        say("leading")
        try:
            _lead(app, lock, stop)
        finally:
            lock.leave()
        say("stopped" if stop.is_set() else "lost the lead")


def _lead(app: Flask, lock: Leadership, stop: threading.Event) -> None:
    """Run the timetable for as long as the lock is ours."""

    def inside(run: Callable[[], Any]) -> Callable[[], None]:
        def job() -> None:
            with app.app_context():
                _attempt(getattr(run, "__name__", "job"), run)

        return job

    options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(timezone=clock.SHANGHAI, job_defaults=options)
    soon = clock.now()
    minute = CronTrigger(second=0, timezone=clock.SHANGHAI)
    scheduler.add_job(inside(run_due), minute, id="calendar", next_run_time=soon)
    for name, run, seconds in REPEATED:
        scheduler.add_job(
            inside(run), IntervalTrigger(seconds=seconds), id=name, next_run_time=soon
        )
    scheduler.start()
    try:
        while not stop.wait(LOOK_EVERY):
            if not lock.held():
                log.error("the lock of the leader is gone; standing by")
                break
    finally:
        scheduler.shutdown(wait=True)


def _attempt(name: str, run: Callable[[], Any]) -> bool:
    """Run a job; what goes wrong is logged, and the timetable goes on."""
    try:
        result = run()
    except Exception:
        log.exception("job %s failed", name)
        db.session.rollback()
        return False
    if any(result.values()) if isinstance(result, dict) else result:
        log.info("job %s: %s", name, result)
    return True


class Leadership(Protocol):
    """A lock that only one living process has."""

    def take(self) -> bool:
        """Take it; False when another process has it."""

    def held(self) -> bool:
        """Whether it is still ours."""

    def leave(self) -> None:
        """Let it go."""


class AdvisoryLock:
    """PostgreSQL's advisory lock on a connection of its own: it ends with the connection."""

    def __init__(self, url: sa.URL) -> None:
        self.engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.connection: sa.Connection | None = None

    def take(self) -> bool:
        """Try once; a database that does not answer counts as taken."""
        try:
            self.connection = self.engine.connect()
            taking = sa.select(sa.func.pg_try_advisory_lock(LEADER_LOCK))
            if self.connection.scalar(taking):
                return True
        except sa.exc.OperationalError as down:
            log.warning("the database does not answer: %s", down.orig)
        self.leave()
        return False

    def held(self) -> bool:
        """Whether the connection that carries the lock still answers."""
        try:
            return self.connection is not None and self.connection.scalar(sa.select(1)) == 1
        except sa.exc.DBAPIError:
            return False

    def leave(self) -> None:
        """Close the connection, and with it the lock."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class FileLock:
    """A lock on a file beside the SQLite database; the system drops it with the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: int | None = None

    def take(self) -> bool:
        """Try once."""
        self.file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.leave()
            return False
        return True

    def held(self) -> bool:
        """Whether the file that carries the lock is still there."""
        return self.file is not None and os.fstat(self.file).st_nlink > 0

    def leave(self) -> None:
        """Close the file, and with it the lock."""
        if self.file is not None:
            os.close(self.file)
            self.file = None


def _lock_of(url: sa.URL) -> Leadership:
    if url.get_backend_name() == "postgresql":
        return AdvisoryLock(url)
    return FileLock(Path(f"{url.database}.scheduler"))
