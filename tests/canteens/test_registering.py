"""Operators and canteens: applied for, entered, changed; every bad entry names its field."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from flask import Flask

from canteen import clock
from canteen.canteens import registering
from canteen.canteens.finding import closures_between, hours_of
from canteen.canteens.models import Canteen, Operator
from canteen.canteens.registering import BadEntry, OperatorKnown, amend, apply, register_operator
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.canteens.factories import HEXI, NANKAI, STREET, USCC, operator_of, wish
from tests.factories import make_canteen, make_operator, make_territories

TODAY = date(2026, 11, 20)


@pytest.fixture
def operator(app: Flask) -> Operator:
    """The little city and one enterprise."""
    with transaction():
        make_territories()
        return make_operator()


def enter(uscc: str = USCC, phone: str = "19900000002", name: str = "颐和餐饮") -> Operator:
    """Enter an enterprise."""
    with transaction():
        return register_operator(name, uscc, "冯经理", phone, by=NANKAI)


def test_an_enterprise_is_entered_once_by_its_code(operator: Operator) -> None:
    assert enter(USCC.lower()).uscc == USCC
    with pytest.raises(OperatorKnown):
        enter()
    for bad, field in (
        ({"uscc": USCC[:-1] + "6"}, "uscc"), ({"uscc": ""}, "uscc"),
        ({"phone": "call me"}, "phone"), ({"name": " "}, "name"), ({"name": "长" * 81}, "name"),
    ):  # fmt: skip
        with pytest.raises(BadEntry) as refused:
            enter(**bad)
        assert refused.value.field == field
    assert db.session.query(Operator).count() == 2


def test_an_application_is_numbered_and_tiered(operator: Operator) -> None:
    with transaction():
        owner = Actor(role="operator", user_id=9, operator_id=operator.id)
        canteen = apply(wish(operator.id, open_weekdays="54321"), by=owner, at=clock.now())
    assert canteen.code == f"120104-{canteen.id:05d}"
    assert (canteen.status, canteen.tier, canteen.district_code) == ("applied", 1, "120104")
    assert canteen.open_weekdays == "12345"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"street_code": "120104999"}, "street_code"),
        ({"street_code": "120104"}, "street_code"),
        ({"carrier": "spaceship"}, "carrier"),
        ({"capabilities": ["fly"]}, "capabilities"),
        ({"supplier_id": 999}, "supplier_id"),
        ({"open_weekdays": ""}, "open_weekdays"),
        ({"open_weekdays": "128"}, "open_weekdays"),
        ({"seats": -1}, "seats"),
        ({"seats": 5001}, "seats"),
        ({"latitude": 91.0}, "latitude"),
        ({"phone": "1"}, "phone"),
        ({"operator_id": 999}, "operator_id"),
    ],
)
def test_a_bad_application_names_its_field_and_saves_nothing(
    operator: Operator, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadEntry) as refused, transaction():
        apply(wish(**({"operator_id": operator.id} | changes)), by=NANKAI, at=clock.now())
    assert refused.value.field == field
    assert db.session.query(Canteen).count() == 0


def test_one_applies_for_oneself_or_on_ones_ground(operator: Operator) -> None:
    cases: list[tuple[Actor, type[CanteenError]]] = [
        (Actor(role="operator", user_id=9, operator_id=operator.id + 1), Forbidden),
        (HEXI, NotFound),
        (Actor(role="cashier", user_id=9, canteen_id=1), Forbidden),
    ]
    for actor, refusal in cases:
        with pytest.raises(refusal), transaction():
            apply(wish(operator.id), by=actor, at=clock.now())


def test_a_supplier_must_supply_others(operator: Operator) -> None:
    with transaction():
        kitchen = make_canteen(operator_id=operator.id)
    with pytest.raises(BadEntry) as refused, transaction():
        amend(kitchen.id, {"supplier_id": kitchen.id}, by=NANKAI)
    assert refused.value.field == "supplier_id"
    with pytest.raises(BadEntry), transaction():
        apply(wish(operator.id, supplier_id=kitchen.id), by=NANKAI, at=clock.now())
    with transaction():
        amend(kitchen.id, {"capabilities": ["supplies_others"]}, by=NANKAI)
        made = apply(wish(operator.id, supplier_id=kitchen.id), by=NANKAI, at=clock.now())
    assert made.supplier_id == kitchen.id


def test_the_operator_changes_the_everyday_and_the_bureau_the_rest(operator: Operator) -> None:
    with transaction():
        canteen = make_canteen(operator_id=operator.id)
    owner = operator_of(canteen)
    with transaction():
        assert amend(canteen.id, {"phone": "022-1234567"}, by=owner).phone == "022-1234567"
        assert amend(canteen.id, {"seats": 60}, by=STREET).seats == 60
    for changes, by, refusal in (
        ({"seats": 90}, owner, Forbidden), ({"status": "listed"}, NANKAI, BadEntry),
        ({"street_code": "120103001"}, NANKAI, BadEntry), ({"name": "x"}, HEXI, NotFound),
        ({"name": "x"}, Actor(role="manager", canteen_id=canteen.id), Forbidden),
    ):  # fmt: skip
        with pytest.raises(refusal), transaction():
            amend(canteen.id, changes, by=by)


def test_hours_and_closures_are_announced(operator: Operator) -> None:
    with transaction():
        canteen = make_canteen(operator_id=operator.id)
    owner = operator_of(canteen)

    def hours(meal: str, *times: time) -> None:
        with transaction():
            registering.set_meal_period(canteen.id, meal, *times, by=owner)

    hours("lunch", time(11), time(13), time(10))
    assert [p.opens for p in hours_of(canteen.id) if p.meal == "lunch"] == [time(11)]
    for meal, times, field in (
        ("supper", (time(11), time(13), time(10)), "meal"),
        ("lunch", (time(13), time(13), time(10)), "closes"),
        ("lunch", (time(11), time(13), time(14)), "order_until"),
    ):  # fmt: skip
        with pytest.raises(BadEntry) as refused:
            hours(meal, *times)
        assert refused.value.field == field
    with transaction():
        registering.stop_serving(canteen.id, "breakfast", by=owner)
        registering.announce_closure(canteen.id, TODAY, "检修", by=owner, today=TODAY)
        registering.announce_closure(canteen.id, TODAY, "检修灶台", by=owner, today=TODAY)
    assert [p.meal for p in hours_of(canteen.id)] == ["lunch", "dinner"]
    assert closures_between(canteen.id, TODAY, TODAY) == {TODAY: "检修灶台"}
    with pytest.raises(BadEntry), transaction():
        registering.announce_closure(
            canteen.id, date(2026, 11, 19), "晚了", by=owner, today=TODAY
        )
    with transaction():
        registering.withdraw_closure(canteen.id, TODAY, by=owner, today=TODAY)
    assert closures_between(canteen.id, TODAY, TODAY) == {}
