"""Running keeps what is found once, clears what no longer holds, and finds nothing in order."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks import settings, worth
from canteen.checks.deciding import AlreadyDecided, decide, steps_of
from canteen.checks.models import Suspicion, SuspicionStep
from canteen.checks.running import more_named
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from canteen.errors import Forbidden
from canteen.territory.actors import Actor
from tests.checks.world import AFTER, JOB, World, found, keys, make_world, run
from tests.factories import actor, make_fact, make_user

WHY = "上月多次误报，街道已核实"


def planted() -> World:
    """An elder who died before an ordinary meal."""
    world = make_world()
    with transaction():
        gone = world.elder()
        make_fact(gone, "status", "deceased", date(2026, 10, 5))
        world.extra["meal"] = world.meal(gone)
    return world


def district() -> Actor:
    """Somebody of the canteen's district."""
    with transaction():
        return actor(make_user("district", territory_code="120104"))


def test_an_ordinary_month_raises_nothing(app: Flask) -> None:
    make_world()
    outcome = run()
    assert db.session.scalars(sa.select(Suspicion.code)).all() == []
    assert (outcome.meals, outcome.new) == (1, 0)


def test_a_second_run_changes_nothing(app: Flask) -> None:
    world = planted()
    assert run("deceased").new == 1
    again = run("deceased")
    assert (again.held_true, again.new, again.again, again.cleared) == (1, 0, 0, 0)
    [suspicion] = found("deceased")
    assert suspicion.key == f"order:{world.extra['meal']}"
    assert (suspicion.amount_fen, suspicion.mode, suspicion.state) == (500, "hold", "open")
    assert suspicion.evidence == {"meal_on": "2026-10-06", "since_on": "2026-10-05"}


def test_what_no_longer_holds_is_cleared_and_comes_back_when_it_does(app: Flask) -> None:
    planted()
    run("deceased")
    with transaction():
        db.session.execute(sa.update(ElderFact).values(kind="care_level", value="mild"))
    assert run("deceased").cleared == 1
    assert keys("deceased") == []
    with transaction():
        db.session.execute(sa.update(ElderFact).values(kind="status", value="deceased"))
    assert run("deceased").again == 1
    [suspicion] = found("deceased")
    assert [step.verdict for step in steps_of(suspicion.id)] == ["cleared", "found"]


def test_what_was_decided_stays_decided(app: Flask) -> None:
    planted()
    run("deceased")
    by = district()
    with transaction():
        decide(found("deceased")[0].id, "deny", "已与家属核实", by=by, at=AFTER)
    with transaction():
        db.session.execute(sa.delete(ElderFact))
    outcome = run("deceased")
    assert (outcome.cleared, outcome.again) == (0, 0)
    assert found("deceased")[0].state == "denied"


def test_a_run_of_one_canteen_leaves_the_others_alone(app: Flask) -> None:
    world = planted()
    run("deceased")
    assert run("deceased", canteen_id=world.there.id).cleared == 0
    assert run("deceased", district="120103").cleared == 0
    assert len(found("deceased")) == 1


def test_a_district_that_ignores_a_check_is_not_told(app: Flask) -> None:
    world = planted()
    with transaction():
        gone = db.session.scalars(sa.select(ElderFact.elder_id)).one()
        elder = db.session.get_one(type(world.city.elder), gone)
        elsewhere = world.meal(elder, canteen=world.there)
    by = district()
    today = date(2026, 10, 1)
    with transaction():
        settings.set_mode("deceased", "120104", "ignore", today, WHY, by=by, today=today)
    run("deceased")
    assert keys("deceased") == [f"order:{elsewhere}"]
    assert settings.setting_for("deceased", "120104", date(2026, 9, 30)).mode == "hold"


def test_a_threshold_a_district_changed_holds_only_there(app: Flask) -> None:
    world = make_world()
    with transaction():
        old = world.elder(birth=date(1925, 1, 1))
        world.meal(old)
    by = district()
    today = date(2026, 10, 1)
    run("very_old")
    assert keys("very_old") == []
    with transaction():
        settings.set_mode(
            "very_old", "120104", "hold", today, WHY, by=by, today=today, thresholds={"age": 100}
        )
    run("very_old")
    [suspicion] = found("very_old")
    assert (suspicion.key, suspicion.mode) == (f"elder:{old.id}:{world.here.id}:2026-10", "hold")


def test_what_is_undecided_is_told_by_check(app: Flask) -> None:
    planted()
    run("deceased")
    by = district()
    [row] = worth.undecided("2026-10", district="120104")
    assert (row.code, row.count, row.amount_fen, row.held) == ("deceased", 1, 500, 1)
    with transaction():
        decide(found("deceased")[0].id, "deny", "已核实", by=by, at=AFTER)
    assert worth.undecided("2026-10") == []


