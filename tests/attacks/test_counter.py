"""Around the till: lost tablets, guessed PINs and receipts, names that are commands."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.access import pins
from canteen.access.models import User
from canteen.db import db, transaction
from canteen.menus.models import Dish
from canteen.tills import enrolling, keys
from canteen.tills.models import Shift, Till
from tests.factories import City, make_city
from tests.tills.tablet import Tablet
from tests.web.world import sign_in


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def tablet(app: Flask, city: City) -> Tablet:
    tablet = Tablet(city, app.test_client())
    tablet.sent(tablet.open())
    return tablet


def test_a_tablet_shut_out_reads_nothing_with_its_open_session(
    app: Flask, city: City, tablet: Tablet
) -> None:
    thief = sign_in(app, db.session.get_one(User, city.cashier.user_id))
    with thief.session_transaction() as session:
        session["till"] = tablet.id
    urls = ("/till/orders", "/till/day", "/till/pack", "/till/live", "/till/kitchen")
    assert [thief.get(url).status_code for url in urls] == [200] * 5
    with transaction():
        enrolling.withdraw(tablet.id, city.manager, clock.now())
    assert [thief.get(url).status_code for url in urls] == [403] * 5
    with transaction():
        enrolling.reinstate(tablet.id, city.manager)
    assert thief.get("/till/orders").status_code == 200


def test_no_name_commands_the_receipt_printer(app: Flask, city: City, tablet: Tablet) -> None:
    kick = "\x1bp\x19\x1d(A\x02\x02\x1c."  # opens the drawer, prints a test page, ends Chinese
    with transaction():
        dish = db.session.get_one(Dish, city.items[0].dish_id)
        dish.name, dish.name_en = kick, ""
    done = tablet.sent(tablet.sale())
    manager = sign_in(app, db.session.get_one(User, city.manager.user_id))
    sent = manager.get(f"/till/orders/{done['order_id']}/receipt.escpos").data
    assert b"\x1bp" not in sent and b"\x1d(A" not in sent and b"\x1c." not in sent
    assert b" p  (A" in sent


@pytest.mark.parametrize("url", ["session", "enrolment"])
def test_brackets_stop_no_request_of_a_tablet(app: Flask, city: City, url: str) -> None:
    deep = '{"till":' + "[" * 15_000
    answer = app.test_client().post(f"/till/{url}", data=deep, content_type="application/json")
    assert answer.status_code == 422


def test_a_pin_is_guessed_nowhere_by_going_from_till_to_till(
    app: Flask, city: City, tablet: Tablet
) -> None:
    """Fifteen tries in all, whatever till and address they come from, then even the right waits."""
    with transaction():
        pins.set_pin(city.cashier.user_id or 0, "592607", city.manager)
    tills = [tablet, *(Tablet(city, app.test_client(), f"{n}号") for n in range(4))]
    for each in tills:
        mark = enrolling.mark_of(db.session.get_one(Till, each.id))
        each.client.set_cookie("till", mark, path="/till")

    def guess(number: int, pin: str) -> int:
        each = tills[number % len(tills)]
        wish = {"till": each.id, "user_id": city.cashier.user_id, "pin": pin}
        where = {"REMOTE_ADDR": f"10.0.0.{number}"}
        return each.client.post("/till/session", json=wish, environ_base=where).status_code

    assert [guess(n, "000001") for n in range(15)] == [422] * 15
    assert guess(16, "592607") == 429


def test_a_code_that_was_used_opens_nothing(app: Flask, city: City) -> None:
    with transaction():
        code = enrolling.make_code(city.here.id, city.manager, clock.now())
    first = app.test_client().post("/till/enrolment", json={"code": code, "name": "甲"})
    again = app.test_client().post("/till/enrolment", json={"code": code, "name": "乙"})
    assert (first.status_code, again.status_code) == (201, 422)
    assert "key" not in again.text


def test_no_receipt_is_found_by_its_neighbours(tablet: Tablet, app: Flask, city: City) -> None:
    twin = Tablet(city, app.test_client(), "二号机")
    till = db.session.get_one(Till, tablet.id)
    code = keys.receipt_code(keys.key_of(till), 1)
    client = app.test_client()
    assert client.get(f"/r/{tablet.id}/1/{code}").status_code == 200
    wrong = [f"/r/{tablet.id}/2/{code}", f"/r/{twin.id}/1/{code}", f"/r/{tablet.id}/1/{code[:-1]}",
             f"/r/{tablet.id}/1/%ed%a0%80", f"/r/99999999999999999999/1/{code}"]  # fmt: skip
    assert {client.get(url).status_code for url in wrong} == {404}


def test_no_page_tells_the_cashier_what_should_lie_in_the_drawer(
    app: Flask, city: City, tablet: Tablet
) -> None:
    tablet.sent(tablet.entry("move", fen=1_234_567, reason_code="change_in", reason=""))
    tablet.sent(tablet.sale("other"))
    expected = ("12,560.67", "12560.67", "1256067", "12,375.67")
    shift = db.session.scalar(sa.select(Shift.id))
    cashier = sign_in(app, db.session.get_one(User, city.cashier.user_id))
    with cashier.session_transaction() as session:
        session["till"] = tablet.id
    pages = [f"shifts/{shift}", f"shifts/{shift}?paper=80", "shifts", "day", "pack", "live",
             "hello", "orders?show=all", "kitchen", "pin"]  # fmt: skip
    for page in pages:
        answer = cashier.get(f"/till/{page}")
        assert answer.status_code == 200, page
        assert not [one for one in expected if one in answer.text], page
        # Nor the cash taken, from which the rest is soon reckoned; each order shows its own.
        assert page.startswith(("orders", "kitchen", "pack")) or "15.00" not in answer.text, page
    manager = sign_in(app, db.session.get_one(User, city.manager.user_id))
    assert "12,560.67" in manager.get(f"/till/shifts/{shift}").text
