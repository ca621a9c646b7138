"""The only reader of the time: aware UTC for instants, Shanghai for business days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def local(at: datetime) -> datetime:
    """An aware instant as the wall clock in Shanghai shows it."""
    return at.astimezone(SHANGHAI)


def business_date(at: datetime | None = None) -> date:
    """The day in Shanghai to which an instant (default: now) belongs."""
    return local(at or now()).date()


def instant(on: date, at: time) -> datetime:
    """The UTC instant of a wall-clock time on a Shanghai day."""
    return datetime.combine(on, at, SHANGHAI).astimezone(UTC)


def period_of(on: date) -> str:
    """The settlement period a day belongs to: "2026-10"."""
    return f"{on.year:04d}-{on.month:02d}"


def period_days(period: str) -> tuple[date, date]:
    """The first and last day of a settlement period."""
    first = date(int(period[:4]), int(period[5:7]), 1)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, after - timedelta(days=1)


def next_period(period: str) -> str:
    """The period after this one."""
    return period_of(period_days(period)[1] + timedelta(days=1))


def period_before(period: str) -> str:
    """The period before this one."""
    return period_of(period_days(period)[0] - timedelta(days=1))


def week_start(on: date) -> date:
    """The Monday of the natural week (自然周) a day belongs to."""
    return on - timedelta(days=on.weekday())
