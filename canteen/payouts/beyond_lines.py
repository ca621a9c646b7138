"""What money does beyond the lines of batches: payouts in none, diners' payments, money paid back.

Each query lists what matches nothing on the other side, in the columns of a mismatch.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen
from canteen.elders.models import Elder
from canteen.ledger.models import Account, Entry, Posting
from canteen.payments.models import Charge, OutboxMessage, ProviderEvent, Refund
from canteen.payments.webhooks import REFUNDS
from canteen.payouts.models import PayoutLine, Repayment
from canteen.settlements.booking import numbered
from canteen.settlements.finding import payee_names
from canteen.settlements.models import Payout, Statement

REFUND_WAITS = timedelta(hours=2)
ABOUT = ProviderEvent.payload
NO_ID = sa.cast(sa.null(), sa.BigInteger)


def row(problem: Any, amount_fen: Any, reference: Any, at: Any, **known: Any) -> Any:
    """A mismatch of which nothing is known but what is said here; a query without conditions."""
    return sa.select(
        problem.label("problem"), known.get("payout_id", NO_ID), NO_ID,
        known.get("statement_id", NO_ID), known.get("payee", sa.literal("")),
        known.get("payee_en", sa.literal("")), amount_fen, known.get("other_fen", NO_ID),
        reference, at,
    )  # fmt: skip


def unbatched(since: datetime, until: datetime, at: datetime, books: Any, ours: Any) -> Any:
    """Payouts made in the range that never lay in a batch, unless they are paid and booked."""
    booked = sa.func.coalesce(books.c.fen, 0)
    problem = sa.case(
        (sa.and_(Payout.state == "paid", booked != Payout.amount_fen), "paid_without_entry"),
        (sa.and_(Payout.state != "paid", booked != 0), "entry_without_payment"),
        (Payout.state == "failed", "failed"), (Payout.state == "ready", "unbatched"),
        (Payout.state.in_(("waiting", "sent")), "waiting_long"),
    )
    return (
        row(problem, Payout.amount_fen, sa.literal(""), Payout.made_at, payout_id=Payout.id,
            statement_id=Payout.statement_id, other_fen=sa.case((booked != 0, booked)),
            **named())
        .select_from(Payout)
        .join(Statement, Statement.id == Payout.statement_id)
        .outerjoin(Canteen, Canteen.id == Statement.canteen_id)
        .outerjoin(Elder, Elder.id == Statement.elder_id)
        .outerjoin(books, books.c.memo == numbered("payout:", Payout.id))
        .where(
            Payout.made_at >= since, Payout.made_at < until, problem.is_not(None), ours,
            sa.not_(sa.exists().where(PayoutLine.payout_id == Payout.id)),
        )
    )  # fmt: skip


def named() -> dict[str, Any]:
    """The payee of a statement, in both languages."""
    return dict(zip(("payee", "payee_en"), payee_names(), strict=True))


def charges(since: datetime, until: datetime) -> Any:
    """Diners' payments the provider told of in the range that are no charge of ours, or unlike."""
    received = ABOUT["amount_received"].as_integer()
    problem = sa.case(
        (Charge.id.is_(None), "foreign_charge"),
        (sa.or_(Charge.amount_fen != received, Charge.state != "succeeded"), "charge_unlike"),
    )
    return (
        row(problem, received, ABOUT["id"].as_string(), ProviderEvent.received_at,
            other_fen=sa.cast(Charge.amount_fen, sa.BigInteger))
        .select_from(ProviderEvent)
        .outerjoin(Charge, Charge.provider_id == ABOUT["id"].as_string())
        .where(
            ProviderEvent.kind == "payment_intent.succeeded", ProviderEvent.received_at >= since,
            ProviderEvent.received_at < until, problem.is_not(None),
        )
    )  # fmt: skip


