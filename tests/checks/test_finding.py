"""Which suspicions somebody may see: those of the own ground."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks.deciding import NoSuchSuspicion
from canteen.checks.finding import get_for
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.territory.actors import Actor
from tests.checks.world import World, make_world, run
from tests.factories import actor, make_fact, make_user


@pytest.fixture
def world(app: Flask) -> World:
    """A meal after death here and there, and one of somebody very old here."""
    world = make_world()
    with transaction():
        for canteen in (world.here, world.there):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.meal(gone, canteen=canteen)
        old = world.elder(birth=date(1919, 1, 1))
        for day in (6, 7):
            world.meal(old, date(2026, 10, day))
    run("deceased", "very_old")
    return world


def staff(territory: str, role: str = "district") -> Actor:
    """Somebody of a bureau."""
    with transaction():
        return actor(make_user(role, territory_code=territory))


def seen(by: Actor) -> list[str]:
    """The codes of all that somebody may see."""
    codes = []
    for suspicion_id in db.session.scalars(sa.select(Suspicion.id).order_by(Suspicion.id)):
        with suppress(NoSuchSuspicion):
            codes.append(get_for(by, suspicion_id).code)
    return sorted(codes)


def test_each_desk_sees_its_own_ground(world: World) -> None:
    here = ["deceased", "very_old"]
    assert seen(staff("120000", "city")) == ["deceased", *here]
    assert seen(staff("120104")) == here
    assert seen(staff("120103")) == ["deceased"]
    assert seen(staff("120104002", "street")) == []
    assert seen(staff("120104001", "street")) == here


def test_a_manager_sees_the_own_canteen_s_and_a_cashier_none(world: World) -> None:
    assert seen(world.city.manager) == ["deceased", "very_old"]
    assert seen(world.city.cashier) == []
