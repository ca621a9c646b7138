"""Messages to people: reminders, problems to put right, changes they must know of."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, UTCDateTime, db


class Notice(db.Model):
    """One message, once (`key`), in both languages, to an office, an operator or an elder.

    Exactly one of `operator_id`, `elder_id` and (`role`, `territory_code`) says who it is for.
    `to_phone` is where it is also sent, when that is not simply their desk. `path` is the page it
    leads to.
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    operator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operators.id"), index=True)
    elder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("elders.id"), index=True)
    role: Mapped[str | None] = mapped_column(sa.String(10))
    territory_code: Mapped[str | None] = mapped_column(sa.ForeignKey("territories.code"))
    to_phone: Mapped[str] = mapped_column(sa.String(20), default="")
    zh: Mapped[str] = mapped_column(sa.String(400))
    en: Mapped[str] = mapped_column(sa.String(600))
    path: Mapped[str] = mapped_column(sa.String(120), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_by: Mapped[str | None] = mapped_column(sa.String(60))
    __table_args__ = (sa.Index("ix_notices_territory_code_role", "territory_code", "role"),)
