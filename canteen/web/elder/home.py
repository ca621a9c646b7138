"""The elder's start: a greeting, this week's meals, what is ordered, and one big button."""

from __future__ import annotations

import sqlalchemy as sa
from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.db import db
from canteen.elders.models import Elder
from canteen.orders import finding, stranded
from canteen.orders.models import Order
from canteen.performance.rating import rating_of
from canteen.settlements.models import Statement
from canteen.web.elder import showing
from canteen.web.elder.door import blueprint, for_others, the_elder
from canteen.web.guards import actor

LATELY = 20  # orders looked through for what is still to come


@blueprint.get("")
def home() -> ResponseReturnValue:
    """One's own start; who orders for several is asked for whom."""
    elder_ids = actor().elder_ids
    if len(elder_ids) == 1:
        return redirect(url_for("elder.home_of", elder_id=elder_ids[0]), 303)
    query = sa.select(Elder).where(Elder.id.in_(elder_ids)).order_by(Elder.id)
    today = clock.business_date()
    people = [(one, showing.week_of(one, today)[0]) for one in db.session.scalars(query)]
    return render_template("elder/people.html", people=people)


@blueprint.get("/elders/<int:elder_id>")
def home_of(elder_id: int) -> ResponseReturnValue:
    """The start of one elder."""
    elder, now = the_elder(elder_id), clock.now()
    today = clock.business_date(now)
    week, no_subsidy = showing.week_of(elder, today)
    recent = finding.recent(actor(), LATELY, elder_id=elder_id)
    ahead = [one for one in recent if one.on >= today]
    coming = [one for one in ahead if one.state != "cancelled"]
    gone = stranded.gone([one.id for one in ahead])
    coming.sort(key=lambda one: (one.on, list(MEALS).index(one.meal), one.id))
    return render_template(
        "elder/home.html", elder=elder, today=today, greeting=showing.greeting(now),
        week=week, no_subsidy=no_subsidy, coming=showing.listed(coming),
        stranded=stranded.why([one.id for one in coming]),
        gone=showing.listed([one for one in ahead if one.id in gone]),
        unrated=_unrated(recent), for_others=for_others(elder_id),
        many=len(actor().elder_ids) > 1, has_statements=_has_statements(elder_id),
    )


def _unrated(recent: list[Order]) -> Order | None:
    """The last meal served, if it waits to be rated."""
    last = next((one for one in recent if one.state == "served"), None)
    return last if last is not None and rating_of(last.id) is None else None


def _has_statements(elder_id: int) -> bool:
    return bool(db.session.scalar(sa.select(sa.exists().where(Statement.elder_id == elder_id))))
