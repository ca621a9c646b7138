"""Until when each office of the chain has a statement: the days of the next month, as one table."""

from __future__ import annotations

from datetime import date, timedelta

from canteen import clock

# On which day of the next month each stage is due. A default of our own: nothing is published.
DUE_DAYS = {"operator": 5, "street": 10, "district": 15, "city": 20, "approved": 25}
# Whoever gets a statement late still has this many days.
LEAST_DAYS = 3


def due_on(period: str, stage: str, on: date) -> date | None:
    """The day a stage is due for a period; a few days from `on` when that is past already."""
    if stage not in DUE_DAYS:
        return None
    first = clock.period_days(clock.next_period(period))[0]
    return max(first.replace(day=DUE_DAYS[stage]), on + timedelta(days=LEAST_DAYS))
