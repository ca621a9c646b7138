"""Texts no keyboard writes: each is refused in words, on both databases, and nothing breaks."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.world import World, make_world, sign_in

NUL = "王\0"


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


@pytest.mark.parametrize("address", ["/canteens", "/bureau/canteens", "/bureau/statements"])
def test_a_nul_in_a_search_is_refused_not_a_fault(app: Flask, world: World, address: str) -> None:
    response = sign_in(app, world.users["city"]).get(address, query_string={"text": NUL})
    assert response.status_code == 422
    assert "无法保存的字符" in response.get_data(as_text=True)


def test_a_stranger_who_sends_a_nul_as_login_is_refused(app: Flask, client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"login": NUL, "password": "whatever it is"})
    assert response.status_code == 422


def test_a_nul_in_a_form_names_its_field_and_changes_nothing(app: Flask, world: World) -> None:
    canteen = world.own.canteen
    response = sign_in(app, world.users["district"]).post(
        f"/bureau/canteens/{canteen.id}/tier",
        data={"tier": "2", "reason": f"面积已核实{NUL}"}, headers={"Accept": "application/json"},
    )  # fmt: skip
    assert response.status_code == 422
    assert response.json["error"]["code"] == "bad_character"
    assert response.json["error"]["field"] == "reason"


def test_a_nul_in_an_address_names_nothing_there_is(app: Flask, world: World) -> None:
    response = sign_in(app, world.users["elder"]).post("/home/cards/8%00/loss")
    assert response.status_code == 404


@pytest.mark.parametrize("number", ["²", "9" * 25, "9" * 5000, "٣", "-1", ""])
def test_a_menu_line_for_a_dish_no_number_names_is_left_out(
    app: Flask, world: World, number: str
) -> None:
    response = sign_in(app, world.users["manager"]).post(
        f"/till/menus/{world.today}/dinner", data={f"portions-{number}": "3"}
    )
    assert response.status_code == 422


def test_a_password_that_is_no_text_is_only_wrong(app: Flask, client: FlaskClient) -> None:
    response = client.post(
        "/api/v1/tokens", data='{"login": "city", "password": "\\ud800 and more"}',
        content_type="application/json",
    )  # fmt: skip
    assert response.status_code == 422


def test_a_body_sent_in_pieces_is_measured_like_any_other(app: Flask, client: FlaskClient) -> None:
    long = b'{"login": "' + b"x" * 3_000_000 + b'", "password": "x"}'
    response = client.post(
        "/api/v1/tokens", input_stream=io.BytesIO(long), content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True}, headers={"Transfer-Encoding": "chunked"},
    )  # fmt: skip
    assert response.status_code == 413
    assert response.json["error"]["code"] == "too_large"
