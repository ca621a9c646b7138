"""Officers and the night's jobs at one instant: they wait for each other, and none falls."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient

from canteen import clock
from canteen.access.models import User
from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks, record
from canteen.budgets import funding, truing_up
from canteen.checks import deciding, running
from canteen.checks.models import Suspicion, SuspicionStep
from canteen.checks.parts import scope_of
from canteen.db import db, is_postgresql, transaction
from canteen.elders import enrolling
from canteen.elders.checking import FactWish
from canteen.errors import CanteenError, NotFound
from canteen.settlements import closing, holding, reviewing, withdrawing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor, job
from canteen.verifying import verify
from canteen.web import again
from tests.attacks.test_desk_money import LATER, WHY, colleague, together
from tests.factories import City, make_user
from tests.settlements.factories import (
    AFTER,
    OCTOBER,
    Hands,
    at_noon,
    close,
    little_month,
    statement_of,
)
from tests.settlements.test_changing import standing, suspect
from tests.web.world import sign_in

ROUNDS = 8
WAITS = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def found_of(city: City) -> list[int]:
    """A finding that holds for every subsidised meal of both canteens, the account's too."""
    rows = db.session.execute(
        sa.select(Grant.order_id, Grant.canteen_id).where(Grant.number == 1, Grant.sign > 0)
        .order_by(Grant.order_id)
    ).all()  # fmt: skip
    return [suspect(row.order_id, row.canteen_id) for row in rows]


def waiting_for(session: Any, pool: ThreadPoolExecutor, act: Callable[[], Any]) -> Future[Any]:
    """An act begun beside this transaction, which waits for it by now."""
    begun = pool.submit(act)
    while is_postgresql() and not begun.done() and not session.scalar(WAITS):
        time.sleep(0.02)
    return begun


def no_faults(said: list[Any]) -> None:
    """What was refused was refused in words; nobody was ended by the database."""
    faults = [one for one in said if isinstance(one, Exception)
              and not isinstance(one, CanteenError)]  # fmt: skip
    assert faults == []


def all_at_once(chosen: list[int], verdict: str, by: Actor) -> None:
    """As the desk decides several."""
    holding.take_in_hand(chosen)
    for suspicion_id in chosen:
        holding.decide(suspicion_id, verdict, WHY, by=by, at=LATER)


def reopen(found: list[int], by: Actor) -> None:
    for suspicion_id in found:
        if db.session.get_one(Suspicion, suspicion_id).state in ("paid", "denied"):
            deciding.reopen(suspicion_id, WHY, by=by, at=LATER)


@pytest.mark.parametrize("closed", [False, True])
def test_overlapping_sets_and_the_nights_work_wait_for_each_other(
    app: Flask, city: City, closed: bool
) -> None:
    """Two decide overlapping sets the other way round, the night checks and settles."""
    found = found_of(city)
    if closed:
        close()
    by, third = (colleague("city", "120000") for _ in range(2))
    draw = random.Random(7)
    for number in range(ROUNDS if is_postgresql() else 3):
        mixed = draw.sample(found, len(found))
        acts: list[Callable[[], Any]] = [
            lambda m=mixed: all_at_once(m[:-1], "deny", by),
            lambda m=mixed: all_at_once(m[:0:-1], "pay", third),
            lambda: running.run(scope_of(OCTOBER, AFTER), by=job("check_meals"), at=LATER),
            lambda: holding.settle_cleared(LATER),
        ]  # fmt: skip
        no_faults(together(app, acts))
        with transaction():
            reopen(found, third)
        db.session.execute(sa.select(1))
        with transaction() as session:
            # What the night cleared is found again: nothing real was found of these meals.
            cleared = sa.update(Suspicion).where(
                Suspicion.id.in_(found), Suspicion.state == "cleared"
            )
            session.add_all(
                SuspicionStep(suspicion_id=id_, verdict="found", by_label="job:test", at=LATER)
                for id_ in session.scalars(cleared.values(state="open").returning(Suspicion.id))
            )
        if number == 0:
            assert verify() == []
    assert list(breaks()) == []
    assert verify() == []


