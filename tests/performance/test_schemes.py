"""The evaluation scheme and the judging rules are data; a malformed file names its key."""

from __future__ import annotations

from datetime import date

import pytest

from canteen.canteens.rulebook import FOLDER, BadRules
from canteen.performance.schemes import (
    NoScheme,
    judging_rules,
    read_rules,
    read_scheme,
    scheme_named,
    scheme_on,
    schemes,
)

SCHEME = (FOLDER / "scheme-starter.toml").read_text("utf-8")
RULES = (FOLDER / "rules.toml").read_text("utf-8")


def test_the_starter_scheme_is_the_published_shape() -> None:
    scheme = scheme_on(date(2026, 1, 1))
    assert {row.code: row.weight for row in scheme.dimensions} == {
        "setup": 10, "environment": 15, "dishes": 15, "service": 20, "food_safety": 20,
        "conduct": 10, "satisfaction": 10,
    }
    assert [(row.grade, row.from_bp) for row in scheme.bands] == [
        ("excellent", 9000), ("good", 8000), ("pass", 6000), ("fail", 0),
    ]
    assert [scheme.visits_a_year(tier) for tier in (1, 2, 3)] == [2, 1, 1]
    assert "satisfaction" not in {row.code for row in scheme.entered}
    assert scheme_named(scheme.name) is scheme


def test_before_the_first_scheme_there_is_none() -> None:
    with pytest.raises(NoScheme):
        scheme_on(min(row.in_force_from for row in schemes()).replace(year=2010))
    with pytest.raises(NoScheme):
        scheme_named("nobody")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("weight = 10", "weight = 11", "dimensions.weight"),
        ("weight = 10", "weight = 0", "dimensions[0].weight"),
        ("weight = 10", 'weight = "ten"', "dimensions[0].weight"),
        ('measured = "ratings"', 'measured = "mood"', "dimensions[6].measured"),
        ("from_bp = 8000", "from_bp = 9500", "bands.from_bp"),
        ("from_bp = 8000", "from_bp = 10001", "bands[1].from_bp"),
        ('code = "dishes"', 'code = "setup"', "dimensions"),
        ("min_ratings = 5", "", "min_ratings"),
        ("min_ratings = 5", "min_ratings = 5\ncolour = 1", "colour"),
        ("a_year = 2", "a_year = 2\nhow = 1", "visits[0].how"),
        ("tier = 3", "tier = 2", "visits"),
        ("in_force_from = 2019-09-01", 'in_force_from = "soon"', "in_force_from"),
        ("[[dimensions]]", "[[dimensions", "TOML"),
    ],
)
def test_a_malformed_scheme_names_its_key(old: str, new: str, key: str) -> None:
    assert old in SCHEME
    with pytest.raises(BadRules) as refused:
        read_scheme(SCHEME.replace(old, new, 1), "scheme-x.toml")
    assert f"“{key}”" in refused.value.text.zh and "scheme-x.toml" in refused.value.text.en


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("open_days = 7\n", "", "rules[0].open_days"),
        ("open_days = 7\n", "open_days = 0\n", "rules[0].open_days"),
        ('kind = "idle"', 'kind = "bored"', "rules[0].kind"),
        ('to = "warned"', 'to = "applied"', "rules[0].to"),
        ('reason = "idle"', 'reason = "rectified"', "rules[0].to"),
        ('code = "idle_suspension"', 'code = "idle_warning"', "rules"),
        ("times = 1", "times = 1\nautomatic = 1", "rules[7].automatic"),
    ],
)
def test_malformed_rules_name_their_key(old: str, new: str, key: str) -> None:
    assert old in RULES
    with pytest.raises(BadRules) as refused:
        read_rules(RULES.replace(old, new, 1), "rules.toml")
    assert f"“{key}”" in refused.value.text.zh


def test_the_rules_warn_at_7_suspend_at_15_and_delist_at_30_open_days() -> None:
    idle = {rule.open_days: rule.to for rule in judging_rules() if hasattr(rule, "open_days")}
    assert idle == {7: "warned", 15: "suspended", 30: "delisted"}
