"""Guards: what a view must declare, and in which order a caller is asked."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask, g
from flask.testing import FlaskClient

from canteen import create_app
from canteen.db import db, transaction
from canteen.settlements.review_models import Correction
from canteen.web.guards import declared, guard, guard_door, public
from tests.web.world import World, bearer, make_token, make_world, sign_in


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


def with_view(app: Flask, view: object, rule: str = "/extra", **options: object) -> FlaskClient:
    """A second application on the same database with one more view."""
    other = create_app(app.config["SETTINGS"])
    other.add_url_rule(rule, "extra", view, **options)
    return other.test_client()


def test_a_view_without_a_guard_is_never_answered(app: Flask) -> None:
    response = with_view(app, lambda: "a secret").get("/extra")
    assert response.status_code == 500
    assert "a secret" not in response.get_data(as_text=True)


def test_a_guard_names_real_roles() -> None:
    with pytest.raises(ValueError, match="chef"):
        guard("chef")
    with pytest.raises(ValueError, match="none given"):
        guard()


def test_a_view_keeps_its_blueprints_guard_unless_it_has_its_own(app: Flask) -> None:
    door = Blueprint("door", __name__, url_prefix="/door")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    guard_door(door, guard("city"))
    door.add_url_rule("/a", "a", lambda: "a")
    door.add_url_rule("/b", "b", public()(lambda: "b"))
    inner.add_url_rule("/c", "c", lambda: "c")
    door.register_blueprint(inner)
    other = create_app(app.config["SETTINGS"])
    other.register_blueprint(door)
    assert declared(other, "door.a").roles == ("city",)
    assert declared(other, "door.b").roles == ()
    assert declared(other, "door.inner.c").roles == ("city",)


def test_a_token_acts_as_its_user(app: Flask, world: World, client: FlaskClient) -> None:
    who = client.get("/api/v1/me", headers=bearer(world.tokens["district"])).json
    assert (who["role"], who["territory"]) == ("district", "120104")


@pytest.mark.parametrize(
    ("given", "code"),
    [("expired", "token_expired"), ("revoked", "token_revoked"), ("unknown", "token_unknown")],
)
def test_a_token_that_opens_nothing_says_why(
    app: Flask, world: World, client: FlaskClient, given: str, code: str
) -> None:
    with transaction():
        token = make_token(world.users["city"], days=-1 if given == "expired" else 1)
    if given == "revoked":
        assert client.delete("/api/v1/tokens/current", headers=bearer(token)).status_code == 204
    token = "canteen_nobodys" if given == "unknown" else token
    response = client.get("/api/v1/me", headers=bearer(token))
    assert response.status_code == 401
    assert response.json["error"]["code"] == code
    assert "Bearer" in response.headers["WWW-Authenticate"]
    assert "error=invalid_token" in response.headers["WWW-Authenticate"]


def test_a_password_changed_signs_every_browser_out(app: Flask, world: World) -> None:
    client = sign_in(app, world.users["city"])
    assert client.get("/api/v1/me").status_code == 200
    with transaction():
        db.session.merge(world.users["city"]).session_mark = "another"
    assert client.get("/api/v1/me").status_code == 401


def test_a_session_ends_by_itself(app: Flask, world: World) -> None:
    client = sign_in(app, world.users["city"])
    with client.session_transaction() as session:
        session["until"] = 1
    assert client.get("/api/v1/me").status_code == 401


def test_who_asked_before_is_forgotten_by_the_next_request(app: Flask, world: World) -> None:
    sign_in(app, world.users["city"]).get("/api/v1/me")
    app.test_client().get("/healthz")
    assert g.actor is None


def test_a_body_longer_than_the_view_reads_is_refused_before_it_is_read(
    app: Flask, client: FlaskClient
) -> None:
    response = client.post("/api/v1/tokens", data=b"x" * 3_000_000, content_type="application/json")
    assert response.status_code == 413
    assert response.json["error"]["code"] == "too_large"


def test_a_view_may_read_more_if_its_guard_says_so(app: Flask) -> None:
    view = public(body=5_000_000, own_page=False)(lambda: "read")
    client = with_view(app, view, methods=["POST"])
    assert client.post("/extra", data=b"x" * 3_000_000).status_code == 200
    assert client.post("/extra", data=b"x" * 6_000_000).status_code == 413


def nothing_to_put_right(world: World) -> None:
    """The statement may be passed on: no line of it waits for the operator."""
    with transaction() as session:
        session.execute(sa.delete(Correction))


class TestOwnPage:
    """Writes by a browser's session must come from a page of ours."""

    @pytest.fixture
    def strict(self, app: Flask) -> Flask:
        app.config["WTF_CSRF_ENABLED"] = True
        return app

    def test_a_write_without_the_pages_token_is_refused(self, strict: Flask, world: World) -> None:
        client = sign_in(strict, world.users["street"])
        response = client.post(f"/api/v1/statements/{world.own.named['statement_id']}/approval")
        assert response.status_code == 400
        assert response.json["error"]["code"] == "stale_form"

    def test_the_pages_token_in_a_header_lets_a_script_write(
        self, strict: Flask, world: World
    ) -> None:
        nothing_to_put_right(world)
        client = sign_in(strict, world.users["street"])
        page = client.get("/no-such-page").get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert token
        g.pop("csrf_token", None)
        response = client.post(
            f"/api/v1/statements/{world.own.named['statement_id']}/approval",
            headers={"X-CSRFToken": token},
        )
        assert response.status_code == 201, response.json

    def test_a_bearer_token_needs_no_page(self, strict: Flask, world: World) -> None:
        nothing_to_put_right(world)
        response = strict.test_client().post(
            f"/api/v1/statements/{world.own.named['statement_id']}/approval",
            headers=bearer(world.tokens["street"]),
        )
        assert response.status_code == 201, response.json

    def test_the_provider_needs_no_page(self, strict: Flask) -> None:
        response = strict.test_client().post("/api/v1/provider-events", data=b"{}")
        assert response.json["error"]["code"] == "bad_signature"
