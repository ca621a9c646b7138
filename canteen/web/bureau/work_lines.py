"""What a line of the work list is: how many of what, by when, where to begin, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from canteen.territory.actors import Actor
from canteen.words import Text


@dataclass(frozen=True)
class Task:
    """One line of the work list: how many of what, by when, and where to begin. `when`: the words
    of a day that is no deadline of the reader's but a fact."""

    title: Text
    note: Text
    count: int
    url: str
    due: date | None = None
    late: bool = False
    when: Text | None = None


@dataclass(frozen=True)
class Line:
    """A line of the registry: for whom, the page it leads to (its endpoint at both desks), and
    how it is counted."""

    roles: tuple[str, ...]
    endpoint: str
    count: Callable[[Actor, date, str], Task | None]
