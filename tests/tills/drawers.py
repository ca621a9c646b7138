"""Tills with shifts and sales, as the journal would leave them, for tests of the drawer."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.menus.models import MenuItem
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.territory.actors import Actor
from canteen.tills import keys, shifts
from canteen.tills.models import Shift, Till, TillEntry
from tests.factories import LONG_AGO, City


def make_till(canteen_id: int, name: str = "一号机") -> Till:
    """An enrolled tablet."""
    till = Till(
        canteen_id=canteen_id, name=name, salt="5a" * 8, enrolled_at=LONG_AGO, enrolled_by="user:1"
    )
    db.session.add(till)
    db.session.flush()
    return till


def sign(
    till: Till, kind: str, at: datetime, shift_id: int | None, *, order_id: int | None = None,
    kept: bool = False, notes: tuple[str, ...] = (), result: str = "done", **fields: Any,
) -> TillEntry:
    """The till's next journal entry, signed with its key, taken by the server as it is."""
    shift = db.session.get(Shift, shift_id) if shift_id else None
    common = {
        "v": 1, "kind": kind, "at": f"{at:%Y-%m-%dT%H:%M:%S.000Z}", "off": 0,
        "shift": shift.number if shift else 1, "cashier": shift.cashier_id if shift else 1,
    }
    body = json.dumps(common | fields)
    number = till.head + 1
    entry = TillEntry(
        till_id=till.id, number=number, kind=kind, shift_id=shift_id, order_id=order_id,
        cashier_id=common["cashier"], kept=kept, device_at=at, made_at=at, received_at=at,
        body=body, mac=keys.mac(keys.key_of(till), till.head_mac, number, body),
        outcome={"number": number, "result": result, "order_id": order_id}, notes=list(notes),
    )
    db.session.add(entry)
    till.head, till.head_mac, till.head_at = number, entry.mac, at
    till.claimed = max(till.claimed, number)
    db.session.flush()
    return entry


def open_shift_of(till_id: int) -> Shift | None:
    """The shift now open at a till."""
    return db.session.scalars(
        sa.select(Shift).where(Shift.till_id == till_id, Shift.closed_at.is_(None))
    ).one_or_none()


def begin(city: City, till: Till, at: datetime, float_fen: int = 20000, number: int = 1) -> int:
    """A shift of the city's cashier, opened; gives its id."""
    cashier_id = city.cashier.user_id
    assert cashier_id is not None
    shift_id = shifts.open_shift(till.id, till.canteen_id, number, cashier_id, float_fen, at)
    sign(till, "open", at, shift_id, float_fen=float_fen)
    return shift_id


def sale(
    city: City, till: Till, shift_id: int, items: list[MenuItem], at: datetime, *,
    elder_id: int | None = None, kept: bool = False, notes: tuple[str, ...] = (), **wish: Any,
) -> Order:
    """A sale of one of each item at the till, by the real act, with its entry."""
    serve_now = wish.get("payment", "cash") == "cash"
    on = clock.business_date(at)
    placed = place(
        Wish(
            canteen_id=till.canteen_id, on=on, meal="lunch", service="eat_in",
            lines={item.id: 1 for item in items}, elder_id=elder_id, serve_now=serve_now,
            channel="till", **wish,
        ),
        city.cashier, at,
    )  # fmt: skip
    order = db.session.get_one(Order, placed.order_id, populate_existing=True)
    parts = ("payment", "cash_fen", "list_fen", "discount_fen", "subsidy_fen", "payable_fen")
    sign(
        till, "sale", at, shift_id, order_id=order.id, kept=kept, notes=notes,
        id=str(uuid.uuid4()), on=str(on), meal="lunch", service="eat_in", received_fen=None,
        elder=elder_id, card=None, how="card", to_account=False, priced="till", overrode=[],
        lines=[[item.id, 1, item.price_fen] for item in items],
        **{name: getattr(order, name) for name in parts},
    )
    return order


def put(
    till: Till, shift_id: int, fen: int, code: str, reason: str, by: Actor, at: datetime
) -> int:
    """Cash put in or taken out, with its entry."""
    made = shifts.move(shift_id, fen, code, reason, by, at)
    sign(till, "move", at, shift_id, fen=fen, reason_code=code, reason=reason)
    return made


def end(
    city: City, till: Till, shift_id: int, count: dict[str, int], at: datetime, reason: str = "",
    left_fen: int = 0, **how: Any,
) -> Shift:
    """The shift closed with a count, with its entry."""
    counted_fen = sum(int(fen) * pieces for fen, pieces in count.items())
    shift = shifts.close_shift(
        shift_id, count, counted_fen, reason, left_fen, city.cashier, at, **how
    )
    sign(till, "close", at, shift_id, count=count, counted_fen=counted_fen, reason=reason,
         left_fen=left_fen)  # fmt: skip
    return shift


def whole_shift(city: City, till: Till, items: list[MenuItem], at: datetime) -> Shift:
    """A shift of everything: sold, moved, collected, given back, counted short, closed."""
    shift_id = begin(city, till, at)
    sold = sale(city, till, shift_id, items, at)
    gone = sale(city, till, shift_id, items[:1], at)
    cancel(gone.id, "mistake", "", city.manager, at)
    shifts.refunded(till.id, gone.id, gone.cash_fen, city.manager, at)
    sign(till, "void", at, shift_id, order_id=gone.id, of=till.head, reason_code="mistake",
         reason="")  # fmt: skip
    put(till, shift_id, 3000, "change_in", "", city.cashier, at)
    put(till, shift_id, -1200, "purchase", "洗洁精", city.cashier, at)
    count = {"10000": 2, "1000": 4, "100": 2}  # 1.00 short of float, sale and moves
    assert sold.cash_fen == 2500
    return end(city, till, shift_id, count, at, "找错", left_fen=20000)


def legs_of(key: str) -> dict[str, int]:
    """An entry of the books: account code → fen."""
    rows = db.session.execute(
        sa.text(
            "SELECT a.code, p.amount_fen FROM postings p JOIN accounts a ON a.id = p.account_id"
            " JOIN entries e ON e.id = p.entry_id WHERE e.key = :key"
        ),
        {"key": key},
    )
    return {code: int(fen) for code, fen in rows}
