"""The day at a glance: what was sold, what is in the drawer, what others owe for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.db import db
from canteen.orders.models import Cancellation, Order
from canteen.subsidies.models import Grant
from canteen.web.cashier.door import blueprint, day_asked, here

SUMS = ("meals", "elder_meals", "subsidised", "list_fen", "discount_fen", "subsidy_fen", "cash_fen",
        "online_fen")  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What one meal of a day brought, or what its cancellations took away again."""

    meal: str
    meals: int = 0
    elder_meals: int = 0
    subsidised: int = 0
    list_fen: int = 0
    discount_fen: int = 0
    subsidy_fen: int = 0
    cash_fen: int = 0
    online_fen: int = 0


@blueprint.get("/day")
def day() -> ResponseReturnValue:
    """Today, or an earlier day."""
    canteen, today = here(), clock.business_date()
    on = min(day_asked(request.args.get("on", ""), today), today)
    sold = _sums(Order.canteen_id == canteen.id, Order.paid_on == on)
    back = _sums(Order.canteen_id == canteen.id, Cancellation.on == on, Order.paid_on.is_not(None))
    enterprise = sa.select(
        sa.func.coalesce(sa.func.sum(Grant.enterprise_fen), 0),
        sa.func.coalesce(sa.func.sum(Grant.account_fen), 0),
    ).where(Grant.canteen_id == canteen.id, Grant.on == on)
    earned = db.session.execute(enterprise).one()
    return render_template(
        "cashier/day.html", canteen=canteen, on=on, today=today, sold=sold, back=back,
        total=total(sold), undone=total(back), enterprise_fen=int(earned[0]),
        account_fen=int(earned[1]), meals=MEALS, earlier=on - timedelta(days=1),
        later=on + timedelta(days=1) if on < today else None,
    )


def total(rows: list[Taken]) -> Taken:
    """All meals of the day together."""
    return Taken("", **{name: sum(getattr(row, name) for row in rows) for name in SUMS})


def _sums(*conditions: Any) -> list[Taken]:
    """Sums in fen by meal: of what was paid that day, or of what was cancelled that day."""

    def when(condition: Any, value: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)

    rows = db.session.execute(
        sa.select(
            Order.meal, sa.func.count(), when(Order.elder_id.is_not(None), 1),
            when(Order.subsidy_fen > 0, 1), sa.func.sum(Order.list_fen),
            sa.func.sum(Order.discount_fen), sa.func.sum(Order.subsidy_fen),
            sa.func.sum(Order.cash_fen),
            sa.func.sum(Order.payable_fen - Order.cash_fen),
        )
        .outerjoin(Cancellation, Cancellation.order_id == Order.id)
        .where(*conditions)
        .group_by(Order.meal)
    )  # fmt: skip
    found = [Taken(row[0], *(int(value) for value in row[1:])) for row in rows]
    return sorted(found, key=lambda row: list(MEALS).index(row.meal))
