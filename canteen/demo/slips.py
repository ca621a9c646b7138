"""Days at a demo canteen on which something is not right: who is served then, and at what hour."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from canteen import clock
from canteen.demo.people import Person
from canteen.demo.places import Place

STACK = time(12, 5)  # when a stack of cards was read, one every few seconds
LATE_LUNCH = time(21, 50)
AFTER_LUNCH = time(14, 40)


def everybody_comes(place: Place, on: date, meal: str) -> bool:
    """Whether the cards of all who eat here are at hand."""
    return meal == "lunch" and place.slips.get(on) == "stack"


def served(
    place: Place, on: date, meal: str, diners: list[Person | None]
) -> list[Person | None]:
    """Who of these is served, in their order: elders first where their cards lie in a stack."""
    slip = place.slips.get(on)
    if place.quirk == "burst" or slip:
        diners = sorted(diners, key=lambda diner: diner is None)
    if slip == "closed":  # the gas was off, a few were served all the same
        return diners[:8] if meal == "lunch" else []
    return diners[:28] if slip == "stack" and meal == "lunch" else diners


def moment(place: Place, on: date, meal: str, seat: int) -> datetime | None:
    """When the diner of that seat was served, where it was not at an ordinary moment."""
    slip = place.slips.get(on)
    if meal != "lunch":
        return None
    if place.quirk == "burst" and on.day % 9 == 0:
        return clock.instant(on, AFTER_LUNCH) + timedelta(seconds=7 * seat)
    if slip == "stack" and seat < 16:
        return clock.instant(on, STACK) + timedelta(seconds=2 * seat)
    if slip == "late" and seat < 4:
        return clock.instant(on, LATE_LUNCH) + timedelta(minutes=2 * seat)
    return None
