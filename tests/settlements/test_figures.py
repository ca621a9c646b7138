"""Figures by month, ground and tier: equal to a plain count, and only of one's own ground."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.settlements.figures import Figures, Sums, Wanted, figures, span, tables_of
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from tests.factories import City, make_canteen, make_elder, make_menu
from tests.settlements.factories import add_grants, at_noon, close, little_month, make_funding

YEAR = Wanted("2025-11", "2026-10")


@pytest.fixture
def city(app: Flask) -> City:
    """Three canteens in two districts with bare meals of two months, and some findings."""
    city = little_month()
    with transaction():
        third = make_canteen("120104002", tier=3)
        elders = [make_elder(date(1940, 1, 1)).id for _ in range(5)]
        fundings = [
            make_funding({("elder", "city"): 150, ("elder", "district"): 150,
                          ("enterprise", "city"): 200}),
            make_funding({("elder", "city"): 300, ("delivery", "district"): 100}, account=True),
        ]  # fmt: skip
        menu = make_menu(third, date(2026, 9, 1))[0].menu_id
        canteens = [city.here.id, city.elsewhere.id, third.id]
        add_grants(120, canteens, elders, fundings, menu, "2026-09")
        meal = db.session.scalar(sa.select(sa.func.min(Grant.order_id)))
        for number, state in enumerate(("open", "asked", "paid", "denied", "denied", "cleared")):
            decided = at_noon(date(2026, 10, 3)) if state in ("paid", "denied") else None
            db.session.add(Suspicion(
                code="deceased", period="2026-09", canteen_id=canteens[number % 3], order_id=meal,
                key=f"n{number}", amount_fen=500 + number, evidence={}, mode="warn", state=state,
                found_at=at_noon(date(2026, 10, 2)), decided_at=decided, reason="",
                false_alarm=False,
            ))  # fmt: skip
    city.extra["third"] = third
    return city


def plain(*where: object) -> Sums:
    """The same sums by the plainest way: every row read and added up."""
    sums = Sums()
    for grant in db.session.scalars(sa.select(Grant).where(*where)):
        sums.meals += grant.sign
        sums.elder_fen += grant.till_fen + grant.account_fen
        sums.enterprise_fen += grant.enterprise_fen
        sums.delivery_fen += grant.delivery_fen
    return sums


def money(sums: Sums) -> tuple[int, ...]:
    return sums.meals, sums.elder_fen, sums.enterprise_fen, sums.delivery_fen


def actor(role: str, territory: str) -> Actor:
    return Actor(role=role, user_id=1, territory=territory)


CITY = actor("city", "120000")


def test_every_way_of_telling_apart_agrees_with_a_plain_count(city: City) -> None:
    found = figures(CITY, YEAR)
    assert money(found.total) == money(plain())
    for period in ("2026-09", "2026-10"):
        assert money(found.months[period]) == money(plain(Grant.period == period))
    for name, code in (("河西区", "120103"), ("南开区", "120104")):
        here = Grant.canteen_id.in_(sa.select(Canteen.id).where(Canteen.district_code == code))
        (sums,) = [sums for text, sums in found.grounds.items() if text.zh == name]
        assert money(sums) == money(plain(here))
    for tier in (1, 2, 3):
        here = Grant.canteen_id.in_(sa.select(Canteen.id).where(Canteen.tier == tier))
        assert money(found.tiers[tier]) == money(plain(here))


def test_a_closed_month_is_read_from_its_statements_and_comes_to_the_same(city: City) -> None:
    before = figures(CITY, YEAR)
    close("2026-09")
    asked: list[str] = []

    def asks(_c: object, _k: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", asks)
    after = figures(CITY, YEAR)
    sa.event.remove(db.engine, "before_cursor_execute", asks)
    assert any("statements" in each for each in asked)
    for way in ("months", "grounds", "tiers"):
        same, as_it_was = getattr(after, way), getattr(before, way)
        assert {key: money(sums) for key, sums in same.items()} == {
            key: money(sums) for key, sums in as_it_was.items()
        }
    assert money(after.total) == money(plain())


def test_findings_are_counted_by_what_became_of_them_without_what_no_longer_holds(
    city: City,
) -> None:
    found = figures(CITY, YEAR).months["2026-09"]
    assert (found.undecided, found.paid, found.denied, found.found) == (2, 1, 2, 5)
    assert found.denied_fen == 503 + 504


def test_an_office_counts_its_own_ground_told_apart_one_level_down(city: City) -> None:
    district = figures(actor("district", "120104"), YEAR)
    assert district.within == "street" and len(district.grounds) == 2
    mine = Grant.canteen_id.in_([city.here.id, city.extra["third"].id])
    assert money(district.total) == money(plain(mine))
    street = figures(actor("street", "120104002"), YEAR)
    assert street.within == "canteen"
    assert [name.zh for name in street.grounds] == [city.extra["third"].name]
    assert money(street.total) == money(plain(Grant.canteen_id == city.extra["third"].id))
    foreign = Wanted(YEAR.first, YEAR.last, territory="120103")
    assert money(figures(actor("district", "120104"), foreign).total) == (0, 0, 0, 0)


def test_filters_narrow_by_ground_tier_and_time(city: City) -> None:
    here = figures(CITY, Wanted("2026-09", "2026-09", territory="120104", tier=3))
    third = city.extra["third"].id
    assert money(here.total) == money(plain(Grant.canteen_id == third, Grant.period == "2026-09"))
    assert list(here.months) == ["2026-09"] and list(here.tiers) == [3]
    assert here.within == "street"


def test_months_without_anything_are_there_with_noughts(city: City) -> None:
    found = figures(CITY, YEAR)
    assert list(found.months) == span("2025-11", "2026-10") and len(found.months) == 12
    assert money(found.months["2025-12"]) == (0, 0, 0, 0)
    assert len(span("2000-01", "2026-10")) == 36


def test_the_tables_hold_the_same_numbers(city: City) -> None:
    found: Figures = figures(CITY, YEAR)
    for table in tables_of(found):
        rows = list(table.rows)
        assert all(len(row) == len(table.columns) for row in rows)
        assert [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)] == list(
            found.total.cells()
        )
