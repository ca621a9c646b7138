"""What SQLite and PostgreSQL spell differently: times of day, weeks, ages, distances, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.db import Json, is_postgresql

SHANGHAI_S = 8 * 3600  # China has one time, and no summer time since 1991
DAY_S = 86_400


def epoch(at: Any) -> Any:
    """An instant as whole seconds since 1970."""
    if is_postgresql():
        return sa.cast(sa.func.floor(sa.extract("epoch", at)), sa.BigInteger)
    return sa.cast(sa.func.strftime("%s", at), sa.Integer)


def minute_of(seconds: Any) -> Any:
    """The minute of the day in Shanghai, 0 to 1439, of an `epoch`."""
    return ((seconds + SHANGHAI_S) % DAY_S) // 60


def day_number(day: Any) -> Any:
    """A day as the number of days since 1970."""
    if is_postgresql():
        return sa.type_coerce(day - sa.cast("1970-01-01", sa.Date), sa.Integer)
    return sa.cast(sa.func.strftime("%s", day), sa.Integer) // DAY_S


def day_within(day: Any, first: date, last: date) -> Any:
    """`day_number` of a day that mostly lies between two days of one month, reckoned quicker."""
    if is_postgresql():
        return day_number(day)
    of_month = sa.cast(sa.func.substr(day, 9), sa.Integer)
    quick = of_month + (day_count(first) - 1)
    return sa.case((day.between(first, last), quick), else_=day_number(day))


def day_count(day: date) -> int:
    """A day we know as a number of days since 1970."""
    return (day - date(1970, 1, 1)).days


def day_of(seconds: Any) -> Any:
    """The Shanghai day of an `epoch`, as a number of days since 1970."""
    return (seconds + SHANGHAI_S) // DAY_S


def minutes(clock_time: Any) -> Any:
    """A wall-clock time of a column as minutes of the day."""
    if is_postgresql():
        hour, minute = sa.extract("hour", clock_time), sa.extract("minute", clock_time)
        return sa.cast(hour * 60 + minute, sa.Integer)
    hour, minute = sa.func.strftime("%H", clock_time), sa.func.strftime("%M", clock_time)
    return sa.cast(hour, sa.Integer) * 60 + sa.cast(minute, sa.Integer)


def week_of(number: Any) -> Any:
    """The Monday of the natural week of a day, both as numbers of days since 1970 (a Thursday)."""
    return (number + 3) // 7 * 7 - 3


def weekday(number: Any) -> Any:
    """1 for Monday to 7 for Sunday, of a day as a number of days since 1970."""
    return (number + 3) % 7 + 1


def ymd(day: Any) -> Any:
    """A day as the number 20261006."""
    if is_postgresql():
        return sa.cast(sa.func.to_char(day, "YYYYMMDD"), sa.Integer)
    return sa.cast(sa.func.replace(day, "-", ""), sa.Integer)


def age_on(born: Any, day: Any) -> Any:
    """Full years on a day; someone born on 29 February is a year older on 1 March."""
    return (ymd(day) - ymd(born)) // 10_000


def metres(lat_a: Any, lon_a: Any, lat_b: Any, lon_b: Any) -> Any:
    """The distance between two points in metres, as the crow flies.

    Flat within a city: a degree is 111.2 km north and that times cos(latitude) east, the cosine
    by its series, which every database can reckon; below 0.1 % off within 200 km.
    """
    angle = (lat_a + lat_b) / 2 * 0.017453292519943295
    square = angle * angle
    cosine = 1 - square / 2 + square * square / 24 - square * square * square / 720
    north, east = (lat_a - lat_b) * 111_195.0, (lon_a - lon_b) * 111_195.0 * cosine
    return sa.cast(sa.func.sqrt(north * north + east * east), sa.Integer)


def text(value: Any) -> Any:
    """A number or code as text."""
    return sa.cast(value, sa.Text)


def said(body: Any, name: str) -> Any:
    """What a JSON text names, as text."""
    if is_postgresql():
        return sa.cast(body, Json)[name].as_string()
    return sa.func.json_extract(body, f"$.{name}")


def each_of(told: Any) -> sa.TableValuedAlias:
    """A row with a `value` (text or number) for each piece of "12,15,16"; none of nothing."""
    if is_postgresql():
        pieces = sa.func.string_to_array(told, sa.literal(",", sa.Text))
        return sa.func.unnest(pieces).table_valued("value").render_derived()
    return sa.func.json_each(sa.literal("[") + told + sa.literal("]")).table_valued("value")


def as_json(parts: Mapping[str, Any]) -> Any:
    """A JSON object of columns, {name: column}."""
    pairs = [piece for name, column in parts.items() for piece in (sa.literal(name), column)]
    if is_postgresql():
        typed = [sa.cast(p, sa.Text) if i % 2 == 0 else p for i, p in enumerate(pairs)]
        return sa.type_coerce(sa.func.jsonb_build_object(*typed), Json)
    return sa.type_coerce(sa.func.json_object(*pairs), Json)
