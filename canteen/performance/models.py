"""Inspections and their scores, diners' ratings, scorecards, and proposals about the sign."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class Inspection(db.Model):
    """One visit of an evaluator, scored by the scheme in force; later versions replace earlier."""

    __tablename__ = "inspections"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    scheme: Mapped[str] = mapped_column(sa.String(40))
    on: Mapped[date] = mapped_column(sa.Date)
    version: Mapped[int] = mapped_column(default=1)
    evaluator_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    vetoes: Mapped[list[str]] = mapped_column(Json, default=list)
    remark: Mapped[str] = mapped_column(sa.String(1000), default="")
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (sa.UniqueConstraint("canteen_id", "on", "version"),)


class InspectionScore(db.Model):
    """Points (0–100) for one dimension of an inspection, with what was seen."""

    __tablename__ = "inspection_scores"
    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspections.id"), primary_key=True)
    dimension: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    points: Mapped[int]
    evidence: Mapped[str] = mapped_column(sa.String(400), default="")
    __table_args__ = (sa.CheckConstraint("points BETWEEN 0 AND 100", name="points"),)


class Rating(db.Model):
    """What a diner thought of one meal: one to five stars and, if they like, a sentence."""

    __tablename__ = "ratings"
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"))
    stars: Mapped[int] = mapped_column(sa.SmallInteger)
    comment: Mapped[str] = mapped_column(sa.String(200), default="")
    on: Mapped[date] = mapped_column(sa.Date)
    __table_args__ = (
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        sa.Index("ix_ratings_canteen_id_on", "canteen_id", "on"),
    )


class Scorecard(db.Model):
    """A canteen's score for one period with the facts it was computed from."""

    __tablename__ = "scorecards"
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), primary_key=True)
    on: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    scheme: Mapped[str] = mapped_column(sa.String(40))
    score_bp: Mapped[int]
    grade: Mapped[str] = mapped_column(sa.String(12))
    facts: Mapped[Any] = mapped_column(Json)


class Judgement(db.Model):
    """A proposal about the sign made by a rule; the district accepts or dismisses it with a reason.

    state: "proposed" → "accepted" | "dismissed" | "lapsed". At most one open per canteen and rule.
    """

    __tablename__ = "judgements"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    rule: Mapped[str] = mapped_column(sa.String(30))
    proposes: Mapped[str] = mapped_column(sa.String(16))
    reason_code: Mapped[str] = mapped_column(sa.String(20))
    facts: Mapped[Any] = mapped_column(Json)
    proposed_on: Mapped[date] = mapped_column(sa.Date)
    state: Mapped[str] = mapped_column(sa.String(10))
    decided_by: Mapped[str | None] = mapped_column(sa.String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('proposed','accepted','dismissed','lapsed')", name="state"
        ),
        sa.Index(
            "uq_judgements_open", "canteen_id", "rule", unique=True,
            sqlite_where=sa.text("state = 'proposed'"),
            postgresql_where=sa.text("state = 'proposed'"),
        ),
    )
