"""A week of meals settled into a month, and every office over it signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.access.models import User
from canteen.db import db
from canteen.territory.actors import Actor
from tests.factories import City
from tests.settlements.factories import Hands, close, little_month
from tests.web.world import sign_in

Enter = Callable[[Actor], FlaskClient]


@pytest.fixture
def city(app: Flask) -> City:
    """October with a week of meals, closed: every statement is with its operator."""
    city = little_month()
    close()
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    """Who sits in the offices over the first canteen."""
    return city.extra["hands"]


@pytest.fixture
def enter(app: Flask) -> Enter:
    """`enter(actor)` is a browser in which that person is signed in."""
    return lambda who: sign_in(app, db.session.get_one(User, who.user_id))
