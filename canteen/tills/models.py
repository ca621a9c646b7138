"""Tills and what happens at them: enrolment, journal, shifts, cash, the districts' rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

KINDS = {
    "open": Text("开班", "Shift opened"),
    "sale": Text("销售", "Sale"),
    "withdrawn": Text("未成交", "Not sold"),
    "void": Text("整单作废", "Sale voided"),
    "move": Text("存取现金", "Cash in or out"),
    "close": Text("交班", "Shift closed"),
}
BEARERS = {
    "canteen": Text("由食堂承担", "borne by the canteen"),
    "programme": Text("由补贴资金承担", "borne by the programme"),
}


class Till(db.Model):
    """An enrolled tablet. Its journal is a chain: entry n signs entry n−1 with the till's key.

    The key is derived from the server's secret and `salt`, so nothing here can forge an entry.
    `head` is the last entry received, `claimed` the highest number the tablet ever said it made:
    what lies between has not arrived. `alarm` names the first thing about the chain that cannot
    be true, until a manager has looked.
    """

    __tablename__ = "tills"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    salt: Mapped[str] = mapped_column(sa.String(32))
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime)
    enrolled_by: Mapped[str] = mapped_column(sa.String(60))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    head: Mapped[int] = mapped_column(default=0)
    head_mac: Mapped[str] = mapped_column(sa.String(64), default="")
    head_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    drift_ms: Mapped[int] = mapped_column(BigId, default=0)
    alarm: Mapped[str | None] = mapped_column(sa.String(20))
    alarm_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("canteen_id", "name"),
        sa.CheckConstraint("head >= 0 AND claimed >= head", name="head"),
    )


class EnrolmentCode(db.Model):
    """A manager's one-time code that turns a tablet into a till; only its digest is kept."""

    __tablename__ = "enrolment_codes"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    made_by: Mapped[str] = mapped_column(sa.String(60))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    till_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tills.id"))


class Shift(db.Model):
    """One cashier's time at one till, from the float put in to the count at its end.

    `expected_fen` is what must lie in the drawer: float + cash taken + paid in − paid out −
    cash given back. `over_fen` = counted − expected; `left_fen` stays as the next float.
    """

    __tablename__ = "shifts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    till_id: Mapped[int] = mapped_column(sa.ForeignKey("tills.id"))
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    number: Mapped[int]
    cashier_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    float_fen: Mapped[int]
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    count: Mapped[Any] = mapped_column(Json, nullable=True)
    counted_fen: Mapped[int | None]
    expected_fen: Mapped[int | None]
    over_fen: Mapped[int | None]
    left_fen: Mapped[int | None]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    __table_args__ = (
        sa.UniqueConstraint("till_id", "number"),
        sa.Index(
            "uq_shifts_open", "till_id", unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_shifts_canteen_id_opened_at", "canteen_id", "opened_at"),
        sa.CheckConstraint("float_fen >= 0", name="float"),
        sa.CheckConstraint(
            "(closed_at IS NULL AND counted_fen IS NULL AND expected_fen IS NULL"
            " AND over_fen IS NULL AND left_fen IS NULL)"
            " OR (closed_at IS NOT NULL AND over_fen = counted_fen - expected_fen"
            " AND counted_fen >= 0 AND left_fen BETWEEN 0 AND counted_fen)",
            name="closed",
        ),
    )


class TillEntry(db.Model):
    """One entry of a till's journal, exactly as the tablet signed it, and what became of it.

    `body` is the signed text. `device_at` is the tablet's own clock, `made_at` the same moment
    corrected by the server's, never before the entry before it and never after `received_at`.
    `kept` says that the act was done without the server and only told afterwards. `notes` holds
    codes of what a reviewer should know ("late", "over_portions", "excess_canteen", …).
    """

    __tablename__ = "till_entries"
    till_id: Mapped[int] = mapped_column(sa.ForeignKey("tills.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    shift_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shifts.id"), index=True)
    cashier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    kept: Mapped[bool]
    device_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    body: Mapped[str] = mapped_column(sa.Text)
    mac: Mapped[str] = mapped_column(sa.String(64))
    outcome: Mapped[Any] = mapped_column(Json)
    notes: Mapped[list[str]] = mapped_column(Json, default=list)
    __table_args__ = (
        sa.CheckConstraint("number > 0", name="number"),
        sa.CheckConstraint(
            "kind IN ('open','sale','withdrawn','void','move','close')", name="kind"
        ),
        sa.Index("ix_till_entries_order_id", "order_id"),
    )


class CashMove(db.Model):
    """Cash into or out of a drawer that is not a sale of the journal; always a positive sum.

    kind: "paid_in", "paid_out" (of the journal) · "collected" (due on an order handed over) ·
    "refunded" (given back for an order).
    """

    __tablename__ = "cash_moves"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift_id: Mapped[int] = mapped_column(sa.ForeignKey("shifts.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    fen: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    reason_code: Mapped[str] = mapped_column(sa.String(20), default="")
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    moved_by: Mapped[str] = mapped_column(sa.String(60))
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("fen > 0", name="positive"),
        sa.CheckConstraint("kind IN ('paid_in','paid_out','collected','refunded')", name="kind"),
    )


class OfflineRule(db.Model):
    """What a district lets its tills do while they cannot ask, from a day on.

    `per_elder` and `per_till`: subsidised meals one till may give one elder, and all elders
    together, since it last heard from the server. A subsidy given beyond the caps is borne by
    the canteen, or by the programme up to `limit_fen` for a canteen and month, the rest by the
    canteen.
    """

    __tablename__ = "offline_rules"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    from_on: Mapped[date] = mapped_column(sa.Date)
    per_elder: Mapped[int]
    per_till: Mapped[int]
    excess: Mapped[str] = mapped_column(sa.String(10))
    limit_fen: Mapped[int] = mapped_column(default=0)
    set_by: Mapped[str] = mapped_column(sa.String(60))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("district_code", "from_on"),
        sa.CheckConstraint("per_elder BETWEEN 0 AND 21", name="per_elder"),
        sa.CheckConstraint("per_till BETWEEN 0 AND 2000", name="per_till"),
        sa.CheckConstraint("excess IN ('canteen','programme')", name="excess"),
        sa.CheckConstraint("limit_fen >= 0", name="limit"),
    )
