"""Taking in a sale that has already happened: it is never refused, only accounted for.

A till without network sold by itself. The meal is eaten and the diner has paid what the till
showed, so the order's `payable_fen` is that sum whatever the server would have asked. What the
server grants less than the till did, somebody bears: the programme, if only the caps were reached
and the district's rule says so, or the canteen, as `excess_fen` on top of its own discount. What
it grants more follows to the elder's account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from canteen.canteens import lifecycle, selling
from canteen.canteens.models import ListingChange
from canteen.db import db
from canteen.elders.facts import Standing, facts_on
from canteen.errors import NotFound, Refused
from canteen.menus.models import Menu, MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.orders.quoting import Priced, plain, price
from canteen.orders.wishing import Table, Wish
from canteen.payments import charging
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.granting import Meal, grant
from canteen.subsidies.policies import NoPolicyInForce
from canteen.subsidies.pricing import quote
from canteen.territory.actors import Actor
from canteen.words import Text

ITEMS = sa.inspect(MenuItem).local_table


class UnknownDish(Refused):
    """A dish of the sale is on no menu of this canteen."""

    code = "unknown_dish"
    text = Text("有的菜不在这家食堂的菜单上", "A dish is on no menu of this canteen")


@dataclass(frozen=True)
class Kept:
    """A sale as the till made it. `lines` maps menu item ids to (how many, fen each);
    `payable_fen` and `subsidy_fen` are what the diner was shown, `made_at` when."""

    canteen_id: int
    on: date
    meal: str
    service: str
    lines: Mapping[int, tuple[int, int]]
    payable_fen: int
    subsidy_fen: int
    made_at: datetime
    elder_id: int | None = None
    payment: str = "cash"
    cash_fen: int = 0
    to_account: bool = False

    @property
    def wish(self) -> Wish:
        """What it would have been as an order."""
        return Wish(
            canteen_id=self.canteen_id, on=self.on, meal=self.meal, service=self.service,
            lines={item: quantity for item, (quantity, _) in self.lines.items()},
            elder_id=self.elder_id, payment=self.payment, to_account=self.to_account,
        )


@dataclass(frozen=True)
class Taken:
    """A kept sale taken in: its order, who bears an excess, and what a reviewer should know."""

    order_id: int
    state: str
    priced: Priced
    excess_fen: int
    bearer: str | None = None
    charge_id: int | None = None
    notes: list[str] = field(default_factory=list)


def keep(
    sale: Kept, by: Actor, at: datetime, programme_bears: Callable[[str, int], bool]
) -> Taken:
    """Take in a sale that has happened, inside the door's transaction; received `at`.

    `programme_bears` says whether the programme pays so many fen beyond the caps in a district;
    it is asked last, when nothing but the caps refuses the subsidy. Refuses UnknownDish only.
    """
    table, notes = _take(sale)
    priced = _priced(sale, table, notes)
    priced, bearer = _settled(sale, priced, programme_bears)
    excess_fen = priced.quote.payable_fen - sale.payable_fen
    if excess_fen > 0:
        bearer = "canteen"
    if bearer:
        notes.append(f"excess_{bearer}")
    if priced.quote.account_fen and not sale.to_account:
        notes.append("subsidy_to_account")
    if "unknown_elder" in notes:
        sale = replace(sale, elder_id=None)
    order_id, state = _save(sale, priced, excess_fen, by)
    if priced.in_force and sale.elder_id is not None:
        meal = Meal(order_id, sale.elder_id, sale.canteen_id, sale.on, sale.meal)
        grant(meal, priced.in_force, priced.quote, at)
    charge_id = None
    if state == "awaiting_payment":
        due = sale.payable_fen - sale.cash_fen
        charge_id = charging.ask(order_id, sale.canteen_id, due, at=at).id
    return Taken(order_id, state, priced, excess_fen, bearer, charge_id, notes)


def _take(sale: Kept) -> tuple[Table, list[str]]:
    """Take the portions, more than there were if need be, and lay the table by the till's prices.

    The dishes are locked in ascending order, as everywhere."""
    rows = db.session.execute(_FIND, {"ids": list(sale.lines)}).all()
    if len(rows) != len(sale.lines) or any(r.canteen_id != sale.canteen_id for r in rows):
        raise UnknownDish(field="lines")
    notes = []
    if any(row.portions - row.taken < sale.lines[row.id][0] for row in rows):
        notes.append("over_portions")
    if any(row.price_fen != sale.lines[row.id][1] for row in rows):
        notes.append("price_differs")
    if any((row.on, row.meal) != (sale.on, sale.meal) for row in rows):
        notes.append("menu_differs")
    wanted = [{"item": row.id, "more": sale.lines[row.id][0]} for row in rows]
    db.session.connection().execute(_TAKE, wanted)
    items = {row.id: SimpleNamespace(price_fen=sale.lines[row.id][1]) for row in rows}
    standing = None
    if sale.elder_id is not None:
        standing = _standing(sale.elder_id, sale.on)
        if standing is None:
            notes.append("unknown_elder")
    age = age_on(standing.birth_date, sale.on) if standing else None
    terms = selling.terms(sale.canteen_id, sale.on, sale.meal, age=age)
    if not lifecycle.may_sell(_status_at(sale.canteen_id, terms.status, sale.made_at)):
        notes.append("not_selling")
        standing = None  # a canteen without its sign earns no subsidy
    menu_fen = sum(row.price_fen * sale.lines[row.id][0] for row in rows)
    if sum(quantity * unit for quantity, unit in sale.lines.values()) > menu_fen:
        # A published price never changes, so no tablet of ours asks more: nobody else pays for it.
        notes.append("above_menu")
        standing = None
    return Table(standing, terms, rows[0].menu_id, items), notes


def _standing(elder_id: int, on: date) -> Standing | None:
    try:
        return facts_on(elder_id, on)
    except NotFound:
        return None


def _status_at(canteen_id: int, now: str, at: datetime) -> str:
    """What a canteen's sign was at a moment: what the first change after it changed from."""
    before = db.session.scalar(_CHANGED_FROM, {"canteen": canteen_id, "moment": at})
    return before or now


