"""A payout that failed: ready for another batch, or looked up when nobody knows how it ended."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import Conflict, NotFound
from canteen.payments import outbox
from canteen.payments.models import OutboxMessage
from canteen.payouts.arriving import unclear
from canteen.payouts.models import PayoutBatch, PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.models import Payout, Statement
from canteen.territory.actors import Actor
from canteen.words import Text


class PayoutNotFound(NotFound):
    """There is no such payout."""

    code = "payout_not_found"
    text = Text("没有找到这笔付款", "This payout was not found")


class NotFailed(Conflict):
    """Only a payout that failed can be sent again."""

    code = "payout_not_failed"
    text = Text("这笔付款没有失败，不能重发", "This payout has not failed and is not sent again")


class StillNoAccount(Conflict):
    """The payee still has no account to pay to."""

    code = "no_payout_account"
    text = Text(
        "收款方没有登记收款账户，请先补登", "The payee has no payout account; register one first"
    )


def retry(payout_id: int, by: Actor, *, at: datetime) -> str:
    """Let a failed payout go on; "ready" for another batch, or "asked" at the provider again.

    After a refusal, or when the money came back, it is ready, to the account its payee has now,
    and two people must send it. When nobody knows whether the last transfer arrived, that same
    transfer is looked up under its own key and made only if it was not: it never is ready before.
    Refuses with PayoutNotFound, NotFailed, StillNoAccount.
    """
    by.must_be("city")
    payout = db.session.get(Payout, payout_id, populate_existing=True, with_for_update=True)
    if payout is None:
        raise PayoutNotFound()
    if payout.state != "failed":
        raise NotFailed()
    if unclear(payout.id):
        _ask_again(payout, at)
    else:
        account = db.session.scalar(
            paying_out.payees(sa.select(paying_out.account_of_payee()))
            .where(Statement.id == payout.statement_id)
        )  # fmt: skip
        if not account:
            raise StillNoAccount(field="payout_account")
        payout.account, payout.state = account, "ready"
    payout.failure, payout.paid_at = None, None
    db.session.flush()
    record(by.label, "retry", "payout", payout.id, {"account": payout.account[-4:]})
    return "ready" if payout.state == "ready" else "asked"


def _ask_again(payout: Payout, at: datetime) -> None:
    """The same transfer once more, under its own key, to the account it was released with."""
    last = db.session.scalars(
        sa.select(OutboxMessage.id)
        .where(OutboxMessage.reference == f"payout:{payout.id}")
        .order_by(OutboxMessage.id.desc()).limit(1)
    ).one()  # fmt: skip
    outbox.again(last, at=at)
    payout.state = "waiting"
    db.session.execute(
        sa.update(PayoutLine)
        .where(PayoutLine.payout_id == payout.id, PayoutLine.batch_id == payout.batch_id)
        .values(state="waiting", failure=None, at=None)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        sa.update(PayoutBatch).where(PayoutBatch.id == payout.batch_id)
        .values(state="released", ended_at=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
