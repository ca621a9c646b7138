"""A draft policy replayed over a year of a whole city: seconds, orders a second, and memory."""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from multiprocessing import get_context
from random import Random
from typing import Any

import msgspec
import sqlalchemy as sa

from canteen.db import db, is_postgresql, transaction
from canteen.demo import people, places
from canteen.loading import load
from canteen.menus.models import Menu
from canteen.money import take_rate
from canteen.orders.models import Order
from canteen.subsidies.eligibility import age_on, match
from canteen.subsidies.models import Funding, Grant
from canteen.subsidies.policies import load_folder
from canteen.subsidies.publishing import InForce, in_force, publish
from canteen.subsidies.shapes import Policy
from canteen.territory.actors import job
from canteen.whatif.replaying import replay
from scripts.benching.world import aim, application, machine

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
CANTEENS, ELDERS, COPIES = 400, 40_000, 10
AT = datetime(2025, 6, 2, 4, tzinfo=UTC)
ORDER = (
    "id", "canteen_id", "elder_id", "menu_id", "on", "meal", "service", "channel", "state",
    "payment", "list_fen", "discount_fen", "subsidy_fen", "payable_fen", "cash_fen", "excess_fen",
    "policy_id", "inputs", "placed_at", "placed_by", "paid_at", "paid_on", "served_at", "note",
)  # fmt: skip
GRANT = (
    "order_id", "number", "sign", "cause", "elder_id", "canteen_id", "period", "on", "meal",
    "policy_id", "group_code", "funding_id", "till_fen", "account_fen", "enterprise_fen",
    "delivery_fen", "made_at",
)  # fmt: skip
MEALS = ("breakfast", "lunch", "lunch", "lunch", "lunch", "lunch", "dinner")
SETS = (800, 1300, 1300, 1400, 1500, 1600, 1800, 2000)
EXTRAS = (0, 0, 0, 0, 300, 500, 700, 900)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument(
        "--size", type=int, default=4_000_000, help="served orders of elders (4000000)"
    )
    parser.add_argument(
        "--databases", default="sqlite,postgresql", help="which (sqlite,postgresql)"
    )


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure on each database; gives figures and aims."""
    wish.size -= wish.size % COPIES
    figures: dict[str, Any] = {"orders": wish.size, **machine()}
    aims = []
    for kind in wish.databases.split(","):
        with application(kind):
            begun = time.perf_counter()
            _fill_apart(wish.size)
            figures[f"{kind}_fill_s"] = time.perf_counter() - begun
            figures |= {f"{kind}_{name}": figure for name, figure in _measure(wish.size).items()}
        took = figures[f"{kind}_two_drafts_s"]
        aims.append(aim(f"a year of the city under two drafts, on {kind}", took, 60, "s"))
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    aims.append(aim("memory", figures["peak_mb"], 300, "MB"))
    return {"name": "what-if", "figures": figures, "aims": aims}


def _measure(size: int) -> dict[str, float]:
    """One replay of two drafts over the whole city, one over a single district."""
    drafts = _drafts()
    begun = time.perf_counter()
    result = replay(drafts, FIRST, LAST)
    took = time.perf_counter() - begun
    if (result.orders, result.without_facts) != (size, 0):
        raise RuntimeError(f"replayed {result.orders} of {size} orders")
    total, really = result.in_force.total, result.recorded
    if (total.meals, total.elder_fen) != (really.meals, really.elder_fen):
        raise RuntimeError(f"the replay found {total}, granted was {really}")
    db.session.rollback()
    begun = time.perf_counter()
    district = replay(drafts, FIRST, LAST, "120104")
    took_district = time.perf_counter() - begun
    db.session.rollback()
    return {
        "two_drafts_s": took, "orders_a_second": size / took, "subsidised_meals": total.meals,
        "district_s": took_district, "district_orders": district.orders,
    }


def _drafts() -> list[Policy]:
    """Four yuan from 75 on with six meals a week; and a third of the price, at most five yuan."""
    base = next(d for d in load_folder() if d.code == "tianjin-V2024")
    body = msgspec.json.decode(base.to_json()) | {"version": "V2027"}
    [layer] = body["layers"]
    groups = [dict(group) for group in body["eligibility"]]
    groups[0]["min_age"] = 75
    wider = body | {
        "eligibility": groups, "caps": {"per_day": 1, "per_week": 6},
        "layers": [layer | {"amount": {"kind": "flat", "fen": 400}}],
    }
    percent = {"kind": "percent", "rate_bp": 3333, "ceiling_fen": 500}
    shared = body | {"version": "V2028", "layers": [layer | {"amount": percent}]}
    return [msgspec.convert(each, Policy) for each in (wider, shared)]


@dataclass(slots=True)
class Diner:
    """An elder as the year is made up: where they eat, and what every order of theirs says."""

    id: int
    place: places.Place
    person: people.Person
    elder: dict[str, Any]


def _fill_apart(size: int) -> None:
    """Make the year in a process of its own, so that its memory is not counted as the replay's."""
    db.session.remove()
    db.engine.dispose()
    filling = get_context("fork").Process(target=_fill, args=(size,))
    filling.start()
    filling.join()
    if filling.exitcode:
        raise RuntimeError("the year could not be made up")


