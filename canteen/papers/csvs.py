"""A table as CSV that Excel and WPS open right: marked UTF-8, Chinese whole, nothing a formula."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path
from typing import Any

from canteen import clock
from canteen.papers.tables import Kind, Table, clean, is_formula

# From twelve digits on a spreadsheet shows a number as 1.23E+11.
LONG_NUMBER = 12
# What it takes for a day, a time, a part or a power of ten, and rewrites: 2026-10, 3/4, 10月1日,
# 12:30, Oct 26, 5 pm, 50%, 1E5. Tried without going back, so that no long text takes long.
MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
REWRITTEN = re.compile(
    rf"(?=.*\d)(?:\d[\d.,]*e[+-]?\d+|(?:[-\d/:.,%\s年月日时分秒]|{MONTHS}|[ap]m?|上午|下午)++)",
    re.IGNORECASE,
)


def write(path: Path, table: Table, locale: str = "zh") -> int:
    """Write a table row by row; gives their number.

    UTF-8 with its mark, lines end with CRLF, money is 12.34 without marks between thousands,
    instants are the wall clock in Shanghai. A text that a spreadsheet would run or reckon with
    (=1+1, 0012, 2026-10, 1E5, a code of eighteen digits) has a ' or a tab before it.
    """
    number = 0
    kinds = [column.kind for column in table.columns]
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(kept(column.heading.into(locale)) for column in table.columns)
        for row in table.rows:
            cells = zip(row, kinds, strict=True)
            writer.writerow([cell(value, kind, locale) for value, kind in cells])
            number += 1
    return number


def cell(value: Any, kind: Kind, locale: str) -> str:
    """One cell as a program or a spreadsheet reads it."""
    if value is None:
        return ""
    if kind == "text":
        return kept(clean(value, locale))
    if kind == "fen":
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
    if kind == "percent":
        return f"{value / 100:.2f}%"
    if kind == "datetime":
        return f"{clock.local(value):%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if kind == "date" else str(value)


def kept(text: str) -> str:
    """A text as no spreadsheet changes it."""
    if is_formula(text):
        return "'" + text
    if text.isdecimal():
        changes = len(text) >= LONG_NUMBER or (text[0] == "0" and len(text) > 1)
    else:
        changes = bool(REWRITTEN.fullmatch(unicodedata.normalize("NFKC", text)))
    return "\t" + text if changes else text
