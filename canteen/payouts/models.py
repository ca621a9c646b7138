"""Batches of payouts, what the bank sent back, changed bank details, money paid back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class PayoutBatch(db.Model):
    """Payouts sent together: put together by one person, released by another.

    way: "gateway" (the provider) | "bank_file" · state: "draft" → "released" → "done", or
    "cancelled" before it was released. `digest` is that of the lines as they were released.
    """

    __tablename__ = "payout_batches"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    way: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(10), index=True)
    count: Mapped[int]
    total_fen: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str] = mapped_column(sa.String(64), default="")
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    made_by: Mapped[str] = mapped_column(sa.String(60))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    released_by: Mapped[str | None] = mapped_column(sa.String(60))
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("way IN ('gateway','bank_file')", name="way"),
        sa.CheckConstraint("state IN ('draft','released','done','cancelled')", name="state"),
        sa.CheckConstraint("released_by <> made_by", name="two_people"),
    )


class PayoutLine(db.Model):
    """One sending of a payout in a batch, and what came of it; the history of retries.

    state: "waiting" → "paid" | "failed".
    """

    __tablename__ = "payout_lines"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("payout_batches.id"))
    payout_id: Mapped[int] = mapped_column(sa.ForeignKey("payouts.id"), index=True)
    account: Mapped[str] = mapped_column(sa.String(60))
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str] = mapped_column(sa.String(8), default="waiting")
    reference: Mapped[str | None] = mapped_column(sa.String(60))
    failure: Mapped[str | None] = mapped_column(sa.String(200))
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("batch_id", "payout_id"),
        sa.CheckConstraint("state IN ('waiting','paid','failed')", name="state"),
    )


class BankReturn(db.Model):
    """A file the bank sent back, taken in once; the lines that matched nothing are kept here."""

    __tablename__ = "bank_returns"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    file_name: Mapped[str] = mapped_column(sa.String(120))
    lines: Mapped[int]
    paid: Mapped[int]
    failed: Mapped[int]
    unmatched: Mapped[Any] = mapped_column(Json)
    taken_by: Mapped[str] = mapped_column(sa.String(60))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


class BankChange(db.Model):
    """A wish to be paid to another account: it waits, and a second person confirms it.

    state: "waiting" → "confirmed" | "refused" | "withdrawn". Accounts in `old_account` and
    `new_account` are shown by their tail only. Not before `not_before`.
    """

    __tablename__ = "bank_changes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    operator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operators.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    old_account: Mapped[str] = mapped_column(sa.String(60), default="")
    new_account: Mapped[str] = mapped_column(sa.String(60))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[str] = mapped_column(sa.String(10), default="waiting")
    asked_by: Mapped[str] = mapped_column(sa.String(60))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    not_before: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by: Mapped[str | None] = mapped_column(sa.String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str] = mapped_column(sa.String(200), default="")
    __table_args__ = (
        sa.CheckConstraint("(operator_id IS NULL) <> (elder_id IS NULL)", name="payee"),
        sa.CheckConstraint(
            "state IN ('waiting','confirmed','refused','withdrawn')", name="state"
        ),
        sa.CheckConstraint("state <> 'confirmed' OR decided_by <> asked_by", name="two_people"),
        sa.Index(
            "uq_bank_changes_operator_waiting", "operator_id", unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        sa.Index(
            "uq_bank_changes_elder_waiting", "elder_id", unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )


class ExplainedMismatch(db.Model):
    """Something another's books say that matches nothing of ours, and why: it is open no longer."""

    __tablename__ = "explained_mismatches"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    problem: Mapped[str] = mapped_column(sa.String(30))
    reference: Mapped[str] = mapped_column(sa.String(240))
    reason: Mapped[str] = mapped_column(sa.String(400))
    explained_by: Mapped[str] = mapped_column(sa.String(60))
    explained_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (sa.UniqueConstraint("problem", "reference"),)


class Repayment(db.Model):
    """Money a payee sent back for a statement below nothing, instead of netting it.

    Noted by one person; it counts once another has confirmed that it came.
    """

    __tablename__ = "repayments"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), unique=True)
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    received_on: Mapped[date] = mapped_column(sa.Date)
    reference: Mapped[str] = mapped_column(sa.String(60))
    noted_by: Mapped[str] = mapped_column(sa.String(60))
    noted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(sa.String(60))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="positive"),
        sa.CheckConstraint("confirmed_by <> noted_by", name="two_people"),
    )
