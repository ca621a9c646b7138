"""The district's rule for tills without network, and who bears what was given too much."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.territory.actors import Actor
from canteen.tills import ruling
from canteen.tills.models import BEARERS, OfflineRule
from canteen.web.bureau.door import DECIDERS, blueprint, districts
from canteen.web.errors import rendered
from canteen.web.forms import Fields
from canteen.web.guards import actor, guard
from canteen.web.language import t


def offline_page(by: Actor, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """Every district's rule, past and to come, and the form for a new one."""
    today, mine = clock.business_date(), districts(by)
    history: dict[str, list[OfflineRule]] = {code: [] for code in mine}
    rows = db.session.scalars(
        sa.select(OfflineRule).where(OfflineRule.district_code.in_(mine))
        .order_by(OfflineRule.district_code, OfflineRule.from_on.desc())
    )  # fmt: skip
    for row in rows:
        history[row.district_code].append(row)
    return rendered(
        "bureau/offline.html", history=history, today=today, refusal=refusal, given=request.form,
        default=ruling.DEFAULT, bearers=BEARERS,
        most={"per_elder": ruling.MOST_PER_ELDER, "per_till": ruling.MOST_PER_TILL},
    )


@blueprint.get("/offline-rule")
@guard(*DECIDERS)
def offline_rule() -> ResponseReturnValue:
    """The rule for tills without network, by district and date."""
    return offline_page(actor())


@blueprint.post("/offline-rule")
@guard(*DECIDERS)
def set_offline_rule() -> ResponseReturnValue:
    """Set a district's rule from a day on; what was sold before stays as it was sold."""
    by, fields, today = actor(), Fields(request.form), clock.business_date()
    try:
        code = str(fields.choice("district", districts(by)))
        per_elder = fields.whole("per_elder", most=ruling.MOST_PER_ELDER)
        per_till = fields.whole("per_till", most=ruling.MOST_PER_TILL)
        excess = str(fields.choice("excess", BEARERS))
        limit_fen = fields.yuan("limit_fen") if excess == "programme" else 0
        from_on = fields.day("from_on") or today
        with transaction():
            ruling.set_rule(
                code, from_on, per_elder=per_elder, per_till=per_till, excess=excess,
                limit_fen=limit_fen, by=by, today=today,
            )
    except CanteenError as refusal:
        return offline_page(by, refusal)
    flash(t("新的断网规则已登记", "The new rule is entered"), "done")
    return redirect(url_for("bureau.offline_rule"), 303)
