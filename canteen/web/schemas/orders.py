"""Orders: what is wished for, what it costs and why, and what became of it."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from canteen.canteens.models import MEALS
from canteen.orders.cancelling import REASONS
from canteen.orders.models import PAYMENTS, SERVICES, STATES
from canteen.web.schemas.fields import Asked, Code, Day, Fen, Id, Line, Whole, Wish


class LineWish(Wish):
    """So many of a dish."""

    item_id = Id(required=True, metadata={"description": "a menu's item"})
    quantity = Whole(1, 50, required=True)


class MealWish(Wish):
    """What one diner wants to eat."""

    canteen_id = Id(required=True)
    on = Day(required=True)
    meal = Code(MEALS, required=True)
    service = Code(SERVICES, load_default="eat_in")
    lines = fields.List(
        fields.Nested(LineWish), required=True, validate=validate.Length(min=1, max=40)
    )
    elder_id = Id(allow_none=True, load_default=None)
    to_account = fields.Boolean(
        load_default=False,
        metadata={"description": "pay the subsidy to the elder's account (card unreadable)"},
    )


class OrderWish(MealWish):
    """An order."""

    payment = Code(PAYMENTS, load_default="cash")
    expected_payable_fen = Fen(
        allow_none=True, load_default=None,
        metadata={"description": "the price the diner was shown; 409 if it has changed"},
    )
    cash_fen = Fen(
        load_default=0,
        metadata={"description": "the part of an online payment given in cash at the counter"},
    )
    serve_now = fields.Boolean(
        load_default=False, metadata={"description": "a sale at the counter: paid and handed over"}
    )
    note = Line(120, load_default="")


class Why(ma.Schema):
    """One step of a price, or one refusal."""

    code = fields.String(required=True)
    params = fields.Dict(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class Quote(ma.Schema):
    """What everyone pays for a meal. list = discount + subsidy + payable."""

    list_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    subsidy_fen = fields.Integer(required=True)
    account_fen = fields.Integer(required=True)
    payable_fen = fields.Integer(required=True)
    enterprise_fen = fields.Integer(required=True)
    delivery_fen = fields.Integer(required=True)
    funders = fields.Dict(required=True)
    uses_quota = fields.Boolean(required=True)
    why = fields.List(fields.Nested(Why), required=True)


class OrderLine(ma.Schema):
    """A dish of an order."""

    item_id = fields.Integer(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    quantity = fields.Integer(required=True)
    unit_fen = fields.Integer(required=True)


class Order(ma.Schema):
    """An order."""

    id = fields.Integer(required=True)
    canteen_id = fields.Integer(required=True)
    elder_id = fields.Integer(required=True, allow_none=True)
    on = fields.Date(required=True)
    meal = Code(MEALS, required=True)
    service = Code(SERVICES, required=True)
    channel = fields.String(required=True)
    state = Code(STATES, required=True)
    payment = Code(PAYMENTS, required=True)
    list_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    subsidy_fen = fields.Integer(required=True)
    payable_fen = fields.Integer(required=True)
    cash_fen = fields.Integer(
        required=True, metadata={"description": "the part of payable_fen given in cash"}
    )
    excess_fen = fields.Integer(
        required=True,
        metadata={"description": "given beyond the rules without network; in discount_fen"},
    )
    policy_id = fields.Integer(required=True, allow_none=True)
    placed_at = fields.DateTime(required=True)
    paid_at = fields.DateTime(required=True, allow_none=True)
    packed_at = fields.DateTime(required=True, allow_none=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    served_at = fields.DateTime(required=True, allow_none=True)
    note = fields.String(required=True)
    lines = fields.List(fields.Nested(OrderLine), required=True)


class OrderExplained(Order):
    """An order with the reasons of its price, as it was priced."""

    why = fields.List(fields.Nested(Why), required=True)


class OrdersAsked(Asked):
    """Which orders."""

    on = Day()
    state = Code(STATES)
    elder_id = Id()
    before = Id(metadata={"description": "orders before this id: the next page"})
    size = Whole(1, 200, load_default=50)


class OrderList(ma.Schema):
    """Orders, the newest first."""

    orders = fields.List(fields.Nested(Order), required=True)
    next_before = fields.Integer(
        required=True, allow_none=True, metadata={"description": "`before` for the next page"}
    )


class CancellationWish(Wish):
    """Why an order is taken back."""

    reason_code = Code(REASONS, required=True)
    reason = Line(200, load_default="")


class Cancellation(ma.Schema):
    """An order taken back."""

    order_id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    reason_code = fields.String(required=True)
    reason = fields.String(required=True)
    refund_fen = fields.Integer(required=True)


class Payment(ma.Schema):
    """What the diner's page needs to pay online."""

    order_id = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    client_secret = fields.String(required=True)


class RatingWish(Wish):
    """What a diner thought of a meal."""

    stars = Whole(1, 5, required=True)
    comment = Line(200, load_default="")


class Rating(ma.Schema):
    """A rating."""

    order_id = fields.Integer(required=True)
    stars = fields.Integer(required=True)
    comment = fields.String(required=True)
