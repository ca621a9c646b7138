"""Calls to the provider, kept in the transaction of the act that wants them; see `sending`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.db import changed, db, insert
from canteen.errors import NotFound, Refused
from canteen.payments.models import OutboxMessage
from canteen.words import Text


class NoMessage(NotFound):
    """There is no such message, or it has not been given up."""

    code = "message_not_found"
    text = Text("没有找到这条已放弃的消息", "There is no such message that was given up")


class AskAnew(Refused):
    """A refused refund counts as failed already; what is still owed is refunded afresh."""

    code = "ask_anew"
    text = Text("这笔退款已被拒绝，请重新发起退款", "This refund was refused; start a new one")


class PayOutInstead(Refused):
    """A payout goes on through the payouts room, so that it is never sent in two ways."""

    code = "pay_out_instead"
    text = Text(
        "付款请用“付款”页面或 canteen pay-out --retry 重新办理",
        "Let a payout go on from the payouts page or with canteen pay-out --retry",
    )


def put(kind: str, reference: str, key: str, payload: dict[str, Any], *, at: datetime) -> bool:
    """Put a message in the act's transaction; False when one with this key stands already.

    kind "refund" wants payload charge_id, amount_fen; "cancel_charge" charge_id; "transfer"
    account, amount_fen. `key` names the act ("payout:7") and is used once for ever.
    """
    row = {
        "kind": kind, "reference": reference, "key": key, "payload": payload,
        "state": "waiting", "attempts": 0, "due_at": at, "made_at": at,
    }
    made = db.session.execute(
        insert(OutboxMessage.__table__).values(row).on_conflict_do_nothing(index_elements=["key"])
    )
    return changed(made) == 1


def again(message_id: int, *, at: datetime) -> None:
    """Try a message that was given up once more, when a person has removed the cause.

    After a refusal nothing was done, so it goes under a new key (the provider would repeat its
    refusal under the old one). When it was given up unclear it keeps its key and is looked up
    first. Refuses with NoMessage unless it is dead, with AskAnew for a refund that was refused.
    A payout's transfer goes on through the payouts room alone (`must_not_be_payout`).
    """
    found = db.session.get(OutboxMessage, message_id, with_for_update=True)
    if found is None or found.state != "dead":
        raise NoMessage()
    refused = was_refused(found.last_error)
    if refused and found.kind == "refund":
        raise AskAnew()
    values: dict[str, Any] = {"state": "waiting", "due_at": at, "done_at": None}
    values |= {"made_at": at, "attempts": 0} if refused else {"attempts": 1}
    db.session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.state == "dead")
        .values(values)
    )


def must_not_be_payout(message_id: int) -> None:
    """Refuse with PayOutInstead when a message is a payout's: it might be paid in two ways."""
    kind = sa.select(OutboxMessage.kind).where(OutboxMessage.id == message_id)
    if db.session.scalar(kind) == "transfer":
        raise PayOutInstead()


def was_refused(last_error: str | None) -> bool:
    """Whether a message was given up on a clear no, so that nothing was done.

    A key that was used for another wish says nothing about what was done under it.
    """
    said = last_error or ""
    return said.startswith("refused: ") and not said.startswith("refused: idempotency_error")


def unclear() -> Any:
    """The messages that were given up though nobody knows whether they were done."""
    said = sa.func.coalesce(OutboxMessage.last_error, "")
    refused = sa.and_(
        said.startswith("refused: "), sa.not_(said.startswith("refused: idempotency_error"))
    )
    return sa.and_(OutboxMessage.state == "dead", sa.not_(refused))


def found_done(reference: str, provider_id: str | None, *, at: datetime) -> None:
    """The provider says that the last message for a row was done after all."""
    last = sa.select(sa.func.max(OutboxMessage.id)).where(OutboxMessage.reference == reference)
    db.session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == last.scalar_subquery(), OutboxMessage.state != "done")
        .values(state="done", done_at=at, provider_id=provider_id, last_error=None)
        .execution_options(synchronize_session=False)
    )


def given_up() -> Any:
    """The messages that were given up and that no later one for the same row has replaced."""
    later = aliased(OutboxMessage)
    return sa.and_(
        OutboxMessage.state == "dead",
        sa.not_(sa.exists().where(
            later.reference == OutboxMessage.reference, later.kind == OutboxMessage.kind,
            later.id > OutboxMessage.id,
        )),
    )  # fmt: skip


def backlog(at: datetime) -> dict[str, Any]:
    """How many messages wait, are due or were given up, and since when the oldest waits."""
    waiting = OutboxMessage.state == "waiting"
    row = db.session.execute(
        sa.select(
            sa.func.count().filter(waiting).label("waiting"),
            sa.func.count().filter(waiting, OutboxMessage.due_at <= at).label("due"),
            sa.func.count().filter(given_up()).label("dead"),
            sa.func.min(OutboxMessage.made_at).filter(waiting).label("oldest"),
        )
    ).one()
    return dict(row._mapping)


def sent_key(key: str, made_at: datetime) -> str:
    """The idempotency key sent for a row's key.

    A restored backup gives ids out again; the instant keeps their keys apart at the provider.
    """
    return f"{key}:{int(made_at.timestamp() * 1_000_000)}"
