"""The four stories: of a meal, an elder, a canteen and a statement.

Each is a few queries over whole sets, and every event is told once: by the row that keeps it, or
by the trail when no row does. What only the offices may know is left out with `office=False`.
"""

from __future__ import annotations

import sqlalchemy as sa

from canteen.adjustments.models import Claim
from canteen.canteens.models import Canteen
from canteen.checks.finding import not_for_desk
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.payouts.models import BankChange, Repayment
from canteen.settlements.models import Payout, Statement, StatementStep
from canteen.settlements.review_models import Appeal, Correction, SampledMeal
from canteen.stories import meals, monies, people, places, reviews
from canteen.stories.events import Event, in_order
from canteen.stories.records import recorded
from canteen.subsidies.models import Grant

# What rows of their own tell better than the trail.
OF_ORDERS = ("cancel_order", "refund_dishes", "appeal", "upheld", "rejected", "moot")
OF_STATEMENTS = (
    "confirmed", "approved", "returned", "undone", "consented", "escalated", "repaid", "correct",
    "ask_corrections", "withdraw_correction", "close_corrections", "judge_sample",
    "extrapolate",
)  # fmt: skip


def of_meal(order_id: int, *, office: bool = True) -> list[Event]:
    """Everything that happened to one meal, from the order to the bank."""
    order = db.session.get_one(Order, order_id)
    theirs = sa.select(Statement.id).where(Statement.canteen_id == order.canteen_id)
    told = [
        *meals.ordered(order), *meals.at_till(order_id), *meals.taken_back(order),
        *meals.online(order_id), *recorded("order", order_id, "meal", OF_ORDERS),
        *reviews.findings(Suspicion.order_id == order_id, *_told(office), naming=""),
        *reviews.looks(SampledMeal.statement_id.in_(theirs), SampledMeal.order_id == order_id),
        *reviews.corrections(Correction.order_id == order_id),
        *reviews.appeals(Appeal.order_id == order_id),
    ]  # fmt: skip
    told += monies.grants(db.session.scalars(sa.select(Grant).where(Grant.order_id == order_id)))
    periods = sa.select(Grant.period).where(Grant.order_id == order_id)
    settled = (Statement.canteen_id == order.canteen_id) & Statement.period.in_(periods)
    if office:
        told += monies.claims(Claim.order_id == order_id)
        to_account = periods.where(Grant.account_fen != 0)
        settled |= (Statement.elder_id == order.elder_id) & Statement.period.in_(to_account)
    told += reviews.steps(settled, StatementStep.verdict != "amended")
    return in_order(told)


def of_elder(elder_id: int) -> list[Event]:
    """What is on the register of an elder, and what became of their meals; for the offices."""
    elder = db.session.get_one(Elder, elder_id)
    own = sa.select(Order.id).where(Order.elder_id == elder_id)
    granted = sa.select(Grant).where(Grant.elder_id == elder_id)
    theirs = Statement.elder_id == elder_id
    return in_order([
        *people.register(elder),
        *monies.accounts(BankChange.elder_id == elder_id),
        *monies.grants(db.session.scalars(granted), name_day=True),
        *monies.claims(Claim.elder_id == elder_id),
        *reviews.findings(Suspicion.elder_id == elder_id, naming="meal"),
        *reviews.corrections(Correction.order_id.in_(own)),
        *reviews.appeals(Appeal.order_id.in_(own)),
        *reviews.steps(theirs, reviews.NOT_PAYING),
        *monies.payouts(theirs),
    ])  # fmt: skip


def of_canteen(canteen_id: int, *, office: bool = True) -> list[Event]:
    """What a canteen is known for: its sign, papers, changes, inspections, doubts, statements."""
    canteen = db.session.get_one(Canteen, canteen_id)
    theirs = Statement.canteen_id == canteen_id
    told = [
        *places.sign(canteen_id), *places.inspections(canteen_id), *places.changes(canteen_id),
        *reviews.findings(
            Suspicion.canteen_id == canteen_id, Suspicion.order_id.is_(None), *_told(office)
        ),
        *reviews.steps(theirs, reviews.NOT_PAYING, StatementStep.verdict != "repaid"),
        *monies.payouts(theirs, office=office), *monies.repayments(theirs),
        *monies.instalments(canteen_id),
        *monies.accounts(BankChange.operator_id == canteen.operator_id),
    ]  # fmt: skip
    return in_order(told + places.proposals(canteen_id) if office else told)


def of_statement(statement_id: int, *, office: bool = True) -> list[Event]:
    """A statement from its closing to the bank: every step, sum, doubt, objection and payout."""
    statement = db.session.get_one(Statement, statement_id)
    told = [
        *reviews.steps(
            StatementStep.statement_id == statement_id, reviews.NOT_PAYING,
            StatementStep.verdict.not_in(("amended", "repaid")),
        ),
        *reviews.amendments(statement_id),
        *reviews.looks(SampledMeal.statement_id == statement_id, gather=True),
        *reviews.corrections(Correction.statement_id == statement_id),
        *recorded("statement", statement_id, "review", OF_STATEMENTS),
        *monies.late(statement), *monies.carried(statement),
        *monies.payouts(Payout.statement_id == statement_id, office=office),
        *monies.repayments(Repayment.statement_id == statement_id),
    ]  # fmt: skip
    if statement.canteen_id is not None:
        here, period = statement.canteen_id, statement.period
        denied = sa.select(Grant.id).where(Grant.canteen_id == here, Grant.period == period)
        drawn = sa.select(SampledMeal.order_id).where(SampledMeal.statement_id == statement_id)
        told += reviews.findings(
            Suspicion.canteen_id == here, Suspicion.period == period, *_told(office)
        )
        told += reviews.appeals(
            Appeal.canteen_id == here, Appeal.grant_id.in_(denied) | Appeal.order_id.in_(drawn)
        )
        told += monies.instalments(here, period)
    return in_order(told)


def _told(office: bool) -> list[sa.ColumnElement[bool]]:
    """Which findings may be told: outside the offices none that is for the desk alone."""
    return [] if office else [not_for_desk()]
