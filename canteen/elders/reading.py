"""Reading a register file row by row: CSV in UTF-8 or GB 18030, or XLSX."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from canteen.elders.columns import HEADINGS, REQUIRED, field_of
from canteen.errors import Refused
from canteen.words import Text

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 1024 * 1024 * 1024  # an XLSX of 100,000 people unpacks to about 80 MB
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
BROKEN_XLSX = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, AttributeError,
    EOFError, OSError,
)  # fmt: skip


class UnreadableFile(Refused):
    """The file is not what it says, or only half of it is there."""

    code = "unreadable_file"
    text = Text(
        "这个文件打不开或不完整，请重新导出后再试",
        "The file is damaged or incomplete; export it again",
    )


class MissingColumns(Refused):
    """Columns without which nobody can be put on the register are not there."""

    code = "missing_columns"
    text = Text("缺少这些列：{columns}", "These columns are missing: {columns}")


class RowIncomplete(Refused):
    """A row has fewer or more cells than the heading: the file was cut or a comma is loose."""

    code = "row_incomplete"
    text = Text("这一行的列数与表头不一致", "This row has not as many cells as the heading")


@dataclass(frozen=True)
class Sheet:
    """A file ready to be read: which fields it has, about how many rows, and its digest."""

    fields: frozenset[str]
    rows: Iterator[tuple[int, dict[str, str] | None]]
    about: int
    digest: str


def open_sheet(path: Path) -> Sheet:
    """Open a file by what it holds, not by its name.

    `rows` gives (row number as a spreadsheet counts, cells by field), None in place of the cells
    of a row that does not fit the heading; empty rows are passed over. Refuses UnreadableFile and
    MissingColumns, also while the rows are read.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError:
        raise UnreadableFile(Text("文件读不到", "The file cannot be read")) from None
    if content is None:
        raise UnreadableFile(Text("文件超过 200 MB", "The file is larger than 200 MB"))
    if not content.strip():
        raise UnreadableFile(Text("文件是空的", "The file is empty"))
    if content.startswith(OLD_EXCEL):
        raise UnreadableFile(
            Text("请另存为 XLSX 或 CSV 后再导入", "Please save it as XLSX or CSV first")
        )
    if content.startswith(b"PK"):
        lines, about = _xlsx(content)
    else:
        lines, about = _csv(content)
    return _sheet(lines, about, hashlib.sha256(content).hexdigest())


def _sheet(lines: Iterator[tuple[int, list[str]]], about: int, digest: str) -> Sheet:
    number, heading = next(lines, (0, []))
    places = {}
    for place, text in enumerate(heading):
        field = field_of(text)
        if field in places:
            raise UnreadableFile(
                Text(f"“{text}”这一列出现了两次", f"The column “{text}” is there twice"), row=number
            )
        if field:
            places[field] = place
    missing = [field for field in REQUIRED if field not in places]
    if missing:
        columns = Text(*("、".join(HEADINGS[field][i] for field in missing) for i in (0, 1)))
        raise MissingColumns(columns=columns)
    width = len(heading)

    def rows() -> Iterator[tuple[int, dict[str, str] | None]]:
        for number, cells in lines:
            if not any(cells):
                continue
            fits = len(cells) == width
            yield number, {field: cells[at] for field, at in places.items()} if fits else None

    return Sheet(frozenset(places), rows(), about, digest)


def _csv(content: bytes) -> tuple[Iterator[tuple[int, list[str]]], int]:
    if b"\x00" in content:
        raise UnreadableFile()
    text = _decoded(content)

    def lines() -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            for cells in reader:
                # Excel keeps a long number as ="1299…" or with a leading tab or apostrophe.
                yield reader.line_num, [_plain(cell) for cell in cells]
        except csv.Error:
            raise UnreadableFile(row=reader.line_num) from None

    return lines(), text.count("\n")


def _decoded(content: bytes) -> str:
    """UTF-8, else GB 18030. A UTF-8 file with a few broken characters is damaged, not GB 18030,
    in which most of them would mean something else."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = content.decode("utf-8", errors="replace")
    broken = guess.count("\ufffd")
    if broken * 10 < sum(not character.isascii() for character in guess):
        row = guess.count("\n", 0, guess.index("\ufffd")) + 1
        raise UnreadableFile(row=row)
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError:
        raise UnreadableFile(
            Text("文字编码不对，请存为 UTF-8 或 GB 18030", "Save the file as UTF-8 or GB 18030")
        ) from None


def _plain(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    return cell.removeprefix("'").strip()


def _xlsx(content: bytes) -> tuple[Iterator[tuple[int, list[str]]], int]:
    import openpyxl  # here, because every command would wait for it and few read a workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise UnreadableFile(Text("文件内容过大", "The file unpacks to too much"))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        page = book.worksheets[0]
        about = page.max_row or 0
        page.reset_dimensions()  # what a file says of its own size is not always true
    except (*BROKEN_XLSX, IndexError):
        raise UnreadableFile() from None

    def lines() -> Iterator[tuple[int, list[str]]]:
        width = None
        number = 0
        try:
            for number, cells in enumerate(page.iter_rows(values_only=True), 1):
                texts = [_cell(value) for value in cells]
                if width is None:
                    width = len(_trimmed(texts))
                yield number, _fitted(texts, width)
        except BROKEN_XLSX:
            raise UnreadableFile(row=number + 1) from None

    return lines(), max(about - 1, 0)


def _fitted(texts: list[str], width: int) -> list[str]:
    """Empty cells at the end of a row are not kept in the file; they are no fault."""
    if len(texts) > width:
        texts = texts[:width] + _trimmed(texts[width:])
    return texts + [""] * (width - len(texts))


def _trimmed(texts: Iterable[str]) -> list[str]:
    kept = list(texts)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | int) and not isinstance(value, bool):
        # A number of over 15 digits has lost the last ones; say so in the way of a spreadsheet.
        return f"{value:.5E}" if abs(value) >= 1e15 else f"{value:.15g}"
    return str(value)
