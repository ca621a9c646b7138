"""What counts for a meal on a day: first and last days, and days on which something happened."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.db import db, transaction
from canteen.elders.facts import Standing, facts_on, refresh_statuses, standings
from canteen.elders.models import Elder
from canteen.errors import NotFound
from canteen.subsidies.cases import ElderFacts
from tests.elders.factories import enrolled, lay_ground, number
from tests.factories import make_fact
from tests.listening import statements

THE_DAY = date(2024, 5, 17)
BEFORE, AFTER = date(2024, 5, 16), date(2024, 5, 18)


@pytest.fixture
def elder(app: Flask) -> Elder:
    lay_ground()
    return db.session.get_one(Elder, enrolled())


def fact(elder: Elder, kind: str, value: str, since: date, until: date | None = None) -> None:
    with transaction():
        make_fact(db.session.get_one(Elder, elder.id), kind, value, since, until)


def test_without_facts_there_is_birth_and_household(elder: Elder) -> None:
    assert facts_on(elder.id, THE_DAY) == Standing(birth_date=date(1940, 5, 1), household="120104")


def test_everything_the_policy_asks_for_comes_in_one_query(elder: Elder) -> None:
    fact(elder, "category", "low_income", THE_DAY)
    fact(elder, "category", "minimum_living", BEFORE)
    fact(elder, "care_level", "severe", BEFORE)
    fact(elder, "disability_grade", "2", BEFORE)
    fact(elder, "long_term_care", "covered", BEFORE)
    with statements() as heard:
        standing = facts_on(elder.id, THE_DAY)
    assert standing == Standing(
        birth_date=date(1940, 5, 1), household="120104",
        categories=frozenset({"low_income", "minimum_living"}), care_level="severe",
        disability_grade=2, long_term_care=True,
    )  # fmt: skip
    assert len([one for one in heard if one.lstrip().upper().startswith("SELECT")]) == 1


def test_a_category_holds_from_its_first_to_its_last_day(elder: Elder) -> None:
    fact(elder, "category", "low_income", THE_DAY, AFTER)
    held = [
        facts_on(elder.id, on).categories
        for on in (BEFORE, THE_DAY, AFTER, date(2024, 5, 19))
    ]  # fmt: skip
    assert held == [frozenset(), {"low_income"}, {"low_income"}, frozenset()]


@pytest.mark.parametrize("status", ["deceased", "moved", "in_institution"])
def test_the_meal_of_the_day_it_happened_still_counts(elder: Elder, status: str) -> None:
    fact(elder, "status", status, THE_DAY)
    assert facts_on(elder.id, THE_DAY).status == "alive"
    assert not facts_on(elder.id, THE_DAY).in_institution
    after = facts_on(elder.id, AFTER)
    assert (after.status, after.status_since) == (status, THE_DAY)
    assert after.in_institution == (status == "in_institution")


def test_the_last_day_in_an_institution_is_still_one(elder: Elder) -> None:
    fact(elder, "status", "in_institution", BEFORE, THE_DAY)
    assert facts_on(elder.id, THE_DAY).in_institution
    assert facts_on(elder.id, AFTER).status == "alive"


def test_the_gravest_of_two_statuses_counts(elder: Elder) -> None:
    fact(elder, "status", "in_institution", date(2024, 1, 1))
    fact(elder, "status", "deceased", BEFORE)
    standing = facts_on(elder.id, THE_DAY)
    assert (standing.status, standing.status_since) == ("deceased", BEFORE)


def test_the_engine_takes_a_standing_as_it_is(elder: Elder) -> None:
    fact(elder, "disability_grade", "1", BEFORE)
    taken = ElderFacts(**facts_on(elder.id, THE_DAY).as_dict())
    assert (taken.disability_grade, taken.household) == (1, "120104")


def test_many_elders_are_asked_for_at_once(elder: Elder) -> None:
    other = enrolled(id_number=number(date(1950, 1, 1), 5), name="赵")
    fact(elder, "category", "low_income", BEFORE)
    found = standings([elder.id, other, 999], THE_DAY)
    assert set(found) == {elder.id, other}
    assert found[elder.id].categories == {"low_income"}
    assert found[other].categories == frozenset()


def test_nobody_is_not_found(elder: Elder) -> None:
    with pytest.raises(NotFound):
        facts_on(999, THE_DAY)


def test_statuses_follow_the_calendar_by_themselves(elder: Elder) -> None:
    fact(elder, "status", "in_institution", THE_DAY, AFTER)
    said = []
    for on in (BEFORE, THE_DAY, AFTER, date(2024, 5, 19)):
        with transaction():
            altered = refresh_statuses(on)
        said.append((altered, db.session.scalar(sa.select(Elder.status))))
    assert said == [(0, "alive"), (1, "in_institution"), (0, "in_institution"), (1, "alive")]
