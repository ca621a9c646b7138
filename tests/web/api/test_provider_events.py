"""What the provider sends: signed, taken once, brought to the order."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.db import db
from canteen.orders.models import Order
from canteen.payments import charging
from canteen.payments.models import ProviderEvent
from tests.web.world import World


def signed(app: Flask, event: dict[str, Any]) -> dict[str, Any]:
    """The event as the provider posts it."""
    body = json.dumps(event).encode()
    at = int(clock.now().timestamp())
    secret = app.config["SETTINGS"].webhook_secret.encode()
    mark = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"data": body, "headers": {"Stripe-Signature": f"t={at},v1={mark}"}}


def arrived(charge: Any) -> dict[str, Any]:
    """The event of a payment that arrived."""
    return {
        "id": "evt_1", "type": "payment_intent.succeeded",
        "created": int(clock.now().timestamp()),
        "data": {
            "object": {
                "id": "pi_1", "amount_received": charge.amount_fen,
                "metadata": {
                    "reference": charging.reference(charge), "key": charging.key(charge)
                },
            }
        },
    }


def test_a_payment_that_arrived_places_the_order_once(
    app: Flask, world: World, program: Any, wish: Any, client: FlaskClient
) -> None:
    made = program("elder", "POST", "/orders", wish(payment="online")).json
    assert made["state"] == "awaiting_payment"
    event = arrived(charging.of_order(made["id"]))
    first = client.post("/api/v1/provider-events", **signed(app, event))
    assert (first.status_code, first.json) == (200, {"received": True, "news": True})
    again = client.post("/api/v1/provider-events", **signed(app, event))
    assert (again.status_code, again.json) == (200, {"received": True, "news": False})
    order = db.session.get_one(Order, made["id"], populate_existing=True)
    assert order.state == "placed" and order.paid_at is not None
    assert db.session.query(ProviderEvent).count() == 1


def test_another_amount_than_asked_for_is_refused_and_comes_again(
    app: Flask, world: World, program: Any, wish: Any, client: FlaskClient
) -> None:
    made = program("elder", "POST", "/orders", wish(payment="online")).json
    event = arrived(charging.of_order(made["id"]))
    event["data"]["object"]["amount_received"] -= 1
    response = client.post("/api/v1/provider-events", **signed(app, event))
    assert 400 <= response.status_code < 500
    assert db.session.query(ProviderEvent).count() == 0


def test_a_body_changed_on_its_way_is_refused(
    app: Flask, world: World, client: FlaskClient
) -> None:
    sent = signed(app, {"id": "evt_2", "type": "x", "created": 1, "data": {"object": {}}})
    sent["data"] += b" "
    assert client.post("/api/v1/provider-events", **sent).status_code == 403
