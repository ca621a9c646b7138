"""The tier a canteen's capabilities speak for, and the one its district confirms."""

from __future__ import annotations

import pytest
from flask import Flask

from canteen import clock
from canteen.canteens.rulebook import TierNeeds, sign_rules
from canteen.canteens.tiering import (
    Proposal,
    SupplierMissing,
    TierNotMet,
    confirm_tier,
    proposed_tier,
)
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.reasons import ReasonMissing
from tests.canteens.factories import HEXI, NANKAI, STREET
from tests.factories import make_canteen, make_territories

RULES = sign_rules()
FULL = ["open_fire", "dine_in", "delivery", "open_kitchen"]


@pytest.mark.parametrize(
    ("capabilities", "proposal"),
    [
        (FULL, Proposal(1, False, ())),
        ([*FULL, "group_dining", "online"], Proposal(1, True, ())),
        (["open_fire", "dine_in", "reheats"], Proposal(2, False, ("delivery", "open_kitchen"))),
        (["dine_in"], Proposal(3, False, ("reheats",))),
        ([], Proposal(3, False, ("reheats",))),
        (["open_kitchen", "group_dining", "delivery", "online"], Proposal(3, True, ("reheats",))),
    ],
)
def test_the_tier_follows_from_the_capabilities(
    capabilities: list[str], proposal: Proposal
) -> None:
    assert proposed_tier(RULES, capabilities) == proposal


def test_a_city_may_ask_for_seats_and_floor_area() -> None:
    first = TierNeeds(tier=1, needs=("open_fire",), supplier=False, min_seats=50, min_area_m2=50)
    last = TierNeeds(tier=3, needs=(), supplier=True)
    rules = type(RULES)(**{name: getattr(RULES, name) for name in RULES.__struct_fields__}
                        | {"tiers": (first, last)})  # fmt: skip
    small = proposed_tier(rules, ["open_fire"], seats=50, area_m2=49)
    assert (small.tier, small.missing) == (3, ("area_m2",))
    assert proposed_tier(rules, ["open_fire"], seats=50, area_m2=50).tier == 1


def test_the_district_confirms_a_tier_that_is_met(app: Flask) -> None:
    with transaction():
        make_territories()
        canteen = make_canteen(capabilities=FULL, tier=3)
        other = make_canteen(capabilities=["reheats"], tier=3)
    with transaction():
        confirm_tier(canteen.id, 1, False, "现场核查", by=NANKAI, at=clock.now())
    assert db.session.get_one(type(canteen), canteen.id, populate_existing=True).tier == 1
    for wished, demonstration, reason, refusal in (
        (1, False, "好", TierNotMet), (2, False, "好", SupplierMissing), (1, False, "", TierNotMet),
    ):  # fmt: skip
        with pytest.raises(refusal), transaction():
            confirm_tier(other.id, wished, demonstration, reason, by=NANKAI, at=clock.now())
    with transaction():
        db.session.get_one(type(other), other.id).supplier_id = canteen.id
    with pytest.raises(ReasonMissing), transaction():
        confirm_tier(other.id, 2, False, " ", by=NANKAI, at=clock.now())
    with pytest.raises(TierNotMet) as refused, transaction():
        confirm_tier(other.id, 2, True, "核实", by=NANKAI, at=clock.now())
    assert refused.value.field == "demonstration" and "明厨亮灶" in refused.value.text.zh
    for stranger, refusal in ((HEXI, NotFound), (STREET, Forbidden)):
        with pytest.raises(refusal), transaction():
            confirm_tier(other.id, 2, False, "核实", by=stranger, at=clock.now())
    with transaction():
        confirm_tier(other.id, 2, False, "核实", by=NANKAI, at=clock.now())
