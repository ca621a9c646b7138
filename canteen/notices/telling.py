"""Telling people: a message, once, to an office, an operator or an elder; and reading it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import changed, db, insert
from canteen.notices.models import Notice
from canteen.territory.actors import Actor
from canteen.words import Text

MOST = 100


def tell(
    key: str, kind: str, text: Text, *, at: datetime, operator_id: int | None = None,
    elder_id: int | None = None, role: str | None = None, territory: str | None = None,
    path: str = "", phone: str = "",
) -> int | None:
    """Leave a message in the act's own transaction; its id, or None when `key` was told already.

    For an operator, an elder, or the office of a `role` on a `territory`. `phone` is where it is
    to be sent as well; `path` the page it is about.
    """
    row = {
        "key": key, "kind": kind, "operator_id": operator_id, "elder_id": elder_id, "role": role,
        "territory_code": territory, "to_phone": phone, "zh": text.zh[:400], "en": text.en[:600],
        "path": path, "made_at": at,
    }
    return db.session.execute(
        insert(Notice.__table__).values(row).on_conflict_do_nothing(index_elements=["key"])
        .returning(Notice.id)
    ).scalar()  # fmt: skip


def unread(by: Actor, limit: int = MOST) -> list[Notice]:
    """The messages for this reader that nobody of theirs has read, the latest first."""
    query = sa.select(Notice).where(visible(by), Notice.read_at.is_(None))
    return list(db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)))


def latest(by: Actor, limit: int = MOST) -> list[Notice]:
    """The last messages for this reader, read or not."""
    return list(
        db.session.scalars(
            sa.select(Notice).where(visible(by)).order_by(Notice.id.desc()).limit(limit)
        )
    )


def unread_count(by: Actor) -> int:
    """How many messages nobody has read yet."""
    query = sa.select(sa.func.count()).select_from(Notice)
    return db.session.scalar(query.where(visible(by), Notice.read_at.is_(None))) or 0


def read(notice_ids: list[int], by: Actor, at: datetime) -> int:
    """Note that messages were read; what is not the reader's is left alone. Gives how many."""
    done = db.session.execute(
        sa.update(Notice)
        .where(Notice.id.in_(notice_ids), visible(by), Notice.read_at.is_(None))
        .values(read_at=at, read_by=by.label)
        .execution_options(synchronize_session=False)
    )
    return changed(done)


def visible(by: Actor) -> Any:
    """The messages an actor may read: those to their operator, to their elders, to their office."""
    if by.role == "operator":
        return Notice.operator_id == by.operator_id
    if by.role in ("elder", "family"):
        return Notice.elder_id.in_(by.elder_ids)
    if by.territory is None:
        return sa.false()
    return (Notice.role == by.role) & (Notice.territory_code == by.territory)
