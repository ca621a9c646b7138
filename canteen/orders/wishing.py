"""What somebody wants to eat, and the checks it must pass before it is priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens import selling
from canteen.canteens.models import MEALS
from canteen.canteens.selling import Terms
from canteen.db import db
from canteen.elders.facts import Standing, facts_on
from canteen.errors import Forbidden, NotFound, Refused
from canteen.menus.models import Menu, MenuItem
from canteen.money import yuan
from canteen.orders.models import SERVICES
from canteen.subsidies.eligibility import age_on
from canteen.territory.actors import COUNTER, HOME, Actor
from canteen.words import Text, day

MOST_OF_A_DISH = 50
AHEAD = timedelta(days=14)  # how far ahead a meal can be ordered [our own default]


class BadWish(Refused):
    """The order is not well formed; `field` names what is wrong."""

    code = "bad_order"


class MealPast(Refused):
    """The menu is of a day gone by."""

    code = "meal_past"
    text = Text("{day}的菜单已过期，请选今天的", "The menu of {day} is past; choose today's")


@dataclass(frozen=True)
class Wish:
    """One diner's order as it was asked for. `lines` maps menu item ids to how many.

    `expected_payable_fen` is what the diner was shown; when the price has changed since, the
    order is refused with the new price instead of surprising anyone. `to_account` pays the
    subsidy to the elder afterwards (the card could not be read). `serve_now` is a sale at the
    counter: paid in cash and handed over at once. `cash_fen` is the part of an online payment that
    the diner gives in notes and coins; a cash payment is all cash whatever it says.
    """

    canteen_id: int
    on: date
    meal: str
    service: str
    lines: Mapping[int, int]
    elder_id: int | None = None
    payment: str = "cash"
    channel: str = "till"
    expected_payable_fen: int | None = None
    serve_now: bool = False
    to_account: bool = False
    cash_fen: int = 0
    note: str = ""


@dataclass(frozen=True)
class Table:
    """What a wish meets: the diner's standing (None if unregistered), the canteen's terms for
    that day and age, and the menu items asked for."""

    standing: Standing | None
    terms: Terms
    menu_id: int
    items: Mapping[int, Any] = field(repr=False)

    def list_fen(self, lines: Mapping[int, int]) -> int:
        """What the lines cost at list price, in fen."""
        return sum(self.items[item].price_fen * quantity for item, quantity in lines.items())


def check_rights(wish: Wish, by: Actor) -> None:
    """Refuse an order from somebody who may not place it: counter staff sell at their own
    canteen, elders and family order for their own elders and for nobody else."""
    by.must_be(*COUNTER, *HOME)
    if by.role in COUNTER and by.canteen_id != wish.canteen_id:
        raise NotFound()
    if by.role in HOME:
        if wish.elder_id not in by.elder_ids:
            raise NotFound()
        if wish.serve_now or wish.to_account or wish.cash_fen:
            raise Forbidden()


def check_shape(wish: Wish, at: datetime) -> None:
    """Refuse what cannot be an order, naming the field."""
    if not wish.lines:
        raise BadWish(Text("请至少选一份餐", "Choose at least one dish"), field="lines")
    for quantity in wish.lines.values():
        if not 1 <= quantity <= MOST_OF_A_DISH:
            raise BadWish(
                Text(
                    f"每样须为 1 至 {MOST_OF_A_DISH} 份",
                    f"The quantity of a dish must be 1 to {MOST_OF_A_DISH}",
                ),
                field="lines",
            )
    for name, allowed in (("meal", MEALS), ("service", SERVICES), ("payment", ("cash", "online"))):
        if getattr(wish, name) not in allowed:
            raise BadWish(Text("选项无效", "Not one of the choices"), field=name)
    if len(wish.note) > 120:
        raise BadWish(Text("备注最多 120 字", "At most 120 characters"), field="note")
    today = clock.business_date(at)
    if wish.on < today:
        raise MealPast(field="on", day=day(wish.on))
    if wish.on > today + AHEAD or (wish.serve_now and wish.on != today):
        raise BadWish(Text("这一天还不能点餐", "This day cannot be ordered yet"), field="on")


def cash_part(wish: Wish, payable_fen: int) -> int:
    """How many fen of a price are to be given in cash. Refuses (BadWish) a cash part that leaves
    nothing to be paid online."""
    if wish.payment == "cash":
        return payable_fen
    if not 0 <= wish.cash_fen < max(payable_fen, 1):
        raise BadWish(
            Text(
                "现金部分须少于应付的 {due} 元，全付现金请选“现金”",
                "The cash part must be less than the {due} yuan due; else choose cash",
            ).format(due=yuan(payable_fen)),
            field="cash_fen",
        )
    return wish.cash_fen


def lay_table(wish: Wish, at: datetime, hold_sign: bool = False) -> Table:
    """Everything a checked wish is priced by, in three queries; refuses whatever is not on offer.

    With `hold_sign` the canteen's sign stays as it is until the order is saved.
    """
    standing = facts_on(wish.elder_id, wish.on) if wish.elder_id is not None else None
    age = age_on(standing.birth_date, wish.on) if standing else None
    terms = selling.terms(wish.canteen_id, wish.on, wish.meal, age=age, hold_sign=hold_sign)
    ahead_at = None if wish.channel == "till" else clock.local(at)
    selling.check_sale(terms, wish.on, wish.meal, wish.service, ahead_at=ahead_at)
    asked = {
        "items": list(wish.lines), "canteen": wish.canteen_id, "day": wish.on,
        "asked_meal": wish.meal,
    }
    rows = db.session.execute(_on_menu(), asked).all()
    items = {row.id: row for row in rows}
    if set(items) != set(wish.lines) or any(row.published_at is None for row in rows):
        raise BadWish(
            Text("有的菜不在这一餐的菜单上", "Some dishes are not on the menu of this meal"),
            field="lines",
        )
    return Table(standing, terms, rows[0].menu_id, items)


@cache
def _on_menu() -> sa.Select[Any]:
    """The dishes asked for that are on the menu of that meal; built once: every sale waits."""
    item, menu = (sa.inspect(model).local_table.c for model in (MenuItem, Menu))
    return (
        sa.select(item.id, item.price_fen, item.menu_id, menu.published_at)
        .join(menu.id.table, menu.id == item.menu_id)
        .where(
            item.id.in_(sa.bindparam("items", type_=item.id.type, expanding=True)),
            menu.canteen_id == sa.bindparam("canteen", type_=menu.canteen_id.type),
            menu.on == sa.bindparam("day", type_=sa.Date),
            menu.meal == sa.bindparam("asked_meal", type_=sa.String),
        )
    )
