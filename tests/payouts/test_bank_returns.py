"""Files a bank sends back: what matches counts once, the rest is listed, nasty ones refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.ledger.balances import balances, unbalanced
from canteen.payouts import bank_returns, finding, retrying
from canteen.payouts.models import BankReturn, PayoutBatch
from canteen.payouts.reading_returns import BadFile, read
from canteen.settlements.models import Payout, Statement
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City
from tests.payouts.banking import HEADING, Row, answers, file_of, release, states
from tests.settlements.factories import AFTER_AT, statement_of

GOOD: Row = ("P1-B1", "acct_operator_1", "42.00", "成功", "BK1", "")


@pytest.fixture
def batch(approved: City, maker: Actor, checker: Actor) -> PayoutBatch:
    return release(maker, checker)


def take(content: bytes, by: Actor, name: str = "回盘.csv") -> bank_returns.Outcome:
    with transaction():
        return bank_returns.take_in(content, name, by, at=AFTER_AT)


def test_what_arrived_is_paid_and_booked(
    approved: City, batch: PayoutBatch, taker: Actor
) -> None:
    outcome = take(file_of(answers(batch.id)), taker)
    assert (outcome.paid, outcome.failed, outcome.unmatched) == (3, 0, [])
    assert set(states().values()) == {"paid"}
    assert finding.batch(batch.id).state == "done"
    assert {one.stage for one in db.session.scalars(sa.select(Statement))} == {"paid"}
    here = statement_of(approved.here)
    assert balances(f"canteen:{approved.here.id}")["bank"] == here.total_fen
    assert list(unbalanced()) == []
    assert verify() == []


def test_the_same_file_again_says_so_and_changes_nothing(
    approved: City, batch: PayoutBatch, taker: Actor
) -> None:
    content = file_of(answers(batch.id))
    first = take(content, taker)
    again = take(content, taker, "另一个名字.csv")
    assert again.already and (again.id, again.paid) == (first.id, 3)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankReturn)) == 1
    # The same results in another file are no news either.
    other = take(file_of(answers(batch.id), encoding="gb18030"), taker)
    assert not other.already and (other.paid, other.unchanged, other.unmatched) == (0, 3, [])


def test_failed_ones_can_be_paid_anew_and_a_payment_sent_back_is_taken_back(
    approved: City, batch: PayoutBatch, maker: Actor, checker: Actor, taker: Actor
) -> None:
    first, second, third = answers(batch.id)
    rows = [first, (*second[:3], "失败", "", "账户已销户"), third]
    outcome = take(file_of(rows), taker)
    assert (outcome.paid, outcome.failed) == (2, 1)
    failed = next(id_ for id_, state in states().items() if state == "failed")
    assert finding.lines_of(batch.id)[0].line.failure == "账户已销户"
    with transaction():
        assert retrying.retry(failed, maker, at=AFTER_AT) == "ready"
    again = release(checker, maker)
    assert take(file_of(answers(again.id)), taker).paid == 1
    back = (*first[:3], "退汇", "BK-back", "户名不符")
    assert take(file_of([back]), taker).failed == 1
    assert sorted(states().values()) == ["failed", "paid", "paid"]
    here = next(one for one in finding.lines_of(batch.id) if one.line.failure == "户名不符")
    assert here.statement.stage == "approved"
    assert list(unbalanced()) == [] and verify() == []
    # The bank's first word comes once more, late: the money was sent back, and stays so.
    late = take(file_of([first, ("P99-B99", "x", "1.00", "失败", "", "")]), taker)
    assert late.paid == 0 and [one["field"] for one in late.unmatched] == ["result", "reference"]


def test_a_reason_that_names_the_account_is_kept_with_its_end_only(
    batch: PayoutBatch, taker: Actor
) -> None:
    first, *rest = answers(batch.id, "失败")
    take(file_of([(*first[:5], f"账号{first[1]}不存在"), *rest]), taker)
    kept = {one.line.failure for one in finding.lines_of(batch.id)}
    kept |= set(db.session.scalars(sa.select(Payout.failure)))
    told = [str(each.detail) for each in db.session.query(AuditRecord)]
    assert f"账号…{first[1][-4:]}不存在" in kept
    assert not any(first[1] in str(each) for each in [*kept, *told])


@pytest.mark.parametrize("result", ["成功", "失败", "退汇"])
def test_who_made_or_released_a_batch_does_not_say_what_became_of_it(
    batch: PayoutBatch, maker: Actor, taker: Actor, checker: Actor, result: str
) -> None:
    rows = answers(batch.id, result)
    # Hidden behind a line of nobody's, and in a file of one line, it is the same.
    for forged in (rows, rows[:1], [("P99-B99", "x", "1.00", result, "", ""), rows[1]]):
        for own in (maker, checker):
            with pytest.raises(bank_returns.OwnBatch) as refused:
                take(file_of(forged), own)
            for said in refused.value.text:
                assert f"B{batch.id:06d}" in said
    assert set(states().values()) == {"waiting"}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankReturn)) == 0
    take(file_of(rows), taker)
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "take_bank_return")
    ).one()
    assert (record.actor, record.detail["batches"]) == (taker.label, [batch.id])


def altered(rows: list[Row], number: int, place: int, value: str) -> list[Row]:
    row = list(rows[number])
    row[place] = value
    return [*rows[:number], tuple(row), *rows[number + 1 :]]


@pytest.mark.parametrize(
    ("alter", "row", "field"),
    [
        (lambda rows: altered(rows, 0, 0, "P1-B77"), 2, "reference"),
        (lambda rows: altered(rows, 0, 0, "P1-B" + "9" * 15), 2, "reference"),
        (lambda rows: altered(rows, 0, 0, "p1-b1"), 2, "reference"),
        (lambda rows: altered(rows, 1, 2, "999999999.99"), 3, "amount"),
        (lambda rows: altered(rows, 2, 1, "6217****0000"), 4, "account"),
    ],
)
def test_a_row_that_matches_nothing_is_listed_and_changes_nothing(
    batch: PayoutBatch, taker: Actor, alter: Callable[[list[Row]], list[Row]], row: int,
    field: str,
) -> None:  # fmt: skip
    outcome = take(file_of(alter(answers(batch.id))), taker)
    assert (outcome.paid, outcome.failed) == (2, 0)
    assert [(one["row"], one["field"]) for one in outcome.unmatched] == [(row, field)]
    assert all(one["zh"] and one["en"] for one in outcome.unmatched)
    assert sorted(states().values()) == ["paid", "paid", "waiting"]


def test_a_reference_that_stands_twice_is_not_believed_either_time(
    batch: PayoutBatch, taker: Actor
) -> None:
    rows = answers(batch.id)
    twice = [*rows, (*rows[0][:3], "失败", "", "余额不足")]
    outcome = take(file_of(twice), taker)
    assert outcome.paid == 2
    assert [(one["row"], one["field"]) for one in outcome.unmatched] == [
        (2, "reference"), (5, "reference"),
    ]
    assert sorted(states().values()) == ["paid", "paid", "waiting"]


def test_one_reference_of_the_bank_pays_one_payout(batch: PayoutBatch, taker: Actor) -> None:
    rows = [(*row[:4], "BK-SAME", "") for row in answers(batch.id)]
    outcome = take(file_of(rows), taker)
    assert outcome.paid == 1
    assert [one["field"] for one in outcome.unmatched] == ["bank_reference"] * 2
    assert take(file_of([(*rows[1][:5], "once more")]), taker).paid == 0


def test_a_bank_reference_that_is_anothers_own_pays_no_second_one(
    batch: PayoutBatch, taker: Actor
) -> None:
    first, second, *_ = answers(batch.id)
    nameless, twin = (*first[:4], "", ""), (*second[:4], first[0], "")
    outcome = take(file_of([nameless, twin]), taker)
    assert (outcome.paid, len(outcome.unmatched)) == (1, 1)
    assert outcome.unmatched[0]["field"] == "bank_reference"


def test_a_masked_account_is_known_by_its_end(batch: PayoutBatch, taker: Actor) -> None:
    rows = [(row[0], f"****{row[1][-4:]}", *row[2:]) for row in answers(batch.id)]
    assert take(file_of(rows), taker).paid == 3


def test_what_was_paid_does_not_fail_afterwards(batch: PayoutBatch, taker: Actor) -> None:
    take(file_of(answers(batch.id)), taker)
    outcome = take(file_of(answers(batch.id, "失败")), taker)
    assert (outcome.paid, outcome.failed, len(outcome.unmatched)) == (0, 0, 3)
    assert set(states().values()) == {"paid"}


def test_lines_that_go_through_the_provider_are_no_banks_business(
    approved: City, taker: Actor
) -> None:
    from tests.settlements.factories import pay_all

    other = pay_all()
    assert other is not None
    outcome = take(file_of(answers(other.id)), taker)
    assert (outcome.paid, len(outcome.unmatched)) == (0, 3)
    assert set(states().values()) == {"waiting"}


NASTY: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 1, ""),
    "only a heading": (file_of([]), 1, ""),
    "no amount column": (file_of([GOOD], ("流水号", "收款账号", "数额", *HEADING[3:])), 1, "金额"),
    "a column twice": (file_of([(*GOOD, "1.00")], (*HEADING, "金额")), 1, "金额"),
    "a cell missing": (file_of([GOOD, GOOD[:5]]), 3, ""),
    "a cell too many": (file_of([(*GOOD, "x")]), 2, ""),
    "no reference": (file_of([("", *GOOD[1:])]), 2, "流水号"),
    "no account": (file_of([(GOOD[0], " ", *GOOD[2:])]), 2, "收款账号"),
    "amount without digits": (file_of([(*GOOD[:2], "42", *GOOD[3:])]), 2, "金额"),
    "amount with a comma": (file_of([(*GOOD[:2], "1,042.00", *GOOD[3:])]), 2, "金额"),
    "negative amount": (file_of([(*GOOD[:2], "-42.00", *GOOD[3:])]), 2, "金额"),
    "full-width amount": (file_of([(*GOOD[:2], "４２.00", *GOOD[3:])]), 2, "金额"),
    "amount of a spreadsheet": (file_of([(*GOOD[:2], "4.2E+01", *GOOD[3:])]), 2, "金额"),
    "an unknown result": (file_of([GOOD, (*GOOD[:3], "处理中", *GOOD[4:])]), 3, "结果"),
    "UTF-16": (file_of([GOOD]).decode("utf-8-sig").encode("utf-16"), 1, ""),
    "a NUL": (file_of([GOOD]) + b"\0", 1, ""),
    "no text at all": (b"\xff\xd8\xff\xe0" + b"\x81" * 50, 1, ""),
    "an open quote": (file_of([GOOD]) + b'"P2-B1,acct', 1, ""),
    "a workbook": (b"PK\x03\x04" + b"\x00" * 100, 1, ""),
    "too large": (b"x" * (4 * 1024 * 1024 + 1), 1, ""),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_malformed_file_is_refused_as_a_whole_naming_row_and_column(name: str) -> None:
    content, row, column = NASTY[name]
    with pytest.raises(BadFile) as refused:
        read(content)
    assert refused.value.row == row
    if column:
        assert f"“{column}”" in refused.value.text.zh
    assert refused.value.text.en


def test_nothing_of_a_malformed_file_counts(batch: PayoutBatch, taker: Actor) -> None:
    rows = answers(batch.id)
    content = file_of([*rows[:2], (*rows[2][:3], "成功了", *rows[2][4:])])
    with transaction(), pytest.raises(BadFile):
        bank_returns.take_in(content, "x.csv", taker, at=AFTER_AT)
    assert set(states().values()) == {"waiting"}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankReturn)) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_a_bank_writes_is_read(encoding: str) -> None:
    english = ("reference", "account", "amount", "result", "bank_reference", "reason")
    rows = [("P1-B1", "'6217001", "42.00", "Failed", "", "'=账户\u3000冻结")]
    for heading in (HEADING, english, tuple(reversed(HEADING))):
        given = rows if heading[0] != HEADING[-1] else [tuple(reversed(rows[0]))]
        (one,) = read(file_of(given, heading, encoding))
        assert (one.reference, one.account, one.amount_fen) == ("P1-B1", "6217001", 4200)
        assert (one.result, one.reason) == ("failed", "=账户 冻结")
