"""Tables as a workbook that opens right in Excel and WPS: real numbers, dates, sums, filters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from canteen import clock
from canteen.errors import Refused
from canteen.papers.tables import Column, Table, clean, is_formula
from canteen.words import Text

MOST_ROWS = 1_048_576 - 2  # a sheet's last row, less the headings and the sums
MOST_LETTERS = 32_767
FORMATS = {
    "id": "0", "int": "#,##0", "fen": "#,##0.00", "percent": "0.00%", "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
}  # fmt: skip
DIVISORS = {"fen": 100, "percent": 10_000}
WRONG_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
A4 = 9


class TooManyRows(Refused):
    """There is more than a sheet can hold."""

    code = "too_many_rows"
    text = Text(
        "超过一张工作表的上限（{most} 行），请缩小范围后再导出",
        "More than a sheet can hold ({most} rows); ask for less",
    )


def write(path: Path, tables: Sequence[Table], locale: str = "zh") -> int:
    """Write each table to a sheet of its own; gives the number of rows in the last of them.

    A row is written and forgotten, so memory does not grow with the table. Money becomes yuan,
    instants the wall clock in Shanghai; text stays text whatever it begins with. The sums at the
    foot follow the filter the reader sets. Refuses more rows than a sheet has (TooManyRows).
    """
    rows = 0
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": tables[0].title.into(locale), "created": _wall(clock.now())})
        looks = {kind: book.add_format({"num_format": shape}) for kind, shape in FORMATS.items()}
        looks["text"] = book.add_format({"num_format": "@"})
        looks["quoted"] = book.add_format({"num_format": "@", "quote_prefix": True})
        looks["heading"] = book.add_format(
            {"bold": True, "bg_color": "#F1EADC", "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        for kind in ("text", *FORMATS):
            shape = {"num_format": FORMATS.get(kind, "@"), "bold": True, "top": 6}
            looks[f"sum {kind}"] = book.add_format(shape)
        taken: set[str] = set()
        for table in tables:
            sheet = book.add_worksheet(sheet_name(table.title.into(locale), taken))
            rows = _fill(sheet, table, looks, locale)
    return rows


def sheet_name(title: str, taken: set[str]) -> str:
    """A name a workbook takes: 31 characters, no []:*?/\\, none twice. Added to `taken`."""
    plain = WRONG_IN_NAMES.sub(" ", title).strip(" '")[:31].strip(" '") or "1"
    name, number = plain, 1
    while name.casefold() in taken or name.casefold() == "history":
        number += 1
        name = f"{plain[: 31 - len(str(number)) - 1]} {number}"
    taken.add(name.casefold())
    return name


def _fill(sheet: Any, table: Table, looks: dict[str, Any], locale: str) -> int:
    columns = table.columns
    for index, column in enumerate(columns):
        sheet.set_column(index, index, column.characters(locale))
        sheet.write_string(0, index, column.heading.into(locale), looks["heading"])
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P / &N")
    sums, number = [0] * len(columns), 0
    for number, row in enumerate(table.rows, 1):
        if number > MOST_ROWS:
            raise TooManyRows(most=f"{MOST_ROWS:,}")
        for index, (column, value) in enumerate(zip(columns, row, strict=True)):
            if value is not None:
                _put(sheet, number, index, column, value, looks, locale)
                if column.summed:
                    sums[index] += value
    sheet.autofilter(0, 0, number, len(columns) - 1)
    if table.summed:
        _sums(sheet, table, sums, number, looks, locale)
    return number


def _put(
    sheet: Any, row: int, index: int, column: Column, value: Any, looks: dict[str, Any],
    locale: str,
) -> None:  # fmt: skip
    kind = column.kind
    if kind == "text":
        text = clean(value, locale)[:MOST_LETTERS]
        sheet.write_string(row, index, text, looks["quoted" if is_formula(text) else "text"])
    elif kind == "date":
        sheet.write_datetime(row, index, value, looks[kind])
    elif kind == "datetime":
        sheet.write_datetime(row, index, _wall(value), looks[kind])
    else:
        sheet.write_number(row, index, _number(kind, value), looks[kind])


def _sums(
    sheet: Any, table: Table, sums: list[int], rows: int, looks: dict[str, Any], locale: str
) -> None:
    """The line at the foot; the formulas carry their results for readers that do not reckon."""
    for index, column in enumerate(table.columns):
        look = looks[f"sum {column.kind}"]
        if column.summed and rows:
            name, value = xl_col_to_name(index), _number(column.kind, sums[index])
            formula = f"=SUBTOTAL(109,{name}2:{name}{rows + 1})"
            sheet.write_formula(rows + 1, index, formula, look, value)
        elif column.summed:
            sheet.write_number(rows + 1, index, 0, look)
        elif index == 0:
            sheet.write_string(rows + 1, index, table.total.into(locale), looks["sum text"])
        else:
            sheet.write_blank(rows + 1, index, None, look)


def _number(kind: str, value: int) -> float | int:
    """A cell's number as a sheet holds it: yuan for fen, a part of one for basis points."""
    divisor = DIVISORS.get(kind)
    return value / divisor if divisor else value


def _wall(at: Any) -> Any:
    """An instant as the wall clock in Shanghai shows it, which is all a sheet can hold."""
    return clock.local(at).replace(tzinfo=None)
