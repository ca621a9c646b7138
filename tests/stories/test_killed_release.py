"""Whoever releases a batch or sends it is killed half way: everybody is paid, nobody twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock, config, create_app, delivering, jobs
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.db import db, transaction
from canteen.demo import provider as pretend
from canteen.demo.provider import PretendProvider, pretending
from canteen.payments.models import OutboxMessage
from canteen.payouts import batching, finding
from canteen.settlements.models import Payout
from canteen.verifying import verify
from tests.settlements.factories import (
    city_hands,
    close,
    little_month,
    pass_on,
    pay_all,
    statement_of,
)
from tests.stories.processes import Process, wait_until

ACCOUNTS = ("acct_operator_1", "acct_operator_2")
pytestmark = pytest.mark.slow


@pytest.fixture
def provider(app: Flask, tmp_path: Path) -> Iterator[PretendProvider]:
    """The provider all processes share, and two approved statements to pay."""
    city = little_month()
    close()
    for canteen, hands in ((city.here, "hands"), (city.elsewhere, "hands_elsewhere")):
        pass_on([statement_of(canteen).id], city.extra[hands])
    with pretending(tmp_path / "provider.db") as provider:
        provider.open_accounts(*ACCOUNTS)
        yield provider


@pytest.fixture
def start(process_environment: dict[str, str]) -> Iterator[Callable[..., Process]]:
    """Start a process that does one thing and waits to be killed."""
    started: list[Process] = []

    def begin(act: Callable[[], None]) -> Process:
        started.append(Process(process_environment, act))
        return started[-1]

    yield begin
    for process in started:
        process.forget()


def release_and_wait_inside() -> None:
    """Release the only batch, and stop before it is saved."""
    _release(inside=True)


def release_and_wait_after() -> None:
    """Release the only batch, and stop before anything is sent."""
    _release(inside=False)


def _release(inside: bool) -> None:
    app = create_app()
    with app.app_context():
        users = db.session.scalars(sa.select(User).where(User.role == "city").order_by(User.id))
        checker = actor_of(users.all()[1])
        batch = finding.batches()[0]
        with transaction():
            batching.release(batch.id, batch.digest, checker, at=clock.now())
            if inside:
                print("released")
                sys.stdin.readline()
        print("released")
        sys.stdin.readline()


def send() -> None:
    """Send what is due."""
    app = create_app()
    pretend.install(config.current())
    with app.app_context():
        print("released")
        delivering.deliver_outbox()


def killed(process: Process) -> None:
    assert process.stdout.readline() == "released\n"
    process.kill()
    assert process.wait(60) == -9
    db.session.rollback()


def pay() -> None:
    """What the timetable does from now on, once the leases of the dead have ended."""
    for _ in range(3):
        with transaction():
            db.session.execute(
                sa.update(OutboxMessage).where(OutboxMessage.state == "waiting")
                .values(due_at=clock.now() - timedelta(seconds=1))
            )  # fmt: skip
        jobs.send_outbox()


def paid_once(provider: PretendProvider) -> None:
    """Both payouts arrived, each once, and everything proves so."""
    db.session.rollback()
    due = {f"payout:{one.id}": one.amount_fen for one in db.session.scalars(sa.select(Payout))}
    sent = [(one["transfer_group"], one["amount"]) for one in provider.all("transfer")]
    assert sorted(sent) == sorted(due.items())
    assert set(db.session.scalars(sa.select(Payout.state))) == {"paid"}
    assert finding.batches()[0].state == "done"
    assert verify() == []


def a_draft() -> batching.PayoutBatch:
    maker, _ = city_hands()
    with transaction():
        return batching.make(None, "gateway", maker, at=clock.now())


def test_killed_before_the_release_is_saved_nothing_was_released(
    provider: PretendProvider, start: Callable[..., Process]
) -> None:
    batch = a_draft()
    killed(start(release_and_wait_inside))
    assert finding.batch(batch.id).state == "draft"
    transfers = sa.select(OutboxMessage).where(OutboxMessage.kind == "transfer")
    assert db.session.scalars(transfers).all() == []
    db.session.rollback()
    with transaction():
        batching.release(batch.id, batch.digest, city_hands()[1], at=clock.now())
    pay()
    paid_once(provider)


def test_killed_between_release_and_sending_it_is_sent_once(
    provider: PretendProvider, start: Callable[..., Process]
) -> None:
    batch = a_draft()
    killed(start(release_and_wait_after))
    assert finding.batch(batch.id).state == "released" and provider.all("transfer") == []
    db.session.rollback()
    with transaction(), pytest.raises(batching.NotDraft):
        batching.release(batch.id, batch.digest, city_hands()[1], at=clock.now())
    pay()
    paid_once(provider)


def test_killed_after_the_provider_paid_before_it_was_noted_it_is_paid_once(
    provider: PretendProvider, start: Callable[..., Process]
) -> None:
    pay_all(clock.now())
    provider.fail_next("hang_after", path="/v1/transfers")
    sender = start(send)
    assert sender.stdout.readline() == "released\n"
    wait_until(lambda: not provider.planned())
    sender.kill()
    assert sender.wait(60) == -9
    pay()
    paid_once(provider)
