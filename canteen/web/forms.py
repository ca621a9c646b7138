"""Reading a page's form: each field as what it means, or a complaint that names the field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from flask import render_template
from werkzeug.datastructures import MultiDict

from canteen.errors import CanteenError, Refused
from canteen.money import parse_yuan
from canteen.web.errors import status_of
from canteen.web.field_names import complaint
from canteen.words import Text


class BadField(Refused):
    """A field of a form is missing or not what it should be."""

    code = "bad_field"
    text = Text("请检查这一项", "Please check this field")


def wrong(name: str, text: Text) -> BadField:
    """A complaint about a field, by what it is called."""
    return BadField(complaint(name, text), field=name)


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

    def day(self, name: str, *, required: bool = True) -> date | None:
        """A day, as a date box sends it."""
        value = self.given.get(name, "").strip()
        if not value and not required:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong(name, Text("请选择日期", "Choose a date")) from None

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
            number = name.removeprefix(prefix)
            known = number.isascii() and number.isdigit() and len(number) < 19  # as a row's id is
            if known and name.startswith(prefix) and self.given[name].strip():
                quantity = self.whole(name, least=0, most=most)
                if quantity:
                    found[int(number)] = quantity
        return found


def give_back(
    template: str, refusal: CanteenError, given: Mapping[str, Any], **context: Any
) -> tuple[str, int]:
    """The form again with what was typed and what is wrong: `given`, `errors` and the status."""
    errors = [(refusal.field, refusal.text)]
    return render_template(template, given=given, errors=errors, **context), status_of(refusal)[0]
