"""Long work asked for by a person and done in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from canteen.db import BigId, Json, UTCDateTime, db


class Task(db.Model):
    """One piece of long work: who asked, how far it is, what came of it.

    state: "waiting" → "running" → "done" | "failed" | "cancelled". `done_steps` of `all_steps`
    are behind it, `says` is the step at hand in both languages. A running one whose `heard_at` is
    old lost its worker and is taken up again from the start: tasks are repeatable. `territory`
    bounds what it may read.
    """

    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    args: Mapped[Any] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(sa.String(10), default="waiting", index=True)
    done_steps: Mapped[int] = mapped_column(default=0)
    all_steps: Mapped[int] = mapped_column(default=0)
    says: Mapped[Any] = mapped_column(Json, default=dict)
    result: Mapped[Any] = mapped_column(Json, nullable=True)
    failure: Mapped[Any] = mapped_column(Json, nullable=True)
    asked_by: Mapped[str] = mapped_column(sa.String(60), index=True)
    asked_by_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    heard_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    runs: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('waiting','running','done','failed','cancelled')", name="state"
        ),
    )
