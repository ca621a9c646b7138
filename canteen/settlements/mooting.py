"""Objections that are left without an object: the denial they are about was lifted otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record_each
from canteen.db import db
from canteen.settlements.review_models import Appeal
from canteen.territory.actors import Actor

AT_ONCE = 1_000


def close_appeals(order_ids: Iterable[int], by: Actor, at: datetime) -> None:
    """Close ("moot") the appeals that still wait about meals just given again.

    Nobody has to decide them any more, and none of them, upheld later, may give back what was
    taken from the meal for another reason since. The caller holds the meals' statements.
    """
    wanted = sorted(set(order_ids))
    closed: dict[object, dict[str, int]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = db.session.execute(
            sa.update(Appeal)
            .where(Appeal.order_id.in_(wanted[start : start + AT_ONCE]), Appeal.state == "filed")
            .values(state="moot", decided_by=by.label, decided_at=at)
            .returning(Appeal.id, Appeal.order_id)
            .execution_options(synchronize_session="fetch")
        )
        closed |= {row.order_id: {"appeal": row.id} for row in rows}
    record_each(by.label, "moot", "order", closed)
