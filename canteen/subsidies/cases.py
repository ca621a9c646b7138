"""One meal to be priced and the quote it gets: the inputs an order keeps, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from canteen.errors import Refused
from canteen.subsidies.parts import (
    CareLevel,
    CategoryCode,
    DisabilityGrade,
    District,
    Grade,
    Meal,
    Service,
    Shape,
    Tier,
)
from canteen.subsidies.reading import shape_defect
from canteen.words import Text

Side = Literal["elder", "enterprise", "delivery"]
PriceFen = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Used = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Place = Annotated[str, msgspec.Meta(pattern=r"^\d{6,12}$")]


class BadCase(Refused):
    """A case that is not well formed; `field` names the key."""

    code = "bad_case"


class ElderFacts(Shape, frozen=True, kw_only=True):
    """What is known of the elder on the day of the meal.

    `household` is the 户籍 code, as long as it is known (city, district or street). `status`
    and `status_since` come from the register: a status begins to count on the day after
    `status_since`, because the meal of that very day may have come first; without a date it
    counts at once. `in_institution` and `long_term_care` count as they are.
    """

    birth_date: date
    household: Annotated[str, msgspec.Meta(pattern=r"^\d{2,12}$")] | None = None
    categories: frozenset[CategoryCode] = frozenset()
    care_level: CareLevel | None = None
    disability_grade: DisabilityGrade | None = None
    in_institution: bool = False
    long_term_care: bool = False
    status: Literal["alive", "moved", "in_institution", "deceased"] = "alive"
    status_since: date | None = None


class Case(Shape, frozen=True, kw_only=True):
    """A meal about to be sold: everything its price depends on, and nothing else.

    `used_…` count the granted meals the elder already has in the day, the Monday–Sunday week,
    this meal of this day, and the calendar month. `to_account` sends the subsidy to the elder's
    account although the policy delivers it at the till (a card that could not be read).
    `beyond_caps`: the meal was given at a till without network after the caps were reached, and
    the programme bears the elder's subsidy; nobody else earns by it and no quota is used. Where
    no cap is reached it changes nothing.
    """

    district: District
    on: date
    meal: Meal
    list_fen: PriceFen
    street: Place | None = None
    tier: Tier | None = None
    grade: Grade | None = None
    standard_set_fen: PriceFen | None = None
    service: Service = "eat_in"
    discount_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    elder: ElderFacts | None = None
    used_today: Used = 0
    used_this_week: Used = 0
    used_this_meal: Used = 0
    used_this_month: Used = 0
    to_account: bool = False
    beyond_caps: bool = False

    @classmethod
    def from_dict(cls, raw: Any) -> Case:
        """The case a plain JSON object describes. Refuses with BadCase naming the key."""
        try:
            case = msgspec.convert(raw, cls)
        except msgspec.ValidationError as error:
            defect = shape_defect(error)
            raise BadCase(defect.reason, field=defect.path or None) from error
        if case.elder and case.elder.birth_date > case.on:
            raise BadCase(
                Text("出生日期晚于用餐日期", "The birth date is after the day of the meal"),
                field="elder.birth_date",
            )
        return case

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, every key written out, from which `from_dict` makes it again."""
        return msgspec.to_builtins(self, order="deterministic")

    def but(self, **changes: Any) -> Case:
        """The same case with some facts changed."""
        return msgspec.structs.replace(self, **changes)


@dataclass(frozen=True)
class Step:
    """One step of a quote or one refusal: a code and values for machines, a sentence for people.

    `kind` is "price" (an amount), "note" (a fact), or "refusal" (why a part is not paid).
    """

    code: str
    params: dict[str, Any]
    text: Text
    kind: str = "note"


@dataclass(frozen=True)
class Share:
    """What one funder pays for one side of a meal, in fen."""

    side: Side
    funder: str
    amount_fen: int


@dataclass(frozen=True)
class Quote:
    """What everyone pays for a meal, in fen, and why.

    list_fen = discount_fen + subsidy_fen + payable_fen. `account_fen` is paid to the elder's
    account afterwards instead of `subsidy_fen` at the till; one of the two is nought. `shares`
    of the side "elder" sum to subsidy_fen + account_fen, the others to their own amounts.
    `uses_quota` says whether the meal counts against the caps; one given beyond them does not.
    """

    list_fen: int
    discount_fen: int
    subsidy_fen: int
    account_fen: int
    payable_fen: int
    enterprise_fen: int
    delivery_fen: int
    shares: tuple[Share, ...]
    group: str | None
    uses_quota: bool
    steps: tuple[Step, ...]

    def funders(self) -> dict[str, dict[str, int]]:
        """Who pays what, by side: {"elder": {"city": 150, …}, "enterprise": …, "delivery": …}."""
        sides: dict[str, dict[str, int]] = {"elder": {}, "enterprise": {}, "delivery": {}}
        for share in self.shares:
            of_side = sides[share.side]
            of_side[share.funder] = of_side.get(share.funder, 0) + share.amount_fen
        return sides

    def refusals(self) -> tuple[Step, ...]:
        """The steps that say why something is not paid."""
        return tuple(step for step in self.steps if step.kind == "refusal")

    def why(self) -> list[dict[str, Any]]:
        """Every step as plain JSON: code, params, zh, en."""
        return [
            {"code": s.code, "params": s.params, "zh": s.text.zh, "en": s.text.en}
            for s in self.steps
        ]
