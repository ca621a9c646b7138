"""What a sale must know of a canteen, and the sales a canteen cannot make."""

from __future__ import annotations

from datetime import date, datetime
from threading import Event, Thread
from time import sleep

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.finding import NoSuchCanteen
from canteen.canteens.hours import ClosedDay, MealNotServed, TooLateToOrder
from canteen.canteens.lifecycle import CanteenNotSelling
from canteen.canteens.listing import change_status
from canteen.canteens.models import Canteen, Closure, MealPeriod, StandardSetPrice
from canteen.canteens.selling import ServiceNotOffered, check_sale, terms
from canteen.clock import SHANGHAI
from canteen.db import db, transaction
from canteen.errors import CanteenError
from tests.canteens.factories import NANKAI
from tests.factories import make_canteen, make_territories
from tests.listening import statements

FRIDAY = date(2026, 11, 20)
SATURDAY = date(2026, 11, 21)
EARLY = datetime(2026, 11, 20, 8, tzinfo=SHANGHAI)
LATE = datetime(2026, 11, 20, 14, 1, tzinfo=SHANGHAI)


@pytest.fixture
def canteen(app: Flask) -> Canteen:
    """Open on weekdays, without delivery."""
    with transaction():
        make_territories()
        db.session.add(StandardSetPrice(
            district_code="120104", from_on=date(2020, 1, 1), price_fen=1300, set_by="user:1"
        ))  # fmt: skip
        canteen = make_canteen(open_weekdays="12345", capabilities=["dine_in", "pick_up"])
        db.session.execute(sa.delete(MealPeriod).where(MealPeriod.meal == "breakfast"))
        db.session.add(Closure(canteen_id=canteen.id, on=date(2026, 11, 19), reason="检修"))
    return canteen


def test_one_query_answers_everything(canteen: Canteen) -> None:
    with statements() as heard:
        found = terms(canteen.id, FRIDAY, "lunch", age=80, hold_sign=True)
    assert len([query for query in heard if query.startswith("SELECT")]) == 1
    assert (found.status, found.tier, found.standard_set_fen) == ("listed", 1, 1300)
    assert (found.district_code, found.street_code) == ("120104", "120104001")
    assert found.period is not None and found.period.meal == "lunch" and not found.closed
    check_sale(found, FRIDAY, "lunch", "eat_in", ahead_at=EARLY)


@pytest.mark.parametrize(
    ("on", "meal", "service", "now", "refusal"),
    [
        (SATURDAY, "lunch", "eat_in", EARLY, ClosedDay),
        (date(2026, 11, 19), "lunch", "eat_in", None, ClosedDay),
        (FRIDAY, "breakfast", "eat_in", None, MealNotServed),
        (FRIDAY, "lunch", "delivery", None, ServiceNotOffered),
        (FRIDAY, "lunch", "teleport", None, ServiceNotOffered),
        (FRIDAY, "lunch", "eat_in", LATE, TooLateToOrder),
    ],
)
def test_a_sale_the_canteen_cannot_make_is_refused(
    canteen: Canteen, on: date, meal: str, service: str, now: datetime | None,
    refusal: type[CanteenError],
) -> None:
    with pytest.raises(refusal) as refused:
        check_sale(terms(canteen.id, on, meal), on, meal, service, ahead_at=now)
    assert refused.value.text.zh and refused.value.text.en


@pytest.mark.parametrize("status", ["applied", "public_notice", "suspended", "delisted"])
def test_without_a_hanging_sign_nothing_is_sold(canteen: Canteen, status: str) -> None:
    with transaction():
        db.session.get_one(Canteen, canteen.id).status = status
    with pytest.raises(CanteenNotSelling):
        check_sale(terms(canteen.id, FRIDAY, "lunch"), FRIDAY, "lunch", "eat_in")


def test_an_unknown_canteen_is_not_found(app: Flask) -> None:
    with pytest.raises(NoSuchCanteen):
        terms(99, FRIDAY, "lunch")


def test_a_sale_holds_the_sign_until_it_is_saved(app: Flask, canteen: Canteen) -> None:
    checked, events = Event(), []

    def sell() -> None:
        with app.app_context():
            with transaction():
                found = terms(canteen.id, FRIDAY, "lunch", hold_sign=True)
                check_sale(found, FRIDAY, "lunch", "eat_in")
                checked.set()
                sleep(0.5)
                events.append("sold")
            db.session.remove()

    def suspend() -> None:
        with app.app_context():
            checked.wait(20)
            with transaction():
                change_status(
                    canteen.id, "suspended", "food_safety", "停业", by=NANKAI, at=clock.now()
                )
            events.append("suspended")
            db.session.remove()

    threads = [Thread(target=act) for act in (sell, suspend)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events == ["sold", "suspended"]
    with pytest.raises(CanteenNotSelling):
        check_sale(terms(canteen.id, FRIDAY, "lunch"), FRIDAY, "lunch", "eat_in")
