"""The night's look over the open months: what it finds, pays again, and tells operators."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock, jobs, timetable
from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from canteen.notices.models import Notice
from canteen.once import JobRun
from canteen.settlements import holding
from canteen.subsidies.models import Grant
from tests.checks.world import World, found, make_world
from tests.factories import make_fact
from tests.settlements.factories import close, hands_over, pass_on, statement_of


def night(day: int, month: int = 10, hour: int = 1) -> datetime:
    return clock.instant(date(2026, month, day), time(hour, 20))


@pytest.fixture
def world(app: Flask) -> World:
    """Two meals after death at the first canteen, one at the other."""
    world = make_world()
    with transaction():
        for where in (world.here, world.here, world.there):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.meal(gone, canteen=where)
    return world


def notices(canteen: Canteen) -> list[Notice]:
    """What the operator of a canteen was told."""
    return list(db.session.scalars(
        sa.select(Notice).where(Notice.operator_id == canteen.operator_id).order_by(Notice.id)
    ))  # fmt: skip


def run_night(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        jobs.nightly_checks(at)


def test_the_night_finds_what_is_wrong_and_tells_each_operator_its_own(world: World) -> None:
    run_night(night(20))
    assert len(found("deceased")) == 3
    [mine], [other] = notices(world.here), notices(world.there)
    assert mine.zh == "2026年10月有 2 个问题，涉及 10.00 元，请在11月5日(周四)前处理"
    assert mine.en == "Oct 2026: 2 problems worth 10.00 yuan; put right before Thu 5 Nov"
    assert (mine.path, mine.kind) == ("/operator/problems", "problems")
    assert other.en.startswith("Oct 2026: 1 problem worth 5.00 yuan")


def test_the_same_night_twice_tells_nobody_twice_and_the_next_night_again(world: World) -> None:
    run_night(night(20))
    run_night(night(20))
    assert len(notices(world.here)) == 1
    runs = db.session.scalars(sa.select(JobRun.due).where(JobRun.job == "check_meals")).all()
    assert runs == [night(20)]
    assert len(found("deceased")) == 3
    run_night(night(21))
    assert len(notices(world.here)) == 2


def test_what_was_put_right_is_cleared_and_paid_the_next_night(world: World) -> None:
    run_night(night(20))
    with transaction():
        assert holding.hold("2026-10", night(20)) == 3
    with transaction() as session:
        session.execute(sa.delete(ElderFact).where(ElderFact.value == "deceased"))
    run_night(night(21))
    states = db.session.scalars(sa.select(Suspicion.state)).all()
    assert set(states) == {"cleared"}
    last = db.session.scalars(
        sa.select(Grant.cause).where(Grant.number == 3).order_by(Grant.id)
    ).all()
    assert last == ["released"] * 3
    assert len(notices(world.here)) == 1  # nothing left to tell
    result = db.session.scalars(
        sa.select(JobRun.result).where(JobRun.job == "check_meals").order_by(JobRun.due.desc())
    ).first()
    assert result == {"periods": ["2026-10"], "released": 3, "warned": 0}


def test_past_its_day_only_what_was_asked_is_told_again(world: World) -> None:
    run_night(night(20))
    before = len(notices(world.here))
    run_night(night(6, month=11))
    assert len(notices(world.here)) == before
    with transaction() as session:
        session.execute(
            sa.update(Suspicion).where(Suspicion.canteen_id == world.here.id)
            .values(state="asked")
        )  # fmt: skip
    run_night(night(7, month=11))
    assert notices(world.here)[-1].zh == "2026年10月有 2 个问题等您说明"


def test_of_a_month_closed_late_the_day_its_statement_is_due_is_told_until_it_is_with_the_offices(
    world: World,
) -> None:
    with transaction():
        hands = hands_over(world.here)
    run_night(night(20))
    close(on=date(2026, 11, 9))
    run_night(night(10, month=11))
    told = notices(world.here)[-1].zh
    assert told == "2026年10月有 2 个问题，涉及 10.00 元，请在11月12日(周四)前处理"
    pass_on([statement_of(world.here).id], hands, upto="operator", on=date(2026, 11, 10))
    before = len(notices(world.here))
    run_night(night(11, month=11))
    assert len(notices(world.here)) == before, "the district decides now"
    assert notices(world.there)[-1].zh.endswith("请在11月12日(周四)前处理")


def test_it_runs_between_the_posting_and_the_closing(app: Flask) -> None:
    names = [due.job for due in timetable.CALENDAR]
    assert names.index("post_day") < names.index("check_meals") < names.index("close_month")
