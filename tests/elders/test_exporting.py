"""Taking the register out: masked, within the actor's ground, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.elders import exporting
from canteen.elders.checking import FactWish
from canteen.elders.columns import field_of
from canteen.errors import Forbidden
from tests.elders.factories import (
    CLI,
    OTHER_STREET,
    STAFF,
    TILL,
    enrolled,
    lay_ground,
    number,
)


@pytest.fixture(autouse=True)
def people(app: Flask) -> None:
    lay_ground()
    facts = (
        FactWish("category", "low_income", date(2024, 1, 1)),
        FactWish("category", "minimum_living", date(2024, 1, 1)),
        FactWish("disability_grade", "2", date(2024, 1, 1)),
    )
    enrolled(name="=1+1", facts=facts, diet_notes="@少盐")
    enrolled(name="王秀", id_number=number(date(1950, 1, 1), 2), street_code=OTHER_STREET)


def csv_of(**options: object) -> tuple[int, list[dict[str, str]], str]:
    out = io.StringIO()
    done = exporting.write_csv(out, **{"by": CLI} | options)
    return done, list(csv.DictReader(io.StringIO(out.getvalue()))), out.getvalue()


def test_numbers_are_masked_and_formulas_are_text() -> None:
    done, rows, text = csv_of()
    assert done == 2
    assert rows[0]["身份证号"] == f"**************{number()[-4:]}"
    assert number()[6:] not in text
    assert (rows[0]["姓名"], rows[0]["饮食备注"]) == ("'=1+1", "'@少盐")
    assert (rows[0]["类别"], rows[0]["残疾等级"]) == ("低保;低收入", "2")


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "=1", "+1", "@x"])
def test_what_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert exporting.safe(cell) == "'" + cell


def test_english_when_asked_for() -> None:
    _, rows, _ = csv_of(locale="en")
    assert rows[1]["status"] == "Active"
    assert rows[0]["categories"] == "Minimum living allowance;Low income"


def test_every_heading_is_one_an_import_understands() -> None:
    for locale in ("zh", "en"):
        assert [field_of(heading) for heading in exporting.headings(locale)] == list(
            exporting.FIELDS
        )


def test_staff_take_out_their_ground_and_a_till_nothing() -> None:
    assert csv_of(by=STAFF)[0] == exporting.count(STAFF) == 1
    assert csv_of(territory="120103")[0] == exporting.count(CLI, "120103") == 1
    assert csv_of(by=STAFF, territory="120103")[0] == 0
    with pytest.raises(Forbidden):
        csv_of(by=TILL)


def test_more_than_one_helping_comes_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    for n in range(5):
        enrolled(name=f"赵{n}", id_number=number(date(1951, 1, 1), n))
    assert csv_of()[0] == 7


def test_a_workbook_holds_the_same_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "elders.xlsx"
    assert exporting.write_xlsx(path, CLI) == 2
    page = openpyxl.load_workbook(path).worksheets[0]
    rows = list(page.iter_rows(values_only=True))
    assert rows[0] == exporting.headings("zh")
    assert [cell.data_type for cell in page[2] if cell.value] == ["s"] * len(
        [cell for cell in page[2] if cell.value]
    )
    assert rows[1][1] == "'=1+1"


def test_who_took_it_out_is_remembered() -> None:
    with transaction():
        exporting.note_export(STAFF, 1)
    kept = db.session.query(AuditRecord).filter_by(act="export_elders").one()
    assert (kept.actor, kept.detail["elders"]) == ("user:7", 1)
