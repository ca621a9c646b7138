"""Accounts, entries and postings: debit +, credit −, every entry sums to zero in every book."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, UTCDateTime, db


class Account(db.Model):
    """One account of one party's book: ("canteen:12", "subsidy_due")."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    book: Mapped[str] = mapped_column(sa.String(40))
    code: Mapped[str] = mapped_column(sa.String(40))
    __table_args__ = (sa.UniqueConstraint("book", "code"),)


class Entry(db.Model):
    """One event in the books; its key says what it is for, so it can be written only once."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    on: Mapped[date] = mapped_column(sa.Date, index=True)
    memo: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reverses_id: Mapped[int | None] = mapped_column(sa.ForeignKey("entries.id"), unique=True)


class Posting(db.Model):
    """One line of an entry: debit is positive, credit negative, in fen; never zero."""

    __tablename__ = "postings"
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("entries.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("accounts.id"), primary_key=True, index=True
    )
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    __table_args__ = (sa.CheckConstraint("amount_fen <> 0", name="not_zero"),)
