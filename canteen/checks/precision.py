"""How often each check was right: what was denied and what was a false alarm, of the decided."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.checks.models import UNDECIDED, Suspicion
from canteen.db import db
from canteen.subsidies.models import Grant, Period


@dataclass(frozen=True)
class Precision:
    """A check's record. `right_bp`: the decided ones that were no false alarm, in basis points;
    None while nothing was decided. `denied_fen`: of a pattern only the meals that were denied."""

    code: str
    found: int
    undecided: int
    decided: int
    denied: int
    false_alarms: int
    denied_fen: int

    @property
    def right_bp(self) -> int | None:
        """The share of the decided that was no false alarm."""
        if not self.decided:
            return None
        return (self.decided - self.false_alarms) * 10_000 // self.decided


def denials() -> list[sa.ColumnElement[bool]]:
    """The conditions on Grant of the rows by which a Suspicion took the subsidy of meals back."""
    since = sa.select(Period.period).where(Period.period >= Suspicion.period)
    return [
        Grant.period.in_(since.correlate(Suspicion)), Grant.canteen_id == Suspicion.canteen_id,
        Grant.cause == "denied", Grant.cause_id == Suspicion.id,
    ]  # fmt: skip


def denied_fen() -> sa.ColumnElement[int]:
    """What a denied Suspicion took back: its meal's subsidy, of a pattern that of the meals
    denied."""
    taken = sa.select(-sa.func.sum(Grant.whole_fen)).where(*denials()).correlate(Suspicion)
    whole = sa.case(
        (Suspicion.order_id.is_(None), sa.func.coalesce(taken.scalar_subquery(), 0)),
        else_=Suspicion.amount_fen,
    )
    return sa.case((Suspicion.state == "denied", whole), else_=0)


def precision(district: str | None = None) -> dict[str, Precision]:
    """The record of every check that ever found something, of one district or of all."""

    def count(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0))

    denied = Suspicion.state == "denied"
    query = sa.select(
        Suspicion.code, sa.func.count(), count(Suspicion.state.in_(UNDECIDED)),
        count(Suspicion.state.in_(("paid", "denied"))), count(denied),
        count(Suspicion.false_alarm), sa.func.sum(denied_fen()),
    ).group_by(Suspicion.code)  # fmt: skip
    if district is not None:
        query = query.join(Canteen, Canteen.id == Suspicion.canteen_id).where(
            Canteen.district_code == district
        )
    rows = db.session.execute(query)
    return {row[0]: Precision(row[0], *(int(value or 0) for value in row[1:])) for row in rows}
