"""Until when each office has a statement: the days of the next month that its rule names."""

from __future__ import annotations

from datetime import date, timedelta

from canteen import clock
from canteen.settlements.models import Statement
from canteen.settlements.rules import DEFAULT, OFFICES, Rule

# Whoever gets a statement late still has this many days.
LEAST_DAYS = 3


def due_on(period: str, stage: str, on: date, rule: Rule = DEFAULT) -> date | None:
    """The day a stage is due for a period; a few days from `on` when that is past already."""
    of_month = rule.day_of(stage)
    if of_month is None:
        return None
    first = clock.period_days(clock.next_period(period))[0]
    return max(first.replace(day=of_month), on + timedelta(days=LEAST_DAYS))


def ahead(statement: Statement, rule: Rule) -> dict[str, date | None]:
    """By when each later stage of a statement is due, "approved" (the payment) last: each counted
    from the day the one before it is due, so that a month closed late promises nobody's days
    twice. An approved one's payment is all that is left."""
    on = statement.due_on or clock.business_date(statement.stage_since)
    stage, found = statement.stage, dict[str, date | None]()
    if stage == "approved":
        return {stage: statement.due_on or due_on(statement.period, stage, on, rule)}
    while stage in OFFICES:
        stage = rule.after(stage, statement.payee)
        found[stage] = due_on(statement.period, stage, on, rule)
        on = found[stage] or on
    return found
