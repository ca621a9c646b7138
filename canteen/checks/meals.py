"""The meals a suspicion is about: its own, or those its evidence and its key lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.catalogue import CHECKS
from canteen.checks.granted import standing
from canteen.checks.models import Suspicion
from canteen.elders.models import Elder
from canteen.orders.models import Order, OrderLine
from canteen.subsidies.models import Grant
from canteen.tills.models import TillEntry

ITEM = "item:"


def of(suspicion: Suspicion) -> sa.Select[tuple[int]]:
    """The orders whose subsidy is in question, each once; what was lost since is left out.

    One query. A meal of its own gives that meal, a burst the sales of the run, what concerns an
    elder or a canteen as a whole every subsidised meal of theirs in the period; what concerns no
    meal at all (numbers missing at a till, money given back) gives none.
    """
    meals = reached(Suspicion.id == suspicion.id).subquery()
    return sa.select(meals.c.order_id).distinct().order_by(meals.c.order_id)


def reached(*conditions: Any) -> sa.CompoundSelect[Any]:
    """(suspicion_id, order_id, stake_fen) of all suspicions of which the conditions hold.

    `stake_fen` is all the programme pays for the meal. A meal stands there once for each
    suspicion about it: who adds up must take it once.
    """
    parts = []
    for about, lead in LEADS.items():
        codes = [check.code for check in CHECKS if check.about == about]
        parts.append(lead(_in_force().where(Suspicion.code.in_(codes), *conditions)))
    return sa.union(*parts)


def _in_force() -> sa.Select[Any]:
    """Suspicions beside the subsidised meals of their period."""
    return (
        sa.select(
            Suspicion.id.label("suspicion_id"), Grant.order_id.label("order_id"),
            Grant.whole_fen.label("stake_fen"),
        )
        .select_from(Suspicion).join(Grant, Grant.period == Suspicion.period).where(*standing())
    )  # fmt: skip


def _order(meals: sa.Select[Any]) -> sa.Select[Any]:
    return meals.where(Grant.order_id == Suspicion.order_id)


def _orders(meals: sa.Select[Any]) -> sa.Select[Any]:
    each = spelling.each_of(Suspicion.evidence["order_ids"].as_string())
    return meals.join(each, sa.true()).where(Grant.order_id == sa.cast(each.c.value, sa.BigInteger))


def _elder(meals: sa.Select[Any]) -> sa.Select[Any]:
    return _canteen(meals).where(Grant.elder_id == Suspicion.elder_id)


def _elders(meals: sa.Select[Any]) -> sa.Select[Any]:
    each = spelling.each_of(Suspicion.evidence["elder_ids"].as_string())
    return _canteen(meals).join(each, sa.true()).where(
        Grant.elder_id == sa.cast(each.c.value, sa.BigInteger)
    )


def _canteen(meals: sa.Select[Any]) -> sa.Select[Any]:
    return meals.where(Grant.canteen_id == Suspicion.canteen_id)


def _street(meals: sa.Select[Any]) -> sa.Select[Any]:
    return (
        _canteen(meals).join(Elder, Elder.id == Grant.elder_id)
        .join(Order, Order.id == Grant.order_id)
        .where(
            Elder.street_code == Suspicion.evidence["street"].as_string(),
            Order.service != "delivery",
        )
    )  # fmt: skip


def _sitting(meals: sa.Select[Any]) -> sa.Select[Any]:
    return _canteen(meals).join(Order, Order.id == Grant.order_id).where(
        sa.cast(Grant.on, sa.Text) == Suspicion.evidence["meal_on"].as_string(),
        Grant.meal == Suspicion.evidence["meal"].as_string(), Order.service == "eat_in",
    )  # fmt: skip


def _till(meals: sa.Select[Any]) -> sa.Select[Any]:
    return _canteen(meals).join(TillEntry, TillEntry.order_id == Grant.order_id).where(
        TillEntry.kind == "sale", TillEntry.till_id == Suspicion.evidence["till_id"].as_integer()
    )


def _item(meals: sa.Select[Any]) -> sa.Select[Any]:
    return meals.join(OrderLine, OrderLine.order_id == Grant.order_id).where(
        Suspicion.key.startswith(ITEM),
        OrderLine.menu_item_id == sa.cast(
            sa.func.substr(Suspicion.key, len(ITEM) + 1), sa.BigInteger
        ),
    )  # fmt: skip


# How each kind of finding leads to its meals; "nothing" leads nowhere.
LEADS: dict[str, Callable[[sa.Select[Any]], sa.Select[Any]]] = {
    "order": _order, "orders": _orders, "elder": _elder, "elders": _elders, "canteen": _canteen,
    "street": _street, "sitting": _sitting, "till": _till, "item": _item,
}  # fmt: skip
