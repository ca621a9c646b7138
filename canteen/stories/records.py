"""What the trail tells of a thing: every act recorded that no row of its own tells better."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.db import db
from canteen.stories.acts import done, particulars
from canteen.stories.events import Event
from canteen.words import Text

# Who read of a thing did nothing to it.
READ = ("look", "search", "export")


def rows(
    subject: str, ids: Iterable[object], but: Collection[str] = (), act: str | None = None
) -> list[AuditRecord]:
    """The records of some things of a kind, oldest first, without the acts named in `but`, or
    those of one act."""
    wanted = sorted({str(each) for each in ids})
    if not wanted:
        return []
    of_these = (AuditRecord.subject == subject, AuditRecord.subject_id.in_(wanted))
    acts = AuditRecord.act == act if act else AuditRecord.act.not_in((*READ, *but))
    query = sa.select(AuditRecord).where(*of_these, acts).order_by(AuditRecord.id)
    return list(db.session.scalars(query))


def tell(row: AuditRecord, kind: str, about: tuple[str, int] | None = None) -> Event:
    """One record in the words of the trail."""
    act, said = done(row.act, row.subject), particulars(row.detail)
    text = Text("{act}：{said}", "{act}: {said}").format(act=act, said=said) if said.zh else act
    return Event(row.at, kind, text, row.actor, about)


def recorded(subject: str, subject_id: object, kind: str, but: Collection[str] = ()) -> list[Event]:
    """What was recorded of one thing, in the words of the trail."""
    return [tell(row, kind) for row in rows(subject, [subject_id], but)]
