"""The pack: enough to sell by, nothing that tells who somebody is, in a fixed number of queries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import segno
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders import ric
from canteen.elders.models import Card, Elder
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.subsidies.cases import Case
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.models import QuotaUse
from canteen.subsidies.policies import Policy
from canteen.subsidies.pricing import quote
from canteen.tills import keys, packing, regulars, slips
from canteen.tills.models import Till
from tests.factories import City, make_city, make_elder, make_fact, make_menu
from tests.tills.drawers import make_till

TODAY = date(2026, 11, 20)  # a Friday
NOON = clock.instant(TODAY, time(11))
BASE = "https://canteen.example"


@pytest.fixture
def city(app: Flask) -> City:
    return make_city(TODAY)


@pytest.fixture
def till(city: City) -> Till:
    with transaction():
        return make_till(city.here.id)


def ate(
    elder: Elder, items: list[MenuItem], on: date, *, state: str = "served", canteen_id: int = 0,
    meal: str = "lunch",
) -> Order:
    """An order of one of each item, paid at its list price."""
    total = sum(item.price_fen for item in items)
    at = clock.instant(on, time(11))
    order = Order(
        canteen_id=canteen_id or db.session.scalar(sa.select(sa.func.min(Canteen.id))),
        elder_id=elder.id, menu_id=items[0].menu_id, on=on, meal=meal, service="eat_in",
        channel="till", state=state, payment="cash", list_fen=total, discount_fen=0,
        subsidy_fen=0, payable_fen=total, cash_fen=total, placed_at=at, placed_by="user:1",
    )  # fmt: skip
    db.session.add(order)
    db.session.flush()
    for item in items:
        db.session.add(OrderLine(
            order_id=order.id, menu_item_id=item.id, quantity=1, unit_fen=item.price_fen
        ))
    db.session.flush()
    return order


def packed(city: City, till: Till, at: datetime = NOON) -> dict[str, Any]:
    """The pack as the tablet reads it."""
    return json.loads(json.dumps(packing.pack(till, city.here, at, BASE)))


@contextmanager
def queries() -> Iterator[Callable[[], int]]:
    """How many statements the database was asked."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *more: Any) -> None:
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield lambda: len(asked)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def test_the_pack_holds_what_a_sale_needs(city: City, till: Till) -> None:
    with transaction():
        make_menu(city.here, TODAY + timedelta(days=1))
    pack = packed(city, till)
    assert (pack["v"], pack["on"]) == (1, "2026-11-20")
    assert [(one["on"], one["meal"]) for one in pack["menus"]] == [
        ("2026-11-20", "lunch"), ("2026-11-21", "lunch"),
    ]  # fmt: skip
    first = pack["menus"][0]["items"][0]
    assert (first["price_fen"], first["left"], first["marks"]) == (1500, 100, ["soft"])
    assert pack["set_fen"] == 1300 and pack["discounts"] == [{"min_age": 60, "bp": 1000}]
    assert pack["hours"][1] == {"meal": "lunch", "opens": "10:00", "closes": "14:00"}
    assert pack["rule"]["per_elder"] == 1 and pack["rule"]["excess"] == "canteen"
    assert pack["till"]["head"] == 0 and pack["till"]["shift"] is None
    assert {one["role"] for one in pack["cashiers"]} == {"cashier", "manager"}
    assert pack["working"] == {}, "Tianjin subsidises every day"
    assert Policy.from_json(json.dumps(pack["policy"]["body"])).code == pack["policy"]["code"]


def test_only_regulars_of_this_canteen_are_in_it(city: City, till: Till) -> None:
    with transaction():
        known, expected, former, stranger, undone = (
            make_elder(date(1940 + n, 5, 1), name=f"人{n}") for n in range(5)
        )
        ate(known, city.items, TODAY - timedelta(days=90))
        ate(expected, city.items, TODAY, state="placed")
        ate(former, city.items, TODAY - timedelta(days=91))
        ate(stranger, city.items_elsewhere, TODAY, canteen_id=city.elsewhere.id)
        ate(undone, city.items, TODAY, state="cancelled")
    assert {one["id"] for one in packed(city, till)["elders"]} == {known.id, expected.id}


