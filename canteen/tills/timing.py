"""When something at a till really happened: the tablet's clock, set right by the server's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from canteen import clock

LATE = timedelta(minutes=10)
DRIFTED_MS = 120_000
MOST_OFF_MS = 100 * 366 * 86_400_000  # a flat battery sets a clock back by decades, not more


def offset_ms(received_at: datetime, device_now: datetime | None) -> int:
    """How far the server's clock is ahead of a tablet that says it is `device_now`, in ms."""
    if device_now is None:
        return 0
    try:
        return int((received_at - device_now) / timedelta(milliseconds=1))
    except OverflowError:
        return 0


def made_at(
    device_at: datetime, off_ms: int, after: datetime | None, received_at: datetime
) -> datetime:
    """The moment of an entry: by the device, corrected, not before the entry before it (`after`;
    of a till's first, its enrolment) and not after it was received."""
    try:
        made = device_at + timedelta(milliseconds=off_ms)
    except OverflowError:
        made = received_at
    if after is not None and made < after:
        made = after
    return min(made, received_at)


def notes(off_ms: int, made: datetime, received_at: datetime) -> list[str]:
    """What a reviewer should know of an entry's time: "late", "clock_drift"."""
    found = ["late"] if received_at - made > LATE else []
    return found + (["clock_drift"] if abs(off_ms) > DRIFTED_MS else [])


def meal_day(said: date, made: datetime) -> date:
    """The day of a meal sold without the server: as the till said unless that cannot be."""
    day = clock.business_date(made)
    return said if abs(said - day) <= timedelta(days=1) else day
