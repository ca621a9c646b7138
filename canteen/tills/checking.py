"""The receipt of a till's sale: the code printed on it, and what it proves to whoever asks."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import sqlalchemy as sa

from canteen.db import db
from canteen.errors import NotFound
from canteen.orders.models import Order
from canteen.tills import keys
from canteen.tills.models import Till, TillEntry
from canteen.words import Text

LARGEST = 2**31 - 1  # no journal numbers further


class NoSuchReceipt(NotFound):
    """Nothing with this number and code was ever printed."""

    code = "no_such_receipt"
    text = Text(
        "没有这张小票。请核对小票上的校验码，或到食堂问一问",
        "There is no such receipt. Compare the code on the paper, or ask at the canteen",
    )


@dataclass(frozen=True)
class Receipt:
    """What a receipt names: its till, the entry's number, the code that proves both."""

    till: Till
    number: int
    code: str

    @property
    def path(self) -> str:
        """Where anybody may check it, without the host."""
        return f"/r/{self.till.id}/{self.number}/{self.code}"


@dataclass(frozen=True)
class Checked:
    """A receipt whose code is right: `entry` is None while the till has not sent it yet, `order`
    is None when the entry sold nothing."""

    receipt: Receipt
    entry: TillEntry | None
    order: Order | None


def receipt_of(order_id: int) -> Receipt | None:
    """The receipt of an order a till sold; None for any other order."""
    row = db.session.execute(
        sa.select(Till, TillEntry.number)
        .join(TillEntry, TillEntry.till_id == Till.id)
        .where(TillEntry.order_id == order_id, TillEntry.kind == "sale")
        .limit(1)
    ).first()
    if row is None:
        return None
    till, number = row
    return Receipt(till, number, keys.receipt_code(keys.key_of(till), number))


def check(till_id: int, number: int, code: str) -> Checked:
    """What a till sold under a number. Refuses with NoSuchReceipt unless the code is right.

    The code is 32 bits of a keyed hash, compared in constant time. Till and code are refused
    alike, so an answer does not tell which tills there are.
    """
    till = db.session.get(Till, till_id) if 0 < till_id <= LARGEST else None
    if till is None or not 0 < number <= LARGEST:
        raise NoSuchReceipt()
    right = keys.receipt_code(keys.key_of(till), number)
    if not hmac.compare_digest(right.encode(), code.strip().lower().encode()):
        raise NoSuchReceipt()
    entry = db.session.get(TillEntry, (till_id, number))
    order = db.session.get(Order, entry.order_id) if entry and entry.order_id else None
    if entry is not None and entry.kind != "sale":
        order = None
    return Checked(Receipt(till, number, right), entry, order)
