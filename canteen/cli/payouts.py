"""`canteen pay-out`: batches of payouts made, shown, released, sent; failed ones let go on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from canteen import clock, jobs
from canteen.access import users
from canteen.db import transaction
from canteen.money import yuan
from canteen.payouts import bank_file, batching, finding, retrying
from canteen.settlements import paying_out
from canteen.territory.actors import Actor, job

COMMAND = job("command")
DIGEST = re.compile(r"[0-9a-f]{16,64}", re.ASCII)


@click.command("pay-out")
@click.option("--make", is_flag=True, help="Put every ready payout into a batch to be released.")
@click.option(
    "--way", type=click.Choice(list(batching.WAYS)), default="gateway", show_default=True,
    help="How a batch made with --make goes.",
)
@click.option("--show", type=int, metavar="BATCH", help="Show a batch with its lines; do nothing.")
@click.option("--release", type=int, metavar="BATCH", help="Release a batch a colleague has made.")
@click.option(
    "--digest", metavar="HEX",
    help="What --release releases: the digest shown with the lines, 16 characters or more of it.",
)
@click.option("--by", "login", metavar="LOGIN", help="The city's user who makes or releases.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where to write the bank file of a batch released with --release.",
)
@click.option("--retry", type=int, multiple=True, metavar="ID", help="Let a failed payout go on.")
@click.option("--retry-failed", is_flag=True, help="Let every failed payout go on.")
@with_appcontext
def pay_out(
    make: bool, way: str, show: int | None, release: int | None, digest: str | None,
    login: str | None, file: Path | None, retry: tuple[int, ...], retry_failed: bool,
) -> None:  # fmt: skip
    """Send the payouts of released batches to the provider and note which were paid.

    Safe to run at any time and beside the timetable, which does it by itself. Payouts of approved
    statements wait until somebody of the city has put them into a batch (--make --by LOGIN) and a
    colleague has looked at it (--show BATCH) and released what was seen (--release BATCH --digest
    HEX --by LOGIN). Ends with 1 when payouts have failed and wait for a decision.
    """
    if show:
        _show(show)
        return
    if (make or release) and not login:
        raise click.UsageError("--make and --release need --by LOGIN, a user of the city")
    if release and not DIGEST.fullmatch(digest or ""):
        raise click.UsageError(
            "--release needs --digest HEX, the first 16 characters or more of the digest of the"
            f" lines you approve; look at them with: canteen pay-out --show {release}"
        )
    _go_on(retry, retry_failed)
    if make:
        with transaction():
            batch = batching.make(None, way, _person(login), at=clock.now())
        click.echo(_told(batch))
    if release:
        with transaction():
            batch = batching.release(
                release, _whole(release, digest or ""), _person(login), at=clock.now()
            )
        click.echo(_told(batch))
        if file and batch.way == "bank_file":
            file.write_bytes(bank_file.written(release))
            click.echo(f"written to {file}")
    counts = jobs.send_outbox()
    click.echo(" ".join(f"{name}={count}" for name, count in counts.items()))
    failed = paying_out.failed_payouts()
    for payout, statement in failed:
        click.echo(
            f"payout {payout.id} of {statement.period}, {yuan(payout.amount_fen)} yuan:"
            f" {payout.failure}",
            err=True,
        )
    sys.exit(1 if failed else 0)


def _show(batch_id: int) -> None:
    """Print who is paid what and to which account, and the digest of just these lines."""
    batch = finding.batch(batch_id)
    for one in finding.lines_of(batch_id):
        click.echo(
            f"payout {one.line.payout_id}  {one.statement.period}  {one.payee}"
            f"  account …{one.line.account[-4:]}  {yuan(one.line.amount_fen)} yuan"
            f"{'  (the account has changed)' if one.account_changed else ''}"
        )
    click.echo(_told(batch))


def _whole(batch_id: int, digest: str) -> str:
    """The digest of a batch whose beginning was given. Refuses LinesChanged for any other."""
    whole = finding.batch(batch_id).digest
    if not whole.startswith(digest):
        raise batching.LinesChanged()
    return whole


def _go_on(retry: tuple[int, ...], retry_failed: bool) -> None:
    wanted = list(retry)
    if retry_failed:
        wanted += [payout.id for payout, _ in paying_out.failed_payouts()]
    for payout_id in dict.fromkeys(wanted):
        try:
            with transaction():
                outcome = retrying.retry(payout_id, COMMAND, at=clock.now())
        except retrying.StillNoAccount as refusal:
            click.echo(f"payout {payout_id}: {refusal.text.en}", err=True)
            continue
        said = "is ready for a batch" if outcome == "ready" else "is looked up at the provider"
        click.echo(f"payout {payout_id} {said}")


def _person(login: str | None) -> Actor:
    return users.actor_of(users.by_login(login or ""))


def _told(batch: batching.PayoutBatch) -> str:
    return (
        f"batch {batch.id} ({batch.way}): {batch.state}, {batch.count} payouts,"
        f" {yuan(batch.total_fen)} yuan, digest {batch.digest[:16]}"
    )
