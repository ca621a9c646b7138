"""When a canteen is open: pure rules over its weekdays, closures and meal periods."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Protocol

from canteen.canteens.models import MEALS
from canteen.errors import Refused
from canteen.words import Text, day


class Period(Protocol):
    """What these rules ask of a meal period; every time is Shanghai wall clock."""

    meal: str
    opens: time
    closes: time
    order_until: time


class ClosedDay(Refused):
    """The canteen does not open on that day."""

    code = "closed_day"
    text = Text("{on}食堂不营业", "The canteen is closed on {on}")


class MealNotServed(Refused):
    """The canteen does not serve that meal."""

    code = "meal_not_served"
    text = Text("这家食堂不供应{meal}", "This canteen does not serve {meal}")


class TooLateToOrder(Refused):
    """Ordering for that meal has ended."""

    code = "too_late_to_order"
    text = Text("{on}{meal}的预订已于 {until} 截止", "Orders for {meal} on {on} closed at {until}")


def is_open_day(weekdays: str, closures: Collection[date], on: date) -> bool:
    """Whether a canteen opens on a day: one of its weekdays ("12345" is Mon–Fri), not closed."""
    return str(on.isoweekday()) in weekdays and on not in closures


def check_open(weekdays: str, closures: Collection[date], on: date) -> None:
    """Refuse with ClosedDay unless the canteen opens on that day."""
    if not is_open_day(weekdays, closures, on):
        raise ClosedDay(field="on", on=day(on))


def period_of_meal(periods: Iterable[Period], meal: str) -> Period:
    """The period of one meal. Refuses with MealNotServed where the canteen has none."""
    for period in periods:
        if period.meal == meal:
            return period
    raise MealNotServed(field="meal", meal=MEALS.get(meal, Text(meal, meal)))


def serving_now(periods: Iterable[Period], at: time) -> str | None:
    """The meal being served at this wall-clock time, both ends included; None between meals."""
    served = (period for period in periods if period.opens <= at <= period.closes)
    return next((period.meal for period in sorted(served, key=lambda p: p.opens)), None)


def next_meal(periods: Iterable[Period], at: time) -> str | None:
    """The meal being served, or else the next one today; None after the last."""
    ahead = sorted((p for p in periods if at <= p.closes), key=lambda p: p.opens)
    return ahead[0].meal if ahead else None


def may_order_ahead(period: Period, on: date, now: datetime) -> bool:
    """Whether a meal of a day can still be ordered ahead at this Shanghai wall-clock moment."""
    return (now.date(), now.time().replace(tzinfo=None)) <= (on, period.order_until)


def check_order_ahead(period: Period, on: date, now: datetime) -> None:
    """Refuse with TooLateToOrder once the meal's ordering time has passed."""
    if not may_order_ahead(period, on, now):
        until = f"{period.order_until:%H:%M}"
        raise TooLateToOrder(field="meal", on=day(on), meal=MEALS[period.meal], until=until)


def open_days(weekdays: str, closures: Collection[date], first: date, last: date) -> int:
    """How many days the canteen was to open from `first` to `last`, both included."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return sum(is_open_day(weekdays, closures, on) for on in days)