def refunds(since: datetime, until: datetime) -> Any:
    """Refunds the provider told of in the range that are none of ours, or unlike."""
    status, refund = ABOUT["status"].as_string(), ABOUT["id"].as_string()
    told = (
        sa.select(
            refund.label("id"),
            sa.func.max(ABOUT[("metadata", "reference")].as_string()).label("reference"),
            sa.func.max(ABOUT["amount"].as_integer()).label("fen"),
            sa.func.max(sa.case((status.in_(("failed", "canceled")), 1), else_=0)).label("failed"),
            sa.func.max(sa.case((status == "succeeded", 1), else_=0)).label("done"),
            sa.func.max(ProviderEvent.received_at).label("at"),
        )
        .where(ProviderEvent.kind.in_(REFUNDS), ProviderEvent.received_at >= since,
               ProviderEvent.received_at < until)
        .group_by(refund).cte("told_refunds")
    )  # fmt: skip
    m = OutboxMessage
    number = sa.cast(sa.func.substr(m.reference, len("refund:") + 1), sa.BigInteger)
    problem = sa.case(
        (Refund.id.is_(None), "foreign_refund"),
        (sa.or_(
            Refund.amount_fen != told.c.fen,
            sa.and_(told.c.failed == 1, Refund.state != "failed"),
            sa.and_(told.c.failed == 0, told.c.done == 1, Refund.state != "succeeded"),
        ), "refund_unlike"),
    )  # fmt: skip
    return (
        row(problem, told.c.fen, told.c.id, told.c.at,
            other_fen=sa.cast(Refund.amount_fen, sa.BigInteger))
        .select_from(told)
        .outerjoin(m, sa.and_(
            m.kind == "refund", m.reference == told.c.reference,
            sa.func.coalesce(m.provider_id, told.c.id) == told.c.id,
        ))
        .outerjoin(Refund, Refund.id == number)
        .where(problem.is_not(None))
    )  # fmt: skip


def refunds_waiting(since: datetime, until: datetime, at: datetime) -> Any:
    """Refunds asked for in the range whose money nobody has seen go back."""
    return row(
        sa.literal("refund_waiting"), Refund.amount_fen, numbered("refund:", Refund.id),
        Refund.asked_at,
    ).where(
        Refund.state == "pending", Refund.asked_at >= since, Refund.asked_at < until,
        Refund.asked_at < at - REFUND_WAITS,
    )  # fmt: skip


def repayments(first: date, last: date, since: datetime, until: datetime, ours: Any) -> list[Any]:
    """Money paid back that is not in the books with its sum, and entries of which none is known."""
    fen = bank_of(Entry)
    key = numbered("repaid:", Repayment.statement_id)
    booked = sa.func.coalesce(bank_of(Entry), 0)
    noted = (
        row(sa.literal("repaid_without_entry"), Repayment.amount_fen, Repayment.reference,
            Repayment.confirmed_at, statement_id=Repayment.statement_id, other_fen=-booked,
            **named())
        .select_from(Repayment)
        .join(Statement, Statement.id == Repayment.statement_id)
        .outerjoin(Canteen, Canteen.id == Statement.canteen_id)
        .outerjoin(Elder, Elder.id == Statement.elder_id)
        .outerjoin(Entry, Entry.key == key)
        .where(
            Repayment.confirmed_at >= since, Repayment.confirmed_at < until, ours,
            Statement.stage == "repaid", booked != -Repayment.amount_fen,
        )
    )  # fmt: skip
    alone = row(sa.literal("entry_alone"), fen, Entry.key, Entry.made_at).where(
        Entry.kind == "repayment", Entry.on >= first, Entry.on <= last,
        sa.not_(sa.exists().where(key == Entry.key)),
    )
    return [noted, alone]


def reversals(first: date, last: date) -> Any:
    """Entries taken back in the range though no sending of their payout has come back."""
    original = aliased(Entry)
    came_back = sa.exists().where(
        PayoutLine.payout_id == payout_of(original), PayoutLine.state == "failed",
        PayoutLine.reference.is_not(None),
    )
    return (
        row(sa.literal("reversal_alone"), bank_of(Entry), Entry.key, Entry.made_at)
        .select_from(Entry).join(original, original.id == Entry.reverses_id)
        .where(Entry.on >= first, Entry.on <= last, original.kind != "clearing",
               sa.not_(came_back))
    )


def payout_of(entry: Any) -> Any:
    """The id of the payout that an entry says it pays: 7 of "payout:7". Found by their ids, the
    payouts are looked up; by text each entry would be compared with all of them."""
    number = sa.cast(sa.func.substr(entry.memo, len("payout:") + 1), sa.BigInteger)
    return sa.case((entry.kind == "payout", number))


def bank_of(entry: Any) -> Any:
    """What an entry puts into its payee's account, in fen."""
    return (
        sa.select(sa.func.sum(Posting.amount_fen))
        .join(Account, Account.id == Posting.account_id)
        .where(Posting.entry_id == entry.id, Account.code == "bank")
        .correlate(entry).scalar_subquery()
    )  # fmt: skip
