"""The frame of the public's pages: open to anybody, kept by browsers until something changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, render_template, request, url_for

from canteen import config
from canteen.db import db
from canteen.territory.models import Territory, stem
from canteen.web.guards import actor_or_none, guard_door, public
from canteen.words import Text

blueprint = Blueprint("public", __name__)
guard_door(blueprint, public())


@blueprint.context_processor
def frame() -> dict[str, Any]:
    """The way around."""
    at = (request.endpoint or "").partition(".")[2]
    nav = [
        (Text("食堂", "Canteens"), url_for("public.canteens"), at in ("canteens", "canteen")),
        (Text("补贴", "Subsidy"), url_for("public.subsidy"), at == "subsidy"),
    ]
    return {"nav": nav, "home_url": url_for("public.canteens")}


def page(template: str, **context: Any) -> Response:
    """A page that may be kept, and is asked for anew: unchanged, it is answered without a body.

    A sign taken down must be seen at once, so nobody may show an old page without asking.
    """
    response = Response(render_template(template, **context), mimetype="text/html")
    if actor_or_none() is None:
        response.headers["Cache-Control"] = "public, no-cache"
        response.vary.add("Cookie")
        response.add_etag(weak=True)
        response.make_conditional(request)
    return response


def districts() -> Sequence[Territory]:
    """The districts of the city, in the order of their codes."""
    city = stem(config.current().city)
    query = sa.select(Territory).where(
        Territory.level == "district", Territory.code.startswith(city)
    )
    return db.session.scalars(query.order_by(Territory.code)).all()
