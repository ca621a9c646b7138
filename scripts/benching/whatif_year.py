"""The year the what-if is measured on: a twentieth of it made up meal by meal, the rest by SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from multiprocessing import get_context
from random import Random
from typing import Any

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
from canteen.territory.actors import job

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
CANTEENS, ELDERS, COPIES = 400, 40_000, 20
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


@dataclass(slots=True)
class Diner:
    """An elder as the year is made up: where they eat, and what every order of theirs says."""

    id: int
    place: places.Place
    person: people.Person
    elder: dict[str, Any]


def fill_apart(size: int) -> None:
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
    tables = (Order.__table__, Grant.__table__)
    if not is_postgresql():
        sa.event.listen(db.engine, "connect", _trusting)
    with transaction() as session, _unhindered(tables):
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
        drafts = {table: _draft_of(table) for table in tables}
        days = (LAST - FIRST).days + 1
        for number in range(days):
            until = size // COPIES * (number + 1) // days
            orders, grants = year.day(FIRST + timedelta(days=number), until)
            load(drafts[Order.__table__], ORDER, orders)
            load(drafts[Grant.__table__], GRANT, grants)
        twins = _twins([person.id for person in elders], len(base))
        _make_alike()
        _multiply(Order.__table__, drafts[Order.__table__], ORDER, twins)
        _multiply(Grant.__table__, drafts[Grant.__table__], GRANT, twins)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if is_postgresql() else "ANALYZE")


def _trusting(connection: Any, record: Any) -> None:
    """SQLite: look up no row named by another, and let a power cut cost this made-up year."""
    for pragma in ("foreign_keys=OFF", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _unhindered(tables: Sequence[Any]) -> Iterator[None]:
    """Without indexes, which are made at the end, and without looking up every row named."""
    connection = db.session.connection()
    if is_postgresql():
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
        # Rows must lie as they come in a real year, day by day: so the join may only go down the
        # days and look up the twins of each diner.
        for join in ("hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET LOCAL enable_{join} = off")
    indexes = [index for table in tables for index in table.indexes]
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def _draft_of(table: Any) -> sa.Table:
    """A temporary table with the columns of another, where a part of the year is made up."""
    columns = (sa.Column(column.name, column.type) for column in table.c)
    draft = sa.Table(f"some_{table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    draft.create(db.session.connection())
    return draft


def _twins(elders: list[int], base: int) -> sa.Table:
    """Who else eats just as each elder of the base does."""
    number = sa.Integer
    twins = sa.Table(
        "twins", sa.MetaData(), sa.Column("elder_id", number, primary_key=True),
        sa.Column("copy", number, primary_key=True), sa.Column("twin_id", number),
        prefixes=["TEMPORARY"],
    )  # fmt: skip
    twins.create(db.session.connection())
    rows = (
        (elders[n], copy, elders[n + copy * base]) for n in range(base) for copy in range(COPIES)
    )
    load(twins, ("elder_id", "copy", "twin_id"), rows)
    return twins


def _make_alike() -> None:
    """Twins are of one age and have the same facts, or they would eat what is not theirs."""
    facts = "kind, value, valid_from, valid_to, evidence, recorded_by, recorded_at"
    for statement in (
        "UPDATE elders SET birth_date = one.birth_date, household = one.household"
        " FROM twins JOIN elders AS one ON one.id = twins.elder_id"
        " WHERE twins.twin_id = elders.id AND twins.copy > 0",
        "DELETE FROM elder_facts WHERE elder_id IN (SELECT twin_id FROM twins WHERE copy > 0)",
        f"INSERT INTO elder_facts (elder_id, {facts}) SELECT twins.twin_id, {facts}"
        " FROM twins JOIN elder_facts ON elder_facts.elder_id = twins.elder_id WHERE copy > 0",
    ):
        db.session.execute(sa.text(statement))


def _multiply(table: Any, draft: sa.Table, names: tuple[str, ...], twins: sa.Table) -> None:
    """Give every elder's twin the same meals; twins' rows lie side by side, as on one day."""
    order_id = draft.c["id" if "id" in names else "order_id"]
    changed = {
        order_id.name: (order_id - 1) * COPIES + twins.c.copy + 1, "elder_id": twins.c.twin_id,
    }
    rows = sa.select(*(changed.get(name, draft.c[name]) for name in names)).join(
        twins, twins.c.elder_id == draft.c.elder_id
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
