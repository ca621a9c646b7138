"""An operator withdraws the subsidy of its own meal that was not due, before anybody must deny it.

It may do so as long as the month is in its own hands: still open, or with its statement not yet
confirmed (or sent back to it).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.checks.models import UNDECIDED, Suspicion, SuspicionStep
from canteen.db import db
from canteen.errors import Conflict
from canteen.orders import finding as orders
from canteen.reasons import reason_of
from canteen.settlements import changing
from canteen.settlements.changing import Changed
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import Grant, Period
from canteen.territory.actors import Actor
from canteen.words import Text, month


class NothingToWithdraw(Conflict):
    """The meal's subsidy does not stand: it was cancelled, denied or withdrawn before."""

    code = "nothing_to_withdraw"
    text = Text("这一餐现在没有补贴，不用再撤回", "This meal is not subsidised now")


class OutOfHands(Conflict):
    """The month's statement was confirmed and is with the offices."""

    code = "out_of_hands"
    text = Text(
        "{month}的结算单已经送审，请等街道或区里退回，或由区里核减",
        "The statement of {month} is with the offices; wait until it comes back or is decided",
    )


def withdraw(
    order_id: int, reason: str, *, by: Actor, at: datetime, suspicion_id: int | None = None
) -> Changed:
    """Give up the subsidy of one meal of the operator's own; what was found of it alone lapses.

    Refuses with NotFound, ReasonMissing, NothingToWithdraw and OutOfHands.
    """
    by.must_be("operator")
    reason = reason_of(reason)
    order = orders.get_for(by, order_id)
    months = db.session.scalars(sa.select(Grant.period).where(Grant.order_id == order_id))
    # Held first: a confirmation of the same moment is over before it is asked whose hands it is in.
    changing.hold_statements({(each, order.canteen_id) for each in months}, [order_id])
    (last,) = changing.last_rows([order_id]) or [None]
    if last is None or (last["sign"] < 0 and last["cause"] != "held"):
        raise NothingToWithdraw()
    if not in_hand(last["period"], order.canteen_id):
        raise OutOfHands(month=month(last["period"]))
    done = changing.take_back({order_id: suspicion_id}, "corrected", by, at, reason=reason)
    _lapse(order_id, reason, by, at)
    detail = {"reason": reason, "finding": suspicion_id}
    record(by.label, "withdraw_subsidy", "order", order_id, detail)
    return done


def in_hand(period: str, canteen_id: int) -> bool:
    """Whether the operator may still put a canteen's month right by itself.

    A statement that came back with marked lines opens for those alone, until each is answered.
    """
    return not is_closed(period) or canteen_id in due_in_hand(period, [canteen_id])


def is_closed(period: str) -> bool:
    """Whether a month was closed, so that its sums stand in statements."""
    closed = sa.exists().where(Period.period == period, Period.closed_at.is_not(None))
    return bool(db.session.scalar(sa.select(closed)))


def due_in_hand(period: str, canteen_ids: Iterable[int]) -> dict[int, date | None]:
    """Which of these canteens' statements of a closed month are in the operator's hands, and the
    day each is due."""
    rows = db.session.execute(
        sa.select(Statement.canteen_id, Statement.due_on).where(
            Statement.period == period, Statement.canteen_id.in_(list(canteen_ids)),
            Statement.stage == "operator",
            ~sa.exists().where(
                Correction.statement_id == Statement.id, Correction.state == "asked"
            ),
        )
    )
    return {row.canteen_id: row.due_on for row in rows}


def _lapse(order_id: int, reason: str, by: Actor, at: datetime) -> None:
    """What was found of this meal alone no longer holds; the step says who gave it up and why."""
    for suspicion in db.session.scalars(
        sa.select(Suspicion)
        .where(Suspicion.order_id == order_id, Suspicion.state.in_(UNDECIDED))
        .order_by(Suspicion.id).with_for_update()
        .execution_options(populate_existing=True)
    ):  # fmt: skip
        suspicion.state, suspicion.reason = "cleared", reason
        db.session.add(
            SuspicionStep(
                suspicion_id=suspicion.id, verdict="cleared", by_user_id=by.user_id,
                by_label=by.label, reason=reason, at=at,
            )
        )
    db.session.flush()
