"""What the provider tells us by itself: each event taken in once, whatever order they come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen.db import changed, db, insert
from canteen.payments import charging, gateway, outbox
from canteen.payments.models import Charge, OutboxMessage, ProviderEvent

# What each kind of event means for the thing it is about.
CHARGES = {
    "payment_intent.succeeded": "succeeded",
    "payment_intent.payment_failed": "declined",
    "payment_intent.canceled": "cancelled",
}
REFUNDS = ("refund.created", "refund.updated", "refund.failed")
TRANSFERS = {"transfer.created": "succeeded", "transfer.reversed": "failed"}
REFUND_STATES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


@dataclass(frozen=True)
class Told:
    """What the provider says about something of ours.

    kind: "charge", "refund", "transfer" · `reference` our row ("charge:7", "refund:3", "payout:9")
    · state: "succeeded", "pending", "failed", "cancelled", or for a charge "declined" (an attempt
    of the diner's failed; they may try again) · `amount_fen` what the provider says it moved.
    """

    kind: str
    reference: str
    state: str
    provider_id: str | None = None
    amount_fen: int | None = None
    reason: str = ""

    @property
    def row_id(self) -> int:
        """The id in our reference: 7 of "payout:7"."""
        return int(self.reference.partition(":")[2])


def receive(event: gateway.Event, *, at: datetime) -> Told | None:
    """Take in an event; gives what it means for a row of ours, or None when it is no news.

    None: seen before, of a kind we do not need, or not about anything of ours. The first thing
    done is to store the event under its own id, in the act's transaction: if the act fails, the
    provider's next delivery is the first again. Call it only with a verified event.
    """
    row = {"id": event.id, "kind": event.kind, "payload": event.object, "received_at": at}
    stored = db.session.execute(
        insert(ProviderEvent.__table__).values(row).on_conflict_do_nothing(index_elements=["id"])
    )
    if not changed(stored):
        return None
    told = meaning(event)
    if told is None or event.object["metadata"].get("key") not in _keys(told):
        return None
    if told.kind == "refund":
        return told if charging.refund_ended(told.row_id, told.state) else None
    return told


def meaning(event: gateway.Event) -> Told | None:
    """What an event says, read from it alone."""
    about = event.object
    reference = str((about.get("metadata") or {}).get("reference", ""))
    kind, _, number = reference.partition(":")
    if not number.isdecimal():
        return None
    if event.kind in CHARGES and kind == "charge":
        failed = (about.get("last_payment_error") or {}).get("message") or ""
        return Told(
            "charge", reference, CHARGES[event.kind], about["id"], about["amount_received"],
            reason=failed,
        )
    if event.kind in REFUNDS and kind == "refund":
        state = REFUND_STATES.get(about["status"], "pending")
        return Told("refund", reference, state, about["id"], about["amount"])
    if event.kind in TRANSFERS:
        return Told("transfer", reference, TRANSFERS[event.kind], about["id"], about["amount"])
    return None


def ask_about(charge: Charge) -> Told | None:
    """Ask the provider what became of a charge whose webhook may be lost; no transaction open.

    One that was never begun is begun by this, so a diner can still pay it. None: no news.
    """
    if charge.provider_id is None:
        intent = charging.begin(charge)
    else:
        intent = gateway.get_charge(charge.provider_id)
    if intent.state == "pending":
        return None
    return Told(
        "charge", charging.reference(charge), intent.state, intent.provider_id, intent.received_fen
    )


def _keys(told: Told) -> set[str]:
    """The keys we sent for what an event names: an id alone may be another installation's."""
    if told.kind == "charge":
        charge = db.session.scalar(sa.select(Charge).where(Charge.id == told.row_id))
        return {charging.key(charge)} if charge else set()
    rows = db.session.execute(
        sa.select(OutboxMessage.key, OutboxMessage.made_at).where(
            OutboxMessage.reference == told.reference
        )
    )
    return {outbox.sent_key(row.key, row.made_at) for row in rows}
