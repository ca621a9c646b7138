"""Each sees the canteens that are theirs to see."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.canteens import finding
from canteen.canteens.finding import NoSuchCanteen, get_for, list_for, public_list
from canteen.canteens.models import Canteen, Closure
from canteen.db import db, transaction
from canteen.territory.actors import Actor, job
from tests.canteens.factories import CITY, EVALUATOR, HEXI, NANKAI, STREET, operator_of
from tests.factories import make_canteen, make_territories

TODAY = date(2026, 11, 20)


@pytest.fixture
def four(app: Flask) -> list[Canteen]:
    """In 南开: listed in street 1, warned in street 2, suspended in street 1; in 河西: listed."""
    with transaction():
        make_territories()
        return [
            make_canteen("120104001", name="甲"),
            make_canteen("120104002", name="乙", status="warned"),
            make_canteen("120104001", name="丙", status="suspended"),
            make_canteen("120103001", name="丁", name_en="Ding", address="和_平%路"),
        ]


def test_each_sees_their_own(four: list[Canteen]) -> None:
    a, b, c, d = (row.id for row in four)
    cases: list[tuple[Actor | None, set[int]]] = [
        (CITY, {a, b, c, d}),
        (job("any"), {a, b, c, d}),
        (NANKAI, {a, b, c}),
        (EVALUATOR, {a, b, c}),
        (HEXI, {d}),
        (STREET, {a, c}),
        (operator_of(four[2]), {c}),
        (Actor(role="manager", canteen_id=c), {c}),
        (Actor(role="cashier", canteen_id=a), {a}),
        (Actor(role="elder"), {a, b, d}),
        (Actor(role="family"), {a, b, d}),
        (None, {a, b, d}),
        (Actor(role="district"), set()),
        (Actor(role="operator"), set()),
        (Actor(role="city", territory="310000"), set()),
    ]
    for actor, expected in cases:
        seen = set(db.session.scalars(sa.select(Canteen.id).where(finding.visible(actor))))
        assert seen == expected, actor
        for canteen in four:
            if canteen.id in expected:
                assert get_for(actor, canteen.id).id == canteen.id
            else:
                with pytest.raises(NoSuchCanteen):
                    get_for(actor, canteen.id)


def test_a_list_is_narrowed_by_ground_status_and_text(four: list[Canteen]) -> None:
    assert [row.name for row in list_for(CITY, territory="120104")] == ["丙", "乙", "甲"]
    assert [row.name for row in list_for(CITY, status="suspended")] == ["丙"]
    assert [row.name for row in list_for(CITY, text="ding")] == ["丁"]
    assert [row.name for row in list_for(CITY, text="_")] == ["丁"]
    assert [row.name for row in list_for(CITY, limit=1, offset=1)] == ["丙"]


def test_the_public_sees_what_sells_with_todays_hours(four: list[Canteen]) -> None:
    with transaction():
        db.session.add(Closure(canteen_id=four[1].id, on=TODAY, reason="检修"))
        db.session.get_one(Canteen, four[3].id).open_weekdays = "67"
    shown = {row.name: row for row in public_list(on=TODAY)}
    assert set(shown) == {"甲", "乙", "丁"}
    assert [hours.meal for hours in shown["甲"].hours] == ["breakfast", "lunch", "dinner"]
    assert shown["甲"].open_today and shown["甲"].name_en == "甲"
    assert not shown["乙"].open_today and shown["乙"].closed_because == "检修"
    assert not shown["丁"].open_today and shown["丁"].closed_because is None
    assert [row.name for row in public_list("120103", on=TODAY)] == ["丁"]
    assert [row.name for row in public_list(text="%", on=TODAY)] == ["丁"]
    assert len(public_list(on=TODAY, limit=2)) == 2
