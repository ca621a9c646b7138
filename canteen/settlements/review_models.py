"""How a district reviews, the samples drawn, what was sent back for correction, the appeals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class ReviewRule(db.Model):
    """How a district's statements are reviewed, from the periods closed on a day on.

    `stages` is the chain after preparing, in order, each {"stage": "operator", "day": 5,
    "silent": "remind" | "consent" | "escalate", "remind_days": 2}: `day` of the next month until
    which it is due, what happens when nobody acts until then. `sample_bp` of ten thousand meals
    and at least `sample_least` a statement are drawn to be looked at; with `extrapolate` the share
    of wrong ones is taken off the meals nobody looked at. The days are those of `spans.Days`: to
    claim a meal, back to which late facts count, until a debt is reminded of, to object. Rows are
    the history.
    """

    __tablename__ = "review_rules"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    district_code: Mapped[str] = mapped_column(sa.ForeignKey("territories.code"))
    from_on: Mapped[date] = mapped_column(sa.Date)
    stages: Mapped[Any] = mapped_column(Json)
    sample_bp: Mapped[int] = mapped_column(default=0)
    sample_least: Mapped[int] = mapped_column(default=0)
    extrapolate: Mapped[bool] = mapped_column(default=False)
    claim_days: Mapped[int] = mapped_column(default=30)
    late_days: Mapped[int] = mapped_column(default=730)
    debt_days: Mapped[int] = mapped_column(default=30)
    appeal_days: Mapped[int] = mapped_column(default=15)
    set_by: Mapped[str] = mapped_column(sa.String(60))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.UniqueConstraint("district_code", "from_on"),
        sa.CheckConstraint("sample_bp BETWEEN 0 AND 10000", name="sample_bp"),
        sa.CheckConstraint("sample_least BETWEEN 0 AND 1000", name="sample_least"),
        sa.CheckConstraint("claim_days BETWEEN 1 AND 366", name="claim_days"),
        sa.CheckConstraint("late_days BETWEEN 30 AND 3660", name="late_days"),
        sa.CheckConstraint("debt_days BETWEEN 1 AND 366", name="debt_days"),
        sa.CheckConstraint("appeal_days BETWEEN 1 AND 366", name="appeal_days"),
    )


class SampleDraw(db.Model):
    """The published seed of a period and district, from which anybody can draw the sample again."""

    __tablename__ = "sample_draws"
    period: Mapped[str] = mapped_column(sa.ForeignKey("periods.period"), primary_key=True)
    district_code: Mapped[str] = mapped_column(
        sa.ForeignKey("territories.code"), primary_key=True
    )
    seed: Mapped[str] = mapped_column(sa.String(64))
    sample_bp: Mapped[int]
    sample_least: Mapped[int]
    drawn_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SampledMeal(db.Model):
    """A meal of a statement drawn to be looked at, and what the reviewer found ("right"/"wrong").

    The orders come from grants, which reference them already; referencing them again would lock
    every drawn order while its month is closed.
    """

    __tablename__ = "sampled_meals"
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    verdict: Mapped[str | None] = mapped_column(sa.String(5))
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    looked_by: Mapped[str | None] = mapped_column(sa.String(60))
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("verdict IN ('right','wrong')", name="verdict"),
        sa.CheckConstraint("(verdict IS NULL) = (looked_at IS NULL)", name="looked"),
    )


class Correction(db.Model):
    """A line of a statement sent back to be put right: only what is marked may be changed.

    state: "asked" → "answered" → "closed" (the reviewer took note) | "withdrawn" (no longer
    asked). act: "withdraw" (no subsidy for this meal), "service" (it was served otherwise),
    "receiver" (who took the delivery), "keep" (it is right, and why). `before` and `after` hold
    the changed fields of the meal.
    """

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"), index=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    state: Mapped[str] = mapped_column(sa.String(10), default="asked")
    what: Mapped[str] = mapped_column(sa.String(400))
    asked_by: Mapped[str] = mapped_column(sa.String(60))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    act: Mapped[str | None] = mapped_column(sa.String(10))
    answer: Mapped[str] = mapped_column(sa.String(400), default="")
    before: Mapped[Any] = mapped_column(Json, default=dict)
    after: Mapped[Any] = mapped_column(Json, default=dict)
    answered_by: Mapped[str | None] = mapped_column(sa.String(60))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str | None] = mapped_column(sa.String(60))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint("state IN ('asked','answered','closed','withdrawn')", name="state"),
        sa.CheckConstraint("act IN ('withdraw','service','receiver','keep')", name="act"),
        sa.Index(
            "uq_corrections_asked", "statement_id", "order_id", unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
    )


class Appeal(db.Model):
    """A canteen's objection to a meal whose subsidy was taken away; decided by another person.

    state: "filed" → "upheld" (it is paid after all) | "rejected" | "moot" (the denial was lifted
    otherwise, nobody need decide). `returned_fen` is what a
    deduction extrapolated from the meal came to too much, where its statement was passed already:
    the canteen's next statement gives it back.
    """

    __tablename__ = "appeals"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    grant_id: Mapped[int] = mapped_column(sa.ForeignKey("grants.id"), unique=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    state: Mapped[str] = mapped_column(sa.String(8), default="filed")
    reason: Mapped[str] = mapped_column(sa.String(400))
    filed_by: Mapped[str] = mapped_column(sa.String(60))
    filed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decision: Mapped[str] = mapped_column(sa.String(400), default="")
    decided_by: Mapped[str | None] = mapped_column(sa.String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    returned_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    __table_args__ = (
        sa.CheckConstraint(
            "returned_fen = 0 OR (returned_fen > 0 AND state = 'upheld')", name="returned"
        ),
        sa.CheckConstraint("state IN ('filed','upheld','rejected','moot')", name="state"),
        sa.CheckConstraint("(state = 'filed') = (decided_at IS NULL)", name="decided"),
    )
