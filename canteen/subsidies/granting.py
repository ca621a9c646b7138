"""Giving a subsidy inside an order, and taking it back with it: quota, funding, grant.

The quota counters are the scarce thing: they are raised by one conditional upsert, so two tills
cannot both give an elder's last meal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from canteen import clock
from canteen.db import canonical, db, insert, is_postgresql
from canteen.errors import Conflict
from canteen.subsidies.cases import Quote
from canteen.subsidies.models import LOST, Funding, FundingShare, Grant, Period, QuotaUse
from canteen.subsidies.pricing import quota_keys
from canteen.subsidies.publishing import InForce, by_id
from canteen.subsidies.shapes import Policy
from canteen.words import Text

USES = sa.inspect(QuotaUse).local_table
GRANTS = sa.inspect(Grant).local_table
PERIODS = sa.inspect(Period).local_table
FUNDINGS = sa.inspect(Funding).local_table
FIND_FUNDING = sa.select(FUNDINGS.c.id).where(
    FUNDINGS.c.digest == sa.bindparam("wanted", type_=FUNDINGS.c.digest.type)
)
COUNTED = {"day": "used_today", "week": "used_this_week", "month": "used_this_month"}


class SubsidyLost(Conflict):
    """The subsidy of this meal was denied or corrected, so the meal cannot be taken back whole."""

    code = "subsidy_lost"
    text = Text(
        "这餐的补贴已被核减，不能再退餐", "The subsidy of this meal was denied; it stays as it is"
    )


@dataclass(frozen=True)
class Meal:
    """Which meal a grant belongs to."""

    order_id: int
    elder_id: int
    canteen_id: int
    on: date
    meal: str


def used(policy: Policy, elder_id: int, on: date, meal: str) -> dict[str, int]:
    """How often the elder was subsidised in each period the policy caps, as the case's keys:
    {"used_today": 0, "used_this_week": 3, …}."""
    keys = quota_keys(policy, on, meal)
    if not keys:
        return {}
    found = db.session.execute(_counting(len(keys)), _named(elder_id, keys))
    counted = {row.period_code: row.used for row in found}
    return {COUNTED.get(code, "used_this_meal"): counted.get(code, 0) for code, _, _ in keys}


def take_quota(policy: Policy, elder_id: int, on: date, meal: str) -> bool:
    """Use one meal of every capped period, all or none; False when a cap is reached.

    One conditional upsert: of two tills asking for an elder's last meal at one instant, the
    second waits for the first and is then told no.
    """
    keys = sorted(quota_keys(policy, on, meal))
    if not keys:
        return True
    statement = _taking(len(keys), is_postgresql())
    found = db.session.execute(statement, _named(elder_id, keys, caps=True))
    taken = set(found.scalars())
    if len(taken) == len(keys):
        return True
    _give_back(elder_id, [key for key in keys if key[0] in taken])
    return False


def grant(
    meal: Meal, in_force: InForce, quote: Quote, at: datetime, *, cause: str = "sale",
    cause_id: int | None = None,
) -> None:  # fmt: skip
    """Record what the quote gives to this order's elder and canteen; nothing if it gives nothing.

    The quota must have been taken before, in the same act, unless the quote uses none: a meal
    given beyond the caps has its row, with the elder's amount alone, and moves no counter.
    """
    if not any((quote.subsidy_fen, quote.account_fen, quote.enterprise_fen, quote.delivery_fen)):
        return
    db.session.execute(
        GRANTS.insert(),
        {
            "order_id": meal.order_id, "number": 1, "sign": 1, "cause": cause,
            "cause_id": cause_id, "elder_id": meal.elder_id,
            "canteen_id": meal.canteen_id, "period": open_period(meal.on), "on": meal.on,
            "meal": meal.meal, "policy_id": in_force.id, "group_code": quote.group or "",
            "funding_id": funding_of(quote), "till_fen": quote.subsidy_fen,
            "account_fen": quote.account_fen, "enterprise_fen": quote.enterprise_fen,
            "delivery_fen": quote.delivery_fen, "made_at": at,
        },
    )


def take_back(order_id: int, at: datetime, *, counted: bool = True) -> bool:
    """Undo the grant of an order that is cancelled: a mirror row, the quota as it was before.

    `counted` is false for a meal given beyond the caps: it used no quota, so none comes back.

    The mirror falls into the grant's own settlement period, or the first open one after it. What
    is held is given up with the meal: it needs no mirror. False when the order had no subsidy.
    A second call violates the table's unique key. Refuses with SubsidyLost.
    """
    row = db.session.execute(
        sa.select(GRANTS).where(GRANTS.c.order_id == order_id)
        .order_by(GRANTS.c.number.desc()).limit(1)
    ).mappings().first()  # fmt: skip
    if row is None:
        return False
    if row["cause"] in LOST and row["sign"] < 0:
        raise SubsidyLost()
    given: Mapping[Any, Any] = row
    period = open_period(clock.period_days(row["period"])[0])
    if row["sign"] < 0:  # held: given back first, so that the story of the meal ends cancelled
        given = mirrored(row, "released", row["cause_id"], at) | {"period": period}
        db.session.execute(GRANTS.insert().values(given))
    mirror = mirrored(given, "cancelled", None, at) | {"period": period}
    db.session.execute(GRANTS.insert().values(mirror))
    if counted and (row["till_fen"] or row["account_fen"] or row["enterprise_fen"]):
        policy = by_id(row["policy_id"]).policy
        _give_back(row["elder_id"], quota_keys(policy, row["on"], row["meal"]))
    return True


def mirrored(
    row: Mapping[Any, Any], cause: str, cause_id: int | None, at: datetime
) -> dict[str, Any]:
    """The row that answers a grant's row: the next number, the other sign, the same amounts."""
    return _without_id(row) | _signed(row, -1) | {
        "number": row["number"] + 1, "cause": cause, "cause_id": cause_id, "made_at": at,
    }  # fmt: skip


