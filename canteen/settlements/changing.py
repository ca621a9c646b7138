"""Taking a subsidy back and giving it again after the meal: rows, statements and books together.

Every later change of a meal's subsidy goes through here: a decision about a finding, a correction,
a fact recorded late, an upheld appeal, instalments. The row falls into the meal's own period while
that is open, or while the statement it changes is still under review (which is then amended);
otherwise into the first open period, where the next statement takes it up by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.errors import Conflict
from canteen.ledger.posting import post_set
from canteen.settlements import amending, mooting
from canteen.settlements.booking import numbered, text_of
from canteen.settlements.models import Statement
from canteen.settlements.rules import OFFICES
from canteen.subsidies.cases import Quote
from canteen.subsidies.granting import GRANTS, funding_of, mirrored, open_period
from canteen.subsidies.models import LOST, Grant, Period, is_last
from canteen.territory.actors import Actor
from canteen.words import Text

AT_ONCE = 1_000
FENS = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
Row = dict[str, Any]


class MealMoved(Conflict):
    """Somebody else changed the subsidy of one of these meals in the same instant."""

    code = "meal_moved"
    text = Text(
        "有一餐的补贴刚被他人办理，本次没有改动，请刷新",
        "The subsidy of one of these meals was just changed by somebody else; nothing was done,"
        " look again",
    )


@dataclass(frozen=True)
class Changed:
    """What a change came to: the meals, their subsidies in fen (signed), where they fell."""

    meals: int = 0
    fen: int = 0
    statements: tuple[int, ...] = ()
    periods: Mapping[str, int] = field(default_factory=dict)


def take_back(
    causes: Mapping[int, int | None], cause: str, by: Actor, at: datetime, *, reason: str = "",
    into: Mapping[int, str] | None = None,
) -> Changed:
    """Take back the subsidies of these orders, {order id: what caused it}, where they stand.

    `cause` is one of "denied", "late_fact", "corrected", "spread". `into` sends an order's row to
    a given open period (instalments). Orders whose subsidy does not stand are left out. What is
    held is given back first, so that its last row tells what became of it.
    """
    rows = last_rows(causes)
    held = [row for row in rows if row["sign"] < 0 and row["cause"] == "held"]
    freed = [mirrored(row, "released", causes[row["order_id"]], at) for row in held]
    standing = [row for row in rows if row["sign"] > 0] + freed
    taken = [mirrored(row, cause, causes[row["order_id"]], at) for row in standing]
    return _write(freed, taken, cause, by, at, reason, into or {})


def give_again(
    causes: Mapping[int, int | None], cause: str, by: Actor, at: datetime, *, reason: str = "",
    into: Mapping[int, str] | None = None,
) -> Changed:
    """Give again what was taken back of these orders and not because they were cancelled.

    `cause` is one of "released", "upheld", "late_fact", "spread".
    """
    rows = [row for row in last_rows(causes) if row["sign"] < 0 and row["cause"] != "cancelled"]
    given = [mirrored(row, cause, causes[row["order_id"]], at) for row in rows]
    return _write([], given, cause, by, at, reason, into or {})


def exchange(
    order_id: int, priced: Quote, cause_id: int | None, by: Actor, at: datetime, *, reason: str = ""
) -> Changed:
    """Take back a meal's subsidy as it stands and give the one it should have had, "corrected".

    Nothing is given where the new price gives nothing. The statement is amended by the difference.
    """
    rows = [row for row in last_rows([order_id]) if row["sign"] > 0]
    taken = [mirrored(row, "corrected", cause_id, at) for row in rows]
    amounts = {
        "till_fen": priced.subsidy_fen, "account_fen": priced.account_fen,
        "enterprise_fen": priced.enterprise_fen, "delivery_fen": priced.delivery_fen,
    }
    given = [
        row | amounts | {
            "number": row["number"] + 1, "sign": 1, "funding_id": funding_of(priced),
            "group_code": priced.group or "",
        }
        for row in taken
        if any(amounts.values())
    ]  # fmt: skip
    done = _write(taken, given, "corrected", by, at, reason, {}, post=False)
    _post(taken, at)
    if given:
        _post(given, at)
    return done


def hold_statements(
    months: Iterable[tuple[str, int]], orders: Collection[int] | sa.Select[tuple[int]] = ()
) -> None:
    """Hold what changing meals of these (month, canteen) may amend, before anything else is held.

    First the months, so that none is closed meanwhile, then the canteens' statements and those of
    the elders whose account these `orders` fed. Everybody who holds several holds them in this
    order, or two would wait for each other.
    """
    wanted = sorted(set(months))
    if not wanted:
        return
    db.session.execute(
        sa.select(Period.period).where(Period.period >= wanted[0][0])
        .order_by(Period.period).with_for_update(read=True)
    ).all()  # fmt: skip
    fed = sa.select(GRANTS.c.period, GRANTS.c.elder_id).where(
        GRANTS.c.order_id.in_(orders), GRANTS.c.account_fen != 0
    )
    db.session.execute(
        sa.select(Statement.id).where(
            sa.tuple_(Statement.period, Statement.canteen_id).in_(wanted)
            | sa.tuple_(Statement.period, Statement.elder_id).in_(fed)
        ).order_by(Statement.id).with_for_update()
    ).all()  # fmt: skip


def last_rows(order_ids: Iterable[int]) -> list[Row]:
    """The last row of each order's subsidy: whether it stands, and why."""
    wanted, found = sorted(set(order_ids)), []
    for start in range(0, len(wanted), AT_ONCE):
        chosen = (GRANTS.c.order_id.in_(wanted[start : start + AT_ONCE]), is_last(GRANTS.c))
        rows = db.session.execute(sa.select(GRANTS).where(*chosen).order_by(GRANTS.c.id))
        found += [dict(row) for row in rows.mappings()]
    return found