def test_an_elders_account_is_no_knot_between_a_decision_and_a_review(
    app: Flask, city: City
) -> None:
    """Who decides holds the elder's statement before anything; who approves it only waits."""
    hands: Hands = city.extra["hands"]
    fed = city.extra["to_account"].order_id
    found = suspect(fed, city.here.id, mode="warn")
    close()
    elders = statement_of(elder_id=city.extra["second"].id).id
    by = colleague()
    offices = (hands.street, hands.district, hands.city)
    for number in range(ROUNDS if is_postgresql() else 3):
        verdict = ("deny", "pay")[number % 2]
        no_faults(together(app, [
            lambda v=verdict: holding.decide(found, v, WHY, by=by, at=LATER),
            *(
                lambda who=who: reviewing.return_(elders, "请再核一遍金额", who, at=LATER)
                for who in offices
            ),
            lambda: reviewing.approve([elders], hands.district, at=LATER),
        ]))  # fmt: skip
        with transaction():
            reopen([found], by)
    assert verify() == []


def test_the_nights_settling_holds_the_statements_by_their_number(
    app: Flask, city: City
) -> None:
    """Waiting for the lower one it does not hold the higher one yet, whatever it does to each."""
    cleared = suspect(standing(city.here.id), city.here.id)
    denied = suspect(standing(city.elsewhere.id), city.elsewhere.id)
    close()
    here, elsewhere = statement_of(city.here).id, statement_of(city.elsewhere).id
    if here > elsewhere:
        here, elsewhere, cleared, denied = elsewhere, here, denied, cleared
    held = sa.select(Statement.id).with_for_update(nowait=True)
    with transaction() as session:
        change = sa.update(Suspicion)
        session.execute(change.where(Suspicion.id == cleared).values(state="cleared"))
        session.execute(
            change.where(Suspicion.id == denied).values(state="denied", decided_at=LATER)
        )

    def settle() -> int:
        with app.app_context(), transaction():
            return holding.settle_cleared(LATER).meals

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            session.execute(held.where(Statement.id == here))
            night = waiting_for(session, pool, settle)
            session.execute(held.where(Statement.id == elsewhere))
        assert night.result(30) == 2


def test_a_month_is_closed_while_its_findings_are_decided(app: Flask, city: City) -> None:
    found, by = found_of(city), colleague("city", "120000")
    said = together(app, [
        lambda: closing.close(OCTOBER, job("close_month"), on=AFTER, at=at_noon(AFTER)),
        lambda: all_at_once(found[:4], "deny", by),
        lambda: all_at_once(found[:2:-1], "pay", by),
        lambda: running.run(scope_of(OCTOBER, AFTER), by=job("check_meals"), at=LATER),
    ])  # fmt: skip
    no_faults(said)
    assert isinstance(said[0], closing.Closing)
    with transaction():
        holding.settle_cleared(LATER)  # as the night does once it has checked
    assert verify() == []


# ── at the door ──


