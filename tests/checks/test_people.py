"""Who ate: each case is planted beside an innocent neighbour, and only it is found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from canteen.db import db
from canteen.elders.models import ElderFact
from tests.checks.world import DAY, Plant, World, finds_just
from tests.factories import make_fact


def on_the_day(kind: str, value: str) -> Plant:
    """A status of the day before; the neighbour's is of the day itself, when they still ate."""

    def plant(world: World) -> list[str]:
        guilty, same_day, ended = world.elder(), world.elder(), world.elder()
        make_fact(guilty, kind, value, date(2026, 10, 5))
        make_fact(same_day, kind, value, DAY)
        make_fact(ended, kind, value, date(2026, 9, 1), date(2026, 10, 5))
        world.meal(same_day)
        world.meal(ended)
        return [f"order:{world.meal(guilty)}"]

    return plant


def insured(world: World) -> list[str]:
    """Covered on the day; the neighbour from the day after."""
    guilty, later = world.elder(), world.elder()
    make_fact(guilty, "long_term_care", "covered", DAY)
    make_fact(later, "long_term_care", "covered", date(2026, 10, 7))
    world.meal(later)
    return [f"order:{world.meal(guilty)}"]


def too_young(world: World) -> list[str]:
    """One day short of 80; the neighbour turns 80 on the day."""
    young, just = world.elder(birth=date(1946, 10, 7)), world.elder(birth=date(1946, 10, 6))
    leap = world.elder(birth=date(1944, 2, 29))
    world.meal(just)
    world.meal(leap)
    return [f"order:{world.meal(young)}"]


def no_category(world: World) -> list[str]:
    """On no visiting list; the neighbour is, until the day itself."""
    guilty, listed = world.elder(birth=date(1950, 1, 1)), world.elder(birth=date(1950, 1, 2))
    make_fact(listed, "category", "visiting_care", date(2026, 1, 1), DAY)
    make_fact(guilty, "category", "visiting_care", date(2026, 1, 1), date(2026, 10, 5))
    world.meal(listed, group="G2")
    return [f"order:{world.meal(guilty, group='G2')}"]


def no_care_level(world: World) -> list[str]:
    """G3 without the severe level; the neighbour has all it asks."""
    guilty, whole = world.elder(), world.elder()
    for elder, level in ((guilty, "moderate"), (whole, "severe")):
        make_fact(elder, "category", "home_care_subsidy", date(2026, 1, 1))
        make_fact(elder, "category", "minimum_living", date(2026, 1, 1))
        make_fact(elder, "care_level", level, date(2026, 1, 1))
    world.meal(whole, group="G3")
    return [f"order:{world.meal(guilty, group='G3')}"]


def from_elsewhere(world: World) -> list[str]:
    """A household of another city."""
    guilty = world.elder(household="110105")
    return [f"order:{world.meal(guilty)}"]


def backdated(world: World) -> list[str]:
    """Recorded two months after the meal, from before it; the neighbour's was known in time."""
    guilty, known = world.elder(), world.elder()
    make_fact(known, "category", "visiting_care", date(2026, 1, 1))
    db.session.add(
        ElderFact(
            elder_id=guilty.id, kind="category", value="visiting_care",
            valid_from=date(2026, 10, 1), recorded_by="user:1",
            recorded_at=datetime(2026, 12, 10, tzinfo=UTC),
        )
    )
    world.meal(known)
    return [f"order:{world.meal(guilty)}"]


def registered_later(world: World) -> list[str]:
    """On the register from the day after the meal."""
    guilty = world.elder(registered_at=datetime(2026, 10, 7, tzinfo=UTC))
    known = world.elder(registered_at=datetime(2026, 10, 5, tzinfo=UTC))
    world.meal(known)
    return [f"order:{world.meal(guilty)}"]


def at_both(world: World, who: str) -> list[str]:
    """The keys of what each of the two canteens is told by itself."""
    return sorted(f"{who}:{canteen.id}:2026-10" for canteen in (world.here, world.there))


def very_old(world: World) -> list[str]:
    """Aged 106, at two canteens; the neighbour is 104."""
    old, less = world.elder(birth=date(1920, 1, 1)), world.elder(birth=date(1922, 1, 1))
    world.meal(old)
    world.meal(old, DAY + timedelta(days=1), canteen=world.there)
    world.meal(less)
    return at_both(world, f"elder:{old.id}")


def twice_registered(world: World) -> list[str]:
    """Two of one name and birthday; the neighbours share one of the two."""
    same = {"name": "周同", "birth": date(1938, 3, 3)}
    first, second = world.elder(**same, sequence=501), world.elder(**same, sequence=502)
    namesake = world.elder(name="周同", birth=date(1938, 3, 4))
    for elder in (first, second, namesake):
        world.meal(elder)
    world.meal(second, DAY + timedelta(days=1), canteen=world.there)
    return at_both(world, f"elder:{second.id}")


CASES: dict[str, tuple[str, Plant]] = {
    "deceased": ("deceased", on_the_day("status", "deceased")),
    "moved_away": ("moved_away", on_the_day("status", "moved")),
    "in_institution": ("in_institution", on_the_day("status", "in_institution")),
    "long_term_care": ("long_term_care", insured),
    "wrong_age": ("wrong_age", too_young),
    "lacks_category": ("lacks_category", no_category),
    "lacks_care_level": ("lacks_category", no_care_level),
    "household_outside": ("household_outside", from_elsewhere),
    "backdated_fact": ("backdated_fact", backdated),
    "registered_later": ("registered_later", registered_later),
    "very_old": ("very_old", very_old),
    "twice_registered": ("twice_registered", twice_registered),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_planted_is_found_and_nothing_else(app: Flask, case: str) -> None:
    finds_just(*CASES[case])
