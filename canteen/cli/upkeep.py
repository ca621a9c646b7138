"""`canteen backup` and `canteen restore`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.progress import Progress

from canteen import backup as backups
from canteen.db import Model, db, transaction


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Write everything, as of this instant, to one zip FILE; others may go on working.

    The keys in secrets.json are not in it: keep them as safely, elsewhere.
    """
    if file.exists():
        raise click.ClickException(f"{file} exists; name a new file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with Progress(transient=True) as progress:
        bar = progress.add_task("Backup", total=len(Model.metadata.tables))
        db.session.rollback()
        counts = backups.write(file, lambda name, rows: progress.advance(bar))
        db.session.rollback()
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables in {file}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def restore(file: Path) -> None:
    """Fill an empty, migrated database (canteen db upgrade) from a backup FILE, of either kind."""
    with Progress(transient=True) as progress:
        bar = progress.add_task("Restore", total=len(Model.metadata.tables))
        with transaction():
            counts = backups.restore(file, lambda name, rows: progress.advance(bar))
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables restored")
