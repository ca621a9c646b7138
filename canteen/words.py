"""Sentences for people: every message exists in Chinese and in English, side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


COUNTED = re.compile(r"\{(\w+):([^{}|]*)\|([^{}]*)\}")  # {n:meal is|meals are}


class Text(NamedTuple):
    """One sentence in both languages; `format` fills both, `into` picks one."""

    zh: str
    en: str

    def format(self, *args: Any, **values: Any) -> Text:  # type: ignore[override]
        """Fill the placeholders of both sentences; a value that is a Text, by language.

        `{n:meal|meals}` is the number with the word it takes: 1 meal, 0 meals, 12 meals.
        """

        def side(index: int) -> str:
            chosen = {k: v[index] if isinstance(v, Text) else v for k, v in values.items()}
            sentence = COUNTED.sub(lambda found: counted(found, chosen), self[index])
            return sentence.format(*args, **chosen)

        return Text(side(0), side(1))

    def into(self, locale: str) -> str:
        """The sentence in `locale`: "en" for English, anything else Chinese."""
        return self.en if locale == "en" else self.zh


def counted(found: re.Match[str], values: Mapping[str, Any]) -> str:
    """A number still to be filled in, followed by its singular for one, else its plural."""
    name, one, many = found.groups()
    return f"{{{name}}} {one if str(values[name]) == '1' else many}"


def day(on: date, *, year: bool = False) -> Text:
    """A day as people say it: 11月21日(周六) / Sat 21 Nov. With `year`, the year as well."""
    zh = f"{on.month}月{on.day}日(周{WEEKDAYS_ZH[on.weekday()]})"
    en = f"{WEEKDAYS_EN[on.weekday()]} {on.day} {MONTHS_EN[on.month - 1]}"
    return Text(f"{on.year}年{zh}", f"{en} {on.year}") if year else Text(zh, en)


def month(period: str) -> Text:
    """A settlement period "2026-10" as 2026年10月 / Oct 2026."""
    year, number = period.split("-")
    return Text(f"{year}年{int(number)}月", f"{MONTHS_EN[int(number) - 1]} {year}")
