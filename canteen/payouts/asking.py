"""Transfers to ask the provider about: no answer yet, or an answer but never its notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import changed, db, insert
from canteen.payments import outbox
from canteen.payments.gateway import MoneyMoved
from canteen.payments.models import OutboxMessage, ProviderEvent
from canteen.payments.webhooks import Told
from canteen.payouts.mismatches import ASKED, HEARD


@dataclass(frozen=True)
class Question:
    """One transfer to ask about: `provider_id` is known once the provider has answered."""

    reference: str
    key: str
    provider_id: str | None


def questions(before: datetime, limit: int = 100) -> list[Question]:
    """Transfers sent before an instant, or tried, of which the provider has told us nothing."""
    m = OutboxMessage
    heard = sa.exists().where(
        ProviderEvent.kind.in_((*HEARD, ASKED)),
        ProviderEvent.payload["id"].as_string() == m.provider_id,
    )
    tried = sa.and_(m.state == "waiting", m.attempts > 0, m.made_at < before)
    silent = sa.and_(m.state == "done", m.done_at < before, sa.not_(heard))
    rows = db.session.execute(
        sa.select(m.reference, m.key, m.made_at, m.provider_id)
        .where(m.kind == "transfer", sa.or_(tried, outbox.unclear(), silent))
        .order_by(m.id.desc()).limit(limit)
    )  # fmt: skip
    return [
        Question(row.reference, outbox.sent_key(row.key, row.made_at), row.provider_id)
        for row in rows
    ]


def note(question: Question, found: MoneyMoved, *, at: datetime) -> Told | None:
    """Keep what the provider answered beside its notices, once; what it means, when it is new."""
    about: dict[str, Any] = {
        "id": found.provider_id, "object": "transfer", "amount": found.amount_fen,
        "reversed": found.state == "failed", "metadata": found.metadata,
    }
    row = {
        "id": f"asked:{found.provider_id}:{found.state}"[:80], "kind": ASKED, "payload": about,
        "received_at": at,
    }
    stored = db.session.execute(
        insert(ProviderEvent.__table__).values(row).on_conflict_do_nothing(index_elements=["id"])
    )
    if not changed(stored):
        return None
    return Told(
        "transfer", question.reference, found.state, found.provider_id, found.amount_fen
    )
