"""Senders are killed half way, and several send at once: the provider still does each thing once.

Real processes, real SIGKILL, both databases. What the provider did stands in its own file, which
outlives the sender as the real provider would.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock, config, create_app, delivering
from canteen.db import db, transaction
from canteen.demo import provider as pretend
from canteen.demo.provider import PretendProvider, pretending
from canteen.payments import charging, outbox
from canteen.payments.models import OutboxMessage, Refund
from tests.payments.conftest import make_charges
from tests.stories.processes import Process, wait_until

Start = Callable[[], Process]
TRANSFERS = 120  # more than all the killed get done
pytestmark = pytest.mark.slow


@pytest.fixture
def provider(app: Flask, tmp_path: Path) -> Iterator[PretendProvider]:
    """The provider that all processes of a test share."""
    with pretending(tmp_path / "provider.db") as provider:
        provider.open_accounts("acct_a")
        yield provider


def send() -> None:
    """What a sender does: it sends what is due as soon as it reads a line."""
    app = create_app()
    pretend.install(config.current())
    with app.app_context():
        print("ready")
        sys.stdin.readline()
        print(delivering.deliver_outbox()["done"])


@pytest.fixture
def start_sender(process_environment: dict[str, str]) -> Iterator[Start]:
    """Start a process that sends."""
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(process_environment, send))
        return started[-1]

    yield start
    for sender in started:
        sender.forget()


def go(*senders: Process) -> None:
    """Let senders begin, all at one moment."""
    for sender in senders:
        assert sender.stdout.readline() == "ready\n"
    for sender in senders:
        sender.stdin.write("go\n")


def kill(sender: Process) -> None:
    """kill -9: no handler runs, nothing is cleaned up."""
    sender.kill()
    assert sender.wait(60) == -9


def put_transfers(count: int) -> None:
    with transaction():
        for number in range(1, count + 1):
            payload = {"account": "acct_a", "amount_fen": 100}
            outbox.put(
                "transfer", f"payout:{number}", f"payout-{number}", payload, at=clock.now()
            )


def messages() -> list[OutboxMessage]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


def let_leases_end() -> None:
    """What was claimed by the dead is due again, as it would be three minutes later."""
    with transaction():
        db.session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.state == "waiting")
            .values(due_at=clock.now() - timedelta(seconds=1))
        )


def test_killed_after_the_provider_did_it_before_it_was_noted(
    provider: PretendProvider, start_sender: Start
) -> None:
    put_transfers(3)
    provider.fail_next("hang_after", path="/v1/transfers")
    sender = start_sender()
    go(sender)
    wait_until(lambda: not provider.planned())
    kill(sender)
    first, *others = messages()
    assert (first.state, first.attempts, first.provider_id) == ("waiting", 1, None)
    assert [one.attempts for one in others] == [0, 0]
    assert delivering.deliver_outbox()["done"] == 2, "the claimed one is not taken before its time"
    let_leases_end()
    assert delivering.deliver_outbox()["done"] == 1
    assert provider.balance("acct_a") == 300
    made = {one["transfer_group"]: one["id"] for one in provider.all("transfer")}
    assert {one.reference: one.provider_id for one in messages()} == made


def test_killed_after_the_claim_before_the_provider_heard_of_it(
    provider: PretendProvider, start_sender: Start
) -> None:
    put_transfers(1)
    provider.fail_next("hang_before", path="/v1/transfers")
    sender = start_sender()
    go(sender)
    wait_until(lambda: not provider.planned())
    kill(sender)
    assert provider.all("transfer") == []
    let_leases_end()
    assert delivering.deliver_outbox()["done"] == 1
    assert provider.balance("acct_a") == 100


def test_killed_again_and_again_at_any_point_each_thing_is_done_once(
    provider: PretendProvider, start_sender: Start
) -> None:
    charges = make_charges(1500, 1600, 1700)
    for charge in charges:
        provider.pay(delivering.begin_payment(charge).provider_id)
        with transaction():
            charging.settle(charge.id, at=clock.now(), period="2026-11")
            charging.refund_charge(charge.id, 1000, at=clock.now(), period="2026-11")
    put_transfers(TRANSFERS)
    killed_in_work = kills = 0
    while kills < 5 or not killed_in_work:
        # By progress, not by the clock: each gets a little further than the one before.
        goal = len(provider.all("transfer")) + kills
        assert goal < TRANSFERS, "no sender was killed at its work: the test has shown nothing"
        sender = start_sender()
        go(sender)
        wait_until(
            lambda goal=goal, sender=sender:
            sender.poll() is not None or len(provider.all("transfer")) > goal
        )  # fmt: skip
        if sender.poll() is None:
            kill(sender)
            kills += 1
            killed_in_work += any(one.attempts and one.state == "waiting" for one in messages())
        let_leases_end()  # one that ended by itself met only keys that were still worked on
    end = time.monotonic() + 120
    while {one.state for one in messages()} != {"done"} and time.monotonic() < end:
        delivering.deliver_outbox()  # a key that was being worked on is free after some seconds
        let_leases_end()
        time.sleep(0.5)
    assert {one.state for one in messages()} == {"done"}
    sent = Counter(one["transfer_group"] for one in provider.all("transfer"))
    assert sent == {f"payout:{number}": 1 for number in range(1, TRANSFERS + 1)}
    assert sorted(one["amount"] for one in provider.all("refund")) == [1000] * 3
    assert provider.balance("acct_a") == 100 * TRANSFERS
    assert set(db.session.scalars(sa.select(Refund.state))) == {"succeeded"}


def test_three_processes_at_once_send_each_message_once(
    provider: PretendProvider, start_sender: Start
) -> None:
    put_transfers(60)
    senders = [start_sender() for _ in range(3)]
    go(*senders)
    done = [int(sender.communicate()) for sender in senders]
    assert sum(done) == 60
    assert {one.attempts for one in messages()} == {1}
    assert provider.balance("acct_a") == 6000
