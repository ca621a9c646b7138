"""What lies in a drawer: the notes and coins there are, a count of them, and what must be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.errors import Refused
from canteen.money import yuan
from canteen.orders.models import Order
from canteen.tills.models import CashMove, Shift, TillEntry
from canteen.words import Text

# Notes and coins in circulation, in fen; the 2 yuan and 2 jiao notes were called in in 2018.
DENOMINATIONS = {
    10000: Text("100 元", "100 yuan"),
    5000: Text("50 元", "50 yuan"),
    2000: Text("20 元", "20 yuan"),
    1000: Text("10 元", "10 yuan"),
    500: Text("5 元", "5 yuan"),
    100: Text("1 元", "1 yuan"),
    50: Text("5 角", "5 jiao"),
    10: Text("1 角", "1 jiao"),
    5: Text("5 分", "5 fen"),
    2: Text("2 分", "2 fen"),
    1: Text("1 分", "1 fen"),
}
MOST_FEN = 100_000_00  # a hundred thousand yuan: no drawer of a canteen holds more
MOST_PIECES = 99_999

# Why cash went in or came out, and whether that is "in", "out" or either way.
MOVES = {
    "change_in": Text("从保险柜取零钱", "Change from the safe"),
    "to_safe": Text("存入保险柜", "Into the safe"),
    "purchase": Text("零星采购", "Small purchase"),
    "other": Text("其他", "Other"),
}
ONE_WAY = {"change_in": "paid_in", "to_safe": "paid_out"}


class BadCount(Refused):
    """A count that cannot be: no such note, not a number of pieces, or another sum."""

    code = "bad_count"
    text = Text("清点的张数不对，请再数一遍", "The count does not hold; please count again")


class BadSum(Refused):
    """A sum of cash below nothing, or more than a drawer holds."""

    code = "bad_sum"
    text = Text(
        "金额应在 0 到 {most} 元之间", "A sum must lie between 0 and {most} yuan"
    )


@dataclass(frozen=True)
class Drawer:
    """What moved through a shift's drawer, in fen, all positive."""

    float_fen: int = 0
    sales_fen: int = 0
    collected_fen: int = 0
    paid_in_fen: int = 0
    paid_out_fen: int = 0
    refunded_fen: int = 0

    @property
    def expected_fen(self) -> int:
        """What must lie in the drawer; below nothing when more was given out than ever came in."""
        came = self.float_fen + self.sales_fen + self.collected_fen + self.paid_in_fen
        return came - self.paid_out_fen - self.refunded_fen


def drawer(shift_id: int) -> Drawer:
    """What moved through this shift's drawer up to now, in one query."""
    row = db.session.execute(drawers().where(Shift.id == shift_id)).one()
    return Drawer(**{name: int(row._mapping[name]) for name in Drawer.__dataclass_fields__})


def drawers() -> sa.Select[Any]:
    """A row for every shift: `id` and the six sums of a Drawer in fen.

    A sale counts with the notes and coins it was paid with, also when it was taken back later:
    giving the money back is a move of its own, of the shift in which that happened.
    """
    sold = sa.select(TillEntry.order_id).where(
        TillEntry.shift_id == Shift.id, TillEntry.kind == "sale", TillEntry.order_id.is_not(None)
    )
    sales = sa.select(sa.func.sum(Order.cash_fen)).where(Order.id.in_(sold.correlate(Shift)))

    def moved(kind: str) -> Any:
        total = sa.select(sa.func.sum(CashMove.fen)).where(
            CashMove.shift_id == Shift.id, CashMove.kind == kind
        )
        return sa.func.coalesce(total.correlate(Shift).scalar_subquery(), 0)

    return sa.select(
        Shift.id, Shift.float_fen,
        sa.func.coalesce(sales.correlate(Shift).scalar_subquery(), 0).label("sales_fen"),
        *(
            moved(kind).label(f"{kind}_fen")
            for kind in ("collected", "paid_in", "paid_out", "refunded")
        ),
    )  # fmt: skip


def check_sum(fen: Any, field: str) -> int:
    """A sum of cash in fen, from nought to MOST_FEN. Refuses with BadSum, naming the field."""
    if not _whole(fen) or not 0 <= fen <= MOST_FEN:
        raise BadSum(field=field, most=yuan(MOST_FEN))
    return int(fen)


def check_count(count: Any, counted_fen: Any) -> dict[str, int]:
    """A count {fen: pieces} whose sum is `counted_fen`; gives it with nothing of nought in it.

    Refuses with BadCount, naming the field: a note there is not, pieces that are no number, or
    a sum other than was said; with BadSum when it is more than a drawer holds.
    """
    if not isinstance(count, Mapping):
        raise BadCount(field="count")
    kept: dict[str, int] = {}
    for key, pieces in count.items():
        known = isinstance(key, str) and key in _KEYS
        if not known or not _whole(pieces) or not 0 <= pieces <= MOST_PIECES:
            raise BadCount(field=f"count.{str(key)[:10]}")
        if pieces:
            kept[key] = pieces
    if check_sum(counted_fen, "counted_fen") != counted(kept):
        raise BadCount(
            Text("各面额合计与清点总数不符", "The notes and coins do not add up to the total"),
            field="counted_fen",
        )
    return kept


def counted(count: Mapping[str, int]) -> int:
    """The sum of a count in fen."""
    return sum(int(key) * pieces for key, pieces in count.items())


_KEYS = {str(fen) for fen in DENOMINATIONS}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
