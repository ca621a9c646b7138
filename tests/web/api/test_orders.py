"""Selling through the API: prices with reasons, once only, taken back whole."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from canteen.db import db
from canteen.menus.models import MenuItem
from canteen.orders.models import Order
from canteen.subsidies.models import Grant, QuotaUse
from tests.web.world import World


def orders() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Order))


def test_a_quote_says_what_everyone_pays_and_why_and_takes_nothing(
    world: World, program: Any, wish: Any
) -> None:
    asked = {name: value for name, value in wish().items() if name != "payment"}
    before = orders()
    response = program("cashier", "POST", "/quotes", asked)
    assert response.status_code == 200, response.json
    quote = response.json
    assert (quote["list_fen"], quote["subsidy_fen"], quote["payable_fen"]) == (1500, 300, 1200)
    assert quote["funders"]["elder"] == {"city": 150, "district": 150}
    assert all(step["zh"] and step["en"] for step in quote["why"])
    assert orders() == before and db.session.query(QuotaUse).count() == 0


def test_an_order_is_sold_and_explained(world: World, program: Any, wish: Any) -> None:
    response = program("cashier", "POST", "/orders", wish(serve_now=True))
    assert response.status_code == 201, response.json
    made = response.json
    assert (made["state"], made["payable_fen"], made["channel"]) == ("served", 1200, "till")
    assert made["lines"][0]["quantity"] == 1
    again = program("manager", "GET", f"/orders/{made['id']}").json
    assert again == made


def test_the_same_key_answers_the_first_order_and_sells_nothing(
    world: World, program: Any, wish: Any
) -> None:
    first = program("cashier", "POST", "/orders", wish(), key="the-key-1")
    sold = orders()
    again = program("cashier", "POST", "/orders", wish(), key="the-key-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert orders() == sold


def test_the_same_key_for_another_order_is_refused(world: World, program: Any, wish: Any) -> None:
    program("cashier", "POST", "/orders", wish(), key="the-key-1")
    sold = orders()
    other = program("cashier", "POST", "/orders", wish(elder_id=None), key="the-key-1")
    assert (other.status_code, other.json["error"]["code"]) == (409, "key_reused")
    assert orders() == sold


def test_a_key_is_its_owners(world: World, program: Any, wish: Any) -> None:
    first = program("cashier", "POST", "/orders", wish(), key="the-key-1").json
    other = program("manager", "POST", "/orders", wish(elder_id=None), key="the-key-1")
    assert other.status_code == 201
    assert other.json["id"] != first["id"]


def test_a_refused_order_leaves_its_key_free(world: World, program: Any, wish: Any) -> None:
    refused = program("cashier", "POST", "/orders", wish(expected_payable_fen=1), key="the-key-1")
    assert refused.status_code == 409
    assert refused.json["error"]["detail"]["payable_fen"] == 1200
    right = wish(expected_payable_fen=1200)
    assert program("cashier", "POST", "/orders", right, key="the-key-1").status_code == 201


@pytest.mark.parametrize("key", [None, "short", "k" * 81])
def test_an_order_without_a_good_key_is_refused(
    world: World, program: Any, wish: Any, key: str | None
) -> None:
    before = orders()
    response = program("cashier", "POST", "/orders", wish(), key=key)
    assert (response.status_code, response.json["error"]["code"]) == (422, "bad_key")
    assert orders() == before


def test_a_cancellation_gives_everything_back(world: World, program: Any, wish: Any) -> None:
    item = world.own.items[0].id
    taken = lambda: db.session.scalar(  # noqa: E731
        sa.select(MenuItem.taken).where(MenuItem.id == item)
    )
    before = taken()
    made = program("cashier", "POST", "/orders", wish(serve_now=True)).json
    assert taken() == before + 1
    path = f"/orders/{made['id']}/cancellation"
    response = program("cashier", "POST", path, {"reason_code": "mistake"})
    assert (response.status_code, response.json["refund_fen"]) == (201, 1200)
    assert taken() == before
    assert db.session.scalar(sa.select(sa.func.sum(Grant.till_fen))) == 0
    again = program("cashier", "POST", path, {"reason_code": "mistake"})
    assert (again.status_code, again.json["error"]["code"]) == (409, "already_cancelled")


def test_a_cancellation_sent_twice_under_one_key_is_one(
    world: World, program: Any, wish: Any
) -> None:
    made = program("cashier", "POST", "/orders", wish(serve_now=True)).json
    path, why = f"/orders/{made['id']}/cancellation", {"reason_code": "mistake"}
    first = program("cashier", "POST", path, why, key="cancel-01")
    again = program("cashier", "POST", path, why, key="cancel-01")
    assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)


def test_an_elder_orders_ahead_and_the_till_serves(world: World, program: Any, wish: Any) -> None:
    made = program("elder", "POST", "/orders", wish(service="pick_up")).json
    assert (made["state"], made["channel"]) == ("placed", "online")
    served = program("cashier", "POST", f"/orders/{made['id']}/serving")
    assert (served.status_code, served.json["state"]) == (201, "served")
    twice = program("cashier", "POST", f"/orders/{made['id']}/serving")
    assert (twice.status_code, twice.json["error"]["code"]) == (409, "not_servable")
    path, stars = f"/orders/{made['id']}/rating", {"stars": 5, "comment": "很软"}
    assert program("family", "POST", path, stars).status_code == 201
    assert program("elder", "POST", path, stars).json["error"]["code"] == "already_rated"


def test_a_family_may_not_order_for_somebody_elses_elder(
    world: World, program: Any, wish: Any
) -> None:
    strange = wish(elder_id=world.next_door.elder.id)
    assert program("family", "POST", "/orders", strange).status_code == 404
    assert program("family", "POST", "/orders", wish(elder_id=None)).status_code == 404


def test_a_till_sells_at_its_own_canteen_only(world: World, program: Any, wish: Any) -> None:
    there = wish(
        canteen_id=world.next_door.canteen.id,
        lines=[{"item_id": world.next_door.items[0].id, "quantity": 1}],
    )
    assert program("cashier", "POST", "/orders", there).status_code == 404


def test_orders_are_paged_from_the_newest(world: World, program: Any, wish: Any) -> None:
    for _ in range(3):
        program("cashier", "POST", "/orders", wish(elder_id=None))
    first = program("cashier", "GET", "/orders?size=2").json
    rest = program("cashier", "GET", f"/orders?size=2&before={first['next_before']}").json
    ids = [one["id"] for one in first["orders"] + rest["orders"]]
    assert ids == sorted(ids, reverse=True) and len(ids) == 4
    mine = program("operator", "GET", f"/orders?on=2026-11-21&elder_id={world.own.elder.id}")
    assert [one["elder_id"] for one in mine.json["orders"]] == [world.own.elder.id]


def test_cash_is_not_paid_online(world: World, program: Any) -> None:
    path = f"/orders/{world.own.named['order_id']}/payment"
    response = program("elder", "POST", path)
    assert (response.status_code, response.json["error"]["code"]) == (409, "nothing_to_pay")
