"""A sheet of A4 in Chinese or English: headings, facts, tables, boxes to sign in, a foot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from canteen import clock
from canteen.papers import fonts
from canteen.words import Text

MARGIN, WIDTH = 17.0, 176.0
ROW = 5.4
INK, QUIET, LINE, BAND = (33, 28, 21), (85, 78, 67), (160, 150, 135), (241, 234, 220)


@dataclass(frozen=True)
class Col:
    """A column of a table on paper: heading, width in mm, numbers to the right."""

    heading: str
    width: float
    number: bool = False


@dataclass(frozen=True)
class Box:
    """A place to sign: whose it is, and what is known already, line by line."""

    heading: str
    lines: tuple[str, ...]


class Paper(FPDF):
    """An A4 document. `running` heads every page but the first, `foot` stands on each."""

    def __init__(self, *, title: str, running: str, foot: str, locale: str) -> None:
        super().__init__(format="A4")
        self.running, self.foot, self.locale = running, foot, locale
        for style, path in fonts.files().items():
            self.add_font("cjk", style, path, collection_font_number=fonts.SIMPLIFIED)
        self.set_title(title)
        self.set_creation_date(clock.now())
        self.set_lang("zh-CN" if locale == "zh" else "en")
        self.set_margins(MARGIN, 14, MARGIN)
        self.set_auto_page_break(True, 20)
        self.set_draw_color(*LINE)
        self.set_text_color(*INK)
        self.alias_nb_pages("{pages}")
        self.add_page()

    def header(self) -> None:
        """From the second page on, what this is."""
        if self.page > 1:
            self.say(self.running, 8.5, quiet=True, align="R")
            self.ln(1)

    def footer(self) -> None:
        """How to check the paper, and which page this is."""
        self.set_y(-16)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(1)
        page = Text("第 {n} 页，共 {all} 页", "Page {n} of {all}").format(
            n=self.page, all="{pages}"
        )
        self.say(self.foot, 7.5, quiet=True)
        self.say(page.into(self.locale), 7.5, quiet=True, align="C")

    def say(
        self, text: str, size: float = 9.5, *, bold: bool = False, quiet: bool = False,
        align: str = "L", gap: float = 0,
    ) -> None:
        """A line or a paragraph over the whole width."""
        self.set_font("cjk", "B" if bold else "", size)
        self.set_text_color(*(QUIET if quiet else INK))
        self.multi_cell(
            WIDTH, size * 0.5, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        self.set_text_color(*INK)
        self.ln(gap)

    def heading(self, text: str) -> None:
        """The heading of a part, kept together with what follows."""
        self.need(4 * ROW)
        self.ln(2.5)
        self.say(text, 10.5, bold=True, gap=1)

    def need(self, height: float) -> None:
        """Begin a new page unless so many mm are left on this one."""
        if self.will_page_break(height):
            self.add_page()

    def facts(self, pairs: Sequence[tuple[str, str]], label: float = 26) -> None:
        """Labels and values in two columns of a ruled table; the last of an odd number is wide."""
        half = WIDTH / 2
        for number in range(0, len(pairs), 2):
            two = pairs[number : number + 2]
            for name, value in two:
                self.fitted(name, label, fill=True, quiet=True)
                self.fitted(value, (half if len(two) == 2 else WIDTH) - label)
            self.ln(ROW + 0.8)

    def fitted(
        self, text: str, width: float, *, height: float = ROW + 0.8, align: str = "L",
        bold: bool = False, fill: bool = False, quiet: bool = False, border: Any = 1,
        size: float = 9,
    ) -> None:
        """A cell of one line, its letters as much smaller as the text needs."""
        while size > 5 and self._wide(text, size, bold) > width - 2.2:
            size -= 0.25
        self.set_fill_color(*BAND)
        self.set_text_color(*(QUIET if quiet else INK))
        self.cell(width, height, text, border=border, align=align, fill=fill)
        self.set_text_color(*INK)

    def _wide(self, text: str, size: float, bold: bool) -> float:
        self.set_font("cjk", "B" if bold else "", size)
        return float(self.get_string_width(text))

    def grid(
        self, columns: Sequence[Col], rows: Iterable[Sequence[str]],
        total: Sequence[str] | None = None, *, left: float = MARGIN,
    ) -> None:
        """A table; its headings come again on each page. `total` stands under a double rule."""
        self._headings(columns, left)
        for row in rows:
            if self.will_page_break(ROW):
                self.add_page()
                self._headings(columns, left)
            self._cells(columns, row, left)
        if total is None:
            return
        self.need(ROW + 1)
        wide, top = sum(column.width for column in columns), self.get_y()
        self.line(left, top + 0.7, left + wide, top + 0.7)
        self.set_y(top + 0.7)
        self._cells(columns, total, left, bold=True)

    def _headings(self, columns: Sequence[Col], left: float) -> None:
        self._cells(columns, [column.heading for column in columns], left, bold=True, fill=True)

    def _cells(
        self, columns: Sequence[Col], row: Sequence[str], left: float, *, bold: bool = False,
        fill: bool = False,
    ) -> None:
        self.set_x(left)
        for column, text in zip(columns, row, strict=True):
            align = "R" if column.number else "L"
            self.fitted(text, column.width, height=ROW, align=align, bold=bold, fill=fill, size=8.5)
        self.ln(ROW)

    def boxes(self, boxes: Sequence[Box], height: float = 48, stamp: str = "") -> None:
        """Places to sign side by side, never torn apart by the end of a page."""
        self.need(height)
        top, width = self.get_y(), WIDTH / len(boxes)
        for number, box in enumerate(boxes):
            left = MARGIN + number * width
            self.rect(left, top, width, height)
            self.set_xy(left, top)
            self.fitted(box.heading, width, fill=True, bold=True, align="C", size=9)
            for count, line in enumerate(box.lines):
                self.set_xy(left, top + ROW + 2.2 + count * 5.4)
                self.fitted(line, width, border=0, size=8.5)
            self.set_xy(left, top + height - 7)
            self.fitted(stamp, width, border=0, align="C", quiet=True, size=8)
        self.set_xy(MARGIN, top + height)

    def bytes(self) -> bytes:
        """The file. Only the characters used are put into it."""
        return bytes(self.output())
