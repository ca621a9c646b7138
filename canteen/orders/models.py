"""Orders, their lines and their cancellations: the sub-ledger of the tills."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

SERVICES = {
    "eat_in": Text("堂食", "Eat in"),
    "pick_up": Text("自取", "Pick up"),
    "delivery": Text("送餐", "Delivery"),
}
STATES = {
    "awaiting_payment": Text("待支付", "Waiting for payment"),
    "placed": Text("已下单", "Ordered"),
    "served": Text("已取餐", "Served"),
    "cancelled": Text("已取消", "Cancelled"),
}
PAYMENTS = {"cash": Text("现金", "Cash"), "online": Text("线上支付", "Online")}


class Order(db.Model):
    """One diner's meal at one canteen. What the parts are and why is fixed when it is placed.

    `inputs` is the case the policy `policy_id` priced (see subsidies.pricing.Case): the price can
    be explained again years later, and never changes. Unpaid orders have `paid_at` empty; only
    paid ones are booked (`booked_in`, the booking run).
    """

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"))
    menu_id: Mapped[int] = mapped_column(sa.ForeignKey("menus.id"), index=True)
    on: Mapped[date] = mapped_column(sa.Date)
    meal: Mapped[str] = mapped_column(sa.String(10))
    service: Mapped[str] = mapped_column(sa.String(10))
    channel: Mapped[str] = mapped_column(sa.String(8))
    state: Mapped[str] = mapped_column(sa.String(18))
    payment: Mapped[str] = mapped_column(sa.String(8))
    list_fen: Mapped[int]
    discount_fen: Mapped[int]
    subsidy_fen: Mapped[int]
    payable_fen: Mapped[int]
    cash_fen: Mapped[int]
    excess_fen: Mapped[int] = mapped_column(default=0)
    policy_id: Mapped[int | None] = mapped_column(sa.ForeignKey("policy_versions.id"))
    inputs: Mapped[Any] = mapped_column(Json, nullable=True)
    placed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    placed_by: Mapped[str] = mapped_column(sa.String(60))
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_on: Mapped[date | None] = mapped_column(sa.Date)
    packed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    served_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    served_by: Mapped[str | None] = mapped_column(sa.String(60))
    note: Mapped[str] = mapped_column(sa.String(120), default="")
    booked_in: Mapped[int | None] = mapped_column(sa.ForeignKey("booking_runs.id"))
    __table_args__ = (
        sa.CheckConstraint(
            "list_fen = discount_fen + subsidy_fen + payable_fen", name="parts_sum_to_list"
        ),
        sa.CheckConstraint(
            "list_fen > 0 AND discount_fen >= 0 AND subsidy_fen >= 0 AND payable_fen >= 0",
            name="nothing_negative",
        ),
        sa.CheckConstraint(
            "state IN ('awaiting_payment','placed','served','cancelled')", name="state"
        ),
        sa.CheckConstraint("service IN ('eat_in','pick_up','delivery')", name="service"),
        sa.CheckConstraint("payment IN ('cash','online')", name="payment"),
        sa.CheckConstraint(
            "cash_fen BETWEEN 0 AND payable_fen"
            " AND (payment = 'online' OR cash_fen = payable_fen)",
            name="cash_part",
        ),
        sa.CheckConstraint("excess_fen <= discount_fen", name="excess"),
        sa.CheckConstraint("(paid_at IS NULL) = (paid_on IS NULL)", name="paid"),
        sa.Index("ix_orders_canteen_id_on", "canteen_id", "on"),
        sa.Index("ix_orders_elder_id_on", "elder_id", "on"),
        sa.Index(  # where an elder was seen who got no subsidy for it; the checks ask
            "ix_orders_full_price", "on", "elder_id", "canteen_id",
            sqlite_where=sa.text("elder_id IS NOT NULL AND subsidy_fen = 0"),
            postgresql_where=sa.text("elder_id IS NOT NULL AND subsidy_fen = 0"),
        ),
        sa.Index(
            "ix_orders_to_book", "paid_on",
            sqlite_where=sa.text("booked_in IS NULL AND paid_on IS NOT NULL"),
            postgresql_where=sa.text("booked_in IS NULL AND paid_on IS NOT NULL"),
        ),
    )


class OrderLine(db.Model):
    """A dish of an order: how many, at which price each."""

    __tablename__ = "order_lines"
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), primary_key=True)
    menu_item_id: Mapped[int] = mapped_column(
        sa.ForeignKey("menu_items.id"), primary_key=True, index=True
    )
    quantity: Mapped[int]
    unit_fen: Mapped[int]
    __table_args__ = (sa.CheckConstraint("quantity BETWEEN 1 AND 50", name="quantity"),)


class Cancellation(db.Model):
    """An order taken back: when, by whom, why, and how much money went back to the diner."""

    __tablename__ = "cancellations"
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    on: Mapped[date] = mapped_column(sa.Date)
    cancelled_by: Mapped[str] = mapped_column(sa.String(60))
    reason_code: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    refund_fen: Mapped[int]
    booked_in: Mapped[int | None] = mapped_column(sa.ForeignKey("booking_runs.id"))
    __table_args__ = (
        sa.CheckConstraint("refund_fen >= 0", name="refund"),
        sa.Index(
            "ix_cancellations_to_book", "on",
            sqlite_where=sa.text("booked_in IS NULL"),
            postgresql_where=sa.text("booked_in IS NULL"),
        ),
    )


class OrderRefund(db.Model):
    """Some dishes of a paid order taken back, with what the diner got for them.

    Only what leaves the subsidy as it is; else the whole order is cancelled. Sums in fen, all
    positive: list_fen = discount_fen + payable_fen, of which cash_fen in notes and coins.
    """

    __tablename__ = "order_refunds"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    on: Mapped[date] = mapped_column(sa.Date)
    refunded_by: Mapped[str] = mapped_column(sa.String(60))
    reason_code: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    list_fen: Mapped[int]
    discount_fen: Mapped[int]
    payable_fen: Mapped[int]
    cash_fen: Mapped[int]
    booked_in: Mapped[int | None] = mapped_column(sa.ForeignKey("booking_runs.id"))
    __table_args__ = (
        sa.CheckConstraint("list_fen = discount_fen + payable_fen", name="parts_sum_to_list"),
        sa.CheckConstraint(
            "list_fen > 0 AND discount_fen >= 0 AND cash_fen BETWEEN 0 AND payable_fen",
            name="nothing_negative",
        ),
        sa.Index(
            "ix_order_refunds_to_book", "on",
            sqlite_where=sa.text("booked_in IS NULL"),
            postgresql_where=sa.text("booked_in IS NULL"),
        ),
    )


class OrderRefundLine(db.Model):
    """How many of a dish were taken back."""

    __tablename__ = "order_refund_lines"
    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("order_refunds.id"), primary_key=True)
    menu_item_id: Mapped[int] = mapped_column(sa.ForeignKey("menu_items.id"), primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (sa.CheckConstraint("quantity BETWEEN 1 AND 50", name="quantity"),)


class BookingRun(db.Model):
    """One run of day posting: it takes everything paid or cancelled up to a day, not yet booked."""

    __tablename__ = "booking_runs"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    up_to: Mapped[date] = mapped_column(sa.Date)
    run_at: Mapped[datetime] = mapped_column(UTCDateTime)
    run_by: Mapped[str] = mapped_column(sa.String(60))
