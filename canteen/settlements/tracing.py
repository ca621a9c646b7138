"""What is behind a statement: its lines, meals, days and takings, and the chain it walks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.payments.models import Charge, Refund
from canteen.settlements.deadlines import ahead
from canteen.settlements.models import STAGES, Payout, Statement, StatementLine, StatementStep
from canteen.settlements.rules import OFFICES, rule_of
from canteen.subsidies.models import Grant
from canteen.territory.actors import ROLES
from canteen.words import Text

PAGE = 50
ENDED = ("paid", "carried", "repaid")
SIDES = {
    "elder": Text("老人补贴", "Elder subsidy"),
    "enterprise": Text("运营补贴", "Enterprise subsidy"),
    "delivery": Text("送餐补贴", "Delivery subsidy"),
    "deduction": Text("抽查推算扣减", "Deduction by the sample"),
}
PAID, ARRIVED = Text("付款", "Paid"), Text("已到账", "Arrived")
SETTLED = Text("已办结", "Settled")
# How an office was passed when not by its people.
SILENTLY = {
    "consented": Text("逾期未办，视为同意", "Silent: counted as agreed"),
    "escalated": Text("逾期未办，转下一环节", "Silent: passed to the next office"),
}


@dataclass(frozen=True)
class Meal:
    """One grant (or one taken back, all sums negative) of a statement, with the order it is for.

    `inputs` and `policy_id` are what the meal was priced with; `orders.quoting.explain` says why.
    """

    grant: Grant
    order: Order
    elder_name: str
    elder_last4: str


@dataclass(frozen=True)
class Page:
    """One page of a longer list."""

    rows: list[Any]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class ChainStep:
    """One office of a statement's chain. state: "done", "current", "waiting", "returned".

    `how` says when it was passed by the rule because nobody acted.
    """

    office: str
    label: Text
    state: str
    who: str = ""
    since: datetime | None = None
    due: date | None = None
    reason: str = ""
    how: Text | None = None

    @property
    def state_words(self) -> Text | None:
        """What its state is called where the usual words do not fit: nobody passes a payment."""
        if self.office == "paid" and self.state == "done":
            return ARRIVED if self.label == PAID else SETTLED
        return self.how


def lines_of(statement_id: int) -> list[StatementLine]:
    """What each funder pays of a statement, side by side."""
    order = sa.case(
        {"elder": 1, "enterprise": 2, "delivery": 3}, value=StatementLine.side, else_=4
    )
    return list(
        db.session.scalars(
            sa.select(StatementLine)
            .where(StatementLine.statement_id == statement_id)
            .order_by(order, StatementLine.funder)
        )
    )


def carried_into(statement_id: int) -> list[Statement]:
    """The earlier statements whose remainder this one took up."""
    return list(
        db.session.scalars(
            sa.select(Statement)
            .where(Statement.carried_into_id == statement_id)
            .order_by(Statement.period)
        )
    )


def payout_of(statement_id: int) -> Payout | None:
    """The payout of a statement, once there is one."""
    return db.session.scalar(sa.select(Payout).where(Payout.statement_id == statement_id))


def of_statement(statement: Statement) -> list[Any]:
    """The conditions that pick the grants a statement sums up."""
    if statement.payee == "canteen":
        return [Grant.period == statement.period, Grant.canteen_id == statement.canteen_id]
    return [
        Grant.period == statement.period, Grant.elder_id == statement.elder_id,
        Grant.account_fen != 0,
    ]  # fmt: skip


def meals_of(
    statement: Statement, *, page: int = 1, size: int = PAGE, on: date | None = None,
    side: str | None = None, cause: str | None = None,
) -> Page:  # fmt: skip
    """The meals behind a statement, oldest first; of one day with `on`, one side with `side`,
    only what was given or taken back for one `cause`."""
    where = of_statement(statement)
    if on:
        where.append(Grant.on == on)
    if side in ("enterprise", "delivery"):
        where.append(getattr(Grant, f"{side}_fen") != 0)
    if cause:
        where.append(Grant.cause == cause)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Grant).where(*where)) or 0
    found = db.session.execute(
        sa.select(Grant, Order, Elder.name, Elder.ric_last4)
        .join(Order, Order.id == Grant.order_id)
        .join(Elder, Elder.id == Grant.elder_id)
        .where(*where)
        .order_by(Grant.on, Grant.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    return Page([Meal(*row) for row in found], total, page, size)


def days_of(statement: Statement) -> list[Any]:
    """The statement day by day: on, meals, till_fen, account_fen, enterprise_fen, delivery_fen."""
    return list(
        db.session.execute(
            sa.select(
                Grant.on, sa.func.sum(Grant.sign).label("meals"),
                *(sa.func.sum(getattr(Grant, name)).label(name)
                  for name in ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")),
            )
            .where(*of_statement(statement)).group_by(Grant.on).order_by(Grant.on)
        )
    )  # fmt: skip


def takings_of(statement: Statement, *, page: int = 1, size: int = PAGE) -> Page:
    """The online takings and refunds behind a statement: order_id, at, amount_fen (refunds −)."""
    here = statement.canteen_id
    moved = sa.union_all(
        sa.select(
            Charge.order_id, Charge.settled_at.label("at"), Charge.amount_fen.label("amount_fen")
        ).where(Charge.period == statement.period, Charge.canteen_id == here,
                Charge.state == "succeeded"),
        sa.select(Charge.order_id, Refund.asked_at, -Refund.amount_fen)
        .join(Charge, Charge.id == Refund.charge_id)
        .where(Refund.period == statement.period, Refund.canteen_id == here),
    ).subquery()  # fmt: skip
    total = db.session.scalar(sa.select(sa.func.count()).select_from(moved)) or 0
    rows = db.session.execute(
        sa.select(moved)
        .order_by(moved.c.at, moved.c.order_id)
        .limit(size)
        .offset((page - 1) * size)
    )
    return Page(list(rows), total, page, size)


def steps_of(statement_id: int) -> list[StatementStep]:
    """Every move of a statement, oldest first."""
    return list(
        db.session.scalars(
            sa.select(StatementStep)
            .where(StatementStep.statement_id == statement_id)
            .order_by(StatementStep.id)
        )
    )


def chain_of(statement: Statement) -> list[ChainStep]:
    """The chain as people read it: each office, whether it has passed it, who, since when, due.

    Only the offices of the statement's rule, and whoever has it now. After a return only what
    happened since counts as done; the office that sent it back shows why.
    """
    rule = rule_of(statement)
    passed: dict[str, StatementStep] = {}
    back: StatementStep | None = None
    for step in steps_of(statement.id):
        if step.verdict == "returned" and step.stage in OFFICES:
            passed, back = {}, step
        elif step.verdict in ("undone", "returned"):
            passed.pop("paid" if step.verdict == "returned" else step.stage, None)
        elif step.verdict not in ("prepared", "amended"):
            passed["paid" if step.verdict in ENDED else step.stage] = step
    ended = statement.stage in ENDED
    current = "paid" if ended or statement.stage == "approved" else statement.stage
    later = ahead(statement, rule)
    chain = []
    offices = [o for o in OFFICES if o in (*rule.offices(statement.payee), current)]
    for office in (*offices, "paid"):
        label = PAID if office == "paid" else ROLES[office]
        if office == "paid" and statement.stage in ("carried", "repaid"):
            label = STAGES[statement.stage]
        step = passed.get(office)
        if office == current and ended:
            who = step.by_label if step else ""
            chain.append(ChainStep(office, label, "done", who, statement.stage_since))
        elif office == current:
            chain.append(
                ChainStep(office, label, "current", "", statement.stage_since, statement.due_on)
            )
        elif step:
            how = SILENTLY.get(step.verdict)
            chain.append(
                ChainStep(office, label, "done", step.by_label, step.at, None, step.reason, how)
            )
        elif back and back.stage == office:
            chain.append(
                ChainStep(office, label, "returned", back.by_label, back.at, None, back.reason)
            )
        else:
            stage = "approved" if office == "paid" else office
            chain.append(ChainStep(office, label, "waiting", due=later.get(stage)))
    return chain
