"""The register through the API: found by what they carry, shown without their number."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from canteen.db import db
from canteen.elders import ric
from canteen.elders.models import Card
from tests.web.world import World


@pytest.mark.parametrize("what", ["card", "phone", "name", "initials", "last4"])
def test_a_till_finds_whoever_stands_there(world: World, program: Any, what: str) -> None:
    elder = world.next_district.elder
    text = {
        "card": db.session.query(Card.number).filter_by(elder_id=elder.id).scalar(),
        "phone": elder.phone, "name": elder.name, "initials": "zhp", "last4": elder.ric_last4,
    }[what]
    response = program("cashier", "POST", "/elder-searches", {"text": text})
    assert response.status_code == 200, response.json
    found = response.json["elders"]
    assert elder.id in [one["id"] for one in found]
    assert set(found[0]) == {
        "id", "name", "birth_year", "age", "last4", "street", "near", "card", "status",
    }


def test_the_tills_own_street_comes_first(world: World, program: Any) -> None:
    found = program("cashier", "POST", "/elder-searches", {"text": "zhp"}).json["elders"]
    assert [one["near"] for one in found] == [True, True, False, False]


def test_an_office_finds_its_own_people_only(world: World, program: Any) -> None:
    found = program("district", "POST", "/elder-searches", {"text": "zhp"}).json["elders"]
    assert world.next_district.elder.id not in [one["id"] for one in found]
    assert len(found) == 3


def test_a_number_with_a_wrong_checksum_is_said_to_be_wrong(world: World, program: Any) -> None:
    right = ric.make("129901", date(1940, 5, 1), 1)
    wrong = right[:-1] + ("1" if right[-1] != "1" else "2")
    assert program("cashier", "POST", "/elder-searches", {"text": right}).json["elders"]
    refusal = program("cashier", "POST", "/elder-searches", {"text": wrong})
    assert refusal.status_code == 422
    assert "checksum" in refusal.json["error"]["code"] + refusal.json["error"]["messages"]["en"]


def test_an_elder_sees_themselves_with_a_masked_number(world: World, program: Any) -> None:
    shown = program("elder", "GET", f"/elders/{world.own.elder.id}").json
    assert shown["name"] == world.own.elder.name
    assert "*" in shown["id_number_masked"]
    assert "ric_cipher" not in shown and "ric_hash" not in shown