def test_two_officers_who_tick_the_same_findings_are_both_answered(
    app: Flask, city: City
) -> None:
    with transaction():
        users = [make_user("city", territory_code="120000") for _ in range(3)]
    third = Actor("city", users[0].id, territory="120000")
    clients: list[FlaskClient] = [sign_in(app, user) for user in users]
    found = found_of(city)
    draw = random.Random(11)
    for _ in range(ROUNDS if is_postgresql() else 3):
        answers: list[Any] = [None] * len(clients)

        def send(number: int, chosen: list[int], into: list[Any] = answers) -> None:
            form = {"finding_ids": chosen, "verdict": ("pay", "deny")[number % 2], "reason": WHY}
            sent = clients[number].post("/bureau/findings/decisions", data=form)
            into[number] = sent.status_code

        threads = [
            threading.Thread(target=send, args=(number, draw.sample(found, 6)))
            for number in range(len(clients))
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert not any(each.is_alive() for each in threads), "somebody waits for ever"
        db.session.rollback()
        assert set(answers) <= {303, 409} and 303 in answers
        with transaction():
            reopen(found, third)
    assert verify() == []


class Broken(psycopg.errors.DeadlockDetected):
    """What PostgreSQL says when it ends one of two."""


class Taken(psycopg.errors.UniqueViolation):
    """What it says when both write one key."""


def broken() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("UPDATE", None, Broken("deadlock detected"))


def taken() -> sa.exc.IntegrityError:
    return sa.exc.IntegrityError("INSERT", None, Taken("duplicate key"))


@pytest.mark.parametrize(("fault", "falls", "saves", "answer"), [
    (broken, 0, False, 200), (broken, 2, False, 200), (broken, 3, False, 503),
    (broken, 1, True, 503), (taken, 1, False, 200), (taken, 2, False, 409), (taken, 1, True, 500),
])  # fmt: skip
def test_what_the_database_broke_off_is_done_again_unless_something_was_saved(
    app: Flask, fault: Callable[[], Exception], falls: int, saves: bool, answer: int
) -> None:
    tries: list[str] = []

    def act() -> str:
        tries.append(request.form["wish"])
        with transaction():
            record("user:1", "try", "wish", len(tries))
            if not saves and len(tries) <= falls:
                raise fault()
        if saves and len(tries) <= falls:
            raise fault()
        return "done"

    with app.test_request_context("/", method="POST", data={"wish": "pay"}):
        try:
            said = 200 if again.again(act)() == "done" else 0
        except sa.exc.OperationalError as raised:
            assert again.broken_off(raised)
            said = 503
        except sa.exc.IntegrityError as raised:
            assert again.collides(raised)
            said = 500
        except again.Collided:
            said = 409
    assert said == answer
    tried = 1 if saves else min(falls + 1, again.TRIES if fault is broken else 2)
    assert tries == ["pay"] * tried
    kept = db.session.scalar(sa.select(sa.func.count()).select_from(AuditRecord))
    assert kept == (1 if saves or answer == 200 else 0)


def test_one_key_written_twice_at_once_is_no_fault(app: Flask, city: City) -> None:
    """A true-up drafted while its first draft is not saved yet: it is drafted anew."""
    by: Actor = city.extra["hands"].city
    now, today = clock.now(), clock.business_date()
    with transaction():
        funding.set_aside("120104", today.year, 10**6, "", by, now)
    client = sign_in(app, db.session.get_one(User, by.user_id))
    form = {"kind": "preliminary", "district": "120104", "year": str(today.year), "percent": "50"}
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            first = truing_up.prepare(
                today.year, "120104", "preliminary", by, on=today, at=now, percent_bp=5000
            ).id
            sent = waiting_for(session, pool, lambda: client.post("/bureau/true-ups", data=form))
        said = sent.result(30)
    assert said.status_code == 303 and said.location.endswith(f"/true-ups/{first}")


def test_a_fact_withdrawn_twice_at_once_is_withdrawn_once(app: Flask, city: City) -> None:
    street = city.extra["hands"].street
    wish = FactWish("status", "moved", AFTER)
    with transaction():
        fact = enrolling.record_fact(city.elder.id, wish, street)
    said = together(app, [lambda: enrolling.withdraw_fact(fact, WHY, street)] * 4)
    assert said.count(None) == 1
    assert sum(isinstance(one, NotFound) for one in said) == 3


def test_a_meal_is_not_given_up_beneath_the_confirmation_of_its_statement(
    app: Flask, city: City
) -> None:
    close()
    operator, order = city.extra["hands"].operator, standing(city.here.id)
    statement = statement_of(city.here)

    def give_up() -> None:
        with app.app_context(), transaction():
            withdrawing.withdraw(order, WHY, by=operator, at=LATER)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            reviewing.approve([statement.id], operator, at=LATER)
            begun = waiting_for(session, pool, give_up)
        with pytest.raises(withdrawing.OutOfHands):
            begun.result(30)
    assert statement_of(city.here).total_fen == statement.total_fen
