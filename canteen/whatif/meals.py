"""The kinds of meals a replay meets: where, what, for whom; and what each scenario pays for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from canteen.db import db
from canteen.subsidies.cases import Case
from canteen.subsidies.shapes import Policy
from canteen.territory.models import Territory
from canteen.whatif.calendar import Calendar, Quota
from canteen.whatif.persons import Persons
from canteen.whatif.results import band_of
from canteen.whatif.rules import Paid, Price, Rule
from canteen.whatif.scenarios import Drafted, InForceThen
from canteen.whatif.sights import joined

MOST_KINDS = 150_000  # kept at once; then they are looked up anew
Cell = tuple[str, str, str]  # district, tier, age band
# district, street if it counts, discount, standard set, tier, grade, service, beyond the caps
SiteKey = tuple[str, str | None, int, int | None, int | None, str | None, str, bool]
Months = list[int]  # meals in each month, and last those outside the period


class Kept(msgspec.Struct, gc=False):
    """The case an order keeps, as far as its kind depends on it; the elder is read once a text."""

    district: str
    list_fen: int
    elder: msgspec.Raw
    street: str | None = None
    tier: int | None = None
    grade: str | None = None
    standard_set_fen: int | None = None
    service: str = "eat_in"
    discount_bp: int = 0
    beyond_caps: bool = False


class Site(NamedTuple):
    """One place and way of eating. `rulings` numbers, day by day, the rules of all scenarios;
    `prices` the kinds of list prices met on such terms."""

    number: int
    rulings: list[int]
    prices: dict[int, int]


class Payment(NamedTuple):
    """What one scenario pays for one kind of meal, and where its meals are counted."""

    scenario: int
    elder_fen: int
    months: Months
    quotas: list[Quota] | None  # by day
    beyond: tuple[int, Months] | None  # the same two once a cap is reached


class Kinds:
    """Finds what every scenario pays for a meal; remembers it by all that can matter."""

    def __init__(self, scenarios: Sequence[InForceThen | Drafted], calendar: Calendar) -> None:
        self.scenarios, self.calendar = scenarios, calendar
        self.table: dict[tuple[object, ...], int] = {}
        self.paid: list[tuple[Payment, ...]] = [()]  # by the number of a kind; 0: nobody pays
        self.counted: dict[tuple[int, Cell], dict[Paid, Months]] = {}
        self.sites: dict[SiteKey, Site] = {}
        self._prices: dict[object, int] = {}
        self._by_terms: dict[object, dict[int, int]] = {}
        self._same: dict[object, int] = {}
        self._rules: dict[Policy, Rule] = {}
        self._by_id: dict[int, Rule] = {}
        self._rulings: dict[tuple[Rule | None, ...], int] = {}
        districts = sa.select(Territory.code).where(Territory.level == "district")
        self.districts = {code: self._by_day(code) for code in db.session.scalars(districts).all()}
        self.rulings = list(self._rulings)
        self.sight = joined(rule.sight for rule in self._rules.values())
        self.persons = Persons(self.sight)
        self._decode = msgspec.json.Decoder(Case).decode

    def site(self, key: SiteKey) -> Site:
        """Where and how a meal was eaten. Refuses a district nobody knows with KeyError."""
        site = Site(
            len(self.sites), self.districts[key[0]], self._by_terms.setdefault(key[2:4], {})
        )
        self.sites[key] = site
        return site

    def price(self, kept: Kept, list_fen: int) -> int:
        """The number of a kind of list prices: alike, whatever scenario looks at them."""
        seen = self.sight.of_price(list_fen, kept.discount_bp, kept.standard_set_fen)
        return self._prices.setdefault(seen, len(self._prices))

    def payments(
        self, key: tuple[object, ...], inputs: str, list_fen: int, ruling: int, age: int
    ) -> int:
        """The number in `paid` of the kind of this meal, kept under its key for the next."""
        case = self._decode(inputs).but(list_fen=list_fen)
        cell = (case.district, "" if case.tier is None else str(case.tier), band_of(age))
        prices = tuple(rule and rule.price(case) for rule in self.rulings[ruling])
        if len(self.table) >= MOST_KINDS:
            self.table.clear()
        same = (ruling, cell, case.meal, tuple(map(id, prices)))
        number = self._same.get(same)
        if number is None:
            payments = tuple(self._payments(prices, ruling, cell, case.meal))
            number = self._same[same] = len(self.paid) if payments else 0
            self.paid += [payments] if payments else []
        self.table[key] = number
        return number

    def _payments(
        self, prices: tuple[Price | None, ...], ruling: int, cell: Cell, meal: str
    ) -> Iterator[Payment]:
        for scenario, (rule, price) in enumerate(zip(self.rulings[ruling], prices, strict=True)):
            if rule is None or price is None or price.within is None:
                continue
            beyond = price.beyond
            yield Payment(
                scenario, price.within.elder_fen, self._months(scenario, cell, price.within),
                rule.quotas[meal] if rule.quotas else None,
                (beyond.elder_fen, self._months(scenario, cell, beyond)) if beyond else None,
            )

    def _months(self, scenario: int, cell: Cell, paid: Paid) -> Months:
        by_paid = self.counted.setdefault((scenario, cell), {})
        return by_paid.setdefault(paid, [0] * (len(self.calendar.months) + 1))

    def _by_day(self, district: str) -> list[int]:
        rulings = []
        for number, on in enumerate(self.calendar.dates):
            rules = (self._rule(each.policy(district, on)) for each in self.scenarios)
            # A policy that does not cover the day pays nothing on it and moves no counter.
            ruling = tuple(rule if rule and rule.covered[number] else None for rule in rules)
            rulings.append(self._rulings.setdefault(ruling, len(self._rulings)))
        return rulings

    def _rule(self, policy: Policy | None) -> Rule | None:
        if policy is None:
            return None
        found = self._by_id.get(id(policy))  # a policy is long: comparing it takes a while
        if found is None:
            if policy not in self._rules:
                self._rules[policy] = Rule(policy, self.calendar)
            found = self._by_id[id(policy)] = self._rules[policy]
        return found
