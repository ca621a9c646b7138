"""The stories of the operator's own meals, canteens and statements; of elders there is none."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from canteen.web.bureau import stories as shared
from canteen.web.guards import actor
from canteen.web.operator.door import blueprint


@blueprint.get("/meals/<int:meal_id>/story")
def meal_story(meal_id: int) -> ResponseReturnValue:
    """Everything that happened to one meal, but for what is between the elder and the offices."""
    return shared.meal_page(actor(), meal_id)


@blueprint.get("/canteens/<int:canteen_id>/story")
def canteen_story(canteen_id: int) -> ResponseReturnValue:
    """What a canteen is known for, without proposals about its sign."""
    return shared.canteen_page(actor(), canteen_id)


@blueprint.get("/statements/<int:statement_id>/story")
def statement_story(statement_id: int) -> ResponseReturnValue:
    """A statement from its closing to the bank."""
    return shared.statement_page(actor(), statement_id)