def _priced(sale: Kept, table: Table, notes: list[str]) -> Priced:
    """What the server grants, with the quota taken for it."""
    try:
        return price(sale.wish, table, take=True)
    except NoPolicyInForce:
        notes.append("no_policy")
        return Priced(table, plain(table.list_fen(sale.wish.lines)))


def _settled(
    sale: Kept, priced: Priced, programme_bears: Callable[[str, int], bool]
) -> tuple[Priced, str | None]:
    """The price as it stands against what the diner paid, and "programme" if that bears it."""
    found, case = priced.quote, priced.case
    if priced.in_force is None or case is None or found.payable_fen == sale.payable_fen:
        return priced, None
    policy = priced.in_force.policy
    if found.payable_fen < sale.payable_fen:
        if not found.subsidy_fen:
            return priced, None
        case = case.but(to_account=True)
        return replace(priced, quote=quote(policy, case), case=case), None
    refusals = found.refusals()
    if refusals and sale.subsidy_fen and all(r.code.startswith("cap_") for r in refusals):
        case = case.but(beyond_caps=True)
        beyond = quote(policy, case)
        fits = beyond.subsidy_fen > 0 and beyond.payable_fen >= sale.payable_fen
        if fits and programme_bears(case.district, beyond.subsidy_fen):
            return replace(priced, quote=beyond, case=case), "programme"
    return priced, None


def _save(sale: Kept, priced: Priced, excess_fen: int, by: Actor) -> tuple[int, str]:
    """Write the order and its lines; its id and state."""
    found = priced.quote
    awaiting = sale.payment == "online" and sale.cash_fen < sale.payable_fen
    state = "awaiting_payment" if awaiting else "served"
    served = {} if awaiting else {
        "paid_at": sale.made_at, "paid_on": sale.on, "served_at": sale.made_at,
        "served_by": by.label,
    }  # fmt: skip
    order_id = db.session.execute(
        _ORDER,
        {
            "canteen_id": sale.canteen_id, "elder_id": sale.elder_id,
            "menu_id": priced.table.menu_id, "on": sale.on, "meal": sale.meal,
            "service": sale.service, "channel": "till", "state": state,
            "payment": sale.payment, "list_fen": found.list_fen,
            "discount_fen": found.discount_fen + excess_fen, "subsidy_fen": found.subsidy_fen,
            "payable_fen": sale.payable_fen, "excess_fen": excess_fen,
            "cash_fen": sale.cash_fen if sale.payment == "online" else sale.payable_fen,
            "policy_id": priced.in_force.id if priced.in_force else None,
            "inputs": priced.inputs, "placed_at": sale.made_at, "placed_by": by.label,
            "note": "",
        } | served,
    ).scalar_one()
    lines = [
        {"order_id": order_id, "menu_item_id": item, "quantity": quantity, "unit_fen": unit_fen}
        for item, (quantity, unit_fen) in sale.lines.items()
    ]
    db.session.execute(sa.insert(OrderLine.__table__), lines)
    return int(order_id), state


_ORDER = sa.insert(Order.__table__).returning(Order.__table__.c.id)
_FIND = (
    sa.select(
        ITEMS.c.id, ITEMS.c.price_fen, ITEMS.c.portions, ITEMS.c.taken, ITEMS.c.menu_id,
        Menu.canteen_id, Menu.on, Menu.meal,
    )
    .join(Menu, Menu.id == ITEMS.c.menu_id)
    .where(ITEMS.c.id.in_(sa.bindparam("ids", type_=ITEMS.c.id.type, expanding=True)))
    .order_by(ITEMS.c.id)
    .with_for_update(of=ITEMS)
)
_MORE = ITEMS.c.taken + sa.bindparam("more", type_=sa.Integer)
_TAKE = (
    sa.update(ITEMS)
    .where(ITEMS.c.id == sa.bindparam("item", type_=ITEMS.c.id.type))
    .values(taken=_MORE, portions=sa.case((ITEMS.c.portions < _MORE, _MORE),
                                          else_=ITEMS.c.portions))
)  # fmt: skip
_CHANGED_FROM: Any = (
    sa.select(ListingChange.from_status)
    .where(
        ListingChange.canteen_id == sa.bindparam("canteen", type_=ListingChange.canteen_id.type),
        ListingChange.at > sa.bindparam("moment", type_=ListingChange.at.type),
    )
    .order_by(ListingChange.at, ListingChange.id)
    .limit(1)
)
