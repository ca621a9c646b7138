"""The pieces policies are built of: conditions, groups, amounts, layers, gates, their bounds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from canteen.words import Text

Meal = Literal["breakfast", "lunch", "dinner"]
Service = Literal["eat_in", "pick_up", "delivery"]
CareLevel = Literal["mild", "moderate", "severe"]
Grade = Literal["excellent", "good", "pass", "fail"]
Tier = Annotated[int, msgspec.Meta(ge=1, le=3)]
Fen = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
PaidFen = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
RateBp = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
ScaleBp = Annotated[int, msgspec.Meta(ge=0, le=20_000)]
Age = Annotated[int, msgspec.Meta(ge=0, le=130)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
DisabilityGrade = Annotated[int, msgspec.Meta(ge=1, le=4)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")]
GroupRef = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z][A-Za-z0-9_-]{0,19}|\*)$")]
FunderCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
CategoryCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(\+[a-z0-9-]+)?$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_]{0,39}$")]
District = Annotated[str, msgspec.Meta(pattern=r"^\d{6}$")]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^\d{2,12}$")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]

EVERYONE = "*"


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every table of a policy file: frozen, and closed to keys nobody has explained."""


class Bilingual(Shape, frozen=True, kw_only=True):
    """A name people read, in both languages."""

    zh: Words
    en: Words

    @property
    def text(self) -> Text:
        """The same as a Text."""
        return Text(self.zh, self.en)


class Category(Shape, frozen=True, kw_only=True):
    """A category of elders this policy knows besides the common ones."""

    code: CategoryCode
    title: Bilingual


class Conditions(Shape, frozen=True, kw_only=True):
    """What must be true of a person; everything written must hold, an empty key asks nothing.

    Ages are full years and both ends belong to the range.
    """

    min_age: Age = 0
    max_age: Age | None = None
    household: tuple[Prefix, ...] = ()
    any_categories: tuple[CategoryCode, ...] = ()
    all_categories: tuple[CategoryCode, ...] = ()
    care_levels: tuple[CareLevel, ...] = ()
    disability_grades: tuple[DisabilityGrade, ...] = ()


class Group(Conditions, frozen=True, kw_only=True):
    """One way of being eligible; the first group of the file whose conditions hold counts."""

    code: Code
    title: Bilingual


class Flat(Shape, frozen=True, kw_only=True, tag="flat", tag_field="kind"):
    """The same amount for each meal."""

    fen: PaidFen


class Percent(Shape, frozen=True, kw_only=True, tag="percent", tag_field="kind"):
    """A rate of the price, at most `ceiling_fen`."""

    rate_bp: RateBp
    ceiling_fen: PaidFen | None = None
    of: Literal["spend", "list"] = "spend"


class UpTo(Shape, frozen=True, kw_only=True, tag="up_to", tag_field="kind"):
    """What the diner spends, at most `fen`."""

    fen: PaidFen


class Band(Shape, frozen=True, kw_only=True):
    """One row of `by_band`: for whom, how much, and from what spend on."""

    fen: PaidFen
    groups: tuple[Code, ...] = ()
    min_age: Age = 0
    max_age: Age | None = None
    min_spend_fen: Fen = 0


class ByBand(Shape, frozen=True, kw_only=True, tag="by_band", tag_field="kind"):
    """An amount by class or age; the first band that fits the person counts."""

    bands: tuple[Band, ...]


class TierRow(Shape, frozen=True, kw_only=True):
    """One row of `by_tier`."""

    tier: Tier
    fen: Fen


class ByTier(Shape, frozen=True, kw_only=True, tag="by_tier", tag_field="kind"):
    """An amount by the canteen's tier; a tier not named gets nothing."""

    tiers: tuple[TierRow, ...]


class GradeRow(Shape, frozen=True, kw_only=True):
    """One row of `by_grade`."""

    grade: Grade
    fen: Fen


class ByGrade(Shape, frozen=True, kw_only=True, tag="by_grade", tag_field="kind"):
    """An amount by the canteen's evaluation; `ungraded_fen` before the first one."""

    grades: tuple[GradeRow, ...]
    ungraded_fen: Fen = 0


class Rest(Shape, frozen=True, kw_only=True, tag="rest", tag_field="kind"):
    """What earlier layers leave, down to what the diner pays, of at most `up_to_price_fen`."""

    diner_pays_fen: Fen = 0
    up_to_price_fen: PaidFen | None = None
    ceiling_fen: PaidFen | None = None


Amount = Flat | Percent | UpTo | ByBand | ByTier | ByGrade | Rest
EarnedAmount = Flat | Percent | ByBand | ByTier | ByGrade


class Funder(Shape, frozen=True, kw_only=True):
    """Who pays a part, and which share of it."""

    code: FunderCode
    share_bp: RateBp = 10_000


class Part(Shape, frozen=True, kw_only=True):
    """What layers, enterprise and delivery subsidies share: when they count and who pays."""

    code: Code
    title: Bilingual
    funders: tuple[Funder, ...]
    groups: tuple[GroupRef, ...] = ()
    meals: tuple[Meal, ...] = ()
    services: tuple[Service, ...] = ()
    tiers: tuple[Tier, ...] = ()
    place: Literal["anywhere", "home_district", "home_street"] = "anywhere"


class Layer(Part, frozen=True, kw_only=True):
    """One part of the elder's subsidy; layers add up in the order they are written."""

    amount: Amount


class Enterprise(Part, frozen=True, kw_only=True):
    """What the canteen's enterprise earns for a granted meal, scaled by its evaluation."""

    amount: EarnedAmount
    grade_scale: tuple[GradeScale, ...] = ()
    ungraded_bp: ScaleBp = 10_000


class GradeScale(Shape, frozen=True, kw_only=True):
    """Which share of the enterprise subsidy a grade keeps."""

    grade: Grade
    bp: ScaleBp


class Delivery(Part, frozen=True, kw_only=True):
    """What the deliverer earns for bringing a granted meal to one of `who` (empty: anyone)."""

    amount: EarnedAmount
    who: tuple[Conditions, ...] = ()


class GateAtSetPrice(
    Shape, frozen=True, kw_only=True, tag="price_at_least_standard_set", tag_field="kind"
):
    """The meal costs at least the district's standard set."""

    judged_on: Literal["list", "spend"] = "list"
    groups: tuple[GroupRef, ...] = ()


class GateAboveSubsidy(
    Shape, frozen=True, kw_only=True, tag="spend_above_subsidy", tag_field="kind"
):
    """The diner spends more than the subsidy, so that something is always paid."""

    groups: tuple[GroupRef, ...] = ()


class GateSpend(Shape, frozen=True, kw_only=True, tag="spend_at_least", tag_field="kind"):
    """The diner spends at least this, after the canteen's own discount."""

    fen: PaidFen
    groups: tuple[GroupRef, ...] = ()


class GateServices(Shape, frozen=True, kw_only=True, tag="services", tag_field="kind"):
    """Only meals taken in one of these ways."""

    services: tuple[Service, ...]
    groups: tuple[GroupRef, ...] = ()


class GateTiers(Shape, frozen=True, kw_only=True, tag="tiers", tag_field="kind"):
    """Only canteens of these tiers."""

    tiers: tuple[Tier, ...]
    groups: tuple[GroupRef, ...] = ()


Gate = GateAtSetPrice | GateAboveSubsidy | GateSpend | GateServices | GateTiers
