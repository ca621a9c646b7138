"""An approved month that waits to be paid, and two people of the city."""

from __future__ import annotations

import pytest
from flask import Flask

from canteen.db import transaction
from canteen.territory.actors import Actor
from tests.factories import City, actor, make_user
from tests.settlements.factories import close, little_month, pass_on, statement_of


@pytest.fixture
def approved(app: Flask) -> City:
    """October approved: a payout of each canteen and of an elder paid to account, all ready."""
    city = little_month()
    close()
    for canteen, hands in ((city.here, "hands"), (city.elsewhere, "hands_elsewhere")):
        pass_on([statement_of(canteen).id], city.extra[hands])
    pass_on([statement_of(elder_id=city.extra["second"].id).id], city.extra["hands"])
    return city


@pytest.fixture
def maker(approved: City) -> Actor:
    """Who puts batches together."""
    return approved.extra["hands"].city


@pytest.fixture
def checker(approved: City) -> Actor:
    """A colleague at the city's desk."""
    with transaction():
        return actor(make_user("city", territory_code="120000"))


@pytest.fixture
def taker(checker: Actor) -> Actor:
    """A third person there, who takes in what the bank sent back."""
    with transaction():
        return actor(make_user("city", territory_code="120000"))
