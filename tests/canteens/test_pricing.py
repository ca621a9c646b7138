"""The standard set's price by date, and the canteen's own discount by age."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from canteen.canteens import pricing, selling
from canteen.canteens.models import Canteen, ElderDiscount, StandardSetPrice
from canteen.canteens.pricing import (
    BadDiscount,
    NotInThePast,
    PriceOutOfBounds,
    discounts_of,
    set_elder_discount,
    set_standard_set_price,
    standard_set_price,
)
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.canteens.factories import HEXI, NANKAI, operator_of
from tests.factories import make_canteen, make_territories

TODAY = date(2026, 11, 18)


@pytest.fixture
def territories(app: Flask) -> None:
    """The little city."""
    with transaction():
        make_territories()


def set_price(district: str, fen: int, on: date, by: Actor = NANKAI) -> None:
    """One act of the district, within half of 13 yuan."""
    with transaction():
        set_standard_set_price(
            district, fen, on, base_fen=1300, within_bp=5000, by=by, today=TODAY
        )


def test_a_price_holds_from_its_day_on_even_in_the_middle_of_a_week(territories: None) -> None:
    assert standard_set_price("120104", TODAY) is None
    with transaction():
        db.session.add(StandardSetPrice(
            district_code="120000", from_on=date(2019, 9, 1), price_fen=1300, set_by="user:1"
        ))  # fmt: skip
    set_price("120104", 1400, date(2026, 11, 19))
    set_price("120104", 1500, date(2026, 12, 1))
    assert standard_set_price("120104", date(2026, 11, 18)) == 1300
    assert standard_set_price("120104", date(2026, 11, 19)) == 1400
    assert standard_set_price("120104", date(2026, 12, 31)) == 1500
    assert standard_set_price("120103", date(2026, 12, 31)) == 1300
    set_price("120104", 1450, date(2026, 12, 1))
    assert standard_set_price("120104", date(2026, 12, 1)) == 1450


@pytest.mark.parametrize(
    ("fen", "on", "by", "refusal"),
    [
        (649, TODAY, NANKAI, PriceOutOfBounds),
        (1951, TODAY, NANKAI, PriceOutOfBounds),
        (1300, date(2026, 11, 17), NANKAI, NotInThePast),
        (1300, TODAY, HEXI, NotFound),
        (1300, TODAY, Actor(role="street", territory="120104001"), Forbidden),
    ],
)
def test_a_district_varies_within_half_and_never_backwards(
    territories: None, fen: int, on: date, by: Actor, refusal: type[CanteenError]
) -> None:
    with pytest.raises(refusal):
        set_price("120104", fen, on, by)
    set_price("120104", 650, TODAY)
    set_price("120104", 1950, TODAY)


def test_bounds_are_rounded_inwards() -> None:
    assert pricing._bounds(1333, 5000) == (667, 1999)
    assert pricing._bounds(1300, 3000) == (910, 1690)


def rate_at(canteen: Canteen, age: int, on: date = TODAY) -> int:
    """The discount a sale to somebody of this age would be given."""
    return selling.terms(canteen.id, on, "lunch", age=age).discount_bp


def test_the_highest_age_reached_counts_with_its_latest_rate(territories: None) -> None:
    with transaction():
        canteen = make_canteen()
        for age, since, rate in (
            (60, date(2026, 1, 1), 1000), (60, date(2026, 12, 1), 1500),
            (80, date(2025, 1, 1), 5000), (80, date(2026, 6, 1), 4000),
        ):  # fmt: skip
            db.session.add(ElderDiscount(
                canteen_id=canteen.id, min_age=age, from_on=since, discount_bp=rate
            ))  # fmt: skip
    rates = {age: rate_at(canteen, age) for age in (59, 60, 79, 80, 101)}
    assert rates == {59: 0, 60: 1000, 79: 1000, 80: 4000, 101: 4000}
    assert rate_at(canteen, 85, date(2025, 2, 1)) == 5000
    assert rate_at(canteen, 65, date(2026, 12, 1)) == 1500
    assert discounts_of(canteen.id, TODAY) == [(60, 1000), (80, 4000)]
    assert selling.terms(canteen.id, TODAY, "lunch", age=80).standard_set_fen is None


def test_the_canteen_sets_its_own_discount(territories: None) -> None:
    with transaction():
        canteen = make_canteen()
    owner = operator_of(canteen)
    with transaction():
        set_elder_discount(canteen.id, 70, 2000, TODAY, by=owner, today=TODAY)
    assert rate_at(canteen, 70) == 2000
    with transaction():
        set_elder_discount(canteen.id, 70, 0, TODAY, by=owner, today=TODAY)
    assert discounts_of(canteen.id, TODAY) == []
    for age, rate, on, by, refusal in (
        (70, 10001, TODAY, owner, BadDiscount), (131, 100, TODAY, owner, BadDiscount),
        (70, -1, TODAY, owner, BadDiscount),
        (70, 100, date(2026, 11, 17), owner, NotInThePast), (70, 100, TODAY, NANKAI, Forbidden),
        (70, 100, TODAY, HEXI, NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal), transaction():
            set_elder_discount(canteen.id, age, rate, on, by=by, today=TODAY)
