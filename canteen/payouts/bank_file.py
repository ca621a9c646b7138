"""The file of a released batch for the bank, in the layout of docs/bank-file.md."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Operator
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Conflict
from canteen.papers.tables import is_formula
from canteen.payouts import finding
from canteen.payouts.batching import BATCH_STATES
from canteen.payouts.models import PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.models import Payout, Statement
from canteen.words import Text, month

MARK = "\ufeff"
HEADING = ("流水号", "收款户名", "收款账号", "金额", "用途")
PURPOSE_MOST = 30
NAME_MOST = 60
CHECKSUM = 16


class NoFile(Conflict):
    """There is only a file of a batch for the bank, and only once it was released."""

    code = "no_bank_file"
    text = Text("这个批次没有银行文件（{state}）", "There is no bank file of this batch ({state})")


def written(batch_id: int) -> bytes:
    """The file of a released batch: the same bytes whenever it is asked for.

    Refuses with BatchNotFound, and NoFile before it was released or when it goes another way.
    """
    batch = finding.batch(batch_id)
    if batch.way != "bank_file" or batch.state not in ("released", "done"):
        raise NoFile(state=BATCH_STATES[batch.state])
    lines = [_written(row) for row in _rows(batch_id)]
    body = "".join([_line(HEADING), *lines])
    head = (
        "H", number_of(batch_id), f"{clock.business_date(batch.released_at):%Y%m%d}",
        str(batch.count), amount_of(batch.total_fen), checksum(body),
    )
    return (MARK + _line(head) + body).encode()


def checksum(body: str) -> str:
    """The first sixteen hexadecimal digits of the SHA-256 of all lines below the first."""
    return hashlib.sha256(body.encode()).hexdigest()[:CHECKSUM]


def reference_of(batch_id: int, payout_id: int) -> str:
    """What the bank sends back with a line: "P31-B7" is payout 31 in batch 7."""
    return f"P{payout_id}-B{batch_id}"


def number_of(batch_id: int) -> str:
    """A batch's number as the bank sees it: "B000007"."""
    return f"B{batch_id:06d}"


def name_of(batch_id: int) -> str:
    """The file's name."""
    return f"canteen-{number_of(batch_id)}.csv"


def amount_of(fen: int) -> str:
    """Fen as yuan with two digits and nothing else: "1234.50"."""
    return f"{fen // 100}.{fen % 100:02d}"


def _rows(batch_id: int) -> Any:
    name = sa.case((Statement.payee == "canteen", Operator.name), else_=Elder.name)
    query = (
        paying_out.payees(sa.select(
            PayoutLine.payout_id, PayoutLine.batch_id, PayoutLine.account, PayoutLine.amount_fen,
            name.label("name"), Statement.period, Statement.payee,
        ))
        .join(Payout, Payout.statement_id == Statement.id)
        .join(PayoutLine, PayoutLine.payout_id == Payout.id)
        .where(PayoutLine.batch_id == batch_id)
        .order_by(PayoutLine.payout_id)
    )  # fmt: skip
    return db.session.execute(query)


def _written(row: Any) -> str:
    what = "养老助餐补贴" if row.payee == "canteen" else "助餐补贴到账"
    return _line((
        reference_of(row.batch_id, row.payout_id), _kept(row.name, NAME_MOST),
        _kept(row.account, NAME_MOST), amount_of(row.amount_fen),
        _kept(month(row.period).zh + what, PURPOSE_MOST),
    ))  # fmt: skip


def _kept(text: str, most: int) -> str:
    """A text on one line, of at most `most` characters, that no spreadsheet takes for a formula."""
    plain = "".join(
        " " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text or ""
    )
    plain = " ".join(plain.split())
    return (("'" + plain) if is_formula(plain) else plain)[:most]


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
