"""What a shift sold, took and gave back: the X report while it is open, the Z once it is closed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from canteen.access.models import User
from canteen.canteens.models import MEALS
from canteen.db import db
from canteen.orders.models import SERVICES, Cancellation, Order
from canteen.subsidies.models import FundingShare, Grant
from canteen.tills.cash import MOST_FEN, Drawer, drawer
from canteen.tills.entries import sum_of
from canteen.tills.models import CashMove, Shift, Till, TillEntry
from canteen.tills.sums import WAYS, Refunds, Sums, grouped, refunds, rows_of, total, until

MISSING_SHOWN = 20


@dataclass(frozen=True)
class Moved:
    """Cash of one kind and reason: how often and how much, in fen."""

    kind: str
    reason_code: str
    times: int
    fen: int


@dataclass(frozen=True)
class Journal:
    """The numbers of a shift and what is to be known of them.

    `refused` sales happened but could not be taken in; their cash, `refused_fen`, lies in the
    drawer and is over when it is counted.
    """

    first: int | None = None
    last: int | None = None
    missing: list[int] = field(default_factory=list)
    missing_count: int = 0
    kept: int = 0
    withdrawn: int = 0
    refused: int = 0
    refused_fen: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    unsent: int = 0


@dataclass(frozen=True)
class Report:
    """Everything an X or Z report says of a shift. `taken_back` counts whole sales of it."""

    shift: Shift
    till: Till
    cashier: str
    by_meal: list[Sums]
    by_service: list[Sums]
    by_way: list[Sums]
    total: Sums
    awaiting: Sums
    taken_back: Sums
    refunds: Refunds
    funders: list[tuple[str, int]]
    account_fen: int
    enterprise_fen: int
    beyond: Sums
    moves: list[CashMove]
    moved: list[Moved]
    drawer: Drawer
    journal: Journal
    left_before_fen: int | None


def report(shift: Shift) -> Report:
    """The report of a shift; a closed one's never changes: what came after its end is left out."""
    till = db.session.get_one(Till, shift.till_id)
    sold = Order.id.in_(_sold(shift))
    # An online payment may arrive after the shift: it was waiting when the shift ended.
    ended = shift.closed_at
    arrived: Any = Order.paid_at.is_not(None)
    if ended is not None:
        arrived = sa.or_(Order.payment == "cash", sa.and_(arrived, Order.paid_at <= ended))
    rows = rows_of(sold, arrived)
    beyond = rows_of(Order.id.in_(_beyond(shift)), arrived)
    undone = Order.id.in_(until(sa.select(Cancellation.order_id), Cancellation.at, ended))
    taken_back = rows_of(sold, arrived, undone)
    moves = list(
        db.session.scalars(
            sa.select(CashMove).where(CashMove.shift_id == shift.id).order_by(CashMove.id)
        )
    )
    funders, account_fen, enterprise_fen = _grants(sold, arrived)
    return Report(
        shift=shift, till=till, cashier=db.session.get_one(User, shift.cashier_id).name,
        by_meal=grouped(rows, "meal", list(MEALS)),
        by_service=grouped(rows, "service", list(SERVICES)),
        by_way=grouped(rows, "way", list(WAYS)),
        total=total(rows), awaiting=total(rows_of(sold, sa.not_(arrived))),
        taken_back=total(taken_back),
        refunds=refunds(sold, sa.not_(undone), ended=ended), funders=funders,
        account_fen=account_fen, enterprise_fen=enterprise_fen, beyond=total(beyond),
        moves=moves, moved=_moved(moves), drawer=drawer(shift.id), journal=_journal(shift, till),
        left_before_fen=_left_before(shift),
    )


def _sold(shift: Shift) -> sa.Select[Any]:
    """The orders sold in a shift."""
    return sa.select(TillEntry.order_id).where(
        TillEntry.shift_id == shift.id, TillEntry.kind == "sale", TillEntry.order_id.is_not(None)
    )


