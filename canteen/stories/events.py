"""One event of a story, the kinds there are, and a page of them in the order they happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from canteen import clock
from canteen.words import Text

SIZE = 200
KINDS = {
    "meal": Text("用餐", "Meal"),
    "money": Text("补贴与付款", "Money"),
    "review": Text("审核", "Review"),
    "doubt": Text("疑点", "Doubt"),
    "register": Text("登记", "Register"),
    "sign": Text("挂牌与检查", "Sign and inspections"),
}


@dataclass(frozen=True)
class Event:
    """Something that happened. `by` labels who did it; `about` is a thing to open: ("meal", 7).
    `all_day`: only its day is known."""

    at: datetime
    kind: str
    text: Text
    by: str = ""
    about: tuple[str, int] | None = None
    all_day: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a story, oldest first; `total` is how many events there are on all pages."""

    events: list[Event]
    total: int
    number: int
    pages: int


def in_order(events: Iterable[Event]) -> list[Event]:
    """Oldest first."""
    return sorted(events, key=lambda event: event.at)


def page(told: list[Event], kind: str | None = None, number: int = 1, size: int = SIZE) -> Page:
    """A page of what was told, of one kind when asked for; beyond the last one, the last."""
    wanted = [event for event in told if kind in (None, event.kind)]
    pages = max(1, -(-len(wanted) // size))
    number = min(number, pages)
    return Page(wanted[(number - 1) * size : number * size], len(wanted), number, pages)


def because(reason: str | Text | None) -> Text:
    """A reason as it follows a sentence; nothing when there is none."""
    return Text("：{why}", ": {why}").format(why=reason) if reason else Text("", "")


def on_day(on: date, kind: str, text: Text, by: str = "") -> Event:
    """Something known by its day only; it stands before whatever has an hour on that day."""
    return Event(clock.instant(on, time(0)), kind, text, by, all_day=True)
