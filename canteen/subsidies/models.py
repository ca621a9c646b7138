"""Published policies, quota counters, and the grants: the meals that were subsidised."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from canteen import config
from canteen.db import BigId, Json, UTCDateTime, db
from canteen.words import Text

CAUSES = {
    # giving
    "sale": Text("售餐", "Sold"),
    "claim": Text("事后补领", "Claimed afterwards"),
    "released": Text("疑点排除", "Cleared of doubt"),
    "upheld": Text("申诉成立", "Appeal upheld"),
    # taking back
    "cancelled": Text("退餐", "Taken back with the meal"),
    "held": Text("暂扣待定", "Held for a decision"),
    "denied": Text("核减", "Denied"),
    # either
    "late_fact": Text("情况补录", "A fact recorded late"),
    "corrected": Text("更正", "Corrected"),
    "spread": Text("分期扣回", "Taken back in instalments"),
}
# Causes that say which way the money went, where a row or a sum is told without its sign.
DIRECTED = {
    ("late_fact", -1): Text("情况补录收回", "Taken back for a fact recorded late"),
    ("late_fact", 1): Text("情况补录补发", "Given for a fact recorded late"),
    ("corrected", -1): Text("更正收回", "Taken back to be put right"),
    ("corrected", 1): Text("更正补发", "Given as put right"),
    ("spread", 1): Text("转为分期扣回", "Given again, to be taken in instalments"),
}
# A meal whose last row has one of these causes was sold with a subsidy the canteen lost.
LOST = ("denied", "late_fact", "corrected", "spread")


def cause_words(cause: str, fen: int) -> Text:
    """A cause of a row, or of a sum of them, with the way its money went."""
    return DIRECTED.get((cause, 1 if fen > 0 else -1)) or CAUSES[cause]


class PolicyVersion(db.Model):
    """A published policy for a territory: the exact text, merged with its base, that prices meals.

    Never changed and never deleted; what replaces it is a later version.
    """

    __tablename__ = "policy_versions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    territory_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    in_force_from: Mapped[date] = mapped_column(sa.Date)
    in_force_to: Mapped[date | None] = mapped_column(sa.Date)
    document: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[Any] = mapped_column(Json)
    published_by: Mapped[str] = mapped_column(sa.String(60))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (sa.UniqueConstraint("territory_code", "in_force_from"),)


class QuotaUse(db.Model):
    """How many subsidised meals an elder has used in a day, week, month or meal of a day."""

    __tablename__ = "quota_uses"
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"), primary_key=True)
    period_code: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    starts_on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    used: Mapped[int]
    __table_args__ = (sa.CheckConstraint("used >= 0", name="not_negative"),)


class Funding(db.Model):
    """One way a meal was funded: the sums and, in its shares, who pays which part of them.

    Many meals share one funding (every Tianjin meal of a district has the same), so the split by
    funder is written once and a statement's sums by funder need no row per meal and funder.
    """

    __tablename__ = "fundings"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    till_fen: Mapped[int]
    account_fen: Mapped[int]
    enterprise_fen: Mapped[int]
    delivery_fen: Mapped[int]


class FundingShare(db.Model):
    """The part of one side of a funding that one level of government pays.

    side: "elder", "enterprise" or "delivery" · funder: "city", "district", "street"…
    """

    __tablename__ = "funding_shares"
    funding_id: Mapped[int] = mapped_column(sa.ForeignKey("fundings.id"), primary_key=True)
    side: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    funder: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    amount_fen: Mapped[int]
    __table_args__ = (sa.CheckConstraint("amount_fen > 0", name="positive"),)


def purse_of(district_code: Any, street_code: Any) -> sa.ColumnElement[str]:
    """Whose purse pays a funder's share for a canteen or an elder there: the district's, the
    street's, else the city's. The codes are columns, or the codes themselves."""
    return sa.case(
        (FundingShare.funder == "district", district_code),
        (FundingShare.funder == "street", street_code),
        else_=sa.literal(config.current().city),
    )


class Grant(db.Model):
    """A subsidy given with a meal (sign +1) or taken back (sign −1); append-only.

    The rows of an order are numbered: the odd ones give, the even ones take back what the one
    before gave, so an order is never subsidised twice. `cause` says why there is a row (CAUSES),
    `cause_id` names the finding, fact, correction, claim or appeal behind it. `on` is the meal's
    day, `period` the settlement period the row falls into: its own month, or the first open one
    when it arrives after that month was closed. Sums carry the sign.
    """

    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    number: Mapped[int] = mapped_column(sa.SmallInteger, default=1)
    sign: Mapped[int] = mapped_column(sa.SmallInteger)
    cause: Mapped[str] = mapped_column(sa.String(10), default="sale")
    cause_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    elder_id: Mapped[int] = mapped_column(sa.ForeignKey("elders.id"))
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    period: Mapped[str] = mapped_column(sa.String(7))
    on: Mapped[date] = mapped_column(sa.Date)
    meal: Mapped[str] = mapped_column(sa.String(10))
    policy_id: Mapped[int] = mapped_column(sa.ForeignKey("policy_versions.id"))
    group_code: Mapped[str] = mapped_column(sa.String(20))
    funding_id: Mapped[int] = mapped_column(sa.ForeignKey("fundings.id"))
    till_fen: Mapped[int]
    account_fen: Mapped[int]
    enterprise_fen: Mapped[int]
    delivery_fen: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @hybrid_property
    def canteen_fen(self) -> int:
        """What the canteen gets for the meal; what feeds an elder's account is not its money."""
        return self.till_fen + self.enterprise_fen + self.delivery_fen

    @hybrid_property
    def whole_fen(self) -> int:
        """What the meal costs the purses, all four parts."""
        return self.till_fen + self.account_fen + self.enterprise_fen + self.delivery_fen

    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        sa.CheckConstraint("number > 0 AND sign = 1 - 2 * ((number + 1) % 2)", name="sign"),
        sa.CheckConstraint(
            "cause IN ('sale','claim','late_fact','released','upheld','corrected','spread',"
            "'cancelled','held','denied')",
            name="cause",
        ),
        sa.CheckConstraint(
            "till_fen * sign >= 0 AND account_fen * sign >= 0"
            " AND enterprise_fen * sign >= 0 AND delivery_fen * sign >= 0",
            name="amounts_follow_sign",
        ),
        sa.Index(  # in the order a closing sums them up and draws its sample
            "ix_grants_period_canteen_id",
            "period", "canteen_id", "funding_id", "number", "order_id",
        ),
        sa.Index("ix_grants_elder_id_on", "elder_id", "on"),
        sa.Index(  # few cities pay to account; statements of a canteen do not count it
            "ix_grants_account", "period", "canteen_id", "account_fen",
            sqlite_where=sa.text("account_fen <> 0"),
            postgresql_where=sa.text("account_fen <> 0"),
        ),
    )  # fmt: skip


