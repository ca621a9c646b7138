"""A refused page or file writes nothing; one narrowed to another's ground shows nothing of it."""

from __future__ import annotations

import os
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from canteen.audit.models import AuditRecord
from canteen.canteens.models import Canteen, Operator
from canteen.db import Model, db, transaction
from canteen.elders.models import Elder
from canteen.web.guards import SIGNED_IN
from tests.attacks.test_accounts_hidden import KINDS, plain, words_of
from tests.web import subjects
from tests.web.test_doors import ASKS_MORE, address, hands_out, routes
from tests.web.world import World, make_world, sign_in

pytestmark = pytest.mark.skipif(
    "sqlite" not in os.environ.get("TEST_DATABASES", "sqlite"), reason="walks on SQLite"
)
THEIRS, ELDER, ENTERPRISE = "桃花源邻里食堂", "司徒隔壁", "隔壁餐饮有限公司"
DOORS = ("bureau.", "operator.")


@pytest.fixture(params=["sqlite"])
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def world(app: Flask) -> World:
    """The ground of the next district, and next door's to an operator, has names like no other."""
    world = make_world()
    with transaction() as session:
        for number, ground in enumerate((world.next_district, world.next_door)):
            canteen = session.get_one(Canteen, ground.canteen.id)
            canteen.name = canteen.name_en = f"{THEIRS}{number}"
            session.get_one(Operator, canteen.operator_id).name = f"{ENTERPRISE}{number}"
            session.get_one(Elder, ground.elder.id).name = f"{ELDER}{number}"
    return world


def rows() -> dict[str, int]:
    """How many rows every table has."""
    db.session.rollback()
    return {
        table.name: int(db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        for table in Model.metadata.sorted_tables
    }


def kinds(app: Flask, rule: Rule, values: dict[str, object]) -> list[str]:
    """The address in every kind it is given out in."""
    found = []
    for kind in KINDS if "kind" in values else ("",):
        try:
            found.append(address(app, rule, values | ({"kind": kind} if kind else {})))
        except ValueError:  # it is not given out in this kind
            continue
    return found


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_refused_page_or_file_writes_nothing(app: Flask, world: World, role: str) -> None:
    client = sign_in(app, world.users[role])
    before, asked, files = rows(), 0, 0
    for rule, method, kept in routes(app):
        if not hands_out(rule, method) or not kept or not kept.roles:
            continue
        for name in [*rule.arguments] or [""]:
            values = {n: subjects.own(world, role, n) or subjects.own(world, "city", n)
                      for n in rule.arguments}  # fmt: skip
            if role in kept.roles:
                if not name:
                    continue
                values[name] = subjects.foreign(world, role, name)
            if None in values.values():
                continue
            for url in kinds(app, rule, values):
                answer = client.open(url, method=method, headers={"Accept": "application/json"})
                status, files = answer.status_code, files + (method == "POST")
                assert status in (403, 404), f"{role}: {url} answers {status}"
                asked += 1
    assert asked > 20 and files > 2
    assert rows() == before


@pytest.mark.parametrize("role", ["street", "district", "operator"])
def test_narrowing_a_list_or_file_to_anothers_ground_shows_nothing_of_it(
    app: Flask, world: World, role: str
) -> None:
    client = sign_in(app, world.users[role])
    stranger = world.next_door if role == "operator" else world.next_district
    mark = "1" if role == "operator" else "0"
    named, canteen = stranger.named, stranger.canteen
    queries = (
        {"territory": canteen.street_code, "period": "2026-10"},
        {"territory": canteen.district_code, "district": canteen.district_code, "year": "2026"},
        {"canteen": canteen.id, "canteen_id": canteen.id, "elder": stranger.elder.id,
         "operator": canteen.operator_id, "statement": named["statement_id"], "period": "all"},
        {"text": THEIRS, "q": ELDER, "name": ELDER, "state": "all", "stage": "street"},
    )  # fmt: skip
    own = db.session.get_one(Canteen, world.own.canteen.id).name
    asked, shown, files = 0, 0, 0
    for rule, method, kept in routes(app):
        if not hands_out(rule, method) or not kept or role not in kept.roles:
            continue
        named_there = set(rule.arguments) - {"kind"}
        if rule.endpoint in ASKS_MORE or not rule.endpoint.startswith(DOORS) or named_there:
            continue
        for url in kinds(app, rule, dict.fromkeys(rule.arguments)):
            for query in queries:
                answer = client.open(
                    f"{url}?{urlencode(query)}", method=method, headers={"Accept": "text/html"}
                )
                files += method == "POST" and answer.status_code == 200
                said = words_of(answer.data)
                for typed in query.values():  # what was typed is shown again
                    said = said.replace(f'value="{typed}"', "")
                for secret in (THEIRS, ELDER, ENTERPRISE):
                    assert f"{secret}{mark}" not in plain(said), f"{url} {query}"
                asked, shown = asked + 1, shown + (own in said)
    assert asked > 40 and shown > 5 and files > 3
    db.session.rollback()
    foreign = sa.select(sa.func.count()).select_from(AuditRecord).where(
        AuditRecord.act == "export", AuditRecord.subject_id.in_(
            [canteen.street_code, canteen.district_code]
        )
    )  # fmt: skip
    assert db.session.scalar(foreign) == 0
