"""Sending what the outbox holds: claim a message, call the provider, record how it ended.

    with transaction():
        message = sending.claim_next(at)
    result = sending.call(message, at)        # speaks to the provider, no transaction open
    with transaction():
        told = sending.record(message, result, at)

docs/decisions/0005-outbox.md says what happens when a sender dies at any point between.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from canteen.db import changed, db
from canteen.payments import charging, gateway, messages, outbox
from canteen.payments.models import Charge, OutboxMessage
from canteen.payments.webhooks import Told

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
MOST_ATTEMPTS = 12  # with the waits above: 14 hours
# Longer than one call can take with all its timeouts and retries, so a message that is claimed
# again has really been left lying.
LEASE = timedelta(minutes=3)
# The provider forgets a key after a day at the earliest; from here on we look before we ask again.
KEY_MEMORY = timedelta(hours=20)


@dataclass(frozen=True)
class Message:
    """A message somebody has claimed and is to call the provider for."""

    id: int
    kind: str
    reference: str
    key: str
    payload: dict[str, Any]
    attempts: int
    made_at: datetime


@dataclass(frozen=True)
class Result:
    """How a call ended: "done", "refused" (final) or "down" (unclear: again later)."""

    outcome: str
    provider_id: str | None = None
    error: str = ""
    told: Told | None = None


def claim_next(at: datetime, without: Collection[str] = ()) -> Message | None:
    """Take the message that is due the longest for ourselves, for LEASE; None when none is due.

    Nobody else gets it until then. If its sender dies, it is simply due again after the lease.
    Messages of the kinds in `without` are left.
    """
    due = sa.and_(OutboxMessage.state == "waiting", OutboxMessage.due_at <= at)
    if without:
        due = sa.and_(due, OutboxMessage.kind.not_in(without))
    found = db.session.scalar(
        sa.select(OutboxMessage.id)
        .where(due)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; on SQLite the act holds the write lock
    )
    if found is None:
        return None
    row = db.session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == found, due)
        .values(attempts=OutboxMessage.attempts + 1, due_at=at + LEASE)
        .returning(
            OutboxMessage.id, OutboxMessage.kind, OutboxMessage.reference, OutboxMessage.key,
            OutboxMessage.payload, OutboxMessage.attempts, OutboxMessage.made_at,
        )
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        return None
    payload = dict(row.payload)
    if "notice_id" in payload:
        payload |= messages.read(payload["notice_id"])
    if "charge_id" in payload:
        charge = db.session.get_one(Charge, payload["charge_id"])
        payload |= {
            "provider_id": charge.provider_id, "charge_fen": charge.amount_fen,
            "charge_key": charging.key(charge), "charge_reference": charging.reference(charge),
        }
    key = outbox.sent_key(row.key, row.made_at)
    return Message(row.id, row.kind, row.reference, key, payload, row.attempts, row.made_at)


def call(message: Message, at: datetime) -> Result:
    """Make the call of a claimed message, outside any transaction. Never raises for the provider.

    The idempotency key makes a repeated call harmless for as long as the provider remembers it;
    for older messages tried before, the provider is asked first whether it is done.
    """
    look_first = message.attempts > 1 and at - message.made_at > KEY_MEMORY
    try:
        return CALLS[message.kind](message, look_first)
    except gateway.ProviderRefused as no:
        return Result("refused", error=f"{no.provider_code}: {no.reason}"[:300])
    except gateway.ProviderDown as down:
        return Result("down", error=str(down)[:300])


def record(message: Message, result: Result, at: datetime) -> Told | None:
    """Write down how a call ended; gives what the acting rooms must hear of it, or None.

    Unclear ones wait 30 s, 60 s, … at most 6 h and are given up ("dead") after 12 attempts; a
    refusal is final at once. Recording twice, or after somebody else did, changes nothing.
    """
    mine = sa.and_(OutboxMessage.id == message.id, OutboxMessage.state == "waiting")
    if result.outcome == "done":
        values: dict[str, Any] = {
            "state": "done", "done_at": at, "provider_id": result.provider_id, "last_error": None,
        }
        told = result.told
    else:
        # Whoever claimed it after our lease ran out knows better than we do.
        mine = sa.and_(mine, OutboxMessage.attempts == message.attempts)
        dead = result.outcome == "refused" or message.attempts >= MOST_ATTEMPTS
        values = {"last_error": f"{result.outcome}: {result.error}"[:300]}
        values |= {"state": "dead", "done_at": at} if dead else {"due_at": at + wait(message)}
        told = None
        if result.outcome == "refused" and message.kind in ("refund", "transfer"):
            told = Told(message.kind, message.reference, "failed", reason=result.error)
    if not changed(db.session.execute(sa.update(OutboxMessage).where(mine).values(values))):
        return None
    if told and told.kind == "refund" and told.state != "pending":
        charging.refund_ended(told.row_id, told.state)
    return told


def wait(message: Message) -> timedelta:
    """How long to wait after this attempt before the next."""
    return min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)


def _refund(message: Message, look_first: bool) -> Result:
    paid = message.payload["provider_id"]
    found = gateway.find_refund(paid, message.key) if look_first else None
    moved = found or gateway.refund(
        paid, message.payload["amount_fen"], message.reference, message.key
    )
    return _moved("refund", message, moved)


def _transfer(message: Message, look_first: bool) -> Result:
    found = gateway.find_transfer(message.reference, message.key) if look_first else None
    moved = found or gateway.transfer(
        message.payload["account"], message.payload["amount_fen"], message.reference, message.key
    )
    return _moved("transfer", message, moved)


def _cancel_charge(message: Message, look_first: bool) -> Result:
    """Withdraw a payment. Its beginning may have been lost on the way: asking again finds it."""
    paid = message.payload
    known = paid["provider_id"] or gateway.create_charge(
        paid["charge_fen"], paid["charge_reference"], paid["charge_key"]
    ).provider_id
    try:
        intent = gateway.cancel_charge(known, message.key)
    except gateway.ProviderRefused:
        intent = gateway.get_charge(known)
        if intent.state == "pending":
            raise
    # "succeeded": the diner was quicker than we were, and the money goes back.
    told = Told(
        "charge", paid["charge_reference"], intent.state, intent.provider_id, intent.received_fen
    )
    return Result("done", intent.provider_id, told=told)


def _moved(kind: str, message: Message, moved: gateway.MoneyMoved) -> Result:
    told = Told(kind, message.reference, moved.state, moved.provider_id, moved.amount_fen)
    return Result("done", moved.provider_id, told=told)


def _notice(message: Message, look_first: bool) -> Result:
    told = message.payload
    return Result("done", messages.send(told["to"], told["zh"], told["en"], message.key))


CALLS = {
    "refund": _refund, "transfer": _transfer, "cancel_charge": _cancel_charge, "notice": _notice,
}  # fmt: skip
