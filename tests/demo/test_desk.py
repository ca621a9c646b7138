"""The demo city's settlement desk: what a newcomer finds there, made by the rooms' own acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.adjustments.models import Claim
from canteen.budgets import guarding
from canteen.checks import explaining
from canteen.checks.models import Suspicion
from canteen.cli.seed import seed
from canteen.db import db, transaction
from canteen.demo import city
from canteen.demo.provider import pretending
from canteen.settlements import gates, looking, problems, reviewing
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import Correction, SampledMeal
from canteen.subsidies.models import Grant, PolicyDraft
from canteen.tasks.models import Task
from canteen.territory.actors import DECIDERS, Actor
from canteen.verifying import verify

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
LAST = "2026-10"
FIRST, FLAWED = 1, 7  # the first canteen, and the other one of its operator and district


@pytest.fixture
def desk(app: Flask) -> Iterator[Callable[[str], Actor]]:
    """A demo city of 24 canteens; gives who acts by their sign-in."""
    with time_machine.travel(NOON), pretending():
        words = ["--canteens", "24", "--elders", "500"]
        done = app.test_cli_runner().invoke(seed, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output

        def who(login: str) -> Actor:
            return actor_of(db.session.scalars(sa.select(User).filter_by(login=login)).one())

        yield who


def counted(*columns: Any, of: Any, **where: Any) -> dict[Any, int]:
    """How many rows there are of each value."""
    rows = db.session.execute(
        sa.select(*columns, sa.func.count()).select_from(of).filter_by(**where).group_by(*columns)
    )
    return {row[0] if len(columns) == 1 else tuple(row[:-1]): row[-1] for row in rows}


def test_every_office_finds_something_to_decide_and_the_books_are_proven(desk):
    findings_are_open_answered_and_decided(desk)
    statements_stand_all_along_the_chain(desk)
    what_came_after_closing(desk)
    plans_of_the_city(desk)
    assert verify() == []
    the_first_canteens_month_can_be_approved(desk)
    assert verify() == []


def findings_are_open_answered_and_decided(desk: Callable[[str], Actor]) -> None:
    kinds = set(counted(Suspicion.code, of=Suspicion, period=LAST, mode="hold"))
    assert kinds >= {"deceased", "in_institution", "closed_day", "signed_before_sent"}
    of_district = counted(Suspicion.state, of=Suspicion, canteen_id=FLAWED)
    assert set(of_district) == {"open", "asked", "paid", "denied"}
    stack = db.session.scalars(
        sa.select(Suspicion).filter_by(canteen_id=FLAWED, code="burst", state="open")
    ).one()
    assert "体检" in stack.reason  # what the canteen answered
    for each in db.session.scalars(sa.select(Suspicion)):
        told = explaining.explain(each)
        assert told.evidence and "{" not in told.sentence.zh + told.sentence.en
    for login in ("district120101", "city", "operator1", "manager7"):
        assert problems.to_decide(desk(login)) >= 5, login
    assert problems.asked_of(desk("operator1")) == 1
    assert counted(Suspicion.code, of=Suspicion, canteen_id=FIRST) == {}


def statements_stand_all_along_the_chain(desk: Callable[[str], Actor]) -> None:
    stages = set(counted(Statement.stage, of=Statement, period=LAST, payee="canteen"))
    assert stages >= {"operator", "street", "district", "city", "approved"}
    assert set(counted(Statement.stage, of=Statement, period="2026-09")) == {"paid"}
    assert set(counted(Payout.state, of=Payout)) == {"ready", "paid"}
    assert counted(Correction.state, of=Correction) == {"asked": 1}
    at_district = sa.select(Statement.id).where(
        Statement.stage == "district", Statement.street_code.startswith("120101")
    )
    drawn = sa.select(SampledMeal).where(SampledMeal.statement_id.in_(at_district))
    assert all(meal.verdict is None for meal in db.session.scalars(drawn))
    assert db.session.scalars(drawn).first() is not None


def what_came_after_closing(desk: Callable[[str], Actor]) -> None:
    assert counted(Claim.state, of=Claim) == {"asked": 1, "approved": 1}
    later = counted(Grant.cause, of=Grant, period="2026-11")
    assert later["claim"] == 1 and later["late_fact"] >= 1
    found = guarding.purses(desk("city"), 2026, on=date(2026, 11, 22))
    purses = {each.code: each for each in found}
    assert purses["120101"].gone_on is not None
    assert purses["120000"].budget_fen and not purses["120000"].short


def plans_of_the_city(desk: Callable[[str], Actor]) -> None:
    draft = db.session.scalars(sa.select(PolicyDraft)).one()
    assert draft.state == "draft" and "75" in draft.note
    task = db.session.scalars(sa.select(Task)).one()
    assert (task.kind, task.state, task.asked_by) == ("what_if", "done", desk("city").label)
    before, after = task.result["outcomes"]
    assert len(task.result["outcomes"]) == 2 and before != after


def the_first_canteens_month_can_be_approved(desk: Callable[[str], Actor]) -> None:
    """Nothing that is planted stands in the way of the tour: its month passes every office."""
    number = db.session.scalars(
        sa.select(Statement.id).filter_by(period=LAST, canteen_id=FIRST, stage="street")
    ).one()
    for login in ("street120101001", "district120101", "city"):
        by = desk(login)
        with transaction():
            if by.role in DECIDERS:
                looking.look_rest([number], by, clock.now())
            assert gates.missing([number], by.role) == []
            reviewing.approve([number], by)
    assert db.session.get_one(Statement, number).stage == "approved"


def test_a_large_city_is_left_as_it_was():
    plan = city.Plan(canteens=200, elders=1000, days=60, seed=1, today=date(2026, 11, 22))
    assert not plan.eventful
