"""Reading the books: balances, and what does not balance."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from canteen.db import db
from canteen.ledger.models import Account, Entry, Posting


def balance(book: str, code: str) -> int:
    """The balance of one account in fen: debit +, credit −."""
    total = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Posting.amount_fen), 0))
        .join(Account, Account.id == Posting.account_id)
        .where(Account.book == book, Account.code == code)
    )
    return int(total or 0)


def balances(book: str) -> dict[str, int]:
    """Every account of one book with its balance in fen."""
    rows = db.session.execute(
        sa.select(Account.code, sa.func.sum(Posting.amount_fen))
        .join(Posting, Posting.account_id == Account.id)
        .where(Account.book == book)
        .group_by(Account.code)
    )
    return {code: int(fen) for code, fen in rows}


def unbalanced() -> Iterator[tuple[str, str, int]]:
    """(entry key, book, sum in fen) wherever the legs of a book within an entry are not zero."""
    total = sa.func.sum(Posting.amount_fen)
    rows = db.session.execute(
        sa.select(Entry.key, Account.book, total)
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .group_by(Entry.id, Entry.key, Account.book)
        .having(total != 0)
    )
    for key, book, fen in rows:
        yield key, book, int(fen)
