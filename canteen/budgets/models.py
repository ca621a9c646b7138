"""The funds of each purse, the yearly true-up of city and district, and what was aimed at."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class Fund(db.Model):
    """Money set aside in a purse for a year: the budget and each supplement (or cut, negative)."""

    __tablename__ = "funds"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    territory_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    year: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    set_by: Mapped[str] = mapped_column(sa.String(60))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (sa.Index("ix_funds_territory_code_year", "territory_code", "year"),)


class TrueUp(db.Model):
    """What the city owes a district for a year: its share, what it paid before, the difference.

    kind: "preliminary" | "final" · state: "draft" → "confirmed" (by another person) → "paid"
    (noted by another than who prepared it, with the bank's reference and day).
    balance_fen = share_fen − paid_before_fen: above nothing the city pays, below it gets back.
    `sums` is the list of sums by month and side, `targets` the performance-target table, both as
    they were when it was confirmed.
    """

    __tablename__ = "true_ups"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    year: Mapped[int]
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    kind: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(10))
    share_fen: Mapped[int] = mapped_column(sa.BigInteger)
    paid_before_fen: Mapped[int] = mapped_column(sa.BigInteger)
    balance_fen: Mapped[int] = mapped_column(sa.BigInteger)
    sums: Mapped[Any] = mapped_column(Json)
    targets: Mapped[Any] = mapped_column(Json)
    note: Mapped[str] = mapped_column(sa.String(400), default="")
    prepared_by: Mapped[str] = mapped_column(sa.String(60))
    prepared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(sa.String(60))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_by: Mapped[str | None] = mapped_column(sa.String(60))
    paid_on: Mapped[date | None] = mapped_column(sa.Date)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reference: Mapped[str | None] = mapped_column(sa.String(60))
    __table_args__ = (
        sa.UniqueConstraint("year", "district_code", "kind"),
        sa.CheckConstraint("kind IN ('preliminary','final')", name="kind"),
        sa.CheckConstraint("state IN ('draft','confirmed','paid')", name="state"),
        sa.CheckConstraint("balance_fen = share_fen - paid_before_fen", name="balance"),
        sa.CheckConstraint("confirmed_by <> prepared_by", name="two_people"),
        sa.CheckConstraint("paid_by <> prepared_by", name="payer"),
        sa.Index("uq_true_ups_reference", "reference", unique=True),
    )


class PerformanceTarget(db.Model):
    """What a district aims at in a year, for one measure of the performance-target table."""

    __tablename__ = "performance_targets"
    year: Mapped[int] = mapped_column(primary_key=True)
    district_code: Mapped[str] = mapped_column(
        sa.ForeignKey("territories.code"), primary_key=True
    )
    code: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    target: Mapped[int] = mapped_column(sa.BigInteger)
    set_by: Mapped[str] = mapped_column(sa.String(60))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
