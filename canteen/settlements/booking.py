"""The ledger entries of settling: what a statement makes due, and what a payout clears."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen import clock, config
from canteen.db import db
from canteen.ledger.chart import ELDERS, PLATFORM
from canteen.ledger.models import Entry
from canteen.ledger.posting import post_set, reverse
from canteen.settlements.models import Payout, Statement, StatementLine

COSTS = {
    "elder": "elder_subsidy_cost",
    "enterprise": "enterprise_subsidy_cost",
    "delivery": "delivery_subsidy_cost",
    "deduction": "enterprise_subsidy_cost",
}


def text_of(number: Any) -> Any:
    """A number as text, for keys put together by the database."""
    return sa.cast(number, sa.String(20))


def numbered(fixed: str, number: Any) -> Any:
    """A name with a number behind it, put together by the database: "canteen:12"."""
    return sa.literal(fixed) + text_of(number)


def purse_of(line: Any) -> Any:
    """The book of whoever pays a statement line."""
    return sa.literal("purse:") + line.territory_code


def payee_book(statement: Any) -> Any:
    """The book of whoever a statement is for."""
    return sa.case(
        (statement.payee == "canteen", numbered("canteen:", statement.canteen_id)),
        else_=sa.literal(ELDERS),
    )


def closing_key(statement: Any) -> Any:
    """The key of a statement's entry."""
    return numbered("close:", statement.id)


def post_closing(period: str, at: datetime) -> int:
    """Write the entry of every statement of a period; gives how many are new.

    What was carried from an earlier statement is not posted again: it stands in `statement_due`
    since that one.
    """
    s, line = Statement, StatementLine
    key, mine = closing_key(s), (s.period == period)
    last = clock.period_days(period)[1]
    earned = s.enterprise_fen + s.delivery_fen
    due = s.elder_fen + s.account_fen + earned + s.online_fen
    legs: list[Any] = [
        sa.select(key.label("key"), payee_book(s).label("book"), sa.literal(code).label("code"),
                  fen.label("amount_fen")).where(mine, *where)
        for code, fen, where in (
            ("statement_due", due, ()),
            ("subsidy_due", -s.elder_fen, ()),
            ("online_due", -s.online_fen, ()),
            ("enterprise_income", -earned, ()),
            ("account_subsidy_income", -s.account_fen, ()),
        )
    ]  # fmt: skip
    legs += [
        sa.select(key, sa.literal(PLATFORM), sa.literal(code), fen).where(mine)
        for code, fen in (("due_to_canteens", s.online_fen), ("statements_payable", -s.online_fen))
    ]
    cost = sa.case(COSTS, value=line.side)
    legs += [
        sa.select(key, purse_of(line), code, fen).join(line, line.statement_id == s.id).where(mine)
        for code, fen in (
            (cost, line.amount_fen), (sa.literal("statements_payable"), -line.amount_fen),
        )
    ]  # fmt: skip
    entries = sa.select(
        key, sa.literal("closing"), sa.literal(last, sa.Date), sa.literal(f"Statement {period}"),
        sa.literal(at, Entry.made_at.type),
    ).where(mine).order_by(s.id)  # fmt: skip
    return post_set(entries, sa.union_all(*legs))


def post_payouts(payout_ids: Sequence[int], on: date, at: datetime) -> int:
    """Write the entry of every one of these paid payouts; gives how many are new.

    A payout clears its statement and all those that were carried into it, so the purses pay
    exactly what their lines came to over the whole chain.
    """
    chosen = Payout.id.in_(payout_ids)
    own = sa.select(
        payout_key().label("key"), numbered("payout:", Payout.id).label("memo"),
        Payout.statement_id, Payout.amount_fen,
    ).where(chosen).cte("own")  # fmt: skip
    return _post_paid(own, "payout", on, at)


def post_repayment(statement_id: int, amount_fen: int, on: date, at: datetime) -> int:
    """Write the entry of money (fen, above nothing) a payee sent back for a statement below
    nothing: the mirror image of a payout."""
    own = sa.select(
        numbered("repaid:", Statement.id).label("key"),
        numbered("repaid:", Statement.id).label("memo"), Statement.id.label("statement_id"),
        sa.literal(-amount_fen, sa.BigInteger).label("amount_fen"),
    ).where(Statement.id == statement_id).cte("own")  # fmt: skip
    return _post_paid(own, "repayment", on, at)


