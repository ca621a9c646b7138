"""What the elders' subsidy is: the policy in force in a district, in plain sentences."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from canteen import clock, config
from canteen.canteens.pricing import standard_set_price
from canteen.subsidies.describing import describe
from canteen.subsidies.policies import NoPolicyInForce
from canteen.subsidies.publishing import in_force
from canteen.web.public.door import blueprint, districts, page


@blueprint.get("/subsidy")
def subsidy() -> ResponseReturnValue:
    """Who gets how much, when, and on which document's word."""
    known, today = districts(), clock.business_date()
    asked = request.args.get("district", "")
    district = asked if asked in {one.code for one in known} else ""
    place = district or config.current().city
    try:
        policy = in_force(place, today).policy
        said = describe(policy, standard_set_price(place, today))
    except NoPolicyInForce:
        said = None
    return page(
        "public/subsidy.html", districts=known, district=district, said=said, today=today
    )
