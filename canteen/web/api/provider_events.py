"""What the payment provider tells us: verified, taken in once, brought to orders and payouts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import fields

from canteen import delivering
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
    sent = request.headers.get("Stripe-Signature", "")
    return {"received": True, "news": delivering.take_notice(request.get_data(), sent)}
