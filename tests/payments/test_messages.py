"""Messages to phones: queued once, carried by the gateway, never in the way of money."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
import requests
import responses
import sqlalchemy as sa
from flask import Flask

from canteen import clock, config, delivering
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider
from canteen.notices.models import Notice
from canteen.notices.telling import tell
from canteen.payments import messages, outbox
from canteen.payments.models import OutboxMessage
from canteen.payouts import letters
from canteen.territory.actors import Actor
from canteen.words import Text
from tests.factories import actor, make_operator, make_territories, make_user

URL = "https://messages.example/send"


def use(url: str) -> None:
    config.use(dataclasses.replace(config.current(), notice_url=url, notice_key="k-1"))


@pytest.fixture
def city(app: Flask) -> Actor:
    """Somebody at the city's desk."""
    with transaction():
        make_territories()
        return actor(make_user("city", territory_code="120000"))


def leave(key: str = "n1", phone: str = "19900000007", **ago: int) -> int:
    with transaction():
        operator = make_operator(len(key) + len(str(ago)))
        made = tell(
            key, "bank_change", Text("账户变更", "An account changes"),
            at=clock.now() - timedelta(**ago), operator_id=operator.id, phone=phone,
        )  # fmt: skip
    assert made
    return made


def message() -> OutboxMessage:
    db.session.rollback()
    query = sa.select(OutboxMessage).where(OutboxMessage.kind == "notice")
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def test_without_a_gateway_they_are_listed_to_be_told_by_hand(city: Actor) -> None:
    notice = leave()
    assert delivering.deliver_outbox() == {"done": 0, "refused": 0, "down": 0}
    (letter,) = letters.to_send(city)
    assert (letter.notice.id, letter.name, letter.state) == (notice, "和味餐饮4", None)
    assert letters.waiting_count(city) == 1
    with transaction():
        assert letters.sent_by_hand([notice, 99], city, at=clock.now()) == 1
    with transaction():
        assert letters.sent_by_hand([notice], city, at=clock.now()) == 0, "once"
    assert letters.to_send(city) == [] and message().provider_id == "by_hand"
    use(URL)
    assert delivering.deliver_outbox()["done"] == 0, "what was told by hand is not sent"


def test_the_pretend_provider_carries_them_once(city: Actor, provider: PretendProvider) -> None:
    use("pretend")
    leave()
    phoneless = leave("n22", phone="")
    assert delivering.deliver_outbox()["done"] == 1
    assert delivering.deliver_outbox()["done"] == 0
    (sent,) = provider.all("notice")
    assert (sent["to"], sent["text"]) == ("19900000007", "账户变更")
    assert message().provider_id == sent["id"]
    assert [letter.notice.id for letter in letters.to_send(city)] == [phoneless]


def test_what_was_told_long_ago_is_not_sent_when_a_gateway_comes(city: Actor) -> None:
    leave(days=8)
    use("pretend")
    assert delivering.queue_notices() == 0 and letters.waiting_count(city) == 1


@responses.activate
def test_a_gateway_of_ones_own_is_posted_to(city: Actor) -> None:
    use(URL)
    leave()
    responses.post(URL, json={"id": "sms-1"}, status=202)
    assert delivering.deliver_outbox()["done"] == 1
    asked = responses.calls[0].request
    assert asked.headers["Authorization"] == "Bearer k-1"
    assert asked.headers["Idempotency-Key"].startswith("notice:")
    assert b"19900000007" in asked.body and message().provider_id == "sms-1"


@responses.activate
@pytest.mark.parametrize(
    ("answer", "outcome", "state"),
    [
        ({"status": 422, "body": "no such number"}, "refused", "dead"),
        ({"status": 503}, "down", "waiting"), ({"status": 401}, "down", "waiting"),
        ({"status": 302, "headers": {"Location": "http://x/"}}, "down", "waiting"),
        ({"body": requests.exceptions.ConnectTimeout()}, "down", "waiting"),
    ],
)
def test_a_no_is_final_and_an_unclear_answer_comes_again(
    city: Actor, answer: dict[str, object], outcome: str, state: str
) -> None:
    use(URL)
    leave()
    responses.post(URL, **answer)
    assert delivering.deliver_outbox()[outcome] == 1
    assert message().state == state
    (letter,) = letters.to_send(city)
    assert letter.error


def test_a_gateway_that_is_down_keeps_no_money_waiting(
    city: Actor, provider: PretendProvider
) -> None:
    use("pretend")
    leave()
    provider.fail_next("500", path="/v1/notices")
    with transaction():
        payload = {"account": "acct_a", "amount_fen": 100}
        outbox.put("transfer", "payout:1", "payout-1", payload, at=clock.now())
    assert delivering.deliver_outbox() == {"done": 1, "refused": 0, "down": 1}
    assert provider.balance("acct_a") == 100


def test_nothing_is_posted_while_a_transaction_is_open(city: Actor) -> None:
    use(URL)
    with transaction(), pytest.raises(RuntimeError, match="transaction is open"):
        messages.send("199", "一", "one", "k")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0
