"""Checks of what the city owes its districts, and of the true-ups that clear it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from canteen import config
from canteen.budgets.models import TrueUp
from canteen.ledger.models import Account, Entry, Posting
from canteen.money import yuan
from canteen.settlements.models import Payout, Statement, StatementLine
from canteen.verifying.findings import Check, Found, differences, stream, text_of
from canteen.words import Text

CODES = ("due_from_city", "due_to_districts")
SHOULD = Text(
    "应为 {expected} 元，账上为 {actual} 元", "should be {expected} yuan, the books say {actual}"
)


def city_shares_in_books() -> Found:
    """What districts paid for the city, less the true-ups, is what the books say is owed."""
    city = config.current().city
    s, line, moved = Statement, StatementLine, _moved()
    share = (
        sa.select(s.district_code.label("district"), line.amount_fen)
        .join(moved, moved.c.id == s.id).join(line, line.statement_id == s.id)
        .where(line.territory_code == city).cte("share")
    )  # fmt: skip
    paid = sa.select(TrueUp.district_code, -TrueUp.balance_fen).where(TrueUp.state == "paid")
    both = sa.union_all(sa.select(share.c.district, share.c.amount_fen), paid).subquery()
    district, fen = both.c
    expected: list[Any] = [
        sa.select(book.label("book"), sa.literal(code).label("code"), amount.label("amount"))
        for book, code, amount in (
            (sa.literal("purse:") + district, "due_from_city", fen),
            (sa.literal(f"purse:{city}"), "due_to_districts", -fen),
        )
    ]
    actual = (
        sa.select(Account.book, Account.code, sa.func.sum(Posting.amount_fen).label("amount"))
        .join(Posting, Posting.account_id == Account.id)
        .where(Account.code.in_(CODES)).group_by(Account.book, Account.code)
    )  # fmt: skip
    for row in differences(("book", "code"), expected, [actual]):
        yield f"{row.book} {row.code}", SHOULD.format(
            expected=yuan(row.expected), actual=yuan(row.actual)
        )


def _moved() -> Any:
    """The statements whose money has moved: paid, paid back, or of exactly nothing and approved;
    and all that were carried into one of them."""
    s = Statement
    start = sa.select(s.id).where(
        sa.exists().where(Payout.statement_id == s.id, Payout.state == "paid")
        | (s.stage == "repaid")
        | ((s.stage == "carried") & (s.total_fen == 0))
    )
    moved = start.cte("moved", recursive=True)
    return moved.union_all(sa.select(s.id).join(moved, s.carried_into_id == moved.c.id))


def payables_in_books() -> Found:
    """What the books say is still to be paid is what the statements come to whose money has not
    moved, by purse and for online money."""
    s, line, moved = Statement, StatementLine, _moved()
    waiting = s.id.not_in(sa.select(moved.c.id))
    purse = sa.literal("purse:") + line.territory_code
    expected = [
        sa.select(purse.label("book"), (-line.amount_fen).label("amount"))
        .join(s, s.id == line.statement_id).where(waiting),
        sa.select(sa.literal("platform").label("book"), (-s.online_fen).label("amount"))
        .where(waiting),
    ]
    actual = (
        sa.select(Account.book, sa.func.sum(Posting.amount_fen).label("amount"))
        .join(Posting, Posting.account_id == Account.id)
        .where(Account.code == "statements_payable").group_by(Account.book)
    )  # fmt: skip
    for row in differences(("book",), expected, [actual]):
        yield f"{row.book} statements_payable", SHOULD.format(
            expected=yuan(row.expected), actual=yuan(row.actual)
        )


def true_ups_in_books() -> Found:
    """Every true-up that was paid has its entry, of its balance; the others have none."""
    key = sa.literal("true-up:") + text_of(TrueUp.id)
    due = sa.case((TrueUp.state == "paid", TrueUp.balance_fen), else_=0)
    expected = [sa.select(key.label("key"), due.label("amount"))]
    actual = (
        sa.select(Entry.key, sa.func.sum(Posting.amount_fen).label("amount"))
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.kind == "true_up", Account.code == "due_to_districts").group_by(Entry.key)
    )  # fmt: skip
    for row in differences(("key",), expected, [actual]):
        yield row.key, Text(
            "清算 {expected} 元，账上为 {actual} 元",
            "is of {expected} yuan, the books say {actual}",
        ).format(expected=yuan(row.expected), actual=yuan(row.actual))
    hasty = sa.select(TrueUp.id).where(
        sa.or_(
            sa.and_(TrueUp.state != "draft", TrueUp.confirmed_by.is_(None)),
            TrueUp.confirmed_by == TrueUp.prepared_by,
            sa.and_(TrueUp.state == "paid", sa.or_(
                sa.func.coalesce(TrueUp.paid_by, TrueUp.prepared_by) == TrueUp.prepared_by,
                sa.and_(TrueUp.reference.is_(None), TrueUp.balance_fen != 0),
                TrueUp.paid_on.is_(None),
            )),
        )
    )
    for row in stream(hasty):
        yield f"true-up {row.id}", Text(
            "没有经另一人复核或登记拨付", "was not confirmed, or noted as paid, by another person"
        )


CHECKS = (
    Check(
        "city_shares_in_books",
        Text("市级应付与账簿一致", "What the city owes equals the books"), city_shares_in_books,
    ),
    Check(
        "payables_in_books", Text("待付款与账簿一致", "What is to be paid equals the books"),
        payables_in_books,
    ),
    Check("true_ups_in_books", Text("清算与账簿一致", "True-ups equal the books"),
          true_ups_in_books),
)  # fmt: skip
