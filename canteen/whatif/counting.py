"""The loops over all orders: whose caps are reached, what is paid, who gains and who loses."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from canteen.whatif.calendar import OUTSIDE, Calendar, birthday
from canteen.whatif.meals import Kept, Kinds
from canteen.whatif.persons import Person
from canteen.whatif.results import BAND_CODES, Outcome, People, Sums, band_of
from canteen.whatif.scenarios import Drafted, InForceThen

# A meal is kept as one number: its kind, its day, and whether it only counts against the caps.
SHIFT, DAY_MASK = 21, (1 << 20) - 1
TELL_EVERY = 2_000  # elders


class Elder:
    """The meals of one elder that somebody pays for, as they came; eight bytes each."""

    __slots__ = ("counted", "meals", "person")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.meals = array("Q")
        self.counted = False


class Counting:
    """Takes the orders in any order of elders, each elder's as they came, and counts what each
    scenario pays: first what kind of meal each one is, then, elder by elder, the caps."""

    def __init__(
        self, kinds: Kinds, calendar: Calendar, canteens: frozenset[int] | None,
        refunded: Mapping[int, int],
    ) -> None:  # fmt: skip
        self.kinds, self.calendar = kinds, calendar
        self.canteens, self.refunded = canteens, refunded
        self.orders = self.without_facts = 0
        count = len(kinds.scenarios)
        self.people = [{band: People() for band in BAND_CODES} for _ in range(count)]
        self._decode = msgspec.json.Decoder(Kept).decode
        self._elders: dict[int, Elder] = {}
        self._last = (calendar.last.year, birthday(calendar.last))

    @property
    def elders(self) -> int:
        """How many elders have a meal of their own in the sums."""
        return sum(elder.counted for elder in self._elders.values())

    def take(self, rows: Iterable[Any]) -> None:
        """Find what kind of meal each of some orders is, and keep it with its elder."""
        kinds, canteens, refunded = self.kinds, self.canteens, self.refunded
        days, decode, classes = self.calendar.days, self._decode, kinds.persons.age_classes
        table, sites, read = kinds.table, kinds.sites, kinds.persons.read
        streets, elders = kinds.sight.home_street, self._elders
        orders = 0
        for elder_id, order_id, on, meal, canteen_id, inputs in rows:
            day = days[on]
            outside = day.month == OUTSIDE or (canteens is not None and canteen_id not in canteens)
            try:
                kept = decode(inputs)
                person = read(bytes(kept.elder))
                place = (
                    kept.district, kept.street if streets else None, kept.discount_bp,
                    kept.standard_set_fen, kept.tier, kept.grade, kept.service, kept.beyond_caps,
                )  # fmt: skip
                site = sites.get(place)
                if site is None:
                    site = kinds.site(place)
                age = day.year - person.year - (day.birthday < person.birthday)
                if age < 0:
                    raise ValueError("born after the meal")
                list_fen = kept.list_fen
                if order_id in refunded:
                    list_fen -= refunded[order_id]
                ruling = site.rulings[day.number]
                which = person.kind + 2 * classes[age] + (day.ordinal > person.since)
                price = site.prices.get(list_fen)
                if price is None:
                    price = site.prices[list_fen] = kinds.price(kept, list_fen)
                key = (site.number, ruling, meal, price, which)
                kind = table.get(key)
                if kind is None:
                    kind = kinds.payments(key, inputs, list_fen, ruling, age)
            except (msgspec.MsgspecError, ValueError, TypeError, LookupError):
                self.without_facts += not outside
                continue
            elder = elders.get(elder_id)
            if elder is None:
                elder = elders[elder_id] = Elder(person)
            elder.person = person
            if kind:  # somebody pays for it
                elder.meals.append(kind << SHIFT | day.number << 1 | outside)
            if not outside:
                orders += 1
                elder.counted = True
        self.orders += orders

    def apply_caps(self, tick: Callable[[float], None] = lambda share: None) -> None:
        """Go through every elder's meals as they came: whose caps are reached, who pays what."""
        paid, days = self.kinds.paid, self.calendar.dates
        months_of = [self.calendar.days[on].month for on in days]
        for number, elder in enumerate(self._elders.values()):
            used: list[dict[int, int]] = [{} for _ in self.kinds.scenarios]
            fens = [0] * len(used)
            for packed in elder.meals:
                day = packed >> 1 & DAY_MASK
                month = OUTSIDE if packed & 1 else months_of[day]
                for scenario, fen, months, quotas, beyond in paid[packed >> SHIFT]:
                    if quotas is not None:
                        counters, quota = used[scenario], quotas[day]
                        for counter, cap in quota:
                            if counters.get(counter, 0) >= cap:
                                break
                        else:
                            for counter, _ in quota:
                                counters[counter] = counters.get(counter, 0) + 1
                            months[month] += 1
                            if month != OUTSIDE:
                                fens[scenario] += fen
                            continue
                        if beyond is None:
                            continue
                        fen, months = beyond
                    months[month] += 1
                    if month != OUTSIDE:
                        fens[scenario] += fen
            if elder.counted and any(fens):
                self._compare(elder.person, fens)
            if not number % TELL_EVERY:
                tick(number / len(self._elders))

    def outcomes(
        self, scenarios: Sequence[InForceThen | Drafted]
    ) -> tuple[Outcome, ...]:
        """What every scenario came to."""
        found = tuple(
            Outcome(each.code, each.title, people=people)
            for each, people in zip(scenarios, self.people, strict=True)
        )
        months = self.calendar.months
        for outcome in found:
            outcome.by_month.update((month, Sums()) for month in months)
        for (scenario, (district, tier, band)), by_paid in sorted(self.kinds.counted.items()):
            outcome = found[scenario]
            for paid, counts in by_paid.items():
                sides: dict[str, dict[str, int]] = {}
                for side, funder, fen in paid.shares:
                    sides.setdefault(side, {})[funder] = fen
                for month, meals in zip(months, counts[:-1], strict=True):
                    if meals:
                        _add(outcome, district, tier, band, month, meals, sides)
        return found

    def _compare(self, person: Person, fens: list[int]) -> None:
        """Count one elder among those who gain, lose, or stay."""
        year, day = self._last
        band = band_of(year - person.year - (day < person.birthday))
        for fen, people in zip(fens, self.people, strict=True):
            people[band].compare(fens[0], fen)


def _add(
    outcome: Outcome, district: str, tier: str, band: str, month: str, meals: int,
    sides: dict[str, dict[str, int]],
) -> None:  # fmt: skip
    for sums in (
        outcome.total,
        outcome.by_district.setdefault(district, Sums()),
        outcome.by_band.setdefault(band, Sums()),
        outcome.by_tier.setdefault(tier, Sums()),
        outcome.by_month[month],
    ):
        sums.add(meals, sides)
    for side, funders in sides.items():
        for funder, fen in funders.items():
            of_funder = outcome.by_funder.setdefault(
                funder, {"elder": 0, "enterprise": 0, "delivery": 0}
            )
            of_funder[side] += meals * fen
