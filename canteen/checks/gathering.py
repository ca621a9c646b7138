"""The period's meals laid out once for all checks, in tables that live as long as the act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from canteen.canteens.models import Canteen, StandardSetPrice
from canteen.checks import spelling
from canteen.checks.granted import STAKE_FEN, standing
from canteen.checks.parts import Scope
from canteen.db import db, is_postgresql
from canteen.elders.models import Elder
from canteen.menus.models import MenuItem
from canteen.orders.models import Order, OrderLine
from canteen.subsidies.models import Grant
from canteen.tills.models import TillEntry
from canteen.tills.ruling import beyond_caps

MONTHS_BACK = 6
_here = sa.MetaData()

# A subsidised meal of the period that was not taken back. `at` is when it was handed over (or
# ordered, until it is), in seconds; `minute` of the day in Shanghai. The till's part is empty for
# what was ordered elsewhere. `stake_fen` is all that the programme pays for it.
MEALS = sa.Table(
    "checked_meals", _here,
    *(
        sa.Column(name, kind)
        for name, kind in (
            ("order_id", sa.BigInteger), ("canteen_id", sa.BigInteger),
            ("district", sa.String(9)), ("tier", sa.Integer), ("elder_id", sa.BigInteger),
            ("on", sa.Date), ("day", sa.Integer), ("meal", sa.String(10)),
            ("service", sa.String(10)), ("channel", sa.String(8)), ("state", sa.String(18)),
            ("policy_id", sa.BigInteger), ("group_code", sa.String(20)),
            ("subsidy_fen", sa.BigInteger), ("stake_fen", sa.BigInteger),
            ("account_fen", sa.BigInteger), ("list_fen", sa.BigInteger),
            ("discount_fen", sa.BigInteger), ("at", sa.BigInteger), ("minute", sa.Integer),
            ("granted_at", sa.BigInteger), ("placed_by", sa.String(60)),
            ("served_by", sa.String(60)), ("served", sa.BigInteger), ("sent", sa.BigInteger),
            ("beyond", sa.Boolean), ("till_id", sa.BigInteger), ("number", sa.Integer),
            ("kept", sa.Boolean), ("lag_s", sa.BigInteger), ("how", sa.String(20)),
            ("notes", sa.Text), ("age", sa.Integer), ("household", sa.String(9)),
            ("set_fen", sa.BigInteger),
        )
    ),
    prefixes=["TEMPORARY"],
)  # fmt: skip

# What each canteen sold at each meal of the period's days, subsidised or not.
DAYS = sa.Table(
    "checked_days", _here,
    sa.Column("canteen_id", sa.BigInteger), sa.Column("on", sa.Date),
    sa.Column("meal", sa.String(10)), sa.Column("orders", sa.BigInteger),
    sa.Column("eaten_in", sa.BigInteger), sa.Column("list_fen", sa.BigInteger),
    prefixes=["TEMPORARY"],
)  # fmt: skip

# Each canteen's subsidised meals of the months before.
MONTHS = sa.Table(
    "checked_months", _here,
    sa.Column("canteen_id", sa.BigInteger), sa.Column("period", sa.String(7)),
    sa.Column("meals", sa.BigInteger), sa.Column("stake_fen", sa.BigInteger),
    prefixes=["TEMPORARY"],
)  # fmt: skip

# The meals whose dishes do not come to their price, or come to more than the menu asks.
LINES = sa.Table(
    "checked_lines", _here,
    sa.Column("order_id", sa.BigInteger), sa.Column("sold_fen", sa.BigInteger),
    sa.Column("menu_fen", sa.BigInteger), prefixes=["TEMPORARY"],
)  # fmt: skip

# Made after the tables are filled, which is quicker.
INDEXES = {
    "ix_checked_meals_order": "checked_meals (order_id)",
    "ix_checked_meals_elder": "checked_meals (elder_id, day)",
    "ix_checked_meals_canteen": "checked_meals (canteen_id, day)",
    "ix_checked_days_canteen": "checked_days (canteen_id)",
}


@contextmanager
def gathered(scope: Scope) -> Iterator[None]:
    """Within it MEALS, DAYS, MONTHS and LINES hold the whole city's period: what is far above its
    peers does not depend on who asks. Inside the door's transaction; a failure rolls them back."""
    connection = db.session.connection()
    _here.drop_all(connection)
    _here.create_all(connection, checkfirst=False)
    db.session.execute(_meals(scope))
    db.session.execute(_days(scope))
    db.session.execute(_months(scope))
    db.session.execute(_lines())
    for name, columns in INDEXES.items():
        connection.exec_driver_sql(f"CREATE INDEX {name} ON {columns}")
    if is_postgresql():
        for table in (MEALS, DAYS, MONTHS, LINES):
            connection.exec_driver_sql(f"ANALYZE {table.name}")
    yield
    _here.drop_all(connection)


