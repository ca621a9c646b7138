"""The one loop over all orders: whose caps are reached, what is paid, who gains and who loses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from canteen.whatif.calendar import OUTSIDE, Calendar, birthday
from canteen.whatif.meals import Kept, Kinds
from canteen.whatif.persons import Person
from canteen.whatif.results import BAND_CODES, Outcome, People, Sums, band_of
from canteen.whatif.scenarios import Drafted, InForceThen


class Counting:
    """Takes the orders of one elder after another and counts what each scenario pays."""

    def __init__(
        self, kinds: Kinds, calendar: Calendar, canteens: frozenset[int] | None,
        refunded: Mapping[int, int],
    ) -> None:  # fmt: skip
        self.kinds, self.calendar = kinds, calendar
        self.canteens, self.refunded = canteens, refunded
        self.orders = self.elders = self.without_facts = 0
        count = len(kinds.scenarios)
        self.people = [{band: People() for band in BAND_CODES} for _ in range(count)]
        self._decode = msgspec.json.Decoder(Kept).decode
        self._last = (calendar.last.year, birthday(calendar.last))

    def take(self, rows: Iterable[Any]) -> None:
        """Count the orders of some elders, each elder's together and in order."""
        kinds, canteens, refunded = self.kinds, self.canteens, self.refunded
        days, decode, classes = self.calendar.days, self._decode, kinds.persons.age_classes
        table, sites, read = kinds.table, kinds.sites, kinds.persons.read
        streets = kinds.sight.home_street
        scenarios = range(len(kinds.scenarios))
        used: list[dict[int, int]] = [{} for _ in scenarios]
        fens = [0] * len(used)
        people: dict[bytes, Person] = {}
        current, person, counted, orders = None, None, False, 0
        for elder_id, order_id, on, meal, canteen_id, inputs in rows:
            if elder_id != current:
                self._elder(person, fens, counted)
                current, person, counted = elder_id, None, False
                fens = [0] * len(used)
                people.clear()
                for counters in used:
                    counters.clear()
            day = days[on]
            month = day.month
            if canteens is not None and canteen_id not in canteens:
                month = OUTSIDE
            try:
                kept = decode(inputs)
                raw = bytes(kept.elder)
                known = people.get(raw)
                if known is None:
                    known = people[raw] = read(raw)
                person = known
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
                payments = table.get(key)
                if payments is None:
                    payments = kinds.payments(key, inputs, list_fen, ruling, age)
            except (msgspec.MsgspecError, ValueError, TypeError, LookupError):
                self.without_facts += month != OUTSIDE
                continue
            if month != OUTSIDE:
                orders += 1
                counted = True
            for scenario, fen, months, quotas, beyond in payments:
                if quotas is not None:
                    counters, quota = used[scenario], quotas[day.number]
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
        self._elder(person, fens, counted)
        self.orders += orders

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

    def _elder(self, person: Person | None, fens: list[int], counted: bool) -> None:
        """Count one elder among those who gain, lose, or stay."""
        if not counted:
            return
        self.elders += 1
        if person is None or not any(fens):
            return
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
