"""Placing an order: portions, price, quota, grant and charge in one act, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.errors import Conflict
from canteen.menus.serving import take
from canteen.money import yuan
from canteen.orders.models import Order, OrderLine
from canteen.orders.quoting import Priced, price
from canteen.orders.wishing import (
    BadWish,
    Wish,
    cash_part,
    check_rights,
    check_shape,
    lay_table,
)
from canteen.payments import charging
from canteen.subsidies.granting import Meal, grant
from canteen.territory.actors import Actor
from canteen.words import Text


class PriceChanged(Conflict):
    """The price is no longer what the diner was shown; `detail` has the new one."""

    code = "price_changed"
    text = Text(
        "价格已变为 {payable} 元，请确认后再提交",
        "The price is now {payable} yuan; please confirm it",
    )


@dataclass(frozen=True)
class Placed:
    """An order just placed, with its price and, when it is to be paid online, its charge."""

    order_id: int
    state: str
    priced: Priced
    charge_id: int | None = None


def place(wish: Wish, by: Actor, at: datetime) -> Placed:
    """Place an order, inside the door's transaction.

    Refuses what is malformed (BadWish), past or closed (MealPast, MealClosed), sold out (SoldOut),
    at a canteen that may not sell (CanteenNotSelling), not the actor's to order (NotFound,
    Forbidden), or no longer at the price that was shown (PriceChanged).
    """
    check_rights(wish, by)
    check_shape(wish, at)
    if wish.serve_now and wish.payment != "cash":
        raise BadWish(
            Text("线上支付到账后才能出餐", "An online payment must arrive before serving"),
            field="payment",
        )
    table = lay_table(wish, at, hold_sign=True)
    take(wish.lines)
    priced = price(wish, table, take=True)
    quote = priced.quote
    if wish.expected_payable_fen not in (None, quote.payable_fen):
        raise PriceChanged(
            field="expected_payable_fen",
            payable=yuan(quote.payable_fen),
            payable_fen=quote.payable_fen,
        )
    cash_fen = cash_part(wish, quote.payable_fen)
    to_charge = wish.payment == "online" and quote.payable_fen > 0
    paid = wish.serve_now or (wish.payment == "online" and not to_charge)
    state = "served" if wish.serve_now else "awaiting_payment" if to_charge else "placed"
    order_id = db.session.execute(
        _ORDER,
        {
            "canteen_id": wish.canteen_id, "elder_id": wish.elder_id, "menu_id": table.menu_id,
            "on": wish.on, "meal": wish.meal, "service": wish.service, "channel": wish.channel,
            "state": state, "payment": wish.payment, "list_fen": quote.list_fen,
            "discount_fen": quote.discount_fen, "subsidy_fen": quote.subsidy_fen,
            "payable_fen": quote.payable_fen, "cash_fen": cash_fen,
            "policy_id": priced.in_force.id if priced.in_force else None,
            "inputs": priced.inputs, "placed_at": at, "placed_by": by.label, "note": wish.note,
            "paid_at": at if paid else None, "paid_on": clock.business_date(at) if paid else None,
            "served_at": at if wish.serve_now else None,
            "served_by": by.label if wish.serve_now else None,
        },
    ).scalar_one()
    lines = [
        {
            "order_id": order_id, "menu_item_id": item, "quantity": quantity,
            "unit_fen": table.items[item].price_fen,
        }
        for item, quantity in wish.lines.items()
    ]
    db.session.execute(_LINES, lines)
    if priced.in_force and wish.elder_id is not None:
        meal = Meal(order_id, wish.elder_id, wish.canteen_id, wish.on, wish.meal)
        grant(meal, priced.in_force, quote, at)
    charge = (
        charging.ask(order_id, wish.canteen_id, quote.payable_fen - cash_fen, at=at)
        if to_charge
        else None
    )
    return Placed(order_id, state, priced, charge.id if charge else None)


# Built once: every sale waits for them.
_ORDERS = sa.inspect(Order).local_table
_ORDER = sa.insert(_ORDERS).returning(_ORDERS.c.id)
_LINES = sa.insert(sa.inspect(OrderLine).local_table)
