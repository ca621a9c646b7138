"""Writing the register out, to CSV or XLSX: streamed, ID and phone numbers masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.elders.columns import HEADINGS
from canteen.elders.facts import standings
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES, Elder
from canteen.elders.ric import decrypt, mask
from canteen.elders.seeing import on_ground, visible
from canteen.papers import csvs, workbooks
from canteen.papers.tables import Column, Table
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text

FIELDS = (
    "id_number", "name", "birth_date", "phone", "household", "street_code", "categories",
    "care_level", "disability_grade", "long_term_care", "status", "diet_notes",
)  # fmt: skip
AT_ONCE = 2_000
YES = Text("是", "yes")


def rows(by: Actor, on: date, territory: str | None = None) -> Iterator[Sequence[Any]]:
    """The register as the actor may see it on a day, a row for each elder, by id.

    Read two thousand at a time after the last id, so that memory does not grow with the city.
    """
    wanted = sa.select(
        Elder.id, Elder.ric_cipher, Elder.ric_hash, Elder.name, Elder.birth_date, Elder.phone,
        Elder.household, Elder.street_code, Elder.status, Elder.diet_notes,
    ).where(visible(by))  # fmt: skip
    if territory:
        wanted = wanted.where(on_ground(territory))
    after = 0
    while True:
        people = db.session.execute(
            wanted.where(Elder.id > after).order_by(Elder.id).limit(AT_ONCE)
        ).all()
        if not people:
            return
        standing = standings([elder.id for elder in people], on)
        for elder in people:
            yield _cells(elder, standing[elder.id])
        after = people[-1].id


def count(by: Actor, territory: str | None = None) -> int:
    """How many rows an export has."""
    wanted = sa.select(sa.func.count()).select_from(Elder).where(visible(by))
    return db.session.scalar(wanted.where(on_ground(territory)) if territory else wanted) or 0


def table(
    by: Actor, on: date, territory: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Table:
    """The register as a table to take out, told every two thousand rows how far it is.

    Refuses with Forbidden whoever is no office of the bureau.
    """
    by.must_be(*BUREAU)
    columns = tuple(
        Column(Text(*HEADINGS[field][:2]), "date" if field == "birth_date" else "text", 18)
        for field in FIELDS
    )
    return Table(Text("老人", "Elders"), columns, _told(rows(by, on, territory), progress))


def write(path: Path, made: Table, locale: str = "zh") -> int:
    """Write the table to a file, CSV or XLSX by its ending; gives the number of elders."""
    if path.suffix.lower() == ".xlsx":
        return workbooks.write(path, [made], locale)
    return csvs.write(path, made, locale)


def note_export(by: Actor, elders: int, territory: str | None = None) -> None:
    """Leave in the audit trail who took the register out, in the transaction of the door."""
    detail = {"elders": elders, "territory": territory or by.territory or "all"}
    record(by.label, "export_elders", "register", clock.business_date(), detail)


def _told(
    given: Iterator[Sequence[Any]], progress: Callable[[int], None]
) -> Iterator[Sequence[Any]]:
    done = 0
    for done, row in enumerate(given, 1):
        yield row
        if done % AT_ONCE == 0:
            progress(done)
    progress(done)


def _hidden(phone: str) -> str:
    """A phone number as a file may hold it: its last four digits."""
    return "*" * (len(phone) - 4) + phone[-4:] if len(phone) > 4 else "*" * len(phone)


def _cells(elder: Any, standing: Any) -> tuple[Any, ...]:
    categories = [CATEGORIES[code] for code in CATEGORIES if code in standing.categories]
    return (
        mask(decrypt(elder.ric_cipher, elder.ric_hash)), elder.name, elder.birth_date,
        _hidden(elder.phone or ""), elder.household, elder.street_code,
        Text(";".join(one.zh for one in categories), ";".join(one.en for one in categories)),
        CARE_LEVELS[standing.care_level] if standing.care_level else "",
        str(standing.disability_grade or ""), YES if standing.long_term_care else "",
        STATUSES[elder.status], elder.diet_notes,
    )  # fmt: skip
