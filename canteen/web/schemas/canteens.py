"""Canteens, their hours, menus and the changes of their sign."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from canteen.canteens.models import MEALS, REASONS, STATUSES
from canteen.web.schemas.fields import Asked, Code, Day, Line, Said, WallClock, Whole, Wish

TERRITORY = validate.Regexp(r"^[0-9]{6}([0-9]{3})?\Z")


class CanteensAsked(Asked):
    """Which canteens."""

    territory = fields.String(
        validate=TERRITORY, metadata={"description": "a city, district or street code"}
    )
    text = Line(40, metadata={"description": "part of a name or address"})
    page = Whole(1, 10_000, load_default=1)
    size = Whole(1, 200, load_default=50)


class Hours(ma.Schema):
    """When a meal is served, and until when it can be ordered ahead (Shanghai)."""

    meal = Code(MEALS, required=True)
    opens = WallClock(required=True)
    closes = WallClock(required=True)
    order_until = WallClock(required=True)


class Canteen(ma.Schema):
    """A canteen as the public sees it."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    district_code = fields.String(required=True)
    street_code = fields.String(required=True)
    address = fields.String(required=True)
    phone = fields.String(required=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    tier = fields.Integer(required=True)
    demonstration = fields.Boolean(required=True)
    grade = fields.String(required=True, allow_none=True)
    status = Code(STATUSES, required=True)
    capabilities = fields.List(fields.String(), required=True)
    hours = fields.List(fields.Nested(Hours), required=True)


class CanteenToday(Canteen):
    """A canteen with whether it opens today."""

    open_today = fields.Boolean(required=True)
    closed_because = fields.String(required=True, allow_none=True)


class CanteenList(ma.Schema):
    """One page of canteens."""

    canteens = fields.List(fields.Nested(CanteenToday), required=True)
    page = fields.Integer(required=True)
    size = fields.Integer(required=True)


class MenusAsked(Asked):
    """Which day."""

    on = Day(metadata={"description": "a Shanghai day; today if left out"})


class Item(ma.Schema):
    """A dish on a menu."""

    id = fields.Integer(required=True)
    dish_id = fields.Integer(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["set", "dish"]))
    marks = fields.List(fields.String(), required=True)
    price_fen = fields.Integer(required=True)
    left = fields.Integer(required=True)
    sold_out = fields.Boolean(required=True)


class Menu(ma.Schema):
    """What is offered for one meal."""

    id = fields.Integer(required=True)
    meal = Code(MEALS, required=True)
    items = fields.List(fields.Nested(Item), required=True)


class DayOfMenus(ma.Schema):
    """A canteen's published menus of one day."""

    canteen_id = fields.Integer(required=True)
    on = fields.Date(required=True)
    menus = fields.List(fields.Nested(Menu), required=True)


class ListingWish(Wish):
    """A change of the sign, with the reason it is written down with."""

    to_status = Code(STATUSES, required=True)
    reason_code = Code(REASONS, required=True)
    reason = Line(400, least=1, required=True)
    expected_status = Code(
        STATUSES, metadata={"description": "the status you decided on; 409 if it has changed"}
    )


class ListingChange(ma.Schema):
    """A change of the sign."""

    id = fields.Integer(required=True)
    canteen_id = fields.Integer(required=True)
    from_status = fields.String(required=True, allow_none=True)
    to_status = Code(STATUSES, required=True)
    to_text = Said(required=True)
    reason_code = fields.String(required=True)
    reason = fields.String(required=True)
    decided_by = fields.String(required=True)
    at = fields.DateTime(required=True)
