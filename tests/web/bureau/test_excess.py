"""What reviewers see of sales made without network: the till's record, and who bears an excess."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.access.models import User
from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.settlements.models import Statement
from canteen.tills import excess
from canteen.tills.notes import NOTES
from tests.factories import City, actor, make_city, make_user
from tests.settlements.factories import AFTER_AT
from tests.tills.receipts import make_sale, make_till
from tests.web.public.conftest import words
from tests.web.world import sign_in


@pytest.fixture
def city(app: Flask) -> City:
    """A canteen with a lunch today."""
    return make_city()


@pytest.fixture
def district(app: Flask, city: City) -> FlaskClient:
    """The district's reviewer."""
    with transaction():
        by = actor(make_user("district", territory_code="120104"))
    return sign_in(app, db.session.get_one(User, by.user_id))


def make_statement(city: City) -> int:
    """A statement of this month for the city's first canteen."""
    here = city.here
    with transaction():
        statement = Statement(
            period=clock.period_of(city.today), payee="canteen", canteen_id=here.id,
            operator_id=here.operator_id, street_code=here.street_code,
            district_code=here.district_code, meals=2, elder_fen=600, account_fen=0,
            enterprise_fen=200, delivery_fen=0, online_fen=0, carried_fen=0, total_fen=800,
            stage="district", stage_since=AFTER_AT, prepared_by="job:close", prepared_at=AFTER_AT,
        )
        db.session.add(statement)
        db.session.flush()
        return statement.id


def beyond(order_id: int) -> None:
    """As if the programme bore this meal's subsidy."""
    with transaction():
        order = db.session.get_one(Order, order_id)
        order.inputs = {**order.inputs, "beyond_caps": True}


def test_a_meal_sold_without_network_shows_how_the_till_wrote_it_down(
    city: City, district: FlaskClient
) -> None:
    till = make_till(city)
    number = make_sale(
        city, till, 31, late=timedelta(minutes=42), notes=tuple(NOTES), excess_fen=200
    )
    said = words(district.get(f"/bureau/meals/{number}"))
    for part in ("一号机，第 31 号", "断网时成交，后来上传", "时钟快 7 分钟", "晚 42 分钟",
                 "2.00 元，由食堂承担", "已收 8.50 元，相差的 2.00 元由食堂承担", "3.50",
                 *(text.zh for text in NOTES.values())):
        assert part in said, part  # fmt: skip


def test_a_meal_sold_on_line_says_so_and_needs_no_notes(
    city: City, district: FlaskClient
) -> None:
    number = make_sale(city, make_till(city), 5)
    said = words(district.get(f"/bureau/meals/{number}"))
    assert "联网成交" in said and "一号机，第 5 号" in said and "多给的补贴" not in said


def test_a_meal_no_till_sold_says_nothing_of_a_till(city: City, district: FlaskClient) -> None:
    from tests.web.cashier.test_orders import order_ahead

    assert "收银机" not in words(district.get(f"/bureau/meals/{order_ahead(city)}"))


def test_the_statement_sums_the_excess_by_bearer_and_leads_to_the_meals(
    city: City, district: FlaskClient
) -> None:
    till = make_till(city)
    late = timedelta(hours=1)
    by_programme = make_sale(city, till, 1, late=late, notes=("excess_programme",))
    beyond(by_programme)
    by_canteen = make_sale(city, till, 2, late=late, notes=("excess_canteen",), excess_fen=300)
    statement = make_statement(city)
    said = words(district.get(f"/bureau/statements/{statement}"))
    assert "1 餐，3.00 元，已含在本单老人补贴内" in said
    assert "1 餐，3.00 元，不在本单内" in said
    page = f"/bureau/statements/{statement}/excess"
    assert page in district.get(f"/bureau/statements/{statement}").text
    both = district.get(page).text
    assert f"/bureau/meals/{by_programme}" in both and f"/bureau/meals/{by_canteen}" in both
    only = district.get(f"{page}?bearer=canteen").text
    assert f"/bureau/meals/{by_programme}" not in only and f"/bureau/meals/{by_canteen}" in only
    with transaction():
        cancel(by_canteen, "mistake", "", city.manager, clock.now())
    found = excess.sums(city.here.id, clock.period_of(city.today))
    assert found == excess.Sums(excess.Sum(0, 0), excess.Sum(1, 300))


def test_a_month_without_an_excess_does_not_mention_one(
    city: City, district: FlaskClient
) -> None:
    make_sale(city, make_till(city), 1)
    statement = make_statement(city)
    assert "断网时多给" not in words(district.get(f"/bureau/statements/{statement}"))
    assert "没有多给的补贴" in words(district.get(f"/bureau/statements/{statement}/excess"))


def test_the_operator_sees_the_same_and_a_stranger_nothing(app: Flask, city: City) -> None:
    number = make_sale(city, make_till(city), 1, late=timedelta(hours=1), excess_fen=100)
    statement = make_statement(city)
    with transaction():
        owner = make_user("operator", operator_id=city.here.operator_id)
        other = make_user("operator", operator_id=city.elsewhere.operator_id)
    own, stranger = sign_in(app, owner), sign_in(app, other)
    page = own.get(f"/operator/statements/{statement}/excess")
    assert page.status_code == 200 and f"/operator/meals/{number}" in page.text
    assert stranger.get(f"/operator/statements/{statement}/excess").status_code == 404


def test_the_elder_sees_what_they_paid(app: Flask, city: City) -> None:
    number = make_sale(city, make_till(city), 1, late=timedelta(hours=1), excess_fen=200)
    with transaction():
        user = make_user("elder", elder_id=city.elder.id)
    said = words(sign_in(app, user).get(f"/home/orders/{number}"))
    assert "8.50" in said and "3.50" in said and "10.50" not in said
