"""Tables written out and read back: types, formats, sums, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from canteen.papers import csvs, tables, workbooks
from canteen.papers.tables import Column, Table
from canteen.words import Text

COLUMNS = (
    Column(Text("食堂", "Canteen"), width=24),
    Column(Text("日期", "Day"), "date"),
    Column(Text("时间", "At"), "datetime"),
    Column(Text("餐次", "Meals"), "int", summed=True),
    Column(Text("补贴(元)", "Subsidy (yuan)"), "fen", summed=True),
    Column(Text("占比", "Share"), "percent"),
)
AT = datetime(2026, 10, 1, 4, 5, 6, tzinfo=UTC)
ROWS = [
    ("和味食堂", date(2026, 10, 1), AT, 3, 1234, 1250),
    ("=1+1", date(2026, 10, 2), AT, -1, -300, None),
    (Text("中文", "English"), None, None, 0, 100_000_005, 10_000),
]


def table(rows: Any = ROWS, title: str = "餐次明细") -> Table:
    return Table(Text(title, "Meals in detail"), COLUMNS, rows)


def written(path: Path, *given: Table, locale: str = "zh") -> openpyxl.Workbook:
    workbooks.write(path / "out.xlsx", given or [table()], locale)
    return openpyxl.load_workbook(path / "out.xlsx")


def test_a_workbook_holds_numbers_dates_and_text_as_what_they_are(tmp_path: Path) -> None:
    sheet = written(tmp_path)["餐次明细"]
    assert [cell.value for cell in sheet[1]] == [
        "食堂", "日期", "时间", "餐次", "补贴(元)", "占比",
    ]  # fmt: skip
    name, day, at, *numbers = (cell.value for cell in sheet[2])
    assert (name, numbers) == ("和味食堂", [3, 12.34, 0.125])
    assert (day.isoformat(), at.isoformat()) == ("2026-10-01T00:00:00", "2026-10-01T12:05:06")
    assert [cell.number_format for cell in sheet[2]] == [
        "@", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "#,##0", "#,##0.00", "0.00%",
    ]  # fmt: skip
    assert sheet["E4"].value == 1_000_000.05
    assert sheet["B4"].value is None


def test_the_header_stays_in_view_and_filters_and_columns_are_wide_enough(tmp_path: Path) -> None:
    sheet = written(tmp_path).active
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:F4")
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.column_dimensions["A"].width >= 24
    assert sheet.column_dimensions["E"].width >= 12


def test_the_last_line_sums_what_the_filter_leaves_and_carries_the_result(tmp_path: Path) -> None:
    sheet = written(tmp_path).active
    assert sheet["A5"].value == "合计"
    assert sheet["D5"].value == "=SUBTOTAL(109,D2:D4)"
    assert sheet["E5"].value == "=SUBTOTAL(109,E2:E4)"
    known = openpyxl.load_workbook(tmp_path / "out.xlsx", data_only=True).active
    assert (known["D5"].value, known["E5"].value) == (2, 1_000_009.39)


@pytest.mark.parametrize("name", ["=1+1", "+86", "-2+3", "@SUM(A1)", "＝1+1", "=cmd|' /C calc'!A0"])
def test_a_name_that_looks_like_a_formula_stays_text(tmp_path: Path, name: str) -> None:
    given = table([(name, None, None, 0, 0, None)])
    cell = written(tmp_path, given).active["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (name, "s", True)
    csvs.write(tmp_path / "out.csv", given)
    assert read(tmp_path)[1][0] == "'" + name


def test_english_readers_get_english_headings_and_texts(tmp_path: Path) -> None:
    book = written(tmp_path, locale="en")
    sheet = book["Meals in detail"]
    assert (sheet["A1"].value, sheet["A4"].value, sheet["A5"].value) == (
        "Canteen", "English", "Total",
    )  # fmt: skip


def test_an_empty_table_is_headings_and_noughts(tmp_path: Path) -> None:
    sheet = written(tmp_path, table([])).active
    assert [cell.value for cell in sheet[2]] == ["合计", None, None, 0, 0, None]


def test_sheets_have_names_a_workbook_takes(tmp_path: Path) -> None:
    long = "按月、按区、按等级的补贴餐次与金额以及检查发现的问题的汇总表格"
    book = written(tmp_path, *(table([], name) for name in (long, long, "a/b:[c]", "History", "'")))
    names = book.sheetnames
    assert all(1 <= len(name) <= 31 for name in names)
    assert names[1] == f"{long[:29]} 2" and names[2] == "a b  c" and names[3] != "History"


def test_more_rows_than_a_sheet_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    with pytest.raises(workbooks.TooManyRows):
        written(tmp_path)


def read(path: Path) -> list[list[str]]:
    text = (path / "out.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_is_marked_utf8_with_crlf_and_plain_numbers(tmp_path: Path) -> None:
    assert csvs.write(tmp_path / "out.csv", table()) == 3
    raw = (tmp_path / "out.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") == raw.count(b"\n") == 4
    assert read(tmp_path)[1:] == [
        ["和味食堂", "2026-10-01", "2026-10-01 12:05:06", "3", "12.34", "12.50%"],
        ["'=1+1", "2026-10-02", "2026-10-01 12:05:06", "-1", "-3.00", ""],
        ["中文", "", "", "0", "1000000.05", "100.00%"],
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("0012", "\t0012"), ("911299900000000001", "\t911299900000000001"), ("12", "12"), ("0", "0"),
     *((text, f"\t{text}") for text in (
         "2026-10", "3-4", "10/12", "10月1日", "2026年10月", "12:30", "５：３０", "Oct 26", "5 pm",
         "1E5", "2.5e+10", "1,234", "50%", "12.50", "下午3时",
     )),
     *((text, text) for text in (
         "3号楼", "May", "三月", "E5", "2026-10期", "1E5楼", "12 march hall",
         "ama1marpa" * 300 + "x",
     )),
     ("天津,市", "天津,市"), ("a\x00b\x0bc\ud800", "abc"), ("二\r\n行", "二\n行")],
)  # fmt: skip
def test_csv_text_is_not_changed_by_a_spreadsheet(tmp_path: Path, text: str, kept: str) -> None:
    csvs.write(tmp_path / "out.csv", table([(text, None, None, 0, 0, None)]))
    assert read(tmp_path)[1][0] == kept


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_long_list_takes_no_more_memory_than_a_short_one(tmp_path: Path, kind: str) -> None:
    def many(number: int) -> Iterator[tuple[Any, ...]]:
        for one in range(number):
            yield (f"食堂 {one}", date(2026, 10, 1), AT, one, one, 100)

    def peak(number: int) -> int:
        tracemalloc.start()
        if kind == "csv":
            csvs.write(tmp_path / "out.csv", table(many(number)))
        else:
            workbooks.write(tmp_path / "out.xlsx", [table(many(number))])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(6000) < peak(1000) + 1_000_000


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [(123456, "fen", "1,234.56"), (-5, "fen", "−0.05"), (1250, "percent", "12.5%"),
     (12345, "int", "12,345"), (-3, "int", "−3"), (None, "fen", ""),
     (AT, "datetime", "2026-10-01 12:05"), (date(2026, 10, 1), "date", "2026-10-01"),
     (Text("中", "en"), "text", "中")],
)  # fmt: skip
def test_cells_on_paper_are_said_as_people_read_them(value: Any, kind: Any, said: str) -> None:
    assert tables.in_words(value, kind, "zh") == said
