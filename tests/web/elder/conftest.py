"""An elder of 86 at eleven in the morning, signed in, and what their pages send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from canteen.access.models import User
from canteen.db import db, transaction
from tests.factories import City, make_city, make_menu
from tests.web.world import sign_in

ON = date(2026, 11, 20)  # a Friday
ELEVEN = datetime(2026, 11, 20, 3, tzinfo=UTC)  # by the clock in Shanghai


@pytest.fixture
def at() -> Iterator[time_machine.Coordinates]:
    """The time, which a test may move on; lunch can be ordered until 14:00."""
    with time_machine.travel(ELEVEN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def city(app: Flask, at: time_machine.Coordinates) -> City:
    """A canteen with lunch today and lunch and dinner tomorrow."""
    city = make_city(ON)
    with transaction():
        for meal in ("lunch", "dinner"):
            make_menu(city.here, ON + timedelta(days=1), meal)
    return city


@pytest.fixture
def elder(app: Flask, city: City) -> FlaskClient:
    """The elder's phone, in Chinese, signed in for the day."""
    client = sign_in(app, db.session.get_one(User, city.elder_actor.user_id))
    with client.session_transaction() as session:
        session["until"] += 24 * 3600
    return client


def asked(city: City, *, many: int = 1, **changes: Any) -> dict[str, Any]:
    """What the summary's form sends for sets of today's lunch; 10.50 yuan for one."""
    return {
        "canteen": city.here.id, "on": ON.isoformat(), "meal": "lunch", "service": "pick_up",
        f"item-{city.items[0].id}": many, "expected": 1050, "payment": "cash",
        "once": "a-key-of-this-form",
    } | changes


def order(elder: FlaskClient, city: City, **changes: Any) -> TestResponse:
    """Send the summary's form."""
    return elder.post(f"/home/elders/{city.elder.id}/orders", data=asked(city, **changes))


def words(response: TestResponse) -> str:
    """What a page says, without its tags and the spaces between them."""
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def order_id_of(response: TestResponse) -> int:
    """The order an answer leads to."""
    return int(re.search(r"/home/orders/(\d+)", response.location)[1])
