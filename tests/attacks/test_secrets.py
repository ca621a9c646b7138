"""ID numbers and what leads to them: not in an address, a log or a page."""

from __future__ import annotations

import pytest
from flask import Flask

from canteen.elders import ric
from tests.web.world import World, make_world, sign_in


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


def test_the_desk_looks_for_a_person_without_writing_the_number_into_an_address(
    app: Flask, world: World
) -> None:
    elder, desk = world.own.elder, sign_in(app, world.users["street"])
    number = ric.decrypt(elder.ric_cipher, elder.ric_hash)
    form = desk.get("/bureau/elders").text
    assert 'method="post" action="/bureau/elders/searches"' in form
    found = desk.post("/bureau/elders/searches", data={"text": number}).text
    assert f"/bureau/elders/{elder.id}" in found
    by_address = desk.get("/bureau/elders", query_string={"text": number}).text
    assert f"/bureau/elders/{elder.id}" not in by_address


def test_a_search_reloaded_is_the_register_again(app: Flask, world: World) -> None:
    desk = sign_in(app, world.users["street"])
    assert desk.get("/bureau/elders/searches").status_code == 200


def test_what_the_desk_shows_of_a_number_does_not_make_it_whole(app: Flask, world: World) -> None:
    elder = world.own.elder
    number = ric.decrypt(elder.ric_cipher, elder.ric_hash)
    desk = sign_in(app, world.users["street"])
    for shown in (
        desk.get(f"/bureau/elders/{elder.id}").text,
        desk.post("/bureau/elders/exports", data={"kind": "csv"}).text,
        desk.get(f"/api/v1/elders/{elder.id}").text,
    ):
        assert number[-4:] in shown
        assert number[:6] not in shown
