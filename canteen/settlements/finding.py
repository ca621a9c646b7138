"""Finding statements an actor may see, what waits for them, and the meals behind each sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import NotFound
from canteen.settlements.models import Statement
from canteen.settlements.tracing import (
    PAGE,
    SIDES,
    ChainStep,
    Meal,
    Page,
    carried_into,
    chain_of,
    days_of,
    lines_of,
    meals_of,
    of_statement,
    payout_of,
    steps_of,
    takings_of,
)
from canteen.territory.actors import Actor
from canteen.words import Text

__all__ = [
    "PAGE",
    "SIDES",
    "ChainStep",
    "Meal",
    "Page",
    "Row",
    "StatementNotFound",
    "WorkList",
    "carried_into",
    "chain_of",
    "days_of",
    "get_for",
    "lines_of",
    "meals_of",
    "of_statement",
    "payee_names",
    "payout_of",
    "periods_for",
    "rows",
    "steps_of",
    "takings_of",
    "visible",
    "work_list",
]


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
    """What waits for an actor: the most urgent statements, and the sums over all of them."""

    waiting: list[Row]
    waiting_count: int
    overdue_count: int
    waiting_fen: int


def payee_names() -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    """The name of whom a statement is for, in Chinese and in English, where its canteen and its
    elder are joined."""
    return (
        sa.func.coalesce(Canteen.name, Elder.name),
        sa.func.coalesce(Canteen.english_name, Elder.name),
    )


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
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if found is None:
        raise StatementNotFound()
    return found


def work_list(by: Actor, *, on: date, limit: int = 200) -> WorkList:
    """What waits for this actor's office, most urgent first, as of the Shanghai day `on`."""
    s = Statement
    mine = [visible(by), s.stage == by.role]
    number, overdue, fen = db.session.execute(
        sa.select(
            sa.func.count(), sa.func.sum(sa.case((s.due_on < on, 1), else_=0)),
            sa.func.sum(s.total_fen),
        ).where(*mine)
    ).one()  # fmt: skip
    waiting = rows(mine, (s.due_on, s.id), on, limit, 0)
    return WorkList(waiting, int(number), int(overdue or 0), int(fen or 0))


def rows(where: Sequence[Any], order: Sequence[Any], on: date, size: int, skip: int) -> list[Row]:
    """So many statements in this order, after the first `skip`, as lists show them."""
    s = Statement
    found = db.session.execute(
        sa.select(s, *payee_names())
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


