"""Elders: what finds one at the till, what enrols one, what the register says."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES
from canteen.web.schemas.fields import Code, Day, Line, Said, Wish

KINDS = ("category", "care_level", "disability_grade", "status", "long_term_care")
VALUES = (*CATEGORIES, *CARE_LEVELS, "1", "2", "3", "4", *STATUSES, "covered")


class Search(Wish):
    """Whatever the person has with them; a body, so that it stands in no log."""

    text = Line(
        60, least=2, required=True,
        metadata={"description": "card, ID number or its end, phone, name or its pinyin initials"},
    )


class Found(ma.Schema):
    """Enough to tell two people apart; no ID number."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    birth_year = fields.Integer(required=True)
    age = fields.Integer(required=True)
    last4 = fields.String(required=True)
    street = Said(required=True)
    near = fields.Boolean(required=True)
    card = fields.String(required=True, validate=validate.OneOf(["ok", "lost", "none"]))
    status = Code(STATUSES, required=True)


class FoundList(ma.Schema):
    """The likeliest first."""

    elders = fields.List(fields.Nested(Found), required=True)


class FactWish(Wish):
    """Something true of an elder between two days."""

    kind = Code(KINDS, required=True)
    value = Code(VALUES, required=True)
    valid_from = Day(required=True)
    valid_to = Day(allow_none=True, load_default=None)
    evidence = Line(120, load_default="")


class Enrolment(Wish):
    """A person to be put on the register."""

    id_number = Line(20, least=15, required=True)
    name = Line(40, least=1, required=True)
    street_code = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{9}\Z"))
    household = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9]{6}([0-9]{3})?\Z"),
        metadata={"description": "where the household is registered (户籍)"},
    )
    birth_date = Day(
        allow_none=True, load_default=None, metadata={"description": "checked against the number"}
    )
    phone = Line(20, allow_none=True, load_default=None)
    payout_account = Line(60, allow_none=True, load_default=None)
    diet_notes = Line(120, load_default="")
    facts = fields.List(
        fields.Nested(FactWish), load_default=list, validate=validate.Length(max=30)
    )


class Fact(ma.Schema):
    """Something true of an elder."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    value = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True, allow_none=True)
    evidence = fields.String(required=True)


class Elder(ma.Schema):
    """What the register says of a person; the ID number is masked."""

    id = fields.Integer(required=True)
    id_number_masked = fields.String(required=True)
    name = fields.String(required=True)
    birth_date = fields.Date(required=True)
    phone = fields.String(required=True, allow_none=True)
    household = fields.String(required=True)
    street_code = fields.String(required=True)
    status = Code(STATUSES, required=True)
    diet_notes = fields.String(required=True)
    facts = fields.List(fields.Nested(Fact), required=True)
