"""The budget guard: what each purse spent and owes, and when its money is gone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from canteen.budgets import funding, guarding
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.settlements.models import Statement
from canteen.territory.actors import Actor
from tests.budgets.world import settled_october, share_of
from tests.factories import City
from tests.settlements.factories import (
    AFTER,
    FIRST,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)

NOW = at_noon(AFTER)


def purse(by: Actor, code: str, on: date = AFTER) -> guarding.Purse:
    return {one.code: one for one in guarding.purses(by, 2026, on=on)}[code]


def give(by: Actor, code: str, fen: int) -> None:
    with transaction():
        funding.set_aside(code, 2026, fen, "年初预算", by, NOW)


def test_money_moves_from_granted_to_review_to_approved_to_paid(app: Flask) -> None:
    city = little_month()
    hands = city.extra["hands"]
    give(hands.city, "120104", 100_000)
    granted = purse(hands.city, "120104").open_fen
    assert granted > 0
    close()
    under = purse(hands.city, "120104")
    assert (under.open_fen, under.review_fen, under.committed_fen) == (0, granted, granted)
    pass_on([statement_of(city.here).id], hands)
    half = purse(hands.city, "120104")
    assert half.approved_fen == share_of(statement_of(city.here))
    assert half.review_fen == granted - half.approved_fen
    assert half.left_fen == 100_000 - granted


def test_what_is_paid_to_an_elder_is_their_own_districts_before_and_after_closing(
    app: Flask,
) -> None:
    city = little_month()
    by = city.extra["hands"].city
    before = {one.code: one.open_fen for one in guarding.purses(by, 2026, on=AFTER)}
    close()
    after = {one.code: one.review_fen for one in guarding.purses(by, 2026, on=AFTER)}
    assert before == after
    assert before["120000"] == before["120103"] + before["120104"]


def test_each_office_sees_its_own_purses(app: Flask) -> None:
    city = settled_october()
    own = guarding.purses(city.extra["hands"].district, 2026, on=AFTER)
    assert [one.code for one in own] == ["120104"]
    everything = guarding.purses(city.extra["hands"].city, 2026, on=AFTER)
    assert [one.code for one in everything] == ["120000", "120103", "120104"]
    paid = share_of(statement_of(city.here), statement_of(elder_id=city.extra["second"].id))
    assert own[0].paid_fen == paid


def test_what_was_netted_by_a_payment_is_paid_and_no_longer_owed(app: Flask) -> None:
    city = settled_october()
    by = city.extra["hands"].city
    before = purse(by, "120104")
    own, here = statement_of(elder_id=city.extra["second"].id).id, statement_of(city.here).id
    later = statement_of(city.elsewhere).id
    for into, approved in ((None, True), (here, True), (later, False)):
        # The elder's is netted with the canteen's, which in the end is netted with a paid one.
        with transaction() as session:
            one, middle = session.get_one(Statement, own), session.get_one(Statement, here)
            one.stage, one.carried_into_id = "carried", into and here
            middle.stage, middle.carried_into_id = "carried", later if into == later else None
        now = purse(by, "120104")
        assert (now.approved_fen > 0) is approved
        assert now.approved_fen + now.paid_fen == before.paid_fen
    assert now.paid_fen == before.paid_fen


def test_the_forecast_names_the_day_on_which_the_money_is_gone(app: Flask) -> None:
    city: City = little_month()
    by = city.extra["hands"].district
    on = FIRST + timedelta(days=7)
    week = purse(by, "120104", on)
    assert week.gone_on is None, "no budget, no forecast"
    give(by, "120104", week.committed_fen + 3 * week.pace_fen + 1)
    forecast = purse(by, "120104", on)
    assert forecast.gone_on is not None
    assert timedelta(days=21) <= forecast.gone_on - on <= timedelta(days=28)
    assert [one.code for one in guarding.warnings(by, on=on)] == ["120104"]
    close()
    for canteen, short in ((city.here, ["120104"]), (city.elsewhere, [])):
        found = guarding.short_for(by, [statement_of(canteen).id], on=on)
        assert [one.code for one in found] == short
    give(by, "120104", 10_000_000)
    assert guarding.warnings(by, on=on) == []


@pytest.mark.parametrize(
    ("left", "week", "gone"),
    [
        (0, (0,) * 7, None),
        (-1, (0,) * 7, date(2026, 12, 28)),
        (499, (100,) * 5 + (0, 0), None),  # only four working days of the year are left
        (399, (100,) * 5 + (0, 0), date(2026, 12, 31)),
    ],
)
def test_the_pace_follows_the_weekdays_to_the_end_of_the_year(
    left: int, week: tuple[int, ...], gone: date | None
) -> None:
    assert guarding.gone_on(left, week, date(2026, 12, 28)) == gone


def test_a_cut_never_leaves_less_than_nothing_and_strangers_set_nothing(app: Flask) -> None:
    city = little_month()
    by = city.extra["hands"].district
    give(by, "120104", 1_000)
    give(by, "120104", -400)
    assert funding.budgets(2026) == {"120104": 600}
    assert [one.amount_fen for one in funding.history("120104", 2026)] == [1_000, -400]
    for code, who, purse_code, fen in (
        ("fund_below_nothing", by, "120104", -601), ("bad_fund", by, "120104", 0),
        ("not_found", by, "120103", 1), ("forbidden", city.extra["hands"].street, "120104", 1),
    ):  # fmt: skip
        with pytest.raises(CanteenError) as caught:
            give(who, purse_code, fen)
        assert caught.value.code == code
