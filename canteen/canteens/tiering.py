"""The tier a canteen's capabilities speak for, and the one its district confirms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import CAPABILITIES, TIERS, Canteen
from canteen.canteens.rulebook import SignRules, TierNeeds, sign_rules
from canteen.db import db
from canteen.errors import Refused
from canteen.reasons import reason_of
from canteen.territory.actors import Actor
from canteen.words import Text


class TierNotMet(Refused):
    """The canteen lacks what the tier asks for."""

    code = "tier_not_met"
    text = Text("达不到{tier}要求，还缺：{missing}", "{tier} is not met; missing: {missing}")


class SupplierMissing(Refused):
    """A canteen of this tier is supplied by another and must name it."""

    code = "supplier_missing"
    text = Text("{tier}食堂必须填写供餐单位", "A canteen of {tier} must name its supplier")


@dataclass(frozen=True)
class Proposal:
    """A proposed tier; `missing` is what the next better tier would still need."""

    tier: int
    demonstration: bool
    missing: tuple[str, ...]


def proposed_tier(
    rules: SignRules, capabilities: Collection[str], *, seats: int = 0, area_m2: int = 0
) -> Proposal:
    """The best tier whose needs are all met, and whether the demonstration mark is earned.

    Tier 1 cooks over an open fire, tier 2 reheats what it is supplied with, tier 3 is a meal point
    (津民发〔2024〕7号); the needs, seats and area stand in `sign.toml`.
    """
    demonstration = set(rules.demonstration.needs) <= set(capabilities)
    missing: tuple[str, ...] = ()
    for row in rules.tiers:
        lacking = _lacking(row, capabilities, seats, area_m2)
        if not lacking or row is rules.tiers[-1]:
            return Proposal(row.tier, demonstration, missing)
        missing = lacking
    raise AssertionError("the rules name no tier")


def check_tier(rules: SignRules, canteen: Canteen, tier: int) -> None:
    """Refuse a tier better than the canteen's capabilities, or one that lacks its supplier.

    A lower tier than the proposed one may be confirmed: the district has seen the place.
    """
    row = next((row for row in rules.tiers if row.tier == tier), None)
    if row is None:
        raise TierNotMet(field="tier", tier=TIERS.get(tier, tier), missing="—")
    lacking = _lacking(row, canteen.capabilities, canteen.seats, canteen.area_m2)
    if lacking:
        raise TierNotMet(field="tier", tier=TIERS[tier], missing=_named(lacking))
    if row.supplier and canteen.supplier_id is None:
        raise SupplierMissing(field="supplier_id", tier=TIERS[tier])


def confirm_tier(
    canteen_id: int, tier: int, demonstration: bool, reason: str, *, by: Actor, at: datetime
) -> Canteen:
    """The district confirms a tier and the demonstration mark, with a reason.

    Refuses TierNotMet, SupplierMissing and ReasonMissing; a stranger gets NotFound.
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be("district", "city")
    rules = sign_rules()
    check_tier(rules, canteen, tier)
    lacking = tuple(c for c in rules.demonstration.needs if c not in canteen.capabilities)
    if demonstration and lacking:
        raise TierNotMet(field="demonstration", tier=tier, missing=_named(lacking))
    reason = reason_of(reason)
    before = {"tier": canteen.tier, "demonstration": canteen.demonstration}
    canteen.tier, canteen.demonstration = tier, demonstration
    db.session.flush()
    after = {"tier": tier, "demonstration": demonstration}
    detail = {"before": before, "after": after, "reason": reason, "at": at.isoformat()}
    record(by.label, "confirm_tier", "canteen", canteen_id, detail)
    return canteen


def _lacking(
    row: TierNeeds, capabilities: Collection[str], seats: int, area_m2: int
) -> tuple[str, ...]:
    lacking = [need for need in row.needs if need not in capabilities]
    lacking += ["seats"] if seats < row.min_seats else []
    lacking += ["area_m2"] if area_m2 < row.min_area_m2 else []
    return tuple(lacking)


def _named(lacking: Collection[str]) -> Text:
    words = CAPABILITIES | {"seats": Text("座位数", "seats"), "area_m2": Text("面积", "floor area")}
    named = [words[code] for code in lacking]
    return Text("、".join(t.zh for t in named), ", ".join(t.en for t in named))
