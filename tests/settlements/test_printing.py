"""A statement's paper: its parts sum to it, changes and held meals are told, offices sign."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.settlements import changing, printing
from canteen.settlements.amending import deduct
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from canteen.territory.actors import job
from tests.factories import City
from tests.settlements.factories import (
    OCTOBER,
    Hands,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)

ON = date(2026, 11, 5)
JOB = job("test")


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def paper(statement: Statement) -> Any:
    return printing.paper_of(statement, ON)


def sold(city: City) -> list[int]:
    """The subsidised orders of the first canteen whose subsidy was given at the till."""
    return list(db.session.scalars(
        sa.select(Grant.order_id)
        .where(Grant.canteen_id == city.here.id, Grant.till_fen > 0).order_by(Grant.id)
    ))  # fmt: skip


def test_the_parts_and_the_days_of_every_statement_sum_to_it(city: City) -> None:
    close()
    for statement in db.session.scalars(sa.select(Statement)):
        made = paper(statement)
        assert sum(part.total_fen for part in made.parts) == made.total_fen == statement.total_fen
        assert sum(day.meals for day in made.days) >= statement.meals
        elder = statement.elder_fen if statement.payee == "canteen" else statement.account_fen
        assert sum(day.elder_fen for day in made.days) == elder
        assert [one.office.en for one in made.signatures][-1] == "City civil affairs"
        assert made.changes == () and made.notes == ()


def test_a_meal_of_an_earlier_month_taken_back_later_is_told_as_a_change(city: City) -> None:
    close()
    statement = statement_of(city.here)
    hands: Hands = city.extra["hands"]
    pass_on([statement.id], hands)
    with transaction():
        changing.take_back({sold(city)[0]: None}, "denied", JOB, at_noon(ON), reason="名单核对")
    close("2026-11", date(2026, 12, 2))
    later = statement_of(city.here, "2026-11")
    made = paper(later)
    assert [(one.what.zh, one.why.zh) for one in made.changes] == [
        ("2026年10月的餐次", "核减，1 笔")
    ]
    assert made.changes[0].amount_fen == later.total_fen < 0
    assert sum(part.total_fen for part in made.parts) == later.total_fen
    names = [table.title.zh for table in printing.tables_of(later, ON)]
    assert names == ["结算单", "金额", "按日", "更正与调整", "餐次"]


def test_a_meal_taken_back_under_review_and_a_deduction_are_told_with_their_reasons(
    city: City,
) -> None:
    close()
    before = paper(statement_of(city.here))
    with transaction():
        changing.take_back({sold(city)[0]: None}, "denied", JOB, at_noon(ON), reason="名单核对")
    with transaction():
        deduct(statement_of(city.here), 300, "deducted", JOB, at_noon(ON), "抽查差错率")
    made = paper(statement_of(city.here))
    assert [one.why.zh for one in made.changes] == ["名单核对", "抽查差错率"]
    assert before.total_fen + sum(one.amount_fen for one in made.changes) == made.total_fen
    assert made.parts[-1].total_fen == -300 or -300 in [part.total_fen for part in made.parts]
    assert sum(part.total_fen for part in made.parts) == made.total_fen
    assert made.code != before.code


def test_held_meals_are_said_not_to_be_in_the_sums(city: City) -> None:
    order_id = sold(city)[0]
    with transaction() as session:
        session.add(Suspicion(
            code="deceased", period=OCTOBER, canteen_id=city.here.id, order_id=order_id,
            key=f"order:{order_id}", amount_fen=500, evidence={}, mode="hold", state="open",
            found_at=at_noon(ON), reason="", false_alarm=False,
        ))  # fmt: skip
    close()
    (note,) = paper(statement_of(city.here)).notes
    assert note.zh.startswith("另有 1 餐 5.00 元")
    assert note.en == "Not in these sums: 1 meal, 5.00 yuan, held for a decision."
    with transaction():
        changing.take_back({order_id: None}, "denied", JOB, at_noon(ON), reason="属实")
    made = paper(statement_of(city.here))
    assert [(one.what.zh, one.amount_fen) for one in made.changes] == [
        ("核减（已在结账时暂扣）", None)
    ]


def test_who_has_confirmed_in_the_system_is_named_beside_the_seal(city: City) -> None:
    close()
    statement = statement_of(city.here)
    pass_on([statement.id], city.extra["hands"], upto="street")
    signed = {one.office.en: one.who for one in paper(statement_of(city.here)).signatures}
    assert signed["Operator"] == "operator" and signed["Street office"] == "street"
    assert signed["District civil affairs"] == ""
