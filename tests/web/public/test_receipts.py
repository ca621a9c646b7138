"""A receipt checked by anybody: genuine or not, taken back or not, and nothing of the person."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import transaction
from canteen.orders.cancelling import cancel
from tests.factories import City
from tests.tills.receipts import code_of, make_sale, make_till, make_withdrawn
from tests.web.public.conftest import words


def test_a_genuine_receipt_tells_the_meal_and_who_pays_and_nothing_of_the_diner(
    client: FlaskClient, city: City
) -> None:
    till = make_till(city)
    make_sale(city, till, 4)
    answer = client.get(f"/r/{till.id}/4/{code_of(till, 4)}")
    said = words(answer)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    for part in ("这张小票是真的", "老人家食堂1", "2026年11月20日(周五)", "午餐", "菜0", "15.00",
                 "1.50", "3.00", "10.50", "市级", "区级", "一号机，第 4 号"):  # fmt: skip
        assert part in said, part
    elder = city.elder
    for secret in (elder.name, elder.name[0] + "*", elder.ric_last4, elder.phone, "周岁"):
        assert secret not in answer.text


def test_a_code_in_capitals_is_the_same_code(client: FlaskClient, city: City) -> None:
    till = make_till(city)
    make_sale(city, till, 4)
    assert client.get(f"/r/{till.id}/4/{code_of(till, 4).upper()}").status_code == 200


def test_a_cancelled_meal_says_so(client: FlaskClient, city: City) -> None:
    till = make_till(city)
    number = make_sale(city, till, 4)
    with transaction():
        cancel(number, "mistake", "", city.manager, clock.now())
    said = words(client.get(f"/r/{till.id}/4/{code_of(till, 4)}"))
    assert "取消" in said and "10.50" in said and "作废" in said


def test_what_became_the_canteens_share_is_explained(client: FlaskClient, city: City) -> None:
    till = make_till(city)
    make_sale(city, till, 4, excess_fen=200)
    said = words(client.get(f"/r/{till.id}/4/{code_of(till, 4)}"))
    assert "2.00 元写在补贴里；核定后改由食堂承担" in said and "8.50" in said


def test_a_sale_that_is_still_on_the_tablet_is_to_be_looked_for_later(
    client: FlaskClient, city: City
) -> None:
    till = make_till(city, head=3)
    answer = client.get(f"/r/{till.id}/9/{code_of(till, 9)}")
    assert answer.status_code == 200 and "还没有上传" in words(answer)
    assert "这张小票是真的" not in answer.text


def test_an_entry_that_sold_nothing_is_not_called_genuine(client: FlaskClient, city: City) -> None:
    till = make_till(city)
    make_withdrawn(till, 4)
    said = words(client.get(f"/r/{till.id}/4/{code_of(till, 4)}"))
    assert "没有成交" in said and "这张小票是真的" not in said


@pytest.mark.parametrize("address", [
    "{id}/4/00000000", "{id}/5/{code}", "{id}/4/{code}0", "{id}/4/é", "{id}/0/{code}",
    "99/4/{code}", "999999999999999999999/4/{code}", "{id}/99999999999999999999/{code}",
])  # fmt: skip
def test_anything_else_is_refused_in_kind_words(
    client: FlaskClient, city: City, address: str
) -> None:
    till = make_till(city)
    make_sale(city, till, 4)
    answer = client.get("/r/" + address.format(id=till.id, code=code_of(till, 4)))
    assert answer.status_code == 404
    assert "没有这张小票" in words(answer) and "菜0" not in answer.text
