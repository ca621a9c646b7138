"""The file the bank sends back: read strictly, each line matched by reference, sum and account."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.errors import Forbidden
from canteen.payouts import arriving
from canteen.payouts.bank_file import amount_of, number_of, reference_of
from canteen.payouts.batching import must_be_person
from canteen.payouts.models import BankReturn, PayoutBatch, PayoutLine
from canteen.payouts.reading_returns import Returned, plain, read
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor
from canteen.words import Text

TAIL = 4
REFERENCE = re.compile(r"P(\d{1,15})-B(\d{1,15})", re.ASCII)
WRONG = {
    "unknown": Text("不是我们发出的流水号", "no line of ours"),
    "doubled": Text("同一流水号在文件里出现多次", "stands in the file more than once"),
    "amount": Text("金额与放行的 {ours} 元不一致", "the amount is not the {ours} yuan released"),
    "account": Text("账号与放行的不一致", "the account is not the one released"),
    "other_result": Text(
        "先前已记为{state}，与这次不一致", "was noted before as {state}, which this contradicts"
    ),
    "used": Text(
        "这个银行流水号已用于另一笔付款", "this bank reference stands for another payment already"
    ),
}
STATES = {"paid": Text("已到账", "paid"), "failed": Text("失败", "failed"),
          "waiting": Text("等待结果", "waiting")}  # fmt: skip


class OwnBatch(Forbidden):
    """Whoever made or released a batch may not say what became of it."""

    code = "own_batch"
    text = Text(
        "文件里有您编制或放行的批次（{batches}），须由第三位同事导入，本次没有改动",
        "You made or released {batches}; a third person must take its results in,"
        " nothing was changed",
    )


@dataclass
class Outcome:
    """What a file came to. `already`: it was taken in before, and nothing was changed now."""

    id: int
    paid: int = 0
    failed: int = 0
    unchanged: int = 0
    already: bool = False
    unmatched: list[dict[str, Any]] = field(default_factory=list)


def take_in(content: bytes, file_name: str, by: Actor, *, at: datetime) -> Outcome:
    """Take in a file the bank sent back, once: what arrived, what failed, what was sent back.

    Rows that match no line of ours, stand twice, or name another sum or account change nothing
    and are listed with row and field. The same file again says so and changes nothing. Refuses
    with BadFile, naming row and column, a file that is malformed anywhere: then none of it counts,
    nor with OwnBatch, where the actor made or released one of the batches named.
    """
    must_be_person(by)
    rows = read(content)
    batches = _must_be_a_colleagues(rows, by)
    digest = hashlib.sha256(content).hexdigest()
    row = {
        "digest": digest, "file_name": plain(file_name, 120), "lines": len(rows), "paid": 0,
        "failed": 0, "unmatched": [], "taken_by": by.label, "taken_at": at,
    }
    made = db.session.execute(
        insert(BankReturn.__table__).values(row)
        .on_conflict_do_nothing(index_elements=["digest"]).returning(BankReturn.id)
    ).scalar()  # fmt: skip
    if made is None:
        known = db.session.scalars(
            sa.select(BankReturn).where(BankReturn.digest == digest)
        ).one()  # fmt: skip
        return Outcome(
            known.id, known.paid, known.failed, already=True, unmatched=known.unmatched
        )
    outcome = Outcome(made)
    _match(rows, outcome, by, at)
    db.session.execute(
        sa.update(BankReturn).where(BankReturn.id == made)
        .values(paid=outcome.paid, failed=outcome.failed, unmatched=outcome.unmatched)
    )  # fmt: skip
    detail = {
        "lines": len(rows), "paid": outcome.paid, "failed": outcome.failed,
        "unmatched": len(outcome.unmatched), "sha256": digest, "batches": batches[:200],
    }
    record(by.label, "take_bank_return", "bank_return", made, detail)
    return outcome


def _must_be_a_colleagues(rows: list[Returned], by: Actor) -> list[int]:
    """The batches a file names. Refuses with OwnBatch one that the actor made or released: with
    a file made up at one's own desk nobody says of their own batch that money arrived, or never
    did, and so gets it into another."""
    named = sorted({
        int(found[2]) for one in rows if (found := REFERENCE.fullmatch(one.reference))
    })  # fmt: skip
    known: dict[int, tuple[str | None, str]] = {}
    for start in range(0, len(named), 500):
        known |= {
            row.id: (row.released_by, row.made_by) for row in db.session.execute(
                sa.select(PayoutBatch.id, PayoutBatch.released_by, PayoutBatch.made_by)
                .where(PayoutBatch.id.in_(named[start : start + 500]))
            )
        }  # fmt: skip
    own = [number_of(batch_id) for batch_id in sorted(known) if by.label in known[batch_id]]
    if own:
        said = Text("、".join(own[:5]), ", ".join(own[:5]))
        raise OwnBatch(batches=said, field="file")
    return sorted(known)


def _match(rows: list[Returned], outcome: Outcome, by: Actor, at: datetime) -> None:
    """Bring every row to its line; what cannot be told for certain is only listed."""
    times = Counter(one.reference for one in rows)
    lines = _lines({one.reference for one in rows})
    used = _used(rows)
    paid: dict[int, str | None] = {}
    failed: dict[int, str] = {}
    for one in rows:
        line = lines.get(one.reference)
        why, column = _wrong(one, line, times[one.reference], used)
        if why is not None or line is None:
            said = (why or WRONG["unknown"])._asdict()
            outcome.unmatched.append(
                {"row": one.row, "field": column, "reference": one.reference, **said}
            )
            continue
        if one.result == "paid" and line.state == "waiting":
            paid[line.payout_id] = _kept(one)
            used.add(_kept(one))
        elif line.state == "waiting":
            failed[line.payout_id] = one.reason or "refused by the bank"
        elif one.result == "returned" and line.state == "paid":
            arriving.came_back(
                line.payout_id, line.statement_id, one.reason or "sent back by the bank", by, at
            )
            outcome.failed += 1
        else:
            outcome.unchanged += 1
    arriving.arrived(paid, by, at)
    arriving.failed(failed, by, at)
    outcome.paid, outcome.failed = len(paid), outcome.failed + len(failed)


def _wrong(
    one: Returned, line: Any, times: int, used: set[str]
) -> tuple[Text | None, str]:
    """What keeps a row from being believed, and in which column."""
    if times > 1:
        return WRONG["doubled"], "reference"
    if line is None:
        return WRONG["unknown"], "reference"
    if one.amount_fen != line.amount_fen:
        return WRONG["amount"].format(ours=amount_of(line.amount_fen)), "amount"
    if one.account[-TAIL:] != line.account[-TAIL:]:
        return WRONG["account"], "account"
    state = "failed" if line.state == "failed" or line.batch_id != line.lies_in else line.state
    fits = {"paid": ("waiting", "paid"), "failed": ("waiting", "failed"),
            "returned": ("waiting", "paid", "failed")}[one.result]  # fmt: skip
    if state not in fits:
        return WRONG["other_result"].format(state=STATES[state]), "result"
    if one.result == "paid" and state == "waiting" and _kept(one) in used:
        return WRONG["used"], "bank_reference"
    return None, ""


def _lines(references: set[str]) -> dict[str, Any]:
    """The lines of bank files these references name, held, by reference."""
    wanted = {
        (int(found[1]), int(found[2]))
        for reference in references if (found := REFERENCE.fullmatch(reference))
    }  # fmt: skip
    lines: dict[str, Any] = {}
    ids = sorted({batch_id for _, batch_id in wanted})
    for start in range(0, len(ids), 500):
        query = (
            sa.select(
                PayoutLine.payout_id, PayoutLine.batch_id, PayoutLine.account,
                PayoutLine.amount_fen, PayoutLine.state, Payout.statement_id,
                Payout.batch_id.label("lies_in"),
            )
            .join(PayoutBatch, PayoutBatch.id == PayoutLine.batch_id)
            .join(Payout, Payout.id == PayoutLine.payout_id)
            .where(
                PayoutBatch.id.in_(ids[start : start + 500]), PayoutBatch.way == "bank_file",
                PayoutBatch.state.in_(("released", "done")),
            )
            .order_by(Payout.id).with_for_update(of=Payout.__table__)
        )  # fmt: skip
        for row in db.session.execute(query):
            if (row.payout_id, row.batch_id) in wanted:
                lines[reference_of(row.batch_id, row.payout_id)] = row
    return lines


def _kept(one: Returned) -> str:
    """What a payment of this row is kept under, once for ever: the bank's reference, or ours."""
    return f"bank:{one.bank_reference or one.reference}"[:60]


def _used(rows: list[Returned]) -> set[str]:
    """What of these rows stands for a payment already."""
    names = sorted({_kept(one) for one in rows})
    taken: set[str] = set()
    for start in range(0, len(names), 500):
        query = sa.select(PayoutLine.reference).where(
            PayoutLine.reference.in_(names[start : start + 500])
        )
        taken.update(str(one) for one in db.session.scalars(query))
    return taken
