"""Judge the canteens of a day by hand: the same act as the nightly job."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext

from canteen import clock
from canteen.db import transaction
from canteen.performance import judging
from canteen.territory.actors import job


@click.command()
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
    help="The day whose end is judged; default: yesterday in Shanghai, the last that is over.",
)  # fmt: skip
@with_appcontext
def judge(day: datetime | None) -> None:
    """Score new inspections and propose warnings, suspensions and delistings.

    Counts the open days without a meal, checks the licences and looks at the evaluations of every
    listed, warned or suspended canteen. The district decides what is proposed. Safe to run again.
    """
    on = day.date() if day else clock.business_date() - timedelta(days=1)
    with transaction():
        outcome = judging.judge(on, by=job("judge"))
    click.echo(
        f"{on}: {outcome.scorecards} scorecards, {outcome.proposed} proposals, "
        f"{outcome.lapsed} lapsed, {outcome.carried_out} carried out"
    )
