"""Batches of payouts: put together by one person of the city, released by another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import canonical, changed, db, insert
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.payments.models import OutboxMessage
from canteen.payouts.models import PayoutBatch, PayoutLine
from canteen.reasons import reason_of
from canteen.settlements import paying_out
from canteen.settlements.models import Payout, Statement
from canteen.territory.actors import Actor
from canteen.words import Text

WAYS = {
    "gateway": Text("支付平台", "Payment provider"),
    "bank_file": Text("银行批量文件", "Bank file"),
}
BATCH_STATES = {
    "draft": Text("待复核", "To be checked"),
    "released": Text("已放行", "Released"),
    "done": Text("已办结", "Done"),
    "cancelled": Text("已取消", "Cancelled"),
}
MOST_LINES = 5_000


class BatchNotFound(NotFound):
    """There is no such batch."""

    code = "batch_not_found"
    text = Text("没有找到这个付款批次", "This batch was not found")


class NeedsPerson(Forbidden):
    """Only a person of the city makes or releases a batch, never a job."""

    code = "needs_person"
    text = Text("付款批次须由市民政局的人员办理", "A person of the city bureau must do this")


class SameHand(Forbidden):
    """Whoever made the batch may not release it."""

    code = "same_hand"
    text = Text(
        "这个批次是您编制的，须由另一位同事复核放行",
        "You put this batch together; a colleague must check and release it",
    )


class NothingTicked(Refused):
    """None was chosen of those that are ready, or more than a batch holds."""

    code = "nothing_ticked"
    text = Text("请勾选 1 至 {most} 笔款项", "Tick 1 to {most} payouts")


class NothingToPay(Refused):
    """None is ready."""

    code = "nothing_to_pay"
    text = Text("现在没有可以付款的款项", "Nothing is ready to be paid now")


class NotReady(Conflict):
    """Some of the chosen payouts lie in another batch, are under way or paid."""

    code = "payouts_not_ready"
    text = Text(
        "有 {count} 笔款项已在别的批次或已发出，本次没有编制批次，请刷新后再选",
        "{count} of these payouts, already in a batch or sent, cannot be chosen; look again",
    )


class NotDraft(Conflict):
    """The batch was released or cancelled already."""

    code = "batch_not_draft"
    text = Text("这个批次现在是：{state}", "This batch is now: {state}")


class LinesChanged(Conflict):
    """What the checker saw is not what would be paid."""

    code = "batch_changed"
    text = Text(
        "批次内容与您看到的不一致，没有付款，请重新核对",
        "The batch is not what you saw; nothing was paid, check it again",
    )


class AccountChanged(Conflict):
    """A payee's account has changed since the batch was put together."""

    code = "account_changed"
    text = Text(
        "有 {count} 个收款账户在编制后变更，请取消后重新编制",
        "{count:account has|accounts have} changed since it was made; cancel it and make it anew",
    )


def make(
    payout_ids: Sequence[int] | None, way: str, by: Actor, *, at: datetime, note: str = ""
) -> PayoutBatch:
    """Put ready payouts (None: all of them) into a draft, each to the account its payee has now.

    Nothing is sent before somebody else has released it. Refuses with NeedsPerson, NothingTicked,
    NothingToPay, and NotReady when one of those chosen is not ready or lies in another draft.
    """
    must_be_person(by)
    if way not in WAYS:
        raise Refused(Text("请选择付款方式", "Choose how to pay"), field="way")
    wanted = None if payout_ids is None else sorted(set(payout_ids))
    if wanted is not None and not 1 <= len(wanted) <= MOST_LINES:
        raise NothingTicked(most=MOST_LINES, field="payout_ids")
    found = _take_ready(wanted)
    if wanted is not None and len(found) != len(wanted):
        raise NotReady(count=len(wanted) - len(found))
    if not found:
        raise NothingToPay()
    batch = PayoutBatch(
        way=way, state="draft", count=len(found), total_fen=sum(row.amount_fen for row in found),
        digest="", note=note.strip()[:200], made_by=by.label, made_at=at,
    )
    db.session.add(batch)
    db.session.flush()
    rows = [
        {"batch_id": batch.id, "payout_id": row.id, "account": row.account,
         "amount_fen": row.amount_fen, "state": "waiting"} for row in found
    ]  # fmt: skip
    db.session.execute(sa.insert(PayoutLine.__table__), rows)
    _set_payouts(batch.id, [row.id for row in found])
    batch.digest = digest_of(batch.id)
    db.session.flush()
    detail = {"way": way, "count": batch.count, "total_fen": batch.total_fen}
    record(by.label, "make_batch", "batch", batch.id, detail)
    return batch


