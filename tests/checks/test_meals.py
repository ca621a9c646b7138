"""Which meals a finding is about, and what all that is undecided is worth, each meal once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks import meals, worth
from canteen.checks.catalogue import CHECKS
from canteen.checks.deciding import decide
from canteen.checks.models import Suspicion
from canteen.checks.running import Found
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.settlements import changing
from canteen.subsidies.granting import GRANTS, mirrored
from canteen.subsidies.models import Grant
from tests.checks.test_patterns_and_money import perfect, procession, shared_phone
from tests.checks.test_running import district
from tests.checks.world import AFTER, DAY, PERIOD, World, found, make_world, run
from tests.factories import make_fact
from tests.tills.drawers import make_till


def test_every_check_says_how_it_leads_to_its_meals() -> None:
    assert {check.about for check in CHECKS} == {*meals.LEADS, "nothing"}


def about(code: str) -> list[int]:
    """The meals of the only finding of a check, or of the one here where there is one elsewhere."""
    suspicion = found(code)[0]
    return list(db.session.scalars(meals.of(suspicion)))


def granted(*conditions: object) -> list[int]:
    """The subsidised meals of which something holds."""
    return list(
        db.session.scalars(sa.select(Grant.order_id).where(*conditions).order_by(Grant.order_id))
    )


def own(world: World) -> list[int]:
    """A meal sold a day late is its own."""
    return [world.meal(world.elder(), served_at=world.city.now + timedelta(days=1))]


def run_of_cards(world: World) -> list[int]:
    """The twelve of a burst; a meal of the same hour is not among them."""
    world.meal(world.elder(), hour=12, minute=30)
    return [world.meal(world.elder(), hour=12, second=number * 5) for number in range(12)]


def of_the_very_old(world: World) -> list[int]:
    """All meals of an elder at a canteen, not those at another; not what was taken back."""
    old = world.elder(birth=date(1919, 1, 1))
    gone = world.meal(old)
    world.take_back(gone, timedelta(minutes=5))
    world.meal(old, DAY + timedelta(days=2), canteen=world.there)
    return [world.meal(old, DAY + timedelta(days=1))]


def of_one_phone(world: World) -> list[int]:
    """The meals here of all who share it."""
    shared_phone(world)
    phones = sa.select(Elder.phone).group_by(Elder.phone).having(sa.func.count() >= 5)
    elders = sa.select(Elder.id).where(Elder.phone.in_(phones))
    return granted(Grant.elder_id.in_(elders), Grant.canteen_id == world.here.id)


def of_the_perfect(world: World) -> list[int]:
    """The canteen's meals of those who never failed."""
    perfect(world)
    world.meal(world.elder(), canteen=world.there)
    often = sa.select(Grant.elder_id).group_by(Grant.elder_id).having(sa.func.count() == 15)
    return granted(Grant.elder_id.in_(often))


def of_a_till(world: World) -> list[int]:
    """What this till sold, and not what another did."""
    till, other = make_till(world.here.id), make_till(world.here.id, name="2")
    world.entry(other, world.meal(world.elder()))
    orders = [world.meal(world.elder(), hour=12, minute=number) for number in range(5)]
    for order in orders:
        world.entry(till, order, notes=("clock_drift",))
    return orders


def of_a_sitting(world: World) -> list[int]:
    """Who ate in at that meal."""
    world.there.seats = 1
    world.meal(world.elder(), canteen=world.there, service="pick_up")
    return [world.meal(world.elder(), canteen=world.there, second=n) for n in range(5)]


def of_the_far(world: World) -> list[int]:
    """The meals of those from far away."""
    world.meal(world.elder())
    return [world.meal(world.elder(street="120103001"), second=number) for number in range(10)]


def of_a_dearer_dish(world: World) -> list[int]:
    """Who had the dish that was sold too often."""
    item = world.city.items[0]
    item.portions = item.taken = 2
    return [world.extra["innocent"], world.meal(world.elder()), world.meal(world.elder())]


def of_a_canteen(world: World) -> list[int]:
    """Everything the canteen sold."""
    world.there.tier, world.there.supplier_id = 2, None
    return [world.meal(world.elder(), canteen=world.there) for _ in range(2)]


