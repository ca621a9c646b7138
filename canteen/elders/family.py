"""Family who may order for an elder, until the elder or the street ends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import changed, db, insert
from canteen.elders import checking
from canteen.elders.models import FamilyMember
from canteen.elders.seeing import get_for
from canteen.errors import Conflict, Forbidden, NotFound
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text


class AlreadyAllowed(Conflict):
    """The family member may order for this elder already."""

    code = "already_allowed"
    text = Text("这位家属已经可以为老人点餐", "This family member may already order for the elder")


@dataclass(frozen=True)
class Relative:
    """Somebody who may order for an elder, since when."""

    user_id: int
    relation: str
    since: datetime


def allow(elder_id: int, user_id: int, relation: str, by: Actor) -> None:
    """Let a user order for an elder: said by the elder or by staff on their ground.

    Refuses AlreadyAllowed, Forbidden (family cannot invite family), NotFound.
    """
    _may_decide(elder_id, by)
    relation = checking.text("relation", 20)(relation)
    if not relation:
        raise checking.Missing(field="relation")
    now = clock.now()
    row = {"elder_id": elder_id, "user_id": user_id, "relation": relation, "since": now}
    again = {"relation": relation, "since": now, "ended_at": None}
    allowed = db.session.execute(
        insert(FamilyMember.__table__)
        .values(row)
        .on_conflict_do_update(
            index_elements=["elder_id", "user_id"], set_=again,
            where=FamilyMember.__table__.c.ended_at.is_not(None),
        )
    )  # fmt: skip
    if not changed(allowed):
        raise AlreadyAllowed()
    detail = {"user": user_id, "relation": relation}
    record(by.label, "allow_family", "elder", elder_id, detail)


def end(elder_id: int, user_id: int, by: Actor) -> None:
    """End it at once: by the elder, by staff, or by the family member themselves."""
    if by.user_id != user_id:
        _may_decide(elder_id, by)
    ended = db.session.execute(
        sa.update(FamilyMember)
        .where(
            FamilyMember.elder_id == elder_id, FamilyMember.user_id == user_id,
            FamilyMember.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
    )  # fmt: skip
    if not changed(ended):
        raise NotFound()
    record(by.label, "end_family", "elder", elder_id, {"user": user_id})


def relatives_of(elder_id: int, by: Actor) -> list[Relative]:
    """Who may order for an elder, for one who may see the elder. Refuses NotFound."""
    get_for(by, elder_id)
    rows = db.session.execute(
        sa.select(FamilyMember.user_id, FamilyMember.relation, FamilyMember.since)
        .where(FamilyMember.elder_id == elder_id, FamilyMember.ended_at.is_(None))
        .order_by(FamilyMember.since)
    )
    return [Relative(*row) for row in rows]


def _may_decide(elder_id: int, by: Actor) -> None:
    """Staff, and the elder; an elder who orders for another decides no more than other family."""
    get_for(by, elder_id)
    by.must_be(*BUREAU, "elder")
    if by.role == "elder" and by.elder_ids[:1] != (elder_id,):  # their own stands first
        raise Forbidden()
