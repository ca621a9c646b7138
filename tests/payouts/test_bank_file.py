"""The file for the bank: documented to the byte, safe to open, and only of what was released."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from canteen.canteens.models import Operator
from canteen.db import transaction
from canteen.payouts import bank_file, batching, finding
from canteen.territory.actors import Actor
from tests.factories import City
from tests.payouts.banking import release
from tests.settlements.factories import AFTER_AT


def test_it_says_what_is_paid_and_proves_itself(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = release(maker, checker)
    content = bank_file.written(batch.id)
    assert content.startswith(b"\xef\xbb\xbf") and b"\n" not in content.replace(b"\r\n", b"")
    text = content.decode("utf-8-sig")
    head, heading, *lines = csv.reader(io.StringIO(text))
    body = text.split("\r\n", 1)[1]
    assert head == [
        "H", f"B{batch.id:06d}", "20261102", "3",
        bank_file.amount_of(batch.total_fen), bank_file.checksum(body),
    ]
    assert heading == ["流水号", "收款户名", "收款账号", "金额", "用途"]
    assert {tuple(line) for line in lines} == {
        (
            f"P{one.payout.id}-B{batch.id}", one.operator or one.payee, one.line.account,
            f"{one.line.amount_fen // 100}.{one.line.amount_fen % 100:02d}",
            "2026年10月助餐补贴到账" if one.statement.payee == "elder"
            else "2026年10月养老助餐补贴",
        )
        for one in finding.lines_of(batch.id)
    }
    assert bank_file.written(batch.id) == content, "the same bytes whenever it is asked for"


def test_one_byte_altered_shows_in_the_checksum(
    approved: City, maker: Actor, checker: Actor
) -> None:
    text = bank_file.written(release(maker, checker).id).decode("utf-8-sig")
    head, body = text.split("\r\n", 1)
    assert bank_file.checksum(body.replace("acct_operator_1", "acct_operator_7")) not in head


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+86", "'+86"), ("@cmd", "'@cmd"), ("-1", "'-1"),
        ("＝1+1", "'＝1+1"), ("和味\r\nP9-B9", "和味 P9-B9"), ('和"味,餐饮', '和"味,餐饮'),
        ("\t=1", "'=1"),
    ],
)
def test_a_payees_name_is_no_formula_and_makes_no_line(
    approved: City, maker: Actor, checker: Actor, name: str, written: str
) -> None:
    with transaction() as session:
        session.execute(sa.update(Operator).values(name=sa.literal(name) + sa.case(
            (Operator.id == approved.here.operator_id, ""), else_="2"
        )))  # fmt: skip
    batch = release(maker, checker)
    rows = list(csv.reader(io.StringIO(bank_file.written(batch.id).decode("utf-8-sig"))))
    assert len(rows) == 2 + 3
    assert written in {row[1] for row in rows[2:]}


def test_there_is_no_file_of_a_draft_nor_of_another_way(
    approved: City, maker: Actor, checker: Actor
) -> None:
    with transaction():
        batch = batching.make(None, "bank_file", maker, at=AFTER_AT)
    with pytest.raises(bank_file.NoFile):
        bank_file.written(batch.id)
    with transaction():
        batching.cancel(batch.id, "换一种方式", maker, at=AFTER_AT)
    with transaction():
        other = batching.make(None, "gateway", maker, at=AFTER_AT)
    with transaction():
        batching.release(other.id, other.digest, checker, at=AFTER_AT)
    with pytest.raises(bank_file.NoFile):
        bank_file.written(other.id)
    with pytest.raises(batching.BatchNotFound):
        bank_file.written(999)
