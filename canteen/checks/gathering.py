"""The period's meals laid out once for all checks, in tables that live as long as the act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import MEALS as NAMES
from canteen.canteens.models import Canteen, MealPeriod, StandardSetPrice
from canteen.checks import spelling
from canteen.checks.granted import standing
from canteen.checks.parts import Scope
from canteen.db import BigId, db, insert, is_postgresql
from canteen.orders.models import Order
from canteen.subsidies.models import Grant
from canteen.tills.models import TillEntry
from canteen.tills.ruling import beyond_caps

here = sa.MetaData()


def temporary(table: str, /, **columns: Any) -> sa.Table:
    """A table of this act; its first column is its key."""
    key = next(iter(columns))
    return sa.Table(
        table, here,
        *(sa.Column(column, kind, primary_key=column == key, autoincrement=False)
          for column, kind in columns.items()),
        prefixes=["TEMPORARY"],
    )  # fmt: skip


BIG, WHOLE = sa.BigInteger, sa.Integer

# What a meal takes over from its canteen: the standard set's price on the period's first day
# (`repriced`: it changed within the period), and the hours of each meal in minutes of the day.
KITCHENS = temporary(
    "checked_kitchens", id=BigId, district=sa.String(9), tier=WHOLE, set_fen=BIG,
    repriced=sa.Boolean,
    **{f"{meal}_{side}": WHOLE for meal in NAMES for side in ("opens", "closes")},
)  # fmt: skip

# A subsidised meal of the period that was not lost. `at` is when it was handed over (or ordered,
# until it is `handed`), in seconds; `counter`: sold at the counter and not delivered; `opens` and
# `closes` are minutes of the day in Shanghai, empty where the canteen does not serve this meal. The
# till's part is empty for what was ordered elsewhere. `stake_fen` is all the programme pays for it.
MEALS = temporary(
    "checked_meals", order_id=BigId, canteen_id=BIG, district=sa.String(9), tier=WHOLE,
    elder_id=BIG, on=sa.Date, day=WHOLE, meal=sa.String(10), service=sa.String(10),
    channel=sa.String(8), counter=sa.Boolean, state=sa.String(18), policy_id=BIG,
    group_code=sa.String(20), subsidy_fen=BIG, stake_fen=BIG, account_fen=BIG, list_fen=BIG,
    set_fen=BIG, at=BIG, opens=WHOLE, closes=WHOLE, placed_by=sa.String(60),
    served_by=sa.String(60), handed=sa.Boolean, sent=BIG, beyond=sa.Boolean, till_id=BIG,
    number=WHOLE, kept=sa.Boolean, lag_s=BIG, how=sa.String(20), notes=sa.Text,
)  # fmt: skip

# When it was handed over, empty until it is; the minute of the day in Shanghai it was sold.
SERVED = sa.case((MEALS.c.handed, MEALS.c.at))
MINUTE = spelling.minute_of(MEALS.c.at)
COUNTER = MEALS.c.counter


def fill(scope: Scope) -> None:
    """Fill the tables of this module from the books."""
    db.session.execute(_kitchens(scope))
    db.session.execute(_meals(scope))
    db.session.connection().exec_driver_sql(
        "CREATE INDEX ix_checked_meals_elder ON checked_meals (elder_id, canteen_id, day)"
    )
    measured(MEALS)


def measured(*tables: sa.Table) -> None:
    """Let PostgreSQL know how much lies in tables that were just filled."""
    if is_postgresql():
        for table in tables:
            db.session.connection().exec_driver_sql(f"ANALYZE {table.name}")


def _kitchens(scope: Scope) -> sa.Insert:
    price = (
        sa.select(StandardSetPrice.price_fen)
        .where(
            StandardSetPrice.district_code == Canteen.district_code,
            StandardSetPrice.from_on <= scope.first,
        )
        .order_by(StandardSetPrice.from_on.desc()).limit(1)
        .correlate(Canteen).scalar_subquery()
    )  # fmt: skip
    repriced = sa.exists().where(
        StandardSetPrice.district_code == Canteen.district_code,
        StandardSetPrice.from_on > scope.first, StandardSetPrice.from_on <= scope.last,
    )
    hours = []
    for meal in NAMES:
        for column in (MealPeriod.opens, MealPeriod.closes):
            hours.append(
                sa.select(spelling.minutes(column))
                .where(MealPeriod.canteen_id == Canteen.id, MealPeriod.meal == meal)
                .correlate(Canteen).scalar_subquery()
            )  # fmt: skip
    query = sa.select(Canteen.id, Canteen.district_code, Canteen.tier, price, repriced, *hours)
    return sa.insert(KITCHENS).from_select([c.name for c in KITCHENS.c], query)


def _meals(scope: Scope) -> Any:
    k = KITCHENS.c
    sale = sa.and_(TillEntry.order_id == Grant.order_id, TillEntry.kind == "sale")
    happened = spelling.epoch(sa.func.coalesce(Order.served_at, Order.placed_at))
    made, received = spelling.epoch(TillEntry.made_at), spelling.epoch(TillEntry.received_at)
    # What is borne beyond the caps has no part for the enterprise: few inputs need to be read.
    borne = sa.and_(Grant.enterprise_fen == 0, sa.func.coalesce(beyond_caps(), sa.false()))
    columns = {
        "order_id": Grant.order_id, "canteen_id": Grant.canteen_id, "district": k.district,
        "tier": k.tier, "elder_id": Grant.elder_id, "on": Grant.on,
        "day": spelling.day_within(Grant.on, scope.first, scope.last), "meal": Grant.meal,
        "service": Order.service, "channel": Order.channel,
        "counter": sa.and_(Order.channel == "till", Order.service != "delivery"),
        "state": Order.state,
        "policy_id": Grant.policy_id, "group_code": Grant.group_code,
        "subsidy_fen": Grant.till_fen + Grant.account_fen, "stake_fen": Grant.whole_fen,
        "account_fen": Grant.account_fen, "list_fen": Order.list_fen, "at": happened,
        "opens": _hours("opens"), "closes": _hours("closes"),
        "placed_by": Order.placed_by, "served_by": Order.served_by,
        "handed": Order.served_at.is_not(None),
        "sent": sa.case((Order.sent_at.is_not(None), spelling.epoch(Order.sent_at))),
        "beyond": sa.case((borne, sa.true()), else_=sa.false()), "till_id": TillEntry.till_id,
        "number": TillEntry.number, "kept": TillEntry.kept, "lag_s": received - made,
        "how": sa.func.substr(spelling.said(TillEntry.body, "how"), 1, 20),
        "notes": sa.cast(TillEntry.notes, sa.Text), "set_fen": _set_fen(scope),
    }  # fmt: skip
    ends = _ends(scope.period)
    among = [Order.id.between(*ends)] if ends else []
    # Outer joins, though nothing is lacking, so that SQLite walks the grants in their order: the
    # orders lie in the same one, and each page of theirs is read once.
    query = (
        sa.select(*(column.label(name) for name, column in columns.items()))
        .select_from(Grant)
        .outerjoin(Order, sa.and_(Order.id == Grant.order_id, *among))
        .outerjoin(KITCHENS, k.id == Grant.canteen_id)
        .outerjoin(TillEntry, sale)
        .where(*_of_period(scope.period), *standing(ends))
    )
    return insert(MEALS).from_select(list(columns), query).on_conflict_do_nothing()


def _of_period(period: str) -> list[Any]:
    """The conditions on Grant; on SQLite, where the period's rows lie close together, such that
    they are read in one go and not one by one through the index."""
    if is_postgresql():
        return [Grant.period == period]
    least, most, count = db.session.execute(
        sa.select(sa.func.min(Grant.id), sa.func.max(Grant.id), sa.func.count(Grant.id))
        .where(Grant.period == period)
    ).one()  # fmt: skip
    if not count or most - least > 3 * count:
        return [Grant.period == period]
    return [Grant.id.between(least, most), sa.func.coalesce(Grant.period, "") == period]


def _ends(period: str) -> tuple[int, int] | None:
    """Between which numbers the period's orders lie, so that PostgreSQL reads no older ones."""
    if not is_postgresql():
        return None
    ends = db.session.execute(
        sa.select(sa.func.min(Grant.order_id), sa.func.max(Grant.order_id))
        .where(Grant.period == period)
        .group_by(Grant.period)  # or it would walk all orders from either end, looking for one
    ).first()
    return (ends[0], ends[1]) if ends else None


def _hours(side: str) -> Any:
    return sa.case({meal: KITCHENS.c[f"{meal}_{side}"] for meal in NAMES}, value=Grant.meal)


def _set_fen(scope: Scope) -> Any:
    """What the district's standard set cost on the meal's day."""
    k = KITCHENS.c
    then = (
        sa.select(StandardSetPrice.price_fen)
        .where(
            StandardSetPrice.district_code == k.district, StandardSetPrice.from_on <= Grant.on,
        )
        .order_by(StandardSetPrice.from_on.desc()).limit(1)
        .correlate(KITCHENS, Grant).scalar_subquery()
    )  # fmt: skip
    same = sa.and_(~k.repriced, Grant.on >= scope.first, Grant.on < scope.last + timedelta(days=1))
    return sa.case((same, k.set_fen), else_=then)
