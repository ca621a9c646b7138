"""The operator's statements: the bureau's own pages, limited to what is the operator's."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen.errors import CanteenError
from canteen.web.bureau import meals as down
from canteen.web.bureau import statements as shared
from canteen.web.errors import status_of
from canteen.web.forms import row_ids
from canteen.web.guards import actor
from canteen.web.operator.door import blueprint


@blueprint.get("/statements")
def statements() -> ResponseReturnValue:
    """Every statement of the operator's canteens."""
    return shared.list_page(actor())


@blueprint.post("/statements/approvals")
def approve() -> ResponseReturnValue:
    """Confirm the ticked statements: all of them or none."""
    by, ids = actor(), row_ids(request.form.getlist("statement_ids"))
    one = len(ids) == 1 and request.form.get("from") == "statement"
    try:
        shared.pass_on(by, ids)
    except CanteenError as refusal:
        if status_of(refusal)[0] == 404:
            raise
        return shared.statement_page(by, ids[0], refusal) if one else shared.list_page(by, refusal)
    if one:
        return redirect(url_for("operator.statement", statement_id=ids[0]), 303)
    return redirect(url_for("operator.statements"), 303)


@blueprint.get("/statements/<int:statement_id>")
def statement(statement_id: int) -> ResponseReturnValue:
    """One statement with its place in the chain."""
    return shared.statement_page(actor(), statement_id)


@blueprint.get("/statements/<int:statement_id>/meals")
def statement_meals(statement_id: int) -> ResponseReturnValue:
    """The meals behind a statement."""
    return down.meals_page(actor(), statement_id)


@blueprint.get("/statements/<int:statement_id>/takings")
def statement_takings(statement_id: int) -> ResponseReturnValue:
    """The online takings behind a statement."""
    return down.takings_page(actor(), statement_id)


@blueprint.get("/statements/<int:statement_id>/excess")
def statement_excess(statement_id: int) -> ResponseReturnValue:
    """What the tills gave beyond what was due in the month."""
    return down.excess_page(actor(), statement_id)


@blueprint.get("/meals/<int:meal_id>")
def meal(meal_id: int) -> ResponseReturnValue:
    """One meal with every reason."""
    return down.meal_page(actor(), meal_id)
