"""`canteen policy publish`: from checked files to the policies meals are priced by."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from canteen.cli.policy import policy
from canteen.db import transaction
from canteen.subsidies import publishing
from canteen.subsidies.policies import SHIPPED, load_folder
from canteen.territory.actors import job


@policy.command()
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@with_appcontext
def publish(folder: Path | None) -> None:
    """Publish what rules this city, from FOLDER or the files shipped; published texts never change.

    Says which policies are new. A changed text for a published day is refused with exit code 2.
    """
    with transaction():
        new = publishing.publish(
            load_folder(folder or SHIPPED), current_app.config["SETTINGS"].city, job("publish")
        )
    for code in new:
        click.echo(code)
    click.echo(f"{len(new)} new")
