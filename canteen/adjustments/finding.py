"""Finding what was changed after the meals: every later row of a subsidy, and why there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.adjustments.spreading import lost_before, opening
from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder, ElderFact
from canteen.subsidies.models import CAUSES, Grant, after_closing
from canteen.territory.actors import Actor

# What the page lists: changes made after the sale; of meals that were cancelled those whose month
# was closed already.
LATER = {code: words for code, words in CAUSES.items() if code != "sale"}
PAGE = 50


@dataclass(frozen=True)
class Changed:
    """One row of a meal's subsidy that came later, with what caused it when that is a fact."""

    grant: Grant
    canteen: str
    canteen_en: str
    elder: Elder
    fact: ElderFact | None

    @property
    def fen(self) -> int:
        """What it changed, signed."""
        return self.grant.whole_fen


@dataclass(frozen=True)
class Page:
    """A page of changes, with the count and sum of all that were found."""

    rows: list[Changed]
    total: int
    fen: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE))


def changes(
    by: Actor, *, on: date, cause: str | None = None, period: str | None = None, page: int = 1
) -> Page:
    """The later rows of meals sold on the actor's ground, the newest first.

    Those that fell into one month, or else into the last three.
    """
    earliest = clock.period_of((on.replace(day=1) - timedelta(days=62)).replace(day=1))
    g, f = Grant, ElderFact
    here = sa.select(Canteen.id).where(canteens.visible(by))
    where: list[Any] = [g.canteen_id.in_(here)]
    where.append(g.cause == cause if cause in LATER else g.cause.in_(list(LATER)))
    where.append(g.period == period if period else g.period >= earliest)
    where.append((g.cause != "cancelled") | after_closing(g))
    counted = sa.select(sa.func.count(), sa.func.sum(g.whole_fen)).where(*where)
    total, fen = db.session.execute(counted).one()
    rows = db.session.execute(
        sa.select(g, Canteen.name, Canteen.english_name, Elder, f)
        .join(Canteen, Canteen.id == g.canteen_id)
        .join(Elder, Elder.id == g.elder_id)
        .outerjoin(f, sa.and_(g.cause == "late_fact", f.id == g.cause_id))
        .where(*where).order_by(g.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    )  # fmt: skip
    return Page([Changed(*row) for row in rows], int(total), int(fen or 0), page)


def taken_back_now(by: Actor, on: date) -> list[tuple[Canteen, int, int]]:
    """What the open month takes back of subsidies lost in earlier months, to be spread out or
    not: (canteen, meals, fen)."""
    g = Grant
    fen = sa.func.sum(g.canteen_fen)
    rows = db.session.execute(
        sa.select(Canteen, sa.func.count(), -fen)
        .join(Canteen, Canteen.id == g.canteen_id)
        .where(lost_before(opening(on)), canteens.visible(by))
        .group_by(Canteen.id).order_by(fen)
    )
    return [(canteen, int(meals), int(sum_fen)) for canteen, meals, sum_fen in rows]
