"""A history of subsidised meals, made by the database: ordinary people eating on ordinary days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import Canteen, Licence, MealPeriod, Operator
from canteen.db import db, is_postgresql, transaction
from canteen.elders.models import Elder
from canteen.loading import catch_up_sequences, load
from canteen.menus.models import Dish, Menu, MenuItem
from canteen.orders.models import Order
from canteen.subsidies.models import Funding, FundingShare, Grant, Period, PolicyVersion
from tests.factories import make_city

LAST = "2026-10"
LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)
A_CANTEEN = 40  # elders who eat there


@dataclass(frozen=True)
class History:
    """How much was made: the periods, oldest first, and the meals in them."""

    periods: tuple[str, ...]
    meals: int
    canteens: int
    elders: int


def make(meals: int, months: int) -> History:
    """About `meals` subsidised lunches over so many months: each elder eats four times a week.

    Every meal has its order, its dish, its menu, its cashier and its grant, so that every check
    has something to look at and little to find.
    """
    periods = _periods(months)
    days = _weekdays(periods)
    elders = max(A_CANTEEN, meals * 5 // (4 * len(days)))
    canteens = max(2, elders // A_CANTEEN)
    city = make_city(date(2026, 10, 15))
    with transaction() as session:
        session.execute(sa.delete(MenuItem))
        session.execute(sa.delete(Menu))
        first_canteen = _canteens(canteens, session.scalar(sa.select(sa.func.max(Canteen.id))))
        first_elder = city.elder.id + 1
        _elders(elders, first_elder, first_canteen, canteens)
        funding = _funding()
        policy = session.scalar(sa.select(sa.func.max(PolicyVersion.id)))
        dish = session.scalar(sa.select(sa.func.min(Dish.id)))
        session.add_all([Period(period=period) for period in periods])
        session.flush()
        _calendar(days)
        values = {
            "elders": elders, "canteens": canteens, "first": first_canteen, "dish": dish,
            "policy": policy, "funding": funding,
        }  # fmt: skip
        for statement in _statements():
            session.execute(sa.text(statement), values)
        session.execute(sa.text("DROP TABLE bench_days"))
        session.execute(sa.text("DROP TABLE bench_elders"))
        catch_up_sequences(Menu, MenuItem, Order, Grant)
        made = int(session.scalar(sa.select(sa.func.count(Grant.id))) or 0)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Years old, the rows would have been swept long ago.
        connection.exec_driver_sql("VACUUM ANALYZE" if is_postgresql() else "ANALYZE")
    return History(periods, made, canteens, elders)


def _periods(months: int) -> tuple[str, ...]:
    found = [LAST]
    while len(found) < months:
        found.append(clock.period_before(found[-1]))
    return tuple(reversed(found))


def _weekdays(periods: tuple[str, ...]) -> list[date]:
    first, last = clock.period_days(periods[0])[0], clock.period_days(periods[-1])[1]
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [on for on in every if on.isoweekday() < 6]


def _canteens(count: int, highest: int | None) -> int:
    """So many canteens with their cashier, papers and hours; gives the first one's id."""
    first = int(highest or 0) + 1
    load(
        Operator, ("id", "name", "uscc", "contact", "phone", "payout_account"),
        ((1_000 + n, f"企业{n}", f"BENCH{n:013d}", "经理", f"19900{n:06d}", f"acct_bench_{n}")
         for n in range(count)),
    )  # fmt: skip
    load(
        Canteen,
        ("id", "code", "name", "name_en", "street_code", "district_code", "operator_id", "carrier",
         "tier", "demonstration", "capabilities", "address", "phone", "seats", "area_m2",
         "open_weekdays", "status", "status_since"),
        ((first + n, f"B{n:06d}", f"食堂{n}", "", "120104001", "120104", 1_000 + n, "restaurant", 1,
          False, ["open_fire", "dine_in"], "某街", f"022{n:08d}", 200, 300, "1234567", "listed",
          date(2019, 1, 1)) for n in range(count)),
    )  # fmt: skip
    load(
        MealPeriod, ("canteen_id", "meal", "opens", "closes", "order_until"),
        ((first + n, "lunch", "10:00:00.000000", "14:00:00.000000", "14:00:00.000000")
         for n in range(count)),
    )  # fmt: skip
    load(
        Licence, ("canteen_id", "kind", "number", "valid_from", "valid_to"),
        ((first + n, kind, f"{kind}{n}", date(2019, 1, 1), date(2030, 1, 1))
         for n in range(count) for kind in ("business", "food", "agreement")),
    )  # fmt: skip
    load(
        User, ("id", "login", "password_hash", "name", "role", "canteen_id", "locale",
               "session_mark", "created_at"),
        ((1_000_000 + first + n, f"bench{n}", "!", "收银", "cashier", first + n, "zh", "mark",
          LONG_AGO) for n in range(count)),
    )  # fmt: skip
    return first


