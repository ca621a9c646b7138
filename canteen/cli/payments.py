"""Send what is due to the payment provider, take in what it told us, and see what is stuck."""

from __future__ import annotations

import sys

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from canteen import clock, config, delivering
from canteen.audit.recording import record
from canteen.db import db, transaction
from canteen.demo import provider
from canteen.payments import outbox as messages
from canteen.payments.models import OutboxMessage
from canteen.territory.actors import job


@click.command()
@click.option("--limit", default=1000, show_default=True, help="At most this many messages.")
@click.option("--again", type=int, metavar="ID", help="First make a message given up due again.")
@click.option("--show", is_flag=True, help="Only list what waits and what was given up.")
@with_appcontext
def outbox(limit: int, again: int | None, show: bool) -> None:
    """Send refunds, withdrawals and payouts that are due; the timetable does so by itself.

    Safe to run at any time and beside the timetable. Ends with 1 when the provider gives no clear
    answer or messages were given up.
    """
    if again is not None:
        with transaction():
            messages.must_not_be_payout(again)
            messages.again(again, at=clock.now())
            record(job("outbox").label, "retry", "outbox", again)
    if not show:
        pretending = provider.install(config.current())
        sent = delivering.deliver_outbox(limit)
        click.echo(" ".join(f"{name}={count}" for name, count in sent.items()))
        if pretending:
            delivering.take_notices(pretending, limit)
        asked = delivering.ask_about_overdue(limit)
        click.echo(" ".join(f"{name}={count}" for name, count in asked.items()))
    stuck = list(
        db.session.scalars(
            sa.select(OutboxMessage)
            .where(sa.or_(OutboxMessage.state == "waiting", messages.given_up()))
            .order_by(OutboxMessage.state, OutboxMessage.due_at)
            .limit(limit)
        )
    )
    for one in stuck:
        when = clock.local(one.due_at).strftime("%Y-%m-%d %H:%M")
        state = "given up" if one.state == "dead" else f"due {when}"
        click.echo(f"{one.id}\t{one.kind} {one.reference}\t{state}\t{one.last_error or ''}")
    if any(one.state == "dead" or one.last_error for one in stuck):
        sys.exit(1)
