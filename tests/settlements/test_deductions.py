"""An appeal upheld about a drawn meal: it counts as right, and what was deducted for it returns."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.db import db, transaction
from canteen.settlements import amending, appealing, extrapolating, looking, undoing
from canteen.settlements.models import StatementAmendment
from canteen.settlements.review_models import Appeal, SampledMeal
from canteen.verifying import verify
from tests.factories import City
from tests.planting import planted
from tests.settlements.factories import (
    AFTER,
    Hands,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)
from tests.settlements.test_appealing import colleague, decide, file
from tests.settlements.test_rules import set_rule
from tests.settlements.test_sampling import (
    LATER,
    RIGHT,
    WRONG,
    apply,
    deduction_lines,
    look,
    rules_stages,
)

NOVEMBER, DECEMBER = "2026-11", date(2026, 12, 2)


@pytest.fixture
def city(app: Flask) -> City:
    """October at the district: of three drawn meals two are wrong, and the deduction is made."""
    city = little_month()
    hands = city.extra["hands"]
    set_rule(hands.district, rules_stages(), sample_bp=0, sample_least=3, extrapolate=True)
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    city.extra["whole"] = statement_of(city.here).total_fen
    one, two, three = (each.order.id for each in looking.sample_of(here))
    city.extra["wrong"] = [one, two]
    look(here, hands.district, {one: WRONG, two: WRONG, three: RIGHT})
    apply(here, extrapolating.of(statement_of(city.here)).fen, hands.district)
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


def upheld(city: City, order: int) -> Appeal:
    return decide(file(order, city.extra["hands"].operator), "upheld", colleague())


def causes(statement_id: int) -> list[tuple[str, int | None]]:
    return [(each.cause, each.cause_id) for each in amending.amendments_of(statement_id)]


def test_under_review_the_statement_is_amended_and_the_verdict_stays_as_given(
    city: City, hands: Hands
) -> None:
    one, two = city.extra["wrong"]
    was = -statement_of(city.here).deducted_fen
    appeal = upheld(city, one)
    here = statement_of(city.here)
    found = extrapolating.of(here)
    assert (found.wrong, found.looked, found.settled) == (1, 3, True)
    assert 0 < -here.deducted_fen < was and sum(deduction_lines(here)) == here.deducted_fen
    assert causes(here.id)[-2:] == [("extrapolated", appeal.id)] * 2
    drawn = {each.order.id: each for each in looking.sample_of(here)}
    assert (drawn[one].sampled.verdict, drawn[one].overturned, drawn[one].stands) == (
        "wrong", True, True,
    )  # fmt: skip
    assert not drawn[two].overturned and appeal.returned_fen == 0
    db.session.rollback()
    upheld(city, two)
    here = statement_of(city.here)
    assert (here.deducted_fen, here.total_fen) == (0, city.extra["whole"])
    assert set(deduction_lines(here)) == {0} and verify() == []
    pass_on([here.id], hands)
    assert verify() == []


def test_found_wrong_once_more_by_another_it_is_denied_and_deducted_again(
    city: City, hands: Hands
) -> None:
    one, two = city.extra["wrong"]
    was = statement_of(city.here)
    sums = (was.total_fen, was.deducted_fen)
    upheld(city, one)
    here = statement_of(city.here)
    assert look(here, hands.district, {one: WRONG}) == 0, "the same words are no new verdict"
    with pytest.raises(appealing.SameJudge):
        look(here, hands.district, {one: ("wrong", "仍然不对，查了监控")})
    third = colleague()
    with transaction():
        looking.look(here.id, {one: ("wrong", "仍然不对，查了监控")}, third, at_noon(AFTER, 17))
    here = statement_of(city.here)
    assert (here.total_fen, here.deducted_fen) == sums
    assert {two, one} == set(city.extra["wrong"]) and verify() == []


def test_once_passed_the_next_statement_gives_the_difference_back_once(
    city: City, hands: Hands
) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, on=date(2026, 11, 3))
    here = statement_of(city.here)
    passed = (here.total_fen, here.deducted_fen)
    appeal = upheld(city, city.extra["wrong"][0])
    here = statement_of(city.here)
    found = extrapolating.of(here)
    assert (here.total_fen, here.deducted_fen) == passed, "what was passed is not overwritten"
    assert appeal.returned_fen == found.own_fen - found.fen > 0 and found.settled
    back = appeal.returned_fen
    assert verify() == []
    with transaction():  # the city takes its approval back: the sample is not settled twice
        undoing.undo(here.id, "有一餐申诉成立", hands.city, at=at_noon(date(2026, 11, 4)))
    with transaction():
        extrapolating.follow(here.id, hands.city, LATER)
    assert statement_of(city.here).deducted_fen == passed[1]
    close(NOVEMBER, DECEMBER)
    november = statement_of(city.here, NOVEMBER)
    assert november.deducted_fen == back == sum(deduction_lines(november))
    assert causes(november.id) == [("given_back", appeal.id)]
    meal = november.elder_fen + november.enterprise_fen + november.delivery_fen
    assert november.total_fen == meal + back + november.online_fen + november.carried_fen
    assert extrapolating.of(november).own_fen == 0, "no deduction of November's"
    assert verify() == []
    close("2026-12", date(2027, 1, 2))
    given = sa.select(sa.func.count()).select_from(StatementAmendment)
    assert db.session.scalar(given.where(StatementAmendment.cause == "given_back")) == 1


def test_verify_sees_a_return_that_was_altered_and_a_deduction_that_should_be_gone(
    city: City, hands: Hands
) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands)
    upheld(city, city.extra["wrong"][0])
    close(NOVEMBER, DECEMBER)
    assert verify() == []
    for fault in (
        "UPDATE appeals SET returned_fen = returned_fen + 1",
        "UPDATE statement_amendments SET cause_id = 0 WHERE cause = 'given_back'",
        "UPDATE sampled_meals SET verdict = 'right'",
    ):
        with planted(fault):
            assert "deductions_told" in {each.check for each in verify()}, fault
    assert db.session.scalar(sa.select(sa.func.count(SampledMeal.verdict))) == 3


def test_what_is_left_over_of_a_deduction_goes_to_whoever_lost_most() -> None:
    more, less = ("deduction", "city", "120000"), ("deduction", "district", "120104")
    assert amending._split(4, {less: 4, more: 5}) == {more: 2, less: 2}
    assert amending._split(1, {less: 4, more: 5}) == {more: 1}
