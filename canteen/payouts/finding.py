"""Finding batches, their lines, and the payouts that wait to be put into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen, Operator
from canteen.db import db
from canteen.payouts.batching import BatchNotFound, ready
from canteen.payouts.models import BankChange, PayoutBatch, PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.finding import payee_names
from canteen.settlements.models import Payout, Statement
from canteen.territory.actors import Actor


@dataclass(frozen=True)
class Line:
    """One line of a batch, with whom it pays for what, and what stands against releasing it."""

    line: PayoutLine
    payout: Payout
    statement: Statement
    payee: str
    payee_en: str
    operator: str | None
    now_account: str | None
    change_waits: bool

    @property
    def account_changed(self) -> bool:
        """Whether the payee has another account by now."""
        return self.now_account != self.line.account


@dataclass(frozen=True)
class Ready:
    """A payout that may go into a batch, and to which account it would go now."""

    payout: Payout
    statement: Statement
    payee: str
    payee_en: str
    operator: str | None
    account: str | None
    change_waits: bool


def batch(batch_id: int) -> PayoutBatch:
    """One batch as it stands. Refuses with BatchNotFound."""
    found = db.session.get(PayoutBatch, batch_id, populate_existing=True)
    if found is None:
        raise BatchNotFound()
    return found


def batches(limit: int = 50, offset: int = 0) -> list[PayoutBatch]:
    """The batches, those that wait for somebody first, then the latest."""
    state = PayoutBatch.state
    first = sa.case((state == "draft", 0), (state == "released", 1), else_=2)
    return list(
        db.session.scalars(
            sa.select(PayoutBatch).order_by(first, PayoutBatch.id.desc())
            .limit(limit).offset(offset).execution_options(populate_existing=True)
        )
    )  # fmt: skip


def lines_of(batch_id: int, limit: int = 5_000) -> list[Line]:
    """The lines of a batch, those that failed first."""
    query = (
        _named(sa.select(
            PayoutLine, Payout, Statement, *payee_names(), Operator.name,
            paying_out.account_of_payee(), _change_waits(),
        ))
        .join(Payout, Payout.statement_id == Statement.id)
        .join(PayoutLine, PayoutLine.payout_id == Payout.id)
        .where(PayoutLine.batch_id == batch_id)
        .order_by(sa.case((PayoutLine.state == "failed", 0), else_=1), PayoutLine.payout_id)
        .limit(limit).execution_options(populate_existing=True)
    )  # fmt: skip
    return [Line(*row) for row in db.session.execute(query)]


def ready_payouts(limit: int = 500) -> list[Ready]:
    """The payouts that may go into a batch, oldest month first."""
    query = (
        _named(sa.select(
            Payout, Statement, *payee_names(), Operator.name,
            paying_out.account_of_payee(), _change_waits(),
        ))
        .join(Payout, Payout.statement_id == Statement.id)
        .where(ready())
        .order_by(Statement.period, Payout.id).limit(limit)
    )  # fmt: skip
    return [Ready(*row) for row in db.session.execute(query)]


def ready_sums() -> tuple[int, int]:
    """How many payouts may go into a batch, and their sum in fen."""
    row = db.session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0))
        .where(ready())
    ).one()  # fmt: skip
    return int(row[0]), int(row[1])


def to_release(by: Actor) -> int:
    """How many batches wait for this person to check them."""
    drafts = sa.select(sa.func.count()).select_from(PayoutBatch)
    mine = drafts.where(PayoutBatch.state == "draft", PayoutBatch.made_by != by.label)
    return db.session.scalar(mine) or 0


def _named(query: Any) -> Any:
    return paying_out.payees(query).outerjoin(Canteen, Canteen.id == Statement.canteen_id)


def _change_waits() -> Any:
    """Whether somebody has asked for another account of this payee."""
    same = sa.or_(
        sa.and_(Statement.payee == "canteen", BankChange.operator_id == Statement.operator_id),
        sa.and_(Statement.payee == "elder", BankChange.elder_id == Statement.elder_id),
    )
    return sa.exists().where(BankChange.state == "waiting", same).correlate(Statement)
