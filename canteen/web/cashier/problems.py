"""What the checks found at this canteen, for its manager: read it, and answer what is asked."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from canteen.web.cashier.door import MANAGER, blueprint
from canteen.web.guards import actor
from canteen.web.operator import problems as shared


@blueprint.get("/problems")
@MANAGER
def problems() -> ResponseReturnValue:
    """What is to be put right at this canteen."""
    return shared.list_page(actor(), "cashier/problems.html")


@blueprint.get("/problems/<int:suspicion_id>")
@MANAGER
def problem(suspicion_id: int) -> ResponseReturnValue:
    """One of them."""
    return shared.problem_page(actor(), suspicion_id, template="cashier/problem.html")


@blueprint.post("/problems/<int:suspicion_id>/answers")
@MANAGER
def answer_problem(suspicion_id: int) -> ResponseReturnValue:
    """Explain what the bureau asks about."""
    return shared.answer_page(actor(), suspicion_id, "cashier/problem.html")


@blueprint.post("/problems/<int:suspicion_id>/notes")
@MANAGER
def note_problem(suspicion_id: int) -> ResponseReturnValue:
    """Explain it before anybody asks."""
    return shared.note_page(actor(), suspicion_id, "cashier/problem.html")