def _write(
    before: list[Row], rows: list[Row], cause: str, by: Actor, at: datetime, reason: str,
    into: Mapping[int, str], *, post: bool = True,
) -> Changed:
    """Insert rows (those of `before` first), amend what they change, post what was lost."""
    everything = before + rows
    if not everything:
        return Changed()
    places = _places(everything)
    for row in everything:
        row["period"] = into.get(row["order_id"]) or places[row["order_id"]][0]
    try:
        db.session.execute(GRANTS.insert(), everything)
    except sa.exc.IntegrityError as taken:  # its number: the row it answers was answered already
        raise MealMoved() from taken
    lifted = (row for row in everything if row["sign"] > 0 and row["cause"] != "spread")
    mooting.close_appeals((row["order_id"] for row in lifted), by, at)
    by_statement: dict[int, list[Row]] = {}
    periods: dict[str, int] = {}
    for row in everything:
        if row["order_id"] not in into:
            for payee, statement in places[row["order_id"]][1].items():
                if payee == "canteen" or row["account_fen"]:
                    by_statement.setdefault(statement, []).append(row)
    for row in rows:
        periods[row["period"]] = periods.get(row["period"], 0) + 1
    for statement_id, changed in sorted(by_statement.items()):
        amending.amend(statement_id, changed, cause, by, at, reason)
    if post:
        _post(rows, at)
    fen = sum(row[name] for row in everything for name in FENS)
    return Changed(len(rows), fen, tuple(sorted(by_statement)), periods)


def _places(rows: list[Row]) -> dict[int, tuple[str, dict[str, int]]]:
    """For each order the period its rows fall into, and the statements they amend there, by payee.

    All of an order's rows go one way: what was on an account may be given to none.
    """
    own = {row["period"] for row in rows}
    closed = set(
        db.session.scalars(
            sa.select(Period.period).where(Period.period.in_(own), Period.closed_at.is_not(None))
        )
    )
    opening = {period: open_period(clock.period_days(period)[0]) for period in sorted(own)}
    under_review = _under_review(closed, rows)
    to_account = {row["order_id"] for row in rows if row["account_fen"]}
    places: dict[int, tuple[str, dict[str, int]]] = {}
    for row in rows:
        period, order = row["period"], row["order_id"]
        wanted = {"canteen": row["canteen_id"]}
        wanted |= {"elder": row["elder_id"]} if order in to_account else {}
        found = {
            payee: under_review[period, payee, id_]
            for payee, id_ in wanted.items() if (period, payee, id_) in under_review
        }  # fmt: skip
        if period in closed and len(found) == len(wanted):
            places[order] = (period, found)
        else:
            places[order] = (opening[period], {})
    return places


def _under_review(closed: set[str], rows: list[Row]) -> dict[tuple[str, str, int], int]:
    """The statements of closed periods nobody approved yet, held until the act ends."""
    if not closed:
        return {}
    found = db.session.execute(
        sa.select(
            Statement.id, Statement.period, Statement.payee, Statement.canteen_id,
            Statement.elder_id,
        )
        .where(
            Statement.period.in_(closed), Statement.stage.in_(OFFICES),
            sa.or_(
                Statement.canteen_id.in_({row["canteen_id"] for row in rows}),
                Statement.elder_id.in_({row["elder_id"] for row in rows if row["account_fen"]}),
            ),
        )
        .order_by(Statement.id).with_for_update()
    )  # fmt: skip
    return {(row.period, row.payee, row.canteen_id or row.elder_id): row.id for row in found}


def _post(rows: list[Row], at: datetime) -> None:
    """Book what a canteen advanced and lost, and what it gets after all.

    A held meal stays in `subsidy_due` until it is decided.
    """
    known = {
        row["order_id"]: row["cause"]
        for row in db.session.execute(_before(rows)).mappings()
    }  # fmt: skip
    booked = [
        row["order_id"]
        for row in rows
        if row["till_fen"]
        and (row["cause"] if row["sign"] < 0 else known.get(row["order_id"], "")) in LOST
    ]
    number = {row["order_id"]: row["number"] for row in rows}
    for start in range(0, len(booked), AT_ONCE):
        chosen = sa.tuple_(Grant.order_id, Grant.number).in_(
            [(order, number[order]) for order in booked[start : start + AT_ONCE]]
        )
        key = numbered("denied:", Grant.order_id) + sa.literal(":") + text_of(Grant.number)
        book = numbered("canteen:", Grant.canteen_id)
        on = sa.literal(clock.business_date(at), sa.Date)
        entries = sa.select(
            key.label("key"), sa.literal("denial"), on, sa.literal("Subsidy of a meal"),
            sa.literal(at, Grant.made_at.type),
        ).where(chosen)  # fmt: skip
        legs = [
            sa.select(key.label("key"), book.label("book"), sa.literal(code).label("code"),
                      fen.label("amount_fen")).where(chosen)
            for code, fen in (("denied_subsidy", -Grant.till_fen), ("subsidy_due", Grant.till_fen))
        ]  # fmt: skip
        post_set(entries, sa.union_all(*legs))


def _before(rows: list[Row]) -> sa.Select[Any]:
    """The rows these answer."""
    return sa.select(GRANTS.c.order_id, GRANTS.c.cause).where(
        sa.tuple_(GRANTS.c.order_id, GRANTS.c.number).in_(
            [(row["order_id"], row["number"] - 1) for row in rows]
        )
    )
