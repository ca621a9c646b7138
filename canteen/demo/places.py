"""The demo city's ground: territories, operators, uneven canteens with hours, papers and dishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random
from typing import Any

from stdnum.cn import uscc

from canteen.canteens.models import (
    Canteen,
    ElderDiscount,
    Licence,
    MealPeriod,
    Operator,
    StandardSetPrice,
)
from canteen.db import db
from canteen.demo import names
from canteen.loading import load
from canteen.menus.models import Dish
from canteen.territory.models import Territory

CITY = "120000"
START = date(2024, 1, 1)
HOURS = {
    "breakfast": (time(6, 30), time(8, 30), time(8)),
    "lunch": (time(10, 30), time(13, 30), time(12, 30)),
    "dinner": (time(16, 30), time(19), time(18)),
}
BY_TIER = {
    1: ["open_fire", "dine_in", "pick_up", "delivery", "supplies_others", "open_kitchen", "online"],
    2: ["dine_in", "pick_up", "delivery", "online"],
    3: ["dine_in", "pick_up"],
}


@dataclass
class Place:
    """A canteen of the demo while its meals are being made up. `weight`: how busy it is."""

    id: int
    street: str
    tier: int
    operator_id: int
    weight: float
    meals: tuple[str, ...]
    weekdays: str
    rates: tuple[tuple[int, int], ...]
    set_fen: int
    dishes: list[tuple[int, str, int]] = field(default_factory=list)  # id, kind, price
    idle_from: date | None = None
    quirk: str = ""
    slips: dict[date, str] = field(default_factory=dict)  # what went wrong on a day

    @property
    def district(self) -> str:
        """The district it lies in."""
        return self.street[:6]

    def discount_bp(self, age: int) -> int:
        """Its own discount for an age, in basis points."""
        return max((bp for least, bp in self.rates if age >= least), default=0)


def make_territories(districts: int) -> list[str]:
    """The city with its first `districts` districts, four made-up streets in each; their codes."""
    rows: list[tuple[Any, ...]] = [(CITY, "city", None, "天津市", "Tianjin")]
    streets = []
    for code, (zh, en) in list(names.DISTRICTS.items())[:districts]:
        rows.append((code, "district", CITY, zh, en))
        for number, (street_zh, street_en) in enumerate(names.STREETS, 1):
            streets.append(f"{code}{number:03d}")
            rows.append((streets[-1], "street", code, street_zh, street_en))
    load(Territory, ("code", "level", "parent_code", "name_zh", "name_en"), rows)
    prices = [(code, START, 1500 if code == "120116" else 1300, "user:1")
              for code in list(names.DISTRICTS)[:districts]]  # fmt: skip
    load(StandardSetPrice, ("district_code", "from_on", "price_fen", "set_by"), prices)
    return streets


def make_operators(rng: Random, count: int) -> list[int]:
    """Enterprises with made-up, well-formed credit codes; their ids."""
    rows = []
    for number in range(1, count + 1):
        name = names.OPERATORS[(number - 1) % len(names.OPERATORS)]
        body = f"91129901MA{number:07d}"
        rows.append(
            (
                number, name if number <= len(names.OPERATORS) else f"{name}{number}",
                body + uscc.calc_check_digit(body), rng.choice(names.SURNAMES) + "经理",
                f"1990001{number:04d}", f"acct_demo_operator_{number:04d}",
            )
        )
    load(Operator, ("id", "name", "uscc", "contact", "phone", "payout_account"), rows)
    return [row[0] for row in rows]


def make_canteens(
    rng: Random, count: int, streets: list[str], operators: list[int], today: date
) -> list[Place]:
    """Canteens of three tiers and very different sizes, spread over the streets."""
    places: list[Place] = []
    rows = []
    for number in range(1, count + 1):
        tier = 1 if number % 5 == 1 else rng.choice((2, 2, 3))
        street = streets[(number * 7) % len(streets)] if number > 2 else streets[number - 1]
        where = names.PLACES[(number - 1) % len(names.PLACES)]
        round_ = (number - 1) // len(names.PLACES)
        tail = f"{round_ + 1}" if round_ else ""
        place = Place(
            id=number, street=street, tier=tier,
            operator_id=operators[(number - 1) % len(operators)],
            weight=rng.lognormvariate(0, 0.9) * (1.6 if tier == 1 else 1),
            meals=("breakfast", "lunch", "dinner") if tier == 1 else ("lunch", "dinner"),
            weekdays="1234567" if tier == 1 or rng.random() < 0.5 else "12345",
            rates=((60, 1000), (70, 1500), (80, 2000)) if rng.random() < 0.5 else ((60, 1000),),
            set_fen=1500 if street.startswith("120116") else 1300,
        )
        places.append(place)
        supplier = None if tier == 1 else next(p.id for p in places if p.tier == 1)
        rows.append(
            (
                number, f"{street[:6]}-{number:04d}", f"{where[0]}{tail}老人家食堂",
                f"{where[1]}{tail} Canteen", street, street[:6], place.operator_id,
                "care_institution" if tier == 1 and number % 2 else
                rng.choice(("restaurant", "community", "day_care")),
                tier, tier == 1 and number % 10 == 1, BY_TIER[tier], supplier,
                f"{where[0]}{rng.randint(1, 60)}号", f"1990002{number:04d}",
                39.0 + rng.random() / 3, 117.0 + rng.random() / 3,
                rng.randint(10, 40) * (3 if tier == 1 else 1), rng.randint(40, 300),
                place.weekdays, "listed", START,
            )
        )  # fmt: skip
    load(
        Canteen,
        (
            "id", "code", "name", "name_en", "street_code", "district_code", "operator_id",
            "carrier", "tier", "demonstration", "capabilities", "supplier_id", "address", "phone",
            "latitude", "longitude", "seats", "area_m2", "open_weekdays", "status", "status_since",
        ),
        rows,
    )  # fmt: skip
    _plant(places, today)
    _furnish(places, today)
    return places


def _plant(places: list[Place], today: date) -> None:
    """Some canteens that a good officer should notice, two of them in the first district."""
    near = [place for place in places[2:] if place.district == places[0].district]
    far = [place for place in places[2:] if place.district != places[0].district]
    # The first operator's goes on cooking: its month has something to look at.
    two = sorted(near[:2], key=lambda place: place.operator_id == places[0].operator_id)
    chosen = [*two, *far[:4]]
    quirks = ("idle_16", "expired", "idle_8", "at_floor", "burst", "perfect")
    for place, quirk in zip(chosen, quirks, strict=False):
        place.quirk = quirk
        if quirk.startswith("idle"):
            place.weekdays = "1234567"
            place.idle_from = today - timedelta(days=int(quirk[5:]))
    db.session.execute(
        Canteen.__table__.update()
        .where(Canteen.id.in_([p.id for p in places if p.idle_from]))
        .values(open_weekdays="1234567")
    )


def _furnish(places: list[Place], today: date) -> None:
    periods, papers, discounts, dishes = [], [], [], []
    dish_id = 0
    for place in places:
        for meal in place.meals:
            periods.append((place.id, meal, *HOURS[meal]))
        for kind in ("business", "food", "agreement"):
            until = None if kind == "business" else date(today.year + 1, 6, 30)
            if place.quirk == "expired" and kind == "food":
                until = today - timedelta(days=1)
            papers.append(
                (place.id, kind, f"{kind[:2].upper()}1299{place.id:06d}", START, until)
            )
        discounts += [(place.id, least, START, bp) for least, bp in place.rates]
        offered = [("set", *s) for s in names.SETS] + [("dish", *d) for d in names.DISHES]
        if "breakfast" in place.meals:
            offered += [("set", *s) for s in names.BREAKFAST]
        for kind, zh, en, fen, marks in offered:
            dish_id += 1
            price = max(fen, place.set_fen) if kind == "set" else fen
            if place.quirk == "at_floor" and kind == "set":
                price = place.set_fen
            place.dishes.append((dish_id, kind, price))
            dishes.append((dish_id, place.id, zh, en, kind, price, list(marks)))
    load(MealPeriod, ("canteen_id", "meal", "opens", "closes", "order_until"), periods)
    load(Licence, ("canteen_id", "kind", "number", "valid_from", "valid_to"), papers)
    load(ElderDiscount, ("canteen_id", "min_age", "from_on", "discount_bp"), discounts)
    load(Dish, ("id", "canteen_id", "name", "name_en", "kind", "price_fen", "marks"), dishes)
