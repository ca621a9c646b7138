"""What runs by itself: each job opens its own transactions, and doing it twice changes nothing.

A job that is due at an instant takes `(job, due)` in the transaction of its work, so of two
schedulers one does it; a job of many steps takes it with its last one, and each step before can
be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from canteen import clock, config, delivering, once
from canteen.access import signing_in
from canteen.adjustments import late_facts
from canteen.audit import recording
from canteen.checks import running
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.demo import provider
from canteen.elders import facts
from canteen.errors import Refused
from canteen.orders import booking, expiring, stranded
from canteen.payouts import arriving
from canteen.performance import judging
from canteen.settlements import closing, holding, silence, warning
from canteen.tasks import files
from canteen.territory.actors import Actor, job
from canteen.tills import shifts
from canteen.words import Text, day

log = logging.getLogger(__name__)
DAY = timedelta(days=1)
# How long a client may repeat a request and get the first answer again.
KEYS_KEPT = timedelta(days=30)
# The provider tells of a transfer within minutes; after this it is asked.
PAYOUTS_OVERDUE = timedelta(minutes=30)
Counts = dict[str, Any]
Step = Callable[[int, int, Text], None]
CLOSING = (
    Text("正在取消没有取的订单", "Cancelling what nobody fetched"),
    Text("正在把收银入账", "Posting the tills"),
    Text("正在检查并结账", "Checking and closing"),
)


class DayAhead(Refused):
    """The day to post has not come yet."""

    code = "day_ahead"
    text = Text("{day}还没有到，不能入账", "{day} has not come yet and cannot be posted")


def post_day(up_to: date, by: Actor | None = None) -> int:
    """Book every till up to a Shanghai day, the day included; gives how many entries are new.

    Refuses with DayAhead.
    """
    if up_to > clock.business_date():
        raise DayAhead(day=day(up_to, year=True), field="day")
    with transaction():
        return booking.post_day(up_to, by or job("post_day"))


def expire_unpaid() -> int:
    """Cancel online orders that were not paid in time; gives how many."""
    return _cancel_each(
        "expire_unpaid", lambda: expiring.unpaid(clock.now()),
        lambda id_, by, at: expiring.expire(id_, "unpaid", by, at),
    )


def expire_uncollected(before: date) -> int:
    """Cancel orders of days before `before` that nobody fetched; gives how many."""
    return _cancel_each(
        "expire", lambda: expiring.uncollected(before),
        lambda id_, by, at: expiring.expire(id_, "not_collected", by, at),
    )


def cancel_stranded() -> int:
    """Cancel orders whose canteen will not serve them, tell their elders; gives how many."""
    return _cancel_each(
        "cancel_stranded", lambda: stranded.stranded(clock.business_date()), expiring.give_up
    )


def close_month(
    period: str, by: Actor | None = None, step: Step = lambda done, of, says: None
) -> closing.Closing:
    """Close a month: expire and post what belongs to it, then close it, each in its transaction.

    `step` hears before each of them how many of how many are behind; what it raises ends it
    there. Refuses as `closing.close` does, before anything is changed. Killed anywhere, it goes
    on from there the next time.
    """
    by = by or job("close_month")
    today = clock.business_date()
    last = closing.ended(period, today)
    step(0, len(CLOSING), CLOSING[0])
    expire_uncollected(last + DAY)
    step(1, len(CLOSING), CLOSING[1])
    post_day(last, by)
    step(2, len(CLOSING), CLOSING[2])
    with transaction():
        return closing.close(period, by, on=today, at=clock.now(), checking=True)


def send_outbox() -> Counts:
    """Send what is due to the provider, hear what it has to say, note which payouts were paid."""
    pretending = provider.install(config.current())
    counts: Counts = delivering.deliver_outbox()
    if pretending:
        counts |= delivering.take_notices(pretending)
    with transaction():
        results = arriving.record_results(by=job("outbox"), at=clock.now())
    return counts | {"payouts_paid": results.paid, "payouts_failed": results.failed}


def ask_provider() -> Counts:
    """Ask about payments and transfers open for long, whose webhook may be lost."""
    provider.install(config.current())
    counts: Counts = delivering.ask_about_overdue()
    transfers = delivering.ask_about_payouts(clock.now() - PAYOUTS_OVERDUE)
    return counts | {f"payouts_{name}": count for name, count in transfers.items()}


def look_at_late_facts() -> Counts:
    """Price the meals again that facts not looked at yet concern; gives what came of it.

    Some facts at a time: killed anywhere, it goes on from there.
    """
    counts = {"facts": 0, "taken_back": 0, "given_again": 0, "given": 0}
    for look in (late_facts.look, late_facts.look_at_withdrawn):
        after: int | None = 0
        while after is not None:
            with transaction():
                looked = look(at=clock.now(), after=after)
            after = looked.last
            counts = {name: count + getattr(looked, name) for name, count in counts.items()}
    return counts


# ── what is due at an instant: each takes that instant and does the work of it ──


def nightly_uncollected(due: datetime) -> None:
    """Cancel what nobody fetched on the days before."""
    count = expire_uncollected(clock.business_date(due))
    with transaction():
        if once.begin_job("expire", due):
            once.finish_job("expire", due, {"cancelled": count})


def nightly_posting(due: datetime) -> None:
    """Book everything up to yesterday; nights that were missed are in it."""
    up_to = clock.business_date(due) - DAY
    with transaction():
        if once.begin_job("post_day", due):
            entries = booking.post_day(up_to, job("post_day"))
            once.finish_job("post_day", due, {"up_to": str(up_to), "entries": entries})


def nightly_checks(due: datetime) -> None:
    """Check the meals of every open month, pay what nothing holds any more, warn operators."""
    by, today = job("check_meals"), clock.business_date(due)
    periods = warning.open_periods(today)
    for period in periods:
        with transaction():
            running.run(scope_of(period, today), by=by, at=clock.now())
    with transaction():
        released = holding.settle_cleared(clock.now())
    with transaction():
        if once.begin_job("check_meals", due):
            told = warning.warn_operators(today, clock.now())
            done = {"periods": periods, "released": released.meals, "warned": told}
            once.finish_job("check_meals", due, done)


def monthly_closing(due: datetime) -> None:
    """Close every month that has ended and is still open, in their order."""
    closed: list[str] = []
    # Closing a month opens the next one, which may have ended as well.
    while periods := closing.open_periods_ended(clock.business_date(due)):
        db.session.rollback()
        close_month(periods[0])
        closed.append(periods[0])
    with transaction():
        if once.begin_job("close_month", due):
            once.finish_job("close_month", due, {"closed": closed})


def nightly_late_facts(due: datetime) -> None:
    """Put right what facts recorded late change of meals already settled."""
    done = look_at_late_facts()
    with transaction():
        if once.begin_job("late_facts", due):
            once.finish_job("late_facts", due, done)


def nightly_judging(due: datetime) -> None:
    """Judge every canteen by the facts at the end of yesterday."""
    on = clock.business_date(due) - DAY
    with transaction():
        if once.begin_job("judge", due):
            outcome = judging.judge(on, by=job("judge"))
            once.finish_job("judge", due, {"on": str(on), "proposed": outcome.proposed})


def nightly_silence(due: datetime) -> None:
    """Remind of statements that are due, and let the rules act where nobody did."""
    with transaction():
        if once.begin_job("silence", due):
            done = silence.run(clock.business_date(due), clock.now())
            once.finish_job("silence", due, asdict(done))


def nightly_housekeeping(due: datetime) -> None:
    """Forget what nobody asks for any more, and let elders' statuses say what holds today."""
    with transaction():
        if once.begin_job("housekeeping", due):
            done = {
                "keys": once.forget_before(due - KEYS_KEPT),
                "failed_sign_ins": signing_in.forget_failures(due - DAY),
                "statuses": facts.refresh_statuses(clock.business_date(due)),
                "audit_end": recording.end(),
            }
            once.finish_job("housekeeping", due, done)
    files.forget_before(clock.now())


def _cancel_each(
    name: str, find: Callable[[], list[int]], give_up: Callable[[int, Actor, datetime], bool]
) -> int:
    """Cancel order after order in the job's name, each in its own transaction; one that cannot
    be is left."""
    count, tried = 0, set[int]()
    while fresh := [id_ for id_ in find() if id_ not in tried]:
        db.session.rollback()
        for order_id in fresh:
            tried.add(order_id)
            try:
                with transaction():
                    by, at = job(name), clock.now()
                    if give_up(order_id, by, at):
                        shifts.back_from_drawer(order_id, by, at)
                        count += 1
            except Exception:
                log.exception("order %s could not be cancelled", order_id)
    return count