def test_no_setting_lets_go_what_another_held_in_the_same_month(app: Flask) -> None:
    world = planted()
    with transaction():
        world.meal(world.elder(birth=date(1922, 1, 1)))
    by, first = district(), date(2026, 10, 1)

    def set_to(code: str, mode: str, on: date, **thresholds: int) -> None:
        with transaction():
            settings.set_mode(
                code, "120104", mode, on, WHY, by=by, today=on, thresholds=thresholds
            )

    run("deceased", "very_old")
    assert [one.mode for one in found("deceased")] == ["hold"] and not found("very_old")
    set_to("very_old", "hold", date(2026, 10, 10), age=100)  # what is stricter acts at once
    run("deceased", "very_old")
    assert [one.mode for one in found("very_old")] == ["hold"]
    with pytest.raises(settings.BadSetting), transaction():  # and stands for its day
        settings.set_mode("very_old", "120104", "warn", date(2026, 10, 10), WHY, by=by,
                          today=date(2026, 10, 10))  # fmt: skip
    set_to("deceased", "ignore", date(2026, 10, 12))
    set_to("very_old", "warn", date(2026, 10, 12), age=120)
    again = run("deceased", "very_old")
    assert (again.new, again.again, again.cleared) == (0, 0, 0)
    kept = [(one.mode, one.state) for code in ("deceased", "very_old") for one in found(code)]
    assert kept == [("hold", "open")] * 2
    set_to("deceased", "warn", first.replace(month=11))
    november = settings.during(date(2026, 11, 1), date(2026, 11, 30))
    assert [one.mode for one in november["deceased"]["120104"]] == ["warn"]
    with transaction():  # a fact that is put right clears it, as ever
        db.session.execute(sa.delete(ElderFact))
    assert run("deceased", "very_old").cleared == 1


def test_a_decided_pattern_is_taken_up_again_when_it_has_grown(app: Flask) -> None:
    world = make_world()
    with transaction():
        old = world.elder(birth=date(1915, 1, 1))
        world.meal(old)
    by = district()
    run("very_old")
    [pattern] = found("very_old")
    with transaction():
        decide(pattern.id, "pay", "街道上门看过，老人健在", by=by, at=AFTER, false_alarm=True)
    assert run("very_old").grown == 0 and found("very_old")[0].state == "paid"
    with transaction():
        world.meal(old, on=date(2026, 10, 7))
    assert run("very_old").grown == 1
    [pattern] = found("very_old")
    assert (pattern.state, pattern.amount_fen, pattern.decided_by) == ("open", 1000, None)
    last = steps_of(pattern.id)[-1]
    assert (last.verdict, last.reason, last.by_label) == ("grown", "¥5.00 → ¥10.00", JOB.label)
    assert run("very_old").grown == 0


@pytest.mark.parametrize(("before", "now", "more"), [
    ({"order_ids": "3,7"}, {"order_ids": "7"}, False),
    ({"order_ids": "3,7"}, {"order_ids": "7,9"}, True),
    ({"elder_ids": None}, {"elder_ids": "9"}, True),
    ({"missing": 2, "head": 9}, {"missing": 2, "head": 30}, False),
    ({"missing": 2}, {"missing": 3}, True),
])  # fmt: skip
def test_a_pattern_has_grown_when_it_names_more(
    before: dict[str, object], now: dict[str, object], more: bool
) -> None:
    assert more_named(before, now) is more


def test_two_people_decide_once(app: Flask) -> None:
    planted()
    run("deceased")
    by = district()
    [suspicion] = found("deceased")
    with transaction():
        decide(suspicion.id, "pay", "当天确在", by=by, at=AFTER)
    with pytest.raises(AlreadyDecided), transaction():
        decide(suspicion.id, "deny", "已核实", by=by, at=AFTER)


@pytest.mark.parametrize("statement", ["UPDATE suspicion_steps SET reason = 'x'",
                                       "DELETE FROM suspicion_steps"])  # fmt: skip
def test_the_story_of_a_suspicion_cannot_be_changed(app: Flask, statement: str) -> None:
    planted()
    run("deceased")
    by = district()
    with transaction():
        decide(found("deceased")[0].id, "ask", "请说明", by=by, at=AFTER)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SuspicionStep)) == 1


def test_a_job_runs_the_checks_but_decides_nothing(app: Flask) -> None:
    planted()
    run("deceased")
    with pytest.raises(Forbidden), transaction():
        decide(found("deceased")[0].id, "deny", "自动", by=JOB, at=AFTER)