def _elders(count: int, first: int, first_canteen: int, canteens: int) -> None:
    """So many people of 82 to 96, on the register since long ago."""
    def row(n: int) -> tuple[Any, ...]:
        return (
            first + n, b"bench", f"bench{n:059d}", f"{n % 10_000:04d}", f"老人{n}",
            date(1930 + n % 14, 1 + n % 12, 1 + n % 28), f"18{n:09d}", "120104", "120104001",
            "alive", "", LONG_AGO, LONG_AGO,
        )

    load(
        Elder,
        ("id", "ric_cipher", "ric_hash", "ric_last4", "name", "birth_date", "phone", "household",
         "street_code", "status", "diet_notes", "registered_at", "updated_at"),
        (row(n) for n in range(count)),
    )  # fmt: skip
    db.session.execute(
        sa.text(
            "CREATE TABLE bench_elders (n integer, id bigint, canteen bigint, minutes varchar(16))"
        )
    )
    load(
        sa.table("bench_elders", *(sa.column(c) for c in ("n", "id", "canteen", "minutes"))),
        ("n", "id", "canteen", "minutes"),
        ((n, first + n, first_canteen + n % canteens, f"0{2 + n // canteens * 4 % 220 // 60}:"
          f"{n // canteens * 4 % 60:02d}:{n * 7 % 60:02d}.000000") for n in range(count)),
    )  # fmt: skip


def _funding() -> int:
    funding = Funding(
        digest="bench", till_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0
    )
    db.session.add(funding)
    db.session.flush()
    for side, fen in (("elder", 150), ("enterprise", 100)):
        for funder in ("city", "district"):
            db.session.add(
                FundingShare(funding_id=funding.id, side=side, funder=funder, amount_fen=fen)
            )
    return funding.id


def _calendar(days: list[date]) -> None:
    db.session.execute(sa.text("CREATE TABLE bench_days (n integer, day date, period varchar(7))"))
    load(
        sa.table("bench_days", *(sa.column(c) for c in ("n", "day", "period"))),
        ("n", "day", "period"),
        ((n, on, clock.period_of(on)) for n, on in enumerate(days)),
    )


def _statements() -> tuple[str, ...]:
    """Menus, dishes, orders, their lines and grants, each for the whole history at once."""
    at = "d.day || ' ' || e.minutes"
    noon = "'2019-01-01 00:00:00.000000'"
    no = "0"
    if is_postgresql():
        at = "(d.day + e.minutes::time) AT TIME ZONE 'UTC'"
        noon, no = "TIMESTAMPTZ '2019-01-01 00:00:00+00'", "false"
    meal = "CAST(d.n AS bigint) * :elders + e.n + 1"
    menu = "CAST(d.n AS bigint) * :canteens + c.id - :first + 1"
    eats = "FROM bench_days d CROSS JOIN bench_elders e WHERE (e.n * 7 + d.n) % 5 <> 0"
    return (
        "INSERT INTO menus (id, canteen_id, \"on\", meal, published_at)"
        f" SELECT {menu}, c.id, d.day, 'lunch', {noon} FROM bench_days d"
        " CROSS JOIN canteens c WHERE c.id >= :first",
        "INSERT INTO menu_items (id, menu_id, dish_id, price_fen, portions, taken, sold_out)"
        f" SELECT id, id, :dish, 1500, 1000, 0, {no} FROM menus",
        "INSERT INTO orders (id, canteen_id, elder_id, menu_id, \"on\", meal, service, channel,"
        " state, payment, list_fen, discount_fen, subsidy_fen, payable_fen, cash_fen, excess_fen,"
        " policy_id, placed_at, placed_by, paid_at, paid_on, served_at, served_by, note)"
        f" SELECT {meal}, e.canteen, e.id, CAST(d.n AS bigint) * :canteens + e.canteen - :first"
        " + 1, d.day, 'lunch', 'eat_in', 'till', 'served', 'cash', 1500, 0, 300, 1200, 1200, 0,"
        f" :policy, {at}, 'user:' || (1000000 + e.canteen), {at}, d.day, {at},"
        f" 'user:' || (1000000 + e.canteen), '' {eats}",
        "INSERT INTO order_lines (order_id, menu_item_id, quantity, unit_fen)"
        " SELECT id, menu_id, 1, 1500 FROM orders",
        "INSERT INTO grants (id, order_id, number, sign, cause, elder_id, canteen_id, period,"
        " \"on\", meal, policy_id, group_code, funding_id, till_fen, account_fen, enterprise_fen,"
        f" delivery_fen, made_at) SELECT {meal}, {meal}, 1, 1, 'sale', e.id, e.canteen, d.period,"
        f" d.day, 'lunch', :policy, 'G1', :funding, 300, 0, 200, 0, {at} {eats}",
    )
