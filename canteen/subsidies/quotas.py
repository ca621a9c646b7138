"""How often and on which days: the counters a granted meal moves, and the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import holidays

from canteen.clock import week_start
from canteen.subsidies.shapes import Policy

__all__ = ["covered_day", "next_covered_day", "quota_keys", "renewed_on", "week_start"]

DAY = timedelta(days=1)


def quota_keys(policy: Policy, on: date, meal: str) -> list[tuple[str, date, int]]:
    """The counters a granted meal moves: (period, first day of the period, cap).

    Periods are "day", "week" (Monday to Sunday), "month", "meal:lunch" and so on; always in one
    order, so that two tills locking them cannot wait for each other.
    """
    caps = policy.caps
    keys = [
        ("month", on.replace(day=1), caps.per_month),
        ("week", week_start(on), caps.per_week),
        ("day", on, caps.per_day),
        (f"meal:{meal}", on, caps.per_meal),
    ]
    return [(period, start, cap) for period, start, cap in keys if cap is not None]


def covered_day(policy: Policy, on: date) -> bool:
    """Whether a policy subsidises on this day of the week or calendar (调休 included)."""
    if policy.days == "weekdays":
        return on.weekday() < 5
    return policy.days == "every_day" or _calendar().is_working_day(on)


def next_covered_day(policy: Policy, on: date) -> date:
    """The first day from `on` that the policy subsidises."""
    while not covered_day(policy, on):
        on += DAY
    return on


def renewed_on(policy: Policy, period: str, start: date) -> date:
    """The first day on which a used-up quota ("day", "week", "month") is there again."""
    after = {
        "day": start + DAY,
        "week": start + 7 * DAY,
        "month": (start + 31 * DAY).replace(day=1),
    }[period]
    return next_covered_day(policy, after)


@cache
def _calendar() -> holidays.HolidayBase:
    """China's public holidays and the weekends worked in exchange (调休)."""
    return holidays.country_holidays("CN")