def test_the_busiest_two_thousand_are_kept_and_todays_orders_always(
    city: City, till: Till
) -> None:
    with transaction():
        often, seldom, today = (make_elder(date(1940 + n, 5, 1)) for n in range(3))
        for days in (1, 2, 3):
            ate(often, city.items, TODAY - timedelta(days=days))
        ate(seldom, city.items, TODAY - timedelta(days=1))
        ate(today, city.items, TODAY, state="placed")
    assert regulars.regulars(city.here.id, TODAY, most=2) == [today.id, often.id]


def everything_secret(elder: Elder) -> list[str]:
    """Whatever of a person must not leave the server."""
    number = ric.decrypt(elder.ric_cipher, elder.ric_hash)
    born = elder.birth_date
    cards = db.session.scalars(sa.select(Card.number).where(Card.elder_id == elder.id))
    return [
        number, number[:17], number[-6:], elder.ric_last4, elder.ric_hash, number[6:14],
        born.isoformat(), f"{born:%Y%m%d}", f"{born:%m-%d}", f"{born:%Y-%m}",
        elder.phone or "-", (elder.phone or "-")[-8:], elder.phone_last4 or "-",
        elder.street_code, elder.payout_account or "-", *cards,
    ]  # fmt: skip


def test_no_number_birth_date_phone_or_address_of_anybody_leaves(city: City, till: Till) -> None:
    with transaction():
        people = [
            make_elder(
                date(1931 + n, 2 + n % 9, 3 + n), street="120104002", name=f"赵某{n}",
                phone=f"1990000{8100 + n}", phone_last4=f"{8100 + n}",
                household="120104", payout_account=f"acct_elder_{n}",
                diet_notes=f"花生过敏，女儿电话 1990000{8100 + n}",
            )
            for n in range(20)
        ]  # fmt: skip
        for person in people:
            ate(person, city.items, TODAY - timedelta(days=1))
        make_fact(people[0], "status", "in_institution", date(2026, 9, 14))
    pack = packed(city, till)
    # The receipts' codes and drawings are of numbers, not of people, and full of chance digits.
    told = json.dumps(
        {"elders": pack["elders"], "usual": pack["usual"]}, ensure_ascii=False
    )
    hashes = ("cards", "lost", "ric", "phone")  # which may hold any four digits by chance
    bare = json.dumps([
        {name: value for name, value in one.items() if name not in hashes}
        for one in pack["elders"]
    ])
    assert len(pack["elders"]) == 20
    for person in people:
        for secret in everything_secret(person):
            where = told if len(secret) > 6 else bare
            assert secret not in where, f"{secret} of {person.name} is in the pack"
    assert "2026-09-14" not in told, "nor the day somebody moved"
    assert "花生过敏" in told


def test_what_is_known_of_a_person_is_a_closed_list(city: City, till: Till) -> None:
    with transaction():
        ate(city.elder, city.items, TODAY)
    [one] = packed(city, till)["elders"]
    assert set(one) == {
        "id", "name", "age", "initials", "facts", "used", "diet", "avoid", "wants", "cards",
        "lost", "ric", "phone", "usual",
    }  # fmt: skip
    assert set(one["facts"]) == {
        "birth_date", "household", "categories", "care_level", "disability_grade",
        "in_institution", "long_term_care", "status", "status_since",
    }  # fmt: skip


def test_short_hashes_find_a_person_and_leave_hundreds_who_fit(city: City, till: Till) -> None:
    """Whoever knows the region and the year of birth still has hundreds of numbers to choose
    from, and more than a thousand phones."""
    with transaction():
        ate(city.elder, city.items, TODAY)
    [one] = packed(city, till)["elders"]
    key = keys.key_of(till)
    number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
    card = db.session.scalar(sa.select(Card.number).where(Card.elder_id == city.elder.id))
    assert one["ric"] == keys.short(key, f"ric:{number}", 12) and len(one["ric"]) == 3
    assert one["phone"] == keys.short(key, f"phone:{city.elder.phone}", 14)
    assert len(one["phone"]) == 4 and one["phone"] < "4000"
    assert one["cards"] == [keys.short(key, f"card:{card}", 24)] and len(one["cards"][0]) == 6
    born_that_year = (
        ric.make(region, date(1940, 1, 1) + timedelta(days=day), sequence)
        for region in ("129901", "129902", "129903")
        for day in range(366) for sequence in range(1000)
    )  # fmt: skip
    fits = sum(keys.short(key, f"ric:{other}", 12) == one["ric"] for other in born_that_year)
    assert fits > 200
    phones = (f"1990{last:07d}" for last in range(1_000_000))
    assert sum(keys.short(key, f"phone:{other}", 14) == one["phone"] for other in phones) > 40


