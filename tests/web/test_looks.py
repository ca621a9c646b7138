"""Who looks at people's data leaves a record, at the desks and through the API."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.settlements.models import Statement
from tests.web.world import World, bearer, make_world, sign_in


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


def left(act: str = "look") -> list[tuple[str, str]]:
    """What was left behind, in order."""
    rows = db.session.execute(
        sa.select(AuditRecord.actor, AuditRecord.subject, AuditRecord.subject_id)
        .where(AuditRecord.act == act).order_by(AuditRecord.id)
    ).all()  # fmt: skip
    return [(row.subject, row.subject_id) for row in rows]


@pytest.fixture
def own_statement(world: World) -> int:
    """A statement of the elder's own."""
    one = db.session.get_one(Statement, world.own.named["statement_id"])
    values = {column.key: getattr(one, column.key) for column in Statement.__table__.columns}
    values |= {"id": None, "payee": "elder", "canteen_id": None, "operator_id": None,
               "elder_id": world.own.elder.id, "stage": "street"}  # fmt: skip
    with transaction() as session:
        session.add(own := Statement(**values))
        session.execute(
            sa.update(Suspicion).where(Suspicion.id == world.own.named["suspicion_id"])
            .values(code="deceased", elder_id=world.own.elder.id,
                    evidence={"since_on": "2026-10-01", "meal_on": "2026-10-02"})
        )  # fmt: skip
    return own.id


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("findings/{suspicion_id}", ("suspicion", "elder")), ("claims/{claim_id}", ("elder",)),
        ("statements/{statement_id}/meals", ("statement",)),
        ("statements/{statement_id}/marks", ("statement",)),
        ("statements/{statement_id}/sample", ("statement",)),
        ("statements/{own}", ("own",)), ("statements/{own}/story", ("own",)),
        ("elders/{elder_id}/particulars", ("elder",)), ("meals/{meal_id}", ("meal",)),
    ],
)  # fmt: skip
def test_a_page_of_the_desk_that_names_people_leaves_one_look_of_each(
    app: Flask, world: World, own_statement: int, address: str, of: tuple[str, ...]
) -> None:
    named = world.own.named | {"own": own_statement, "elder_id": world.own.elder.id}
    told = {
        "own": ("statement", str(own_statement)),
        **{kind: (kind, str(named[f"{kind}_id"]))
           for kind in ("suspicion", "elder", "statement", "meal")},
    }  # fmt: skip
    desk, url = sign_in(app, world.users["street"]), "/bureau/" + address.format(**named)
    assert desk.head(url).status_code == 200 and left() == [], "nothing was shown"
    for _ in range(2):
        assert desk.get(url).status_code == 200
    assert left() == [told[kind] for kind in of]


def test_the_operator_looks_on_record_as_well(app: Flask, world: World) -> None:
    named, desk = world.own.named, sign_in(app, world.users["operator"])
    assert desk.get(f"/operator/statements/{named['statement_id']}/corrections").status_code == 200
    assert desk.get(f"/operator/problems/{named['suspicion_id']}").status_code == 200
    assert left() == [
        ("statement", str(named["statement_id"])), ("suspicion", str(named["suspicion_id"])),
    ]


def test_a_program_of_an_office_leaves_what_a_page_would_and_a_till_its_sale_only(
    app: Flask, world: World
) -> None:
    client, elder = app.test_client(), world.own.elder
    statement = world.own.named["statement_id"]
    for role, looked in (("district", 2), ("operator", 1), ("elder", 0)):
        before = len(left())
        for path in (f"elders/{elder.id}", f"statements/{statement}/meals"):
            client.get(f"/api/v1/{path}", headers=bearer(world.tokens[role]))
        assert len(left()) - before == looked, role
    for role, searched in (("cashier", 0), ("street", 1)):
        answer = client.post(
            "/api/v1/elder-searches", json={"text": "zhp"}, headers=bearer(world.tokens[role])
        )
        assert answer.status_code == 200
        assert len(left("search")) == searched
    rows = db.session.scalar(sa.select(AuditRecord.detail).where(AuditRecord.act == "search"))
    assert rows == {"rows": len(answer.json["elders"])}
