"""What the payment provider tells us: verified, taken in once, brought to orders and payouts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import fields

from canteen import clock
from canteen.db import transaction
from canteen.orders import paying
from canteen.payments import charging, gateway, webhooks
from canteen.settlements import paying_out
from canteen.web.api.document import Door
from canteen.web.guards import public

blueprint = Door("provider-events", __name__, description="The payment provider's webhook")


class Received(ma.Schema):
    """An event taken in; `news` is false for one that changed nothing."""

    received = fields.Boolean(required=True)
    news = fields.Boolean(required=True)


@blueprint.route("/provider-events", methods=["POST"])
@public(own_page=False)
@blueprint.doc(
    parameters=[{
        "in": "header", "name": "Stripe-Signature", "required": True,
        "schema": {"type": "string"}, "description": "the provider's signature of the raw body",
    }],
    requestBody={"content": {"application/json": {"schema": {"type": "object"}}}},
)
@blueprint.response(200, Received)
@blueprint.may_refuse(403, 404, 409, 422)
def hear() -> dict[str, Any]:
    """Take in one event; the provider sends it again until it is answered with 200."""
    event = gateway.verify_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
    at = clock.now()
    with transaction():
        told = webhooks.receive(event, at=at)
        if told is not None:
            act_on(told, at)
    return {"received": True, "news": told is not None}


def act_on(told: webhooks.Told, at: datetime) -> None:
    """Bring what the provider said to the order or the payout it is about."""
    if told.kind == "charge" and told.state == "succeeded":
        paying.charge_arrived(told.row_id, at, told.provider_id, told.amount_fen)
    elif told.kind == "charge" and told.state == "cancelled":
        charging.fail(told.row_id, at=at)
    elif told.kind == "transfer":
        paying_out.told(
            told.provider_id, told.state, payout_id=told.row_id, reason=told.reason, at=at
        )
