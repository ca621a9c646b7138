"""What the till shows for a basket: dishes, diner, price and change, as they stand this instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from canteen import clock
from canteen.canteens import finding, hours
from canteen.canteens.models import MEALS, Canteen
from canteen.elders import identifying
from canteen.elders.identifying import Found
from canteen.errors import CanteenError
from canteen.menus.models import MARKS
from canteen.menus.offering import Offered, OfferedMenu, menus_of_day
from canteen.orders.quoting import Priced, quote_for
from canteen.territory.actors import Actor
from canteen.web.cashier import showing
from canteen.web.cashier.basket import SERVICES, Basket


@dataclass(frozen=True)
class Line:
    """A dish in the basket; `short` when fewer are left than wanted."""

    item: Offered
    quantity: int

    @property
    def sum_fen(self) -> int:
        """What the line costs at list price."""
        return self.item.price_fen * self.quantity

    @property
    def short(self) -> bool:
        """Whether fewer are left than wanted."""
        return self.quantity > self.item.left


def screen(
    basket: Basket,
    canteen: Canteen,
    by: Actor,
    at: datetime,
    *,
    refusal: CanteenError | None = None,
    found: Sequence[Found] | None = None,
    looked_for: str = "",
) -> dict[str, Any]:
    """Everything the till's page shows. `refusal` says what was just refused; `found` are the
    people `looked_for` may mean, None when nobody was looked for."""
    today = clock.business_date(at)
    menus = {menu.meal: menu for menu in menus_of_day(canteen.id, today)}
    basket = replace(basket, meal=_meal(basket.meal, menus, canteen, at))
    services = [code for code in SERVICES if _offers(canteen, code)]
    if services and basket.service not in services:
        basket = replace(basket, service=services[0])
    menu = menus.get(basket.meal or "")
    items = {item.item_id: item for item in menu.items} if menu else {}
    lines = [Line(items[i], many) for i, many in basket.lines.items() if i in items]
    basket = replace(basket, lines={line.item.item_id: line.quantity for line in lines})
    diner = None
    if basket.elder_id is not None:
        try:
            diner = identifying.to_serve(by, basket.elder_id)
        except CanteenError as unknown:
            basket, refusal = replace(basket, elder_id=None), refusal or unknown
    priced, refusal = _priced(basket, canteen, by, at, today, refusal)
    dots = None
    if diner and menu:
        try:
            dots = showing.week_now(diner.id, canteen, today, menu.meal)
        except CanteenError as no_policy:
            refusal = refusal or no_policy
    quote = showing.strip(priced.quote) if priced else None
    payable = quote["payable_fen"] if quote else 0
    return {
        "canteen": canteen, "today": today, "basket": basket, "menu": menu, "lines": lines,
        "meals": [(meal, MEALS[meal]) for meal in MEALS if meal in menus],
        "services": services,
        "diner": diner, "diet": showing.diet_notes(diner.id) if diner else "", "dots": dots,
        "quote": quote, "refusal": refusal,
        "found": found, "looked_for": looked_for,
        "change": showing.change(basket.received_fen, payable) if quote else None,
        "notes": showing.notes_for(payable) if payable else [],
        "allergens": showing.ALLERGENS, "mark_words": MARKS,
    }


def _priced(
    basket: Basket, canteen: Canteen, by: Actor, at: datetime, today: date,
    refusal: CanteenError | None,
) -> tuple[Priced | None, CanteenError | None]:
    if not basket.lines:
        return None, refusal
    try:
        return quote_for(basket.wish(canteen.id, today), by, at), refusal
    except CanteenError as no:
        return None, refusal or no


def _meal(
    wished: str | None, menus: dict[str, OfferedMenu], canteen: Canteen, at: datetime
) -> str | None:
    """The meal wished for if it has a menu; else the one being served, the next, or the last."""
    if wished in menus:
        return wished
    served = [period for period in finding.hours_of(canteen.id) if period.meal in menus]
    return hours.next_meal(served, clock.local(at).time()) or next(reversed(menus), None)


def _offers(canteen: Canteen, service: str) -> bool:
    return {"eat_in": "dine_in"}.get(service, service) in canteen.capabilities
