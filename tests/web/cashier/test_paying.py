"""A payment by phone: waited for, found again, given up, and never counted twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import stripe
from flask.testing import FlaskClient

from canteen import clock, delivering
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.payments import charging
from canteen.payments.gateway import ProviderDown
from canteen.payments.models import Charge
from tests.factories import City


@pytest.fixture
def provider(
    city: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PretendProvider]:
    """A provider that pretends, and a client library that does not wait before it tries again."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    with pretending(tmp_path / "provider.db") as provider:
        yield provider


@pytest.fixture
def waiting(city: City, provider: PretendProvider) -> str:
    """The address of the page that waits for the payment of one set by phone."""
    return sell_online(city)


def sell_online(city: City, cash_fen: int = 0) -> str:
    wish = Wish(
        canteen_id=city.here.id, on=city.today, meal="lunch", service="eat_in",
        lines={city.items[0].id: 1}, elder_id=city.elder.id, payment="online", cash_fen=cash_fen,
    )
    with transaction():
        placed = place(wish, city.cashier, clock.now())
    charge = charging.of_order(placed.order_id)
    assert charge
    with contextlib.suppress(ProviderDown):
        delivering.begin_payment(charge)
    return f"/till/orders/{placed.order_id}/payment"


def order() -> Order:
    db.session.rollback()
    return db.session.scalars(
        sa.select(Order).order_by(Order.id.desc()).execution_options(populate_existing=True)
    ).first()


def test_a_payment_by_phone_is_scanned_and_the_meal_is_served_with_it(
    cashier: FlaskClient, provider: PretendProvider, waiting: str
) -> None:
    page = cashier.get(waiting).text
    assert "<svg" in page and "10.50" in page
    assert cashier.get(f"{waiting}/state").json["paid"] is False
    provider.pay(db.session.scalar(sa.select(Charge.provider_id)))
    db.session.rollback()
    arrived = cashier.post(waiting, follow_redirects=True).text
    assert "10.50 元已到账" in arrived
    assert cashier.get(f"{waiting}/state").json["paid"] is True
    assert (order().state, order().payment) == ("served", "online")
    assert order().served_by == order().placed_by


def test_the_page_asks_the_phone_for_the_online_part_alone(
    cashier: FlaskClient, city: City, provider: PretendProvider
) -> None:
    page = cashier.get(sell_online(city, cash_fen=500)).text
    assert "另外收现金 5.00 元，一共 10.50 元" in page and ">5.50<" in page
    assert db.session.scalar(sa.select(Charge.amount_fen)) == 550


def test_a_provider_that_is_down_keeps_the_order_and_is_asked_again(
    cashier: FlaskClient, city: City, provider: PretendProvider
) -> None:
    provider.fail_next("500", times=9)
    waiting = sell_online(city)
    assert "支付平台暂时没有回应" in cashier.get(waiting).text
    with provider.state.book() as book:
        while book.take_fault(("500",), ""):
            pass
    again = cashier.post(waiting, follow_redirects=True).text
    assert "<svg" in again and len(provider.all("payment_intent")) == 1


def test_a_diner_who_cannot_pay_by_phone_gives_it_up_and_gets_the_cash_part_back(
    cashier: FlaskClient, city: City, provider: PretendProvider
) -> None:
    waiting = sell_online(city, cash_fen=500)
    back = cashier.post(
        waiting.replace("/payment", "/cancellation"), data={"code": "unpaid"},
        follow_redirects=True,
    ).text  # fmt: skip
    assert order().state == "cancelled" and "请退现金 5.00 元" in back and "去收银" in back


def test_the_demo_lets_the_diner_agree_with_one_button(
    cashier: FlaskClient, provider: PretendProvider, waiting: str
) -> None:
    assert "演示" in cashier.get(waiting).text
    paid = cashier.post(f"{waiting}/pretended", follow_redirects=True).text
    assert "已到账" in paid and order().state == "served"


def test_an_order_paid_in_cash_has_no_payment_to_wait_for(
    cashier: FlaskClient, city: City
) -> None:
    wish = Wish(
        canteen_id=city.here.id, on=city.today, meal="lunch", service="eat_in",
        lines={city.items[0].id: 1}, serve_now=True,
    )
    with transaction():
        number = place(wish, city.cashier, clock.now()).order_id
    for path in ("payment", "payment/code"):
        assert cashier.get(f"/till/orders/{number}/{path}").status_code == 409


def test_the_code_alone_is_given_to_the_till_that_draws_it(
    cashier: FlaskClient, provider: PretendProvider, waiting: str
) -> None:
    answer = cashier.get(f"{waiting}/code").json
    assert answer["svg"].startswith("<svg") and answer["online_fen"] == 1050
    asked = cashier.post(waiting, headers={"Accept": "application/json"})
    assert asked.json == {"order_id": order().id, "state": "awaiting_payment", "paid": False}
    provider.fail_next("500", times=9)
    down = cashier.get(f"{waiting}/code", headers={"Accept": "application/json"})
    assert (down.status_code, down.json["error"]["code"]) == (503, "provider_unavailable")
    with provider.state.book() as book:
        while book.take_fault(("500",), ""):
            pass
    provider.pay(db.session.scalar(sa.select(Charge.provider_id)))
    cashier.post(waiting, headers={"Accept": "application/json"})
    assert cashier.get(f"{waiting}/code").json["svg"] is None
    assert cashier.get(f"{waiting}/state").json["state"] == "served"