def _signed(row: Mapping[Any, Any], by: int) -> dict[str, int]:
    names = ("sign", "till_fen", "account_fen", "enterprise_fen", "delivery_fen")
    return {name: by * row[name] for name in names}


def _without_id(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if name != "id"}


def open_period(on: date) -> str:
    """The settlement period something of this day falls into: its month, or the first open after.

    Holds the period open until the act commits, so that a month is never closed beneath a sale.
    """
    month = clock.period_of(on)
    rows = db.session.execute(_periods_from(), {"month": month}).all()
    closed = [row.period for row in rows if row.closed_at is not None]
    opening = clock.next_period(closed[-1]) if closed else month
    if any(row.period == opening for row in rows):
        return opening
    db.session.execute(insert(PERIODS).values(period=opening).on_conflict_do_nothing())
    return opening


@cache
def _periods_from() -> sa.Select[Any]:
    """The periods from a month on, held; built once, as every sale waits for it."""
    month = sa.bindparam("month", type_=sa.String)
    found = sa.select(PERIODS.c.period, PERIODS.c.closed_at).where(PERIODS.c.period >= month)
    return found.order_by(PERIODS.c.period).with_for_update(read=True)


def digest_of(amounts: Mapping[str, int], sides: Mapping[str, Mapping[str, int]]) -> str:
    """What a way of funding is known by: the sums of its sides and who pays what of each, none of
    it nought. Nobody changes it later without being seen."""
    return hashlib.sha256(canonical([amounts, sides]).encode()).hexdigest()


def funding_of(quote: Quote) -> int:
    """The id of this way of funding a meal, written down the first time it occurs."""
    sides = quote.funders()
    amounts = {
        "till_fen": quote.subsidy_fen,
        "account_fen": quote.account_fen,
        "enterprise_fen": quote.enterprise_fen,
        "delivery_fen": quote.delivery_fen,
    }
    digest = digest_of(amounts, sides)
    find = FIND_FUNDING, {"wanted": digest}
    if (known := db.session.scalar(*find)) is not None:
        return int(known)
    made = db.session.execute(
        insert(FUNDINGS)
        .values(digest=digest, **amounts)
        .on_conflict_do_nothing()
        .returning(FUNDINGS.c.id)
    ).scalar()
    if made is None:  # another till wrote it in the same instant
        return int(db.session.scalar(*find) or 0)
    shares = [
        {"funding_id": made, "side": side, "funder": funder, "amount_fen": fen}
        for side, funders in sides.items()
        for funder, fen in funders.items()
        if fen
    ]
    if shares:
        db.session.execute(sa.insert(FundingShare.__table__), shares)
    return int(made)


def _give_back(elder_id: int, keys: list[tuple[str, date, int]]) -> None:
    if keys:
        db.session.execute(_giving_back(len(keys)), _named(elder_id, keys))


# The statements on the counters are built once for so many periods: every sale waits for them.


@cache
def _counting(periods: int) -> sa.Select[tuple[str, int]]:
    return sa.select(USES.c.period_code, USES.c.used).where(_counters(periods))


@cache
def _giving_back(periods: int) -> sa.Update:
    return sa.update(USES).where(_counters(periods)).values(used=USES.c.used - 1)


@cache
def _taking(periods: int, postgresql: bool) -> Any:
    caps = sa.case(
        *((USES.c.period_code == _code(n), sa.bindparam(f"cap_{n}", type_=sa.Integer))
          for n in range(periods)),
        else_=0,
    )  # fmt: skip
    rows = [
        {"elder_id": _elder(), "period_code": _code(n), "starts_on": _start(n), "used": 1}
        for n in range(periods)
    ]
    return (
        (pg_insert if postgresql else sqlite_insert)(USES)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["elder_id", "period_code", "starts_on"],
            set_={"used": USES.c.used + 1},
            where=USES.c.used < caps,
        )
        .returning(USES.c.period_code)
    )


def _named(
    elder_id: int, keys: list[tuple[str, date, int]], *, caps: bool = False
) -> dict[str, Any]:
    """The parameters of these statements: whose counters, which periods, up to how many."""
    named: dict[str, Any] = {"elder": elder_id}
    for n, (code, starts, cap) in enumerate(keys):
        named |= {f"code_{n}": code, f"start_{n}": starts} | ({f"cap_{n}": cap} if caps else {})
    return named


def _counters(periods: int) -> sa.ColumnElement[bool]:
    wanted = (
        sa.and_(USES.c.period_code == _code(n), USES.c.starts_on == _start(n))
        for n in range(periods)
    )
    return sa.and_(USES.c.elder_id == _elder(), sa.or_(*wanted))


def _elder() -> sa.BindParameter[int]:
    return sa.bindparam("elder", type_=USES.c.elder_id.type)


def _code(n: int) -> sa.BindParameter[str]:
    return sa.bindparam(f"code_{n}", type_=USES.c.period_code.type)


def _start(n: int) -> sa.BindParameter[date]:
    return sa.bindparam(f"start_{n}", type_=sa.Date)
