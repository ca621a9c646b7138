"""When a canteen opens, what it serves now, and until when one can order ahead."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from canteen.canteens.finding import Hours
from canteen.canteens.hours import (
    ClosedDay,
    MealNotServed,
    TooLateToOrder,
    check_open,
    check_order_ahead,
    is_open_day,
    may_order_ahead,
    next_meal,
    open_days,
    period_of_meal,
    serving_now,
)
from canteen.clock import SHANGHAI

LUNCH = Hours("lunch", time(10, 30), time(13), time(10))
DINNER = Hours("dinner", time(16, 30), time(18, 30), time(15))
SUNDAY, MONDAY = date(2026, 11, 22), date(2026, 11, 23)


@pytest.mark.parametrize(
    ("weekdays", "closed", "on", "opens"),
    [
        ("1234567", [], SUNDAY, True),
        ("12345", [], SUNDAY, False),
        ("12345", [], MONDAY, True),
        ("12345", [MONDAY], MONDAY, False),
        ("7", [MONDAY], SUNDAY, True),
    ],
)
def test_a_canteen_opens_on_its_weekdays_unless_closed(
    weekdays: str, closed: list[date], on: date, opens: bool
) -> None:
    assert is_open_day(weekdays, closed, on) is opens


def test_a_closed_day_is_refused_by_its_name() -> None:
    with pytest.raises(ClosedDay) as refused:
        check_open("12345", [], SUNDAY)
    assert "11月22日(周日)" in refused.value.text.zh and "Sun 22 Nov" in refused.value.text.en


@pytest.mark.parametrize(
    ("at", "now", "coming"),
    [
        (time(9), None, "lunch"),
        (time(10, 30), "lunch", "lunch"),
        (time(13), "lunch", "lunch"),
        (time(13, 1), None, "dinner"),
        (time(18, 30), "dinner", "dinner"),
        (time(19), None, None),
    ],
)
def test_what_is_served_now_and_next(at: time, now: str | None, coming: str | None) -> None:
    assert serving_now([DINNER, LUNCH], at) == now
    assert next_meal([DINNER, LUNCH], at) == coming


@pytest.mark.parametrize(
    ("now", "may"),
    [
        (datetime(2026, 11, 22, 23, 0, tzinfo=SHANGHAI), True),
        (datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI), True),
        (datetime(2026, 11, 23, 10, 1, tzinfo=SHANGHAI), False),
        (datetime(2026, 11, 24, 8, 0, tzinfo=SHANGHAI), False),
    ],
)
def test_ordering_ahead_ends_at_its_time(now: datetime, may: bool) -> None:
    assert may_order_ahead(LUNCH, MONDAY, now) is may
    if not may:
        with pytest.raises(TooLateToOrder):
            check_order_ahead(LUNCH, MONDAY, now)


def test_a_meal_without_a_period_is_not_served() -> None:
    assert period_of_meal([LUNCH, DINNER], "dinner") is DINNER
    with pytest.raises(MealNotServed):
        period_of_meal([LUNCH, DINNER], "breakfast")


def test_open_days_leave_out_closures_and_other_weekdays() -> None:
    assert open_days("12345", [MONDAY], date(2026, 11, 16), SUNDAY) == 5
    assert open_days("12345", [MONDAY], SUNDAY, date(2026, 11, 29)) == 4
    assert open_days("1234567", [], MONDAY, SUNDAY) == 0
