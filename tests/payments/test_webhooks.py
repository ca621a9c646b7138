"""The provider's notices are taken in once, whatever order they come in, and never on trust."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock, delivering
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider
from canteen.orders.models import Order
from canteen.payments import charging, gateway, outbox
from canteen.payments.models import Charge, OutboxMessage, ProviderEvent, Refund
from tests.payments.conftest import make_charges


def order_of(charge: Charge) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, charge.order_id)


def state(kind: type[Charge] | type[Refund], id: int) -> str:
    db.session.rollback()
    return db.session.get_one(kind, id).state


def events() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ProviderEvent)) or 0


def test_a_paid_order_is_placed_by_the_notice(provider: PretendProvider, charge: Charge) -> None:
    provider.pay(delivering.begin_payment(charge).provider_id)
    assert delivering.take_notices(provider) == {"taken": 2, "failed": 0}
    assert provider.events_to_deliver() == []
    placed = order_of(charge)
    assert (placed.state, placed.paid_on) == ("placed", clock.business_date())


def test_a_notice_sent_twice_changes_nothing_the_second_time(
    provider: PretendProvider, charge: Charge
) -> None:
    intent = delivering.begin_payment(charge)
    provider.fail_next("duplicate_webhook", path="succeeded")
    provider.pay(intent.provider_id)
    notices = provider.events_to_deliver()
    assert [delivering.take_notice(one.body, one.signature) for one in notices] == [False, True]
    paid = notices[1]
    assert delivering.take_notice(paid.body, paid.signature) is False
    assert events() == 2


def test_a_notice_that_overtakes_our_own_call_finds_its_charge(
    app: Flask, provider: PretendProvider, charge: Charge
) -> None:
    provider.pay(charging.begin(charge).provider_id)  # not noted yet by us
    delivering.take_notices(provider)
    found = db.session.get_one(Charge, charge.id, populate_existing=True)
    (intent,) = provider.all("payment_intent")
    assert (found.state, found.provider_id) == ("succeeded", intent["id"])


def test_notices_in_the_wrong_order_end_the_same(provider: PretendProvider) -> None:
    (charge,) = make_charges(1500)
    intent = delivering.begin_payment(charge)
    provider.fail_next("declined", path="phone")
    provider.pay(intent.provider_id)
    provider.pay(intent.provider_id)
    for notice in reversed(provider.events_to_deliver()):
        delivering.take_notice(notice.body, notice.signature)
    assert state(Charge, charge.id) == "succeeded"
    assert order_of(charge).state == "placed"


def test_a_declined_attempt_leaves_the_payment_open(
    provider: PretendProvider, charge: Charge
) -> None:
    provider.fail_next("declined", path="phone")
    provider.pay(delivering.begin_payment(charge).provider_id)
    delivering.take_notices(provider)
    assert state(Charge, charge.id) == "pending"
    assert order_of(charge).state == "awaiting_payment"


def test_a_forged_or_old_notice_leaves_no_trace(provider: PretendProvider, charge: Charge) -> None:
    provider.pay(delivering.begin_payment(charge).provider_id)
    notice = provider.events_to_deliver()[1]
    with pytest.raises(gateway.BadSignature):
        delivering.take_notice(notice.body, notice.signature[:-1] + "x")
    later = clock.now() + timedelta(seconds=302)
    with time_machine.travel(later), pytest.raises(gateway.BadSignature):
        delivering.take_notice(notice.body, notice.signature)
    assert (events(), state(Charge, charge.id)) == (0, "pending")


def test_a_notice_that_cannot_be_taken_comes_again(
    provider: PretendProvider, charge: Charge
) -> None:
    intent = delivering.begin_payment(charge)
    provider.pay(intent.provider_id)
    with transaction():
        db.session.execute(sa.update(Charge).values(amount_fen=1400))
    assert delivering.take_notices(provider) == {"taken": 1, "failed": 1}
    assert state(Charge, charge.id) == "pending"
    with transaction():
        db.session.execute(sa.update(Charge).values(amount_fen=1500))
    assert delivering.take_notices(provider) == {"taken": 1, "failed": 0}
    assert state(Charge, charge.id) == "succeeded"


def test_a_notice_about_somebody_else_s_row_of_the_same_number_is_ignored(
    provider: PretendProvider, charge: Charge
) -> None:
    foreign = gateway.create_charge(1500, f"charge:{charge.id}", "of-another-installation")
    provider.pay(foreign.provider_id)
    gateway.transfer("acct_a", 500, "payout:1", "of-another-installation-2")
    gateway.transfer("acct_a", 500, "something else", "key-3")
    assert delivering.take_notices(provider)["failed"] == 0
    assert state(Charge, charge.id) == "pending"


def test_a_refund_that_ends_later_is_noted_then(provider: PretendProvider, charge: Charge) -> None:
    provider.pay(delivering.begin_payment(charge).provider_id)
    delivering.take_notices(provider)
    with transaction():
        refund = charging.refund_charge(charge.id, 1500, at=clock.now(), period="2026-11")
    provider.fail_next("pending_refund")
    delivering.deliver_outbox()
    delivering.take_notices(provider)
    assert state(Refund, refund.id) == "pending"
    id = provider.all("refund")[0]["id"]
    provider.end_refund(id, "succeeded")
    delivering.take_notices(provider)
    assert state(Refund, refund.id) == "succeeded"
    provider.end_refund(id, "failed")
    delivering.take_notices(provider)
    assert state(Refund, refund.id) == "failed"


def test_a_lost_notice_is_made_up_for_by_asking(provider: PretendProvider) -> None:
    paid, open_, _never_begun = make_charges(1500, 1600, 1700)
    intent = delivering.begin_payment(paid)
    delivering.begin_payment(open_)
    provider.fail_next("lost_webhook", path="succeeded")
    provider.pay(intent.provider_id)
    assert delivering.take_notices(provider)["failed"] == 0
    assert state(Charge, paid.id) == "pending"
    assert delivering.ask_about_overdue() == {"asked": 3, "settled": 1}
    assert delivering.ask_about_overdue() == {"asked": 2, "settled": 0}
    assert order_of(paid).state == "placed"
    assert len(provider.all("payment_intent")) == 3


def test_the_notice_of_a_transfer_before_its_answer_is_kept_for_the_payout(
    provider: PretendProvider,
) -> None:
    payload = {"account": "acct_a", "amount_fen": 500}
    with transaction():
        outbox.put("transfer", "payout:1", "payout-1", payload, at=clock.now())
    provider.fail_next("after_commit", times=3)
    delivering.deliver_outbox()
    assert delivering.take_notices(provider) == {"taken": 1, "failed": 0}
    db.session.rollback()
    assert db.session.scalars(sa.select(OutboxMessage.state)).one() == "waiting"
