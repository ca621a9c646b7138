"""The frame of the cashier's door: who comes in, at which canteen they stand, where they can go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request, url_for

from canteen import clock
from canteen.canteens import finding
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.orders.models import Order
from canteen.territory.actors import COUNTER
from canteen.web.guards import actor, actor_or_none, guard, guard_door
from canteen.words import Text

blueprint = Blueprint("cashier", __name__, url_prefix="/till")
guard_door(blueprint, guard(*COUNTER))
MANAGER = guard("manager")
FURTHEST = timedelta(days=800)


def here() -> Canteen:
    """The canteen whose counter the reader stands behind."""
    return finding.get_for(actor(), actor().canteen_id or 0)


def to_collect(canteen_id: int) -> int:
    """How many orders of today wait to be handed over."""
    waiting = sa.select(sa.func.count()).select_from(Order).where(
        Order.canteen_id == canteen_id, Order.on == clock.business_date(), Order.state == "placed"
    )
    return int(db.session.scalar(waiting) or 0)


@blueprint.context_processor
def frame() -> dict[str, Any]:
    """The way around the till, with the number of orders that wait."""
    by = actor_or_none()
    if by is None or by.canteen_id is None or by.role not in COUNTER:
        return {}
    at = request.endpoint or ""
    parts = (
        ("cashier.till", Text("收银", "Till"), ("cashier.till",), 0),
        ("cashier.list_orders", Text("订单", "Orders"), ("cashier.list_orders", "cashier.order"),
         to_collect(by.canteen_id)),
        ("cashier.kitchen", Text("厨房", "Kitchen"), ("cashier.kitchen",), 0),
        ("cashier.list_shifts", Text("班次", "Shifts"), ("cashier.list_shifts", "cashier.shift"),
         0),
        ("cashier.day", Text("日结", "Day"), ("cashier.day",), 0),
        ("cashier.week", Text("菜单", "Menus"), ("cashier.week", "cashier.menu"), 0),
        ("cashier.tills", Text("收银机", "Tills"), ("cashier.tills",), 0) if by.role == "manager"
        else ("cashier.pin", Text("PIN 码", "PIN"), ("cashier.pin",), 0),
    )
    nav = [(label, url_for(to), at in current, count) for to, label, current, count in parts]
    return {"nav": nav, "home_url": url_for("cashier.till")}


def day_asked(given: str, today: date) -> date:
    """The day an address asks for, within two years of today; today when it makes no sense."""
    try:
        on = date.fromisoformat(given)
    except ValueError:
        return today
    return on if abs(on - today) <= FURTHEST else today
