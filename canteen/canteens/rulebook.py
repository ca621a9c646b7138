"""The rules of the sign, read strictly from their data file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from canteen.errors import Refused
from canteen.words import Text

FOLDER = Path(__file__).resolve().parent.parent / "policies" / "evaluation"

Status = Literal[
    "applied", "under_review", "public_notice", "listed", "warned", "suspended", "delisted"
]
Reason = Literal[
    "application", "voluntary_exit", "idle", "food_safety", "failed_evaluation", "subsidy_fraud",
    "licence_invalid", "complaints", "agreement_ended", "rectified",
]
Paper = Literal["business", "food", "agreement"]
Capability = Literal[
    "open_fire", "reheats", "dine_in", "pick_up", "delivery", "supplies_others", "open_kitchen",
    "group_dining", "online",
]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Tier = Annotated[int, msgspec.Meta(ge=1, le=3)]
Shaped = TypeVar("Shaped")


class BadRules(Refused):
    """A rules file is malformed; the message names the file, the key and the reason."""

    code = "bad_rules"
    text = Text("规则文件 {file} 的“{key}”有误：{reason}",
                "Rules file {file}, key “{key}”: {reason}")


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every table of a rules file: frozen, and closed to keys nobody has explained."""


class CoolingOff(Shape, kw_only=True):
    """Months from a delisting until the canteen may apply again."""

    months: Count
    by_reason: dict[Reason, Count] = {}


class TierNeeds(Shape, kw_only=True):
    """What a canteen of one tier must have."""

    tier: Tier
    needs: tuple[Capability, ...]
    supplier: bool
    min_seats: Count = 0
    min_area_m2: Count = 0


class Demonstration(Shape, kw_only=True):
    """What a demonstration canteen (示范型) must have."""

    needs: tuple[Capability, ...]


class Transition(Shape, kw_only=True, rename={"from_": "from"}):
    """A change of the sign that may be made, and for which reasons."""

    from_: tuple[Status, ...]
    to: Status
    reasons: tuple[Reason, ...]


class SignRules(Shape, kw_only=True):
    """The whole of `sign.toml`."""

    notice_working_days: Count
    required_papers: tuple[Paper, ...]
    papers_expiring_days: Count
    cooling_off: CoolingOff
    tiers: tuple[TierNeeds, ...]
    demonstration: Demonstration
    transitions: tuple[Transition, ...]


def decode(text: str, shape: type[Shaped], file: str) -> Shaped:
    """TOML as `shape`. Refuses with BadRules naming the file, the key and what is wrong there."""
    try:
        return msgspec.toml.decode(text.encode(), type=shape)
    except msgspec.ValidationError as wrong:
        reason, _, path = str(wrong).partition(" - at `")
        key = path.rstrip("`").removeprefix("$").lstrip(".")
        # An unknown or missing key is named in the sentence, its table in the path.
        named = re.search(r"field `([^`]+)`", reason)
        if named:
            key = f"{key}.{named[1]}" if key else named[1]
        raise BadRules(file=file, key=key or "?", reason=reason, field=key or None) from None
    except msgspec.DecodeError as wrong:
        raise BadRules(file=file, key="TOML", reason=str(wrong)) from None


@cache
def sign_rules() -> SignRules:
    """The rules of the sign in use, read once a process."""
    path = FOLDER / "sign.toml"
    rules = decode(path.read_text("utf-8"), SignRules, path.name)
    tiers = [row.tier for row in rules.tiers]
    if sorted(set(tiers)) != tiers:
        raise BadRules(file=path.name, key="tiers", reason="tiers must be given once, in order")
    return rules
