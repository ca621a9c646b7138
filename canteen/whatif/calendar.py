"""The days of a replay: the period, the weeks and months it cuts, and the counters of caps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from canteen import clock
from canteen.subsidies.pricing import quota_keys
from canteen.subsidies.shapes import Policy
from canteen.whatif.sights import MEALS

DAY = timedelta(days=1)
Quota = tuple[tuple[int, int], ...]  # (counter, cap) of every capped period of one meal
OUTSIDE = -1


class Day(NamedTuple):
    """A day as the replay needs it, all plain numbers: `month` is OUTSIDE the period −1."""

    number: int
    month: int
    year: int
    birthday: int  # month and day as 1231, to compare with a birth date's
    ordinal: int


class Calendar:
    """Every day from the first of the first month or week to the end of the last.

    A week that the period cuts is replayed whole and only counted inside it, so that what a meal
    costs never depends on where somebody chose to begin.
    """

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.begin = min(clock.week_start(first), first.replace(day=1))
        month_end = clock.period_days(clock.period_of(last))[1]
        self.end = max(clock.week_start(last) + 6 * DAY, month_end)
        self.dates = [self.begin + n * DAY for n in range((self.end - self.begin).days + 1)]
        inside = [on for on in self.dates if first <= on <= last]
        self.months = sorted({clock.period_of(on) for on in inside})
        self._counters: dict[tuple[str, date], int] = {}
        self.days: dict[date | str, Day] = {}
        for number, on in enumerate(self.dates):
            within = first <= on <= last
            month = self.months.index(clock.period_of(on)) if within else OUTSIDE
            day = Day(number, month, on.year, birthday(on), on.toordinal())
            self.days[on] = self.days[on.isoformat()] = day  # one database gives dates as text

    def quotas(self, policy: Policy) -> dict[str, list[Quota]] | None:
        """By meal and day, the counters a granted meal moves, numbered alike for every policy."""
        if not quota_keys(policy, self.begin, MEALS[0]):
            return None
        return {
            meal: [
                tuple(
                    (self._counters.setdefault((code, start), len(self._counters)), cap)
                    for code, start, cap in quota_keys(policy, on, meal)
                )
                for on in self.dates
            ]
            for meal in MEALS
        }


def birthday(on: date) -> int:
    """Month and day of a date as one number, in the order of the year."""
    return on.month * 100 + on.day
