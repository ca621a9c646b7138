"""Looks at people's data leave a record, at every door: who looked at whose, and when.

The one thing that is written when a page is only read: a look is recorded because it happened,
and must be seen by asking for nothing but the page itself.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import request

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.db import db, transaction
from canteen.territory.actors import HOME
from canteen.web.guards import actor

# A page that is opened again within this time is one look.
SAME_LOOK = timedelta(minutes=15)


def note(subject: str, *subject_ids: int) -> None:
    """Record that this reader looked at these elders', meals', statements' data; once in a while.

    Called before the page is read, for beginning a transaction forgets what was. An elder and
    their family look at what is their own, and who only asks for the head of a page sees nothing.
    """
    by, since = actor(), clock.now() - SAME_LOOK
    if by.role in HOME or request.method == "HEAD" or not subject_ids:
        return
    seen = db.session.scalars(
        sa.select(AuditRecord.subject_id).where(
            AuditRecord.subject == subject, AuditRecord.subject_id.in_(map(str, subject_ids)),
            AuditRecord.act == "look", AuditRecord.actor == by.label, AuditRecord.at > since,
        )
    )
    fresh = set(subject_ids) - {int(each) for each in seen}
    if fresh:
        with transaction():
            for subject_id in sorted(fresh):
                record(by.label, "look", subject, subject_id)


def note_search(found: int) -> None:
    """Record that the register was searched, and how many people were shown; not for what."""
    with transaction():
        record(actor().label, "search", "register", "all", {"rows": found})
