"""The work list: what waits for this office, the most urgent first."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import licensing
from canteen.performance import judging
from canteen.settlements import finding
from canteen.territory.actors import Actor
from canteen.web.bureau import worklist
from canteen.web.bureau.door import DECIDERS, blueprint, canteen_names
from canteen.web.guards import actor
from canteen.web.language import t

FIRST = 8


@blueprint.get("")
def desk() -> ResponseReturnValue:
    """Everything that waits, as tasks; below it the first statements themselves."""
    by, today = actor(), clock.business_date()
    proposals = judging.proposals(by, limit=FIRST) if by.role in DECIDERS else []
    work = finding.work_list(by, on=today, limit=FIRST)
    return render_template(
        "bureau/desk.html", tasks=worklist.tasks(by, today, work), work=work, today=today,
        proposals=proposals, names=canteen_names(one.canteen_id for one in proposals),
    )


@blueprint.get("/papers")
def list_papers() -> ResponseReturnValue:
    """The papers that end soon on this ground, soonest first."""
    return papers_page(actor())


def papers_page(by: Actor) -> ResponseReturnValue:
    """The papers that end soon among those this actor sees, soonest first."""
    today = clock.business_date()
    endings = licensing.expiring(by, today)
    return render_template(
        "bureau/papers.html", endings=endings, today=today, papers=licensing.PAPERS,
        names=canteen_names(one.canteen_id for one in endings),
        title=t("即将到期的证照", "Papers about to end"),
    )