def months_before(period: str) -> list[str]:
    """The periods before this one that are compared with it, the nearest first."""
    year, month = int(period[:4]), int(period[5:7])
    numbers = [year * 12 + month - 1 - back for back in range(1, MONTHS_BACK + 1)]
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _meals(scope: Scope) -> sa.Insert:
    sale = sa.and_(TillEntry.order_id == Order.id, TillEntry.kind == "sale")
    happened = spelling.epoch(sa.func.coalesce(Order.served_at, Order.placed_at))
    made, received = spelling.epoch(TillEntry.made_at), spelling.epoch(TillEntry.received_at)
    # What is borne beyond the caps has no part for the enterprise: few inputs need to be read.
    borne = sa.and_(Grant.enterprise_fen == 0, sa.func.coalesce(beyond_caps(), sa.false()))
    beyond = sa.case((borne, sa.true()), else_=sa.false())
    set_fen = (
        sa.select(StandardSetPrice.price_fen)
        .where(
            StandardSetPrice.district_code == Canteen.district_code,
            StandardSetPrice.from_on <= Grant.on,
        )
        .order_by(StandardSetPrice.from_on.desc()).limit(1)
        .correlate(Canteen, Grant).scalar_subquery()
    )  # fmt: skip
    columns = {
        "order_id": Order.id, "canteen_id": Grant.canteen_id, "district": Canteen.district_code,
        "tier": Canteen.tier, "elder_id": Grant.elder_id, "on": Grant.on,
        "day": spelling.day_number(Grant.on), "meal": Grant.meal, "service": Order.service,
        "channel": Order.channel, "state": Order.state, "policy_id": Grant.policy_id,
        "group_code": Grant.group_code, "subsidy_fen": Grant.till_fen + Grant.account_fen,
        "stake_fen": STAKE_FEN,
        "account_fen": Grant.account_fen, "list_fen": Order.list_fen,
        "discount_fen": Order.discount_fen, "at": happened,
        "minute": spelling.minute_of(happened), "granted_at": spelling.epoch(Grant.made_at),
        "placed_by": Order.placed_by, "served_by": Order.served_by,
        "served": spelling.epoch(Order.served_at), "sent": spelling.epoch(Order.sent_at),
        "beyond": beyond, "till_id": TillEntry.till_id,
        "number": TillEntry.number, "kept": TillEntry.kept, "lag_s": received - made,
        "how": sa.func.substr(spelling.said(TillEntry.body, "how"), 1, 20),
        "notes": sa.cast(TillEntry.notes, sa.Text),
        "age": spelling.age_on(Elder.birth_date, Grant.on), "household": Elder.household,
        "set_fen": set_fen,
    }  # fmt: skip
    query = (
        sa.select(*(column.label(name) for name, column in columns.items()))
        .select_from(Grant)
        .join(Order, Order.id == Grant.order_id)
        .join(Canteen, Canteen.id == Grant.canteen_id)
        .join(Elder, Elder.id == Grant.elder_id)
        .outerjoin(TillEntry, sale)
        .where(Grant.period == scope.period, *standing())
    )
    return sa.insert(MEALS).from_select(list(columns), query)


def _days(scope: Scope) -> sa.Insert:
    eaten_in = sa.func.sum(sa.case((Order.service == "eat_in", 1), else_=0))
    query = (
        sa.select(
            Order.canteen_id, Order.on, Order.meal, sa.func.count(), eaten_in,
            sa.func.sum(Order.list_fen),
        )
        .join(Canteen, Canteen.id == Order.canteen_id)  # so that (canteen, day) finds the orders
        .where(Order.on.between(scope.first, scope.last), Order.state.in_(("placed", "served")))
        .group_by(Order.canteen_id, Order.on, Order.meal)
    )
    return sa.insert(DAYS).from_select([c.name for c in DAYS.c], query)


def _lines() -> sa.Insert:
    sold = sa.func.sum(OrderLine.quantity * OrderLine.unit_fen)
    menu = sa.func.sum(OrderLine.quantity * MenuItem.price_fen)
    query = (
        sa.select(OrderLine.order_id, sold, menu)
        .select_from(MEALS)
        .join(OrderLine, OrderLine.order_id == MEALS.c.order_id)
        .join(MenuItem, MenuItem.id == OrderLine.menu_item_id)
        .group_by(OrderLine.order_id)
        .having(sa.or_(sold > menu, sold != sa.func.min(MEALS.c.list_fen)))
    )
    return sa.insert(LINES).from_select([c.name for c in LINES.c], query)


def _months(scope: Scope) -> sa.Insert:
    stake = Grant.till_fen + Grant.account_fen + Grant.enterprise_fen + Grant.delivery_fen
    query = (
        sa.select(Grant.canteen_id, Grant.period, sa.func.sum(Grant.sign), sa.func.sum(stake))
        .where(Grant.period.in_(months_before(scope.period)))
        .group_by(Grant.canteen_id, Grant.period)
    )
    return sa.insert(MONTHS).from_select([c.name for c in MONTHS.c], query)
