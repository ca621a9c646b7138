"""The timetable: what is due runs once, what was missed is caught up, what is early is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock, jobs, once, timetable
from canteen.audit.recording import record
from canteen.cli import main
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.ledger.models import Entry
from canteen.menus.models import MenuItem
from canteen.once import JobRun, OnceKey
from canteen.orders.models import Cancellation, Order
from canteen.settlements.models import Statement
from canteen.subsidies.models import Period
from canteen.verifying import verify
from canteen.words import Text
from tests.factories import City, make_city, make_fact, make_menu
from tests.planting import plant, unguarded
from tests.settlements.factories import (
    OCTOBER,
    close,
    little_month,
    pass_on,
    sell,
    statement_of,
)

NIGHTLY = [
    "expire", "post_day", "check_meals", "close_month", "late_facts", "judge", "silence",
    "housekeeping",
]


def shanghai(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return clock.instant(date(year, month, day), time(hour, minute))


def runs(job: str) -> list[datetime]:
    rows = db.session.scalars(sa.select(JobRun.due).where(JobRun.job == job).order_by(JobRun.due))
    return list(rows)


def count(table: object) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture
def october(app: Flask) -> City:
    """A little month, sold but not posted, seen from the small hours of 1 November."""
    return little_month(post=False)


def test_the_night_of_the_first_runs_everything_in_order(october: City) -> None:
    with time_machine.travel(shanghai(2026, 11, 1, 4), tick=False):
        assert timetable.run_due() == NIGHTLY
        assert timetable.run_due() == []
    assert runs("post_day") == [shanghai(2026, 11, 1, 1, 10)]
    assert runs("close_month") == [shanghai(2026, 11, 1, 2)]
    closed = db.session.get(Period, OCTOBER)
    assert closed.closed_by == "job:close_month"
    assert count(Statement) == 3
    db.session.rollback()
    assert verify() == []


def test_a_closing_given_up_before_its_last_step_closes_nothing(october: City) -> None:
    class GivenUp(Exception):
        pass

    told = []

    def step(done: int, of: int, says: Text) -> None:
        told.append((done, of))
        if done == of - 1:
            raise GivenUp

    with time_machine.travel(shanghai(2026, 11, 1, 4), tick=False):
        with pytest.raises(GivenUp):
            jobs.close_month(OCTOBER, step=step)
        assert told == [(0, 3), (1, 3), (2, 3)]
        assert (count(Statement), count(Entry) > 0) == (0, True), "the tills are posted"
        db.session.rollback()
        assert not jobs.close_month(OCTOBER).already


def test_nothing_runs_before_its_time(october: City) -> None:
    with time_machine.travel(shanghai(2026, 10, 31, 4), tick=False):
        timetable.run_due()
    with time_machine.travel(shanghai(2026, 11, 1, 0, 59), tick=False):
        assert timetable.run_due() == []
    with time_machine.travel(shanghai(2026, 11, 1, 1, 10), tick=False):
        assert timetable.run_due() == ["expire", "post_day"]
    with time_machine.travel(shanghai(2026, 11, 1, 1, 59, ), tick=False):
        assert timetable.run_due() == ["check_meals"]
    with time_machine.travel(shanghai(2026, 11, 1, 2, 0), tick=False):
        assert timetable.run_due() == ["close_month"]


def test_missed_nights_are_posted_by_one_run_each_day_as_its_own_entry(october: City) -> None:
    with time_machine.travel(shanghai(2026, 10, 3, 9), tick=False):
        timetable.run_due()
    posted = count(Entry)
    with time_machine.travel(shanghai(2026, 10, 20, 9), tick=False):
        assert "post_day" in timetable.run_due()
    assert runs("post_day") == [shanghai(2026, 10, 3, 1, 10), shanghai(2026, 10, 20, 1, 10)]
    days = db.session.scalars(
        sa.select(Entry.on).where(Entry.kind == "day").distinct().order_by(Entry.on)
    ).all()
    assert days == [date(2026, 10, number) for number in range(1, 8)]
    assert count(Entry) > posted


def test_missed_months_are_closed_each_in_its_turn(october: City) -> None:
    with transaction():
        sell(october, make_menu(october.here, date(2026, 11, 5))[:1], date(2026, 11, 5),
             october.elder)  # fmt: skip
    with time_machine.travel(shanghai(2027, 1, 9, 12), tick=False):
        assert "close_month" in timetable.run_due()
    closed = db.session.execute(
        sa.select(Period.period).where(Period.closed_at.is_not(None)).order_by(Period.period)
    ).scalars().all()  # fmt: skip
    assert closed == ["2026-10", "2026-11", "2026-12"]
    assert db.session.scalars(
        sa.select(Statement.period).order_by(Statement.id)
    ).all() == ["2026-10"] * 3 + ["2026-11"]
    result = db.session.scalars(sa.select(JobRun.result).where(JobRun.job == "close_month")).one()
    assert result == {"closed": closed}


def test_a_job_that_failed_is_due_again_and_does_not_stop_the_others(
    october: City, caplog: pytest.LogCaptureFixture
) -> None:
    from canteen.db import is_postgresql

    act = "" if is_postgresql() else "BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
    with transaction() as session:
        if is_postgresql():
            session.execute(sa.text(
                "CREATE FUNCTION on_fire() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'disk on fire'; END $$"))  # fmt: skip
            act = "FOR EACH ROW EXECUTE FUNCTION on_fire()"
        session.execute(sa.text(f"CREATE TRIGGER fire BEFORE INSERT ON statements {act}"))
    try:
        with time_machine.travel(shanghai(2026, 11, 1, 4), tick=False):
            assert timetable.run_due() == [name for name in NIGHTLY if name != "close_month"]
            assert "disk on fire" in caplog.text
            assert db.session.get(Period, OCTOBER).closed_at is None
    finally:
        with transaction() as session:
            on = " ON statements" if is_postgresql() else ""
            session.execute(sa.text(f"DROP TRIGGER fire{on}"))
            if is_postgresql():
                session.execute(sa.text("DROP FUNCTION on_fire()"))
    with time_machine.travel(shanghai(2026, 11, 1, 4, 1), tick=False):
        assert timetable.run_due() == ["close_month"]
    assert count(Statement) == 3


def test_an_order_nobody_fetched_is_cancelled_before_its_day_is_posted(app: Flask) -> None:
    city = make_city(date(2026, 10, 8))
    with transaction():
        sell(city, city.items[:1], city.today, city.elder, payment="online", channel="app")
    with transaction() as session:
        cash = {"payment": "cash", "cash_fen": Order.payable_fen}
        session.execute(sa.update(Order).values(state="placed", **cash))
    with time_machine.travel(shanghai(2026, 10, 9, 4), tick=False):
        timetable.run_due()
    assert db.session.scalars(sa.select(Order.state)).all() == ["cancelled"]
    assert db.session.scalar(sa.select(sa.func.sum(MenuItem.taken))) == 0
    assert count(Entry) == 0


def test_an_online_order_has_a_quarter_of_an_hour_to_be_paid(app: Flask) -> None:
    city = make_city(date(2026, 10, 8))
    with transaction():
        sell(city, city.items[:1], city.today, None, payment="online", channel="app")
    with time_machine.travel(city.now + timedelta(minutes=15), tick=False):
        assert jobs.expire_unpaid() == 0
    with time_machine.travel(city.now + timedelta(minutes=16), tick=False):
        assert jobs.expire_unpaid() == 1
        assert db.session.scalars(sa.select(Cancellation.cancelled_by)).all() == [
            "job:expire_unpaid"
        ]
        db.session.rollback()
        assert jobs.expire_unpaid() == 0


def test_old_once_only_keys_are_forgotten(app: Flask) -> None:
    now = shanghai(2026, 10, 9, 4)
    with transaction() as session:
        for number, age in enumerate((1, 29, 31)):
            session.add(
                OnceKey(owner="user:1", key=f"key-number-{number}", digest="", answer=None,
                        made_at=now - timedelta(days=age))
            )  # fmt: skip
    with time_machine.travel(now, tick=False):
        timetable.run_due()
    assert db.session.scalars(sa.select(OnceKey.key).order_by(OnceKey.key)).all() == [
        "key-number-0", "key-number-1",
    ]


def test_a_due_job_is_taken_by_one_transaction_only(app: Flask) -> None:
    due = datetime(2026, 10, 1, tzinfo=UTC)
    with transaction():
        assert once.begin_job("judge", due)
    with transaction():
        assert not once.begin_job("judge", due)


def test_the_latest_due_instant_of_a_month_is_its_first(app: Flask) -> None:
    closing = next(due for due in timetable.CALENDAR if due.job == "close_month")
    assert closing.latest(shanghai(2026, 11, 1, 2)) == shanghai(2026, 11, 1, 2)
    assert closing.latest(shanghai(2026, 11, 1, 1, 59)) == shanghai(2026, 10, 1, 2)
    assert closing.latest(shanghai(2027, 3, 31, 23)) == shanghai(2027, 3, 1, 2)


# ── the same acts by hand ──


def run(app: Flask, *words: str) -> tuple[int, str]:
    db.session.rollback()
    from flask.cli import ScriptInfo

    result = app.test_cli_runner().invoke(
        main, list(words), obj=ScriptInfo(create_app=lambda: app)
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_closing_by_hand_says_what_it_did_and_says_so_again(app: Flask, october: City) -> None:
    with time_machine.travel(shanghai(2026, 11, 1, 4), tick=False):
        status, said = run(app, "close-month", OCTOBER)
        assert (status, said.split(":")[0]) == (0, OCTOBER)
        assert "3 statements" in said
        status, again = run(app, "close-month", OCTOBER)
        assert status == 0
        assert again.startswith("Oct 2026 is already closed")
        assert run(app, "close-month", "2026-11")[0] == 2
        assert run(app, "close-month", "2026-31")[0] == 2


def test_a_day_is_posted_by_hand_up_to_today_at_most(app: Flask, october: City) -> None:
    with time_machine.travel(shanghai(2026, 10, 5, 23), tick=False):
        status, said = run(app, "post-day", "2026-10-02")
        assert (status, said) == (0, "2026-10-02: 4 entries written\n")
        assert run(app, "post-day", "2026-10-02")[1] == "2026-10-02: 0 entries written\n"
        assert run(app, "post-day")[1].startswith("2026-10-04")
        assert run(app, "post-day", "2026-10-06")[0] == 2
        assert run(app, "post-day", "yesterday")[0] == 2


def test_paying_out_by_hand_ends_with_one_while_a_payout_has_failed(app: Flask) -> None:
    city = little_month()
    assert run(app, "pay-out")[0] == 0
    with transaction() as session:
        session.execute(sa.update(Elder).values(payout_account=None))
    close()
    pass_on([statement_of(elder_id=city.extra["second"].id).id], city.extra["hands"])
    status, said = run(app, "pay-out")
    assert (status, "no payout account is known" in said) == (1, True)
    status, said = run(app, "pay-out", "--retry-failed")
    assert (status, "has no payout account" in said) == (1, True), "the others would go on"
    assert run(app, "pay-out", "--retry", "99")[0] == 2


def test_verify_ends_with_one_and_names_what_is_wrong(app: Flask, october: City) -> None:
    assert run(app, "verify")[0] == 0
    plant("UPDATE menu_items SET taken = taken + 1 WHERE id = 1")
    status, said = run(app, "verify")
    assert status == 1
    assert "✗ portions_match" in said and "menu item 1" in said and "✓ audit_chain" in said
    status, said = run(app, "verify", "--json")
    told = json.loads(said)
    assert (status, told["ok"]) == (1, False)
    wrong = [check for check in told["checks"] if check["count"]]
    assert [check["code"] for check in wrong] == ["portions_match"]
    assert wrong[0]["findings"][0]["subject"] == "menu item 1"
    assert run(app, "verify", "--only", "audit_chain")[0] == 0
    assert run(app, "verify", "--only", "nonsense")[0] == 2


def test_the_scheduler_runs_everything_due_once_and_ends(app: Flask, october: City) -> None:
    with time_machine.travel(shanghai(2026, 11, 1, 4), tick=False):
        status, said = run(app, "scheduler", "--once")
        assert (status, said.split()[:3]) == (0, ["ran:", "expire,", "post_day,"])
    assert count(Statement) == 3


def test_what_falls_due_while_the_scheduler_runs_has_not_failed(app: Flask) -> None:
    with time_machine.travel(shanghai(2026, 10, 31, 0, 59), tick=False) as traveller:
        on_commit = (db.engine, "commit", lambda _: traveller.move_to(shanghai(2026, 10, 31, 1)))
        sa.event.listen(*on_commit)
        try:
            status, said = run(app, "scheduler", "--once")
        finally:
            sa.event.remove(*on_commit)
        assert (status, said.splitlines()[0].startswith("ran: expire")) == (0, True)
        assert clock.now() == shanghai(2026, 10, 31, 1)
        assert timetable.run_due() == ["expire"], "it became due meanwhile"


def test_housekeeping_lets_the_status_say_what_a_dated_fact_says(app: Flask) -> None:
    city = make_city()
    with transaction():
        make_fact(city.elder, "status", "deceased", city.today - timedelta(days=1))
    jobs.nightly_housekeeping(clock.instant(city.today, time(3)))
    db.session.rollback()
    status = db.session.scalar(sa.select(Elder.status).where(Elder.id == city.elder.id))
    assert status == "deceased"


def test_an_audit_chain_cut_short_after_the_night_is_found(app: Flask) -> None:
    city = make_city()
    with transaction():
        record("user:1", "approve", "statement", 1)
        record("user:1", "approve", "statement", 2)
    jobs.nightly_housekeeping(clock.instant(city.today, time(3)))
    with transaction() as session, unguarded("audit_records"):
        session.execute(sa.text("DELETE FROM audit_records WHERE subject_id = '2'"))
    assert [finding.check for finding in verify()] == ["audit_chain"]
