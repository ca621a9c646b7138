"""One description of a table: what its columns hold and where its rows come from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from canteen import clock
from canteen.money import yuan
from canteen.words import Text

Kind = Literal["text", "id", "int", "fen", "date", "datetime", "percent"]
WIDTHS: dict[str, int] = {
    "text": 20, "id": 10, "int": 9, "fen": 14, "date": 12, "datetime": 20, "percent": 10,
}
# Control characters and halves of characters: no file format can hold them.
UNKEEPABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What a cell begins with when a spreadsheet may take it for a formula; wide signs count too.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Column:
    """One column. `fen` cells are integers of fen and shown as yuan, `percent` basis points; an
    `id` is a number that is never summed or grouped by thousands.

    `summed` columns have a sum at the foot. `width` is in characters, 0 for the kind's own.
    """

    heading: Text
    kind: Kind = "text"
    width: int = 0
    summed: bool = False

    def characters(self, locale: str) -> int:
        """How wide the column is, in Latin characters; a heading with its filter arrow fits."""
        return max(self.width or WIDTHS[self.kind], _cells(self.heading.into(locale)) + 4)


@dataclass(frozen=True)
class Table:
    """Rows under headings. `rows` is read once, in order, and never held as a whole.

    A cell is what its column's kind says (str, int, date, aware datetime), None for an empty one;
    a Text is shown in the reader's language.
    """

    title: Text
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Any]]
    total: Text = field(default=Text("合计", "Total"))

    @property
    def summed(self) -> bool:
        """Whether the table has a line of sums."""
        return any(column.summed for column in self.columns)


def clean(value: Any, locale: str) -> str:
    """A cell's text in the reader's language, without what no file format can hold."""
    text = value.into(locale) if isinstance(value, Text) else str(value)
    return UNKEEPABLE.sub("", text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula."""
    return unicodedata.normalize("NFKC", text[:1]) in FORMULAS if text else False


def in_words(value: Any, kind: Kind, locale: str) -> str:
    """A cell as people read it on paper: 1,234.50, 2026-10-01, 12.5%; nothing for None."""
    if value is None:
        return ""
    if kind == "fen":
        return yuan(value)
    if kind == "int":
        return f"{value:,}".replace("-", "−")
    if kind == "percent":
        return f"{value / 100:.2f}".rstrip("0").rstrip(".").replace("-", "−") + "%"
    if kind == "datetime" and isinstance(value, datetime):
        return f"{clock.local(value):%Y-%m-%d %H:%M}"
    if kind == "date" and isinstance(value, date):
        return value.isoformat()
    return clean(value, locale)


def _cells(text: str) -> int:
    """How many Latin characters wide a text is: a Chinese one counts for two."""
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)
