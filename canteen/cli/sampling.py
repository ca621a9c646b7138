"""Draw a district's sample of a month again from its published seed: the same as at closing."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from canteen.db import db
from canteen.settlements import sampling
from canteen.settlements.models import Statement
from canteen.settlements.review_models import SampledMeal


@click.command("draw-sample")
@click.option("--period", required=True, metavar="MONTH", help="The month, like 2026-10.")
@click.option("--district", metavar="CODE", help="Only this district, like 120104.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@with_appcontext
def draw_sample(period: str, district: str | None, as_json: bool) -> None:
    """Draw the meals to be looked at again, from the seed and the meals as they were sold.

    Reads only. Ends with 1 when the sample on record is another, or when nothing was drawn.
    """
    draws = [_drawn(period, draw) for draw in sampling.draws_of(period, district)]
    if as_json:
        click.echo(json.dumps({"period": period, "draws": draws}, ensure_ascii=False, indent=1))
    else:
        for one in draws:
            click.echo(
                f"{one['district']} {period}: seed {one['seed']}, rank = ({one['a']} × order"
                f" + {one['b']}) mod {sampling.PRIME}; {one['sample_bp'] / 100:g} %,"
                f" at least {one['sample_least']}"
            )
            for canteen, orders in one["meals"].items():
                click.echo(f"  canteen {canteen}: {', '.join(map(str, orders))}")
            click.echo("  as on record" if one["as_on_record"] else "  NOT as on record")
    sys.exit(0 if draws and all(one["as_on_record"] for one in draws) else 1)


def _drawn(period: str, draw: sampling.SampleDraw) -> dict[str, Any]:
    """One district's draw with its meals by canteen, beside what is on record."""
    drawing = sampling.drawing_of(draw)
    meals: dict[str, list[int]] = {}
    for row in sampling.draw_again(period, draw.district_code):
        meals.setdefault(str(row.canteen_id), []).append(row.order_id)
    kept = set(
        db.session.scalars(
            sa.select(SampledMeal.order_id)
            .join(Statement, Statement.id == SampledMeal.statement_id)
            .where(Statement.period == period, Statement.district_code == draw.district_code)
        )
    )
    return {
        "district": draw.district_code, "seed": draw.seed, "a": drawing.a, "b": drawing.b,
        "sample_bp": draw.sample_bp, "sample_least": draw.sample_least, "meals": meals,
        "as_on_record": kept == {order for orders in meals.values() for order in orders},
    }
