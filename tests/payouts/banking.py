"""A released bank file, and the files a bank may send back."""

from __future__ import annotations

import csv
import io

import sqlalchemy as sa

from canteen.db import db, transaction
from canteen.payouts import bank_file, batching, finding
from canteen.payouts.models import PayoutBatch
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor
from tests.settlements.factories import AFTER_AT

HEADING = ("流水号", "收款账号", "金额", "结果", "银行流水号", "原因")
Row = tuple[str, ...]


def release(maker: Actor, checker: Actor, ids: list[int] | None = None) -> PayoutBatch:
    """A batch for the bank, made by one and released by another."""
    with transaction():
        batch = batching.make(ids, "bank_file", maker, at=AFTER_AT)
    with transaction():
        return batching.release(batch.id, batch.digest, checker, at=AFTER_AT)


def answers(batch_id: int, result: str = "成功") -> list[Row]:
    """The rows a bank sends back when everything went like this."""
    return [
        (bank_file.reference_of(batch_id, one.payout.id), one.line.account,
         bank_file.amount_of(one.line.amount_fen), result, f"BK{one.payout.id}", "")
        for one in sorted(finding.lines_of(batch_id), key=lambda one: one.payout.id)
    ]  # fmt: skip


def file_of(rows: list[Row], heading: Row = HEADING, encoding: str = "utf-8-sig") -> bytes:
    """The rows as a file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([heading, *rows])
    return out.getvalue().encode(encoding)


def states() -> dict[int, str]:
    """How every payout stands now."""
    db.session.rollback()
    return {row.id: row.state for row in db.session.execute(
        sa.select(Payout.id, Payout.state).order_by(Payout.id)
    )}  # fmt: skip
