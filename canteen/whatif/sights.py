"""What a policy can tell apart: two meals it sees alike cost the same, so one of them is priced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, get_args

from canteen.money import BASIS, take_rate
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
    GateSpend,
    GateTiers,
    Layer,
    Meal,
    Part,
    Percent,
    Rest,
)
from canteen.subsidies.shapes import Policy

MEALS = get_args(Meal)


@dataclass(frozen=True)
class Sight:
    """The facts of a case that can change its price under a policy.

    `ages` are the first ages of the ranges it tells apart; `prefixes` the household codes and
    `categories` the categories it asks for; each flag says whether that fact counts at all. Above
    `level_fen`, a spend, sums no longer follow the price, only the `spends_fen` it is compared
    with matter; None: they always follow it.
    """

    ages: tuple[int, ...] = ()
    prefixes: tuple[str, ...] = ()
    categories: frozenset[str] = frozenset()
    spends_fen: tuple[int, ...] = ()
    level_fen: int | None = 0
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
    default_sets_fen: tuple[int, ...] | None = None  # None: no set price counts

    @property
    def place(self) -> bool:
        """Whether it counts where the household lies from the canteen."""
        return self.home_district or self.home_street

    def of_price(self, list_fen: int, discount_bp: int, set_fen: int | None) -> tuple[Any, ...]:
        """What counts of a price: all of it, or only on which side of each threshold it lies."""
        spend_fen = list_fen - take_rate(list_fen, discount_bp)
        sets: tuple[int, ...] = ()
        if self.default_sets_fen is not None:
            sets = self.default_sets_fen if set_fen is None else (set_fen,)
        if self.level_fen is None or spend_fen <= self.level_fen:
            return (list_fen, spend_fen, sets)
        return (
            tuple(spend_fen >= least for least in self.spends_fen),
            tuple((list_fen >= least, spend_fen >= least) for least in sets),
        )

    def of_person(self, elder: ElderFacts) -> tuple[Any, ...]:
        """What counts of a person whatever the day and the place."""
        household = elder.household or ""
        return (
            tuple([household.startswith(code) for code in self.prefixes]),
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
            bisect_right(self.ages, age_on(elder.birth_date, case.on)),
            self.of_person(elder),
            since is None or case.on > since,
            self.home_district and household.startswith(case.district),
            self.home_street and bool(case.street) and household.startswith(case.street or ""),
            case.tier if self.tier else None,
            case.grade if self.grade else None,
            case.service if self.service else None,
            case.meal if self.meal else None,
            self.of_price(case.list_fen, case.discount_bp, case.standard_set_fen),
            case.beyond_caps,
        )


def joined(sights: Iterable[Sight]) -> Sight:
    """What any of several policies tells apart."""
    all_ = list(sights)
    flags = {
        name: any(getattr(each, name) for each in all_)
        for name, default in asdict(Sight()).items()
        if default is False
    }
    levels = [each.level_fen for each in all_]
    sets = [each.default_sets_fen for each in all_ if each.default_sets_fen is not None]
    return Sight(
        ages=_sorted(age for each in all_ for age in each.ages),
        prefixes=_sorted(code for each in all_ for code in each.prefixes),
        categories=frozenset().union(*(each.categories for each in all_)),
        spends_fen=_sorted(fen for each in all_ for fen in each.spends_fen),
        level_fen=None if None in levels else max((fen or 0 for fen in levels), default=0),
        default_sets_fen=_sorted(fen for each in sets for fen in each) if sets else None,
        **flags,
    )


def sight_of(policy: Policy) -> Sight:
    """What a policy tells apart. A new key of policy files that looks at a fact belongs here."""
    parts: tuple[Part, ...] = (*policy.layers, *policy.enterprise, *policy.delivery)
    amounts: list[Any] = [part.amount for part in parts]  # type: ignore[attr-defined]
    bands = [band for amount in amounts if isinstance(amount, ByBand) for band in amount.bands]
    asked = list(_conditions(policy))
    return Sight(
        ages=_sorted(_first_ages([*asked, *bands])),
        prefixes=_sorted(code for each in asked for code in each.household),
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
        spends_fen=_sorted(
            [band.min_spend_fen for band in bands]
            + [gate.fen for gate in policy.gates if isinstance(gate, GateSpend)]
        ),
        level_fen=_level(policy),
        default_sets_fen=_default_sets(policy),
    )


def _level(policy: Policy) -> int | None:
    """The spend above which no sum follows the price any more; None where one always does.

    Above it every layer is paid whole, together they leave something to pay, and rates have
    reached their ceilings. (A list price is never below the spend.)
    """
    whole = 0
    level = 0
    for part in (*policy.layers, *policy.enterprise, *policy.delivery):
        amount = part.amount  # type: ignore[attr-defined]
        if isinstance(amount, Percent):
            if amount.ceiling_fen is None:
                return None
            most = amount.ceiling_fen
            level = max(level, most * BASIS // amount.rate_bp + 1)
        elif isinstance(amount, Rest):
            if amount.up_to_price_fen is None:
                return None
            most = amount.up_to_price_fen
            level = max(level, most)
        elif isinstance(amount, ByBand):
            most = max((band.fen for band in amount.bands), default=0)
        elif isinstance(amount, ByTier):
            most = max((row.fen for row in amount.tiers), default=0)
        elif isinstance(amount, ByGrade):
            most = max([amount.ungraded_fen, *(row.fen for row in amount.grades)])
        else:
            most = amount.fen
        if isinstance(part, Layer):
            whole += most
    return max(level, whole)


def _default_sets(policy: Policy) -> tuple[int, ...] | None:
    if not any(isinstance(gate, GateAtSetPrice) for gate in policy.gates):
        return None
    return (policy.standard_set.default_fen,) if policy.standard_set else ()


def _sorted(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


def _conditions(policy: Policy) -> Iterator[Conditions]:
    yield from policy.eligibility
    for part in policy.delivery:
        yield from part.who


def _first_ages(ranges: Iterable[Any]) -> Iterator[int]:
    for each in ranges:
        yield each.min_age
        if each.max_age is not None:
            yield each.max_age + 1