def test_another_tills_hashes_say_nothing(city: City, till: Till) -> None:
    with transaction():
        ate(city.elder, city.items, TODAY)
        other = make_till(city.here.id, "二号机")
        other.salt = "6b" * 8
    [mine], [theirs] = packed(city, till)["elders"], packed(city, other)["elders"]
    assert mine["cards"] != theirs["cards"]


def test_lost_cards_are_told_apart(city: City, till: Till) -> None:
    with transaction():
        ate(city.elder, city.items, TODAY)
        old = db.session.scalars(sa.select(Card).where(Card.elder_id == city.elder.id)).one()
        old.lost_at = NOON
        db.session.flush()
        db.session.add(Card(number="80000000017", elder_id=city.elder.id, issued_on=TODAY))
    [one] = packed(city, till)["elders"]
    key = keys.key_of(till)
    assert one["cards"] == [keys.short(key, "card:80000000017", 24)]
    assert one["lost"] == [keys.short(key, f"card:{old.number}", 24)]


@pytest.mark.parametrize("on", [date(2026, 11, 20), date(2028, 2, 29), date(2027, 3, 1)])
@pytest.mark.parametrize(
    "born", [date(1940, 11, 20), date(1940, 11, 21), date(1948, 2, 29), date(1956, 3, 1)]
)
def test_the_stand_in_for_a_birth_date_gives_the_same_age(on: date, born: date) -> None:
    age = age_on(born, on)
    stand_in = packing.birthday_of_age(age, on)
    assert age_on(stand_in, on) == age
    if (stand_in.month, stand_in.day) != (born.month, born.day):
        assert stand_in != born


def test_the_packs_facts_price_a_meal_as_the_register_does(city: City, till: Till) -> None:
    with transaction():
        ate(city.elder, city.items, TODAY - timedelta(days=1))
        db.session.add(QuotaUse(
            elder_id=city.elder.id, period_code="week", starts_on=date(2026, 11, 16), used=4
        ))
        db.session.add(QuotaUse(
            elder_id=city.elder.id, period_code="meal:lunch", starts_on=TODAY, used=1
        ))
    pack = packed(city, till)
    [one] = pack["elders"]
    assert one["used"] == {
        "day": 0, "week": 4, "month": 0, "meals": {"breakfast": 0, "lunch": 1, "dinner": 0},
    }  # fmt: skip
    case = Case.from_dict({
        "district": pack["canteen"]["district"], "street": pack["canteen"]["street"],
        "on": pack["on"], "meal": "lunch", "list_fen": 1500, "tier": pack["canteen"]["tier"],
        "standard_set_fen": pack["set_fen"], "discount_bp": 1000, "elder": one["facts"],
        "used_this_week": one["used"]["week"], "used_today": one["used"]["day"],
    })  # fmt: skip
    priced = quote(Policy.from_json(json.dumps(pack["policy"]["body"])), case)
    assert (priced.discount_fen, priced.subsidy_fen, priced.payable_fen) == (150, 300, 1050)


def test_the_usual_is_what_is_taken_most_and_whatever_goes_with_it(
    city: City, till: Till
) -> None:
    meal_set, rice, soup = city.items
    with transaction():
        for days in range(1, 6):
            taken = [meal_set, rice] if days <= 3 else [soup]
            ate(city.elder, taken, TODAY - timedelta(days=days))
        ate(city.elder, [soup], TODAY - timedelta(days=29)), ate(city.elder, [soup], TODAY)
        ate(city.elder, [soup], TODAY - timedelta(days=6), state="cancelled")
    [one] = packed(city, till)["elders"]
    assert set(one["usual"]["lunch"]) == {meal_set.dish_id, rice.dish_id}


