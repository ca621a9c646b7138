"""What a meal's subsidy should be by the register as it stands today: pure rules, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from canteen.adjustments.gathering import Meal, Row
from canteen.elders.facts import Standing
from canteen.subsidies.cases import Case, ElderFacts, Quote
from canteen.subsidies.eligibility import excluded, match
from canteen.subsidies.pricing import quote
from canteen.subsidies.shapes import Policy

UNUSED = {"used_today": 0, "used_this_week": 0, "used_this_meal": 0, "used_this_month": 0}
# What a person decided about a meal holds until the register changes once more.
DECIDED = ("upheld", "released", "claim")
RETURNABLE = ("late_fact", "spread")


@dataclass(frozen=True)
class Change:
    """A fact recorded, altered, ended or withdrawn, and when. `gone`: it was withdrawn."""

    fact_id: int
    elder_id: int
    kind: str
    value: str
    valid_from: date
    valid_to: date | None
    at: datetime
    gone: bool = False

    def concerns(self, on: date) -> bool:
        """Whether a meal on a day may be another one by it: it holds then, or no longer does."""
        return self.valid_from < on if self.kind == "status" else self.valid_from <= on

    def holds_on(self, on: date) -> bool:
        """Whether it counts for a meal on a day."""
        until = self.valid_to is None or self.valid_to >= on
        return self.concerns(on) and until and not self.gone

    @property
    def forbids(self) -> bool:
        """Whether nobody is subsidised while it holds."""
        return self.kind in ("status", "long_term_care")


def gets_nothing(policy: Policy, meal: Meal, standing: Standing) -> bool:
    """Whether a subsidised meal would get nothing, had the register then said what it says now.

    Its own policy and case count; only the dated facts are those of today. Birth date and
    household have no dates on the register, so the meal keeps those it was sold with.
    """
    if meal.inputs is None:  # sold to nobody known: whoever claimed it must be entitled
        elder = ElderFacts(**asdict(standing))
        out = excluded(policy, elder, meal.on)
        return bool(out) or match(policy, elder, meal.on).group is None
    return not _gives(quote(policy, case_of(meal, standing)))


def missed(policy: Policy, meal: Meal, standing: Standing, used: Mapping[str, int]) -> Quote | None:
    """What a meal paid in full gets on the elder's account today; None when it gets nothing.

    Only where what the register said of the person was in the way: a meal beyond the caps, or
    below the price gate, was rightly paid in full.
    """
    if meal.inputs is None or not meal.paid_in_full:
        return None
    then = Case.from_dict(meal.inputs).but(**UNUSED)
    if _gives(quote(policy, then)):
        return None
    case = case_of(meal, standing).but(**(UNUSED | dict(used)))
    found = quote(policy, case.but(to_account=True, beyond_caps=False))
    return found if _gives(found) else None


def case_of(meal: Meal, standing: Standing) -> Case:
    """The case of a meal with the elder as the register has them today."""
    case = Case.from_dict(meal.inputs)
    known = asdict(standing)
    if case.elder is not None:
        known |= {"birth_date": case.elder.birth_date, "household": case.elder.household}
    return case.but(elder=ElderFacts(**known), list_fen=meal.list_fen)


def cause_of(changes: Sequence[Change], on: date, *, taking: bool) -> Change | None:
    """The change that explains a meal of a day: what forbids before what ended, or the reverse."""
    concerned = [change for change in changes if change.concerns(on)]

    def rank(change: Change) -> tuple[bool, bool]:
        holds = change.holds_on(on)
        return (holds != (change.forbids == taking), not holds)

    return min(concerned, key=lambda each: (*rank(each), -each.fact_id), default=None)


def decided_since(row: Row, changes: Sequence[Change], on: date) -> bool:
    """Whether a person decided about the meal after the register said what it says today."""
    known = [change.at for change in changes if change.concerns(on)]
    return row["cause"] in DECIDED and bool(known) and row["made_at"] >= max(known)


def was_late_fact(meal: Meal) -> bool:
    """Whether the meal's subsidy was taken back because of a fact, perhaps in instalments."""
    last = meal.last
    if last is None or last["sign"] > 0 or last["cause"] not in RETURNABLE:
        return False
    taken: list[Any] = [
        row["cause"] for row in meal.rows if row["sign"] < 0 and row["cause"] != "spread"
    ]
    return bool(taken) and taken[-1] == "late_fact"


def _gives(found: Quote) -> bool:
    return any((found.subsidy_fen, found.account_fen, found.enterprise_fen, found.delivery_fen))
