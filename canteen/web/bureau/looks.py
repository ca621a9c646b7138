"""Looks at people's data leave a record: who looked at whose, and when."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.db import db, transaction
from canteen.web.guards import actor

# A page that is opened again within this time is one look.
SAME_LOOK = timedelta(minutes=15)


def note(subject: str, subject_id: int) -> None:
    """Record that this reader looked at an elder's or a diner's data; once in a while."""
    by, since = actor(), clock.now() - SAME_LOOK
    seen = sa.select(
        sa.exists().where(
            AuditRecord.subject == subject, AuditRecord.subject_id == str(subject_id),
            AuditRecord.act == "look", AuditRecord.actor == by.label, AuditRecord.at > since,
        )
    )
    if db.session.scalar(seen):
        return
    with transaction():
        record(by.label, "look", subject, subject_id)


def note_search(found: int) -> None:
    """Record that the register was searched, and how many people were shown; not for what."""
    with transaction():
        record(actor().label, "search", "register", "all", {"rows": found})
