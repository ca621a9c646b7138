"""A diner rates a meal of their own, once, after having it."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import CanteenError, NotFound
from canteen.orders.models import Order
from canteen.performance.models import Rating
from canteen.performance.rating import (
    AlreadyRated,
    BadRating,
    NotServedYet,
    comments_of,
    rate,
    rating_of,
    stars_of,
)
from canteen.territory.actors import Actor
from tests.factories import make_elder
from tests.performance.factories import make_ground, make_orders

DAY = date(2026, 11, 20)


@pytest.fixture
def meal(app: Flask) -> tuple[Canteen, Elder, Order]:
    """An elder's served lunch."""
    with transaction():
        canteen, _ = make_ground()
        elder = make_elder()
        [order] = make_orders(canteen, [DAY], elder)
    return canteen, elder, order


def test_an_elder_or_their_family_rates_a_meal_once(meal: tuple[Canteen, Elder, Order]) -> None:
    canteen, elder, order = meal
    diner = Actor(role="elder", user_id=1, elder_ids=(elder.id,))
    with transaction():
        rate(order.id, 4, " 菜很软 ", by=diner, on=DAY)
    found = rating_of(order.id)
    assert found is not None and (found.stars, found.comment) == (4, "菜很软")
    child = Actor(role="family", user_id=2, elder_ids=(elder.id, 99))
    with pytest.raises(AlreadyRated), transaction():
        rate(order.id, 1, by=child, on=DAY)
    with transaction():
        [second] = make_orders(canteen, [DAY], elder)
        rate(second.id, 5, by=child, on=DAY)
    stars = stars_of(canteen.id, DAY)
    assert (stars.ratings, stars.mean_hundredths) == (2, 450)
    assert stars_of(canteen.id, date(2026, 11, 21)).mean_hundredths is None
    assert [row.comment for row in comments_of(canteen.id)] == ["菜很软"]


def test_others_meals_unserved_meals_and_odd_stars_are_refused(
    meal: tuple[Canteen, Elder, Order],
) -> None:
    canteen, elder, order = meal
    own = Actor(role="elder", user_id=1, elder_ids=(elder.id,))
    with transaction():
        [placed] = make_orders(canteen, [DAY], elder, state="placed", served_at=None)
        [nobodys] = make_orders(canteen, [DAY])
    cases: list[tuple[int, int, str, Actor, type[CanteenError]]] = [
        (order.id, 5, "", Actor(role="elder", user_id=2, elder_ids=(elder.id + 1,)), NotFound),
        (order.id, 5, "", Actor(role="manager", canteen_id=canteen.id), NotFound),
        (order.id, 5, "", Actor(role="city", territory="120000"), NotFound),
        (nobodys.id, 5, "", own, NotFound),
        (9999, 5, "", own, NotFound),
        (placed.id, 5, "", own, NotServedYet),
        (order.id, 0, "", own, BadRating),
        (order.id, 6, "", own, BadRating),
        (order.id, 5, "长" * 201, own, BadRating),
    ]
    for order_id, stars, comment, by, refusal in cases:
        with pytest.raises(refusal), transaction():
            rate(order_id, stars, comment, by=by, on=DAY)
    assert db.session.query(Rating).count() == 0
