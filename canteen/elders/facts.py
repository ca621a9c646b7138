"""What was true of an elder on a day: the register's answer to the policy engine.

A category, level, grade or insurance holds from its first to its last day, both included. A
status is different, because it begins with an event in the middle of a day: the meal of the very
day a person died, moved away or entered an institution may have been eaten before, so it still
counts as if nothing had happened. The status holds from the next day to its last day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa

from canteen.db import changed, db
from canteen.elders.models import Elder, ElderFact
from canteen.errors import NotFound

GRAVEST_FIRST = ("deceased", "moved", "in_institution")
AT_ONCE = 5_000  # elders asked for in one statement, well below either database's limit


@dataclass(frozen=True)
class Standing:
    """An elder on one day, in the words of the policy engine.

    `status` is what counts for a meal on that day and `status_since` the day of its event.
    """

    birth_date: date
    household: str
    categories: frozenset[str] = frozenset()
    care_level: str | None = None
    disability_grade: int | None = None
    in_institution: bool = False
    long_term_care: bool = False
    status: str = "alive"
    status_since: date | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as keyword arguments."""
        return asdict(self)


def holds_on(on: date | sa.ColumnElement[date]) -> sa.ColumnElement[bool]:
    """Facts that count for a meal on a day; a status only from the day after its event."""
    return sa.and_(
        sa.or_(
            sa.and_(ElderFact.kind != "status", ElderFact.valid_from <= on),
            sa.and_(ElderFact.kind == "status", ElderFact.valid_from < on),
        ),
        sa.or_(ElderFact.valid_to.is_(None), ElderFact.valid_to >= on),
    )


def facts_on(elder_id: int, on: date) -> Standing:
    """The elder's standing on a day, in one query. Refuses with NotFound for no such elder."""
    found = _standings([elder_id], on)
    if elder_id not in found:
        raise NotFound(elder_id=elder_id)
    return found[elder_id]


def standings(elder_ids: Iterable[int], on: date) -> dict[int, Standing]:
    """The standing of many elders on one day, a query for each five thousand."""
    wanted = sorted(set(elder_ids))
    found: dict[int, Standing] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found |= _standings(wanted[start : start + AT_ONCE], on)
    return found


def refresh_statuses(on: date, elder_ids: Iterable[int] | None = None) -> int:
    """Make `Elder.status` say what has happened by the end of a day; gives how many changed.

    Run nightly for everybody, because a status may be recorded to begin or end later.
    """
    gravity = sa.case({status: rank for rank, status in enumerate(GRAVEST_FIRST)},
                      value=ElderFact.value, else_=9)  # fmt: skip
    now = (
        sa.select(ElderFact.value)
        .where(
            ElderFact.elder_id == Elder.id,
            ElderFact.kind == "status",
            ElderFact.valid_from <= on,
            sa.or_(ElderFact.valid_to.is_(None), ElderFact.valid_to >= on),
        )
        .order_by(gravity)
        .limit(1)
        .scalar_subquery()
        .correlate(Elder)
    )
    status = sa.func.coalesce(now, "alive")
    update = sa.update(Elder).where(Elder.status != status).values(status=status)
    if elder_ids is not None:
        update = update.where(Elder.id.in_(list(elder_ids)))
    return changed(db.session.execute(update.execution_options(synchronize_session=False)))


def withdrawal(fact: Any, reason: str) -> dict[str, Any]:
    """What the trail keeps of a fact that is taken back as never true, as it stood."""
    return {
        "fact": fact.id, "kind": fact.kind, "value": fact.value, "from": str(fact.valid_from),
        "to": str(fact.valid_to or ""), "recorded_by": fact.recorded_by, "reason": reason[:200],
    }  # fmt: skip


def drop(fact_ids: Iterable[int]) -> None:
    """Delete facts that never were, with what other rooms noted beside them."""
    facts, gone = sa.inspect(ElderFact).local_table, list(fact_ids)
    for table in facts.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column is facts.c.id:
                db.session.execute(sa.delete(table).where(key.parent.in_(gone)))
    db.session.execute(sa.delete(ElderFact).where(ElderFact.id.in_(gone)))


@cache
def _facts() -> sa.Select[Any]:
    """Every fact of some people that holds on a day, built once: every sale waits for it."""
    elder, fact = sa.inspect(Elder).local_table.c, sa.inspect(ElderFact).local_table.c
    day = sa.bindparam("day", type_=sa.Date)
    ids = sa.bindparam("ids", type_=elder.id.type, expanding=True)
    return (
        sa.select(
            elder.id, elder.birth_date, elder.household, fact.kind, fact.value, fact.valid_from
        )
        .outerjoin(fact.elder_id.table, sa.and_(fact.elder_id == elder.id, holds_on(day)))
        .where(elder.id.in_(ids))
        .order_by(elder.id, fact.valid_from)
    )


def _standings(elder_ids: list[int], on: date) -> dict[int, Standing]:
    rows = db.session.execute(_facts(), {"ids": elder_ids, "day": on})
    people: dict[int, dict[str, Any]] = {}
    for row in rows:
        person = people.setdefault(
            row.id, {"birth_date": row.birth_date, "household": row.household, "status": {}}
        )
        take_in(person, row)
    return {elder_id: standing_of(person) for elder_id, person in people.items()}


def take_in(person: dict[str, Any], fact: Any) -> None:
    """Add a fact that holds on the day to what is known of a person; the earliest first."""
    if fact.kind == "category":
        person.setdefault("categories", set()).add(fact.value)
    elif fact.kind == "care_level":
        person["care_level"] = fact.value
    elif fact.kind == "disability_grade":
        person["disability_grade"] = int(fact.value)
    elif fact.kind == "long_term_care":
        person["long_term_care"] = True
    elif fact.kind == "status":
        person["status"].setdefault(fact.value, fact.valid_from)


def standing_of(person: dict[str, Any]) -> Standing:
    """The standing of a person from what was taken in."""
    happened = person.pop("status")
    status = next((each for each in GRAVEST_FIRST if each in happened), "alive")
    return Standing(
        **person | {"categories": frozenset(person.get("categories", ()))},
        in_institution="in_institution" in happened,
        status=status,
        status_since=happened.get(status),
    )
