"""The kinds of value programs send: bounded, so that no absurd one reaches a room."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

MOST_ID = 2**63 - 1
MOST_FEN = 10_000_000_000
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2100, 12, 31)


class Line(fields.String):
    """Text a person wrote: trimmed, without control characters, of a bounded length."""

    def __init__(self, most: int, *, least: int = 0, **more: Any) -> None:
        super().__init__(validate=validate.Length(min=least, max=most), **more)

    def _deserialize(self, value: Any, *args: Any, **more: Any) -> str:
        text = super()._deserialize(value, *args, **more)
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
            raise self.make_error("invalid")
        if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
            raise self.make_error("invalid_utf8")
        return text.strip()


class Id(fields.Integer):
    """The number of a row."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=1, max=MOST_ID), **more)


class Whole(fields.Integer):
    """A whole number between two bounds."""

    def __init__(self, least: int, most: int, **more: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **more)


class Fen(fields.Integer):
    """An amount in fen."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=0, max=MOST_FEN), **more)


class Day(fields.Date):
    """A Shanghai day, as 2026-11-21."""

    def _deserialize(self, value: Any, *args: Any, **more: Any) -> date:
        day = super()._deserialize(value, *args, **more)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise self.make_error("invalid", input=value, obj_type="date")
        return day


class Code(fields.String):
    """One of a closed list of codes."""

    def __init__(self, among: Any, **more: Any) -> None:
        super().__init__(validate=validate.OneOf(list(among)), **more)


class Sentences(ma.Schema):
    """One sentence in both languages."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class Said(fields.Nested):
    """A sentence in both languages. Only ever answered."""

    def __init__(self, **more: Any) -> None:
        super().__init__(Sentences, **more)


class WallClock(fields.String):
    """A time of day in Shanghai, as 12:30. Only ever answered."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str:
        return f"{value:%H:%M}"


class Wish(ma.Schema):
    """A body: fields it does not know are refused."""

    class Meta:
        """How it is read."""

        unknown = ma.RAISE
        ordered = True


class Asked(ma.Schema):
    """A query: everything in it is text, so numbers are read from their digits."""

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field) -> None:
        """Let "50" be 50."""
        if isinstance(field_obj, fields.Integer):
            field_obj.strict = False
