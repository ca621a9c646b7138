"""A provider that pretends, and a charge to pay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import stripe
from flask import Flask

from canteen import clock, config
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.orders.models import Order
from canteen.payments import charging
from canteen.payments.models import Charge
from tests.conftest import settings_for
from tests.factories import make_canteen, make_menu, make_territories


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library tries again at once instead of after half a second and more."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    """Settings alone, for what needs no database."""
    return config.use(settings_for("sqlite://", tmp_path))


@pytest.fixture
def alone(settings: config.Settings) -> Iterator[PretendProvider]:
    """A provider without our service around it."""
    with pretending() as provider:
        provider.open_accounts("acct_a", "acct_b")
        yield provider


@pytest.fixture
def provider(app: Flask, tmp_path: Path) -> Iterator[PretendProvider]:
    """The provider of `app`, in a file that other processes can share."""
    with pretending(tmp_path / "provider.db") as provider:
        provider.open_accounts("acct_a", "acct_b")
        yield provider


def make_charges(*amounts_fen: int) -> list[Charge]:
    """A canteen, and for each amount an order waiting for its online payment."""
    on, at = date(2026, 11, 20), clock.now() - timedelta(hours=1)
    with transaction():
        make_territories()
        canteen = make_canteen()
        menu_id = make_menu(canteen, on)[0].menu_id
        charges = []
        for amount in amounts_fen:
            order = Order(
                canteen_id=canteen.id, menu_id=menu_id, on=on, meal="lunch", service="pick_up",
                channel="elder", state="awaiting_payment", payment="online", list_fen=amount,
                discount_fen=0, subsidy_fen=0, payable_fen=amount, cash_fen=0,
                placed_at=at, placed_by="user:1",
            )
            db.session.add(order)
            db.session.flush()
            charges.append(charging.ask(order.id, canteen.id, amount, at=at))
    return charges


@pytest.fixture
def charge(app: Flask) -> Charge:
    """15.00 yuan asked of a diner."""
    return make_charges(1500)[0]
