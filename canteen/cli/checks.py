"""Check a period's meals by hand: the same act as the nightly job."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from canteen import clock
from canteen.checks import catalogue, running, worth
from canteen.checks.parts import scope_of
from canteen.db import transaction
from canteen.money import yuan
from canteen.territory.actors import job


@click.command("check-meals")
@click.option("--period", required=True, metavar="PERIOD", help="The month, like 2026-10.")
@click.option("--district", metavar="CODE", help="Only this district, like 120104.")
@click.option("--canteen", "canteen_id", type=int, metavar="ID", help="Only this canteen.")
@with_appcontext
def check_meals(period: str, district: str | None, canteen_id: int | None) -> None:
    """Look over the subsidised meals of a month and keep what is suspicious.

    Prints what is undecided, by check. What was found before is not doubled; what no longer holds
    is cleared. Safe to run at any time.
    """
    scope = scope_of(period, clock.business_date(), district=district, canteen_id=canteen_id)
    with transaction():
        outcome = running.run(scope, by=job("check_meals"), at=clock.now())
    click.echo(
        f"{period}: {outcome.meals} subsidised meals, {len(catalogue.CHECKS)} checks,"
        f" {outcome.new} new, {outcome.again} found again, {outcome.cleared} cleared"
    )
    rows = worth.undecided(period, district=district, canteen_id=canteen_id)
    if not rows:
        click.echo("nothing to decide")
        return
    click.echo(f"{'check':<26}{'found':>7}{'yuan':>12}{'held':>7}  ")
    for row in rows:
        title = catalogue.check(row.code).title
        click.echo(
            f"{row.code:<26}{row.count:>7}{yuan(row.amount_fen):>12}{row.held:>7}"
            f"  {title.zh} / {title.en}"
        )
    ids = None if canteen_id is None else [canteen_id]
    told = worth.problems(period, canteen_ids=ids, district=district)
    click.echo(
        f"{told.count} to decide, {told.held} of them held: {told.meals} meals worth"
        f" {yuan(told.worth_fen)} yuan, each counted once"
    )
