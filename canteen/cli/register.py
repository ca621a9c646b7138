"""The register and its users from the command line: import, export, user add, disable, password."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from canteen import clock
from canteen.access import users
from canteen.db import transaction
from canteen.elders import exporting, importing
from canteen.payouts.asking_each import ask_each
from canteen.territory.actors import ROLES, Actor, job

FILE = click.Path(path_type=Path, dir_okay=False)


def acting(login: str | None) -> Actor:
    """Whoever the command acts as: a user by login, or the command line itself."""
    return users.actor_of(users.by_login(login)) if login else job("cli")


@contextmanager
def bar() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """A progress bar on stderr; gives a maker of named callbacks (done, total)."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def named(name: str) -> Callable[[int, int], None]:
            task = progress.add_task(name, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield named


@click.command("import-elders")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check and count; save nothing.")
@click.option("--errors", type=FILE, help="Where to write what is wrong, row by row, as CSV.")
@click.option("--skip-bad", is_flag=True, help="Save the good rows although others are wrong.")
@click.option("--by", "login", help="The login of the user who imports.")
@with_appcontext
def import_elders(
    file: Path, dry_run: bool, errors: Path | None, skip_bad: bool, login: str | None
) -> None:
    """Take a CSV or XLSX file of elders into the register.

    Whoever is on the register already is updated, never doubled. Ends with 0 when all is well, 1
    when rows were wrong, 2 when the file cannot be read.
    """
    by = acting(login)
    shown = 0
    try:
        out = errors.open("w", encoding="utf-8-sig", newline="") if errors else None
    except OSError as error:
        raise click.FileError(str(errors), error.strerror) from None
    to_file = importing.ErrorsFile(out) if out else None

    def on_error(error: importing.RowError) -> None:
        nonlocal shown
        if to_file:
            to_file(error)
        elif shown < 20:
            where = f"row {error.row}" + (f", {error.field}" if error.field else "")
            click.echo(f"{where}: {error.text.zh} / {error.text.en}", err=True)
        shown += 1

    try:
        with bar() as named:
            prepared = importing.prepare(file, by, on_error, named("读取 Read"))
            try:
                with transaction():
                    report = importing.merge(
                        prepared, by, on_error,
                        skip_bad=skip_bad, dry_run=dry_run, progress=named("合并 Merge"),
                        on_accounts=lambda found: ask_each(found, by, at=clock.now()),
                    )  # fmt: skip
            except importing.RowsBad as refusal:
                report = importing.Report(**refusal.detail, saved=False)
    finally:
        if out:
            out.close()
    click.echo(
        f"{report.rows} 行 rows: {report.new} 新增 new, {report.updated} 更新 updated, "
        f"{report.unchanged} 未变 unchanged, {report.bad} 有错 bad"
    )
    if report.accounts:
        click.echo(f"{report.accounts} 个收款账户待另一人确认 payout accounts to be confirmed")
    if report.bad and errors:
        click.echo(f"逐行错误见 errors, row by row: {errors}", err=True)
    if not report.saved:
        click.echo(
            "试运行，未保存 / Dry run, nothing saved" if dry_run
            else "有错误行，未保存任何内容 / Rows are wrong, nothing was saved", err=True,
        )  # fmt: skip
    if report.bad:
        sys.exit(1)


@click.command("export-elders")
@click.argument("file", type=FILE)
@click.option("--territory", help="Only this district or street, by its code.")
@click.option("--english", is_flag=True, help="Headings and words in English.")
@click.option("--by", "login", help="The login of the user who exports.")
@with_appcontext
def export_elders(file: Path, territory: str | None, english: bool, login: str | None) -> None:
    """Write the register to a CSV or XLSX file (by its ending), ID and phone numbers masked."""
    by, locale = acting(login), "en" if english else "zh"
    total = exporting.count(by, territory)
    with bar() as named:
        told = named("导出 Export")

        def progress(done: int) -> None:
            told(done, total)

        made = exporting.table(by, clock.business_date(), territory, progress)
        done = exporting.write(file, made, locale)
    with transaction():
        exporting.note_export(by, done, territory)
    click.echo(f"{done} 位老人 elders → {file}")


@click.group()
def user() -> None:
    """Who may sign in."""


@user.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([r for r in ROLES if r != "job"]))
@click.option("--territory", help="City, district or street code, for staff and evaluators.")
@click.option("--operator", "operator_id", type=int, help="The operator's id.")
@click.option("--canteen", "canteen_id", type=int, help="The canteen's id, for the till.")
@click.option("--elder", "elder_id", type=int, help="The elder's id.")
@click.option("--locale", type=click.Choice(users.LOCALES), default="zh", show_default=True)
@click.password_option(help="Asked for when not given.")
@click.option("--by", "by_login", help="The login of the user who adds.")
@with_appcontext
def add(login: str, password: str, by_login: str | None, **wish: Any) -> None:
    """Add a user. The role says which ground has to be named."""
    by = acting(by_login)
    with transaction():
        user_id = users.add_user(login, password, by=by, **wish)
    click.echo(f"{user_id} {login}")


@user.command("disable")
@click.argument("login")
@click.option("--by", "by_login", help="The login of the user who disables.")
@with_appcontext
def disable(login: str, by_login: str | None) -> None:
    """Let a user in no more."""
    user_id, by = users.by_login(login).id, acting(by_login)
    with transaction():
        users.disable(user_id, by)
    click.echo(f"{login} 已停用 disabled")


@user.command("password")
@click.argument("login")
@click.password_option(help="Asked for when not given.")
@click.option("--by", "by_login", help="The login of the user who changes it.")
@with_appcontext
def password(login: str, password: str, by_login: str | None) -> None:
    """Give a user a new password; they are signed out everywhere."""
    user_id, by = users.by_login(login).id, acting(by_login)
    with transaction():
        users.set_password(user_id, password, by)
    click.echo(f"{login} 已换新密码 has a new password")
