"""Reconciliation: a lost notice is found by asking, and whatever does not agree is listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import stripe

from canteen import clock, delivering, jobs
from canteen.budgets import reconciling as true_ups
from canteen.budgets.models import TrueUp
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.errors import CanteenError
from canteen.ledger.models import Entry
from canteen.ledger.posting import post, reverse
from canteen.orders.models import Order
from canteen.payments.models import Charge, OutboxMessage, ProviderEvent, Refund
from canteen.payouts import explaining, finding, retrying
from canteen.payouts.mismatches import PROBLEMS, Reconciled, Side
from canteen.payouts.models import PayoutBatch, Repayment
from canteen.payouts.reconciling import reconcile
from canteen.settlements.models import Payout, Statement
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City
from tests.payouts.banking import answers, file_of, release, states
from tests.payouts.test_bank_returns import take
from tests.planting import planted
from tests.settlements.factories import AFTER_AT, pay_all, statement_of

ACCOUNTS = ("acct_operator_1", "acct_operator_2", "acct_elder_2")


@pytest.fixture
def provider(
    approved: City, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PretendProvider]:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    with pretending() as provider:
        provider.open_accounts(*ACCOUNTS)
        yield provider


def today() -> Reconciled:
    """All of this month and the last, seen some hours from now."""
    db.session.rollback()
    here = clock.business_date()
    found = reconcile(here - timedelta(days=1), here, at=clock.now() + timedelta(hours=3))
    db.session.rollback()
    return found


def pay() -> PayoutBatch:
    batch = pay_all(clock.now())
    assert batch is not None
    return batch


def deliver(provider: PretendProvider) -> None:
    """Send what is due, hear what the provider has to say, note what was paid."""
    delivering.deliver_outbox()
    delivering.take_notices(provider)
    jobs.send_outbox()


def kinds(found: Reconciled) -> dict[str, int]:
    return {code: side.count for code, side in found.problems.items()}


def test_when_all_goes_well_everything_agrees(
    approved: City, provider: PretendProvider
) -> None:
    assert today().lines == Side(0, 0) and today().agrees
    batch = pay()
    assert kinds(today()) == {"waiting_long": 3}
    deliver(provider)
    found = today()
    assert found.agrees and found.mismatches == []
    everything = Side(3, batch.total_fen)
    assert (found.lines, found.paid, found.sent, found.confirmed, found.booked) == (everything,) * 5
    assert (found.asked, found.waiting, found.by_bank) == (Side(), Side(), Side())
    assert verify() == []


def test_a_lost_notice_is_found_by_asking(approved: City, provider: PretendProvider) -> None:
    pay()
    provider.fail_next("lost_webhook", path="transfer.created")
    deliver(provider)
    found = today()
    assert kinds(found) == {"no_event": 1} and found.confirmed.count == 2
    (lost,) = found.mismatches
    assert lost.reference.startswith("tr_") and lost.payout_id
    assert all(PROBLEMS[lost.problem][1])
    assert delivering.ask_about_payouts(clock.now()) == {
        "asked": 1, "confirmed": 1, "changed": 0, "unknown": 0, "down": 0,
    }
    found = today()
    assert found.agrees and (found.confirmed.count, found.asked.count) == (3, 1)
    assert delivering.ask_about_payouts(clock.now())["asked"] == 0, "asked once is enough"
    assert verify() == []


def test_an_answer_lost_on_the_way_is_found_by_asking_and_nothing_is_sent_twice(
    approved: City, provider: PretendProvider
) -> None:
    pay()
    provider.fail_next("after_commit", times=3, path="/v1/transfers")
    provider.fail_next("lost_webhook", times=3, path="transfer.created")
    assert delivering.deliver_outbox()["down"] == 1
    assert "waiting_long" in kinds(today())
    counts = delivering.ask_about_payouts(clock.now() + timedelta(seconds=1))
    assert (counts["asked"], counts["changed"]) == (1, 1)
    assert sorted(states().values()) == ["paid", "waiting", "waiting"]
    for _ in range(4):
        with transaction() as session:
            session.execute(sa.update(OutboxMessage).values(due_at=clock.now()))
        deliver(provider)
    delivering.ask_about_payouts(clock.now())
    assert today().agrees and len(provider.all("transfer")) == 3
    assert verify() == []


def test_a_payout_the_provider_refuses_is_listed_until_it_is_paid_another_way(
    approved: City, provider: PretendProvider, maker: Actor, checker: Actor, taker: Actor
) -> None:
    with transaction() as session:  # the provider does not know this one
        session.execute(sa.text(
            "UPDATE operators SET payout_account = 'acct_gone' WHERE id = :id"
        ), {"id": approved.here.operator_id})  # fmt: skip
    pay()
    deliver(provider)
    found = today()
    assert kinds(found) == {"failed": 1} and found.paid.count == 2
    (failed,) = found.mismatches
    assert failed.payout_id is not None
    with transaction():
        assert retrying.retry(failed.payout_id, maker, at=clock.now()) == "ready"
    batch = release(maker, checker)
    with transaction() as session:
        session.execute(sa.update(PayoutBatch).values(released_at=clock.now()))
    take(file_of(answers(batch.id)), taker)
    found = today()
    assert found.agrees, found.mismatches
    assert (found.lines.count, found.paid.count, found.by_bank.count) == (4, 3, 1)
    assert len(provider.all("transfer")) == 2 and verify() == []


def test_money_that_came_back_unnoticed_is_found_by_asking(
    approved: City, provider: PretendProvider
) -> None:
    pay()
    deliver(provider)
    with transaction() as session:
        session.execute(sa.delete(ProviderEvent))
    provider.fail_next("lost_webhook", path="transfer.reversed")
    here = db.session.scalars(sa.select(Payout).order_by(Payout.id)).first()
    assert here is not None and here.provider_id
    provider.reverse(here.provider_id)
    assert kinds(today()) == {"no_event": 3}
    counts = delivering.ask_about_payouts(clock.now())
    assert (counts["changed"], counts["confirmed"]) == (1, 2)
    assert sorted(states().values()) == ["failed", "paid", "paid"]
    assert kinds(today()) == {"failed": 1}
    assert verify() == []


def test_while_the_provider_is_down_nothing_is_said_to_be_known(
    approved: City, provider: PretendProvider
) -> None:
    pay()
    provider.fail_next("lost_webhook", times=3, path="transfer.created")
    deliver(provider)
    provider.fail_next("500", times=3)
    assert delivering.ask_about_payouts(clock.now())["down"] == 1
    assert kinds(today()) == {"no_event": 3}


PLANTED = {
    "amount_unlike": "UPDATE provider_events SET payload = {amount_1} WHERE id = '{event}'",
    "foreign_event": "UPDATE provider_events SET payload = {nobody} WHERE id = '{event}'",
    "paid_without_entry": "DELETE FROM postings WHERE entry_id ="
    " (SELECT MIN(id) FROM entries WHERE kind = 'payout')",
    "entry_without_payment": "UPDATE payout_lines SET state = 'failed', reference = 'tr_x'"
    " WHERE id = (SELECT MIN(id) FROM payout_lines)",
    "no_message": "UPDATE outbox SET key = 'payout-other' WHERE id ="
    " (SELECT MIN(id) FROM outbox WHERE kind = 'transfer')",
    "came_back": "UPDATE provider_events SET kind = 'transfer.reversed' WHERE id = '{event}'",
    "paid_at_provider": "UPDATE payout_lines SET state = 'waiting', reference = NULL"
    " WHERE id = (SELECT MIN(id) FROM payout_lines)",
    "unclear": "UPDATE outbox SET state = 'dead', last_error = 'down: 503' WHERE id ="
    " (SELECT MIN(id) FROM outbox WHERE kind = 'transfer')",
    "entry_alone": "UPDATE entries SET memo = 'payout:999' WHERE id ="
    " (SELECT MIN(id) FROM entries WHERE kind = 'payout')",
}


@pytest.mark.parametrize("problem", PLANTED)
def test_what_does_not_agree_is_listed(
    approved: City, provider: PretendProvider, problem: str
) -> None:
    pay()
    deliver(provider)
    event, about = db.session.execute(
        sa.select(ProviderEvent.id, ProviderEvent.payload).order_by(ProviderEvent.id).limit(1)
    ).one()
    if problem == "unclear":
        _unpaid()
    told = '{"id": "%s", "amount": %s, "metadata": {}}'
    values = {
        "event": event,
        "amount_1": "'" + told % (about["id"], 1) + "'",
        "nobody": "'" + told % ("tr_nobody", 500) + "'",
    }
    db.session.rollback()
    statement = PLANTED[problem]
    for name, value in values.items():
        statement = statement.replace("{" + name + "}", value)
    with planted(statement):
        here = clock.business_date()
        found = reconcile(here - timedelta(days=1), here, at=clock.now())
        assert problem in found.problems, found.problems
        assert any(one.problem == problem for one in found.mismatches)


def test_whatever_moves_beyond_the_batches_matches_or_is_listed(
    approved: City, provider: PretendProvider, maker: Actor, checker: Actor, taker: Actor
) -> None:
    here = statement_of(approved.here)
    first = date(2026, 11, 1)
    before = reconcile(first, clock.business_date(), at=clock.now())
    assert kinds(before) == {"unbatched": 3} and before.open == 0
    own = reconcile(first, clock.business_date(), at=clock.now(), district="120104")
    assert {one.statement_id for one in own.mismatches} == {
        here.id, statement_of(elder_id=approved.extra["second"].id).id,
    }
    db.session.rollback()
    batch = release(maker, checker)
    rows = answers(batch.id)
    take(file_of([*rows, ("P9-B9", "acct_nobody", "7.00", "成功", "BK-9", "")]), taker)
    assert kinds(reconcile(first, clock.business_date(), at=clock.now())) == {"bank_unmatched": 1}
    db.session.rollback()
    at, orders = clock.now(), list(db.session.scalars(sa.select(Order.id).limit(3)))
    db.session.rollback()

    def event(kind: str, **about: object) -> ProviderEvent:
        return ProviderEvent(id=f"evt_{about['id']}", kind=kind, payload=about, received_at=at)

    with transaction() as session:
        session.execute(sa.delete(Refund))
        session.execute(sa.delete(Charge))
        charges = [
            Charge(order_id=order, canteen_id=approved.here.id, amount_fen=800, state=state,
                   provider_id=f"pi_{n}", asked_at=at)
            for n, (order, state) in enumerate(zip(
                orders, ("succeeded", "pending", "succeeded"), strict=True))
        ]
        session.add_all(charges)
        session.flush()
        given = [
            Refund(charge_id=charges[0].id, canteen_id=approved.here.id, amount_fen=100,
                   state=state, period="2026-11", asked_at=at - timedelta(hours=5))
            for state in ("succeeded", "failed", "pending")
        ]
        session.add_all(given)
        session.flush()
        session.add_all(
            OutboxMessage(kind="refund", reference=f"refund:{one.id}", key=f"r{one.id}", payload={},
                          state="done", due_at=at, made_at=at, provider_id=f"re_{n}")
            for n, one in enumerate(given)
        )
        session.add_all([
            *(event("payment_intent.succeeded", id=f"pi_{n}", amount_received=fen)
              for n, fen in enumerate((800, 800, 799, 500))),
            *(event("refund.updated", id=f"re_{n}", amount=100, status="succeeded",
                    metadata={"reference": f"refund:{one.id}"})
              for n, one in enumerate(given[:2])),
            event("refund.updated", id="re_x", amount=5, status="succeeded", metadata={}),
        ])
        entry = session.scalar(sa.select(sa.func.min(Entry.id)).where(Entry.kind == "payout"))
        assert entry is not None
        reverse(entry, f"back:{entry}", clock.business_date(), "nobody sent it back")
        elsewhere = session.get_one(Statement, statement_of(approved.elsewhere).id)
        elsewhere.stage = "repaid"
        session.add(Repayment(statement_id=elsewhere.id, amount_fen=5, received_on=first,
                              reference="BK5", noted_by="user:0", noted_at=at,
                              confirmed_by="user:1", confirmed_at=at))  # fmt: skip
        post("repaid:999", "repayment", first, {})
        post("true-up:999", "true_up", first, {})
        session.add(TrueUp(
            year=2026, district_code="120104", kind="final", state="paid", share_fen=5,
            paid_before_fen=0, balance_fen=5, sums=[], targets=[], prepared_by="user:0",
            prepared_at=at, paid_on=first, paid_at=at, reference="BK6",
        ))  # fmt: skip
    today = clock.business_date()
    found = reconcile(first, today, at=at).along_with(true_ups.unmatched(first, today))
    booked = kinds(found)
    assert booked.pop("paid_without_entry") == 1, "what was reversed"
    assert booked == {
        "bank_unmatched": 1, "charge_unlike": 2, "foreign_charge": 1, "refund_unlike": 1,
        "foreign_refund": 1, "refund_waiting": 1, "reversal_alone": 1, "repaid_without_entry": 1,
        "entry_alone": 2, "true_up_unlike": 1,
    }
    assert len(found.mismatches) == found.open == sum(booked.values()) + 1
    assert set(kinds(reconcile(first, today, at=at, district="120103"))) == {
        "repaid_without_entry"
    }
    assert true_ups.unmatched(first, today, "120103") == []
    by_kind = {one.problem: one.reference for one in found.mismatches}
    for problem, why, refusal in (
        ("bank_unmatched", "错", "reason_missing"),
        ("charge_unlike", "另一套系统", "mismatch_not_open"),
        ("bank_unmatched", "银行误记，已更正", ""), ("foreign_charge", "另一套系统的收款", ""),
    ):  # fmt: skip
        said = [problem, by_kind[problem], why, taker, found.mismatches]
        if refusal:
            with pytest.raises(CanteenError) as caught, transaction():
                explaining.explain(*said, at=at)
            assert caught.value.code == refusal
        else:
            with transaction():
                explaining.explain(*said, at=at)
    again = kinds(reconcile(first, today, at=at))
    assert set(booked) - set(again) == {"bank_unmatched", "foreign_charge", "true_up_unlike"}
    with pytest.raises(CanteenError), transaction():
        explaining.explain(*said, at=at)
    assert len(explaining.explained()) == 2


def _unpaid() -> None:
    """The first payout as if nothing had been heard of it."""
    with transaction() as session:
        session.execute(sa.delete(ProviderEvent))
        first = session.scalars(sa.select(Payout.id).order_by(Payout.id)).first()
        for table in ("payout_lines", "payouts"):
            column = "payout_id" if table == "payout_lines" else "id"
            session.execute(sa.text(
                f"UPDATE {table} SET state = 'waiting' WHERE {column} = :id"
            ), {"id": first})  # fmt: skip
        session.execute(sa.text("UPDATE payout_lines SET reference = NULL"))
        session.execute(sa.text("UPDATE outbox SET provider_id = NULL"))
        entry = session.scalar(sa.text("SELECT MIN(id) FROM entries WHERE kind = 'payout'"))
        reverse(entry, f"back:{entry}", date(2026, 11, 2), "as if nothing was heard")


def test_a_range_is_what_was_released_in_it(approved: City) -> None:
    pay_all(AFTER_AT)
    before = reconcile(date(2026, 11, 1), date(2026, 11, 1), at=AFTER_AT)
    on = reconcile(date(2026, 11, 2), date(2026, 11, 2), at=AFTER_AT)
    after = reconcile(date(2026, 11, 3), date(2026, 12, 31), at=AFTER_AT)
    assert [found.lines.count for found in (before, on, after)] == [0, 3, 0]
    assert on.agrees and on.waiting.count == 3, "an hour is no long wait"
    assert finding.batches()[0].count == 3
    assert statement_of(approved.here).stage == "approved"
