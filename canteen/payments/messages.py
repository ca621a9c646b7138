"""Messages to phones: queued from the notices, carried by the city's message gateway."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import requests
import sqlalchemy as sa

from canteen import config
from canteen.db import changed, db, in_transaction, insert
from canteen.notices.models import Notice
from canteen.payments import gateway
from canteen.payments.models import OutboxMessage

PRETEND = "pretend"
FRESH = timedelta(days=7)  # a gateway set up later does not send what people were told long ago
AT_ONCE = 500


def url() -> str:
    """Where messages go; "" when nobody carries them. "pretend": the provider that pretends."""
    given = config.current().notice_url
    return f"{gateway.PRETEND_URL}/v1/notices" if given == PRETEND else given


def queue(at: datetime) -> int:
    """Put the fresh notices that have a phone into the outbox, each once; gives how many."""
    if not url():
        return 0
    m = OutboxMessage
    known = sa.exists().where(
        m.key == sa.literal("notice:") + sa.cast(Notice.id, sa.String(20))
    )
    ids = db.session.scalars(
        sa.select(Notice.id)
        .where(Notice.to_phone != "", Notice.made_at > at - FRESH, sa.not_(known))
        .order_by(Notice.id).limit(AT_ONCE)
    ).all()  # fmt: skip
    if not ids:
        return 0
    rows = [
        {
            "kind": "notice", "reference": f"notice:{id_}", "key": f"notice:{id_}",
            "payload": {"notice_id": id_}, "state": "waiting", "attempts": 0, "due_at": at,
            "made_at": at,
        }
        for id_ in ids
    ]
    made = db.session.execute(
        insert(m.__table__).values(rows).on_conflict_do_nothing(index_elements=["key"])
    )
    return changed(made)


def read(notice_id: int) -> dict[str, Any]:
    """To whom a notice goes and what it says."""
    notice = db.session.get_one(Notice, notice_id)
    return {"to": notice.to_phone, "zh": notice.zh, "en": notice.en}


def send(to: str, zh: str, en: str, key: str) -> str:
    """Hand one message to the gateway; gives its id there. The same `key` is carried once.

    POST {"to", "text", "text_en", "key"} as JSON; any 2xx means taken. Raises ProviderRefused on
    a final no and ProviderDown when there was no clear answer. Never within a transaction.
    """
    if in_transaction():
        raise RuntimeError("a transaction is open: prepare and commit, then call the gateway")
    settings = config.current()
    try:
        answer = requests.post(
            url(), json={"to": to, "text": zh, "text_en": en, "key": key},
            headers={"Authorization": f"Bearer {settings.notice_key}", "Idempotency-Key": key},
            timeout=gateway.TIMEOUT, allow_redirects=False,
        )  # fmt: skip
    except requests.RequestException as unclear:
        raise gateway.ProviderDown(type(unclear).__name__) from unclear
    if 200 <= answer.status_code < 300:
        return _id_in(answer) or key
    said = f"{answer.status_code} {answer.text[:120]}"
    if 400 <= answer.status_code < 500 and answer.status_code not in (401, 403, 408, 409, 429):
        raise gateway.ProviderRefused(str(answer.status_code), said)
    raise gateway.ProviderDown(said)


def _id_in(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("id", ""))[:60] if isinstance(body, dict) else ""
