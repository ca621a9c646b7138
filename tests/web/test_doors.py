"""Every route, walked by every role on its own ground and on a stranger's."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from canteen.audit.models import AuditRecord
from canteen.db import Model, db
from canteen.web.grounds import FREE, KINDS
from canteen.web.guards import SIGNED_IN, Guard, declared
from tests.web import subjects
from tests.web.world import World, make_world, sign_in

# A walk asks hundreds of times, so it walks on one database; what is visible is the same SQL.
pytestmark = pytest.mark.skipif(
    "sqlite" not in os.environ.get("TEST_DATABASES", "sqlite"), reason="walks on SQLite"
)
SKIPPED = ("static",)
# What answers nobody who does not name a thing in the query: a tablet says which till it is.
ASKS_MORE = ("cashier.door",)
REFUSING = (403, 404)
# The files asked for by POST whose address does not end in their kind.
FILES = ("bureau.bank_file_of", "bureau.export_elders")
ENDINGS = (".xlsx", ".csv", ".pdf", ".jsonl")


@pytest.fixture(params=["sqlite"])
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


def routes(app: Flask) -> list[tuple[Rule, str, Guard | None]]:
    """Every rule with each of its methods and its guard."""
    return [
        (rule, method, declared(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint not in SKIPPED
    ]


def hands_out(rule: Rule, method: str) -> bool:
    """Whether it shows a page or hands out a file; what is recorded is asked for by POST."""
    ends = rule.rule.endswith(ENDINGS) or "kind" in rule.arguments
    asked_for = ends or rule.endpoint in FILES
    return method == "GET" or (method == "POST" and asked_for)


def address(app: Flask, rule: Rule, values: dict[str, object]) -> str:
    """The rule with its parameters filled."""
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values, method=None)


def ask(client: FlaskClient, method: str, url: str, accept: str = "application/json") -> int:
    """Ask and say the status; nothing stays open in the session. A refusal need not be a page."""
    sent = {"json": {}} if method != "GET" and url.startswith("/api/") else {}
    status = client.open(url, method=method, headers={"Accept": accept}, **sent).status_code
    db.session.rollback()
    return status


def rows() -> dict[str, int]:
    """How many rows every table has; of the trail those that are no looks."""
    db.session.rollback()
    found = {
        table.name: int(db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        for table in Model.metadata.sorted_tables
    }
    looks = sa.select(sa.func.count()).where(AuditRecord.act == "look")
    return found | {"audit_records": found["audit_records"] - (db.session.scalar(looks) or 0)}


def test_every_route_declares_its_guard(app: Flask) -> None:
    naked = [str(rule) for rule, _, kept in routes(app) if kept is None]
    assert naked == []


def test_every_parameter_of_a_guarded_route_is_looked_up_or_named_free(
    app: Flask, world: World
) -> None:
    for rule, _, kept in routes(app):
        for name in rule.arguments:
            assert subjects.known(world, name), f"{rule}: the walk cannot fill {name}"
            if kept and kept.roles:
                looked_up = name in KINDS or name in FREE or name == "territory_code"
                assert looked_up, f"{rule}: nobody asks whose {name} is"


def test_without_a_sign_in_pages_send_to_the_form_and_the_api_answers_401(
    app: Flask, world: World
) -> None:
    client = app.test_client()
    for rule, method, kept in routes(app):
        if not kept or not kept.roles:
            continue
        values = {name: subjects.own(world, "city", name) or 1 for name in rule.arguments}
        url = address(app, rule, values)
        status = ask(client, method, url)
        expected = 401 if url.startswith("/api/") else 303
        assert status == expected, f"{method} {url}: {status}"


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_role_is_refused_at_every_door_but_its_own(app: Flask, world: World, role: str) -> None:
    client = sign_in(app, world.users[role])
    for rule, method, kept in routes(app):
        if not kept or not kept.roles or role in kept.roles:
            continue
        values = {name: subjects.own(world, "city", name) or 1 for name in rule.arguments}
        url = address(app, rule, values)
        assert ask(client, method, url) == 403, f"{role} came in by {method} {url}"


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_strangers_ground_does_not_exist(app: Flask, world: World, role: str) -> None:
    client = sign_in(app, world.users[role])
    for rule, method, kept in routes(app):
        if not kept or role not in kept.roles:
            continue
        for name in rule.arguments:
            for strange in (subjects.foreign(world, role, name), _nothing(name)):
                values = {n: subjects.own(world, role, n) for n in rule.arguments}
                values[name] = strange
                if None in values.values():
                    continue
                url = address(app, rule, values)
                assert ask(client, method, url) == 404, f"{role}: {method} {url} is not theirs"


@pytest.mark.parametrize("role", SIGNED_IN)
def test_ones_own_ground_is_open(app: Flask, world: World, role: str) -> None:
    client = sign_in(app, world.users[role])
    with client.session_transaction() as session:
        session["till"] = world.own.named["till_id"]  # as if opened by PIN: the pack asks for it
    before = rows()
    for rule, method, kept in routes(app):
        if method != "GET" or not kept or (kept.roles and role not in kept.roles):
            continue
        if rule.endpoint in ASKS_MORE:
            continue
        values = {name: subjects.own(world, role, name) for name in rule.arguments}
        if None in values.values():
            continue
        url = address(app, rule, values)
        status = ask(client, method, url, "text/html")
        assert status < 400 or status in (409, 422), f"{role}: GET {url} answers {status}"
    assert rows() == before, "who reads leaves a look, and nothing else"


@pytest.mark.parametrize("role", SIGNED_IN)
def test_an_act_on_ones_own_ground_finds_it_and_never_breaks(
    app: Flask, world: World, role: str
) -> None:
    """An empty wish may be refused for what it says, but not as if the thing were not there."""
    for rule, method, kept in routes(app):
        if method == "GET" or not kept or role not in kept.roles:
            continue
        values = {name: subjects.own(world, role, name) for name in rule.arguments}
        if None in values.values():
            continue
        url = address(app, rule, values)
        status = ask(sign_in(app, world.users[role]), method, url)
        assert status != 404 and status < 500, f"{role}: {method} {url} answers {status}"


def _nothing(name: str) -> object | None:
    """A number of the kind that nothing has."""
    return subjects.NOBODYS if name.endswith("_id") else None