def _fill(size: int) -> None:
    """A year of served orders with stored facts, and the grants the policy in force gives."""
    dice = Random(20250101)
    with transaction() as session:
        streets = places.make_territories(16)
        publish(load_folder(), places.CITY, job("bench"))
        operators = places.make_operators(dice, 40)
        ground = places.make_canteens(dice, CANTEENS, streets, operators, LAST)
        elders = people.make_elders(dice, ELDERS, ground, FIRST)
        base = elders[: len(elders) // COPIES]
        menu = Menu(canteen_id=1, on=FIRST, meal="lunch", published_at=AT)
        funding = Funding(
            digest="bench", till_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0
        )
        session.add_all([menu, funding])
        session.flush()
        diners = [_diner(person, ground[person.home]) for person in base]
        year = Year(dice, diners, menu.id, funding.id)
        drafts = {table: _draft_of(table) for table in (Order.__table__, Grant.__table__)}
        days = (LAST - FIRST).days + 1
        for number in range(days):
            until = size // COPIES * (number + 1) // days
            orders, grants = year.day(FIRST + timedelta(days=number), until)
            load(drafts[Order.__table__], ORDER, orders)
            load(drafts[Grant.__table__], GRANT, grants)
        twins = _twins([person.id for person in elders], len(base))
        _multiply(Order.__table__, drafts[Order.__table__], ORDER, twins)
        _multiply(Grant.__table__, drafts[Grant.__table__], GRANT, twins)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if is_postgresql() else "ANALYZE")


