"""What goes to the payment provider and what comes back from it, each step in its own transaction.

The doors share it: the webhook's address, the timetable, the command line. It opens transactions
because a call to the provider has to stand between two of them.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Protocol

from canteen import clock
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.orders import paying, stranded
from canteen.payments import charging, gateway, messages, outbox, sending, webhooks
from canteen.payments.models import Charge
from canteen.payments.webhooks import Told
from canteen.payouts import arriving, asking

log = logging.getLogger(__name__)
# After this long a payment that is still open may have been paid without our hearing of it.
OVERDUE = timedelta(minutes=2)
NOTICES = frozenset({"notice"})
TO_PROVIDER = frozenset({"refund", "transfer", "cancel_charge"})


class Notice(Protocol):
    """A webhook that waits to be taken: its id, raw body and signature header."""

    event_id: str
    body: bytes
    signature: str


class Notices(Protocol):
    """Where webhooks wait when nobody posts them, as in the demo."""

    def events_to_deliver(self, limit: int = 100) -> list[Any]:
        """The oldest that were not taken."""

    def delivered(self, event_id: str) -> None:
        """This one was."""


def deliver_outbox(limit: int = 200) -> dict[str, int]:
    """Send up to `limit` messages that are due; how many were done, refused, or unclear ("down").

    Any number of processes may run it at once, and any of them may be killed at any point. It
    stops at the first unclear answer: while the provider is down the others need not find out.
    Messages to phones go another way, so neither keeps the other waiting.
    """
    queue_notices()
    counts = Counter(done=0, refused=0, down=0)
    without: set[str] = set()
    for _ in range(limit):
        with transaction():
            message = sending.claim_next(clock.now(), without)
        if message is None:
            break
        result = sending.call(message, clock.now())
        _record(message, result)
        counts[result.outcome] += 1
        if result.outcome == "down":
            log.warning("outbox %s is unclear: %s", message.reference, result.error)
            without |= NOTICES if message.kind in NOTICES else TO_PROVIDER
    return dict(counts)


def queue_notices() -> int:
    """Queue what is to be told by phone; nothing when the city has no message gateway."""
    if not messages.url():
        return 0
    with transaction():
        return messages.queue(clock.now())


def take_notice(body: bytes, signature: str) -> bool:
    """Take in one webhook as it was posted; True when it changed something.

    Refuses with BadSignature. Whatever else it raises, nothing of it was kept, and the provider
    will send it again.
    """
    event = gateway.verify_event(body, signature)
    with transaction():
        told = webhooks.receive(event, at=clock.now())
        return told is not None and tell(told)


def take_notices(source: Notices, limit: int = 100) -> dict[str, int]:
    """Take in the webhooks that wait at `source`; how many were taken and how many could not be."""
    counts = Counter(taken=0, failed=0)
    for notice in source.events_to_deliver(limit):
        try:
            take_notice(notice.body, notice.signature)
        except CanteenError as refusal:
            log.warning("webhook %s was not taken: %s", notice.event_id, refusal)
            counts["failed"] += 1
            continue
        source.delivered(notice.event_id)
        counts["taken"] += 1
    return dict(counts)


def ask_about_overdue(limit: int = 100) -> dict[str, int]:
    """Ask the provider about payments open for long: their webhook, or our call, may be lost."""
    charges = charging.pending_since(clock.now() - OVERDUE, limit)
    db.session.expunge_all()  # reading is over: hold nothing while the provider is asked
    db.session.rollback()
    counts = Counter(asked=0, settled=0)
    for charge in charges:
        counts["asked"] += 1
        try:
            counts["settled"] += ask_about(charge)
        except gateway.ProviderDown as down:
            log.warning("charge %s: %s", charge.id, down)
            break
        except CanteenError as refusal:
            log.warning("charge %s: %s", charge.id, refusal)
    return dict(counts)


def ask_about(charge: Charge) -> bool:
    """Ask the provider about one payment now; True when that changed something."""
    try:
        told = webhooks.ask_about(charge)
    except gateway.ProviderRefused as no:
        told = Told("charge", charging.reference(charge), "failed", reason=no.reason)
    if told is None:
        return False
    with transaction():
        return tell(told)


def ask_about_payouts(before: datetime, limit: int = 100) -> dict[str, int]:
    """Ask the provider about transfers sent before an instant of which it has told us nothing.

    What it answers is kept beside its notices; what is new is taken in. Nothing is sent anew.
    """
    wanted = asking.questions(before, limit)
    db.session.expunge_all()
    db.session.rollback()
    counts = Counter(asked=0, confirmed=0, changed=0, unknown=0, down=0)
    for question in wanted:
        counts["asked"] += 1
        try:
            found = (
                gateway.get_transfer(question.provider_id) if question.provider_id
                else gateway.find_transfer(question.reference, question.key)
            )
        except gateway.ProviderDown as down:
            log.warning("%s: %s", question.reference, down)
            counts["down"] += 1
            break
        except gateway.ProviderRefused as no:
            log.warning("%s: %s", question.reference, no)
            found = None
        if found is None:
            counts["unknown"] += 1
            continue
        with transaction():
            told = asking.note(question, found, at=clock.now())
            news = told is not None and tell(told)
        counts["changed" if news else "confirmed"] += 1
    return dict(counts)


def begin_payment(charge: Charge) -> gateway.PaymentIntent:
    """Let the diner pay a charge just committed, or try again: the same payment each time.

    Refuses with ProviderRefused, and NotServing where the canteen will not serve what is to be
    paid for; raises ProviderDown when there was no clear answer.
    """
    stranded.must_serve(charge.order_id)
    db.session.rollback()  # reading is over
    try:
        intent = charging.begin(charge)
    except gateway.ProviderRefused:
        with transaction():
            charging.fail(charge.id, at=clock.now())
        raise
    with transaction():
        charging.begun(charge.id, intent)
    return intent


def tell(told: Told) -> bool:
    """Bring the provider's news to the room it concerns, in the caller's transaction."""
    at = clock.now()
    if told.kind == "charge" and told.state == "succeeded":
        return paying.charge_arrived(told.row_id, at, told.provider_id, told.amount_fen)
    if told.kind == "charge" and told.state in ("failed", "cancelled"):
        return charging.fail(told.row_id, at=at)
    if told.kind == "transfer" and told.state != "pending":
        return arriving.told(
            told.provider_id, told.state, payout_id=told.row_id, reason=told.reason, at=at
        )
    return told.kind == "refund"  # the payments room has noted it already


def backlog() -> dict[str, Any]:
    """How many messages wait, are due or were given up."""
    return outbox.backlog(clock.now())


def _record(message: sending.Message, result: sending.Result) -> None:
    try:
        with transaction():
            told = sending.record(message, result, clock.now())
            if told:
                tell(told)
    except Exception:
        # What the provider did stands, whatever a room makes of the news: never call it again.
        log.exception("the news of %s could not be taken in", message.reference)
        with transaction():
            sending.record(message, result, clock.now())
