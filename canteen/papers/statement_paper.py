"""What stands on the paper of a statement, whoever prints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from canteen.words import Text


@dataclass(frozen=True)
class Part:
    """A line of the sums: what for, how many meals, each funder's part, all of it, in fen."""

    name: Text
    meals: int | None
    by_purse: tuple[int | None, ...]
    total_fen: int


@dataclass(frozen=True)
class Day:
    """One day: meals and what they come to for each side, in fen."""

    on: date
    meals: int
    elder_fen: int
    enterprise_fen: int
    delivery_fen: int


@dataclass(frozen=True)
class Change:
    """A correction, adjustment or deduction: what was changed and why, in fen, signed; None where
    the sum was taken out before."""

    what: Text
    why: Text
    amount_fen: int | None


@dataclass(frozen=True)
class Signature:
    """An office of the chain; `who` and `on` if it has confirmed in the system."""

    office: Text
    name: Text
    who: Text | str = ""
    on: date | None = None


@dataclass(frozen=True)
class StatementPaper:
    """Everything that stands on the paper. `code` is the short hash of its content."""

    number: int
    city: Text
    period: str
    stage: Text
    facts: tuple[tuple[Text, Text | str], ...]
    purses: tuple[Text, ...]
    parts: tuple[Part, ...]
    total_fen: int
    days: tuple[Day, ...]
    changes: tuple[Change, ...]
    notes: tuple[Text, ...]
    signatures: tuple[Signature, ...]
    code: str
    printed_on: date