def release(batch_id: int, digest: str, by: Actor, *, at: datetime) -> PayoutBatch:
    """Let a draft be paid: into the outbox, or into a file for the bank.

    `digest` is that of the lines the checker saw. Refuses with NeedsPerson, BatchNotFound,
    NotDraft, SameHand, LinesChanged and AccountChanged.
    """
    must_be_person(by)
    batch = _held(batch_id)
    if batch.state != "draft":
        raise NotDraft(state=BATCH_STATES[batch.state])
    if batch.made_by == by.label:
        raise SameHand()
    if not digest or digest != batch.digest or digest_of(batch_id) != digest:
        raise LinesChanged()
    lines = _lines_with_payees(batch_id)
    moved = [row.payout_id for row in lines if row.now_account != row.account]
    if moved:
        raise AccountChanged(count=len(moved), payout_ids=moved)
    if any(row.state != "ready" or row.lies_in != batch_id for row in lines):
        raise LinesChanged()
    batch.state, batch.released_by, batch.released_at = "released", by.label, at
    db.session.execute(
        sa.update(Payout).where(Payout.batch_id == batch_id, Payout.state == "ready")
        .values(state="waiting", failure=None, paid_at=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if batch.way == "gateway":
        _send(batch_id, lines, at)
    db.session.flush()
    detail = {"digest": digest, "count": batch.count, "total_fen": batch.total_fen}
    record(by.label, "release_batch", "batch", batch_id, detail)
    return batch


def cancel(batch_id: int, reason: str, by: Actor, *, at: datetime) -> PayoutBatch:
    """Let a draft go; its payouts are ready for another. Refuses with BatchNotFound, NotDraft."""
    must_be_person(by)
    batch, reason = _held(batch_id), reason_of(reason)
    if batch.state != "draft":
        raise NotDraft(state=BATCH_STATES[batch.state])
    of_mine = sa.select(PayoutLine.payout_id).where(PayoutLine.batch_id == batch_id)
    ids = list(db.session.scalars(of_mine.order_by(PayoutLine.payout_id)))
    db.session.execute(sa.delete(PayoutLine).where(PayoutLine.batch_id == batch_id))
    before = (
        sa.select(sa.func.max(PayoutLine.batch_id))
        .where(PayoutLine.payout_id == Payout.id).correlate(Payout).scalar_subquery()
    )  # fmt: skip
    db.session.execute(
        sa.update(Payout).where(Payout.batch_id == batch_id).values(batch_id=before)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    batch.state, batch.ended_at = "cancelled", at
    db.session.flush()
    record(by.label, "cancel_batch", "batch", batch_id, {"reason": reason, "payouts": ids[:200]})
    return batch


def digest_of(batch_id: int) -> str:
    """What the lines of a batch come to: changed by any other payee, account or sum in it."""
    rows = db.session.execute(
        sa.select(PayoutLine.payout_id, PayoutLine.account, PayoutLine.amount_fen)
        .where(PayoutLine.batch_id == batch_id).order_by(PayoutLine.payout_id)
    )  # fmt: skip
    told = [batch_id, [[row.payout_id, row.account, row.amount_fen] for row in rows]]
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def key_of(batch_id: int, statement: Any) -> Any:
    """The key under which one batch sends one payout, used once for ever."""
    payee = statement.canteen_id if statement.payee == "canteen" else statement.elder_id
    return f"payout-{statement.period}-{statement.payee}-{payee}-b{batch_id}"


def ready(condition: Any = None) -> Any:
    """What may go into a batch: ready, with an account, and in no draft."""
    drafts = sa.select(PayoutBatch.id).where(PayoutBatch.state == "draft")
    free = sa.or_(Payout.batch_id.is_(None), Payout.batch_id.not_in(drafts))
    return sa.and_(Payout.state == "ready", free, sa.true() if condition is None else condition)


def _take_ready(wanted: list[int] | None) -> list[Any]:
    """Hold the payouts that are ready, with the account of each payee as it is now."""
    account = paying_out.account_of_payee()
    query = (
        paying_out.payees(sa.select(Payout.id, Payout.amount_fen, account.label("account")))
        .join(Payout, Payout.statement_id == Statement.id)
        .where(ready(Payout.id.in_(wanted) if wanted is not None else None), account.is_not(None))
        .order_by(Payout.id).limit(MOST_LINES).with_for_update(of=Payout.__table__)
    )  # fmt: skip
    db.session.execute(query)  # waits for other makers; only a later look sees what they took
    return list(db.session.execute(query))


def _lines_with_payees(batch_id: int) -> list[Any]:
    query = (
        paying_out.payees(sa.select(
            PayoutLine.payout_id, PayoutLine.account, PayoutLine.amount_fen, Payout.state,
            Payout.batch_id.label("lies_in"), paying_out.account_of_payee().label("now_account"),
            Statement.period, Statement.payee, Statement.canteen_id, Statement.elder_id,
        ))
        .join(Payout, Payout.statement_id == Statement.id)
        .join(PayoutLine, PayoutLine.payout_id == Payout.id)
        .where(PayoutLine.batch_id == batch_id)
        .order_by(Payout.id).with_for_update(of=Payout.__table__)
    )  # fmt: skip
    return list(db.session.execute(query))


def _send(batch_id: int, lines: Sequence[Any], at: datetime) -> None:
    """Put the transfers in the outbox; each key says what it pays, so it is paid only once."""
    rows = [
        {
            "kind": "transfer", "reference": f"payout:{line.payout_id}", "due_at": at,
            "key": key_of(batch_id, line), "state": "waiting", "attempts": 0, "made_at": at,
            "payload": {
                "account": line.account, "amount_fen": line.amount_fen,
                "payout_id": line.payout_id, "period": line.period, "batch_id": batch_id,
            },
        }
        for line in lines
    ]  # fmt: skip
    made = db.session.execute(
        insert(OutboxMessage.__table__).values(rows).on_conflict_do_nothing(index_elements=["key"])
    )
    if changed(made) != len(rows):
        raise RuntimeError(f"batch {batch_id} was sent before")


def _set_payouts(batch_id: int, ids: Sequence[int]) -> None:
    account = (
        sa.select(PayoutLine.account)
        .where(PayoutLine.batch_id == batch_id, PayoutLine.payout_id == Payout.id)
        .correlate(Payout).scalar_subquery()
    )  # fmt: skip
    db.session.execute(
        sa.update(Payout).where(Payout.id.in_(ids)).values(batch_id=batch_id, account=account)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _held(batch_id: int) -> PayoutBatch:
    batch = db.session.get(PayoutBatch, batch_id, populate_existing=True, with_for_update=True)
    if batch is None:
        raise BatchNotFound()
    return batch


def must_be_person(by: Actor) -> None:
    """Refuse with NeedsPerson or Forbidden anyone but a person of the city."""
    by.must_be("city")
    if by.user_id is None:
        raise NeedsPerson()
