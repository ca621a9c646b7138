"""Finding statements an actor may see, what waits for them, and the meals behind each sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import NotFound
from canteen.orders.models import Order
from canteen.payments.models import Charge, Refund
from canteen.settlements.deadlines import due_on
from canteen.settlements.models import STAGES, Payout, Statement, StatementLine, StatementStep
from canteen.subsidies.models import Grant
from canteen.territory.actors import ROLES, Actor
from canteen.words import Text

PAGE = 50
# The offices of the chain by payee; "paid" is where both end.
OFFICES = {
    "canteen": ("operator", "street", "district", "city", "paid"),
    "elder": ("street", "district", "city", "paid"),
}
SIDES = {
    "elder": Text("老人补贴", "Elder subsidy"),
    "enterprise": Text("运营补贴", "Enterprise subsidy"),
    "delivery": Text("送餐补贴", "Delivery subsidy"),
}


class StatementNotFound(NotFound):
    """There is no such statement on the actor's ground."""

    code = "statement_not_found"
    text = Text("没有找到这张结算单", "This statement was not found")


@dataclass(frozen=True)
class Row:
    """A statement in a list, with the name of whoever it is for."""

    statement: Statement
    payee_name: str
    payee_name_en: str
    overdue: bool


@dataclass(frozen=True)
class WorkList:
    """What waits for an actor: how many statements stand at each stage, and their own."""

    counts: dict[str, int]
    waiting: list[Row]
    waiting_count: int
    overdue_count: int
    waiting_fen: int


@dataclass(frozen=True)
class Meal:
    """One grant (or one taken back, all sums negative) of a statement, with the order it is for.

    `inputs` and `policy_id` are what the meal was priced with; `explaining.reasons` says why.
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
    """One office of a statement's chain. state: "done", "current", "waiting", "returned"."""

    office: str
    label: Text
    state: str
    who: str = ""
    since: datetime | None = None
    due: date | None = None
    reason: str = ""


def visible(by: Actor) -> Any:
    """The condition under which an actor may see a statement."""
    s = Statement
    conditions: dict[str, Any] = {
        "job": sa.true(),
        "city": sa.true(),
        "district": s.district_code == by.territory,
        "street": s.street_code == by.territory,
        "operator": s.operator_id == by.operator_id,
        "manager": s.canteen_id == by.canteen_id,
        "elder": s.elder_id.in_(by.elder_ids),
        "family": s.elder_id.in_(by.elder_ids),
    }
    return conditions.get(by.role, sa.false())


def get_for(by: Actor, statement_id: int) -> Statement:
    """One statement; StatementNotFound when the actor may not know of it."""
    found = db.session.scalar(
        sa.select(Statement).where(Statement.id == statement_id, visible(by))
    )
    if found is None:
        raise StatementNotFound()
    return found


def statements_for(
    by: Actor, *, on: date, period: str | None = None, stage: str | None = None,
    payee: str | None = None, territory: str | None = None, canteen_id: int | None = None,
    page: int = 1, size: int = PAGE,
) -> Page:  # fmt: skip
    """The statements an actor may see, latest period first, narrowed by what is given."""
    s = Statement
    where = [visible(by)]
    for given, condition in (
        (period, s.period == period), (stage, s.stage == stage), (payee, s.payee == payee),
        (canteen_id, s.canteen_id == canteen_id),
        (territory, s.street_code.startswith(territory or "", autoescape=True)),
    ):  # fmt: skip
        if given:
            where.append(condition)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(s).where(*where)) or 0
    order = (s.period.desc(), s.due_on, s.id)
    return Page(_rows(where, order, on, size, (page - 1) * size), total, page, size)


def work_list(by: Actor, *, on: date, limit: int = 200) -> WorkList:
    """What waits for this actor's office, most urgent first, as of the Shanghai day `on`."""
    s = Statement
    counts = {
        stage: int(number)
        for stage, number in db.session.execute(
            sa.select(s.stage, sa.func.count()).where(visible(by)).group_by(s.stage)
        )
    }
    mine = [visible(by), s.stage == by.role]
    number, overdue, fen = db.session.execute(
        sa.select(
            sa.func.count(), sa.func.sum(sa.case((s.due_on < on, 1), else_=0)),
            sa.func.sum(s.total_fen),
        ).where(*mine)
    ).one()  # fmt: skip
    waiting = _rows(mine, (s.due_on, s.id), on, limit, 0)
    return WorkList(counts, waiting, int(number), int(overdue or 0), int(fen or 0))


def _rows(where: Sequence[Any], order: Sequence[Any], on: date, size: int, skip: int) -> list[Row]:
    s = Statement
    found = db.session.execute(
        sa.select(
            s,
            sa.func.coalesce(Canteen.name, Elder.name),
            sa.func.coalesce(sa.func.nullif(Canteen.name_en, ""), Canteen.name, Elder.name),
        )
        .outerjoin(Canteen, Canteen.id == s.canteen_id)
        .outerjoin(Elder, Elder.id == s.elder_id)
        .where(*where)
        .order_by(*order)
        .limit(size)
        .offset(skip)
    )
    return [
        Row(statement, name, name_en, bool(statement.due_on and statement.due_on < on))
        for statement, name, name_en in found
    ]


def periods_for(by: Actor) -> list[str]:
    """The periods of which the actor may see statements, latest first."""
    return list(
        db.session.scalars(
            sa.select(Statement.period).where(visible(by)).distinct()
            .order_by(Statement.period.desc())
        )
    )  # fmt: skip


def lines_of(statement_id: int) -> list[StatementLine]:
    """What each funder pays of a statement, side by side."""
    order = sa.case({"elder": 1, "enterprise": 2, "delivery": 3}, value=StatementLine.side)
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
    side: str | None = None,
) -> Page:  # fmt: skip
    """The meals behind a statement, oldest first; of one day with `on`, one side with `side`."""
    where = of_statement(statement)
    if on:
        where.append(Grant.on == on)
    if side in ("enterprise", "delivery"):
        where.append(getattr(Grant, f"{side}_fen") != 0)
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

    After a return only what happened since counts as done; the office that sent it back shows why.
    """
    passed: dict[str, StatementStep] = {}
    back: StatementStep | None = None
    for step in steps_of(statement.id):
        if step.verdict == "returned":
            passed, back = {}, step
        elif step.verdict != "prepared":
            passed["paid" if step.verdict in ("paid", "carried") else step.stage] = step
    at_payment = statement.stage in ("approved", "paid", "carried")
    current = "paid" if at_payment else statement.stage
    begun = statement.prepared_at.date()
    chain = []
    for office in OFFICES[statement.payee]:
        label = Text("付款", "Paid") if office == "paid" else ROLES[office]
        if office == "paid" and statement.stage == "carried":
            label = STAGES["carried"]
        step = passed.get(office)
        if office == current and statement.stage in ("paid", "carried"):
            who = step.by_label if step else ""
            chain.append(ChainStep(office, label, "done", who, statement.stage_since))
        elif office == current:
            chain.append(
                ChainStep(office, label, "current", "", statement.stage_since, statement.due_on)
            )
        elif step:
            chain.append(ChainStep(office, label, "done", step.by_label, step.at))
        elif back and back.stage == office:
            chain.append(
                ChainStep(office, label, "returned", back.by_label, back.at, None, back.reason)
            )
        else:
            due = due_on(statement.period, "approved" if office == "paid" else office, begun)
            chain.append(ChainStep(office, label, "waiting", due=due))
    return chain
