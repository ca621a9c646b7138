"""Suspicions as desks list them: only what the one who looks may see."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.checks.catalogue import DESK_ONLY
from canteen.checks.deciding import NoSuchSuspicion
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.territory.actors import Actor

# A cashier sees none: a suspicion may be about the one who stands at the till.
FOUND_OF = ("operator", "manager")
READERS = (*canteens.STAFF, *FOUND_OF, "job")
SIZE = 50


@dataclass(frozen=True)
class Listed:
    """One suspicion with the canteen it was found at."""

    suspicion: Suspicion
    canteen: str
    district: str


@dataclass(frozen=True)
class Page:
    """One page of suspicions. `amount_fen` is what all of them are worth, not only these."""

    rows: list[Listed]
    total: int
    amount_fen: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def page(
    actor: Actor, *, period: str | None = None, states: tuple[str, ...] = ("open", "asked"),
    code: str | None = None, mode: str | None = None, canteen_id: int | None = None,
    elder_id: int | None = None, number: int = 1, size: int = SIZE,
) -> Page:
    """A page of the suspicions `actor` may see: what is held first, then the dearest."""
    wanted = {
        Suspicion.period: period, Suspicion.code: code, Suspicion.mode: mode,
        Suspicion.canteen_id: canteen_id, Suspicion.elder_id: elder_id,
    }
    where = [_visible(actor), Suspicion.state.in_(states)]
    where += [column == value for column, value in wanted.items() if value is not None]
    total, amount = db.session.execute(
        sa.select(sa.func.count(), sa.func.sum(Suspicion.amount_fen))
        .join(Canteen, Canteen.id == Suspicion.canteen_id).where(*where)
    ).one()  # fmt: skip
    rows = db.session.execute(
        sa.select(Suspicion, Canteen.name, Canteen.district_code)
        .join(Canteen, Canteen.id == Suspicion.canteen_id).where(*where)
        .order_by(
            sa.case((Suspicion.mode == "hold", 0), else_=1), Suspicion.amount_fen.desc(),
            Suspicion.id,
        )
        .limit(size).offset((number - 1) * size)
    )  # fmt: skip
    listed = [Listed(row[0], row[1], row[2]) for row in rows]
    return Page(listed, int(total), int(amount or 0), number, size)


def get_for(actor: Actor, suspicion_id: int) -> Suspicion:
    """One suspicion, if the actor may see it. Refuses NoSuchSuspicion."""
    suspicion = db.session.scalars(
        sa.select(Suspicion)
        .join(Canteen, Canteen.id == Suspicion.canteen_id)
        .where(Suspicion.id == suspicion_id, _visible(actor))
    ).first()
    if suspicion is None:
        raise NoSuchSuspicion()
    return suspicion


def of_order(actor: Actor, order_id: int) -> list[Suspicion]:
    """What was found of one meal, whatever became of it."""
    return list(
        db.session.scalars(
            sa.select(Suspicion)
            .join(Canteen, Canteen.id == Suspicion.canteen_id)
            .where(Suspicion.order_id == order_id, _visible(actor)).order_by(Suspicion.id)
        )
    )  # fmt: skip


def told_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Which findings an actor may learn of at all, wherever they were made: those of whom it is
    found do not learn what is for the desk alone."""
    if actor.role not in READERS:
        return sa.false()
    return not_for_desk() if actor.role in FOUND_OF else sa.true()


def not_for_desk() -> sa.ColumnElement[bool]:
    """Which findings are not for the desk alone."""
    return Suspicion.code.not_in(DESK_ONLY)


def _visible(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(told_to(actor), canteens.visible(actor))
