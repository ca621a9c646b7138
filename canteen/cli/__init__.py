"""What an operator runs by hand: the same acts as the jobs."""

from __future__ import annotations

import sys

import click
from flask.cli import FlaskGroup
from flask_migrate.cli import db as migrate

from canteen import create_app
from canteen.errors import CanteenError


class CanteenGroup(FlaskGroup):
    """Answers a refusal with its sentence and exit code 2 instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a refusal becomes one line on stderr."""
        try:
            return super().invoke(ctx)
        except CanteenError as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(2)


@click.group(cls=CanteenGroup, create_app=lambda: create_app(), add_default_commands=False)
def main() -> None:
    """Canteen: a city's elder meal-assistance canteens, from the till to the settlement."""


main.add_command(migrate)
