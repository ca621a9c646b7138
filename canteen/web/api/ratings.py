"""What diners thought of their meals."""

from __future__ import annotations

from typing import Any

from flask import Response

from canteen import clock
from canteen.performance import rating
from canteen.territory.actors import HOME
from canteen.web.api.document import Door, done
from canteen.web.guards import actor, guard
from canteen.web.once import do_once
from canteen.web.schemas import orders as schemas

blueprint = Door("ratings", __name__, description="Diners' ratings")


@blueprint.route("/orders/<int:order_id>/rating", methods=["POST"])
@guard(*HOME)
@blueprint.written(schemas.Rating)
@blueprint.arguments(schemas.RatingWish)
def rate(wish: dict[str, Any], order_id: int) -> Response:
    """Give a served meal one to five stars and, if one likes, a sentence; once."""
    by = actor()

    def act() -> Any:
        rating.rate(order_id, wish["stars"], wish["comment"], by=by, on=clock.business_date())
        return schemas.Rating().dump(wish | {"order_id": order_id})

    return done(do_once(act, wish, by, required=False))
