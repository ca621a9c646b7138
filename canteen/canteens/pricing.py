"""What a district's standard set costs on a day, and the canteen's own discount for the elderly."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from canteen import config
from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import ElderDiscount, StandardSetPrice
from canteen.db import db, insert
from canteen.errors import NotFound, Refused
from canteen.money import BASIS, yuan
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.words import Text, day


class PriceOutOfBounds(Refused):
    """The standard set may not cost that much or that little."""

    code = "standard_set_out_of_bounds"
    text = Text("标准套餐价应在 {low}—{high} 元之间",
                "The standard set must cost {low} to {high} yuan")


class NotInThePast(Refused):
    """What was sold stays as it was sold: a price or rate starts today at the earliest."""

    code = "starts_in_the_past"
    text = Text("最早只能从{on}起生效", "It can take effect from {on} at the earliest")


class BadDiscount(Refused):
    """A discount is a rate from 0 to 100 % from an age between 0 and 130 up."""

    code = "bad_discount"
    text = Text("折扣应在 0—100% 之间，起始年龄应在 0—130 岁之间",
                "A discount is 0–100 %, from an age of 0–130 up")


def standard_set_price(district_code: str, on: date) -> int | None:
    """Fen of the district's standard set (标准套餐) on a day; None before any was ever set.

    A district that has set none uses its city's.
    """
    return db.session.scalar(standard_set_query(district_code, on))


def standard_set_query(
    district_code: str | sa.ColumnElement[str], on: date | sa.ColumnElement[date]
) -> sa.Select[tuple[int]]:
    """The query behind `standard_set_price`; a column makes it a correlated part of another."""
    city = config.current().city
    owner = StandardSetPrice.district_code
    return (
        sa.select(StandardSetPrice.price_fen)
        .where(sa.or_(owner == district_code, owner == city), StandardSetPrice.from_on <= on)
        .order_by(owner.desc(), StandardSetPrice.from_on.desc())  # a district sorts after its city
        .limit(1)
    )


def set_standard_set_price(
    district_code: str,
    price_fen: int,
    from_on: date,
    *,
    base_fen: int,
    within_bp: int,
    by: Actor,
    today: date,
) -> None:
    """The district sets what its standard set costs from a day on.

    `base_fen` is the city's price and `within_bp` how far a district may vary from it (±50 % since
    2022). Refuses PriceOutOfBounds and NotInThePast; a second price for one day replaces the first.
    """
    by.must_be("district", "city")
    if not by.reaches(district_code) or db.session.get(Territory, district_code) is None:
        raise NotFound()
    low, high = _bounds(base_fen, within_bp)
    if not low <= price_fen <= high:
        raise PriceOutOfBounds(field="price_fen", low=yuan(low), high=yuan(high))
    if from_on < today:
        raise NotInThePast(field="from_on", on=day(today))
    row = {
        "district_code": district_code, "from_on": from_on,
        "price_fen": price_fen, "set_by": by.label,
    }
    _replace(StandardSetPrice, row, ("district_code", "from_on"))
    detail = {"price_fen": price_fen, "from_on": from_on.isoformat()}
    record(by.label, "set_standard_set_price", "territory", district_code, detail)


def discount_query(
    canteen_id: int | sa.ColumnElement[int],
    age: int | sa.ColumnElement[int],
    on: date | sa.ColumnElement[date],
) -> sa.Select[tuple[int]]:
    """The query of a canteen's own discount for an age on a day, in basis points; no row where it
    gives none. Of the age bands a person has reached the highest counts, with the rate latest set
    for it. A column makes it a correlated part of another query.
    """
    return (
        sa.select(ElderDiscount.discount_bp)
        .where(
            ElderDiscount.canteen_id == canteen_id,
            ElderDiscount.min_age <= age,
            ElderDiscount.from_on <= on,
        )
        .order_by(ElderDiscount.min_age.desc(), ElderDiscount.from_on.desc())
        .limit(1)
    )


def set_elder_discount(
    canteen_id: int, min_age: int, discount_bp: int, from_on: date, *, by: Actor, today: date
) -> None:
    """The canteen gives everyone from an age up a rate off, from a day on; it bears it itself.

    A rate of 0 ends a band. Refuses BadDiscount and NotInThePast; a stranger gets NotFound.
    """
    finding.get_for(by, canteen_id)
    by.must_be("operator", "manager")
    if not (0 <= discount_bp <= BASIS and 0 <= min_age <= 130):
        raise BadDiscount(field="discount_bp")
    if from_on < today:
        raise NotInThePast(field="from_on", on=day(today))
    row = {
        "canteen_id": canteen_id, "min_age": min_age,
        "from_on": from_on, "discount_bp": discount_bp,
    }
    _replace(ElderDiscount, row, ("canteen_id", "min_age", "from_on"))
    detail = {"min_age": min_age, "discount_bp": discount_bp, "from_on": from_on.isoformat()}
    record(by.label, "set_elder_discount", "canteen", canteen_id, detail)


def discounts_of(canteen_id: int, on: date) -> list[tuple[int, int]]:
    """A canteen's discounts on a day as (from age, basis points), youngest first, without zeros."""
    rows = db.session.execute(
        sa.select(ElderDiscount.min_age, ElderDiscount.discount_bp)
        .where(ElderDiscount.canteen_id == canteen_id, ElderDiscount.from_on <= on)
        .order_by(ElderDiscount.min_age, ElderDiscount.from_on)
    )
    latest = {row.min_age: row.discount_bp for row in rows}
    return [(age, rate) for age, rate in latest.items() if rate]


def _bounds(base_fen: int, within_bp: int) -> tuple[int, int]:
    """The lowest and highest price allowed, rounded into the bounds."""
    low = -(-base_fen * (BASIS - within_bp) // BASIS)
    return max(low, 1), base_fen * (BASIS + within_bp) // BASIS


def _replace(table: type, row: dict[str, object], key: tuple[str, ...]) -> None:
    """Insert a row, or give the one with the same key its new values."""
    values = {name: value for name, value in row.items() if name not in key}
    statement = insert(table).values(row)
    db.session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
