"""The standard set (标准套餐) of each district: what it costs from which day, and a new price."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import pricing
from canteen.canteens.models import StandardSetPrice
from canteen.db import db, transaction
from canteen.errors import CanteenError, Refused
from canteen.subsidies.publishing import in_force
from canteen.territory.actors import Actor
from canteen.web.bureau.door import DECIDERS, blueprint, districts
from canteen.web.errors import rendered
from canteen.web.forms import Fields
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text


class NoStandardSet(Refused):
    """The policy in force knows no standard set, so there is no price to set."""

    code = "no_standard_set"
    text = Text("现行政策没有标准套餐", "The policy in force has no standard set")


def prices_page(by: Actor, refusal: CanteenError | None = None) -> ResponseReturnValue:
    """What every district's standard set costs, past and to come, and the form for a new price."""
    today = clock.business_date()
    mine = districts(by)
    rows = db.session.scalars(
        sa.select(StandardSetPrice).where(StandardSetPrice.district_code.in_(mine))
        .order_by(StandardSetPrice.district_code, StandardSetPrice.from_on.desc())
    ).all()  # fmt: skip
    history: dict[str, list[StandardSetPrice]] = {code: [] for code in mine}
    for row in rows:
        history[row.district_code].append(row)
    return rendered(
        "bureau/prices.html", history=history, today=today, refusal=refusal, given=request.form,
        now={code: pricing.standard_set_price(code, today) for code in mine},
        bounds={code: _bounds(code) for code in mine},
    )


def _bounds(code: str) -> Any:
    """The lowest and highest price the policy allows this district; None without a set."""
    standard = in_force(code, clock.business_date()).policy.standard_set
    return standard.bounds_fen() if standard else None


@blueprint.get("/standard-set")
@guard(*DECIDERS)
def prices() -> ResponseReturnValue:
    """The standard set's price by district and date."""
    return prices_page(actor())


@blueprint.post("/standard-set")
@guard(*DECIDERS)
def set_price() -> ResponseReturnValue:
    """Set a district's price from a day on; what was sold before stays as it was sold."""
    by, fields, today = actor(), Fields(request.form), clock.business_date()
    try:
        code = str(fields.choice("district", districts(by)))
        price_fen, from_on = fields.yuan("price_fen"), fields.day("from_on")
        standard = in_force(code, today).policy.standard_set
        if standard is None or from_on is None:
            raise NoStandardSet(field="district")
        with transaction():
            pricing.set_standard_set_price(
                code, price_fen, from_on, base_fen=standard.default_fen,
                within_bp=standard.vary_bp, by=by, today=today,
            )  # fmt: skip
    except CanteenError as refusal:
        return prices_page(by, refusal)
    flash(t("新的标准套餐价已登记", "The new price is entered"), "done")
    return redirect(url_for("bureau.prices"), 303)
