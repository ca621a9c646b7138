"""The facts an order keeps about its elder, as small numbers that stand for all that counts."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from canteen.subsidies.cases import ElderFacts
from canteen.whatif.calendar import birthday
from canteen.whatif.results import FIRST_AGES
from canteen.whatif.sights import Sight

MOST_PERSONS = 60_000  # remembered at once
OLDEST = 300  # who is older by the register has no facts that can be believed


class Person(NamedTuple):
    """An elder as one or more orders know them. `kind` numbers what counts whatever the day."""

    kind: int
    year: int
    birthday: int
    since: int  # ordinal of the day after which the status counts


class Persons:
    """Numbers the kinds of people a set of policies can tell apart."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        firsts = {*sight.ages, *FIRST_AGES}
        self.age_classes = [sum(first <= age for first in firsts) for age in range(OLDEST + 1)]
        self.age_count = max(self.age_classes) + 1
        self._kinds: dict[object, int] = {}
        self._known: dict[bytes, Person] = {}
        self._decode = msgspec.json.Decoder(ElderFacts).decode

    def read(self, raw: bytes) -> Person:
        """The person of an order's stored facts. Refuses with msgspec.ValidationError."""
        found = self._known.get(raw)
        if found is None:
            if len(self._known) >= MOST_PERSONS:
                self._known.clear()
            found = self._known[raw] = self._read(raw)
        return found

    def _read(self, raw: bytes) -> Person:
        facts = self._decode(raw)
        household = facts.household if self.sight.place else None
        counts = (self.sight.of_person(facts), household)
        kind = self._kinds.setdefault(counts, len(self._kinds))
        since = facts.status_since.toordinal() if facts.status_since else 0
        born = facts.birth_date
        return Person(kind * 2 * self.age_count, born.year, birthday(born), since)
