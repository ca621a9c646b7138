"""Checks of the drawers: what a closed shift expected, counted and posted is what happened."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sqlalchemy as sa

from canteen.ledger.models import Account, Entry, Posting
from canteen.money import yuan
from canteen.tills import booking, cash
from canteen.tills.entries import sum_of
from canteen.tills.models import CashMove, Shift, TillEntry
from canteen.verifying.findings import Check, Found, differences, stream, text_of
from canteen.words import Text

SHOULD = Text(
    "{what}应为 {expected} 元，记为 {actual} 元",
    "{what} should be {expected} yuan, {actual} is written",
)
SIGNED = {"open": "float_fen", "move": "fen", "close": "counted_fen"}  # entry → its sum
WORDS = {
    "open": Text("备用金", "the float"),
    "move": Text("存取现金净额", "cash paid in less paid out"),
    "close": Text("清点现金", "the cash counted"),
    "expected": Text("应有现金", "the cash expected"),
    "over": Text("长短款", "over or short"),
    "count": Text("各面额合计", "the sum of notes and coins"),
}


def shifts_add_up() -> Found:
    """A closed shift expected what its sales and moves say, its count sums, one a till is open."""
    sums = cash.drawers().subquery()
    came = sums.c.float_fen + sums.c.sales_fen + sums.c.collected_fen + sums.c.paid_in_fen
    expected = came - sums.c.paid_out_fen - sums.c.refunded_fen
    closed = (
        sa.select(
            Shift.id, Shift.count, Shift.counted_fen, Shift.expected_fen, Shift.over_fen,
            expected.label("again_fen"),
        )
        .join(sums, sums.c.id == Shift.id)
        .where(Shift.closed_at.is_not(None))
    )
    for row in stream(closed):
        for code, should, actual in (
            ("expected", int(row.again_fen), row.expected_fen),
            ("over", row.counted_fen - row.expected_fen, row.over_fen),
            ("count", row.counted_fen, cash.counted(row.count or {})),
        ):
            if should != actual:
                yield f"shift {row.id}", _should(code, should, actual)
    several = (
        sa.select(Shift.till_id, sa.func.count().label("open"))
        .where(Shift.closed_at.is_(None))
        .group_by(Shift.till_id)
        .having(sa.func.count() > 1)
    )
    for row in stream(several):
        yield f"till {row.till_id}", Text(
            "同时有 {n} 个未交的班", "{n} shifts are open at once"
        ).format(n=row.open)


def shifts_match_journal() -> Found:
    """Float, moves and count of every shift are those the till signed."""
    net = sa.func.sum(
        sa.case(
            (CashMove.kind == "paid_in", CashMove.fen),
            (CashMove.kind == "paid_out", -CashMove.fen),
            else_=0,
        )
    )
    moved = sa.select(net).where(CashMove.shift_id == Shift.id).scalar_subquery()
    rows = stream(
        sa.select(
            Shift.id, Shift.float_fen, Shift.counted_fen, moved.label("net"), TillEntry.kind,
            TillEntry.body, TillEntry.outcome,
        )
        .outerjoin(
            TillEntry,
            sa.and_(TillEntry.shift_id == Shift.id, TillEntry.kind.in_(tuple(SIGNED))),
        )
        .order_by(Shift.id)
    )
    for shift_id, of_shift in groupby(rows, key=lambda row: row.id):
        signed = dict.fromkeys(SIGNED, 0)
        for row in of_shift:
            if (row.outcome or {}).get("result") == "done":
                signed[row.kind] += sum_of(row.body, SIGNED[row.kind]) or 0
        written = {
            "open": row.float_fen, "move": int(row.net or 0), "close": row.counted_fen or 0,
        }
        for kind, actual in written.items():
            if signed[kind] != actual:
                yield f"shift {shift_id}", _should(kind, signed[kind], actual)


def shifts_in_books() -> Found:
    """The entry of every closed shift says what the shift says; no other has one."""
    key = sa.literal("shift:") + text_of(Shift.id)
    into_safe, into_petty = (
        sa.func.coalesce(
            sa.select(sa.func.sum(out)).where(CashMove.shift_id == Shift.id, reason)
            .correlate(Shift).scalar_subquery(), 0,
        )
        for out in (booking.out_of_drawer(),)
        for reason in (
            CashMove.reason_code.in_(booking.SAFE), CashMove.reason_code.not_in(booking.SAFE)
        )
    )  # fmt: skip
    legs: dict[str, Any] = {
        "till_cash": Shift.float_fen - into_safe - into_petty + Shift.over_fen - Shift.counted_fen,
        "safe": into_safe + Shift.counted_fen - Shift.float_fen,
        "petty_cash": into_petty,
        "cash_over_short": -Shift.over_fen,
    }
    book = sa.literal("canteen:") + text_of(Shift.canteen_id)
    expected = [
        sa.select(
            key.label("key"), book.label("book"), sa.literal(code).label("code"),
            fen.label("amount"),
        ).where(Shift.closed_at.is_not(None))
        for code, fen in legs.items()
    ]
    actual = (
        sa.select(
            Entry.key, Account.book, Account.code, sa.func.sum(Posting.amount_fen).label("amount")
        )
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.kind == "shift")
        .group_by(Entry.key, Account.book, Account.code)
    )
    for row in differences(("key", "book", "code"), expected, [actual]):
        yield f"entry {row.key} {row.book} {row.code}", Text(
            "应为 {expected} 元，账上为 {actual} 元",
            "should be {expected} yuan, the books say {actual}",
        ).format(expected=yuan(row.expected), actual=yuan(row.actual))


def _should(code: str, expected: int, actual: int) -> Text:
    return SHOULD.format(what=WORDS[code], expected=yuan(expected), actual=yuan(actual))


CHECKS = (
    Check("shifts_add_up", Text("各班现金合计无误", "The cash of each shift sums"), shifts_add_up),
    Check(
        "shifts_match_journal", Text("各班现金与流水一致", "Shifts equal the till's journal"),
        shifts_match_journal,
    ),
    Check("shifts_in_books", Text("各班现金与账簿一致", "Shifts equal the books"), shifts_in_books),
)
