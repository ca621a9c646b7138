"""The journal's door: open to whoever signs rightly, always JSON, never a broken chain."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.tills.models import Till
from tests.factories import City
from tests.tills.tablet import Tablet

HUGE = 2 * 1024 * 1024


@pytest.fixture
def tablet(app: Flask, city: City, client: FlaskClient) -> Tablet:
    """A tablet on which nobody is signed in: its signature is enough."""
    tablet = Tablet(city, client)
    tablet.sent(tablet.open())
    return tablet


def test_the_answer_says_the_time_how_far_we_are_and_what_became_of_each(
    tablet: Tablet,
) -> None:
    tablet.sale("other")
    tablet.entry("withdrawn", code="given_up")
    answer = tablet.send()
    assert answer.mimetype == "application/json"
    body = answer.get_json()
    assert set(body) == {"now", "head", "claimed", "outcomes"}
    assert (body["head"], body["claimed"]) == (3, 3)
    assert [set(outcome) for outcome in body["outcomes"]] == 3 * [
        {"number", "result", "order_id", "state", "code", "text", "charge_id", "parts", "bearer",
         "drawer", "notes"},
    ]  # fmt: skip


def test_refusals_are_json_whatever_the_caller_accepts(tablet: Tablet) -> None:
    answer = tablet.client.post(
        "/till/journal", json={"till": 999, "entries": []}, headers={"Accept": "text/html"}
    )
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "no_such_till")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff", b'{"till":1}', b'{"till":"1","entries":[]}',
        b'{"till":0,"entries":[]}', b'{"till":1,"entries":[],"live":true}',
        b'{"till":1,"entries":[{"number":0,"body":"","mac":""}]}',
        b'{"till":1,"entries":[{"number":2,"body":"\\u0000","mac":"' + b"0" * 64 + b'"}]}',
        b'{"till":1,"entries":[{"number":2,"body":"\\ud800","mac":"' + b"0" * 64 + b'"}]}',
        b'{"till":1,"now":"yesterday","entries":[]}', b'{"till":99999999999999999999,"entries":[]}',
    ],
)  # fmt: skip
def test_what_no_tablet_sends_is_refused_and_changes_nothing(tablet: Tablet, body: bytes) -> None:
    answer = tablet.client.post("/till/journal", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.get_json()["error"]["code"] == "bad_journal"
    db.session.rollback()
    till = db.session.get_one(Till, tablet.id, populate_existing=True)
    assert (till.head, till.alarm) == (1, None)


def test_a_body_too_long_is_not_read(tablet: Tablet) -> None:
    answer = tablet.client.post("/till/journal", data=b" " * HUGE)
    assert answer.status_code == 413


def test_a_fault_of_the_database_keeps_the_entry_and_says_so(tablet: Tablet) -> None:
    with transaction():  # so many portions that one more is no number any longer
        db.session.execute(
            sa.text("UPDATE menu_items SET taken = 2147483647, portions = 2147483647")
        )
    answer = tablet.send([tablet.sale("other")])
    outcome: dict[str, Any] = answer.get_json()["outcomes"][0]
    assert answer.status_code == 200 and outcome["number"] == 2
    if db.session.get_bind().dialect.name == "postgresql":
        assert (outcome["result"], outcome["code"]) == ("refused", "broken_entry")
    assert tablet.sent(tablet.entry("withdrawn", code="x"))["result"] == "done"


def test_more_than_fits_into_one_call_is_taken_by_the_next(
    tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from canteen.web.cashier import journal

    monkeypatch.setattr(journal, "MOST_AT_ONCE", 2)
    for _ in range(3):
        tablet.sale("other")
    assert tablet.send().get_json()["head"] == 2
    assert tablet.send(tablet.made[2:]).get_json()["head"] == 4
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Order.id))) == 3
