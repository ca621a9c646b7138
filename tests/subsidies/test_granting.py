"""Quotas are taken once and given back exactly; a grant falls into the first open month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.orders.quoting import compact
from canteen.subsidies.cases import Case, ElderFacts
from canteen.subsidies.granting import Meal, grant, open_period, take_quota, used
from canteen.subsidies.models import Grant, Period, QuotaUse
from canteen.subsidies.policies import NoPolicyInForce, load_folder
from canteen.subsidies.pricing import quote
from canteen.subsidies.publishing import in_force, publish
from canteen.territory.actors import job
from tests.factories import City, make_city


@pytest.mark.parametrize(
    ("closed", "others", "falls_into"),
    [
        ([], [], "2026-10"),
        ([], ["2026-11"], "2026-10"),
        (["2026-09"], [], "2026-10"),
        (["2026-10"], [], "2026-11"),
        (["2026-10"], ["2026-11"], "2026-11"),
        (["2026-10", "2026-11"], [], "2026-12"),
        (["2026-12"], [], "2027-01"),
    ],
)
def test_the_month_a_meal_of_october_falls_into(
    app: Flask, closed: list[str], others: list[str], falls_into: str
) -> None:
    with transaction():
        for period in closed:
            db.session.add(Period(period=period, closed_at=clock.now(), closed_by="job:test"))
        for period in others:
            db.session.add(Period(period=period))
    with transaction():
        assert open_period(date(2026, 10, 31)) == falls_into
    assert db.session.get(Period, falls_into).closed_at is None


def take(city: City, on: date, meal: str = "lunch") -> bool:
    with transaction():
        return take_quota(in_force("120104", on).policy, city.elder.id, on, meal)


def counters() -> set[tuple[str, date, int]]:
    rows = db.session.execute(
        sa.select(QuotaUse.period_code, QuotaUse.starts_on, QuotaUse.used)
    )
    return {tuple(row) for row in rows}


def test_the_sixth_meal_of_a_week_takes_nothing_and_the_next_week_begins_anew(app: Flask) -> None:
    city = make_city()
    monday = date(2026, 12, 28)  # a week that crosses New Year
    assert [take(city, monday + timedelta(days=n)) for n in range(7)] == [True] * 5 + [False] * 2
    assert ("week", monday, 5) in counters()
    assert sum(uses for code, _, uses in counters() if code == "day") == 5
    assert take(city, monday + timedelta(days=7))


def test_sunday_dinner_and_monday_breakfast_are_two_days_of_two_weeks(app: Flask) -> None:
    city = make_city()
    assert take(city, date(2026, 11, 15), "dinner") and take(city, date(2026, 11, 16), "breakfast")
    policy = in_force("120104", date(2026, 11, 16)).policy
    assert used(policy, city.elder.id, date(2026, 11, 16), "lunch") == {
        "used_today": 1, "used_this_week": 1,
    }


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(days=st.lists(st.integers(0, 13), min_size=1, max_size=25))
def test_caps_hold_in_any_order_of_events(app: Flask, days: list[int]) -> None:
    with transaction():
        db.session.execute(sa.delete(QuotaUse))
    if db.session.scalar(sa.text("SELECT count(*) FROM territories")) == 0:
        make_city()
    db.session.rollback()
    elder_id = db.session.scalar(sa.text("SELECT min(id) FROM elders"))
    first = date(2026, 11, 2)
    policy = in_force("120104", first).policy
    for day in days:
        with transaction():
            take_quota(policy, elder_id, first + timedelta(days=day), "lunch")
    for week in (0, 1):
        asked = len({day for day in days if day // 7 == week})
        held = {code: n for code, starts, n in counters()
                if code == "week" and starts == first + timedelta(days=7 * week)}  # fmt: skip
        assert held.get("week", 0) == min(asked, 5)
    assert all(n <= 1 for code, _, n in counters() if code == "day")


def test_a_meal_given_beyond_the_caps_has_its_grant_but_neither_takes_nor_returns_quota(
    app: Flask,
) -> None:
    city = make_city()
    with transaction():
        assert take_quota(
            in_force("120104", city.today).policy, city.elder.id, city.today, "lunch"
        )
    before = counters()
    rules = in_force("120104", city.today)
    case = Case(
        district="120104", on=city.today, meal="dinner", list_fen=1500, standard_set_fen=1300,
        elder=ElderFacts(birth_date=date(1940, 5, 1), household="120104"),
        used_today=1, used_this_week=1, beyond_caps=True,
    )  # fmt: skip
    quoted = quote(rules.policy, case)
    with transaction():
        order = Order(
            canteen_id=city.here.id, elder_id=city.elder.id, menu_id=city.items[0].menu_id,
            on=city.today, meal="dinner", service="eat_in", channel="till", state="served",
            payment="cash", list_fen=1500, discount_fen=0, subsidy_fen=quoted.subsidy_fen,
            payable_fen=quoted.payable_fen, cash_fen=quoted.payable_fen,
            policy_id=rules.id, inputs=compact(case), placed_at=city.now, placed_by="job:test",
        )
        db.session.add(order)
        db.session.flush()
        meal = Meal(order.id, city.elder.id, city.here.id, city.today, "dinner")
        grant(meal, rules, quoted, city.now)
        order_id = order.id
    row = db.session.scalars(sa.select(Grant)).one()
    assert (row.till_fen, row.account_fen, row.enterprise_fen, row.delivery_fen) == (300, 0, 0, 0)
    assert counters() == before
    with transaction():
        cancel(order_id, "mistake", "", city.cashier, city.now)
    assert db.session.scalar(sa.select(sa.func.sum(Grant.till_fen))) == 0
    assert counters() == before


def test_the_policy_of_a_day_is_the_version_then_in_force_with_the_districts_overlay(
    app: Flask,
) -> None:
    make_city()
    assert in_force("120104", date(2024, 5, 16)).policy.version == "V2022"
    assert in_force("120104", date(2024, 5, 17)).policy.version == "V2024"
    assert "hexi" in in_force("120103", date(2026, 11, 1)).policy.code
    with pytest.raises(NoPolicyInForce):
        in_force("120104", date(2019, 8, 31))


def test_publishing_again_changes_nothing(app: Flask) -> None:
    make_city()
    with transaction():
        assert publish(load_folder(), "120000", job("test")) == []


def test_a_city_of_a_province_is_ruled_by_its_own_policy(app: Flask) -> None:
    from canteen.territory.models import Territory

    with transaction():
        for code, level in (("440100", "city"), ("440106", "district")):
            db.session.add(
                Territory(code=code, level=level, parent_code=None, name_zh=code, name_en=code)
            )
        db.session.flush()
        guangzhou = [d for d in load_folder() if d.territory == "440100"]
        assert publish(guangzhou, "440100", job("test"))
    assert in_force("440106", date(2026, 11, 1)).policy.territory == "440100"
