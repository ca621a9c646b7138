"""A sale as a till's journal holds it, for tests of what others see of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.tills import keys
from canteen.tills.models import Till, TillEntry
from tests.factories import LONG_AGO, City


def make_till(city: City, name: str = "一号机", head: int = 0) -> Till:
    """A tablet of the city's first canteen."""
    with transaction():
        till = Till(
            canteen_id=city.here.id, name=name, salt="5a" * 16, enrolled_at=LONG_AGO,
            enrolled_by="user:1", head=head, claimed=head,
        )
        db.session.add(till)
        db.session.flush()
    return till


def make_sale(
    city: City, till: Till, number: int = 1, *, late: timedelta = timedelta(0),
    notes: tuple[str, ...] = (), excess_fen: int = 0, received_fen: int | None = None,
    elder: bool = True, **order: Any,
) -> int:
    """A sale of one set under a number of the till's journal; gives the order's id."""
    at = clock.now()
    with transaction():
        sold = place(Wish(
            canteen_id=city.here.id, on=city.today, meal="lunch", service="eat_in",
            lines={city.items[0].id: 1}, elder_id=city.elder.id if elder else None,
            serve_now=True, **order,
        ), city.cashier, at).order_id  # fmt: skip
        if excess_fen:  # the diner paid less than was due: the canteen gives the rest
            row = db.session.get_one(Order, sold)
            row.excess_fen, row.discount_fen = excess_fen, row.discount_fen + excess_fen
            row.payable_fen -= excess_fen
            row.cash_fen = min(row.cash_fen, row.payable_fen)
        _add(
            till.id, number, "sale", order_id=sold, kept=bool(late),
            cashier_id=city.cashier.user_id, device_at=at - late + timedelta(minutes=7),
            made_at=at - late, received_at=at, notes=list(notes), received_fen=received_fen,
        )
    return sold


def make_withdrawn(till: Till, number: int) -> None:
    """A number that sold nothing."""
    at = clock.now()
    with transaction():
        _add(
            till.id, number, "withdrawn", kept=True, device_at=at, made_at=at, received_at=at,
            notes=[], received_fen=None,
        )


def _add(till_id: int, number: int, kind: str, *, received_fen: int | None, **values: Any) -> None:
    body = json.dumps({"v": 1, "kind": kind, "received_fen": received_fen})
    db.session.add(TillEntry(
        till_id=till_id, number=number, kind=kind, body=body, mac="00" * 32, outcome={}, **values
    ))  # fmt: skip
    till = db.session.get_one(Till, till_id)
    till.head, till.claimed = max(till.head, number), max(till.claimed, number)


def code_of(till: Till, number: int) -> str:
    """What the till prints under a sale."""
    return keys.receipt_code(keys.key_of(till), number)
