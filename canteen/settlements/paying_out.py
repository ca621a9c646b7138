"""Paying approved statements: ordered with the approval, sent by the outbox, noted when done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record, record_each
from canteen.canteens.models import Operator
from canteen.db import changed, db
from canteen.elders.models import Elder
from canteen.errors import Conflict, NotFound
from canteen.payments import outbox
from canteen.payments.models import OutboxMessage
from canteen.settlements import booking
from canteen.settlements.models import Payout, Statement, StatementStep
from canteen.territory.actors import Actor, job
from canteen.words import Text

AT_ONCE = 1_000
NO_ACCOUNT = "no payout account is known"
PROVIDER = job("provider")


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


@dataclass(frozen=True)
class Results:
    """How many payouts were found paid and failed."""

    paid: int = 0
    failed: int = 0


def order(statement_ids: Sequence[int], at: datetime) -> list[int]:
    """Order the payouts of statements just approved, in the approval's transaction; their ids.

    A payee without an account gets a payout that has failed at once, to be sent again later.
    """
    if not statement_ids:
        return []
    account = _account()
    query = (
        _payees(sa.select(
            Statement.id, sa.func.coalesce(account, ""), Statement.total_fen,
            sa.case((account.is_(None), "failed"), else_="waiting"),
            sa.literal(at, Payout.made_at.type),
            sa.case((account.is_(None), NO_ACCOUNT)),
        ))
        .where(Statement.id.in_(statement_ids), Statement.total_fen > 0)
        .order_by(Statement.id)
    )  # fmt: skip
    columns = ["statement_id", "account", "amount_fen", "state", "made_at", "failure"]
    db.session.execute(sa.insert(Payout.__table__).from_select(columns, query))
    rows = db.session.execute(
        sa.select(Payout, Statement)
        .join(Statement, Statement.id == Payout.statement_id)
        .where(Payout.statement_id.in_(statement_ids))
        .order_by(Payout.id)
    ).all()
    for payout, statement in rows:
        if payout.state == "waiting":
            _send(payout, statement, 1, at)
    return [payout.id for payout, _ in rows]


def record_results(*, by: Actor, at: datetime) -> Results:
    """Note what the outbox brought back for payouts that wait; may be run at any time, twice too.

    A payout sent is paid: its ledger entry is written and its statement moves on. A payout the
    provider refused has failed and waits for `retry`. At most a thousand a call.
    """
    reference = sa.literal("payout:") + booking.text_of(Payout.id)
    latest = (
        sa.select(sa.func.max(OutboxMessage.id))
        .where(OutboxMessage.reference == reference)
        .correlate(Payout)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(
            Payout.id, OutboxMessage.state, OutboxMessage.provider_id, OutboxMessage.last_error
        )
        .join(OutboxMessage, OutboxMessage.id == latest)
        .where(Payout.state.in_(("waiting", "sent")), OutboxMessage.state != "waiting")
        .order_by(Payout.id)
        .limit(AT_ONCE)
        .with_for_update(of=Payout.__table__, skip_locked=True)
    ).all()
    paid = {row.id: row.provider_id for row in rows if row.state == "done"}
    dead = {row.id: row.last_error or "refused" for row in rows if row.state == "dead"}
    _mark_paid(paid, by, at)
    for payout_id, failure in dead.items():
        _mark_failed(payout_id, failure, by, at)
    return Results(len(paid), len(dead))


def told(
    provider_id: str | None, state: str, *, payout_id: int | None = None, reason: str = "",
    by: Actor = PROVIDER, at: datetime,
) -> bool:
    """The provider spoke of a transfer: "succeeded" (or "paid"), or "failed" (or "reversed").

    True when that was news. Money that came back takes the ledger entry back and the statement
    is approved but unpaid again, for `retry`. What is said of an earlier transfer of a payout
    that was sent again changes nothing, nor does what we do not know.
    """
    which = Payout.id == payout_id if payout_id else Payout.provider_id == provider_id
    row = db.session.execute(
        sa.select(Payout.id, Payout.statement_id, Payout.state, Payout.provider_id)
        .where(which).with_for_update()
    ).first()  # fmt: skip
    known = row is not None and provider_id is not None and row.provider_id == provider_id
    if row is None or (row.state != "paid" and known):
        return False
    if state in ("succeeded", "paid") and row.state in ("waiting", "sent"):
        _mark_paid({row.id: provider_id}, by, at)
        return True
    if state not in ("failed", "reversed") or (row.state == "paid" and not known):
        return False
    if row.state == "failed":
        return False
    failure = reason or f"transfer {state}"
    if row.state == "paid":
        booking.take_back_payout(row.id, clock.business_date(at), f"Payout {row.id} came back")
        _move([row.statement_id], "paid", "approved", "returned", by, at, failure[:400])
    _mark_failed(row.id, failure, by, at)
    return True


def retry(payout_id: int, by: Actor, *, at: datetime) -> None:
    """Send a failed payout again; for the city and the command line.

    After a refusal, or when the money came back, it goes to the account the payee has now. When
    nobody knows whether the last attempt arrived, it is looked up at the provider under its own
    key first, so that nothing is paid twice. Refuses with PayoutNotFound, NotFailed,
    StillNoAccount.
    """
    by.must_be("city")
    payout = db.session.get(Payout, payout_id, populate_existing=True, with_for_update=True)
    if payout is None:
        raise PayoutNotFound()
    if payout.state != "failed":
        raise NotFailed()
    statement = db.session.get_one(Statement, payout.statement_id)
    messages = db.session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.reference == f"payout:{payout.id}")
        .order_by(OutboxMessage.id.desc())
    ).all()
    last = messages[0] if messages else None
    unclear = last and last.state == "dead" and not str(last.last_error).startswith("refused: ")
    if not unclear:
        account = db.session.scalar(
            _payees(sa.select(_account())).where(Statement.id == statement.id)
        )
        if not account:
            raise StillNoAccount(field="payout_account")
        payout.account = account
    payout.state, payout.failure, payout.paid_at = "waiting", None, None
    db.session.flush()
    if last and last.state == "dead":
        if not unclear:
            last.payload = last.payload | {"account": payout.account}
            db.session.flush()
        outbox.again(last.id, at=at)
    else:
        _send(payout, statement, len(messages) + 1, at)
    record(by.label, "retry", "payout", payout.id, {"account": payout.account})


def failed_payouts(limit: int = 500) -> list[tuple[Payout, Statement]]:
    """Payouts that failed and wait for `retry`, with their statements."""
    return [
        (payout, statement)
        for payout, statement in db.session.execute(
            sa.select(Payout, Statement)
            .join(Statement, Statement.id == Payout.statement_id)
            .where(Payout.state == "failed")
            .order_by(Payout.id)
            .limit(limit)
        )
    ]


def _payees(query: Any) -> Any:
    """Join the operator or the elder a statement is for."""
    return query.select_from(Statement).outerjoin(
        Operator, Operator.id == Statement.operator_id
    ).outerjoin(Elder, Elder.id == Statement.elder_id)  # fmt: skip


def _account() -> Any:
    """The account of a statement's payee, NULL when none is known."""
    known = sa.case(
        (Statement.payee == "canteen", Operator.payout_account), else_=Elder.payout_account
    )
    return sa.func.nullif(known, "")


