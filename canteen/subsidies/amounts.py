"""What one part of a subsidy comes to for one meal, or the step that says why it does not count."""

from __future__ import annotations

from dataclasses import dataclass

from canteen.money import take_rate
from canteen.subsidies.cases import Case, Step
from canteen.subsidies.explaining import step
from canteen.subsidies.parts import (
    EVERYONE,
    Amount,
    ByBand,
    ByGrade,
    ByTier,
    Flat,
    Group,
    Part,
    Percent,
    Rest,
    UpTo,
)
from canteen.words import Text

PLACES = {
    "home_district": Text("区", "district"),
    "home_street": Text("镇街", "street or town"),
}


@dataclass(frozen=True)
class Meal:
    """One meal of one entitled person, as far as amounts depend on it."""

    case: Case
    spend_fen: int
    group: Group
    age: int


def for_group(named: tuple[str, ...], group: Group) -> bool:
    """Whether something with these `groups` is meant for a group; naming none means all."""
    return not named or named == (EVERYONE,) or group.code in named


def elsewhere(part: Part, case: Case) -> Step | None:
    """Why a part does not count for a meal of this kind at this place; None when it does."""
    if (
        (part.meals and case.meal not in part.meals)
        or (part.services and case.service not in part.services)
        or (part.tiers and case.tier not in part.tiers)
    ):
        return step("layer_not_here", {"part": part.code}, title=part.title.text)
    if part.place == "anywhere":
        return None
    here = case.district if part.place == "home_district" else case.street
    household = (case.elder.household if case.elder else None) or ""
    if here and household.startswith(here):
        return None
    return step(
        "layer_elsewhere",
        {"part": part.code, "place": part.place},
        title=part.title.text,
        place=PLACES[part.place],
    )


def amount_of(amount: Amount, meal: Meal, before_fen: int = 0) -> tuple[int, Step | None]:
    """An amount in fen, before it is held to what is left to pay.

    `before_fen` is what earlier layers came to, for `rest`. With nought may come the step that
    says which minimum spend was missed.
    """
    case = meal.case
    if isinstance(amount, Flat):
        return amount.fen, None
    if isinstance(amount, Percent):
        base = case.list_fen if amount.of == "list" else meal.spend_fen
        return _at_most(take_rate(base, amount.rate_bp), amount.ceiling_fen), None
    if isinstance(amount, UpTo):
        return min(amount.fen, meal.spend_fen), None
    if isinstance(amount, ByTier):
        return next((row.fen for row in amount.tiers if row.tier == case.tier), 0), None
    if isinstance(amount, ByGrade):
        rows = (row.fen for row in amount.grades if row.grade == case.grade)
        return next(rows, amount.ungraded_fen), None
    if isinstance(amount, Rest):
        price = _at_most(meal.spend_fen, amount.up_to_price_fen)
        rest = max(0, price - before_fen - amount.diner_pays_fen)
        return _at_most(rest, amount.ceiling_fen), None
    return _by_band(amount, meal)


def _by_band(amount: ByBand, meal: Meal) -> tuple[int, Step | None]:
    for band in amount.bands:
        if band.groups and meal.group.code not in band.groups:
            continue
        if meal.age < band.min_age or (band.max_age is not None and meal.age > band.max_age):
            continue
        if meal.spend_fen < band.min_spend_fen:
            missed = {"fen": meal.spend_fen, "least_fen": band.min_spend_fen}
            return 0, step("spend_below_threshold", missed)
        return band.fen, None
    return 0, None


def _at_most(fen: int, ceiling_fen: int | None) -> int:
    return fen if ceiling_fen is None else min(fen, ceiling_fen)
