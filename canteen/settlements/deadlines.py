"""Until when each office has a statement: the days of the next month that its rule names."""

from __future__ import annotations

from datetime import date, timedelta

from canteen import clock
from canteen.settlements.rules import DEFAULT, Rule

# Whoever gets a statement late still has this many days.
LEAST_DAYS = 3


def due_on(period: str, stage: str, on: date, rule: Rule = DEFAULT) -> date | None:
    """The day a stage is due for a period; a few days from `on` when that is past already."""
    of_month = rule.day_of(stage)
    if of_month is None:
        return None
    first = clock.period_days(clock.next_period(period))[0]
    return max(first.replace(day=of_month), on + timedelta(days=LEAST_DAYS))