def _beyond(shift: Shift) -> list[int]:
    """The orders of a shift whose subsidy the programme bears beyond the caps."""
    rows = db.session.execute(
        sa.select(TillEntry.order_id, TillEntry.notes).where(
            TillEntry.shift_id == shift.id, TillEntry.order_id.is_not(None), TillEntry.kept
        )
    )
    return [row.order_id for row in rows if "excess_programme" in (row.notes or ())]


def _grants(*conditions: Any) -> tuple[list[tuple[str, int]], int, int]:
    """Who pays the subsidies of these orders, what goes to accounts, what the enterprise earns."""
    given = (
        sa.select(Grant.id, Grant.funding_id, Grant.till_fen, Grant.account_fen,
                  Grant.enterprise_fen + Grant.delivery_fen)
        .join(Order, Order.id == Grant.order_id).where(Grant.number == 1, *conditions)
    )  # fmt: skip
    rows = db.session.execute(given).all()
    at_till = Counter(row.funding_id for row in rows if row.till_fen)
    shares = db.session.execute(
        sa.select(FundingShare.funding_id, FundingShare.funder, FundingShare.amount_fen).where(
            FundingShare.side == "elder", FundingShare.funding_id.in_(at_till)
        )
    )
    funders: Counter[str] = Counter()
    for share in shares:
        funders[share.funder] += at_till[share.funding_id] * share.amount_fen
    return (
        sorted(funders.items()), sum(row.account_fen for row in rows), sum(row[4] for row in rows)
    )


def _moved(moves: list[CashMove]) -> list[Moved]:
    """The moves added up by kind and reason, in the order in which they first came."""
    sums: dict[tuple[str, str], list[int]] = {}
    for one in moves:
        sums.setdefault((one.kind, one.reason_code), []).append(one.fen)
    return [Moved(*key, len(fens), sum(fens)) for key, fens in sums.items()]


def _journal(shift: Shift, till: Till) -> Journal:
    """The shift's numbers: first, last, what is missing between, what was kept, late or refused."""
    rows = db.session.execute(
        sa.select(
            TillEntry.number, TillEntry.kind, TillEntry.kept, TillEntry.order_id, TillEntry.notes
        )
        .where(TillEntry.shift_id == shift.id)
        .order_by(TillEntry.number)
    ).all()
    unsent = max(till.claimed - till.head, 0)
    if not rows:
        return Journal(unsent=unsent)
    first, last = rows[0].number, rows[-1].number
    there = set(
        db.session.scalars(
            sa.select(TillEntry.number).where(
                TillEntry.till_id == till.id, TillEntry.number.between(first, last)
            )
        )
    )
    missing = [number for number in range(first, last + 1) if number not in there]
    sales = [row for row in rows if row.kind == "sale"]
    refused = [row.number for row in sales if row.order_id is None]
    bodies = db.session.scalars(
        sa.select(TillEntry.body).where(
            TillEntry.till_id == till.id, TillEntry.number.in_(refused)
        )
    )
    return Journal(
        first=first, last=last, missing=missing[:MISSING_SHOWN], missing_count=len(missing),
        kept=sum(row.kept for row in sales),
        withdrawn=sum(row.kind == "withdrawn" for row in rows),
        refused=len(refused), refused_fen=sum(_cash_in(body) for body in bodies),
        notes=dict(Counter(note for row in rows for note in row.notes or ())), unsent=unsent,
    )


def _cash_in(body: str) -> int:
    """The cash a refused sale says it was paid with; nought when it does not even say that."""
    fen = sum_of(body, "cash_fen") or 0
    return fen if 0 <= fen <= MOST_FEN else 0


def _left_before(shift: Shift) -> int | None:
    """What the shift before this one left in the drawer, in fen; None for a till's first."""
    return db.session.scalar(
        sa.select(Shift.left_fen)
        .where(
            Shift.till_id == shift.till_id, Shift.id < shift.id, Shift.closed_at.is_not(None)
        )
        .order_by(Shift.id.desc())
        .limit(1)
    )
