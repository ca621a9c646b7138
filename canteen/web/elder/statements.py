"""Money owed to the elder's account: each month's sum, where it stands, and the meals behind it."""

from __future__ import annotations

import sqlalchemy as sa
from flask import g, render_template
from flask.typing import ResponseReturnValue

from canteen.db import db
from canteen.orders import quoting
from canteen.settlements import finding
from canteen.settlements.models import STAGES, Statement
from canteen.subsidies import explaining
from canteen.subsidies.models import cause_words
from canteen.web.elder import showing, wishes
from canteen.web.elder.door import blueprint, the_elder
from canteen.web.guards import actor
from canteen.words import Text

LATEST = 24
A_PAGE = 20


def why(meal: finding.Meal) -> Text:
    """Why the meal stands here: by its price, or by what became known afterwards."""
    if meal.grant.cause in ("sale", "cancelled"):
        return explaining.why(quoting.explain(meal.order))
    return cause_words(meal.grant.cause, meal.grant.sign)


@blueprint.get("/elders/<int:elder_id>/statements")
def list_statements(elder_id: int) -> ResponseReturnValue:
    """The latest two years of months, the newest first."""
    elder = the_elder(elder_id)
    query = (
        sa.select(Statement)
        .where(finding.visible(actor()), Statement.elder_id == elder_id)
        .order_by(Statement.period.desc())
        .limit(LATEST)
    )
    return render_template(
        "elder/statements.html", elder=elder, statements=db.session.scalars(query).all(),
        stages=STAGES,
    )


@blueprint.get("/statements/<int:statement_id>")
def statement(statement_id: int) -> ResponseReturnValue:
    """One month: who has it now, and every meal it is made of."""
    found = finding.get_for(actor(), statement_id)
    g.elder_id = found.elder_id
    page = finding.meals_of(found, page=wishes.page_number(), size=A_PAGE)
    where = showing.places([meal.order.canteen_id for meal in page.rows])
    meals = [
        (meal, where[meal.order.canteen_id], why(meal))
        for meal in page.rows
    ]
    steps = [  # names of officers are the bureau's business
        {"label": one.label, "state": one.state, "since": one.since, "due": one.due,
         "state_words": one.state_words}
        for one in finding.chain_of(found)
    ]
    return render_template(
        "elder/statement.html", statement=found, steps=steps, meals=meals,
        page=page, stages=STAGES,
    )
