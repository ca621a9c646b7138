"""What is put right after the fact: claims of elders, and which late facts were looked at."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, UTCDateTime, db


class Claim(db.Model):
    """A meal paid in full for which an elder claims the subsidy afterwards, to their account.

    kind: "card_unread" (the card could not be read) | "late_status" (a status was granted
    backwards) · state: "asked" → "approved" | "refused".
    """

    __tablename__ = "claims"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(8), default="asked")
    reason: Mapped[str] = mapped_column(sa.String(400))
    asked_by: Mapped[str] = mapped_column(sa.String(60))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decision: Mapped[str] = mapped_column(sa.String(400), default="")
    decided_by: Mapped[str | None] = mapped_column(sa.String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("kind IN ('card_unread','late_status')", name="kind"),
        sa.CheckConstraint("state IN ('asked','approved','refused')", name="state"),
        sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name="decided"),
        sa.Index(
            "uq_claims_order", "order_id", unique=True,
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
        ),
    )


class FactReview(db.Model):
    """A fact recorded late, and when the meals it concerns were priced again: once for each.

    `digest` is what the fact said then; empty while one of its meals waits for a decision.
    """

    __tablename__ = "fact_reviews"
    fact_id: Mapped[int] = mapped_column(sa.ForeignKey("elder_facts.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    taken_back: Mapped[int]
    given: Mapped[int]
    looked_at: Mapped[datetime] = mapped_column(UTCDateTime)
