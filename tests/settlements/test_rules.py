"""A district's own rule: which offices, until when, and who may set it from when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.settlements import finding, looking, reviewing, rules
from canteen.settlements.rules import Stage
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City
from tests.settlements.factories import AFTER, at_noon, close, little_month, pass_on, statement_of

OCTOBER_10 = date(2026, 10, 10)
SHORT = (Stage("operator", 3, "consent", 1), Stage("district", 8), Stage("city", 9))


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def set_rule(by: Actor, stages: Any = SHORT, **more: Any) -> rules.Rule:
    values: dict[str, Any] = {
        "sample_bp": 1000, "sample_least": 2, "extrapolate": False, "today": OCTOBER_10,
        "at": at_noon(OCTOBER_10),
    }
    district = more.pop("district", "120104")
    from_on = more.pop("from_on", OCTOBER_10)
    with transaction():
        return rules.set_rule(district, stages, from_on, by=by, **(values | more))


def test_without_a_rule_the_defaults_hold(city: City) -> None:
    assert rules.rule_for("120104", AFTER) is rules.DEFAULT
    assert rules.DEFAULT.offices("elder") == ("street", "district", "city")


def test_a_statement_follows_the_rule_it_was_prepared_under(city: City) -> None:
    hands = city.extra["hands"]
    rule = set_rule(hands.district)
    close()
    here, elsewhere = statement_of(city.here), statement_of(city.elsewhere)
    assert (here.rule_id, here.due_on) == (rule.id, date(2026, 11, 5))  # three days are left
    assert (elsewhere.rule_id, elsewhere.due_on) == (None, date(2026, 11, 5))
    set_rule(hands.district, rules.DEFAULT.stages, from_on=AFTER, today=AFTER)
    offices = [step.office for step in finding.chain_of(here)]
    assert offices == ["operator", "district", "city", "paid"]
    with transaction():
        assert reviewing.approve([here.id], hands.operator, at=at_noon(AFTER)).to == {"district": 1}
    own = statement_of(elder_id=city.extra["second"].id)
    assert own.stage == "district"
    with transaction():
        looking.look_rest([here.id], hands.district, at_noon(AFTER))
        reviewing.approve([here.id, own.id], hands.district, at=at_noon(AFTER))
    pass_on([here.id, own.id], hands)
    assert {statement_of(city.here).stage, elsewhere.stage} == {"approved", "operator"}
    assert verify() == []


def test_the_latest_rule_up_to_a_day_holds_and_all_are_kept(city: City) -> None:
    by = city.extra["hands"].district
    set_rule(by)
    set_rule(by, rules.DEFAULT.stages, from_on=date(2026, 12, 1), sample_bp=0, sample_least=0)
    assert rules.rule_for("120104", date(2026, 11, 30)).sample_bp == 1000
    assert rules.rule_for("120104", date(2026, 12, 1)).sample_bp == 0
    assert [rule.from_on for rule in rules.history("120104")] == [date(2026, 12, 1), OCTOBER_10]
    assert rules.rule_for("120103", AFTER) is rules.DEFAULT


def test_a_rule_in_use_is_followed_by_a_later_one_not_rewritten(city: City) -> None:
    by = city.extra["hands"].district
    set_rule(by, from_on=AFTER, today=AFTER)
    close()
    with pytest.raises(rules.BadRule) as refused:
        set_rule(by, from_on=AFTER, today=AFTER, sample_bp=0)
    assert refused.value.field == "from_on"


@pytest.mark.parametrize(
    ("stages", "more", "field"),
    [
        ((Stage("operator", 3), Stage("city", 9)), {}, "stages"),
        ((Stage("district", 3), Stage("street", 9), Stage("city", 10)), {}, "stages"),
        ((Stage("street", 9), Stage("district", 9), Stage("city", 10)), {}, "day_district"),
        ((Stage("district", 9), Stage("city", 25)), {}, "day_city"),
        ((Stage("district", 9, "consent"), Stage("city", 20)), {}, "silent_district"),
        ((Stage("district", 9), Stage("city", 20, "escalate")), {}, "silent_city"),
        ((Stage("operator", 3, "remind", 99), Stage("district", 9), Stage("city", 20)), {},
         "remind_operator"),
        (SHORT, {"from_on": date(2026, 10, 9)}, "from_on"),
        (SHORT, {"sample_bp": 10_001}, "sample_bp"),
        (SHORT, {"sample_least": -1}, "sample_least"),
    ],
)  # fmt: skip
def test_a_rule_out_of_bounds_names_what_is_wrong(
    city: City, stages: Any, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(rules.BadRule) as refused:
        set_rule(city.extra["hands"].district, stages, **more)
    assert refused.value.field == field
    assert rules.history("120104") == []


def test_only_the_districts_and_citys_people_of_the_ground_set_it(city: City) -> None:
    hands = city.extra["hands"]
    for by in (hands.street, hands.operator):
        with pytest.raises(Forbidden):
            set_rule(by)
    for by, district in ((hands.district, "120103"), (hands.city, "120104001")):
        with pytest.raises(NotFound):
            set_rule(by, district=district)
    assert set_rule(hands.city, district="120103").sample_least == 2
    db.session.rollback()
