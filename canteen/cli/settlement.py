"""Post a day, close a month, verify, run the timetable: the same acts as the jobs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import date, datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext

from canteen import clock, jobs, timetable, verifying
from canteen.db import db
from canteen.money import yuan
from canteen.territory.actors import job
from canteen.words import month

COMMAND = job("command")


@click.command("post-day")
@click.argument("day", required=False, type=click.DateTime(["%Y-%m-%d"]), metavar="[DATE]")
@with_appcontext
def post_day(day: datetime | None) -> None:
    """Book the tills up to DATE (default: yesterday), that day included.

    What was booked before is left alone; what came late is booked now. The timetable does this
    every night.
    """
    up_to: date = day.date() if day else clock.business_date() - timedelta(days=1)
    entries = jobs.post_day(up_to, COMMAND)
    click.echo(f"{up_to}: {entries} entries written")


@click.command("close-month")
@click.argument("period")
@with_appcontext
def close_month(period: str) -> None:
    """Close a month (PERIOD like 2026-10): one statement for everybody who is owed something.

    Done once: a second time says so and changes nothing. The timetable does this on the 1st.
    """
    done = jobs.close_month(period, COMMAND)
    if done.already:
        click.echo(f"{month(period).en} is already closed; nothing was changed")
    click.echo(
        f"{period}: {done.statements} statements, {done.meals} subsidised meals,"
        f" {yuan(done.total_fen)} yuan"
    )


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check; may be repeated.")
@click.option("--keep", default=5, show_default=True, help="How many examples to show of each.")
@with_appcontext
def verify(as_json: bool, only: tuple[str, ...], keep: int) -> None:
    """Prove that meals, subsidies, caps, statements, payouts, books and traces agree.

    Reads only, and may be run at any time. Ends with 1 when anything is wrong, naming it.
    """
    chosen = [check for check in verifying.CHECKS if not only or check.code in only]
    if unknown := set(only) - {check.code for check in chosen}:
        raise click.BadParameter(f"no such check: {', '.join(sorted(unknown))}")
    results = []
    for check in chosen:
        result = verifying.examine(check, keep)
        db.session.rollback()
        results.append(result)
        if not as_json:
            _show(result)
    if as_json:
        click.echo(json.dumps(_plain(results), ensure_ascii=False, indent=1))
    else:
        wrong = sum(result.count for result in results)
        click.echo(f"{len(results)} checks, " + (f"{wrong} findings" if wrong else "all well"))
    sys.exit(1 if any(result.count for result in results) else 0)


def _show(result: verifying.Result) -> None:
    title = result.check.title
    if not result.count:
        click.echo(f"✓ {result.check.code}: {title.zh} / {title.en}")
        return
    click.echo(f"✗ {result.check.code}: {title.zh} / {title.en}: {result.count}")
    for finding in result.findings:
        click.echo(f"    {finding.subject}: {finding.message.zh} / {finding.message.en}")
    if result.count > len(result.findings):
        click.echo(f"    … {result.count - len(result.findings)} more")


def _plain(results: list[verifying.Result]) -> dict[str, object]:
    return {
        "ok": not any(result.count for result in results),
        "checks": [
            {
                "code": result.check.code,
                "title": result.check.title._asdict(),
                "count": result.count,
                "findings": [
                    {"subject": finding.subject, **finding.message._asdict()}
                    for finding in result.findings
                ],
            }
            for result in results
        ],
    }


@click.command("scheduler")
@click.option("--once", is_flag=True, help="Run everything that is due now and end.")
@with_appcontext
def scheduler(once: bool) -> None:
    """Run the timetable: nightly posting and judging, monthly closing, outbox, expiry.

    Several may run: one leads, the others stand by. Stops cleanly on SIGTERM and Ctrl-C.
    """
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    if not once:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        timetable.serve(app, lambda line: click.echo(f"scheduler {line}"))
        return
    ran, failed = timetable.run_once()
    click.echo("ran: " + (", ".join(ran) or "nothing"))
    if failed:
        click.echo("failed: " + ", ".join(failed), err=True)
        sys.exit(1)
