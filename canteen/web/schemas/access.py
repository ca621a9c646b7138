"""Signing a program in."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from canteen.web.schemas.fields import Line, Said, Whole, Wish


class SignIn(Wish):
    """A login, its password, and how long the token shall live."""

    login = Line(80, least=1, required=True)
    password = fields.String(required=True, validate=ma.validate.Length(min=1, max=200))
    name = Line(60, least=1, load_default="api", metadata={"description": "what the token is for"})
    days = Whole(1, 366, load_default=30)


class Who(ma.Schema):
    """Whom a token acts as."""

    role = fields.String(required=True)
    role_text = Said(required=True)
    name = fields.String(required=True)
    user_id = fields.Integer(required=True)
    territory = fields.String(required=True, allow_none=True)
    operator_id = fields.Integer(required=True, allow_none=True)
    canteen_id = fields.Integer(required=True, allow_none=True)
    elder_ids = fields.List(fields.Integer(), required=True)


class Token(ma.Schema):
    """A bearer token, shown this once."""

    token = fields.String(required=True)
    who = fields.Nested(Who, required=True)
