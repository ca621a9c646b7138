"""`canteen trail`: take the audit trail away, and check a copy that was taken."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from canteen.audit import reading
from canteen.audit.recording import record
from canteen.db import db, transaction
from canteen.territory.actors import job


@click.group()
def trail() -> None:
    """The trail of every act, chained by hash."""


@trail.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def take(file: Path) -> None:
    """Write the whole trail to FILE, a JSON record a line; that is recorded too."""
    if file.exists():
        raise click.ClickException(f"{file} exists; name a new file.")
    with transaction():
        record(job("command_line").label, "export", "trail", "all", {"format": "jsonl"})
    with file.open("w", encoding="utf-8") as out:
        count = sum(1 for _ in map(out.write, reading.lines()))
    db.session.rollback()
    click.echo(f"{count:,} records in {file}")


@trail.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def check(file: Path) -> None:
    """Check a FILE taken earlier with this service's key; ends with 1 when it was changed."""
    with file.open(encoding="utf-8") as copy:
        faults = list(reading.check(copy))
    for line, what in faults[:20]:
        click.echo(f"line {line}: {what}")
    if faults:
        raise SystemExit(1)
    click.echo("The copy is whole and unaltered.")
