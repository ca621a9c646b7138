"""Who a policy is for: age on the day, the group a person belongs to, and what they lack."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from canteen.subsidies.cases import ElderFacts
from canteen.subsidies.parts import Conditions, Group
from canteen.subsidies.shapes import Policy


class Miss(NamedTuple):
    """A group a person does not belong to, and the conditions that fail."""

    group: Group
    lacking: tuple[str, ...]


class Match(NamedTuple):
    """The group that counts, or None and what every group asks in vain."""

    group: Group | None
    misses: tuple[Miss, ...]


def age_on(birth_date: date, on: date) -> int:
    """Full years on a day: a year is full on the birthday itself.

    Someone born on 29 February completes a year on 1 March when there is no 29 February.
    """
    before = (on.month, on.day) < (birth_date.month, birth_date.day)
    return on.year - birth_date.year - before


def excluded(policy: Policy, elder: ElderFacts, on: date) -> tuple[str, ...]:
    """Why nobody may be subsidised in this state, whatever their group; empty when nothing is.

    Codes: deceased, moved_away, in_institution, long_term_care. A dated status counts from the
    day after its date: lunch may have been eaten before the move of that afternoon.
    """
    since = elder.status_since
    status = elder.status if since is None or on > since else "alive"
    found = []
    if status == "deceased":
        found.append("deceased")
    if status == "moved":
        found.append("moved_away")
    if "in_institution" in policy.exclude and (elder.in_institution or status == "in_institution"):
        found.append("in_institution")
    if "long_term_care" in policy.exclude and elder.long_term_care:
        found.append("long_term_care")
    return tuple(found)


def match(policy: Policy, elder: ElderFacts, on: date) -> Match:
    """The first group of the policy the elder belongs to on a day."""
    age = age_on(elder.birth_date, on)
    misses = []
    for group in policy.eligibility:
        lacking = lacks(group, elder, age)
        if not lacking:
            return Match(group, ())
        misses.append(Miss(group, lacking))
    return Match(None, tuple(misses))


def lacks(asked: Conditions, elder: ElderFacts, age: int) -> tuple[str, ...]:
    """The conditions a person of this age does not meet, by the names of their keys."""
    wrong = {
        "min_age": age < asked.min_age,
        "max_age": asked.max_age is not None and age > asked.max_age,
        "household": bool(asked.household)
        and not (elder.household or "").startswith(asked.household),
        "all_categories": not elder.categories.issuperset(asked.all_categories),
        "any_categories": bool(asked.any_categories)
        and elder.categories.isdisjoint(asked.any_categories),
        "care_level": bool(asked.care_levels) and elder.care_level not in asked.care_levels,
        "disability_grade": bool(asked.disability_grades)
        and elder.disability_grade not in asked.disability_grades,
    }
    return tuple(key for key, missing in wrong.items() if missing)
