"""Charges and refunds of diners, the outbox to the provider, and the events it sent us."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class Charge(db.Model):
    """An online payment asked of a diner for one order.

    state: "pending" → "succeeded" | "failed" | "cancelled". `period` is the settlement month the
    taking falls into, set when it succeeds.
    """

    __tablename__ = "charges"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    amount_fen: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(10))
    provider_id: Mapped[str | None] = mapped_column(sa.String(60), unique=True)
    period: Mapped[str | None] = mapped_column(sa.String(7))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="positive"),
        sa.CheckConstraint(
            "state IN ('pending','succeeded','failed','cancelled')", name="state"
        ),
        sa.Index("ix_charges_period_canteen_id", "period", "canteen_id"),
    )


class Refund(db.Model):
    """Money given back on a charge, through the outbox; its own settlement period."""

    __tablename__ = "refunds"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    charge_id: Mapped[int] = mapped_column(sa.ForeignKey("charges.id"), index=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    amount_fen: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(10))
    period: Mapped[str] = mapped_column(sa.String(7))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="positive"),
        sa.CheckConstraint("state IN ('pending','succeeded','failed')", name="state"),
        sa.Index("ix_refunds_period_canteen_id", "period", "canteen_id"),
    )


class OutboxMessage(db.Model):
    """A call to the provider that was decided with its act and is made after it, once.

    kind: "refund", "cancel_charge", "transfer", or "notice" (to a phone) · `reference` the row it
    is for ("payout:7") · `key` the idempotency key sent along · state: "waiting" → "done" |
    "dead" (gave up).
    """

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    reference: Mapped[str] = mapped_column(sa.String(40))
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    payload: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(sa.String(8), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    provider_id: Mapped[str | None] = mapped_column(sa.String(60))
    last_error: Mapped[str | None] = mapped_column(sa.String(300))
    __table_args__ = (
        sa.CheckConstraint("state IN ('waiting','done','dead')", name="state"),
        sa.Index("ix_outbox_state_due_at", "state", "due_at"),
        sa.Index("ix_outbox_reference", "reference"),
    )


class ProviderEvent(db.Model):
    """A webhook the provider sent, by its own id: a second delivery changes nothing."""

    __tablename__ = "provider_events"
    id: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    payload: Mapped[Any] = mapped_column(Json)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
