"""Facts told late, put right at once; and the purses with the day their money is gone."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from canteen import clock, jobs
from canteen.budgets import guarding
from canteen.money import yuan
from canteen.territory.actors import job


@click.command("late-facts")
@with_appcontext
def late_facts() -> None:
    """Price settled meals again that a fact recorded late concerns, as the timetable does."""
    done = jobs.look_at_late_facts()
    click.echo(
        f"{done['facts']} facts: {done['taken_back']} meals taken back,"
        f" {done['given_again']} given again, {done['given']} paid to account"
    )


@click.command("budgets")
@click.option("--year", type=int, help="Which year (default: the running one).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a purse instead of lines.")
@with_appcontext
def budgets(year: int | None, as_json: bool) -> None:
    """Show what every purse has, spent and owes, and the day its money is gone."""
    today = clock.business_date()
    for purse in guarding.purses(job("command"), year or today.year, on=today):
        if as_json:
            click.echo(json.dumps(asdict(purse) | {"left_fen": purse.left_fen}, default=str))
            continue
        gone = f", gone on {purse.gone_on}" if purse.gone_on else ""
        click.echo(
            f"{purse.code}: budget {yuan(purse.budget_fen)}, paid {yuan(purse.paid_fen)},"
            f" owed {yuan(purse.committed_fen)}, left {yuan(purse.left_fen)}{gone}"
        )
