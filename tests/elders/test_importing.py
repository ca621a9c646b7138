"""A register file: all or nothing, again without doubling, each fault named by its row."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
import xlsxwriter
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import canonical, db, transaction
from canteen.elders import importing, phones, ric
from canteen.elders.facts import facts_on
from canteen.elders.importing import RowError, RowsBad
from canteen.elders.models import Elder, ElderFact, ElderInitials
from canteen.elders.reading import MissingColumns, UnreadableFile
from canteen.errors import Forbidden
from canteen.notices.models import Notice
from canteen.territory.actors import Actor
from tests.elders.factories import (
    CLI,
    DISTRICT,
    OTHER_STREET,
    TILL,
    count,
    enrolled,
    lay_ground,
    number,
    row,
    write_csv,
)

TODAY = date(2026, 11, 20)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def ground(app: Flask) -> Iterator[None]:
    """The districts and streets, and one day that is today for as long as a test takes."""
    with time_machine.travel(clock.instant(TODAY, time(12))):
        lay_ground()
        yield


def take_in(
    path: Path, by: Actor = CLI, **options: bool
) -> tuple[importing.Report, list[RowError]]:
    """Import a file; the report and what was wrong."""
    errors: list[RowError] = []
    prepared = importing.prepare(path, by, errors.append)
    with transaction():
        report = importing.merge(prepared, by, errors.append, **options)
    return report, errors


def wrong_in(path: Path, by: Actor = CLI) -> list[RowError]:
    """What is wrong in a file that is refused."""
    errors: list[RowError] = []
    prepared = importing.prepare(path, by, errors.append)
    with pytest.raises(RowsBad), transaction():
        importing.merge(prepared, by, errors.append)
    return errors


def write_xlsx(path: Path, rows: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        page, dated = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for r, cells in enumerate(rows):
            for c, cell in enumerate(cells):
                if isinstance(cell, date):
                    page.write_datetime(r, c, cell, dated)
                elif cell is not None:
                    page.write(r, c, cell)
    return path


def elder(sequence: int) -> Elder:
    digest = ric.hash_of(number(date(1945, 3, 2), sequence))
    db.session.expire_all()
    return db.session.scalars(sa.select(Elder).where(Elder.ric_hash == digest)).one()


def test_a_file_is_taken_in_with_everything_it_says(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        [
            row(1, 出生日期="1945/3/2", 电话="199 0000 0001", 类别="低保;探访关爱", 失能等级="重度",
                残疾等级="二级", 长护险="是", 认定日期="2024年5月1日", 依据="区民字 1 号",
                饮食备注="少盐"),
            row(2, 状态="入住养老机构", 状态日期="20240517"),
        ],
    )  # fmt: skip
    report, errors = take_in(path)
    assert (report.new, report.bad, report.saved, errors) == (2, 0, True, [])
    first = elder(1)
    standing = facts_on(first.id, date(2024, 5, 17))
    assert standing.categories == {"minimum_living", "visiting_care"}
    assert (standing.care_level, standing.disability_grade) == ("severe", 2)
    assert standing.long_term_care
    assert facts_on(first.id, date(2024, 4, 30)).categories == frozenset()
    assert (first.phone, first.phone_last4, first.diet_notes) == ("19900000001", "0001", "少盐")
    assert ric.decrypt(first.ric_cipher, first.ric_hash) == number(date(1945, 3, 2), 1)
    assert elder(2).status == "in_institution"
    assert db.session.scalar(sa.select(ElderFact.evidence).limit(1)) == "区民字 1 号"
    assert "wx1" in set(db.session.scalars(sa.select(ElderInitials.initials)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_an_encoding_of_the_country_is_understood(tmp_path: Path, encoding: str) -> None:
    assert take_in(write_csv(tmp_path / "a.csv", [row(1)], encoding))[0].new == 1
    assert elder(1).name == "王秀1"


def test_english_headings_and_words_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id_number,name,household,street_code,categories,care_level,status,status_on\n"
        f"{number(date(1945, 3, 2), 1)},Li Wei,120104,120104001,"
        "Minimum living allowance|low_income,,moved away,2024-05-17\n".replace("|", "/")
    )
    errors = wrong_in(path)
    assert {error.field for error in errors} == {"categories"}
    path.write_text(path.read_text().replace("Minimum living allowance/", "minimum_living/"))
    assert take_in(path)[0].new == 1
    assert facts_on(elder(1).id, TODAY).categories == {"low_income", "minimum_living"}
    assert elder(1).status == "moved"


def test_a_workbook_is_taken_in_like_a_csv(tmp_path: Path) -> None:
    headings = ["姓名", "身份证号", "户籍代码", "街道代码", "电话", "认定日期", "类别", "备注"]
    path = write_xlsx(
        tmp_path / "a.xlsx",
        [
            headings,
            ["王秀1", number(date(1945, 3, 2), 1), 120104, 120104001, 19900000001,
             date(2024, 5, 1), "低收入"],
            [None] * 8,
            ["王秀2", number(date(1945, 3, 2), 2), "120104", "120104001"],
        ],
    )  # fmt: skip
    report, errors = take_in(path)
    assert (report.rows, report.new, errors) == (2, 2, [])
    assert elder(1).phone == "19900000001"
    assert facts_on(elder(1).id, date(2024, 5, 1)).categories == {"low_income"}


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    said = {"类别": "低保", "失能等级": "轻度", "状态": "已迁出", "状态日期": "2024-05-17"}
    rows = [row(n, **said) for n in range(30)]
    path = write_csv(tmp_path / "a.csv", rows)
    take_in(path)
    before = (count(Elder), count(ElderFact), count(ElderInitials))
    updated_at = elder(3).updated_at
    report, _ = take_in(path)
    assert (report.new, report.updated, report.unchanged) == (0, 0, 30)
    assert (count(Elder), count(ElderFact), count(ElderInitials)) == before
    assert elder(3).updated_at == updated_at


def test_a_later_file_updates_what_it_speaks_of_and_leaves_the_rest(tmp_path: Path) -> None:
    said = {"类别": "低保;低收入", "认定日期": "2024-01-01", "失能等级": "轻度"}
    take_in(write_csv(tmp_path / "a.csv", [row(1, 电话="19900000001", **said)]))
    changed = row(1, 类别="低保", 认定日期="2024-01-01", 失能等级="重度") | {"姓名": "李桂芳"}
    report, _ = take_in(write_csv(tmp_path / "b.csv", [changed]))
    assert (report.new, report.updated) == (0, 1)
    found = elder(1)
    assert (found.name, found.phone) == ("李桂芳", "19900000001")
    assert "lgf" in set(db.session.scalars(sa.select(ElderInitials.initials)))
    facts = facts_on(found.id, TODAY)
    assert (facts.categories, facts.care_level) == ({"minimum_living"}, "severe")
    # What was true stays true of the days it was true on.
    assert facts_on(found.id, YESTERDAY).categories == {"minimum_living", "low_income"}


def test_who_is_paid_to_an_account_is_told_of_another_phone_at_the_one_there_was(
    tmp_path: Path,
) -> None:
    take_in(write_csv(tmp_path / "a.csv", [row(1, 电话="19900000001"), row(2, 电话="19900000002")]))
    first = elder(1).id
    db.session.rollback()
    with transaction() as session:
        session.execute(sa.update(Elder).where(Elder.id == first).values(payout_account="acct_1"))
    take_in(write_csv(tmp_path / "b.csv", [row(1, 电话="19900000003"), row(2, 电话="19900000004")]))
    told = db.session.scalars(sa.select(Notice)).one()
    assert (told.elder_id, told.to_phone, told.kind) == (first, "19900000001", "phone_change")
    assert phones.former_of([first], told.made_at) == {first: ["19900000001"]}
    assert phones.former_of([first], told.made_at + timedelta(seconds=1)) == {}


def test_a_new_level_ends_the_old_one_on_the_day_before(tmp_path: Path) -> None:
    for since, level in (("2024-01-01", "轻度"), ("2024-06-01", "重度")):
        take_in(write_csv(tmp_path / "a.csv", [row(1, 失能等级=level, 认定日期=since)]))
    levels = [
        facts_on(elder(1).id, on).care_level
        for on in (date(2023, 12, 31), date(2024, 5, 31), date(2024, 6, 1))
    ]
    assert levels == [None, "mild", "severe"]


def test_coming_back_ends_the_stay_and_never_a_death(tmp_path: Path) -> None:
    take_in(
        write_csv(
            tmp_path / "a.csv",
            [row(1, 状态="入住养老机构", 状态日期="2024-01-01"),
             row(2, 状态="已故", 状态日期="2024-01-01")],
        )
    )  # fmt: skip
    back = [row(1, 状态="正常", 状态日期="2024-05-17")]
    take_in(write_csv(tmp_path / "b.csv", back))
    assert elder(1).status == "alive"
    assert facts_on(elder(1).id, date(2024, 5, 16)).in_institution
    assert not facts_on(elder(1).id, date(2024, 5, 17)).in_institution
    ended = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "end_fact")).one()
    assert (ended.subject_id, ended.detail["until"]) == (str(elder(1).id), "2024-05-16")
    (error,) = wrong_in(write_csv(tmp_path / "c.csv", [row(2, 状态="正常")]))
    assert (error.row, error.code) == (2, "recorded_deceased")


BAD = number(date(1945, 3, 2), 9)
BAD = BAD[:-1] + ("1" if BAD[-1] != "1" else "2")


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"身份证号": BAD}, "id_number", "wrong_checksum"),
        ({"身份证号": ""}, "id_number", "missing"),
        ({"身份证号": "1.29901E+17"}, "id_number", "id_number_as_number"),
        ({"身份证号": number(TODAY + timedelta(days=1))}, "id_number", "bad_birth_date"),
        ({"姓名": ""}, "name", "missing"),
        ({"出生日期": "1945-02-30"}, "birth_date", "bad_date"),
        ({"出生日期": "1945-03-03"}, "birth_date", "birth_date_differs"),
        ({"户籍代码": "120199"}, "household", "unknown_household"),
        ({"街道代码": "天塔"}, "street_code", "unknown_street"),
        ({"电话": "无"}, "phone", "bad_phone"),
        ({"类别": "富裕"}, "categories", "unknown_value"),
        ({"失能等级": "很重"}, "care_level", "unknown_value"),
        ({"残疾等级": "9"}, "disability_grade", "unknown_value"),
        ({"长护险": "也许"}, "long_term_care", "unknown_value"),
        ({"状态": "云游"}, "status", "unknown_value"),
        ({"状态": "已故"}, "status_on", "missing"),
        ({"类别": "低保", "认定日期": "昨天"}, "valid_from", "bad_date"),
        (
            {"类别": "低保", "认定日期": "2024-05-02", "有效期至": "2024-05-01"},
            "valid_to", "bad_dates",
        ),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_and_nothing_of_the_file_is_saved(
    tmp_path: Path, cells: dict[str, str], field: str, code: str
) -> None:
    errors = wrong_in(write_csv(tmp_path / "a.csv", [row(1), row(2, **cells), row(3)]))
    assert [(error.row, error.field, error.code) for error in errors] == [(3, field, code)]
    assert errors[0].text.zh and errors[0].text.en
    assert count(Elder) == count(ElderFact) == count(AuditRecord) == 0


def test_good_rows_are_saved_when_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2) | {"身份证号": BAD}, row(3)])
    report, errors = take_in(path, skip_bad=True)
    assert (report.rows, report.new, report.bad, len(errors)) == (3, 2, 1, 1)
    assert count(Elder) == 2


def test_one_person_twice_in_a_file_names_both_rows(tmp_path: Path) -> None:
    (error,) = wrong_in(write_csv(tmp_path / "a.csv", [row(1), row(2), row(1)]))
    assert (error.row, error.code) == (4, "twice_in_file")
    assert "2" in error.text.en


def test_a_dry_run_counts_and_saves_nothing(tmp_path: Path) -> None:
    take_in(write_csv(tmp_path / "a.csv", [row(1), row(2)]))
    before = (count(AuditRecord), count(ElderFact))
    rows = [row(1), row(2, 类别="低保"), row(3), row(4) | {"姓名": ""}]
    report, errors = take_in(write_csv(tmp_path / "b.csv", rows), dry_run=True)
    assert (report.new, report.updated, report.unchanged, report.bad) == (1, 1, 1, 1)
    assert not report.saved and len(errors) == 1
    assert count(Elder) == 2 and (count(AuditRecord), count(ElderFact)) == before


def test_staff_import_their_own_ground_only(tmp_path: Path) -> None:
    elsewhere = row(1) | {"街道代码": OTHER_STREET}
    (error,) = wrong_in(write_csv(tmp_path / "a.csv", [elsewhere]), DISTRICT)
    assert error.code == "unknown_street"
    enrolled(street_code=OTHER_STREET, id_number=number(date(1945, 3, 2), 5))
    (error,) = wrong_in(write_csv(tmp_path / "b.csv", [row(5)]), DISTRICT)
    assert error.code == "already_enrolled"
    with pytest.raises(Forbidden):
        importing.prepare(tmp_path / "b.csv", TILL, lambda error: None)


def cut_in_quotes(path: Path) -> None:
    write_csv(path, [row(n, 饮食备注='少盐,"清淡"') for n in range(50)])
    path.write_bytes(path.read_bytes()[:-11])


def cut_in_a_character(path: Path) -> None:
    write_csv(path, [row(n, 饮食备注="清淡") for n in range(50)])
    path.write_bytes(path.read_bytes()[:-3])


def cut_xlsx(path: Path) -> None:
    write_xlsx(path, [list(row(0)), *[list(row(n).values()) for n in range(200)]])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def broken_sheet(path: Path) -> None:
    write_xlsx(path, [list(row(0)), list(row(1).values())])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet][: len(parts[sheet]) // 2]
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    "spoil",
    [
        cut_in_quotes,
        cut_in_a_character,
        lambda path: path.write_bytes("身份证号,姓名\r\n1,王".encode("gb18030")[:-1]),
        cut_xlsx,
        broken_sheet,
        lambda path: path.write_bytes(b"PK\x03\x04 not a workbook"),
        lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0 an old workbook"),
        lambda path: path.write_bytes("身份证号,姓名\n".encode("utf-16")),
        lambda path: path.write_bytes(b"\xff\xfe\xff\x80\xff, \xff"),
        lambda path: path.write_bytes(b""),
        lambda path: path.mkdir(),
        lambda path: None,
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    path = tmp_path / "a"
    spoil(path)
    with pytest.raises(UnreadableFile) as refused:
        importing.prepare(path, CLI, lambda error: None)
    assert refused.value.text.zh and refused.value.text.en
    assert count(Elder) == 0


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("姓名,电话\n王秀,1\n")
    with pytest.raises(MissingColumns) as refused:
        importing.prepare(path, CLI, lambda error: None)
    assert "身份证号、户籍代码、街道代码" in refused.value.text.zh
    assert "id_number, household, street_code" in refused.value.text.en.replace("、", ", ")


def test_a_row_cut_short_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2)])
    path.write_text(path.read_text().rstrip().rsplit(",", 1)[0])
    (error,) = wrong_in(path)
    assert (error.row, error.code) == (3, "row_incomplete")


def test_errors_and_audit_never_show_a_number(tmp_path: Path) -> None:
    whole = number(date(1945, 3, 2), 7)
    shifted = row(7) | {"身份证号": "王秀", "姓名": whole, "类别": whole, "电话": whole}
    out = io.StringIO()
    to_file = importing.ErrorsFile(out)
    path = write_csv(tmp_path / "a.csv", [row(8), row(9) | {"身份证号": BAD}, shifted])
    prepared = importing.prepare(path, CLI, to_file)
    with transaction():
        importing.merge(prepared, CLI, to_file, skip_bad=True)
    told = out.getvalue() + canonical([r.detail for r in db.session.query(AuditRecord)])
    told += repr(prepared)
    assert whole[6:14] not in told and BAD not in told and number(date(1945, 3, 2), 8) not in told
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert {line["row"] for line in lines} == {"3", "4"}
    assert lines[0]["value"] == f"**************{BAD[-4:]}"
    assert set(lines[0]) == {"row", "field", "value", "code", "zh", "en"}


def test_progress_reaches_its_end(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(n) for n in range(999)] + [row(999)])
    told: list[tuple[int, int]] = []
    prepared = importing.prepare(
        path, CLI, lambda error: None, lambda *step: told.append(step)
    )
    assert told[0][0] == 500 and told[-1] == (1000, 1000)
    merged: list[tuple[int, int]] = []
    with transaction():
        importing.merge(
            prepared, CLI, lambda error: None, progress=lambda *step: merged.append(step)
        )
    assert merged[-1] == (1000, 1000)
