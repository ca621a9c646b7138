"""The audit trail of one thing, as people read it: who did what to it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.stories.acts import ACTS, NAMES, WORDS, done, particulars, shown
from canteen.web.bureau.door import person, places
from canteen.web.forms import whole
from canteen.words import Text, month

__all__ = ["ACTS", "MOST", "NAMES", "PLACES", "WORDS", "Mark", "done", "in_words", "named", "of"]

MOST = 60


@dataclass(frozen=True)
class Mark:
    """One record: when, who (a label), what, and the particulars in words."""

    id: int
    at: datetime
    by: str
    act: Text
    said: Text


def of(subject: str, subject_id: object, limit: int = MOST) -> list[Mark]:
    """The records of one thing, the latest first."""
    rows = db.session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.subject == subject, AuditRecord.subject_id == str(subject_id))
        .order_by(AuditRecord.id.desc())
        .limit(limit)
    )
    return [
        Mark(row.id, row.at, row.actor, done(row.act, row.subject), in_words(row.detail))
        for row in rows
    ]  # fmt: skip


def in_words(detail: dict[str, Any]) -> Text:
    """The particulars of a record, its areas by their names."""
    return particulars(detail, places())


PLACES = ("territory", "district", "purse", "policy", "statements", "figures")


def named(subject: str, subject_id: str) -> Text | str:
    """What a record is about: a person, a canteen, a month, a place by name, else its number."""
    try:
        if subject in ("period", "meals"):
            return month(subject_id)
    except (ValueError, IndexError):
        return Text(subject_id, subject_id)
    if subject in PLACES and subject_id in places():
        return places()[subject_id]
    number = whole(subject_id)
    if subject == "user" and number is not None:
        return person(f"user:{number}")
    if subject == "canteen" and (canteen := db.session.get(Canteen, number or 0)) is not None:
        return Text(canteen.name, canteen.name_en or canteen.name)
    return shown("", subject_id)
