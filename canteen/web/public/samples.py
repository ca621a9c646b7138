"""The published seeds: by which numbers a month's meals were drawn to be looked at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, jsonify, request

from canteen.db import db
from canteen.settlements import sampling
from canteen.settlements.review_models import SampleDraw
from canteen.web.public.door import blueprint, districts, page


def _periods() -> list[str]:
    """The months with published seeds, the latest first."""
    query = sa.select(SampleDraw.period).distinct().order_by(SampleDraw.period.desc())
    return list(db.session.scalars(query))


def _asked() -> tuple[list[str], str, list[SampleDraw]]:
    periods = _periods()
    given = request.args.get("period", "")
    period = given if given in periods else (periods[0] if periods else "")
    return periods, period, sampling.draws_of(period)


@blueprint.get("/samples")
def samples() -> Response:
    """The seeds of a month by district, with the formula."""
    periods, period, draws = _asked()
    return page(
        "public/samples.html", periods=periods, period=period, prime=sampling.PRIME,
        draws=[(draw, sampling.drawing_of(draw)) for draw in draws],
        names={one.code: one.name for one in districts()},
    )


@blueprint.get("/samples.json")
def samples_json() -> Response:
    """The same for machines."""
    _, period, draws = _asked()
    told: list[dict[str, Any]] = []
    for draw in draws:
        drawing = sampling.drawing_of(draw)
        told.append({
            "period": draw.period, "district": draw.district_code, "seed": draw.seed,
            "a": drawing.a, "b": drawing.b, "modulus": sampling.PRIME,
            "sample_bp": draw.sample_bp, "sample_least": draw.sample_least,
            "drawn_at": draw.drawn_at.isoformat(),
        })  # fmt: skip
    return jsonify(period=period, draws=told)
