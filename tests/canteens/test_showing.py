"""What the public reads of a canteen whose sign hangs or hung, and where it is sent instead."""

from __future__ import annotations

import pytest
from flask import Flask

from canteen.canteens import finding
from canteen.canteens.finding import NoSuchCanteen
from canteen.canteens.showing import PUBLIC_STATUSES, instead_of, shown
from canteen.db import transaction
from tests.factories import make_canteen, make_territories


@pytest.mark.parametrize("status", ["applied", "under_review", "public_notice"])
def test_a_canteen_never_listed_is_nobodys_business(app: Flask, status: str) -> None:
    with transaction():
        make_territories()
        canteen = make_canteen(status=status)
    with pytest.raises(NoSuchCanteen):
        shown(canteen.id)


@pytest.mark.parametrize("status", PUBLIC_STATUSES)
def test_a_sign_that_hangs_or_hung_is_shown(app: Flask, status: str) -> None:
    with transaction():
        make_territories()
        canteen = make_canteen(status=status)
    assert shown(canteen.id) is canteen


def test_one_is_sent_to_the_same_street_first_then_to_the_nearest(app: Flask) -> None:
    place = {"latitude": 39.10, "longitude": 117.20}
    with transaction():
        make_territories()
        closed = make_canteen(status="delisted", **place)
        far = make_canteen("120104002", latitude=39.20, longitude=117.30)
        near = make_canteen("120104002", latitude=39.11, longitude=117.20)
        street = make_canteen("120104001", latitude=39.19, longitude=117.29)
        make_canteen("120104001", status="suspended", **place)
        make_canteen("120103001", **place)
        placeless = make_canteen("120104002")
    found = [canteen.id for canteen in instead_of(closed, most=9)]
    assert found == [street.id, near.id, far.id, placeless.id]
    assert len(instead_of(closed)) == 3


def test_the_list_is_counted_as_it_is_shown(app: Flask) -> None:
    with transaction():
        make_territories()
        make_canteen(), make_canteen("120103001"), make_canteen(status="delisted")
    for asked in ({}, {"district": "120104"}, {"text": "食堂2"}, {"statuses": ("delisted",)}):
        assert finding.public_count(**asked) == len(finding.public_list(**asked))
    assert finding.public_count(statuses=PUBLIC_STATUSES) == 3
