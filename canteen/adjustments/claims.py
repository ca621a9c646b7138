"""Finding claims: those an actor may see, and the meals an elder could claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.adjustments.models import Claim
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders import seeing
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.settlements import spans
from canteen.subsidies.granting import GRANTS
from canteen.territory.actors import Actor


@dataclass(frozen=True)
class Row:
    """A claim with its meal, its elder and what was granted for it (None: nothing yet)."""

    claim: Claim
    order: Order
    elder: Elder
    canteen: str
    granted_fen: int | None


def visible(by: Actor) -> sa.ColumnElement[bool]:
    """The claims an actor may see: those of the elders they may see."""
    return Claim.elder_id.in_(sa.select(Elder.id).where(seeing.visible(by)))


def list_for(
    by: Actor, *, state: str | None = None, elder_id: int | None = None, limit: int = 50,
    skip: int = 0,
) -> list[Row]:  # fmt: skip
    """The claims an actor may see, those that wait first, oldest of them first."""
    where = [visible(by)]
    where += [Claim.state == state] if state else []
    where += [Claim.elder_id == elder_id] if elder_id else []
    waits = sa.case((Claim.state == "asked", 0), else_=1)
    newest = sa.case((Claim.state == "asked", Claim.id), else_=-Claim.id)
    rows = db.session.execute(_rows(*where).order_by(waits, newest).limit(limit).offset(skip))
    return [Row(*row) for row in rows]


def get_for(by: Actor, claim_id: int) -> Row | None:
    """One claim; None when the actor may not know of it."""
    row = db.session.execute(_rows(visible(by), Claim.id == claim_id)).first()
    return Row(*row) if row else None


def count(by: Actor, state: str = "asked") -> int:
    """How many claims of a state lie on the actor's ground."""
    query = sa.select(sa.func.count()).select_from(Claim).where(visible(by), Claim.state == state)
    return db.session.scalar(query) or 0


def claimable(elder_id: int, at: datetime, limit: int = 20) -> list[Any]:
    """The elder's own meals paid in full that can still be claimed: (order, canteen's name in
    Chinese, in English)."""
    o = Order
    claimed = sa.exists().where(Claim.order_id == o.id, Claim.state != "refused")
    granted = sa.exists().where(GRANTS.c.order_id == o.id)
    query = (
        sa.select(o, Canteen.name, Canteen.english_name)
        .join(Canteen, Canteen.id == o.canteen_id)
        .where(
            o.elder_id == elder_id,
            spans.within("claim", Canteen.district_code, o.on, clock.business_date(at)),
            o.paid_at.is_not(None), o.state.in_(("placed", "served")), o.subsidy_fen == 0,
            o.excess_fen == 0, ~claimed, ~granted,
        )
        .order_by(o.on.desc(), o.id.desc()).limit(limit)
    )  # fmt: skip
    return list(db.session.execute(query))


def _rows(*where: Any) -> sa.Select[Any]:
    g = GRANTS.c
    granted = (
        sa.select(g.account_fen)
        .where(g.order_id == Claim.order_id, g.cause == "claim", g.cause_id == Claim.id)
        .correlate(Claim).scalar_subquery()
    )  # fmt: skip
    return (
        sa.select(Claim, Order, Elder, Canteen.name, granted)
        .join(Order, Order.id == Claim.order_id)
        .join(Elder, Elder.id == Claim.elder_id)
        .join(Canteen, Canteen.id == Order.canteen_id)
        .where(*where)
    )
