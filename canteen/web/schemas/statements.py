"""Statements: what is owed for a month, by whom, for which meals, and where it stands."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from canteen.settlements.models import STAGES
from canteen.web.schemas.canteens import TERRITORY
from canteen.web.schemas.fields import Asked, Code, Day, Id, Line, Said, Whole, Wish

PERIOD = validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z")
SUMS = ("elder", "account", "enterprise", "delivery", "online", "carried", "deducted", "total")


class StatementsAsked(Asked):
    """Which statements."""

    period = fields.String(validate=PERIOD)
    stage = Code(STAGES)
    payee = Code(["canteen", "elder"])
    territory = fields.String(validate=TERRITORY)
    canteen_id = Id()
    page = Whole(1, 100_000, load_default=1)
    size = Whole(1, 200, load_default=50)


class Statement(ma.Schema):
    """What one canteen, or one elder paid to account, is owed for one month."""

    id = fields.Integer(required=True)
    period = fields.String(required=True)
    payee = Code(["canteen", "elder"], required=True)
    payee_name = fields.String(required=True)
    canteen_id = fields.Integer(required=True, allow_none=True)
    elder_id = fields.Integer(required=True, allow_none=True)
    operator_id = fields.Integer(required=True, allow_none=True)
    street_code = fields.String(required=True)
    district_code = fields.String(required=True)
    meals = fields.Integer(required=True)
    elder_fen = fields.Integer(required=True)
    account_fen = fields.Integer(required=True)
    enterprise_fen = fields.Integer(required=True)
    delivery_fen = fields.Integer(required=True)
    online_fen = fields.Integer(required=True)
    carried_fen = fields.Integer(required=True)
    deducted_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)
    stage = Code(STAGES, required=True)
    stage_text = Said(required=True)
    stage_since = fields.DateTime(required=True)
    due_on = fields.Date(required=True, allow_none=True)


class StatementList(ma.Schema):
    """One page of statements."""

    statements = fields.List(fields.Nested(Statement), required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    size = fields.Integer(required=True)


class ChainStep(ma.Schema):
    """One office of the chain."""

    office = fields.String(required=True)
    label = Said(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["done", "current", "waiting", "returned"])
    )
    who = fields.String(required=True)
    since = fields.DateTime(required=True, allow_none=True)
    due = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True)


class Payout(ma.Schema):
    """Money sent for a statement."""

    id = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    made_at = fields.DateTime(required=True)
    paid_at = fields.DateTime(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)


class StatementLine(ma.Schema):
    """What one funder pays for one side."""

    side = fields.String(required=True)
    funder = fields.String(required=True)
    territory_code = fields.String(required=True)
    meals = fields.Integer(required=True)
    amount_fen = fields.Integer(required=True)


class StatementLines(ma.Schema):
    """The sums by funder."""

    lines = fields.List(fields.Nested(StatementLine), required=True)


class StatementDetail(Statement):
    """A statement with its sums by funder, its chain and its payout."""

    lines = fields.List(fields.Nested(StatementLine), required=True)
    chain = fields.List(fields.Nested(ChainStep), required=True)
    payout = fields.Nested(Payout, required=True, allow_none=True)


class MealsAsked(Asked):
    """Which of a statement's meals."""

    on = Day()
    side = Code(["elder", "enterprise", "delivery"])
    page = Whole(1, 100_000, load_default=1)
    size = Whole(1, 500, load_default=100)


class Meal(ma.Schema):
    """One subsidised meal, or one taken back (all sums negative)."""

    grant_id = fields.Integer(required=True)
    order_id = fields.Integer(required=True)
    sign = fields.Integer(required=True)
    elder_name = fields.String(required=True)
    elder_last4 = fields.String(required=True)
    on = fields.Date(required=True)
    meal = fields.String(required=True)
    group_code = fields.String(required=True)
    policy_id = fields.Integer(required=True)
    till_fen = fields.Integer(required=True)
    account_fen = fields.Integer(required=True)
    enterprise_fen = fields.Integer(required=True)
    delivery_fen = fields.Integer(required=True)


class MealList(ma.Schema):
    """One page of meals, the oldest first."""

    meals = fields.List(fields.Nested(Meal), required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    size = fields.Integer(required=True)


class ReturnWish(Wish):
    """Why a statement goes back."""

    reason = Line(400, least=4, required=True)


class Moved(ma.Schema):
    """Where a statement stands now."""

    statement_id = fields.Integer(required=True)
    stage = Code(STAGES, required=True)
    stage_text = Said(required=True)
