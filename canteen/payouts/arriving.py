"""What became of payouts under way: told by the outbox, by the provider, or by the bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.payments import outbox
from canteen.payments.models import OutboxMessage
from canteen.payouts.models import PayoutBatch, PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.booking import text_of
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor, job

AT_ONCE = 1_000
PROVIDER = job("provider")
UNDER_WAY = ("waiting", "sent")


@dataclass(frozen=True)
class Results:
    """How many payouts were found paid and failed."""

    paid: int = 0
    failed: int = 0


def record_results(*, by: Actor, at: datetime) -> Results:
    """Note what the outbox brought back for payouts that wait; may be run at any time, twice too.

    A payout sent is paid: its ledger entry is written and its statement moves on. A payout the
    provider refused has failed and waits for `retrying.retry`. At most a thousand a call.
    """
    latest = (
        sa.select(sa.func.max(OutboxMessage.id))
        .where(OutboxMessage.reference == sa.literal("payout:") + text_of(Payout.id))
        .correlate(Payout)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(
            Payout.id, OutboxMessage.state, OutboxMessage.provider_id, OutboxMessage.last_error
        )
        .join(OutboxMessage, OutboxMessage.id == latest)
        .where(
            Payout.state.in_(UNDER_WAY), by_gateway(Payout.batch_id),
            OutboxMessage.state != "waiting",
        )
        .order_by(Payout.id)
        .limit(AT_ONCE)
        .with_for_update(of=Payout.__table__, skip_locked=True)
    ).all()
    paid = {row.id: row.provider_id for row in rows if row.state == "done"}
    dead = {row.id: row.last_error or "refused" for row in rows if row.state == "dead"}
    arrived(paid, by, at)
    failed(dead, by, at)
    return Results(len(paid), len(dead))


def told(
    provider_id: str | None, state: str, *, payout_id: int | None = None, reason: str = "",
    by: Actor = PROVIDER, at: datetime,
) -> bool:
    """The provider spoke of a transfer: "succeeded" (or "paid"), or "failed" (or "reversed").

    True when that was news. Money that came back takes the ledger entry back and the statement
    is approved but unpaid again, for another batch. What is said of an earlier transfer of a
    payout that was sent again changes nothing, nor does what we do not know. A transfer nobody
    could tell anything of, and that did arrive after all, is paid.
    """
    which = Payout.id == payout_id if payout_id else Payout.provider_id == provider_id
    row = db.session.execute(
        sa.select(Payout.id, Payout.statement_id, Payout.state, Payout.provider_id,
                  by_gateway(Payout.batch_id).label("gateway"))
        .where(which).with_for_update(of=Payout.__table__)
    ).first()  # fmt: skip
    if row is None or not row.gateway or _earlier(row.id, provider_id):
        return False
    known = provider_id is not None and row.provider_id == provider_id
    if state in ("succeeded", "paid"):
        if row.state not in UNDER_WAY and not (row.state == "failed" and unclear(row.id)):
            return False
        outbox.found_done(f"payout:{row.id}", provider_id, at=at)
        arrived({row.id: provider_id}, by, at)
        return True
    if state not in ("failed", "reversed"):
        return False
    failure = reason or f"transfer {state}"
    if row.state == "paid" and known:
        came_back(row.id, row.statement_id, failure, by, at)
        return True
    if row.state in UNDER_WAY:
        failed({row.id: failure}, by, at)
        return True
    return False


def arrived(paid: Mapping[int, str | None], by: Actor, at: datetime) -> None:
    """Payouts that are held have arrived (id → the provider's or the bank's reference)."""
    if not paid:
        return
    paying_out.mark_paid(dict(paid), by, at)
    _note({id_: ("paid", reference, None) for id_, reference in paid.items()}, at)


def failed(failures: Mapping[int, str], by: Actor, at: datetime) -> None:
    """Payouts that are held did not arrive (id → why)."""
    failures = _discreet(failures)
    for payout_id, failure in failures.items():
        paying_out.mark_failed(payout_id, failure, by)
    _note({id_: ("failed", None, failure) for id_, failure in failures.items()}, at)


def came_back(payout_id: int, statement_id: int, failure: str, by: Actor, at: datetime) -> None:
    """The money of a paid payout that is held was sent back."""
    failure = _discreet({payout_id: failure})[payout_id]
    paying_out.came_back(payout_id, statement_id, failure, by, at)
    _note({payout_id: ("failed", None, failure)}, at)


def _discreet(failures: Mapping[int, str]) -> dict[int, str]:
    """Why payouts failed, in the provider's or the bank's words, which may name the account."""
    accounts: dict[int, str] = {
        row.id: row.account for row in db.session.execute(
            sa.select(Payout.id, Payout.account).where(Payout.id.in_(list(failures)))
        )
    }  # fmt: skip
    return {
        id_: why.replace(account, f"…{account[-4:]}") if (account := accounts.get(id_)) else why
        for id_, why in failures.items()
    }


def unclear(payout_id: int) -> bool:
    """Whether nobody knows if the last transfer of a payout arrived: given up, never refused."""
    last = db.session.execute(
        sa.select(OutboxMessage.state, OutboxMessage.last_error)
        .where(OutboxMessage.reference == f"payout:{payout_id}", OutboxMessage.kind == "transfer")
        .order_by(OutboxMessage.id.desc()).limit(1)
    ).first()  # fmt: skip
    return bool(last and last.state == "dead" and not outbox.was_refused(last.last_error))


def by_gateway(batch_id: Any) -> Any:
    """Whether a payout goes through the provider; those from before there were batches do."""
    way = sa.select(PayoutBatch.way).where(PayoutBatch.id == batch_id).scalar_subquery()
    return sa.func.coalesce(way, "gateway") == "gateway"


def _earlier(payout_id: int, provider_id: str | None) -> bool:
    """Whether a transfer is one that has failed or come back before."""
    if provider_id is None:
        return False
    known = sa.exists().where(
        PayoutLine.payout_id == payout_id, PayoutLine.reference == provider_id,
        PayoutLine.state == "failed",
    )
    return bool(db.session.scalar(sa.select(known)))


def _note(ends: Mapping[int, tuple[str, str | None, str | None]], at: datetime) -> None:
    """Write down how the last line of each payout ended, and which batches are done by it.

    The reference of a line that was paid stays when its money comes back.
    """
    if not ends:
        return
    # One after the other, or two who end the last two lines would each see the other's waiting.
    mine = sa.select(Payout.batch_id).where(Payout.id.in_(list(ends)))
    db.session.execute(
        sa.select(PayoutBatch.id).where(PayoutBatch.id.in_(mine))
        .order_by(PayoutBatch.id).with_for_update()
    )  # fmt: skip
    line = PayoutLine.__table__
    lies_in = (
        sa.select(Payout.batch_id).where(Payout.id == sa.bindparam("which")).scalar_subquery()
    )
    db.session.connection().execute(
        sa.update(line)
        .where(line.c.payout_id == sa.bindparam("which"), line.c.batch_id == lies_in)
        .values(
            state=sa.bindparam("ended"), failure=sa.bindparam("why"), at=at,
            reference=sa.func.coalesce(
                sa.bindparam("ref", type_=sa.String), line.c.reference
            ),
        ),
        [
            {"which": id_, "ended": state, "ref": reference and reference[:60],
             "why": why and why[:200]}
            for id_, (state, reference, why) in ends.items()
        ],
    )  # fmt: skip
    waits = sa.exists().where(
        PayoutLine.batch_id == PayoutBatch.id, PayoutLine.state == "waiting"
    ).correlate(PayoutBatch)  # fmt: skip
    db.session.execute(
        sa.update(PayoutBatch)
        .where(PayoutBatch.id.in_(mine), PayoutBatch.state == "released", sa.not_(waits))
        .values(state="done", ended_at=at)
        .execution_options(synchronize_session=False)
    )
