"""Canteens, their operators, papers, hours, discounts and the history of their sign."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

MEALS = {
    "breakfast": Text("早餐", "Breakfast"),
    "lunch": Text("午餐", "Lunch"),
    "dinner": Text("晚餐", "Dinner"),
}
TIERS = {1: Text("一类", "Tier 1"), 2: Text("二类", "Tier 2"), 3: Text("三类", "Tier 3")}
STATUSES = {
    "applied": Text("已申请", "Applied"),
    "under_review": Text("审核中", "Under review"),
    "public_notice": Text("公示中", "Public notice"),
    "listed": Text("已挂牌", "Listed"),
    "warned": Text("已警示", "Warned"),
    "suspended": Text("暂停服务", "Suspended"),
    "delisted": Text("已摘牌", "Delisted"),
}
OPEN_STATUSES = ("listed", "warned")
REASONS = {
    "application": Text("申请挂牌", "Application"),
    "voluntary_exit": Text("自愿退出", "Voluntary exit"),
    "idle": Text("挂牌不营业", "Listed but idle"),
    "food_safety": Text("食品安全事件", "Food-safety incident"),
    "failed_evaluation": Text("评估不合格", "Failed evaluation"),
    "subsidy_fraud": Text("骗取补贴", "Subsidy fraud"),
    "licence_invalid": Text("证照失效", "Licence invalid"),
    "complaints": Text("投诉属实", "Upheld complaints"),
    "agreement_ended": Text("协议终止", "Agreement ended"),
    "rectified": Text("整改合格", "Rectified"),
}
CARRIERS = {
    "care_institution": Text("养老机构", "Care institution"),
    "day_care": Text("日间照料中心", "Day-care centre"),
    "restaurant": Text("餐饮企业", "Restaurant"),
    "distributor": Text("集体用餐配送单位", "Collective-meal distributor"),
    "central_kitchen": Text("中央厨房", "Central kitchen"),
    "community": Text("社区食堂", "Community canteen"),
    "committee": Text("居（村）委会", "Neighbourhood or village committee"),
}
CAPABILITIES = {
    "open_fire": Text("明火厨房", "Kitchen with open fire"),
    "reheats": Text("二次加工", "Reheating and second processing"),
    "dine_in": Text("堂食", "Dining room"),
    "pick_up": Text("自取", "Pick-up"),
    "delivery": Text("送餐", "Delivery"),
    "supplies_others": Text("对外配餐", "Supplies other canteens"),
    "open_kitchen": Text("明厨亮灶", "Open kitchen on view"),
    "group_dining": Text("集体用餐", "Group dining"),
    "online": Text("线上服务", "Online service"),
}


class Operator(db.Model):
    """An enterprise that runs canteens and is paid for them."""

    __tablename__ = "operators"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    uscc: Mapped[str] = mapped_column(sa.String(18), unique=True)
    contact: Mapped[str] = mapped_column(sa.String(40))
    phone: Mapped[str] = mapped_column(sa.String(20))
    payout_account: Mapped[str] = mapped_column(sa.String(60))


class Canteen(db.Model):
    """One place that sells meals; `street_code` and `district_code` say whose ground it is on."""

    __tablename__ = "canteens"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    name_en: Mapped[str] = mapped_column(sa.String(80), default="")
    street_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    operator_id: Mapped[int] = mapped_column(sa.ForeignKey("operators.id"), index=True)
    carrier: Mapped[str] = mapped_column(sa.String(20))
    tier: Mapped[int] = mapped_column(sa.SmallInteger)
    demonstration: Mapped[bool] = mapped_column(default=False)
    capabilities: Mapped[list[str]] = mapped_column(Json)
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    address: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str] = mapped_column(sa.String(20))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    seats: Mapped[int] = mapped_column(default=0)
    area_m2: Mapped[int] = mapped_column(default=0)
    open_weekdays: Mapped[str] = mapped_column(sa.String(7), default="1234567")
    status: Mapped[str] = mapped_column(sa.String(16), index=True)
    status_since: Mapped[date] = mapped_column(sa.Date)
    grade: Mapped[str | None] = mapped_column(sa.String(12))

    @hybrid_property
    def english_name(self) -> str:
        """The name in English, or the only one it has."""
        return self.name_en or self.name

    @english_name.inplace.expression
    @classmethod
    def _english_name(cls) -> sa.ColumnElement[str]:
        return sa.func.coalesce(sa.func.nullif(cls.name_en, ""), cls.name)

    __table_args__ = (
        sa.CheckConstraint("tier IN (1, 2, 3)", name="tier"),
        sa.CheckConstraint("supplier_id IS NULL OR supplier_id <> id", name="supplier"),
    )


class MealPeriod(db.Model):
    """When a canteen serves a meal, and until when it can be ordered ahead (Shanghai time)."""

    __tablename__ = "meal_periods"
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), primary_key=True)
    meal: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    opens: Mapped[time] = mapped_column(sa.Time)
    closes: Mapped[time] = mapped_column(sa.Time)
    order_until: Mapped[time] = mapped_column(sa.Time)
    __table_args__ = (
        sa.CheckConstraint("meal IN ('breakfast','lunch','dinner')", name="meal"),
        sa.CheckConstraint("opens < closes", name="hours"),
    )


class Licence(db.Model):
    """A paper with an end date: business licence, food-operation licence, agreement."""

    __tablename__ = "licences"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    number: Mapped[str] = mapped_column(sa.String(40))
    valid_from: Mapped[date] = mapped_column(sa.Date)
    valid_to: Mapped[date | None] = mapped_column(sa.Date)
    __table_args__ = (
        sa.CheckConstraint("kind IN ('business','food','agreement')", name="kind"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
    )


class Closure(db.Model):
    """A day on which a canteen announced that it does not open."""

    __tablename__ = "closures"
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), primary_key=True)
    on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(80))


class ElderDiscount(db.Model):
    """The canteen's own discount from an age up, from a day on; the canteen bears it."""

    __tablename__ = "elder_discounts"
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), primary_key=True)
    min_age: Mapped[int] = mapped_column(primary_key=True)
    from_on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    discount_bp: Mapped[int]
    __table_args__ = (
        sa.CheckConstraint("discount_bp BETWEEN 0 AND 10000", name="rate"),
        sa.CheckConstraint("min_age BETWEEN 0 AND 130", name="age"),
    )


class StandardSetPrice(db.Model):
    """What a district's standard set (标准套餐) costs from a day on."""

    __tablename__ = "standard_set_prices"
    district_code: Mapped[str] = mapped_column(
        sa.ForeignKey("territories.code"), primary_key=True
    )
    from_on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    price_fen: Mapped[int]
    set_by: Mapped[str] = mapped_column(sa.String(60))
    __table_args__ = (sa.CheckConstraint("price_fen > 0", name="price"),)


class ListingChange(db.Model):
    """One change of a canteen's status: what it became, when, by whom and why."""

    __tablename__ = "listing_changes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    from_status: Mapped[str | None] = mapped_column(sa.String(16))
    to_status: Mapped[str] = mapped_column(sa.String(16))
    reason_code: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(400))
    decided_by: Mapped[str] = mapped_column(sa.String(60))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    facts: Mapped[Any] = mapped_column(Json, default=dict)
