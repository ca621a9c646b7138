"""Paying online: waiting is said clearly, paying counts once, and it can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import stripe
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock, delivering, jobs
from canteen.canteens import listing, registering
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.notices.models import Notice
from canteen.orders import stranded
from canteen.orders.models import Cancellation, Order
from canteen.payments import charging
from canteen.payments.models import Refund
from canteen.territory.actors import job
from canteen.verifying import verify
from tests.factories import City
from tests.web.elder.conftest import ON, order, words


@pytest.fixture
def provider(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PretendProvider]:
    """The provider that pretends, and a client library that does not wait between tries."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    with pretending(tmp_path / "provider.db") as provider:
        yield provider


@pytest.fixture
def page(elder: FlaskClient, city: City, provider: PretendProvider) -> str:
    """The payment page of an order of 10.50 yuan just placed."""
    return order(elder, city, payment="online").location


def found(page: str) -> Order:
    return db.session.get_one(Order, int(page.split("/")[3]), populate_existing=True)


def test_an_order_to_be_paid_online_waits_and_says_until_when(
    elder: FlaskClient, page: str
) -> None:
    assert page.endswith("/payment")
    said = words(elder.get(page))
    assert "等您付款，11:15 前有效" in said and "10.50" in said and "演示" in said
    assert "等您付款" in words(elder.get(page.removesuffix("/payment")))
    assert found(page).state == "awaiting_payment"


def test_paying_places_the_order_once(
    elder: FlaskClient, page: str, provider: PretendProvider
) -> None:
    paid = elder.post(page, follow_redirects=True)
    assert "钱已收到" in words(paid) and "已订好，已付款" in words(paid)
    assert (found(page).state, found(page).paid_at) == ("placed", clock.now())
    assert elder.post(page).location == page.removesuffix("/payment")
    assert [one["amount"] for one in provider.all("payment_intent")] == [1050]
    assert elder.get(page).status_code == 303


@pytest.mark.parametrize("paid", [False, True])
def test_an_order_its_canteen_will_not_serve_takes_no_money_and_gives_it_back_once(
    elder: FlaskClient, city: City, page: str, provider: PretendProvider, paid: bool
) -> None:
    district, its_page = job("district"), page.removesuffix("/payment")
    elder_id, here = city.elder.id, city.here.id
    home = f"/home/elders/{elder_id}"
    assert stranded.waiting(here, ON) == 1
    db.session.rollback()
    assert jobs.cancel_stranded() == 0
    if paid:
        elder.post(page)
        with transaction():
            registering.announce_closure(here, ON, "停气", by=district, today=ON)
        why = "停业（停气）"
    else:
        with transaction():
            listing.change_status(
                here, "delisted", "voluntary_exit", "不再续约", by=district,
                at=clock.now(),
            )
        why = "这家食堂目前“已摘牌”"
        assert elder.get(page).location == its_page
        with pytest.raises(stranded.NotServing):
            delivering.begin_payment(charging.of_order(found(page).id))
        refused = words(elder.post(page, follow_redirects=True))
        assert "没有扣款" in refused and "请另选一家食堂" in refused
        assert provider.all("payment_intent") == []
    said = words(elder.get(its_page))
    assert why in said and ("付过的钱全额退回" if paid else "不用付钱") in said
    assert "去付款" not in said and "退订这一单" in said
    assert "食堂不供餐，将取消" in words(elder.get(home))
    db.session.rollback()
    assert [jobs.cancel_stranded(), jobs.cancel_stranded()] == [1, 0]
    assert found(page).state == "cancelled"
    back = db.session.get_one(Cancellation, found(page).id)
    assert (back.cancelled_by, back.reason_code) == ("job:cancel_stranded", "not_serving")
    assert back.refund_fen == (1050 if paid else 0)
    assert db.session.scalars(sa.select(Refund.amount_fen)).all() == ([1050] if paid else [])
    told = db.session.scalars(sa.select(Notice)).one()
    assert told.elder_id == elder_id and "已取消，付过的钱全额退回" in told.zh
    assert "不供餐了" in words(elder.get(home)) and "食堂停止供餐" in words(elder.get(its_page))
    db.session.rollback()
    assert verify() == []


def test_checking_before_paying_changes_nothing(elder: FlaskClient, page: str) -> None:
    checked = elder.post(f"{page}/check", follow_redirects=True)
    assert "还没有收到付款" in words(checked) and found(page).state == "awaiting_payment"


def test_checking_finds_a_payment_whose_notice_was_lost(
    elder: FlaskClient, page: str, provider: PretendProvider
) -> None:
    intent = delivering.begin_payment(charging.of_order(found(page).id))
    provider.fail_next("lost_webhook", path="payment_intent.succeeded")
    provider.pay(intent.provider_id)
    assert "钱已收到" in words(elder.post(f"{page}/check", follow_redirects=True))
    assert found(page).state == "placed"


def test_a_provider_that_does_not_answer_takes_nothing(
    elder: FlaskClient, page: str, provider: PretendProvider
) -> None:
    provider.fail_next("500", times=9)
    said = words(elder.post(page, follow_redirects=True))
    assert "没有扣款" in said and "请付款" in said
    assert found(page).state == "awaiting_payment"


def test_a_payment_declined_can_be_tried_again(
    elder: FlaskClient, page: str, provider: PretendProvider
) -> None:
    provider.fail_next("declined", path="phone")
    elder.post(page)
    assert found(page).state == "awaiting_payment"
    assert "钱已收到" in words(elder.post(page, follow_redirects=True))


def test_a_payment_is_taken_back_within_ten_minutes_of_paying(
    elder: FlaskClient, page: str, provider: PretendProvider, at: time_machine.Coordinates
) -> None:
    at.shift(timedelta(minutes=5))
    elder.post(page)
    at.shift(timedelta(minutes=10))
    back = elder.post(f"{page.removesuffix('/payment')}/cancellation", follow_redirects=True)
    assert "10.50 元按原路退回" in words(back)
    delivering.deliver_outbox()
    assert [one["amount"] for one in provider.all("refund")] == [1050]


def test_an_order_nobody_wants_any_more_is_not_asked_for(
    elder: FlaskClient, page: str, provider: PretendProvider
) -> None:
    elder.post(f"{page.removesuffix('/payment')}/cancellation")
    assert found(page).state == "cancelled"
    assert elder.post(page).status_code == 303 and provider.all("payment_intent") == []
