"""Elders with all their dated facts: their standing on any day, without asking day by day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.elders.facts import AT_ONCE, Standing, standing_of, take_in
from canteen.elders.models import Elder, ElderFact


@dataclass(frozen=True)
class Dated:
    """A fact as the register has it, without its evidence."""

    id: int
    kind: str
    value: str
    valid_from: date
    valid_to: date | None

    def holds_on(self, on: date) -> bool:
        """Whether it counts for a meal on a day; a status from the day after its event."""
        return self.begun_by(on) and (self.valid_to is None or self.valid_to >= on)

    def begun_by(self, on: date) -> bool:
        """Whether it counts, or has counted, by a day."""
        return self.valid_from < on if self.kind == "status" else self.valid_from <= on


@dataclass(frozen=True)
class History:
    """A person with every fact on the register, the earliest first."""

    birth_date: date
    household: str
    facts: tuple[Dated, ...]

    def on(self, on: date) -> Standing:
        """The standing on a day, as `facts.facts_on` gives it."""
        person: dict[str, Any] = {
            "birth_date": self.birth_date, "household": self.household, "status": {}
        }
        for fact in self.facts:
            if fact.holds_on(on):
                take_in(person, fact)
        return standing_of(person)


def histories(elder_ids: Collection[int]) -> dict[int, History]:
    """The histories of these elders, a query for each five thousand."""
    wanted, found = sorted(set(elder_ids)), {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = db.session.execute(
            sa.select(
                Elder.id.label("elder_id"), Elder.birth_date, Elder.household, ElderFact.id,
                ElderFact.kind, ElderFact.value, ElderFact.valid_from, ElderFact.valid_to,
            )
            .outerjoin(ElderFact, ElderFact.elder_id == Elder.id)
            .where(Elder.id.in_(wanted[start : start + AT_ONCE]))
            .order_by(Elder.id, ElderFact.valid_from, ElderFact.id)
        )
        people: dict[int, tuple[date, str, list[Dated]]] = {}
        for row in rows:
            person = people.setdefault(row.elder_id, (row.birth_date, row.household, []))
            if row.id is not None:
                person[2].append(Dated(row.id, row.kind, row.value, row.valid_from, row.valid_to))
        found |= {each: History(born, home, tuple(facts)) for each, (born, home, facts) in
                  people.items()}  # fmt: skip
    return found
