"""A counter to stand behind: a little city, and its cashier and manager signed in."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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


class _Fields(HTMLParser):
    """Collects the inputs of the form with an id, as a browser would send them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside, self.found = form_id, False, {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = given.get("id") == self.form_id
        elif tag == "input" and self.inside and given.get("name"):
            self.found[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


class Till:
    """A tablet without scripts: it sends the form it was shown, and nothing else."""

    def __init__(self, client: FlaskClient, city: City) -> None:
        self.client, self.city, self.page = client, city, ""
        self.show(client.get("/till"))

    @property
    def form(self) -> dict[str, str]:
        """What the form on the screen would send."""
        reader = _Fields("sale")
        reader.feed(self.page)
        return reader.found

    def show(self, answer: TestResponse) -> TestResponse:
        """Look at an answer."""
        self.page = answer.text
        db.session.rollback()
        return answer

    def tap(self, what: str) -> TestResponse:
        """Tap the button with this value."""
        return self.show(self.client.post("/till", data=self.form | {"do": what}))

    def find(self, text: str) -> TestResponse:
        """Type or scan, and Enter."""
        return self.show(self.client.post("/till/find", data=self.form | {"find": text}))

    def choose(self, number: int = 0, times: int = 1) -> None:
        """Tap a dish of today's lunch."""
        for _ in range(times):
            self.tap(f"add-{self.city.items[number].id}")

    def sell(self, **changes: str) -> TestResponse:
        """Tap the button that takes the money."""
        return self.show(self.client.post("/till/sales", data=self.form | changes))


@pytest.fixture
def till(cashier: FlaskClient, city: City) -> Till:
    """The cashier's till, open for the next diner."""
    return Till(cashier, city)
