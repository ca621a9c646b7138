"""Senders are killed half way, and several send at once: the provider still does each thing once.

Real processes, real SIGKILL, both databases. What the provider did stands in its own file, which
outlives the sender as the real provider would.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock, delivering
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.payments import charging, outbox
from canteen.payments.models import OutboxMessage, Refund
from tests.payments.conftest import make_charges

ROOT = Path(__file__).resolve().parents[2]
SENDER = """
import sys
from canteen import config, create_app, delivering
from canteen.demo import provider
app = create_app()
provider.install(config.current())
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    print(delivering.deliver_outbox()["done"], flush=True)
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def provider(app: Flask, tmp_path: Path) -> Iterator[PretendProvider]:
    """The provider that all processes of a test share."""
    with pretending(tmp_path / "provider.db") as provider:
        provider.open_accounts("acct_a")
        yield provider


@pytest.fixture
def start_sender(process_environment: dict[str, str]) -> Iterator[Callable[[], subprocess.Popen]]:
    """Start a process that sends what is due as soon as it reads a line."""
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER], cwd=ROOT, env=process_environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        started.append(sender)
        return sender

    yield start
    for sender in started:
        sender.kill()
        sender.communicate()


def go(*senders: subprocess.Popen) -> None:
    """Let senders begin, all at one moment."""
    for sender in senders:
        assert sender.stdout.readline() == "ready\n"
    for sender in senders:
        sender.stdin.write("go\n")
        sender.stdin.flush()


def kill(sender: subprocess.Popen) -> None:
    """kill -9: no handler runs, nothing is cleaned up."""
    sender.kill()
    assert sender.wait(10) == -9


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    for _ in range(400):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


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
    provider: PretendProvider, start_sender: Callable[[], subprocess.Popen]
) -> None:
    put_transfers(3)
    provider.fail_next("hang_after", path="/v1/transfers")
    sender = start_sender()
    go(sender)
    wait_until(lambda: bool(provider.all("transfer")))
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
    provider: PretendProvider, start_sender: Callable[[], subprocess.Popen]
) -> None:
    put_transfers(1)
    provider.fail_next("hang_before", path="/v1/transfers")
    sender = start_sender()
    go(sender)
    wait_until(lambda: messages()[0].attempts == 1)
    time.sleep(0.3)
    kill(sender)
    assert provider.all("transfer") == []
    let_leases_end()
    assert delivering.deliver_outbox()["done"] == 1
    assert provider.balance("acct_a") == 100


def test_killed_again_and_again_at_any_point_each_thing_is_done_once(
    provider: PretendProvider, start_sender: Callable[[], subprocess.Popen]
) -> None:
    charges = make_charges(1500, 1600, 1700)
    for charge in charges:
        provider.pay(delivering.begin_payment(charge).provider_id)
        with transaction():
            charging.settle(charge.id, at=clock.now(), period="2026-11")
            charging.refund_charge(charge.id, 1000, at=clock.now(), period="2026-11")
    put_transfers(300)  # more than a sender gets done before the last kill
    killed_in_work = 0
    for delay in (0.03, 0.06, 0.1, 0.15, 0.2):
        sender = start_sender()
        go(sender)
        time.sleep(delay)
        kill(sender)
        killed_in_work += any(one.attempts and one.state == "waiting" for one in messages())
        let_leases_end()
    for _ in range(20):
        if {one.state for one in messages()} == {"done"}:
            break
        delivering.deliver_outbox()
        let_leases_end()
        time.sleep(0.5)
    assert {one.state for one in messages()} == {"done"}
    assert killed_in_work, "no sender was killed at its work: the test has shown nothing"
    sent = Counter(one["transfer_group"] for one in provider.all("transfer"))
    assert sent == {f"payout:{number}": 1 for number in range(1, 301)}
    assert sorted(one["amount"] for one in provider.all("refund")) == [1000] * 3
    assert provider.balance("acct_a") == 30_000
    assert set(db.session.scalars(sa.select(Refund.state))) == {"succeeded"}


def test_three_processes_at_once_send_each_message_once(
    provider: PretendProvider, start_sender: Callable[[], subprocess.Popen]
) -> None:
    put_transfers(60)
    senders = [start_sender() for _ in range(3)]
    go(*senders)
    done = [int(sender.communicate(timeout=60)[0]) for sender in senders]
    assert sum(done) == 60
    assert {one.attempts for one in messages()} == {1}
    assert provider.balance("acct_a") == 6000
