"""The days a district allows after a meal: claims, late facts, objections, each by its rule."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.adjustments import claiming, claims, late_facts
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from canteen.orders.models import Order
from canteen.settlements import appealing, changing, rules, spans
from canteen.settlements.review_models import ReviewRule
from canteen.settlements.spans import Days
from canteen.subsidies.models import Grant
from tests.factories import City, make_menu
from tests.settlements.factories import (
    AFTER,
    at_noon,
    close,
    little_month,
    sell,
)
from tests.settlements.test_rules import OCTOBER_10, set_rule

HERE, ELSEWHERE = "120104", "120103"


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def allow(city: City, from_on: date, **days: int) -> None:
    set_rule(city.extra["hands"].district, rules.DEFAULT.stages, from_on=from_on, days=Days(**days))


def near(name: str, today: date) -> set[tuple[str, date]]:
    """The days of meals still within a district's days."""
    with transaction():
        return {
            (code, on)
            for code, on in db.session.execute(
                sa.select(Canteen.district_code, Order.on)
                .join(Canteen, Canteen.id == Order.canteen_id)
                .where(spans.within(name, Canteen.district_code, Order.on, today))
            )
        }


def test_a_rule_names_its_days_and_keeps_those_before(city: City) -> None:
    allow(city, OCTOBER_10, claim=60, late=365, debt=45, appeal=20)
    allow(city, AFTER, appeal=7)
    assert spans.allowed(HERE, OCTOBER_10 - timedelta(days=1)) == Days(30, 730, 30, 15)
    assert spans.allowed(HERE, OCTOBER_10) == Days(60, 365, 45, 20)
    assert spans.allowed(HERE, AFTER) == Days(30, 730, 30, 7)
    assert spans.allowed(ELSEWHERE, AFTER) == spans.DEFAULT
    assert [rule.days.appeal for rule in rules.history(HERE)] == [7, 20]


@pytest.mark.parametrize(
    ("name", "days"), [("claim", 0), ("claim", 367), ("late", 29), ("late", 3661), ("debt", 0),
                       ("debt", 367), ("appeal", 0), ("appeal", 367)],
)  # fmt: skip
def test_days_out_of_range_are_refused_and_the_table_refuses_them_too(
    city: City, name: str, days: int
) -> None:
    with pytest.raises(rules.BadRule) as refused:
        allow(city, OCTOBER_10, **{name: days})
    assert refused.value.field == f"{name}_days"
    allow(city, OCTOBER_10)
    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(ReviewRule).values({f"{name}_days": days}))


def test_a_meal_is_claimed_within_the_days_ruled_on_its_own_day(city: City) -> None:
    set_rule(
        city.extra["hands"].district, rules.DEFAULT.stages, from_on=date(2026, 10, 4),
        today=date(2026, 10, 4), days=Days(claim=10),
    )  # fmt: skip
    today = date(2026, 10, 15)
    early = {date(2026, 10, day) for day in (1, 2, 3)}
    ours = {on for code, on in near("claim", today) if code == HERE}
    assert ours == early | {date(2026, 10, day) for day in (5, 6, 7)}, "the 4th is eleven days ago"
    assert {on for code, on in near("claim", today) if code == ELSEWHERE} >= {date(2026, 10, 4)}
    assert near("claim", date(2026, 10, 31)) == {
        (code, on) for code, on in near("claim", today) if code == ELSEWHERE or on in early
    } | {(ELSEWHERE, date(2026, 10, 4))}
    on = date(2026, 10, 20)
    with transaction():
        sold = sell(city, make_menu(city.here, on)[:1], on)  # in nobody's name
    with transaction(), pytest.raises(claiming.TooOld) as refused:
        claiming.file(sold.order_id, city.elder.id, "card_unread", "卡读不出来", city.extra[
            "hands"].street, at_noon(on + timedelta(days=11)))  # fmt: skip
    assert refused.value.detail["days"] == 10
    with transaction():
        assert claims.claimable(city.elder.id, at_noon(on)) == []


def test_an_objection_has_the_days_ruled_when_the_meal_was_denied(city: City) -> None:
    allow(city, AFTER, appeal=3)
    close()
    order = db.session.scalar(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id).order_by(Grant.id)
    )
    db.session.rollback()
    with transaction():
        changing.take_back({order: None}, "denied", city.extra["hands"].district, at_noon(AFTER))
    with transaction():
        assert appealing.last_day(appealing.denial_of(order)) == AFTER + timedelta(days=3)
    with pytest.raises(appealing.TooLate), transaction():
        appealing.file(order, "老人当天由女儿代签", city.extra["hands"].operator,
                       at_noon(AFTER + timedelta(days=4)))  # fmt: skip


def test_late_facts_reach_back_as_far_as_the_district_of_each_meal_says(city: City) -> None:
    """The second elder ate in both districts: one looks back thirty days, the other two years."""
    second = city.extra["second"]
    allow(city, OCTOBER_10, late=30)
    close()
    night = at_noon(date(2026, 12, 10))
    with transaction():
        db.session.add(
            ElderFact(elder_id=second.id, kind="status", value="deceased",
                      valid_from=date(2026, 9, 30), recorded_by="user:9", recorded_at=night)
        )  # fmt: skip
    ate = set(db.session.scalars(sa.select(Grant.canteen_id).where(Grant.elder_id == second.id)))
    assert ate == {city.here.id, city.elsewhere.id}
    db.session.rollback()
    with transaction():
        assert late_facts.look(at=night + timedelta(hours=12)).taken_back == 3
    taken = sa.select(Grant.canteen_id).where(Grant.cause == "late_fact").distinct()
    assert db.session.scalars(taken).all() == [city.elsewhere.id]
