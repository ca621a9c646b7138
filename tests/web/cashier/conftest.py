"""A counter to stand behind: a little city, and its cashier and manager signed in."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.access.models import User
from canteen.db import db
from canteen.territory.actors import Actor
from tests.factories import City, make_city
from tests.web.world import sign_in


@pytest.fixture
def city(app: Flask) -> City:
    """One canteen with a lunch today, its staff, and an elder of 80 and more."""
    return make_city()


def enter(app: Flask, who: Actor) -> FlaskClient:
    """A tablet on which this person is signed in."""
    return sign_in(app, db.session.get_one(User, who.user_id))


@pytest.fixture
def cashier(app: Flask, city: City) -> FlaskClient:
    """The cashier's tablet."""
    return enter(app, city.cashier)


@pytest.fixture
def manager(app: Flask, city: City) -> FlaskClient:
    """The manager's tablet."""
    return enter(app, city.manager)
