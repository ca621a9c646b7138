"""Users and what lets them in: passwords, failed attempts, bearer tokens."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, UTCDateTime, db


class User(db.Model):
    """Someone who signs in. The role says which of territory, operator, canteen, elder counts."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login: Mapped[str] = mapped_column(sa.String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(160))
    pin_hash: Mapped[str | None] = mapped_column(sa.String(160))
    name: Mapped[str] = mapped_column(sa.String(40))
    role: Mapped[str] = mapped_column(sa.String(12))
    territory_code: Mapped[str | None] = mapped_column(
        sa.ForeignKey("territories.code"), index=True
    )
    operator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operators.id"), index=True)
    canteen_id: Mapped[int | None] = mapped_column(sa.ForeignKey("canteens.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    locale: Mapped[str] = mapped_column(sa.String(2), default="zh")
    session_mark: Mapped[str] = mapped_column(sa.String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    __table_args__ = (
        sa.CheckConstraint(
            "(role IN ('street','district','city','evaluator') AND territory_code IS NOT NULL)"
            " OR (role = 'operator' AND operator_id IS NOT NULL)"
            " OR (role IN ('cashier','manager') AND canteen_id IS NOT NULL)"
            " OR (role = 'elder' AND elder_id IS NOT NULL) OR role = 'family'",
            name="role_has_its_ground",
        ),
    )


class FailedSignIn(db.Model):
    """One failed attempt, kept to slow down guessing; the login is kept as a keyed hash."""

    __tablename__ = "failed_sign_ins"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    who: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    __table_args__ = (sa.Index("ix_failed_sign_ins_who_at", "who", "at"),)


class ApiToken(db.Model):
    """A bearer token for the API; only its digest is kept."""

    __tablename__ = "api_tokens"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
