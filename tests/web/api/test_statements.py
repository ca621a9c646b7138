"""A statement through the API: read to the meal, passed on, sent back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.settlements.models import Payout, Statement, StatementLine
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import Funding, Grant, PolicyVersion
from tests.factories import LONG_AGO
from tests.web.world import PERIOD, World

OCTOBER = date(2026, 10, 5)


@pytest.fixture
def statement(world: World) -> Statement:
    """The own canteen's statement, with its lines and its one meal, in no doubt, not yet paid."""
    number = world.own.named["statement_id"]
    with transaction() as session:
        session.query(Payout).delete()
        session.query(Correction).delete()
        session.execute(sa.update(Suspicion).values(state="cleared"))
        for side, amount in (("elder", 300), ("enterprise", 200)):
            session.add(
                StatementLine(
                    statement_id=number, side=side, funder="city", territory_code="120000",
                    meals=1, amount_fen=amount,
                )
            )
        funding = Funding(
            digest="f", till_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0
        )
        session.add(funding)
        session.flush()
        session.add(
            Grant(
                order_id=world.own.named["order_id"], sign=1, elder_id=world.own.elder.id,
                canteen_id=world.own.canteen.id, period=PERIOD, on=OCTOBER, meal="lunch",
                policy_id=session.query(PolicyVersion.id).limit(1).scalar(), group_code="G1",
                funding_id=funding.id, till_fen=300, account_fen=0, enterprise_fen=200,
                delivery_fen=0, made_at=LONG_AGO,
            )
        )
    return db.session.get_one(Statement, number)


def test_offices_see_the_statements_of_their_ground(
    world: World, program: Any, statement: Statement
) -> None:
    seen = {
        role: program(role, "GET", f"/statements?period={PERIOD}").json["total"]
        for role in ("street", "district", "city", "operator", "manager", "elder")
    }
    assert seen == {
        "street": 2, "district": 3, "city": 4, "operator": 1, "manager": 1, "elder": 0
    }
    narrowed = [
        program("city", "GET", f"/statements?period={PERIOD}&territory={code}").json["total"]
        for code in ("120000", "120103", "120103001")
    ]
    assert narrowed[0] == seen["city"] > narrowed[1] >= narrowed[2]


def test_a_statement_is_read_down_to_its_meals(
    world: World, program: Any, statement: Statement
) -> None:
    path = f"/statements/{statement.id}"
    detail = program("street", "GET", path).json
    assert detail["total_fen"] == 500 == sum(line["amount_fen"] for line in detail["lines"])
    assert [step["office"] for step in detail["chain"]] == [
        "operator", "street", "district", "city", "paid",
    ]
    assert detail["payee_name"] == world.own.canteen.name and detail["payout"] is None
    assert program("street", "GET", f"{path}/lines").json["lines"] == detail["lines"]
    meals = program("street", "GET", f"{path}/meals").json
    assert meals["total"] == 1
    assert meals["meals"][0]["order_id"] == world.own.named["order_id"]
    assert sum(meals["meals"][0][name] for name in ("till_fen", "enterprise_fen")) == 500


def test_a_statement_goes_up_the_chain_and_is_ordered_to_be_paid(
    world: World, program: Any, statement: Statement
) -> None:
    path = f"/statements/{statement.id}/approval"
    early = program("city", "POST", path)
    assert (early.status_code, early.json["error"]["code"]) == (403, "not_your_turn")
    stages = [program(role, "POST", path).json["stage"] for role in ("street", "district", "city")]
    assert stages == ["district", "city", "approved"]
    payout = program("city", "GET", f"/statements/{statement.id}").json["payout"]
    assert (payout["amount_fen"], payout["state"]) == (500, "ready")


def test_an_approval_sent_twice_under_one_key_moves_once(
    world: World, program: Any, statement: Statement
) -> None:
    path = f"/statements/{statement.id}/approval"
    first = program("street", "POST", path, key="approve-1")
    again = program("street", "POST", path, key="approve-1")
    assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)
    third = program("street", "POST", path)
    assert third.status_code == 409


def test_a_statement_goes_back_with_a_reason(
    world: World, program: Any, statement: Statement
) -> None:
    path = f"/statements/{statement.id}/return"
    silent = program("street", "POST", path, {"reason": "no"})
    assert (silent.status_code, silent.json["error"]["field"]) == (422, "reason")
    back = program("street", "POST", path, {"reason": "十月五日的送餐没有签收"})
    assert (back.status_code, back.json["stage"]) == (201, "operator")
    chain = program("operator", "GET", f"/statements/{statement.id}").json["chain"]
    assert chain[1]["state"] == "returned" and "签收" in chain[1]["reason"]


def test_an_operators_program_reads_no_elders_whole_name(
    world: World, program: Any, statement: Statement
) -> None:
    name, path = world.own.elder.name, f"/statements/{statement.id}/meals"
    assert program("street", "GET", path).json["meals"][0]["elder_name"] == name
    masked = program("operator", "GET", path).json["meals"][0]["elder_name"]
    assert masked[0] == name[0] and "*" in masked and name[1] not in masked
