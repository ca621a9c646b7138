"""Whatever is wrong with a request, a clear sentence names it and nothing is saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen.canteens.models import Canteen
from canteen.db import Model, db, transaction
from canteen.elders import ric
from canteen.menus.models import MenuItem
from tests.web.world import World, bearer

ID_NUMBER = ric.make("129902", date(1940, 5, 1), 77)
SECRET_TABLES = ("failed_sign_ins",)


def rows() -> dict[str, int]:
    """How many rows every table has."""
    return {
        name: db.session.scalar(sa.select(sa.func.count()).select_from(table))
        for name, table in Model.metadata.tables.items()
        if name not in SECRET_TABLES
    }


def refused(response: Any, status: int, code: str | None = None, field: str | None = None) -> dict:
    """The error of a refusal, checked to be readable in both languages."""
    assert response.status_code == status, response.json
    error = response.json["error"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in error["messages"]["zh"])
    assert error["messages"]["en"].isascii() or "“" in error["messages"]["en"]
    assert error["message"] == error["messages"]["zh"]
    if code:
        assert error["code"] == code, error
    if field:
        assert error["field"] == field, error
    return error


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"lines": [{"item_id": 1, "quantity": -1}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"item_id": 1, "quantity": 0}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"item_id": 1, "quantity": 10**9}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"item_id": 1, "quantity": 1.5}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"item_id": 1, "quantity": "two"}]}, 422, "invalid", "lines.0.quantity"),
        ({"lines": [{"item_id": 10**19, "quantity": 1}]}, 422, "invalid", "lines.0.item_id"),
        ({"lines": [{"quantity": 1}]}, 422, "invalid", "lines.0.item_id"),
        ({"lines": []}, 422, "invalid", "lines"),
        ({"lines": None}, 422, "invalid", "lines"),
        ({"lines": [{"item_id": 4, "quantity": 1}]}, 422, "bad_order", "lines"),
        ({"meal": "supper"}, 422, "invalid", "meal"),
        ({"meal": "dinner"}, 422, "bad_order", "lines"),
        ({"on": "2026-11-20"}, 422, "meal_past", "on"),
        ({"on": "2026-13-40"}, 422, "invalid", "on"),
        ({"on": "9999-12-31"}, 422, "invalid", "on"),
        ({"on": "2027-11-21"}, 422, "bad_order", "on"),
        ({"canteen_id": 4_000_000}, 404, None, None),
        ({"service": "by_drone"}, 422, "invalid", "service"),
        ({"payment": "cowrie"}, 422, "invalid", "payment"),
        ({"note": "x" * 121}, 422, "invalid", "note"),
        ({"note": "a\u0000b"}, 422, "invalid", "note"),
        ({"colour": "red"}, 422, "invalid", "colour"),
        ({"expected_payable_fen": -1}, 422, "invalid", "expected_payable_fen"),
        ({"elder_id": 4_000_000}, 404, None, None),
        ({"serve_now": True, "payment": "online"}, 422, "bad_order", "payment"),
    ],
)
def test_an_order_that_cannot_be(
    world: World, program: Any, wish: Any, change: dict, status: int, code: str, field: str
) -> None:
    before = rows()
    refused(program("cashier", "POST", "/orders", wish(**change)), status, code, field)
    assert rows() == before


def test_the_same_dish_in_two_lines(world: World, program: Any, wish: Any) -> None:
    line = {"item_id": world.own.items[0].id, "quantity": 1}
    refused(program("cashier", "POST", "/orders", wish(lines=[line, line])), 422, "same_dish_twice")


@pytest.mark.parametrize("status", ["suspended", "delisted", "applied"])
def test_a_canteen_that_may_not_sell(world: World, program: Any, wish: Any, status: str) -> None:
    with transaction():
        db.session.execute(sa.update(Canteen).values(status=status))
    before = rows()
    refused(program("cashier", "POST", "/orders", wish()), 422, "canteen_not_selling")
    assert rows() == before


def test_more_than_there_is(world: World, program: Any, wish: Any) -> None:
    with transaction():
        db.session.execute(sa.update(MenuItem).values(portions=1, taken=1))
    before = rows()
    response = program("cashier", "POST", "/orders", wish())
    assert response.status_code in (409, 422)
    assert response.json["error"]["code"] == "sold_out"
    assert rows() == before


BODIES: dict[str, tuple[bytes, str, int, str]] = {
    "broken": (b'{"login": ', "application/json", 400, "broken_json"),
    "nothing": (b"", "application/json", 400, "broken_json"),
    "not UTF-8": (b'{"login": "\xff"}', "application/json", 400, "broken_json"),
    "too deep": (b"[" * 100_000, "application/json", 400, "broken_json"),
    "no number": (b'{"login": NaN}', "application/json", 400, "broken_json"),
    "endless number": (b'{"days": ' + b"9" * 5000 + b"}", "application/json", 400, "broken_json"),
    "a list": (b"[]", "application/json", 422, "invalid"),
    "half a character": (
        b'{"login": "\\ud800", "password": "x"}', "application/json", 422, "invalid",
    ),
    "too large": (b" " * 3_000_000, "application/json", 413, "too_large"),
    "a form": (b"login=x", "application/x-www-form-urlencoded", 415, "not_json"),
    "no type": (b"{}", "", 415, "not_json"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_not_what_it_should_be(client: FlaskClient, name: str) -> None:
    body, kind, status, code = BODIES[name]
    response = client.post("/api/v1/tokens", data=body, content_type=kind or None)
    refused(response, status, code)


def enrolment(**changes: Any) -> dict[str, Any]:
    return {
        "id_number": ID_NUMBER, "name": "钱和顺", "street_code": "120104001",
        "household": "120104", "birth_date": "1940-05-01",
    } | changes


def test_a_person_is_enrolled_and_their_number_is_masked(world: World, program: Any) -> None:
    facts = [{"kind": "category", "value": "visiting_care", "valid_from": "2026-01-01"}]
    response = program("street", "POST", "/elders", enrolment(facts=facts))
    assert response.status_code == 201, response.json
    assert ID_NUMBER not in response.get_data(as_text=True)
    assert response.json["id_number_masked"].endswith(ID_NUMBER[-4:])
    assert response.json["facts"][0]["value"] == "visiting_care"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id_number": ID_NUMBER[:-1] + ("1" if ID_NUMBER[-1] != "1" else "2")}, "id_number"),
        ({"id_number": "129902"}, "id_number"),
        ({"id_number": ric.make("129902", date(2027, 5, 1), 7), "birth_date": None}, None),
        ({"birth_date": "1941-05-01"}, "birth_date"),
        ({"birth_date": "2027-05-01"}, "birth_date"),
        ({"street_code": "120199001"}, None),
        ({"street_code": "河西"}, "street_code"),
        ({"household": "129999999"}, None),
        ({"name": ""}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"facts": [{"kind": "category", "value": "rich", "valid_from": "2026-01-01"}]},
         "facts.0.value"),
        ({"facts": [{"kind": "care_level", "value": "severe", "valid_from": "2026-02-01",
                     "valid_to": "2026-01-01"}]}, None),
    ],
)  # fmt: skip
def test_a_person_who_cannot_be_enrolled(
    world: World, program: Any, change: dict, field: str | None
) -> None:
    before = rows()
    error = refused(program("street", "POST", "/elders", enrolment(**change)), 422)
    assert field is None or error["field"] == field
    assert error["field"], "it names no field"
    assert rows() == before


def test_a_person_of_another_street_is_not_mine_to_enrol(world: World, program: Any) -> None:
    response = program("street", "POST", "/elders", enrolment(street_code="120104002"))
    assert response.status_code in (403, 404, 422)
    assert db.session.query(Model.metadata.tables["elders"]).count() == 4


def test_a_person_is_enrolled_once(world: World, program: Any) -> None:
    program("street", "POST", "/elders", enrolment())
    before = rows()
    refused(program("street", "POST", "/elders", enrolment()), 409, "already_enrolled", "id_number")
    assert rows() == before


@pytest.mark.parametrize(
    "path",
    [
        "/canteens?page=0", "/canteens?size=100000", "/canteens?territory=nowhere",
        "/canteens?text=%00", "/orders?on=tomorrow", "/orders?state=eaten", "/orders?before=-1",
        "/statements?period=2026-13", "/statements?stage=lost",
    ],
)
def test_a_question_that_makes_no_sense(world: World, program: Any, path: str) -> None:
    refused(program("city", "GET", path), 422, "invalid", path.partition("?")[2].partition("=")[0])


@pytest.mark.parametrize("number", ["99999999999999999999", "9223372036854775807"])
@pytest.mark.parametrize("thing", ["canteens", "orders", "statements"])
def test_a_number_beyond_every_row_is_simply_not_there(
    world: World, program: Any, thing: str, number: str
) -> None:
    refused(program("city", "GET", f"/{thing}/{number}"), 404)


def test_a_wrong_password_gets_no_token(world: World, client: FlaskClient) -> None:
    before = rows()
    sent = {"login": "cashier", "password": "wrong"}
    refused(client.post("/api/v1/tokens", json=sent), 422, "wrong_sign_in")
    assert rows() == before


def test_a_program_that_guesses_is_told_when_to_come_back(
    world: World, client: FlaskClient
) -> None:
    for _ in range(5):
        client.post("/api/v1/tokens", json={"login": "cashier", "password": "wrong"})
    response = client.post("/api/v1/tokens", json={"login": "cashier", "password": "wrong"})
    refused(response, 429, "too_many_attempts")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", "nonsense"])
def test_a_notice_the_provider_did_not_sign(
    world: World, client: FlaskClient, signature: str
) -> None:
    before = rows()
    response = client.post(
        "/api/v1/provider-events", data=b'{"id": "evt_1"}',
        headers={"Stripe-Signature": signature},
    )
    refused(response, 403, "bad_signature")
    assert rows() == before


def test_a_refusal_in_english(app: Flask, world: World, wish: Callable[..., dict]) -> None:
    headers = bearer(world.tokens["cashier"]) | {
        "Accept-Language": "en", "Idempotency-Key": "english-1",
    }
    response = app.test_client().post(
        "/api/v1/orders", json=wish(on="2026-11-20"), headers=headers
    )
    assert response.json["error"]["message"] == "The menu of Fri 20 Nov is past; choose today's"
