"""`canteen territories`: the districts and streets of the city."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from canteen.audit.recording import record
from canteen.db import transaction
from canteen.territory import registering


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def territories(file: Path) -> None:
    """Take in the city, its districts and streets from a CSV FILE (code, name_zh, name_en).

    Again with a changed list: new ones are added, names corrected, nothing is removed. A faulty
    row refuses the whole file with exit code 2.
    """
    city = current_app.config["SETTINGS"].city
    rows = registering.read(file, city)
    with transaction():
        count = registering.take_in(rows)
        record("job:territories", "take_in", "territory", city, {"changed": count})
    click.echo(f"{len(rows)} territories, {count} new or renamed")
