"""Payouts of approved statements: ordered with the approval, noted when they arrived or failed.

How they are sent, by whom and in which batch is the payouts room's; see docs/payments.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record, record_each
from canteen.canteens.models import Operator
from canteen.db import changed, db
from canteen.elders.models import Elder
from canteen.errors import Conflict
from canteen.settlements import booking
from canteen.settlements.models import Payout, Statement, StatementStep
from canteen.territory.actors import Actor
from canteen.words import Text

NO_ACCOUNT = "no payout account is known"


class PayoutUnderWay(Conflict):
    """The payout of this statement was put into a batch already."""

    code = "payout_under_way"
    text = Text(
        "这张结算单的付款已编入付款批次，不能撤回",
        "The payout of this statement lies in a batch already and cannot be taken back",
    )


def order(statement_ids: Sequence[int], at: datetime) -> list[int]:
    """Order the payouts of statements just approved, in the approval's transaction; their ids.

    They are "ready": nothing is sent before two people of the city have put them into a batch
    and released it. A payee without an account gets a payout that has failed at once, until one
    is known.
    """
    if not statement_ids:
        return []
    account = account_of_payee()
    query = (
        payees(sa.select(
            Statement.id, sa.func.coalesce(account, ""), Statement.total_fen,
            sa.case((account.is_(None), "failed"), else_="ready"),
            sa.literal(at, Payout.made_at.type),
            sa.case((account.is_(None), NO_ACCOUNT)),
        ))
        .where(Statement.id.in_(statement_ids), Statement.total_fen > 0)
        .order_by(Statement.id)
    )  # fmt: skip
    columns = ["statement_id", "account", "amount_fen", "state", "made_at", "failure"]
    db.session.execute(sa.insert(Payout.__table__).from_select(columns, query))
    ordered = sa.select(Payout.id).where(Payout.statement_id.in_(statement_ids))
    return list(db.session.scalars(ordered.order_by(Payout.id)))


def withdraw(statement_ids: Sequence[int]) -> int:
    """Take back the payouts of statements whose approval is undone; gives how many there were.

    All or none. Refuses with PayoutUnderWay once one was put into a batch.
    """
    mine = Payout.statement_id.in_(statement_ids)
    held = db.session.scalars(sa.select(Payout).where(mine).with_for_update()).all()
    if any(one.batch_id is not None or one.state not in ("ready", "failed") for one in held):
        raise PayoutUnderWay()
    db.session.execute(
        sa.delete(Payout).where(mine).execution_options(synchronize_session="fetch")
    )
    return len(held)


def failed_payouts(limit: int = 500) -> list[tuple[Payout, Statement]]:
    """Payouts that failed and wait for somebody, with their statements."""
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


def payees(query: Any) -> Any:
    """Join the operator or the elder a statement is for."""
    return query.select_from(Statement).outerjoin(
        Operator, Operator.id == Statement.operator_id
    ).outerjoin(Elder, Elder.id == Statement.elder_id)  # fmt: skip


def account_of_payee() -> Any:
    """The account of a statement's payee, NULL when none is known."""
    known = sa.case(
        (Statement.payee == "canteen", Operator.payout_account), else_=Elder.payout_account
    )
    return sa.func.nullif(known, "")


def mark_paid(paid: dict[int, str | None], by: Actor, at: datetime) -> None:
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


def came_back(payout_id: int, statement_id: int, failure: str, by: Actor, at: datetime) -> None:
    """The money of a paid payout was sent back: books, statement and payout go back too."""
    booking.take_back_payout(payout_id, clock.business_date(at), f"Payout {payout_id} came back")
    _move([statement_id], "paid", "approved", "returned", by, at, failure[:400])
    mark_failed(payout_id, failure, by)


def mark_failed(payout_id: int, failure: str, by: Actor) -> None:
    """A payout did not arrive; it waits for somebody."""
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
