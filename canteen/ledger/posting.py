"""Writing entries: one by one, or a whole set at once; always balanced, always once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import changed, db, insert, laid_aside
from canteen.errors import Conflict
from canteen.ledger.models import Account, Entry, Posting
from canteen.words import Text

Leg = tuple[str, str]  # (book, account code)


class AlreadyPosted(Conflict):
    """An entry with this key stands in the books already."""

    code = "already_posted"
    text = Text("这笔账已经记过", "This is in the books already")


def post(key: str, kind: str, on: date, legs: Mapping[Leg, int], memo: str = "") -> int:
    """Write one entry; gives its id. `legs` maps (book, account) to fen, debit +, credit −.

    Zero legs are left out. The legs of every book must sum to zero (a ValueError: that is a bug,
    not a refusal). Refuses with AlreadyPosted when the key was used.
    """
    sums: dict[str, int] = {}
    for (book, _), fen in legs.items():
        sums[book] = sums.get(book, 0) + fen
    if any(sums.values()):
        raise ValueError(f"entry {key} does not balance: {sums}")
    row = {"key": key, "kind": kind, "on": on, "memo": memo, "made_at": clock.now()}
    made = db.session.execute(
        insert(Entry.__table__).values(row).on_conflict_do_nothing().returning(Entry.id)
    ).scalar()
    if made is None:
        raise AlreadyPosted()
    wanted = {leg: fen for leg, fen in legs.items() if fen}
    accounts = open_accounts(wanted)
    if wanted:
        db.session.execute(
            sa.insert(Posting),
            [
                {"entry_id": made, "account_id": accounts[leg], "amount_fen": fen}
                for leg, fen in wanted.items()
            ],
        )
    return int(made)


def reverse(entry_id: int, key: str, on: date, memo: str) -> int:
    """Answer a mistaken entry with its mirror image; gives the new entry's id. Once only."""
    row = {
        "key": key, "kind": "reversal", "on": on, "memo": memo,
        "made_at": clock.now(), "reverses_id": entry_id,
    }
    made = db.session.execute(
        insert(Entry.__table__).values(row).on_conflict_do_nothing().returning(Entry.id)
    ).scalar()
    if made is None:
        raise AlreadyPosted()
    db.session.execute(
        sa.insert(Posting.__table__).from_select(
            ["entry_id", "account_id", "amount_fen"],
            sa.select(sa.literal(made), Posting.account_id, -Posting.amount_fen).where(
                Posting.entry_id == entry_id
            ),
        )
    )
    return int(made)


def open_accounts(legs: Any) -> dict[Leg, int]:
    """The ids of these (book, account) pairs, opening those that are new."""
    pairs = [{"book": book, "code": code} for book, code in legs]
    if not pairs:
        return {}
    db.session.execute(insert(Account.__table__).on_conflict_do_nothing(), pairs)
    found = db.session.execute(
        sa.select(Account.book, Account.code, Account.id).where(
            Account.book.in_({pair["book"] for pair in pairs})
        )
    )
    return {(row.book, row.code): row.id for row in found}


def post_set(entries: sa.Select[Any], postings: sa.Select[Any]) -> int:
    """Write a whole set of entries with two INSERT … SELECT; gives how many entries are new.

    `entries` selects key, kind, on, memo, made_at. `postings` selects key, book, code, amount_fen
    (several rows for one key and account are added up, zero sums left out). Entries whose key
    stands already are left alone with their postings, so a set can be posted again safely.
    """
    each = postings.subquery()
    summed = sa.cast(sa.func.sum(each.c.amount_fen), sa.BigInteger).label("amount_fen")
    book, code = each.c.book, each.c.code
    sums = sa.select(each.c.key, book, code, summed).group_by(each.c.key, book, code)
    with laid_aside("posted_lines", sums.having(sa.func.sum(each.c.amount_fen) != 0)) as lines:
        db.session.execute(
            insert(Account.__table__)
            .from_select(
                ["book", "code"],
                sa.select(lines.c.book, lines.c.code).distinct().where(sa.true()),
            )
            .on_conflict_do_nothing()
        )
        last = db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(Entry.id), 0)))
        made = db.session.execute(
            insert(Entry.__table__)
            .from_select(["key", "kind", "on", "memo", "made_at"], entries)
            .on_conflict_do_nothing()
        )
        bare = sa.not_(sa.exists().where(Posting.entry_id == Entry.id).correlate(Entry))
        ours = sa.select(Entry.id, Entry.key).where(Entry.id > last, bare)
        with laid_aside("posted_entries", ours) as new:
            db.session.execute(
                sa.insert(Posting.__table__).from_select(
                    ["entry_id", "account_id", "amount_fen"],
                    sa.select(new.c.id, Account.id, lines.c.amount_fen)
                    .select_from(lines)
                    .join(new, new.c.key == lines.c.key)
                    .join(
                        Account,
                        sa.and_(Account.book == lines.c.book, Account.code == lines.c.code),
                    ),
                )
            )
    return changed(made)