CASES: dict[str, Callable[[World], list[int]]] = {
    "other_day": own, "burst": run_of_cards, "very_old": of_the_very_old,
    "shared_phone": of_one_phone, "perfect_attendance": of_the_perfect,
    "clock_drift": of_a_till, "over_seats": of_a_sitting, "far_street": of_the_far,
    "over_portions": of_a_dearer_dish, "no_supplier": of_a_canteen,
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_a_finding_leads_to_its_meals_and_no_others(app: Flask, code: str) -> None:
    world = make_world()
    with transaction():
        expected = CASES[code](world)
    run(code)
    assert about(code) == expected


def test_a_finding_about_no_meal_leads_to_none(app: Flask) -> None:
    world = make_world()
    with transaction():
        make_till(world.here.id).claimed = 3
    run("number_gap")
    assert about("number_gap") == []


def test_no_procession_is_told_of_elders_of_another_canteen(app: Flask) -> None:
    world = make_world()
    with transaction():
        procession(world)
        elders = {int(i) for i in db.session.scalars(sa.select(Grant.elder_id).distinct())}
        for elder in elders:
            world.meal(db.session.get_one(Elder, elder), date(2026, 10, 30))
    run("procession")
    here = set(granted(Grant.canteen_id == world.there.id))
    assert set(about("procession")) < here


def overlapping() -> World:
    """A meal after death of somebody very old, and two more of theirs while alive."""
    world = make_world()
    with transaction():
        old = world.elder(birth=date(1919, 1, 1))
        for number in (3, 2, 0):
            world.meal(old, DAY - timedelta(days=number))
        make_fact(old, "status", "deceased", DAY - timedelta(days=1))
        world.meal(old, DAY + timedelta(days=3), canteen=world.there)
    run("deceased", "very_old")
    return world


def test_overlapping_findings_are_worth_each_meal_once(app: Flask) -> None:
    world = overlapping()
    assert sum(row.amount_fen for row in worth.undecided(PERIOD)) == 2 * 500 + 4 * 500
    told = worth.problems(PERIOD)
    assert (told.count, told.held, told.warned, told.meals, told.worth_fen) == (4, 2, 2, 4, 2000)
    assert (told.held_meals, told.held_fen) == (2, 1000)
    assert worth.problems(PERIOD, district="120103").worth_fen == 500
    here = worth.problems(PERIOD, canteen_ids=[world.here.id])
    assert (here.count, here.meals, here.worth_fen) == (2, 3, 1500)
    assert worth.problems("2026-09") == worth.Problems()


def test_what_is_decided_is_no_problem_any_more_and_what_is_asked_still_is(app: Flask) -> None:
    overlapping()
    by = district()
    [here] = [s for s in found("deceased") if holding_at(s) == "120104"]
    with transaction():
        decide(found("very_old")[0].id, "ask", "请核实", by=by, at=AFTER)
        decide(here.id, "deny", "已核实", by=by, at=AFTER)
    told = worth.problems(PERIOD)
    assert (told.count, told.asked, told.worth_fen) == (3, 1, 2000)
    assert worth.problems(PERIOD, district="120104").held == 0


def holding_at(suspicion: Suspicion) -> str:
    """The district a finding was made in."""
    return str(
        db.session.scalar(
            sa.text("SELECT district_code FROM canteens WHERE id = :id"),
            {"id": suspicion.canteen_id},
        )
    )


def test_a_meal_that_is_held_is_looked_at_again_and_stays_found(app: Flask) -> None:
    world = make_world()
    with transaction():
        gone = world.elder()
        make_fact(gone, "status", "deceased", DAY - timedelta(days=1))
        order = world.meal(gone)
    run("deceased")
    assert add_rows(order, "held").cleared == 0
    assert add_rows(order, "released").meals == 2
    with transaction():
        db.session.execute(sa.delete(Suspicion))
    assert run("deceased").new == 1


def add_rows(order: int, *causes: str) -> Found:
    """Write one row after another of a meal's subsidy, each answering the one before, and look."""
    for cause in causes:
        row = changing.last_rows([order])[0]
        with transaction():
            db.session.execute(GRANTS.insert().values(mirrored(row, cause, None, AFTER)))
    return run("deceased", "second_of_day")


def test_a_meal_counts_as_its_last_row_says(app: Flask) -> None:
    world = make_world()
    with transaction():
        gone = world.elder()
        make_fact(gone, "status", "deceased", DAY - timedelta(days=1))
        order = world.meal(gone)
        world.meal(gone, meal="dinner", hour=17)
    assert run("deceased", "second_of_day").new == 3
    for causes, counts in (
        ("denied", False), ("upheld", True), ("held", True), ("released denied", False),
        ("late_fact", True), ("held", True), ("released denied", False), ("upheld", True),
        ("corrected corrected", True), ("spread", False), ("spread", True), ("held", True),
    ):  # fmt: skip
        again = add_rows(order, *causes.split())
        assert (again.meals, again.held_true) == ((3, 3) if counts else (2, 1)), causes
