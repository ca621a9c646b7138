"""Taking the register out: masked, within the actor's ground, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

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

ON = date(2026, 10, 5)
PHONE = "19900001234"


@pytest.fixture(autouse=True)
def people(app: Flask) -> None:
    lay_ground()
    facts = (
        FactWish("category", "low_income", date(2024, 1, 1)),
        FactWish("category", "minimum_living", date(2024, 1, 1)),
        FactWish("disability_grade", "2", date(2024, 1, 1)),
    )
    enrolled(name="=1+1", facts=facts, diet_notes="@少盐", phone=PHONE)
    enrolled(name="王秀", id_number=number(date(1950, 1, 1), 2), street_code=OTHER_STREET,
             diet_notes="3-4")


def taken(folder: Path, kind: str = "csv", locale: str = "zh", **options: Any) -> tuple[int, Path]:
    made = exporting.table(**{"by": CLI, "on": ON} | options)
    return exporting.write(folder / f"out.{kind}", made, locale), folder / f"out.{kind}"


@pytest.fixture
def csv_of(tmp_path: Path) -> Callable[..., tuple[int, list[dict[str, str]], str]]:
    def read(**options: Any) -> tuple[int, list[dict[str, str]], str]:
        done, path = taken(tmp_path, **options)
        text = path.read_bytes().decode("utf-8-sig")
        return done, list(csv.DictReader(io.StringIO(text))), text

    return read


def test_numbers_are_masked_and_what_a_spreadsheet_would_change_is_guarded(csv_of: Any) -> None:
    done, rows, text = csv_of()
    assert done == 2
    assert rows[0]["电话"] == f"*******{PHONE[-4:]}" and PHONE not in text
    assert rows[1]["饮食备注"] == "\t3-4" and rows[1]["户籍代码"] == "120104"
    assert rows[0]["身份证号"] == f"**************{number()[-4:]}"
    assert number()[6:] not in text
    assert (rows[0]["姓名"], rows[0]["饮食备注"]) == ("'=1+1", "'@少盐")
    assert (rows[0]["类别"], rows[0]["残疾等级"]) == ("低保;低收入", "2")


def test_english_when_asked_for(csv_of: Any) -> None:
    _, rows, _ = csv_of(locale="en")
    assert rows[1]["status"] == "Active"
    assert rows[0]["categories"] == "Minimum living allowance;Low income"


def test_every_heading_is_one_an_import_understands() -> None:
    for locale in ("zh", "en"):
        headings = [column.heading.into(locale) for column in exporting.table(CLI, ON).columns]
        assert [field_of(heading) for heading in headings] == list(exporting.FIELDS)


def test_staff_take_out_their_ground_and_a_till_nothing(csv_of: Any) -> None:
    assert csv_of(by=STAFF)[0] == exporting.count(STAFF) == 1
    assert csv_of(territory="120103")[0] == exporting.count(CLI, "120103") == 1
    assert csv_of(by=STAFF, territory="120103")[0] == 0
    with pytest.raises(Forbidden):
        csv_of(by=TILL)


def test_more_than_one_helping_comes_out_whole(
    monkeypatch: pytest.MonkeyPatch, csv_of: Any
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    told: list[int] = []
    for n in range(5):
        enrolled(name=f"赵{n}", id_number=number(date(1951, 1, 1), n))
    assert csv_of(progress=told.append)[0] == 7
    assert told == [2, 4, 6, 7]


def test_a_workbook_holds_the_same_and_no_formula(tmp_path: Path) -> None:
    done, path = taken(tmp_path, "xlsx")
    page = openpyxl.load_workbook(path).worksheets[0]
    rows = list(page.iter_rows(values_only=True))
    assert done == 2 and rows[0][:4] == ("身份证号", "姓名", "出生日期", "电话")
    assert {cell.data_type for cell in page[2] if cell.value} == {"s", "d"}
    assert rows[1][1] == "=1+1" and page["B2"].quotePrefix
    assert (page.auto_filter.ref, page.freeze_panes) == ("A1:L3", "B2")


def test_who_took_it_out_is_remembered() -> None:
    with transaction():
        exporting.note_export(STAFF, 1)
    kept = db.session.query(AuditRecord).filter_by(act="export_elders").one()
    assert (kept.actor, kept.detail["elders"]) == ("user:7", 1)
