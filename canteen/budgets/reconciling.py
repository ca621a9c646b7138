"""Yearly true-ups laid beside the books: what was noted as paid has its entry, and no other."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from canteen.budgets.models import TrueUp
from canteen.db import db
from canteen.ledger.models import Account, Entry, Posting
from canteen.payouts.mismatches import Mismatch
from canteen.settlements.booking import numbered


def unmatched(first: date, last: date, district: str | None = None) -> list[Mismatch]:
    """The true-ups paid, and the entries of true-ups booked, from `first` to `last` (both days
    included) that do not agree; of one district, or of all."""
    key = numbered("true-up:", TrueUp.id)
    booked = (
        sa.select(sa.func.sum(Posting.amount_fen))
        .join(Entry, Entry.id == Posting.entry_id)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.key == key, Account.code == "due_to_districts")
        .correlate(TrueUp).scalar_subquery()
    )  # fmt: skip
    there = sa.exists().where(Entry.key == key).correlate(TrueUp)
    mine = sa.true() if district is None else TrueUp.district_code == district
    paid = db.session.execute(
        sa.select(TrueUp, booked.label("fen")).where(
            TrueUp.state == "paid", TrueUp.paid_on >= first, TrueUp.paid_on <= last, mine,
            sa.or_(sa.not_(there), sa.func.coalesce(booked, 0) != TrueUp.balance_fen),
        )
    )
    found = [
        Mismatch("true_up_unlike", None, None, None, "", "", one.balance_fen, int(fen or 0),
                 one.reference or f"true-up:{one.id}", one.paid_at)
        for one, fen in paid
    ]  # fmt: skip
    if district is None:
        alone = db.session.execute(
            sa.select(Entry.key, Entry.made_at).where(
                Entry.kind == "true_up", Entry.on >= first, Entry.on <= last,
                sa.not_(sa.exists().where(key == Entry.key, TrueUp.state == "paid")),
            )
        )
        found += [
            Mismatch("entry_alone", None, None, None, "", "", None, None, row.key, row.made_at)
            for row in alone
        ]
    return found
