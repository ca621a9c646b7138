"""What a policy file may say: whole policies and district overlays, as frozen structs."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from canteen.subsidies.parts import (
    Bilingual,
    Category,
    Count,
    Delivery,
    District,
    Enterprise,
    Gate,
    Group,
    Layer,
    Meal,
    Name,
    PaidFen,
    Shape,
    Version,
    Words,
)
from canteen.words import Text

# The categories every city has; a policy file names any further ones under [[categories]].
CATEGORIES: dict[str, Text] = {
    "visiting_care": Text("探访关爱", "the visiting-care list"),
    "home_care_subsidy": Text("居家养老服务补贴", "the home-care subsidy"),
    "minimum_living": Text("低保", "the minimum living allowance"),
    "minimum_living_margin": Text("低保边缘", "the margin of the minimum living allowance"),
    "low_income": Text("低收入", "low income"),
    "disability_allowance": Text("困难残疾人生活补贴", "the hardship disability allowance"),
}


class Caps(Shape, frozen=True, kw_only=True):
    """How many granted meals a person has; a week is Monday to Sunday, a month by the calendar."""

    per_meal: Count | None = None
    per_day: Count | None = None
    per_week: Count | None = None
    per_month: Count | None = None


class StandardSet(Shape, frozen=True, kw_only=True):
    """The standard set (标准套餐): its price, and how far a district may move it."""

    default_fen: PaidFen
    vary_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    least_kinds: Count = 1

    def bounds_fen(self) -> tuple[int, int]:
        """The lowest and highest price a district may set, in fen, rounded inwards."""
        low = -(-self.default_fen * (10_000 - self.vary_bp) // 10_000)
        return low, self.default_fen * (10_000 + self.vary_bp) // 10_000


class Document(Shape, frozen=True, kw_only=True):
    """What every file says of itself: its name, its text, where and when it holds."""

    name: Name
    version: Version
    title: Bilingual
    document: Words
    source_mark: Literal["V", "M", "D"]
    territory: District
    effective_from: date
    effective_to: date | None = None
    notes: tuple[Words, ...] = ()

    @property
    def code(self) -> str:
        """The one name of this version: "tianjin-V2024"."""
        return f"{self.name}-{self.version}"

    def to_json(self) -> str:
        """The canonical text: sorted keys, defaults left out, so that it never drifts.

        A new key must default to what older texts meant; then their digests stay.
        """
        return json.dumps(_body(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


class Policy(Document, frozen=True, kw_only=True):
    """A whole policy: enough to price any meal on any of its days."""

    meals: tuple[Meal, ...]
    eligibility: tuple[Group, ...]
    days: Literal["every_day", "weekdays", "working_days"] = "every_day"
    delivered: Literal["till", "account"] = "till"
    categories: tuple[Category, ...] = ()
    exclude: tuple[Literal["in_institution", "long_term_care"], ...] = ()
    caps: Caps = Caps()
    gates: tuple[Gate, ...] = ()
    standard_set: StandardSet | None = None
    layers: tuple[Layer, ...] = ()
    enterprise: tuple[Enterprise, ...] = ()
    delivery: tuple[Delivery, ...] = ()

    def category_titles(self) -> dict[str, Text]:
        """Every category this policy knows, with its name for people."""
        return CATEGORIES | {c.code: c.title.text for c in self.categories}

    @classmethod
    def from_json(cls, text: str) -> Policy:
        """The policy a canonical text was made of. Refuses a broken one with PolicyInvalid."""
        from canteen.subsidies.reading import read_json

        return read_json(text, cls)


class Overlay(Document, frozen=True, kw_only=True):
    """What a district adds to the policy family it `extends`; what it leaves out stays."""

    extends: Name
    categories: tuple[Category, ...] = ()
    eligibility: tuple[Group, ...] = ()
    gates: tuple[Gate, ...] = ()
    caps: Caps | None = None
    standard_set: StandardSet | None = None
    layers: tuple[Layer, ...] = ()
    enterprise: tuple[Enterprise, ...] = ()
    delivery: tuple[Delivery, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> Overlay:
        """The overlay a canonical text was made of. Refuses a broken one with PolicyInvalid."""
        from canteen.subsidies.reading import read_json

        return read_json(text, cls)


_fields = cache(msgspec.structs.fields)


def _body(value: Any) -> Any:
    """A struct as plain JSON values without what only repeats a default."""
    if isinstance(value, msgspec.Struct):
        body = {
            field.name: _body(getattr(value, field.name))
            for field in _fields(type(value))
            if getattr(value, field.name) != field.default
        }
        tag = value.__struct_config__.tag
        return {value.__struct_config__.tag_field: tag} | body if tag else body
    if isinstance(value, tuple):
        return [_body(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
