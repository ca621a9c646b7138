"""Searching statements by period, stage, ground and name, with the sums of all that were found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.settlements.finding import PAGE, Page, rows, visible
from canteen.settlements.models import Statement
from canteen.territory.actors import Actor
from canteen.territory.models import stem


@dataclass(frozen=True)
class Wanted:
    """What a reader asked for; nothing means all. `text` looks in the payee's name."""

    period: str | None = None
    stage: str | None = None
    payee: str | None = None
    territory: str | None = None
    text: str | None = None
    canteen_id: int | None = None


@dataclass(frozen=True)
class Sums:
    """The sums over everything found, in fen: not only over the page that is shown."""

    statements: int
    meals: int
    elder_fen: int
    enterprise_fen: int
    online_fen: int
    total_fen: int


def search(
    by: Actor, wanted: Wanted, *, on: date, page: int = 1, size: int = PAGE,
    waiting_first: bool = True,
) -> Page:  # fmt: skip
    """The statements an actor may see and asked for: what waits for them first (unless told not
    to), then the latest."""
    s = Statement
    total = sums(by, wanted).statements
    order: tuple[Any, ...] = (s.period.desc(), s.due_on, s.id)
    if waiting_first:
        order = (sa.case((s.stage == by.role, 0), else_=1), *order)
    return Page(
        rows(_conditions(by, wanted), order, on, size, (page - 1) * size), total, page, size
    )


def sums(by: Actor, wanted: Wanted) -> Sums:
    """How many were found and what they come to."""
    s = Statement
    row = db.session.execute(
        sa.select(
            sa.func.count(), sa.func.sum(s.meals), sa.func.sum(s.elder_fen + s.account_fen),
            sa.func.sum(s.enterprise_fen + s.delivery_fen), sa.func.sum(s.online_fen),
            sa.func.sum(s.total_fen),
        )
        .select_from(s)
        .outerjoin(Canteen, Canteen.id == s.canteen_id)
        .outerjoin(Elder, Elder.id == s.elder_id)
        .where(*_conditions(by, wanted))
    ).one()  # fmt: skip
    return Sums(*(int(value or 0) for value in row))


def _conditions(by: Actor, wanted: Wanted) -> list[Any]:
    s = Statement
    where: list[Any] = [visible(by)]
    for given, column in (
        (wanted.period, s.period), (wanted.stage, s.stage), (wanted.payee, s.payee),
        (wanted.canteen_id, s.canteen_id),
    ):  # fmt: skip
        if given:
            where.append(column == given)
    if wanted.territory:
        where.append(s.street_code.startswith(stem(wanted.territory), autoescape=True))
    text = (wanted.text or "").strip()[:40]
    if text:
        names = (Canteen.name, Canteen.name_en, Canteen.code, Elder.name)
        where.append(sa.or_(*(name.icontains(text, autoescape=True) for name in names)))
    return where
