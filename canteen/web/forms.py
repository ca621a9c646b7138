"""Reading a page's form: each field as what it means, or a complaint that names the field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from flask import render_template
from werkzeug.datastructures import MultiDict

from canteen import clock
from canteen.errors import CanteenError, Refused
from canteen.money import parse_yuan
from canteen.web.errors import status_of
from canteen.web.field_names import complaint
from canteen.web.grounds import MOST
from canteen.words import Text

EARLIEST, LATEST, AHEAD = 2000, 2100, 10  # the years an address may name; years a form looks ahead


def point(refusal: CanteenError, ids: str) -> None:
    """Let a refusal name its field as this page does: `ids` is what an id is like, "{}-7"."""
    if refusal.field:
        refusal.field = ids.format(refusal.field)


def call(refusal: CanteenError, names: Mapping[str, Text]) -> None:
    """Lead a refusal with what this page calls its field; one it has no name for stays."""
    if refusal.field and refusal.field in names:
        refusal.text = complaint(refusal.field, refusal.text, names[refusal.field])


class BadField(Refused):
    """A field of a form is missing or not what it should be."""

    code = "bad_field"
    text = Text("请检查这一项", "Please check this field")


def wrong(name: str, text: Text) -> BadField:
    """A complaint about a field, by what it is called."""
    return BadField(complaint(name, text), field=name)


def whole(text: str, *, most: int = MOST) -> int | None:
    """A whole number up to `most`, as a row's id is at the most; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text) if int(text) <= most else None


def row_ids(values: Iterable[str]) -> list[int]:
    """The rows ticked in a list, each once; what can be no row's id is left out."""
    return list(dict.fromkeys(n for value in values if (n := whole(value)) is not None))


def a_day(text: str) -> date | None:
    """A day as an address writes it, of a year that can be meant; None for anything else."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if EARLIEST <= on.year <= LATEST else None


class Fields:
    """A form read field by field; every method refuses with BadField naming the field."""

    def __init__(self, given: MultiDict[str, str]) -> None:
        self.given = given

    def text(self, name: str, *, most: int = 200, required: bool = True) -> str:
        """One line or paragraph, trimmed, of at most `most` characters."""
        value = self.given.get(name, "").strip()
        if required and not value:
            raise wrong(name, Text("请填写这一项", "Please fill this in"))
        if len(value) > most:
            said = Text("最多 {most} 个字", "At most {most} characters").format(most=most)
            raise wrong(name, said)
        return value

    def whole(self, name: str, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number between `least` and `most`."""
        value = self.given.get(name, "").strip()
        if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 12:
            raise wrong(name, Text("请填写整数", "Enter a whole number"))
        if not least <= int(value) <= most:
            said = Text("须在 {least} 至 {most} 之间", "Enter a number from {least} to {most}")
            raise wrong(name, said.format(least=least, most=most))
        return int(value)

    def day(
        self, name: str, *, required: bool = True, since: int = EARLIEST, until: int | None = None
    ) -> date | None:
        """A day, as a date box sends it, of the year `since` to `until` or ten years from now."""
        value = self.given.get(name, "").strip()
        if not value and not required:
            return None
        try:
            on = date.fromisoformat(value)
        except ValueError:
            raise wrong(name, Text("请选择日期", "Choose a date")) from None
        last = until or clock.business_date().year + AHEAD
        if not since <= on.year <= last:
            said = Text("年份须在 {since} 至 {last} 之间", "Choose a year from {since} to {last}")
            raise wrong(name, said.format(since=since, last=last))
        return on

    def yuan(self, name: str) -> int:
        """Fen from what was typed as yuan."""
        return parse_yuan(self.given.get(name, ""), field=name)

    def choice(self, name: str, among: Collection[str], *, required: bool = True) -> str | None:
        """One of the codes offered."""
        value = self.given.get(name, "")
        if not value and not required:
            return None
        if value not in among:
            raise wrong(name, Text("请选择一项", "Choose one"))
        return value

    def choices(self, name: str, among: Collection[str]) -> list[str]:
        """Any of the codes offered, each once, in the order sent."""
        values = list(dict.fromkeys(self.given.getlist(name)))
        if any(value not in among for value in values):
            raise wrong(name, Text("请从列表中选择", "Choose from the list"))
        return values

    def quantities(self, prefix: str, *, most: int = 50) -> dict[int, int]:
        """How many of each thing: fields "item-12" = "2" as {12: 2}; nought and blank left out."""
        found = {}
        for name in self.given:
            number = whole(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if number is not None and self.given[name].strip():
                quantity = self.whole(name, least=0, most=most)
                if quantity:
                    found[number] = quantity
        return found


def give_back(
    template: str, refusal: CanteenError, given: Mapping[str, Any], **context: Any
) -> tuple[str, int]:
    """The form again with what was typed and what is wrong: `given`, `errors` and the status."""
    errors = [(refusal.field, refusal.text)]
    return render_template(template, given=given, errors=errors, **context), status_of(refusal)[0]
