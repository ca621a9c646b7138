"""What an operator runs by hand: the same acts as the jobs."""

from __future__ import annotations

import sys
from typing import Any

import click
from flask.cli import ScriptInfo
from flask_migrate.cli import db as migrate

from canteen import create_app
from canteen.cli.afterwards import budgets, late_facts
from canteen.cli.checks import check_meals
from canteen.cli.payments import outbox
from canteen.cli.payouts import pay_out
from canteen.cli.performance import judge
from canteen.cli.publishing import policy
from canteen.cli.register import export_elders, import_elders, user
from canteen.cli.sampling import draw_sample
from canteen.cli.seed import seed
from canteen.cli.settlement import close_month, post_day, scheduler, verify
from canteen.cli.territory import territories
from canteen.cli.trail import trail
from canteen.cli.upkeep import backup, restore
from canteen.cli.whatif import what_if
from canteen.errors import CanteenError


class CanteenGroup(click.Group):
    """Answers a refusal with its sentence and exit code 2 instead of a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run with the application made only when a command needs it."""
        options.setdefault("obj", ScriptInfo(create_app=lambda: create_app()))
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal becomes one line on stderr."""
        try:
            return super().invoke(ctx)
        except CanteenError as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(2)


@click.group(cls=CanteenGroup)
def main() -> None:
    """Canteen: a city's elder meal-assistance canteens, from the till to the settlement."""


for command in (
    migrate, seed, territories, user, policy, import_elders, export_elders,
    post_day, close_month, draw_sample, pay_out, outbox, judge, check_meals, verify, scheduler,
    backup, restore, trail, what_if, late_facts, budgets,
):  # fmt: skip
    main.add_command(command)
