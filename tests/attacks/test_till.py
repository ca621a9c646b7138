"""A dishonest tablet: what it may sign, and what it can never make of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.access.models import User
from canteen.db import db
from canteen.orders.models import Order
from canteen.tills.models import Shift
from canteen.verifying import verify
from tests.factories import City, make_city
from tests.tills.tablet import Tablet
from tests.web.world import sign_in

DEEP = "[" * 9_000 + "]" * 9_000
LONG = "7" * 6_000  # more digits than Python turns into a number


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def tablet(app: Flask, city: City) -> Tablet:
    tablet = Tablet(city, app.test_client())
    tablet.sent(tablet.open())
    return tablet


def said(kind: str, more: str) -> str:
    """An entry as text, with something in it that no tablet writes."""
    return f'{{"kind":"{kind}","at":"2026-11-22T04:00:00Z","shift":1,{more}}}'


def pages_open(app: Flask, city: City) -> bool:
    """Whether the manager's pages still show what came in, and the books are still checked."""
    manager = sign_in(app, db.session.get_one(User, city.manager.user_id))
    shift = db.session.scalar(sa.select(sa.func.max(Shift.id)))
    order = db.session.scalar(sa.select(sa.func.max(Order.id)))
    urls = ["/till/tills", "/till/shifts", f"/till/shifts/{shift}", "/till/day"]
    urls += [f"/till/orders/{order}", f"/till/orders/{order}/receipt"] if order else []
    return verify() == [] and all(manager.get(url).status_code == 200 for url in urls)


@pytest.mark.parametrize(
    "body",
    [
        said("withdrawn", f'"x":{DEEP}'), said("withdrawn", f'"x":{LONG}'), "[" * 20_000,
        said("close", f'"counted_fen":0,"left_fen":0,"count":{{"100":{DEEP[6000:12000]}}}'),
        said("sale", f'"cash_fen":{LONG}'), said("sale", f'"cash_fen":5,"x":{DEEP}'),
        said("move", '"fen":5,"reason_code":"other","reason":"a\\ud800"'),
        said("withdrawn", '"off":NaN'), said("withdrawn", '"off":' + "9" * 400),
    ],
    ids=("deep", "long", "open", "count", "cash", "sale", "surrogate", "nan", "off"),
)  # fmt: skip
def test_what_no_tablet_writes_is_kept_and_the_journal_goes_on(
    app: Flask, city: City, tablet: Tablet, body: str
) -> None:
    assert tablet.send([tablet.sign(body)]).status_code == 200
    assert tablet.sent(tablet.sale())["result"] == "done"
    assert pages_open(app, city)


@pytest.mark.parametrize("data", ['{"till":1,"entries":[],"x":' + "[" * 900_000, "[" * 1_000_000])
def test_brackets_a_million_deep_are_refused(app: Flask, data: str) -> None:
    answer = app.test_client().post("/till/journal", data=data, content_type="application/json")
    assert answer.status_code == 422


def test_more_in_a_sale_than_a_sale_says_spoils_no_receipt(
    app: Flask, city: City, tablet: Tablet
) -> None:
    plain = json.loads(tablet.sale()["body"])
    tablet.made.pop()
    tablet.number, tablet.mac = 1, tablet.made[0]["mac"]
    entry = tablet.sign(json.dumps(plain)[:-1] + f',"x":{LONG}}}')
    assert tablet.sent(entry)["result"] == "done"
    assert pages_open(app, city)
