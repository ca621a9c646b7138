"""Statements: read down to the meals, passed on or sent back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders import seeing
from canteen.elders.models import Elder
from canteen.settlements import finding, reviewing, searching
from canteen.settlements.models import STAGES, Statement
from canteen.territory.actors import BUREAU, HOME
from canteen.web import looks
from canteen.web.api.document import Door, done
from canteen.web.guards import actor, guard
from canteen.web.once import do_once
from canteen.web.schemas import statements as schemas

blueprint = Door("statements", __name__, description="The monthly settlement")
LOOKERS = guard(*BUREAU, "operator", "manager", *HOME)
REVIEWERS = guard(*BUREAU, "operator")
COLUMNS = [
    column.key for column in Statement.__table__.columns
    if column.key in schemas.Statement().fields
]


@blueprint.route("/statements")
@LOOKERS
@blueprint.arguments(schemas.StatementsAsked, location="query")
@blueprint.response(200, schemas.StatementList)
def list_statements(asked: dict[str, Any]) -> dict[str, Any]:
    """The statements one may see, the latest month first."""
    page, size = asked.pop("page"), asked.pop("size")
    found = searching.search(
        actor(), searching.Wanted(**asked), on=clock.business_date(), page=page, size=size,
        waiting_first=False,
    )  # fmt: skip
    rows = [_shown(row.statement, row.payee_name) for row in found.rows]
    return {
        "statements": rows, "total": found.total, "page": found.number, "size": found.size,
    }


@blueprint.route("/statements/<int:statement_id>")
@LOOKERS
@blueprint.response(200, schemas.StatementDetail)
def statement(statement_id: int) -> dict[str, Any]:
    """One statement: sums, funders, chain and payout."""
    found = finding.get_for(actor(), statement_id)
    return _shown(found, _payee_name(found)) | {
        "lines": finding.lines_of(found.id),
        "chain": finding.chain_of(found),
        "payout": finding.payout_of(found.id),
    }


@blueprint.route("/statements/<int:statement_id>/lines")
@LOOKERS
@blueprint.response(200, schemas.StatementLines)
def lines(statement_id: int) -> dict[str, Any]:
    """The sums by funder."""
    return {"lines": finding.lines_of(finding.get_for(actor(), statement_id).id)}


@blueprint.route("/statements/<int:statement_id>/meals")
@LOOKERS
@blueprint.arguments(schemas.MealsAsked, location="query")
@blueprint.response(200, schemas.MealList)
def meals(asked: dict[str, Any], statement_id: int) -> dict[str, Any]:
    """The meals behind the sums, the oldest first."""
    statement = finding.get_for(actor(), statement_id)
    looks.note("statement", statement_id)
    found = finding.meals_of(statement, **asked)
    return {
        "meals": [_meal(one) for one in found.rows],
        "total": found.total, "page": found.number, "size": found.size,
    }


@blueprint.route("/statements/<int:statement_id>/approval", methods=["POST"])
@REVIEWERS
@blueprint.written(schemas.Moved)
def approve(statement_id: int) -> Response:
    """Pass a statement on; the operator confirms it, the city's approval orders the payout."""
    by = actor()

    def act() -> Any:
        passed = reviewing.approve([statement_id], by, at=clock.now())
        return _moved(statement_id, next(iter(passed.to)))

    return done(do_once(act, {}, by, required=False))


@blueprint.route("/statements/<int:statement_id>/return", methods=["POST"])
@REVIEWERS
@blueprint.written(schemas.Moved)
@blueprint.arguments(schemas.ReturnWish)
def return_(wish: dict[str, Any], statement_id: int) -> Response:
    """Send a statement back to where its chain begins, with a reason."""
    by = actor()

    def act() -> Any:
        stage = reviewing.return_(statement_id, wish["reason"], by, at=clock.now())
        return _moved(statement_id, stage)

    return done(do_once(act, wish, by, required=False))


def _shown(found: Statement, name: str) -> dict[str, Any]:
    return {column: getattr(found, column) for column in COLUMNS} | {
        "payee_name": name, "stage_text": STAGES[found.stage],
    }


def _payee_name(found: Statement) -> str:
    of_canteen = sa.select(Canteen.name).where(Canteen.id == found.canteen_id)
    of_elder = sa.select(Elder.name).where(Elder.id == found.elder_id)
    return db.session.scalar(of_canteen if found.payee == "canteen" else of_elder) or ""


def _meal(one: finding.Meal) -> dict[str, Any]:
    names = (
        "order_id", "sign", "on", "meal", "group_code", "policy_id", "till_fen", "account_fen",
        "enterprise_fen", "delivery_fen",
    )
    return {name: getattr(one.grant, name) for name in names} | {
        "grant_id": one.grant.id, "elder_name": called(one.elder_name),
        "elder_last4": one.elder_last4,
    }


def called(name: str) -> str:
    """An elder's name as this caller may read it: an operator gets 王*英."""
    return seeing.masked_name(name) if actor().role == "operator" else name


def _moved(statement_id: int, stage: str) -> Any:
    return schemas.Moved().dump(
        {"statement_id": statement_id, "stage": stage, "stage_text": STAGES[stage]}
    )
