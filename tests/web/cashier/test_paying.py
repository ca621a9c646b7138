"""A payment by phone: waited for, found again, given up for cash, and never counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import stripe

from canteen.db import db
from canteen.demo.provider import PretendProvider, pretending
from canteen.orders.models import Order
from canteen.payments.models import Charge
from tests.web.cashier.conftest import Till


@pytest.fixture
def provider(
    city: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PretendProvider]:
    """A provider that pretends, and a client library that does not wait before it tries again."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    with pretending(tmp_path / "provider.db") as provider:
        yield provider


def sell_online(till: Till) -> str:
    """The address of the page that waits for the payment of one set."""
    till.tap(f"elder-{till.city.elder.id}")
    till.choose()
    till.tap("payment-online")
    return till.sell().location


def order() -> Order:
    db.session.rollback()
    return db.session.scalars(
        sa.select(Order).order_by(Order.id.desc()).execution_options(populate_existing=True)
    ).first()


def test_a_payment_by_phone_is_scanned_noticed_and_then_handed_over(
    till: Till, provider: PretendProvider
) -> None:
    waiting = sell_online(till)
    page = till.client.get(waiting).text
    assert "<svg" in page and "10.50" in page
    assert till.client.get(f"{waiting}/state").json["paid"] is False
    provider.pay(db.session.scalar(sa.select(Charge.provider_id)))
    db.session.rollback()
    arrived = till.client.post(waiting, follow_redirects=True).text
    assert "10.50 元已到账" in arrived and "出餐" in arrived
    assert till.client.get(f"{waiting}/state").json["paid"] is True
    till.client.post(waiting.replace("/payment", "/serving"))
    assert (order().state, order().payment) == ("served", "online")


def test_a_provider_that_is_down_keeps_the_order_and_is_asked_again(
    till: Till, provider: PretendProvider
) -> None:
    provider.fail_next("500", times=9)
    waiting = sell_online(till)
    assert "支付平台暂时没有回应" in till.client.get(waiting).text
    with provider.state.book() as book:
        while book.take_fault(("500",), ""):
            pass
    again = till.client.post(waiting, follow_redirects=True).text
    assert "<svg" in again and len(provider.all("payment_intent")) == 1


def test_a_diner_who_cannot_pay_by_phone_pays_the_same_dishes_in_cash(
    till: Till, provider: PretendProvider
) -> None:
    waiting = sell_online(till)
    back = till.client.post(
        waiting.replace("/payment", "/cancellation"), data={"code": "mistake", "then": "cash"}
    )
    till.show(till.client.get(back.location))
    assert order().state == "cancelled"
    assert till.form["elder"] == str(till.city.elder.id) and till.form["expected"] == "1050"
    assert till.sell().status_code == 303
    assert (order().state, order().payment, order().subsidy_fen) == ("served", "cash", 300)


def test_the_demo_lets_the_diner_agree_with_one_button(
    till: Till, provider: PretendProvider
) -> None:
    waiting = sell_online(till)
    assert "演示" in till.client.get(waiting).text
    paid = till.client.post(f"{waiting}/pretended", follow_redirects=True).text
    assert "已到账" in paid and order().state == "served"


def test_an_order_paid_in_cash_has_no_payment_to_wait_for(till: Till) -> None:
    till.tap("other")
    till.choose()
    till.sell()
    assert till.client.get(f"/till/orders/{order().id}/payment").status_code == 409


def test_the_code_alone_is_given_to_the_till_that_draws_it(
    till: Till, provider: PretendProvider
) -> None:
    waiting = sell_online(till)
    answer = till.client.get(f"{waiting}/code").json
    assert answer["svg"].startswith("<svg") and answer["online_fen"] == 1050
    asked = till.client.post(waiting, headers={"Accept": "application/json"})
    assert asked.json == {"order_id": order().id, "state": "awaiting_payment", "paid": False}
    provider.fail_next("500", times=9)
    down = till.client.get(f"{waiting}/code", headers={"Accept": "application/json"})
    assert (down.status_code, down.json["error"]["code"]) == (503, "provider_unavailable")
    with provider.state.book() as book:
        while book.take_fault(("500",), ""):
            pass
    provider.pay(db.session.scalar(sa.select(Charge.provider_id)))
    till.client.post(waiting, headers={"Accept": "application/json"})
    assert till.client.get(f"{waiting}/code").json["svg"] is None
    assert till.client.get(f"{waiting}/state").json["state"] == "served"
