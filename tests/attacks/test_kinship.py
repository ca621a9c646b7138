"""Relatives: who orders for another decides nothing else for them."""

from __future__ import annotations

import pytest
from flask import Flask

from canteen.access import users
from canteen.db import db, transaction
from canteen.elders import family
from canteen.elders.models import FamilyMember
from canteen.errors import Forbidden
from tests.web.world import World, befriend, make_world, sign_in


@pytest.fixture
def world(app: Flask) -> World:
    """The elder of the world may also order for the elder next door, as a spouse would."""
    world = make_world()
    with transaction():
        befriend(world.next_door.elder, world.users["elder"])
        befriend(world.next_door.elder, world.users["family"])
    return world


def ends(app: Flask, world: World, of: int, who: str) -> bool:
    """Whether the world's elder got somebody off the list of who may order for an elder."""
    user_id = world.users[who].id
    sign_in(app, world.users["elder"]).post(
        f"/home/elders/{of}/family/ending", data={"user": user_id}
    )
    row = db.session.get(FamilyMember, (of, user_id), populate_existing=True)
    return row.ended_at is not None


def test_an_elder_who_orders_for_another_cannot_send_their_family_away(
    app: Flask, world: World
) -> None:
    assert not ends(app, world, world.next_door.elder.id, "family")


def test_an_elder_who_orders_for_another_cannot_let_others_in(app: Flask, world: World) -> None:
    by = users.actor_of(world.users["elder"])
    with pytest.raises(Forbidden), transaction():
        family.allow(world.next_door.elder.id, world.users["cashier"].id, "邻居", by)


def test_an_elder_decides_for_themselves_and_may_stop_ordering_for_another(
    app: Flask, world: World
) -> None:
    assert ends(app, world, world.own.elder.id, "family")
    assert ends(app, world, world.next_door.elder.id, "elder")