def post_cleared(statement_ids: Sequence[int], on: date, at: datetime) -> int:
    """Write the entry of every one of these statements that was approved and came to exactly
    nothing: no money moves to its payee, but its parts lie in different books, which are cleared
    as a payout would. Where nothing lies in any there is no entry."""
    s, line, before = Statement, StatementLine, aliased(Statement)
    something = (
        (s.online_fen != 0) | sa.exists().where(before.carried_into_id == s.id)
        | sa.exists().where(line.statement_id == s.id, line.amount_fen != 0)
    )
    own = sa.select(
        entry_key("clearing", numbered("cleared:", s.id), s).label("key"),
        numbered("cleared:", s.id).label("memo"), s.id.label("statement_id"),
        sa.literal(0, sa.BigInteger).label("amount_fen"),
    ).where(s.id.in_(statement_ids), s.total_fen == 0, something).cte("own")  # fmt: skip
    return _post_paid(own, "clearing", on, at)


def _post_paid(own: Any, kind: str, on: date, at: datetime) -> int:
    """The entries of money that moved for whole chains of statements.

    The district's finance pays its canteens every month for the city too, which owes it its share
    until the yearly true-up.
    """
    s, line = Statement, StatementLine
    city = config.current().city
    covered = sa.select(own.c.key, own.c.statement_id).cte("covered_by", recursive=True)
    covered = covered.union_all(
        sa.select(covered.c.key, s.id).join(covered, s.carried_into_id == covered.c.statement_id)
    )
    chain = (
        sa.select(
            covered.c.key, s.id.label("statement_id"), s.online_fen,
            (sa.literal("purse:") + s.district_code).label("district"),
        )
        .join(covered, covered.c.statement_id == s.id).cte("chain")
    )  # fmt: skip
    payee = (
        sa.select(own.c.key, payee_book(s).label("book"), own.c.amount_fen)
        .join(s, s.id == own.c.statement_id).cte("payee")
    )
    legs: list[Any] = [
        sa.select(payee.c.key.label("key"), payee.c.book.label("book"),
                  sa.literal(code).label("code"), fen.label("amount_fen"))
        for code, fen in (("bank", payee.c.amount_fen), ("statement_due", -payee.c.amount_fen))
    ]  # fmt: skip
    legs += [
        sa.select(chain.c.key, sa.literal(PLATFORM), sa.literal(code), fen)
        for code, fen in (
            ("statements_payable", chain.c.online_fen), ("provider_balance", -chain.c.online_fen),
        )
    ]  # fmt: skip
    of_city = line.territory_code == city
    payer = sa.case((of_city, chain.c.district), else_=purse_of(line))
    legs += [
        sa.select(chain.c.key, book, sa.literal(code), fen)
        .join(line, line.statement_id == chain.c.statement_id).where(where)
        for book, code, fen, where in (
            (purse_of(line), "statements_payable", line.amount_fen, sa.true()),
            (payer, "funds", -line.amount_fen, sa.true()),
            (purse_of(line), "due_to_districts", -line.amount_fen, of_city),
            (chain.c.district, "due_from_city", line.amount_fen, of_city),
        )
    ]  # fmt: skip
    entries = sa.select(
        own.c.key, sa.literal(kind), sa.literal(on, sa.Date), own.c.memo,
        sa.literal(at, Entry.made_at.type),
    ).where(sa.true())  # fmt: skip
    return post_set(entries, sa.union_all(*legs))


def take_back_payout(payout_id: int, on: date, memo: str) -> None:
    """Answer the entry of a payout that came back with its mirror image."""
    _take_back("payout", f"payout:{payout_id}", on, memo)


def take_back_cleared(statement_id: int, on: date, memo: str) -> None:
    """Answer the entry of a statement of nothing whose approval was undone, if it had one."""
    _take_back("clearing", f"cleared:{statement_id}", on, memo)


def _take_back(kind: str, name: str, on: date, memo: str) -> None:
    entry = db.session.scalar(
        sa.select(Entry.id)
        .where(Entry.kind == kind, Entry.memo == name)
        .order_by(Entry.id.desc())
        .limit(1)
    )
    if entry is not None:
        reverse(entry, f"back:{entry}", on, memo[:200])


def payout_key() -> Any:
    """The key of a payout's entry: "payout:7", and "payout:7:2" once the first has come back."""
    return entry_key("payout", numbered("payout:", Payout.id), Payout)


def entry_key(kind: str, plain: Any, of: Any) -> Any:
    """The key of an entry named in its memo `plain`, which may be answered and written anew."""
    entry, answer = aliased(Entry), aliased(Entry)
    first_came_back = (
        sa.select(entry.id).join(answer, answer.reverses_id == entry.id)
        .where(entry.key == plain).correlate(of).exists()
    )  # fmt: skip
    came_back = (
        sa.select(sa.func.count()).select_from(entry)
        .join(answer, answer.reverses_id == entry.id)
        .where(entry.kind == kind, entry.memo == plain)
        .correlate(of).scalar_subquery()
    )  # fmt: skip
    # The keys of entries are indexed, their memos are not: count only where there is something.
    again = plain + sa.literal(":") + text_of(came_back + 1)
    return sa.case((first_came_back, again), else_=plain)
