"""Statements, their sums by funder, the steps and amendments of their review, the payouts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

STAGES = {
    "operator": Text("待运营企业确认", "With the operator"),
    "street": Text("待街道审核", "With the street office"),
    "district": Text("待区民政局审核", "With the district bureau"),
    "city": Text("待市民政局审批", "With the city bureau"),
    "approved": Text("已批准，待付款", "Approved, to be paid"),
    "paid": Text("已付款", "Paid"),
    "carried": Text("结转下月", "Carried to the next month"),
    "repaid": Text("已退回", "Paid back"),
}


class Statement(db.Model):
    """What one canteen (or one elder paid to account) is owed for one period.

    total = elder + account + enterprise + delivery + online + carried + deducted, all in fen,
    signed. `stage` says who holds it; every move is a StatementStep. A statement that came to less
    than nothing names in `carried_into_id` the later one that took it up. The sums are those that
    hold now; each change since closing is a StatementAmendment. `rule_id` is the review rule of
    the district when it was prepared (none: the defaults). `deducted_fen` is what a sample's
    errors take off, never more than nothing.
    """

    __tablename__ = "statements"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    period: Mapped[str] = mapped_column(sa.ForeignKey("periods.period"))
    payee: Mapped[str] = mapped_column(sa.String(8))
    canteen_id: Mapped[int | None] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    operator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operators.id"), index=True)
    street_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    meals: Mapped[int]
    elder_fen: Mapped[int] = mapped_column(sa.BigInteger)
    account_fen: Mapped[int] = mapped_column(sa.BigInteger)
    enterprise_fen: Mapped[int] = mapped_column(sa.BigInteger)
    delivery_fen: Mapped[int] = mapped_column(sa.BigInteger)
    online_fen: Mapped[int] = mapped_column(sa.BigInteger)
    carried_fen: Mapped[int] = mapped_column(sa.BigInteger)
    deducted_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    total_fen: Mapped[int] = mapped_column(sa.BigInteger)
    stage: Mapped[str] = mapped_column(sa.String(10), index=True)
    stage_since: Mapped[datetime] = mapped_column(UTCDateTime)
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    rule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("review_rules.id"))
    prepared_by: Mapped[str] = mapped_column(sa.String(60))
    prepared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    carried_into_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("statements.id"), index=True
    )
    __table_args__ = (
        sa.UniqueConstraint("period", "canteen_id"),
        sa.UniqueConstraint("period", "elder_id"),
        sa.CheckConstraint(
            "total_fen = elder_fen + account_fen + enterprise_fen + delivery_fen"
            " + online_fen + carried_fen + deducted_fen",
            name="total",
        ),
        sa.CheckConstraint(
            "(payee = 'canteen' AND canteen_id IS NOT NULL AND elder_id IS NULL)"
            " OR (payee = 'elder' AND elder_id IS NOT NULL AND canteen_id IS NULL)",
            name="payee",
        ),
    )


class StatementLine(db.Model):
    """The part of a statement that one funder pays for one side of the dual subsidy.

    side: "elder", "enterprise", "delivery", "deduction" · funder: "city", "district", "street"… ·
    `territory_code` is whose purse that is.
    """

    __tablename__ = "statement_lines"
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), primary_key=True)
    side: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    funder: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    territory_code: Mapped[str] = mapped_column(sa.String(9))
    meals: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)


class StatementStep(db.Model):
    """One move of a statement through the chain: who, at which stage, what and why. Append-only."""

    __tablename__ = "statement_steps"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), index=True)
    stage: Mapped[str] = mapped_column(sa.String(10))
    verdict: Mapped[str] = mapped_column(sa.String(10))
    to_stage: Mapped[str] = mapped_column(sa.String(10))
    by_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    by_label: Mapped[str] = mapped_column(sa.String(60))
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint(
            "verdict IN ('prepared','confirmed','consented','escalated','approved','returned',"
            "'undone','amended','paid','carried','repaid')",
            name="verdict",
        ),
    )


class StatementAmendment(db.Model):
    """One change of a statement's sums after it was prepared: by how much, why, by whom.

    Sums are differences in fen. Append-only: the first sums and every later one can be told.
    `cause_id` is the upheld appeal that changes a deduction; else nothing.
    """

    __tablename__ = "statement_amendments"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), index=True)
    cause: Mapped[str] = mapped_column(sa.String(12))
    cause_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    meals: Mapped[int]
    elder_fen: Mapped[int] = mapped_column(sa.BigInteger)
    account_fen: Mapped[int] = mapped_column(sa.BigInteger)
    enterprise_fen: Mapped[int] = mapped_column(sa.BigInteger)
    delivery_fen: Mapped[int] = mapped_column(sa.BigInteger)
    deducted_fen: Mapped[int] = mapped_column(sa.BigInteger)
    total_before_fen: Mapped[int] = mapped_column(sa.BigInteger)
    total_after_fen: Mapped[int] = mapped_column(sa.BigInteger)
    lines: Mapped[Any] = mapped_column(Json)
    by_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    by_label: Mapped[str] = mapped_column(sa.String(60))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint(
            "total_after_fen = total_before_fen + elder_fen + account_fen + enterprise_fen"
            " + delivery_fen + deducted_fen",
            name="total",
        ),
    )


class Payout(db.Model):
    """Money sent for one approved statement, once.

    state: "ready" (approved, in no released batch) → "waiting" (in the outbox or in a bank file)
    → ("sent" →) "paid" | "failed", from where it becomes ready again. `batch_id` is the batch it
    lies in, the last one when it was sent before.
    """

    __tablename__ = "payouts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), unique=True)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payout_batches.id"), index=True)
    account: Mapped[str] = mapped_column(sa.String(60))
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str] = mapped_column(sa.String(8), index=True)
    provider_id: Mapped[str | None] = mapped_column(sa.String(60), unique=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(sa.String(200))
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="positive"),
        sa.CheckConstraint("state IN ('ready','waiting','sent','paid','failed')", name="state"),
    )
