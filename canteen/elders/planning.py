"""What a file changes of the facts on record: some begin, some end, some were never true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db
from canteen.elders import facts
from canteen.elders.checking import FactWish, Person
from canteen.elders.enrolling import ONE_AT_A_TIME
from canteen.elders.models import ElderFact
from canteen.loading import load
from canteen.territory.actors import Actor

FACTS = ElderFact.__table__
A_DAY = timedelta(days=1)
CORRECTED = "名册导入更正 / corrected by a file of the register"


class Ready(Protocol):
    """A row in order (see `importing.Ready`)."""

    row: int
    person: Person
    dated: bool
    returned: date | None


@dataclass(frozen=True)
class Told:
    """What holds for every row of a file."""

    kinds: frozenset[str]
    by: Actor
    now: datetime
    today: date


class Plan:
    """The facts to add, to alter and to drop so that the register says what the file says.

    What is dropped, or begins on another day from now on, was never true as it stood: the trail
    keeps it as withdrawn, so that what it did to meals is put right, and who ended what.
    """

    def __init__(self, told: Told) -> None:
        self.told = told
        self.added: list[dict[str, Any]] = []
        self.altered: list[dict[str, Any]] = []
        self.dropped: list[int] = []
        self.withdrawn: list[Any] = []
        self.ended: list[tuple[Any, date | None]] = []

    @property
    def size(self) -> int:
        """How many changes are planned."""
        return len(self.added) + len(self.altered) + len(self.dropped)

    def facts_of(self, elder_id: int, ready: Ready, held: Sequence[Any]) -> None:
        """Compare what is on record of an elder with what the file says and plan the difference."""
        told = self.told
        met: set[int] = set()
        for wish in ready.person.facts:
            dated = ready.dated or wish.kind == "status"
            fact = _match(wish, held, met, dated, told.today)
            if fact is None:
                self._make_room(wish, held, met)
                self.added.append(
                    {
                        "elder_id": elder_id, "kind": wish.kind, "value": wish.value,
                        "valid_from": wish.valid_from, "valid_to": wish.valid_to,
                        "evidence": wish.evidence.strip(), "recorded_by": told.by.label,
                        "recorded_at": told.now,
                    }
                )  # fmt: skip
                continue
            met.add(fact.id)
            since = wish.valid_from if dated else fact.valid_from
            until = fact.valid_to if wish.kind == "status" else wish.valid_to
            evidence = wish.evidence.strip() or fact.evidence
            if (since, until, evidence) != (fact.valid_from, fact.valid_to, fact.evidence):
                self._alter(fact, since, until, evidence)
        for fact in held:
            if fact.id in met or (fact.valid_to is not None and fact.valid_to < told.today):
                continue
            if fact.kind in told.kinds:
                self._end(fact, told.today - A_DAY)
            elif ready.returned and fact.kind == "status":
                self._end(fact, ready.returned - A_DAY)

    def carry_out(self) -> None:
        """Write it down, three statements at most, and what was withdrawn with the trail."""
        connection = db.session.connection()
        for fact in self.withdrawn:
            detail = facts.withdrawal(fact, CORRECTED)
            record(self.told.by.label, "withdraw_fact", "elder", fact.elder_id, detail)
        for fact, until in self.ended:
            detail = {"fact": fact.id, "kind": fact.kind, "value": fact.value}
            detail |= {"until": str(until or "")}
            record(self.told.by.label, "end_fact", "elder", fact.elder_id, detail)
        if self.dropped:
            facts.drop(self.dropped)
        if self.altered:
            names = ("valid_from", "valid_to", "evidence", "recorded_by", "recorded_at")
            connection.execute(
                sa.update(FACTS)
                .where(FACTS.c.id == sa.bindparam("row"))
                .values({name: sa.bindparam(f"new_{name}") for name in names}),
                self.altered,
            )
        if self.added:
            load(ElderFact, tuple(self.added[0]), (tuple(row.values()) for row in self.added))

    def _make_room(self, wish: FactWish, held: Sequence[Any], met: set[int]) -> None:
        """Before a new care level or grade, the one that holds on its first day ends."""
        if wish.kind not in ONE_AT_A_TIME:
            return
        for fact in held:
            if fact.kind == wish.kind and fact.id not in met and _meets(fact, wish):
                met.add(fact.id)
                self._end(fact, wish.valid_from - A_DAY)

    def _end(self, fact: Any, last_day: date) -> None:
        """Let a fact end; one that had not begun by then never was."""
        if fact.valid_from > last_day:
            self.withdrawn.append(fact)
            self.dropped.append(fact.id)
        else:
            self._alter(fact, fact.valid_from, last_day, fact.evidence)

    def _alter(self, fact: Any, since: date, until: date | None, evidence: str) -> None:
        """Let a fact say other days. What it says of days gone by, where it begins anew or had
        ended, it says only from now on."""
        by, at = fact.recorded_by, fact.recorded_at
        moved = since != fact.valid_from
        if moved:
            self.withdrawn.append(fact)
        elif until != fact.valid_to:
            self.ended.append((fact, until))
        ended = fact.valid_to is not None and fact.valid_to < self.told.today
        if moved or (ended and until != fact.valid_to):
            by, at = self.told.by.label, self.told.now
        self.altered.append(
            {
                "row": fact.id, "new_valid_from": since, "new_valid_to": until,
                "new_evidence": evidence, "new_recorded_by": by, "new_recorded_at": at,
            }
        )  # fmt: skip


def _match(
    wish: FactWish, held: Sequence[Any], met: set[int], dated: bool, today: date
) -> Any | None:
    """The fact on record that this wish speaks of: the same thing at the same time."""
    same = [
        fact for fact in held
        if fact.id not in met and (fact.kind, fact.value) == (wish.kind, wish.value)
    ]  # fmt: skip
    for fact in same:
        if dated and fact.valid_from == wish.valid_from:
            return fact
    for fact in same:
        if _meets(fact, wish) and (fact.valid_to is None or fact.valid_to >= today):
            return fact
    return None


def _meets(fact: Any, wish: FactWish) -> bool:
    starts_before_end = wish.valid_to is None or fact.valid_from <= wish.valid_to
    return starts_before_end and (fact.valid_to is None or fact.valid_to >= wish.valid_from)