def _draft_of(table: Any) -> sa.Table:
    """A temporary table with the columns of another, where a tenth of the year is made up."""
    columns = (sa.Column(column.name, column.type) for column in table.c)
    draft = sa.Table(f"some_{table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    draft.create(db.session.connection())
    return draft


def _twins(elders: list[int], base: int) -> sa.Table:
    """Who else eats just as each elder of the base does."""
    number = sa.Integer
    twins = sa.Table(
        "twins", sa.MetaData(), sa.Column("elder_id", number), sa.Column("copy", number),
        sa.Column("twin_id", number), prefixes=["TEMPORARY"],
    )  # fmt: skip
    twins.create(db.session.connection())
    rows = (
        (elders[n], copy, elders[n + copy * base]) for n in range(base) for copy in range(COPIES)
    )
    load(twins, ("elder_id", "copy", "twin_id"), rows)
    return twins


def _multiply(table: Any, draft: sa.Table, names: tuple[str, ...], twins: sa.Table) -> None:
    """Give every elder's twin the same meals; twins' rows lie side by side, as on one day."""
    order_id = draft.c["id" if "id" in names else "order_id"]
    changed = {
        order_id.name: (order_id - 1) * COPIES + twins.c.copy + 1, "elder_id": twins.c.twin_id,
    }
    rows = (
        sa.select(*(changed.get(name, draft.c[name]) for name in names))
        .join(twins, twins.c.elder_id == draft.c.elder_id)
        .order_by(order_id, twins.c.copy)
    )
    db.session.execute(sa.insert(table).from_select(list(names), rows))


def _diner(person: people.Person, place: places.Place) -> Diner:
    facts = person.facts
    elder = {
        "birth_date": facts.birth_date.isoformat(), "household": facts.household,
        "categories": sorted(facts.categories), "care_level": facts.care_level,
        "disability_grade": facts.disability_grade, "status": "alive",
    }
    return Diner(person.id, place, person, {k: v for k, v in elder.items() if v})


class Year:
    """Makes up orders day by day, as they come in, and grants by the caps and the price gate."""

    def __init__(self, dice: Random, diners: list[Diner], menu_id: int, funding_id: int) -> None:
        self.dice, self.diners = dice, diners
        self.weights = list(accumulate(0.1 + diner.person.appetite for diner in diners))
        self.menu_id, self.funding_id = menu_id, funding_id
        self.number = 0
        self.week: dict[int, int] = {}
        self.groups: dict[tuple[int, int], str | None] = {}

    def day(self, on: date, until: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """The orders and grants of a day, so that there are `until` orders after it."""
        dice, orders, grants = self.dice, [], []
        today: set[int] = set()
        if on.weekday() == 0:
            self.week.clear()
        count = until - self.number
        for diner in dice.choices(self.diners, cum_weights=self.weights, k=count):
            self.number += 1
            place, age = diner.place, age_on(diner.person.birth, on)
            meal = dice.choice(MEALS)
            service = "pick_up" if dice.random() < 0.12 else "eat_in"
            list_fen = dice.choice(SETS) + dice.choice(EXTRAS)
            policy = ruling(place.district)
            case = {
                "district": place.district, "street": place.street, "on": on.isoformat(),
                "meal": meal, "tier": place.tier, "list_fen": list_fen, "service": service,
                "standard_set_fen": place.set_fen, "discount_bp": place.discount_bp(age),
                "elder": diner.elder,
            }
            group = self._group(diner, age, policy, on)
            used = self.week.get(diner.id, 0)
            granted = (
                group is not None and list_fen >= place.set_fen and diner.id not in today
                and used < 5
            )
            discount_fen = take_rate(list_fen, place.discount_bp(age))
            fen = 300 if granted else 0
            payable_fen = list_fen - discount_fen - fen
            orders.append(
                (
                    self.number, place.id, diner.id, self.menu_id, on, meal, service, "till",
                    "served", "cash", list_fen, discount_fen, fen, payable_fen, payable_fen, 0,
                    policy.id, case, AT, f"canteen:{place.id}", AT, on, AT, "",
                )
            )
            if granted:
                today.add(diner.id)
                self.week[diner.id] = used + 1
                grants.append(
                    (
                        self.number, 1, 1, "sale", diner.id, place.id, on.isoformat()[:7], on,
                        meal, policy.id, group, self.funding_id, 300, 0, 200, 0, AT,
                    )
                )
        return orders, grants

    def _group(self, diner: Diner, age: int, policy: InForce, on: date) -> str | None:
        """The code of an elder's group, asked once a year of age."""
        key = (diner.id, age)
        if key not in self.groups:
            found = match(policy.policy, diner.person.facts, on).group
            self.groups[key] = found.code if found else None
        return self.groups[key]


@cache
def ruling(district: str) -> InForce:
    """The policy in force; it does not change in this year."""
    return in_force(district, FIRST)
