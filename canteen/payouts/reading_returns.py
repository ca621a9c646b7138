"""Reading the file a bank sends back, strictly: well formed from end to end, or refused."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from canteen.errors import Refused
from canteen.words import Text

MOST_BYTES = 4 * 1024 * 1024
MOST_ROWS = 20_000
COLUMNS: dict[str, tuple[str, ...]] = {
    "reference": ("流水号", "reference"),
    "account": ("收款账号", "account"),
    "amount": ("金额", "amount"),
    "result": ("结果", "result"),
    "bank_reference": ("银行流水号", "bank_reference", "bank reference"),
    "reason": ("原因", "reason"),
}
RESULTS = {
    "成功": "paid", "success": "paid", "paid": "paid",
    "失败": "failed", "failed": "failed",
    "退汇": "returned", "returned": "returned",
}  # fmt: skip
AMOUNT = re.compile(r"\d{1,9}\.\d{2}", re.ASCII)


class BadFile(Refused):
    """The file is not what the bank is to send back; nothing of it was taken in."""

    code = "bad_bank_file"
    text = Text("第 {line} 行“{column}”：{what}", "Row {line}, “{column}”: {what}")


@dataclass(frozen=True)
class Returned:
    """One row of the file: `row` is its number in the file, `amount_fen` in fen."""

    row: int
    reference: str
    account: str
    amount_fen: int
    result: str
    bank_reference: str
    reason: str


def read(content: bytes) -> list[Returned]:
    """The rows of a file, all of them well formed. Refuses with BadFile."""
    if len(content) > MOST_BYTES:
        raise _bad(1, "", Text("文件太大", "the file is too large"))
    text = _decoded(content)
    try:
        every = csv.reader(io.StringIO(text, newline=""), strict=True)
        table = [
            (number, cells) for number, cells in enumerate(every, 1)
            if any(cell.strip() for cell in cells)
        ]  # fmt: skip
    except csv.Error as error:
        said = Text("不是有效的 CSV", "is no proper CSV")
        raise _bad(1, "", said) from error
    if len(table) < 2:
        raise _bad(1, "", Text("文件里没有结果行", "the file has no rows with results"))
    if len(table) > MOST_ROWS:
        raise _bad(MOST_ROWS, "", Text("行数太多", "there are too many rows"))
    places = _places(*table[0])
    return [_returned(number, cells, places, len(table[0][1])) for number, cells in table[1:]]


def _decoded(content: bytes) -> str:
    """UTF-8 with or without its mark, or GB18030 as banks write it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise _bad(1, "", Text("请保存为 UTF-8 或 GB18030 的 CSV", "save it as CSV in UTF-8"))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _bad(1, "", Text("文字编码无法识别", "its characters cannot be read"))


def _places(row: int, heading: list[str]) -> dict[str, int]:
    """Where each column stands."""
    named = [cell.strip().strip("\ufeff").lower() for cell in heading]
    places = {}
    for column, names in COLUMNS.items():
        found = [number for number, name in enumerate(named) if name in names]
        if len(found) != 1:
            what = (
                Text("缺少这一列", "this column is missing") if not found
                else Text("这一列出现了两次", "this column stands there twice")
            )  # fmt: skip
            raise _bad(row, names[0], what)
        places[column] = found[0]
    return places


def _returned(row: int, cells: list[str], places: dict[str, int], width: int) -> Returned:
    if len(cells) != width:
        raise _bad(row, "", Text("列数与表头不符", "has not as many cells as the heading"))
    said = {column: plain(cells[place], 200) for column, place in places.items()}
    if not said["reference"]:
        raise _bad(row, "流水号", Text("不能为空", "may not be empty"))
    if not said["account"]:
        raise _bad(row, "收款账号", Text("不能为空", "may not be empty"))
    if not AMOUNT.fullmatch(said["amount"]):
        raise _bad(row, "金额", Text("须写成 1234.50 这样", "write it like 1234.50"))
    result = RESULTS.get(said["result"].lower())
    if result is None:
        known = Text("须为 成功、失败 或 退汇", "must be success, failed or returned")
        raise _bad(row, "结果", known)
    whole, _, rest = said["amount"].partition(".")
    return Returned(
        row, said["reference"], said["account"], int(whole) * 100 + int(rest), result,
        said["bank_reference"][:50], said["reason"],
    )  # fmt: skip


def plain(text: str, most: int) -> str:
    """A cell without the marks that keep spreadsheets from reckoning, or what is unseen."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.strip().lstrip("'").split())[:most]


def _bad(row: int, column: str, what: Text) -> BadFile:
    names = next((names for names in COLUMNS.values() if column in names), None)
    shown = Text(names[0], names[1]) if names else Text(column or "文件", column or "file")
    return BadFile(row=row, field="file", line=row, column=shown, what=what)
