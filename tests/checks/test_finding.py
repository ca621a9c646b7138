"""Which suspicions a desk lists: its own ground's, what is held first."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from canteen.checks.deciding import NoSuchSuspicion, decide
from canteen.checks.finding import get_for, of_order, page
from canteen.db import transaction
from canteen.territory.actors import Actor
from tests.checks.world import AFTER, World, make_world, run
from tests.factories import actor, make_fact, make_user


@pytest.fixture
def world(app: Flask) -> World:
    """A meal after death here and there, and one of somebody very old here."""
    world = make_world()
    with transaction():
        for canteen in (world.here, world.there):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.extra[canteen.id] = world.meal(gone, canteen=canteen)
        old = world.elder(birth=date(1919, 1, 1))
        for day in (6, 7):
            world.meal(old, date(2026, 10, day))
    run("deceased", "very_old")
    return world


def staff(territory: str, role: str = "district") -> Actor:
    """Somebody of a bureau."""
    with transaction():
        return actor(make_user(role, territory_code=territory))


def test_each_desk_lists_its_own_ground(world: World) -> None:
    assert page(staff("120000", "city")).total == 3
    assert page(staff("120104")).total == 2
    assert [row.district for row in page(staff("120103")).rows] == ["120103"]
    assert page(staff("120104002", "street")).total == 0
    assert page(staff("120104001", "street")).total == 2


def test_a_manager_sees_the_own_canteen_s_and_a_cashier_none(world: World) -> None:
    assert page(world.city.manager).total == 2
    assert page(world.city.cashier).total == 0
    with pytest.raises(NoSuchSuspicion):
        get_for(world.city.cashier, page(world.city.manager).rows[0].suspicion.id)


def test_what_is_held_comes_first_although_it_is_worth_less(world: World) -> None:
    listed = page(staff("120104"))
    told = [(row.suspicion.code, row.suspicion.amount_fen) for row in listed.rows]
    assert told == [("deceased", 500), ("very_old", 1000)]
    assert listed.amount_fen == 1500
    assert page(staff("120104"), mode="warn").total == 1
    assert page(staff("120104"), number=2, size=1).rows[0].suspicion.code == "very_old"
    assert page(staff("120104"), number=2, size=1).pages == 2


def test_a_foreign_suspicion_does_not_exist(world: World) -> None:
    foreign = page(staff("120103")).rows[0].suspicion
    with pytest.raises(NoSuchSuspicion):
        get_for(staff("120104"), foreign.id)
    assert get_for(staff("120103"), foreign.id).id == foreign.id
    assert of_order(staff("120104"), world.extra[world.there.id]) == []


def test_a_meal_shows_what_was_found_of_it_after_the_decision_as_well(world: World) -> None:
    by, order = staff("120104"), world.extra[world.here.id]
    [suspicion] = of_order(by, order)
    with transaction():
        decide(suspicion.id, "deny", "属实", by=by, at=AFTER)
    assert [one.state for one in of_order(by, order)] == ["denied"]
    assert page(by, code="deceased").total == 0
    assert page(by, code="deceased", states=("denied",)).total == 1
    assert page(by, period="2026-09").total == 0
