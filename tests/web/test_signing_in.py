"""Signing in by the form: let in, sent home, held up, sent back where one came from."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.access.passwords import hash_of
from canteen.db import transaction
from canteen.web.signing_in import HOMES, safe_next
from tests.web.world import World, make_world, sign_in

PASSWORD = "rice-and-soup-2026"


@pytest.fixture
def world(app: Flask) -> World:
    world = make_world()
    with transaction() as session:
        for role in ("cashier", "district"):
            session.merge(world.users[role]).password_hash = hash_of(PASSWORD)
    return world


def enter(client: FlaskClient, login: str, password: str = PASSWORD, **more: str):
    return client.post("/sign-in", data={"login": login, "password": password} | more)


def test_a_right_password_leads_home_by_role(world: World, client: FlaskClient) -> None:
    response = enter(client, "cashier")
    assert (response.status_code, response.location) == (303, "/till")
    assert client.get("/").location == "/till"
    assert client.get("/sign-in").location == "/till"


@pytest.mark.parametrize("role", HOMES)
def test_every_role_has_a_home(app: Flask, world: World, role: str) -> None:
    assert sign_in(app, world.users[role]).get("/").location == HOMES[role]


def test_a_passer_by_is_led_to_the_public_list(client: FlaskClient) -> None:
    assert client.get("/").location == "/canteens"


def test_one_comes_back_to_the_page_one_wanted(world: World, client: FlaskClient) -> None:
    assert enter(client, "cashier", next="/till/orders?on=2026-11-21").location == (
        "/till/orders?on=2026-11-21"
    )


def test_a_wrong_password_and_a_wrong_login_are_answered_alike(
    world: World, client: FlaskClient
) -> None:
    wrong, nobody = enter(client, "cashier", "wrong"), enter(client, "nobody", "wrong")
    assert wrong.status_code == nobody.status_code == 422
    hide = lambda page, login: page.get_data(as_text=True).replace(f'value="{login}"', "")  # noqa: E731
    assert "登录名或密码不对" in hide(wrong, "cashier")
    assert hide(wrong, "cashier") == hide(nobody, "nobody")


def test_the_password_is_never_put_back_into_the_form(world: World, client: FlaskClient) -> None:
    assert "wrong-secret" not in enter(client, "cashier", "wrong-secret").get_data(as_text=True)


def test_guessing_is_held_up_and_says_for_how_long(world: World, client: FlaskClient) -> None:
    for _ in range(5):
        enter(client, "cashier", "guess")
    response = enter(client, "cashier")
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 900
    assert "15 分钟" in response.get_data(as_text=True)


def test_signing_out_forgets_who_sat_here(world: World, client: FlaskClient) -> None:
    enter(client, "cashier")
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/api/v1/me").status_code == 401


def test_signing_in_starts_a_new_session(world: World, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["left_by"] = "somebody else"
    enter(client, "cashier")
    with client.session_transaction() as session:
        assert "left_by" not in session


@pytest.mark.parametrize(
    "wish",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "/ok\r\nSet-Cookie: a=b", "", None, "till"],
)  # fmt: skip
def test_nobody_is_sent_to_another_host(wish: str | None) -> None:
    assert safe_next(wish) is None


def test_our_own_addresses_are_fine() -> None:
    assert safe_next("/bureau/statements/7?side=elder#meals") is not None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_language_is_one_tap_away_and_stays(client: FlaskClient, language: str) -> None:
    response = client.get(f"/language/{language}?next=/sign-in")
    assert (response.status_code, response.location) == (303, "/sign-in")
    page = client.get("/sign-in").get_data(as_text=True)
    assert {"zh": "登录名", "en": "Password"}[language] in page


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/language/fr").headers


def test_a_page_that_needs_a_sign_in_sends_to_the_form_and_remembers_the_way(
    app: Flask, client: FlaskClient
) -> None:
    from canteen import create_app
    from canteen.web.guards import guard

    other = create_app(app.config["SETTINGS"])
    other.add_url_rule("/desk", "desk", guard("city")(lambda: "desk"))
    response = other.test_client().get("/desk?page=2")
    assert response.status_code == 303
    assert response.location == "/sign-in?next=/desk?page%3D2"
