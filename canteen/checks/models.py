"""What the checks found, what was decided about it, and how each district sets them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

MODES = {
    "ignore": Text("不检查", "Ignore"),
    "warn": Text("提醒", "Warn"),
    "hold": Text("暂扣待定", "Hold for a decision"),
}
STATES = {
    "open": Text("待处理", "To be decided"),
    "asked": Text("已请食堂说明", "The canteen was asked"),
    "paid": Text("核准支付", "To be paid"),
    "denied": Text("不予支付", "Not to be paid"),
    "cleared": Text("已不成立", "No longer found"),
}
UNDECIDED = ("open", "asked")
VERDICTS = {
    "found": Text("再次发现", "Found again"),
    "cleared": Text("不再成立", "No longer found"),
    "ask": Text("请食堂说明", "The canteen was asked"),
    "answer": Text("食堂说明", "The canteen answered"),
    "pay": Text("核准支付", "To be paid"),
    "deny": Text("不予支付", "Not to be paid"),
    "reopen": Text("重新审议", "Taken up again"),
    "grown": Text("决定之后又有增加，重新审议", "Grown since it was decided; taken up again"),
    "note": Text("食堂主动说明", "The canteen explained"),
}


class CheckSetting(db.Model):
    """How a district sets one check from a day on, and why: its mode and changed thresholds.

    A district without a row has the catalogue's defaults. Rows are the history: a later change
    is a later row.
    """

    __tablename__ = "check_settings"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    code: Mapped[str] = mapped_column(sa.String(30))
    mode: Mapped[str] = mapped_column(sa.String(6))
    thresholds: Mapped[Any] = mapped_column(Json, default=dict)
    from_on: Mapped[date] = mapped_column(sa.Date)
    reason: Mapped[str] = mapped_column(sa.String(400), default="", server_default="")
    set_by: Mapped[str] = mapped_column(sa.String(60))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("district_code", "code", "from_on"),
        sa.CheckConstraint("mode IN ('ignore','warn','hold')", name="mode"),
    )


class Suspicion(db.Model):
    """One thing a check found in a period, once: `key` names it ("order:12", "elder:5:…").

    `amount_fen` is the subsidy at stake: what elder, account, enterprise and delivery get for
    the meals concerned. `mode` is the strictest the district had set in the month when it was
    looked at; "hold" stays.
    """

    __tablename__ = "suspicions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(30))
    period: Mapped[str] = mapped_column(sa.String(7))
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    key: Mapped[str] = mapped_column(sa.String(80))
    amount_fen: Mapped[int] = mapped_column(sa.BigInteger)
    evidence: Mapped[Any] = mapped_column(Json)
    mode: Mapped[str] = mapped_column(sa.String(6))
    state: Mapped[str] = mapped_column(sa.String(8))
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    false_alarm: Mapped[bool] = mapped_column(default=False)

    @property
    def undecided(self) -> bool:
        """Whether somebody still has to decide it."""
        return self.state in UNDECIDED

    __table_args__ = (
        sa.UniqueConstraint("code", "key"),
        sa.Index("ix_suspicions_period_canteen_id", "period", "canteen_id"),
        sa.CheckConstraint("mode IN ('warn','hold')", name="mode"),
        sa.CheckConstraint(
            "state IN ('open','asked','paid','denied','cleared')", name="state"
        ),
        sa.CheckConstraint(
            "(state IN ('paid','denied')) = (decided_at IS NOT NULL)", name="decided"
        ),
    )


class SuspicionStep(db.Model):
    """One step in the story of a suspicion: who, when, what and why. Append-only."""

    __tablename__ = "suspicion_steps"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    suspicion_id: Mapped[int] = mapped_column(sa.ForeignKey("suspicions.id"), index=True)
    verdict: Mapped[str] = mapped_column(sa.String(10))
    by_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    by_label: Mapped[str] = mapped_column(sa.String(60))
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    false_alarm: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint(
            "verdict IN ('found','cleared','ask','answer','pay','deny','reopen','grown','note')",
            name="verdict",
        ),
    )
