"""Orders, prices and diners as the till shows them: sentences and sums, never an ID number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.subsidies import explaining
from canteen.subsidies.cases import Case, Quote
from canteen.subsidies.publishing import by_id
from canteen.words import Text


@dataclass(frozen=True)
class Dots:
    """An elder's subsidised meals in the week of a day."""

    used: int
    cap: int
    on: date
    next_monday: date
    today_used: bool

    @property
    def left(self) -> int:
        """How many are left this week."""
        return max(self.cap - self.used, 0)


def strip(quote: Quote) -> dict[str, Any]:
    """A quote as the price strip draws it: the four sums, who pays the subsidy, and why."""
    return {
        "list_fen": quote.list_fen, "discount_fen": quote.discount_fen,
        "subsidy_fen": quote.subsidy_fen, "payable_fen": quote.payable_fen,
        "payers": payers(quote), "why": explaining.why(quote),  # says what goes to an account
    }


def strip_of(order: Order, quote: Quote) -> dict[str, Any]:
    """The strip of an order: its own sums, which an offline sale may have beside its quote's."""
    own = ("list_fen", "discount_fen", "subsidy_fen", "payable_fen")
    return strip(quote) | {name: getattr(order, name) for name in own}


def payers(quote: Quote) -> list[tuple[Text, int]]:
    """Who pays the elder's subsidy: (the city, 150), (the district, 150)."""
    sides = quote.funders()["elder"]
    return [(explaining.FUNDERS.get(who, Text(who, who)), fen) for who, fen in sides.items()]


def week_after(order: Order, quote: Quote) -> Dots | None:
    """How the elder's week stood right after an order, from what it was priced with."""
    if order.policy_id is None:
        return None
    cap = by_id(order.policy_id).policy.caps.per_week
    if not cap:
        return None
    case = Case.from_dict(order.inputs)
    today_used = quote.uses_quota or case.used_today > 0
    return _dots(case.used_this_week + quote.uses_quota, cap, order.on, today_used)


def _dots(count: int, cap: int, on: date, today_used: bool) -> Dots:
    return Dots(count, cap, on, clock.week_start(on) + timedelta(days=7), today_used)


def change(received_fen: int | None, payable_fen: int) -> dict[str, int] | None:
    """What to give back ("back_fen") or what is still missing ("short_fen"), in fen."""
    if received_fen is None:
        return None
    return {
        "back_fen": max(received_fen - payable_fen, 0),
        "short_fen": max(payable_fen - received_fen, 0),
    }


def names(elder_ids: Collection[int | None]) -> dict[int, str]:
    """The names by which diners of this canteen's orders are called to the counter."""
    known = {elder_id for elder_id in elder_ids if elder_id is not None}
    rows = db.session.execute(sa.select(Elder.id, Elder.name).where(Elder.id.in_(known)))
    return {row.id: row.name for row in rows}