def _send(payout: Payout, statement: Statement, attempt: int, at: datetime) -> None:
    """Put the transfer in the outbox; its key says what it pays, so it can be paid only once."""
    payee = statement.canteen_id if statement.payee == "canteen" else statement.elder_id
    key = f"payout-{statement.period}-{statement.payee}-{payee}-{attempt}"
    payload = {
        "account": payout.account, "amount_fen": payout.amount_fen, "payout_id": payout.id,
        "period": statement.period,
    }  # fmt: skip
    outbox.put("transfer", f"payout:{payout.id}", key, payload, at=at)


def _mark_paid(paid: dict[int, str | None], by: Actor, at: datetime) -> None:
    """Payouts that are held and arrived (id → provider's id): state, books, statement, trace."""
    if not paid:
        return
    db.session.execute(
        sa.update(Payout.__table__)
        .where(Payout.__table__.c.id == sa.bindparam("which"))
        .values(state="paid", provider_id=sa.bindparam("provided"), paid_at=at, failure=None),
        [{"which": id_, "provided": provider_id} for id_, provider_id in paid.items()],
    )
    booking.post_payouts(list(paid), clock.business_date(at), at)
    statements = {
        row.statement_id: row
        for row in db.session.execute(
            sa.select(Payout.id, Payout.statement_id, Payout.amount_fen, Payout.provider_id)
            .where(Payout.id.in_(paid)).order_by(Payout.id)
        )
    }  # fmt: skip
    _move(list(statements), "approved", "paid", "paid", by, at)
    told = {
        row.id: {"amount_fen": row.amount_fen, "provider_id": row.provider_id}
        for row in statements.values()
    }
    record_each(by.label, "paid", "payout", told)


def _mark_failed(payout_id: int, failure: str, by: Actor, at: datetime) -> None:
    db.session.execute(
        sa.update(Payout)
        .where(Payout.id == payout_id)
        .values(state="failed", failure=failure[:200], paid_at=None)
        .execution_options(synchronize_session=False)
    )
    record(by.label, "failed", "payout", payout_id, {"failure": failure[:200]})


def _move(
    ids: Sequence[Any], stage: str, to: str, verdict: str, by: Actor, at: datetime, reason: str = ""
) -> None:
    """Move statements between "approved" and "paid", with a step for each."""
    done = db.session.execute(
        sa.update(Statement)
        .where(Statement.id.in_(ids), Statement.stage == stage)
        .values(stage=to, stage_since=at, due_on=None)
        .execution_options(synchronize_session=False)
    )
    if changed(done) != len(ids):
        raise RuntimeError(f"{len(ids) - changed(done)} paid statements do not stand at {stage}")
    db.session.execute(
        sa.insert(StatementStep),
        [
            {
                "statement_id": id_, "stage": stage, "verdict": verdict, "to_stage": to,
                "by_user_id": by.user_id, "by_label": by.label, "reason": reason, "at": at,
            }
            for id_ in ids
        ],
    )
