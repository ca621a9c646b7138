"""What answers tell the browser to trust, to keep and to forget."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from canteen import create_app
from canteen.web.guards import public
from tests.web.world import make_world, sign_in


def test_nothing_is_loaded_from_another_host_or_framed(client: FlaskClient) -> None:
    for path in ("/sign-in", "/nothing", "/healthz", "/api/v1/openapi.json"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_a_page_holds_no_script_or_style_its_own_policy_forbids(client: FlaskClient) -> None:
    page = client.get("/sign-in").get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", page)


def test_what_a_signed_in_reader_saw_is_kept_nowhere(app: Flask) -> None:
    world = make_world()
    client = sign_in(app, world.users["city"])
    assert client.get("/api/v1/me").headers["Cache-Control"] == "no-store"
    assert client.get("/nothing").headers["Cache-Control"] == "no-store"


def test_a_file_named_with_its_content_is_kept_for_long(app: Flask, client: FlaskClient) -> None:
    page = client.get("/sign-in").get_data(as_text=True)
    address = re.search(r'href="(/static/css/[^"]+\?v=[^"]+)"', page).group(1)
    assert "immutable" in client.get(address).headers["Cache-Control"]
    plain = client.get(address.partition("?")[0])
    assert "immutable" not in plain.headers.get("Cache-Control", "")
    assert "immutable" not in client.get("/static/none.css?v=1").headers["Cache-Control"]


def session_cookie(app: Flask) -> str:
    """The session's cookie as the sign-in page sets it."""
    cookies = app.test_client().get("/sign-in").headers.getlist("Set-Cookie")
    return next(cookie for cookie in cookies if cookie.startswith("canteen="))


def test_the_session_is_for_the_server_alone(app: Flask) -> None:
    cookie = session_cookie(app)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie


def test_over_https_everything_stays_there(app: Flask) -> None:
    other = create_app(dataclasses.replace(app.config["SETTINGS"], https=True))
    assert "Secure" in session_cookie(other)
    assert "Strict-Transport-Security" in other.test_client().get("/healthz").headers


@pytest.mark.parametrize(("https", "seen"), [(True, "203.0.113.7"), (False, "127.0.0.1")])
def test_only_behind_tls_the_proxy_is_believed_about_who_calls(
    app: Flask, https: bool, seen: str
) -> None:
    other = create_app(dataclasses.replace(app.config["SETTINGS"], https=https))
    other.add_url_rule("/who", "who", public()(lambda: request.remote_addr or ""))
    forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    assert other.test_client().get("/who", headers=forwarded).get_data(as_text=True) == seen


def test_every_answer_has_a_number_to_find_it_in_the_log(client: FlaskClient) -> None:
    first, second = (client.get("/healthz").headers["X-Request-Id"] for _ in range(2))
    assert first != second and len(first) == 12
