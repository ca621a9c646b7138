"""The operator's desk: where its money is, its own statements and canteens, nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import Licence
from canteen.db import db, transaction
from canteen.money import yuan
from canteen.orders.models import Order
from canteen.words import day
from tests.factories import City
from tests.settlements.factories import close, little_month, pass_on, statement_of
from tests.web.world import sign_in


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    return city


@pytest.fixture
def desk(app: Flask, city: City):
    return sign_in(app, db.session.get_one(User, city.extra["hands"].operator.user_id))


def test_the_first_page_says_where_each_months_money_is(city: City, desk) -> None:
    total = yuan(statement_of(city.here).total_fen)
    assert "确认 1 张结算单" in desk.get("/operator").text
    assert total in desk.get("/operator").text
    pass_on([statement_of(city.here).id], city.extra["hands"], upto="street")
    page = desk.get("/operator").text
    assert "确认 1 张结算单" not in page
    held = page.split("chain-current")[1]
    assert "区民政局" in held.split("chain-step")[0] and total in held.split("chain-step")[0]


def test_the_operator_confirms_its_statements_and_the_street_gets_them(city: City, desk) -> None:
    mine, other = statement_of(city.here), statement_of(city.elsewhere)
    refused = desk.post(
        "/operator/statements/approvals", data={"statement_ids": [mine.id, other.id]}
    )
    assert refused.status_code == 404
    db.session.rollback()
    assert statement_of(city.here).stage == "operator"
    done = desk.post("/operator/statements/approvals", data={"statement_ids": [mine.id]})
    assert done.status_code == 303
    db.session.rollback()
    assert statement_of(city.here).stage == "street"


def test_the_operator_sees_its_meals_with_elders_names_masked(city: City, desk) -> None:
    mine, other = statement_of(city.here), statement_of(city.elsewhere)
    meals = desk.get(f"/operator/statements/{mine.id}/meals").text
    name = city.elder.name
    assert name not in meals and f"{name[0]}*" in meals
    order = db.session.scalars(
        sa.select(Order).where(Order.canteen_id == city.here.id, Order.elder_id == city.elder.id)
    ).first()
    assert order is not None
    page = desk.get(f"/operator/meals/{order.id}").text
    assert "由市级、区级承担" in page and name not in page
    foreign = db.session.scalars(
        sa.select(Order).where(Order.canteen_id == city.elsewhere.id)
    ).first()
    assert foreign is not None
    assert desk.get(f"/operator/meals/{foreign.id}").status_code == 404
    assert desk.get(f"/operator/statements/{other.id}").status_code == 404


def test_its_canteens_and_papers_open_and_no_strangers(city: City, desk) -> None:
    assert city.here.name in desk.get("/operator/canteens").text
    assert city.elsewhere.name not in desk.get("/operator/canteens").text
    page = desk.get(f"/operator/canteens/{city.here.id}").text
    assert city.here.name in page and "listing-changes" not in page
    assert desk.get(f"/operator/canteens/{city.elsewhere.id}").status_code == 404
    ended = clock.business_date() - timedelta(days=1)
    with transaction() as session:
        session.add(Licence(canteen_id=city.here.id, kind="food", number="JY1", valid_to=ended,
                            valid_from=ended - timedelta(days=365)))  # fmt: skip
    page = desk.get("/operator/papers").text
    assert "已到期" in page and "请把新证交街道登记" in page
    page = desk.get("/operator").text
    assert f"最早的已于{day(ended).zh}到期</span>" in page
    assert desk.get("/bureau/statements").status_code == 403
