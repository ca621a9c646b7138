"""The month's meals added up once for all checks: by canteen and elder, by elder, by canteen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from canteen.checks import spelling
from canteen.checks.gathering import (
    BIG,
    COUNTER,
    KITCHENS,
    MEALS,
    MINUTE,
    WHOLE,
    here,
    measured,
    temporary,
)
from canteen.checks.giving_back import BACK
from canteen.checks.parts import Scope
from canteen.db import BigId, db
from canteen.elders.models import Elder
from canteen.menus.models import Menu, MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.subsidies.models import Grant

MONTHS_BACK = 6
WEEKS = tuple(f"week{number}" for number in range(6))  # natural weeks a month can touch
SOON = 30  # minutes before closing within which sales are counted for everybody
m = MEALS.c

_SUMS = (
    "meals", "stake_fen", "exact", "counter", "counter_fen", "round", "soon", "rung", "rung_fen",
    "bare", "kept", "fetched", "fetched_fen",
)  # fmt: skip
_OF_DINERS = ("account_meals", "account_fen", "days", "packed")
_ENDS = {
    "first_on": sa.Date, "last_on": sa.Date, "first_at": BIG, "policy_low": BIG,
    "policy_high": BIG, "group_low": sa.String(20), "group_high": sa.String(20),
}  # fmt: skip
_MOST = ("last_on", "policy_high", "group_high")
_PACK = 10  # bits for each week's meals

# An elder at a canteen. `days` are those of their meals; `packed` holds the meals of the natural
# weeks from that of the period's first day on (see `in_week`), without what arrived late.
# Sold at the counter (`counter`), of these on a full fifth minute (`round`) or at most SOON before
# closing (`soon`); with a till's entry (`rung`), of these without a card (`bare`) or without a
# network (`kept`); not delivered (`fetched`); at exactly the standard set's price (`exact`).
CELLS = sa.Table(
    "checked_cells", here,
    sa.Column("canteen_id", BIG), sa.Column("elder_id", BIG),
    *(sa.Column(name, BIG) for name in (*_SUMS, *_OF_DINERS)),
    *(sa.Column(name, kind) for name, kind in _ENDS.items()),
    prefixes=["TEMPORARY"],
)  # fmt: skip

# An elder with all their meals. In the natural weeks that the period shares with the months beside
# it, what was granted there is counted as well.
DINERS = temporary(
    "checked_diners", elder_id=BigId, canteen_id=BIG, canteens=WHOLE, meals=BIG, days=BIG,
    stake_fen=BIG, account_meals=BIG, account_fen=BIG, **_ENDS, **dict.fromkeys(WEEKS, BIG),
    name=sa.String(40), birth_date=sa.Date, household=sa.String(9), phone=sa.String(20),
    payout_account=sa.String(60), registered_at=BIG,
)  # fmt: skip

# A canteen with all its subsidised meals, its elders, all orders that were not cancelled, and how
# many grants it had in the MONTHS_BACK months before, those that took back among them.
PLACES = temporary(
    "checked_places", canteen_id=BigId, district=sa.String(9), tier=WHOLE, elders=BIG, orders=BIG,
    past=BIG, first_on=sa.Date, last_on=sa.Date, **dict.fromkeys(_SUMS, BIG),
)

# How many orders, subsidised or not, cancelled or not, a canteen had on a day of the period.
DAYS = sa.Table(
    "checked_days", here,
    sa.Column("canteen_id", BIG), sa.Column("on", sa.Date), sa.Column("orders", BIG),
    prefixes=["TEMPORARY"],
)  # fmt: skip

# The dishes of the period's menus of which everything is gone by their own counter.
GONE = temporary("checked_gone", item_id=BigId, canteen_id=BIG, on=sa.Date, meal=sa.String(10))

# The meals whose dishes do not come to their price, or come to more than the menu asks.
LINES = temporary("checked_lines", order_id=BigId, sold_fen=BIG, menu_fen=BIG)


def fill(scope: Scope) -> None:
    """Fill the tables of this module from MEALS."""
    for table, statement in (
        (CELLS, _cells(scope)), (DINERS, _diners(scope)), (DAYS, _days(scope)),
        (PLACES, _places(scope)), (GONE, _gone(scope)),
        (LINES, _lines()),
    ):
        db.session.execute(statement)
        measured(table)


def months_before(period: str) -> list[str]:
    """The periods before this one that are compared with it, the nearest first."""
    year, month = int(period[:4]), int(period[5:7])
    numbers = [year * 12 + month - 1 - back for back in range(1, MONTHS_BACK + 1)]
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _when(condition: Any, value: Any = 1) -> Any:
    return sa.func.sum(sa.case((condition, value), else_=0))


def _into(table: sa.Table, columns: dict[str, Any], source: Any, *groups: Any) -> sa.Insert:
    named = [column.label(name) for name, column in columns.items()]
    query = sa.select(*named).select_from(source)
    if groups:
        query = query.group_by(*groups)
    return sa.insert(table).from_select(list(columns), query)


def in_week(packed: Any, number: int) -> Any:
    """The meals of one of the six weeks of `packed`."""
    down = packed.bitwise_rshift(sa.literal_column(str(_PACK * number)))
    return down.bitwise_and(sa.literal_column(str((1 << _PACK) - 1)))


def _cells(scope: Scope) -> sa.Insert:
    least, most, total = sa.func.min, sa.func.max, sa.func.sum
    monday = spelling.week_of(spelling.day_count(scope.first))
    left = m.closes - MINUTE
    in_month = m.day.between(monday, monday + 7 * len(WEEKS) - 1)
    one = sa.cast(sa.literal_column("1"), BIG)
    columns = {
        "canteen_id": m.canteen_id, "elder_id": m.elder_id,
        "meals": sa.func.count(), "stake_fen": total(m.stake_fen),
        "account_meals": _when(m.account_fen > 0), "account_fen": total(m.account_fen),
        "first_on": least(m.on), "last_on": most(m.on), "first_at": least(m.at),
        "policy_low": least(m.policy_id), "policy_high": most(m.policy_id),
        "group_low": least(m.group_code), "group_high": most(m.group_code),
        "exact": _when(m.list_fen == m.set_fen), "counter": _when(COUNTER),
        "counter_fen": _when(COUNTER, m.stake_fen),
        "round": _when(sa.and_(m.at % 300 == 0, COUNTER)),
        "soon": _when(sa.and_(left.between(0, SOON), COUNTER)),
        "rung": sa.func.count(m.till_id), "rung_fen": _when(m.till_id.is_not(None), m.stake_fen),
        "bare": _when(sa.and_(
            m.till_id.is_not(None), sa.func.coalesce(m.how, "").not_in(("card", "ric"))
        )),
        "kept": _when(m.kept), "fetched": _when(m.service != "delivery"),
        "fetched_fen": _when(m.service != "delivery", m.stake_fen),
        "days": sa.func.count(m.day.distinct()),
        "packed": _when(in_month, one.bitwise_lshift((m.day - monday) // 7 * _PACK)),
    }  # fmt: skip
    return _into(CELLS, columns, MEALS, m.elder_id, m.canteen_id)


def _summed(*names: str) -> dict[str, Any]:
    """The columns of CELLS put together: the least, the most, else the sum."""
    return {
        name: (sa.func.max if name in _MOST else sa.func.min)(CELLS.c[name]) if name in _ENDS
        else sa.cast(sa.func.sum(CELLS.c[name]), BIG)
        for name in names
    }


def _diners(scope: Scope) -> sa.Insert:
    c = CELLS.c
    names = ("meals", "days", "stake_fen", "account_meals", "account_fen", *_ENDS)
    each = sa.select(
        c.elder_id, sa.func.min(c.canteen_id).label("canteen_id"),
        sa.func.count().label("canteens"),
        *(column.label(name) for name, column in _summed(*names, "packed").items()),
    ).group_by(c.elder_id).subquery()  # fmt: skip
    e = each.c
    monday = scope.first - timedelta(days=scope.first.weekday())
    sunday = scope.last + timedelta(days=6 - scope.last.weekday())
    columns: dict[str, Any] = {
        name: e[name] for name in ("elder_id", "canteen_id", "canteens", *names)
    }
    columns |= {week: in_week(e.packed, number) for number, week in enumerate(WEEKS)}
    last = (scope.last - monday).days // 7
    for number, first_on, last_on in (
        (0, monday, scope.first - timedelta(days=1)),
        (last, scope.last + timedelta(days=1), sunday),
    ):
        columns[WEEKS[number]] += _granted(e, in_week(e.packed, number), first_on, last_on)
    columns |= {
        "name": Elder.name, "birth_date": Elder.birth_date, "household": Elder.household,
        "phone": Elder.phone, "payout_account": Elder.payout_account,
        "registered_at": spelling.epoch(Elder.registered_at),
    }
    return _into(DINERS, columns, each.outerjoin(Elder, Elder.id == e.elder_id))


def _granted(e: Any, in_week: Any, first: Any, last: Any) -> Any:
    """How much was granted an elder between two days, if they have meals in the same week."""
    if last < first:
        return sa.literal(0)
    count = (
        sa.select(sa.func.count())
        .where(Grant.elder_id == e.elder_id, Grant.on.between(first, last), Grant.sign == 1)
        .correlate(e.elder_id.table).scalar_subquery()
    )  # fmt: skip
    return sa.case((in_week > 0, count), else_=0)


def _days(scope: Scope) -> sa.Insert:
    columns = {"canteen_id": KITCHENS.c.id, "on": Order.on, "orders": sa.func.count()}
    # The canteens first, so that (canteen, day) finds the orders and nothing else is read.
    orders = sa.and_(
        Order.canteen_id == KITCHENS.c.id, Order.on.between(scope.first, scope.last)
    )
    source = KITCHENS.outerjoin(Order, orders)
    return _into(DAYS, columns, source, KITCHENS.c.id, Order.on)


def _places(scope: Scope) -> sa.Insert:
    c = CELLS.c
    names = (*_SUMS, "first_on", "last_on")
    each = sa.select(
        c.canteen_id, sa.func.count().label("elders"),
        *(column.label(name) for name, column in _summed(*names).items()),
    ).group_by(c.canteen_id).subquery()  # fmt: skip
    back = BACK.c
    gone = (
        sa.select(back.canteen_id, sa.func.count().label("orders"))
        .where(back.whole, back.on.between(scope.first, scope.last))
        .group_by(back.canteen_id).subquery()
    )  # fmt: skip
    came = (
        sa.select(DAYS.c.canteen_id, sa.func.sum(DAYS.c.orders).label("orders"))
        .where(DAYS.c.on.is_not(None)).group_by(DAYS.c.canteen_id).subquery()
    )  # fmt: skip
    past = (  # from the index alone
        sa.select(Grant.canteen_id, sa.func.count().label("rows"))
        .where(Grant.period.in_(months_before(scope.period)))
        .group_by(Grant.canteen_id).subquery()
    )  # fmt: skip
    left = sa.func.coalesce(came.c.orders, 0) - sa.func.coalesce(gone.c.orders, 0)
    e = each.c
    columns = {
        "canteen_id": e.canteen_id, "district": KITCHENS.c.district, "tier": KITCHENS.c.tier,
        "elders": e.elders,
        "orders": sa.cast(left, BIG), "past": sa.func.coalesce(past.c.rows, 0),
        **{name: e[name] for name in names},
    }  # fmt: skip
    source = (
        each.outerjoin(KITCHENS, KITCHENS.c.id == e.canteen_id)
        .outerjoin(came, came.c.canteen_id == e.canteen_id)
        .outerjoin(gone, gone.c.canteen_id == e.canteen_id)
        .outerjoin(past, past.c.canteen_id == e.canteen_id)
    )
    return _into(PLACES, columns, source)


def _gone(scope: Scope) -> sa.Insert:
    query = (
        sa.select(MenuItem.id, Menu.canteen_id, Menu.on, Menu.meal)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(Menu.on.between(scope.first, scope.last), MenuItem.taken >= MenuItem.portions)
    )
    return sa.insert(GONE).from_select([c.name for c in GONE.c], query)


def _lines() -> sa.Insert:
    sold = sa.func.sum(OrderLine.quantity * OrderLine.unit_fen)
    menu = sa.func.sum(OrderLine.quantity * MenuItem.price_fen)
    ends = sa.select(sa.func.min(m.order_id), sa.func.max(m.order_id))
    least, most = db.session.execute(ends).one()
    near = OrderLine.order_id.between(least or 0, most or 0)
    query = (
        sa.select(m.order_id, sold, menu)
        .outerjoin(OrderLine, sa.and_(OrderLine.order_id == m.order_id, near))
        .outerjoin(MenuItem, MenuItem.id == OrderLine.menu_item_id)
        .group_by(m.order_id)
        .having(sa.or_(sold > menu, sold != sa.func.min(m.list_fen)))
    )
    return sa.insert(LINES).from_select([c.name for c in LINES.c], query)
