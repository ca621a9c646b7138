"""The one shape of every refusal and fault."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from canteen.web.schemas.fields import Said


class Fault(ma.Schema):
    """What was wrong."""

    code = fields.String(
        required=True, metadata={"description": "for machines; it never changes its meaning"}
    )
    message = fields.String(required=True, metadata={"description": "in the reader's language"})
    messages = Said(required=True)
    field = fields.String(
        required=True, allow_none=True,
        metadata={"description": "the field it is about, as in lines.0.quantity"},
    )
    row = fields.Integer(
        required=True, allow_none=True, metadata={"description": "the row of a file it is about"}
    )
    detail = fields.Dict(
        required=True, metadata={"description": "what a program needs to act on it"}
    )
    reference = fields.String(
        required=True, allow_none=True,
        metadata={"description": "a number to tell the administrator"},
    )


class Refusal(ma.Schema):
    """Every answer of 400 and above."""

    error = fields.Nested(Fault, required=True)
