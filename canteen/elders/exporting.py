"""Writing the register out, to CSV or XLSX: streamed, ID numbers masked, nothing a formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
import xlsxwriter

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db
from canteen.elders.columns import HEADINGS
from canteen.elders.facts import standings
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES, Elder
from canteen.elders.ric import decrypt, mask
from canteen.elders.seeing import on_ground, visible
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text

FIELDS = (
    "id_number", "name", "birth_date", "phone", "household", "street_code", "categories",
    "care_level", "disability_grade", "long_term_care", "status", "diet_notes",
)  # fmt: skip
AT_ONCE = 2_000
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
YES = Text("是", "yes")


def safe(text: str) -> str:
    """A cell no spreadsheet takes for a formula (OWASP: CSV injection); wide signs count too."""
    return "'" + text if unicodedata.normalize("NFKC", text[:1]) in FORMULAS else text


def rows(
    by: Actor, locale: str, on: date, territory: str | None = None
) -> Iterator[tuple[str, ...]]:
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
            yield tuple(safe(cell) for cell in _cells(elder, standing[elder.id], locale))
        after = people[-1].id


def count(by: Actor, territory: str | None = None) -> int:
    """How many rows an export has."""
    wanted = sa.select(sa.func.count()).select_from(Elder).where(visible(by))
    return db.session.scalar(wanted.where(on_ground(territory)) if territory else wanted) or 0


def write_csv(
    out: IO[str], by: Actor, locale: str = "zh", territory: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write CSV to a text stream (opened utf-8-sig, newline=""); gives the number of elders."""
    by.must_be(*BUREAU)
    writer = csv.writer(out)
    writer.writerow(headings(locale))
    done = 0
    for done, cells in enumerate(rows(by, locale, clock.business_date(), territory), 1):
        writer.writerow(cells)
        if done % AT_ONCE == 0:
            progress(done)
    progress(done)
    return done


def write_xlsx(
    path: Path, by: Actor, locale: str = "zh", territory: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write an XLSX workbook row by row; gives the number of elders. Every cell is text."""
    by.must_be(*BUREAU)
    done = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": False}) as book:
        page = book.add_worksheet(Text("老人", "Elders").into(locale))
        page.freeze_panes(1, 0)
        page.set_column(0, len(FIELDS) - 1, 18)
        bold = book.add_format({"bold": True})
        for column, heading in enumerate(headings(locale)):
            page.write_string(0, column, heading, bold)
        for done, cells in enumerate(rows(by, locale, clock.business_date(), territory), 1):
            for column, cell in enumerate(cells):
                page.write_string(done, column, cell)
            if done % AT_ONCE == 0:
                progress(done)
    progress(done)
    return done


def note_export(by: Actor, elders: int, territory: str | None = None) -> None:
    """Leave in the audit trail who took the register out, in the transaction of the door."""
    detail = {"elders": elders, "territory": territory or by.territory or "all"}
    record(by.label, "export_elders", "register", clock.business_date(), detail)


def headings(locale: str) -> tuple[str, ...]:
    """The column headings, the same ones an import understands."""
    return tuple(HEADINGS[field][1 if locale == "en" else 0] for field in FIELDS)


def _cells(elder: Any, standing: Any, locale: str) -> tuple[str, ...]:
    def said(words: dict[str, Text], code: str | None) -> str:
        return words[code].into(locale) if code else ""

    return (
        mask(decrypt(elder.ric_cipher, elder.ric_hash)), elder.name, elder.birth_date.isoformat(),
        elder.phone or "", elder.household, elder.street_code,
        ";".join(said(CATEGORIES, code) for code in CATEGORIES if code in standing.categories),
        said(CARE_LEVELS, standing.care_level), str(standing.disability_grade or ""),
        YES.into(locale) if standing.long_term_care else "", said(STATUSES, elder.status),
        elder.diet_notes,
    )  # fmt: skip
