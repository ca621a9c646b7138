"""What a policy can tell apart: two meals it sees alike cost the same, so one of them is priced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, get_args

from canteen.money import take_rate
from canteen.subsidies.cases import Case, ElderFacts
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.parts import (
    ByBand,
    ByGrade,
    ByTier,
    Conditions,
    Enterprise,
    GateAtSetPrice,
    GateServices,
    GateTiers,
    Meal,
    Part,
)
from canteen.subsidies.shapes import Policy

MEALS = get_args(Meal)


@dataclass(frozen=True)
class Sight:
    """The facts of a case that can change its price under a policy, besides the price itself.

    `ages` are the first ages of the ranges it tells apart; `prefixes` the household codes and
    `categories` the categories it asks for; each flag says whether that fact counts at all.
    """

    ages: frozenset[int] = frozenset()
    prefixes: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    care_level: bool = False
    disability_grade: bool = False
    in_institution: bool = False
    long_term_care: bool = False
    home_district: bool = False
    home_street: bool = False
    tier: bool = False
    grade: bool = False
    service: bool = False
    meal: bool = False
    standard_set: bool = False

    def __or__(self, other: Sight) -> Sight:
        """What either of the two tells apart."""
        return Sight(*(getattr(self, name) | getattr(other, name) for name in FIELDS))

    @property
    def place(self) -> bool:
        """Whether it counts where the household lies from the canteen."""
        return self.home_district or self.home_street

    def age_class(self, age: int) -> int:
        """The number of the range an age falls into."""
        return bisect_right(sorted(self.ages), age)

    def of_person(self, elder: ElderFacts) -> tuple[Any, ...]:
        """What counts of a person whatever the day and the place."""
        household = elder.household or ""
        return (
            tuple(household.startswith(code) for code in sorted(self.prefixes)),
            elder.categories & self.categories,
            elder.care_level if self.care_level else None,
            elder.disability_grade if self.disability_grade else None,
            elder.in_institution and self.in_institution,
            elder.long_term_care and self.long_term_care,
            elder.status,
        )

    def of_case(self, case: Case) -> tuple[Any, ...]:
        """What counts of a whole case but the caps: cases alike in this have one price."""
        elder = case.elder
        assert elder
        household, since = elder.household or "", elder.status_since
        return (
            self.age_class(age_on(elder.birth_date, case.on)),
            self.of_person(elder),
            since is None or case.on > since,
            self.home_district and household.startswith(case.district),
            self.home_street and bool(case.street) and household.startswith(case.street or ""),
            case.tier if self.tier else None,
            case.grade if self.grade else None,
            case.service if self.service else None,
            case.meal if self.meal else None,
            case.standard_set_fen if self.standard_set else None,
            case.list_fen,
            take_rate(case.list_fen, case.discount_bp),
            case.beyond_caps,
        )


FIELDS = tuple(Sight.__dataclass_fields__)


def sight_of(policy: Policy) -> Sight:
    """What a policy tells apart. A new key of policy files that looks at a fact belongs here."""
    parts: tuple[Part, ...] = (*policy.layers, *policy.enterprise, *policy.delivery)
    amounts: list[Any] = [part.amount for part in parts]  # type: ignore[attr-defined]
    bands = [band for amount in amounts if isinstance(amount, ByBand) for band in amount.bands]
    asked = list(_conditions(policy))
    return Sight(
        ages=frozenset(_first_ages([*asked, *bands])),
        prefixes=frozenset(code for each in asked for code in each.household),
        categories=frozenset(
            code for each in asked for code in (*each.any_categories, *each.all_categories)
        ),
        care_level=any(each.care_levels for each in asked),
        disability_grade=any(each.disability_grades for each in asked),
        in_institution="in_institution" in policy.exclude,
        long_term_care="long_term_care" in policy.exclude,
        home_district=any(part.place == "home_district" for part in parts),
        home_street=any(part.place == "home_street" for part in parts),
        tier=any(part.tiers for part in parts)
        or any(isinstance(gate, GateTiers) for gate in policy.gates)
        or any(isinstance(amount, ByTier) for amount in amounts),
        grade=any(isinstance(amount, ByGrade) for amount in amounts)
        or any(isinstance(part, Enterprise) and part.grade_scale for part in parts),
        service=bool(policy.delivery)
        or any(part.services for part in parts)
        or any(isinstance(gate, GateServices) for gate in policy.gates),
        meal=set(policy.meals) != set(MEALS) or any(part.meals for part in parts),
        standard_set=any(isinstance(gate, GateAtSetPrice) for gate in policy.gates),
    )


def joined(sights: Iterable[Sight]) -> Sight:
    """What any of several policies tells apart."""
    return reduce(Sight.__or__, sights, Sight())


def _conditions(policy: Policy) -> Iterator[Conditions]:
    yield from policy.eligibility
    for part in policy.delivery:
        yield from part.who


def _first_ages(ranges: Iterable[Any]) -> Iterator[int]:
    for each in ranges:
        yield each.min_age
        if each.max_age is not None:
            yield each.max_age + 1
