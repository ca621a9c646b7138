"""What the entries of a till's journal say: their text, read strictly, kind by kind."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from canteen.errors import Refused
from canteen.words import Text

LONGEST = 20_000  # characters of one entry
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
ShortId = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Fen = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Cash = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=50)]
UnitFen = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Words = Annotated[str, msgspec.Meta(max_length=2_000)]
Code = Annotated[str, msgspec.Meta(max_length=20, pattern=r"^[a-z_]*$")]


class BadEntry(Refused):
    """The entry is signed but does not say what it must; `field` names the place."""

    code = "bad_entry"
    text = Text("这条记录的内容不完整，未能入账", "The entry is not complete and was not booked")


class Envelope(msgspec.Struct, frozen=True):
    """What every entry says: its kind, when by the device's clock, in which shift, by whom.

    `off` is how many milliseconds the server's clock was ahead when the tablet last measured it.
    """

    kind: Literal["open", "sale", "withdrawn", "void", "move", "close"]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    cashier: Id | None = None
    shift: ShortId | None = None
    off: int | None = None


class Open(msgspec.Struct, frozen=True):
    """A shift begins with so many fen in the drawer."""

    float_fen: Cash


class Sale(msgspec.Struct, frozen=True):
    """A meal sold. `lines` are (menu item, quantity, fen each); the sums are what was shown."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    on: date
    meal: Literal["breakfast", "lunch", "dinner"]
    service: Literal["eat_in", "pick_up"]
    payment: Literal["cash", "online"]
    lines: Annotated[
        list[tuple[Id, Quantity, UnitFen]], msgspec.Meta(min_length=1, max_length=100)
    ]
    list_fen: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    discount_fen: Fen
    subsidy_fen: Fen
    payable_fen: Fen
    cash_fen: Fen
    received_fen: Cash | None = None
    elder: Id | None = None
    card: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{7,20}$")] | None = None
    how: Code = "other"
    to_account: bool = False
    priced: Literal["server", "till"] = "till"
    overrode: list[str] = []

    @property
    def paid_by(self) -> str:
        """How it is paid; where nothing is to be paid nobody waits for a payment."""
        return self.payment if self.payable_fen else "cash"

    def defect(self) -> str | None:
        """The field that contradicts the others, if one does."""
        if len({item for item, _, _ in self.lines}) < len(self.lines):
            return "lines"
        if sum(quantity * unit for _, quantity, unit in self.lines) != self.list_fen:
            return "list_fen"
        if self.discount_fen + self.subsidy_fen + self.payable_fen != self.list_fen:
            return "payable_fen"
        in_cash = self.payment == "cash" and self.cash_fen == self.payable_fen
        in_part = self.payment == "online" and self.cash_fen < max(self.payable_fen, 1)
        return None if in_cash or in_part else "cash_fen"


class Withdrawn(msgspec.Struct, frozen=True):
    """The number sold nothing: the server refused, or it was given up."""

    code: Annotated[str, msgspec.Meta(max_length=60)] = ""


class Void(msgspec.Struct, frozen=True):
    """A sale of this till taken back whole."""

    of: Number
    reason_code: Code
    reason: Words = ""


class Move(msgspec.Struct, frozen=True):
    """Cash put into the drawer (fen > 0) or taken out of it (fen < 0)."""

    fen: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
    reason_code: Code
    reason: Words = ""


class Close(msgspec.Struct, frozen=True):
    """A shift ends with a count {fen: pieces}, and `left_fen` of it stays as the next float."""

    count: dict[str, Any]
    counted_fen: Cash
    left_fen: Cash
    reason: Words = ""


Body = Open | Sale | Withdrawn | Void | Move | Close
BODIES: dict[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(shape)
    for kind, shape in {
        "open": Open, "sale": Sale, "withdrawn": Withdrawn, "void": Void, "move": Move,
        "close": Close,
    }.items()
}  # fmt: skip
_envelope = msgspec.json.Decoder(Envelope)
_whole = msgspec.json.Decoder(dict[str, Any])


def envelope(text: str) -> Envelope | None:
    """Kind, time, shift and cashier of an entry; None when it does not even say those."""
    try:
        found = _envelope.decode(text)
        found.at.utctimetuple()  # a day before the year 1 in UTC is no time of a tablet
    except (msgspec.DecodeError, OverflowError, RecursionError):
        return None
    return found


def body(kind: str, text: str) -> Body:
    """What an entry of a kind says. Refuses with BadEntry."""
    try:
        said: Body = BODIES[kind].decode(text)
    except RecursionError as error:  # brackets within brackets, thousands deep
        raise BadEntry() from error
    except msgspec.DecodeError as error:
        raise BadEntry(field=str(error).rpartition("$.")[2][:40].rstrip("`") or None) from error
    if isinstance(said, Sale) and (field := said.defect()):
        raise BadEntry(field=field)
    return said


def sum_of(text: str, name: str) -> int | None:
    """A sum in fen an entry names, below nothing or not, whatever else it says; None without one.

    For entries read back: what an entry says beyond its shape was never looked at.
    """
    try:
        fen = _whole.decode(text).get(name)
    except (msgspec.DecodeError, RecursionError):
        return None
    whole = isinstance(fen, int) and not isinstance(fen, bool)
    return fen if whole and abs(fen) <= 2**31 else None
