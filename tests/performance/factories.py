"""Meals, visits and points for tests of the performance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.menus.models import Menu
from canteen.orders.models import Order
from canteen.performance import inspecting
from canteen.performance.inspecting import Points
from canteen.performance.models import Inspection
from canteen.performance.schemes import schemes
from canteen.territory.actors import Actor
from tests.canteens.factories import make_papers
from tests.factories import actor, make_canteen, make_territories, make_user


def make_ground() -> tuple[Canteen, Actor]:
    """A listed canteen in 南开 with its papers, and the evaluator of the district."""
    make_territories()
    canteen = make_canteen()
    make_papers(canteen)
    return canteen, actor(make_user("evaluator", territory_code="120104"))


def make_orders(
    canteen: Canteen, days: Iterable[date], elder: Elder | None = None, **changes: Any
) -> list[Order]:
    """One served lunch on each day."""
    orders = []
    for on in days:
        menu = db.session.query(Menu).filter_by(canteen_id=canteen.id, on=on, meal="lunch").first()
        if menu is None:
            menu = Menu(canteen_id=canteen.id, on=on, meal="lunch")
            db.session.add(menu)
            db.session.flush()
        at = clock.instant(on, time(12))
        values: dict[str, Any] = {
            "canteen_id": canteen.id, "elder_id": elder.id if elder else None,
            "menu_id": menu.id, "on": on, "meal": "lunch", "service": "eat_in",
            "channel": "till", "state": "served", "payment": "cash", "list_fen": 1500,
            "discount_fen": 0, "subsidy_fen": 0, "payable_fen": 1500, "cash_fen": 1500,
            "placed_at": at, "placed_by": "user:1", "paid_at": at, "paid_on": on, "served_at": at,
        }
        order = Order(**(values | changes))
        db.session.add(order)
        orders.append(order)
    db.session.flush()
    return orders


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def points(everywhere: int, evidence: str = "现场所见", **changes: int) -> dict[str, Points]:
    """The same points for every dimension an evaluator enters, but for those named."""
    entered = {row.code: everywhere for row in schemes()[0].entered}
    return {code: Points(given, evidence) for code, given in (entered | changes).items()}


def visit(
    canteen: Canteen, evaluator: Actor, on: date, everywhere: int, vetoes: Iterable[str] = ()
) -> Inspection:
    """A visit entered on its evening."""
    with transaction():
        return inspecting.submit(
            canteen.id, on, points(everywhere), vetoes=list(vetoes),
            by=evaluator, at=clock.instant(on, time(18)),
        )  # fmt: skip