def test_two_portions_are_one_visit(city: City) -> None:
    meal_set, rice, _ = city.items
    with transaction():
        for days in (1, 2, 3):
            ate(city.elder, [meal_set], TODAY - timedelta(days=days))
        order = ate(city.elder, [rice], TODAY - timedelta(days=4))
        db.session.execute(
            sa.update(OrderLine).where(OrderLine.order_id == order.id).values(quantity=9)
        )
    usual = regulars.usual_dishes(city.here.id, TODAY)
    assert usual == {city.elder.id: {"lunch": [meal_set.dish_id]}}


def test_who_is_usually_here_comes_by_visits_the_same_weekday_counting_double(
    city: City, till: Till
) -> None:
    with transaction():
        fridays, twice, thrice, dinner = (
            make_elder(date(1940 + n, 5, 1), name=f"人{n}") for n in range(4)
        )
        for weeks in (1, 2):
            ate(fridays, city.items, TODAY - timedelta(days=7 * weeks))
        for days in (1, 2):
            ate(twice, city.items, TODAY - timedelta(days=days))
        for days in (1, 2, 3):
            ate(thrice, city.items, TODAY - timedelta(days=days))
        ate(dinner, city.items, TODAY - timedelta(days=1), meal="dinner")
        ate(dinner, city.items, TODAY - timedelta(days=29))
    usual = packed(city, till)["usual"]
    assert usual == {
        "breakfast": [], "lunch": [fridays.id, thrice.id, twice.id], "dinner": [dinner.id],
    }  # fmt: skip
    assert regulars.usual_people(city.here.id, TODAY, most=1)["lunch"] == [fridays.id]


def test_the_pack_costs_as_many_queries_for_forty_people_as_for_none(
    city: City, till: Till
) -> None:
    packed(city, till)  # the policy is read once and kept
    with queries() as empty:
        packed(city, till)
        few = empty()
    with transaction():
        for n in range(40):
            person = make_elder(date(1930 + n % 20, 1 + n % 12, 1 + n % 28), name=f"人{n}")
            ate(person, city.items, TODAY - timedelta(days=1 + n % 20))
            make_fact(person, "category", "minimum_living", date(2024, 1, 1))
    here, held = db.session.get_one(Canteen, city.here.id), db.session.get_one(Till, till.id)
    with queries() as full:
        assert len(packing.pack(held, here, NOON, BASE)["elders"]) == 40
        many = full()
    assert few <= many <= 22, f"{few} queries for nobody, {many} for forty"
    with transaction():
        for n in range(40, 60):
            ate(make_elder(date(1930, 1, 1 + n % 28), name=f"人{n}"), city.items, TODAY)
    here, held = db.session.get_one(Canteen, city.here.id), db.session.get_one(Till, till.id)
    with queries() as more:
        packing.pack(held, here, NOON, BASE)
        assert more() == many


def test_slips_are_the_real_qr_codes_of_the_next_numbers(city: City, till: Till) -> None:
    with transaction():
        held = db.session.get_one(Till, till.id)
        held.head = held.claimed = 41
    made = slips.slips(held, BASE, ahead=3)
    assert made["first"] == 42 and len(made["codes"]) == len(made["bits"]) == 3
    assert made["codes"][1] == keys.receipt_code(keys.key_of(held), 43)
    size, bits = made["size"], base64.b64decode(made["bits"][1])
    read = [
        [bits[place // 8] >> (7 - place % 8) & 1 for place in range(row * size, (row + 1) * size)]
        for row in range(size)
    ]
    address = f"{BASE}{slips.path(till.id, 43, made['codes'][1])}"
    real = segno.make(
        address, error="m", version=(size - 17) // 4, mask=slips.MASK, micro=False,
        boost_error=False,
    )  # fmt: skip
    assert read == [[int(module) for module in row] for row in real.matrix]
    assert size == 29


def test_a_long_address_gets_a_larger_code_for_all_of_them(city: City, till: Till) -> None:
    made = slips.slips(till, "https://canteens.a-district.example", ahead=2)
    assert made["size"] == 33 and len({len(bits) for bits in made["bits"]}) == 1
