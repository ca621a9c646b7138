"""Elders, the dated facts about them, their cards and the family who may order for them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, UTCDateTime, db
from canteen.words import Text

CATEGORIES = {
    "visiting_care": Text("探访关爱", "Visiting care"),
    "home_care_subsidy": Text("居家养老服务补贴", "Home-care subsidy"),
    "minimum_living": Text("低保", "Minimum living allowance"),
    "minimum_living_margin": Text("低保边缘", "Minimum living margin"),
    "low_income": Text("低收入", "Low income"),
    "disability_allowance": Text("困难残疾人生活补贴", "Hardship disability allowance"),
}
CARE_LEVELS = {
    "mild": Text("轻度", "Mild"),
    "moderate": Text("中度", "Moderate"),
    "severe": Text("重度", "Severe"),
}
STATUSES = {
    "alive": Text("正常", "Active"),
    "moved": Text("已迁出", "Moved away"),
    "in_institution": Text("入住养老机构", "In a care institution"),
    "deceased": Text("已故", "Deceased"),
}
# Every value a fact may have.
FACTS = {
    **CATEGORIES, **CARE_LEVELS, **STATUSES,
    "covered": Text("享受长期护理保险", "Covered by long-term care"),
    **{str(n): Text(f"残疾{n}级", f"Disability grade {n}") for n in range(1, 5)},
}  # fmt: skip


class Elder(db.Model):
    """A person on the register. The ID number is encrypted; `ric_hash` finds it, nothing shows it.

    `status` is what holds today; the dated truth is in `ElderFact`.
    """

    __tablename__ = "elders"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ric_cipher: Mapped[bytes] = mapped_column(sa.LargeBinary)
    ric_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    ric_last4: Mapped[str] = mapped_column(sa.String(4), index=True)
    name: Mapped[str] = mapped_column(sa.String(40), index=True)
    birth_date: Mapped[date] = mapped_column(sa.Date)
    phone: Mapped[str | None] = mapped_column(sa.String(20), index=True)
    phone_last4: Mapped[str | None] = mapped_column(sa.String(4), index=True)
    household: Mapped[str] = mapped_column(sa.String(9))
    street_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"), index=True)
    status: Mapped[str] = mapped_column(sa.String(16), default="alive")
    payout_account: Mapped[str | None] = mapped_column(sa.String(60))
    diet_notes: Mapped[str] = mapped_column(sa.String(120), default="")
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('alive','moved','in_institution','deceased')", name="status"
        ),
    )


class ElderInitials(db.Model):
    """The pinyin initials a cashier may type for an elder: one row for each reading of the name."""

    __tablename__ = "elder_initials"
    elder_id: Mapped[int] = mapped_column(
        sa.ForeignKey("elders.id", ondelete="CASCADE"), primary_key=True
    )
    initials: Mapped[str] = mapped_column(sa.String(12), primary_key=True, index=True)


class ElderFact(db.Model):
    """Something true of an elder between two days (the last one included), with its evidence.

    kind "category": value one of CATEGORIES · "care_level": one of CARE_LEVELS ·
    "disability_grade": "1".."4" · "status": "moved", "in_institution", "deceased" ·
    "long_term_care": "covered".
    """

    __tablename__ = "elder_facts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    value: Mapped[str] = mapped_column(sa.String(24))
    valid_from: Mapped[date] = mapped_column(sa.Date)
    valid_to: Mapped[date | None] = mapped_column(sa.Date)
    evidence: Mapped[str] = mapped_column(sa.String(120), default="")
    recorded_by: Mapped[str] = mapped_column(sa.String(60))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("elder_id", "kind", "value", "valid_from"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
        sa.CheckConstraint(
            "kind IN ('category','care_level','disability_grade','status','long_term_care')",
            name="kind",
        ),
    )


class Card(db.Model):
    """A card with a number (printed and as QR); at most one of an elder's cards is in use."""

    __tablename__ = "cards"
    number: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    issued_on: Mapped[date] = mapped_column(sa.Date)
    lost_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.Index(
            "uq_cards_in_use", "elder_id", unique=True,
            sqlite_where=sa.text("lost_at IS NULL"), postgresql_where=sa.text("lost_at IS NULL"),
        ),
    )


class FamilyMember(db.Model):
    """A user who may order for an elder, until the elder or the street ends it."""

    __tablename__ = "family_members"
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True, index=True)
    relation: Mapped[str] = mapped_column(sa.String(20))
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