def is_last(row: Any) -> sa.ColumnElement[bool]:
    """Whether nothing came after a row of a meal's subsidy, so that it says what holds of the meal
    now. `row`: Grant, an alias of it, or the columns of its table."""
    later = sa.alias(Grant.__table__)
    return ~sa.exists().where(later.c.order_id == row.order_id, later.c.number > row.number)


def after_closing(row: Any) -> sa.ColumnElement[bool]:
    """Whether a row of a grant fell into a later month than its meal, which was closed by then."""
    return sa.cast(row.on, sa.Text) < row.period + "-01"


class Period(db.Model):
    """A settlement month; open until it is closed, once."""

    __tablename__ = "periods"
    period: Mapped[str] = mapped_column(sa.String(7), primary_key=True)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str | None] = mapped_column(sa.String(60))


class PolicyDraft(db.Model):
    """A policy being prepared: written by one person, published by another, from a day on.

    state: "draft" → "proposed" → "published" | "withdrawn".
    """

    __tablename__ = "policy_drafts"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    territory_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    body: Mapped[Any] = mapped_column(Json)
    note: Mapped[str] = mapped_column(sa.String(400), default="")
    in_force_from: Mapped[date] = mapped_column(sa.Date)
    state: Mapped[str] = mapped_column(sa.String(10), default="draft")
    made_by: Mapped[str] = mapped_column(sa.String(60))
    made_by_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    proposed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_by: Mapped[str | None] = mapped_column(sa.String(60))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    policy_id: Mapped[int | None] = mapped_column(sa.ForeignKey("policy_versions.id"))
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft','proposed','published','withdrawn')", name="state"),
        sa.CheckConstraint("published_by <> made_by", name="two_people"),
    )
