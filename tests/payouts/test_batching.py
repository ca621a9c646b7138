"""Batches: made by one, released by another, of exactly the lines the second one saw."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.canteens.models import Operator
from canteen.db import db, is_postgresql, transaction
from canteen.errors import Forbidden
from canteen.payments.models import OutboxMessage
from canteen.payouts import arriving, batching, finding, retrying
from canteen.payouts.models import PayoutBatch, PayoutLine
from canteen.settlements import paying_out
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor
from tests.factories import City
from tests.settlements.factories import AFTER_AT, JOB


def make(by: Actor, ids: list[int] | None = None, way: str = "gateway") -> PayoutBatch:
    with transaction():
        return batching.make(ids, way, by, at=AFTER_AT)


def release(batch: PayoutBatch, by: Actor, digest: str | None = None) -> None:
    with transaction():
        batching.release(batch.id, batch.digest if digest is None else digest, by, at=AFTER_AT)


def payouts() -> list[Payout]:
    query = sa.select(Payout).order_by(Payout.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def messages() -> list[OutboxMessage]:
    query = sa.select(OutboxMessage).where(OutboxMessage.kind == "transfer")
    return list(db.session.scalars(
        query.order_by(OutboxMessage.id).execution_options(populate_existing=True)
    ))  # fmt: skip


def batch_now(batch_id: int) -> PayoutBatch:
    return db.session.get_one(PayoutBatch, batch_id, populate_existing=True)


def test_nothing_is_sent_before_a_second_person_has_released_it(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = make(maker)
    assert (batch.state, batch.count) == ("draft", 3)
    assert batch.total_fen == sum(one.amount_fen for one in payouts())
    assert {one.state for one in payouts()} == {"ready"} and messages() == []
    with transaction(), pytest.raises(batching.SameHand):
        batching.release(batch.id, batch.digest, maker, at=AFTER_AT)
    assert messages() == []
    release(batch, checker)
    sent = messages()
    assert [one.reference for one in sent] == [f"payout:{one.id}" for one in payouts()]
    assert {one.key for one in sent} == {
        f"payout-2026-10-canteen-{approved.here.id}-b{batch.id}",
        f"payout-2026-10-canteen-{approved.elsewhere.id}-b{batch.id}",
        f"payout-2026-10-elder-{approved.extra['second'].id}-b{batch.id}",
    }
    assert [one.payload["amount_fen"] for one in sent] == [one.amount_fen for one in payouts()]
    assert {one.state for one in payouts()} == {"waiting"}
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "release_batch")
    ).one()
    assert record.actor == checker.label and record.detail["digest"] == batch.digest


def test_released_twice_it_is_sent_once(approved: City, maker: Actor, checker: Actor) -> None:
    batch = make(maker)
    release(batch, checker)
    with transaction(), pytest.raises(batching.NotDraft):
        batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
    assert len(messages()) == 3


def test_what_was_shown_is_what_is_released(approved: City, maker: Actor, checker: Actor) -> None:
    batch = make(maker)
    with transaction(), pytest.raises(batching.LinesChanged):
        batching.release(batch.id, "0" * 64, checker, at=AFTER_AT)
    with transaction(), pytest.raises(batching.LinesChanged):
        batching.release(batch.id, "", checker, at=AFTER_AT)
    with transaction() as session:  # somebody meddles with the database after it was shown
        session.execute(
            sa.update(PayoutLine).where(PayoutLine.batch_id == batch.id)
            .values(account="acct_thief")
        )  # fmt: skip
    with transaction(), pytest.raises(batching.LinesChanged):
        batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
    assert messages() == []


def test_an_account_that_changed_meanwhile_stops_the_release(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = make(maker)
    with transaction() as session:
        session.execute(
            sa.update(Operator).where(Operator.id == approved.here.operator_id)
            .values(payout_account="acct_newer")
        )  # fmt: skip
    with transaction(), pytest.raises(batching.AccountChanged):
        batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
    with transaction():
        batching.cancel(batch.id, "账户已变更", maker, at=AFTER_AT)
    again = make(maker)
    assert "acct_newer" in {one.line.account for one in finding.lines_of(again.id)}
    release(again, checker)
    assert "acct_newer" in {one.payload["account"] for one in messages()}


def test_a_payout_lies_in_one_batch_only(approved: City, maker: Actor, checker: Actor) -> None:
    first, second, third = (one.id for one in payouts())
    make(maker, [first])
    with transaction(), pytest.raises(batching.NotReady):
        batching.make([first, second], "gateway", checker, at=AFTER_AT)
    other = make(checker, None, "bank_file")
    assert {one.payout.id for one in finding.lines_of(other.id)} == {second, third}
    with transaction(), pytest.raises(batching.NothingToPay):
        batching.make(None, "gateway", maker, at=AFTER_AT)
    assert finding.ready_sums() == (0, 0)


def test_two_makers_at_once_put_a_payout_into_one_batch(
    app: Flask, approved: City, maker: Actor, checker: Actor
) -> None:
    def second() -> Exception | PayoutBatch:
        with app.app_context():
            try:
                return make(checker)
            except batching.NothingToPay as refusal:
                return refusal
            finally:
                db.session.remove()

    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            batching.make(None, "gateway", maker, at=AFTER_AT)
            other = pool.submit(second)
            while is_postgresql() and not other.done() and not session.scalar(waits):
                time.sleep(0.02)
        assert isinstance(other.result(30), batching.NothingToPay)


def test_a_draft_let_go_leaves_its_payouts_ready(approved: City, maker: Actor) -> None:
    batch = make(maker)
    with transaction():
        batching.cancel(batch.id, "先不付款", maker, at=AFTER_AT)
    assert batch_now(batch.id).state == "cancelled"
    assert {(one.state, one.batch_id) for one in payouts()} == {("ready", None)}
    assert finding.ready_sums()[0] == 3
    with transaction(), pytest.raises(batching.NotDraft):
        batching.cancel(batch.id, "再取消一次", maker, at=AFTER_AT)


def test_only_people_of_the_city_make_and_release(approved: City, maker: Actor) -> None:
    for who in (JOB, approved.extra["hands"].district):
        with transaction(), pytest.raises(Forbidden):
            batching.make(None, "gateway", who, at=AFTER_AT)
    batch = make(maker)
    for who in (JOB, approved.extra["hands"].district):
        with transaction(), pytest.raises(Forbidden):
            batching.release(batch.id, batch.digest, who, at=AFTER_AT)
    with transaction(), pytest.raises(batching.BatchNotFound):
        batching.release(999, batch.digest, maker, at=AFTER_AT)


def test_a_batch_is_done_when_every_line_has_ended(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = make(maker)
    release(batch, checker)
    first, second, third = messages()
    note(first, state="done", provider_id="tr_1")
    note(second, state="dead", last_error="refused: resource_missing: no such destination")
    assert batch_now(batch.id).state == "released"
    note(third, state="done", provider_id="tr_3")
    done = batch_now(batch.id)
    assert done.state == "done" and done.ended_at is not None
    lines = finding.lines_of(batch.id)
    assert Counter(one.line.state for one in lines) == {"paid": 2, "failed": 1}
    assert lines[0].line.failure == "refused: resource_missing: no such destination"
    assert {one.line.reference for one in lines} == {"tr_1", "tr_3", None}


def test_only_what_failed_goes_into_another_batch(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = make(maker)
    release(batch, checker)
    for number, message in enumerate(messages()):
        if number == 1:
            note(message, state="dead", last_error="refused: resource_missing")
        else:
            note(message, state="done", provider_id=f"tr_{number}")
    failed = next(one for one in payouts() if one.state == "failed")
    with transaction():
        assert retrying.retry(failed.id, maker, at=AFTER_AT) == "ready"
    again = make(checker, None, "bank_file")
    assert (again.count, again.total_fen) == (1, failed.amount_fen)
    release(again, maker)
    sendings = (
        sa.select(PayoutLine.state, PayoutBatch.way)
        .join(PayoutBatch, PayoutBatch.id == PayoutLine.batch_id)
        .where(PayoutLine.payout_id == failed.id).order_by(PayoutLine.id)
    )  # fmt: skip
    assert db.session.execute(sendings).all() == [("failed", "gateway"), ("waiting", "bank_file")]
    assert len(messages()) == 3, "what goes by bank file is not in the outbox"
    # Whatever the outbox still says of the earlier attempt, the bank decides now.
    with transaction():
        assert arriving.record_results(by=JOB, at=AFTER_AT) == arriving.Results()


def test_what_is_unclear_goes_no_other_way(approved: City, maker: Actor, checker: Actor) -> None:
    batch = make(maker)
    release(batch, checker)
    unclear, *others = messages()
    note(unclear, state="dead", last_error="down: 503: unavailable", attempts=12)
    for number, message in enumerate(others):
        note(message, state="done", provider_id=f"tr_{number}")
    failed = next(one for one in payouts() if one.state == "failed")
    assert batch_now(batch.id).state == "done"
    with transaction(), pytest.raises(batching.NotReady):
        batching.make([failed.id], "bank_file", maker, at=AFTER_AT)
    with transaction():
        assert retrying.retry(failed.id, maker, at=AFTER_AT) == "asked"
    with transaction(), pytest.raises(batching.NotReady):
        batching.make([failed.id], "bank_file", maker, at=AFTER_AT)
    assert batch_now(batch.id).state == "released", "it waits for that answer again"
    note(messages()[0], state="done", provider_id="tr_9")
    assert batch_now(batch.id).state == "done"
    assert {one.state for one in payouts()} == {"paid"}


def test_a_late_word_that_it_did_arrive_is_believed(
    approved: City, maker: Actor, checker: Actor
) -> None:
    batch = make(maker)
    release(batch, checker)
    note(messages()[0], state="dead", last_error="down: 503: unavailable", attempts=12)
    failed = next(one for one in payouts() if one.state == "failed")
    with transaction():
        assert arriving.told("tr_late", "succeeded", payout_id=failed.id, at=AFTER_AT)
    assert messages()[0].state == "done"
    assert db.session.get_one(Payout, failed.id, populate_existing=True).state == "paid"


def test_an_approval_undone_takes_its_payout_back_only_before_a_batch(
    approved: City, maker: Actor
) -> None:
    first, second, _ = payouts()
    with transaction():
        assert paying_out.withdraw([first.statement_id]) == 1
    make(maker, [second.id])
    with transaction(), pytest.raises(paying_out.PayoutUnderWay):
        paying_out.withdraw([second.statement_id])


def note(message: OutboxMessage, **values: object) -> None:
    """A message ended like this, and the payouts heard of it."""
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage).where(OutboxMessage.id == message.id).values(**values)
        )
    with transaction():
        arriving.record_results(by=JOB, at=AFTER_AT)
