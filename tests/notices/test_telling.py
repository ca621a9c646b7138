"""A message reaches whom it is for, once."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from canteen.db import transaction
from canteen.notices.telling import read, tell, unread, unread_count
from canteen.territory.actors import Actor
from canteen.words import Text
from tests.factories import City, make_city
from tests.settlements.factories import at_noon

AT = at_noon(date(2026, 10, 6))
SAID = Text("请在 5 日前确认 4 张结算单", "Confirm 4 statements by the 5th")


@pytest.fixture
def city(app: Flask) -> City:
    return make_city(date(2026, 10, 6))


def test_a_message_is_told_once_and_only_to_its_reader(city: City) -> None:
    street = Actor("street", 9, territory="120104001")
    operator = Actor("operator", 8, operator_id=city.here.operator_id)
    with transaction():
        first = tell("due:2026-10:120104001", "due", SAID, at=AT, role="street",
                     territory="120104001", path="/bureau/statements")  # fmt: skip
        again = tell("due:2026-10:120104001", "due", SAID, at=AT, role="street",
                     territory="120104001")  # fmt: skip
        tell("money:1", "paid", SAID, at=AT, operator_id=city.here.operator_id)
    assert first is not None and again is None
    assert [notice.path for notice in unread(street)] == ["/bureau/statements"]
    assert [notice.kind for notice in unread(operator)] == ["paid"]
    for other in (
        Actor("district", 7, territory="120104"), Actor("street", 6, territory="120104002"),
        Actor("operator", 5, operator_id=999), Actor("cashier", 4, canteen_id=city.here.id),
    ):  # fmt: skip
        assert unread(other) == []


def test_only_its_reader_can_read_it_away(city: City) -> None:
    street = Actor("street", 9, territory="120104001")
    with transaction():
        told = tell("k", "due", SAID, at=AT, role="street", territory="120104001")
    assert told is not None
    with transaction():
        assert read([told], Actor("street", 3, territory="120104002"), AT) == 0
    assert unread_count(street) == 1
    with transaction():
        assert read([told], street, AT) == 1
        assert read([told], street, AT) == 0
    assert unread_count(street) == 0
