"""What matches nothing and never will, explained by a person of the city; it is open no longer."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.errors import Conflict
from canteen.payouts.batching import must_be_person
from canteen.payouts.mismatches import EXPLAINABLE, Mismatch
from canteen.payouts.models import ExplainedMismatch
from canteen.reasons import reason_of
from canteen.territory.actors import Actor
from canteen.words import Text


class NotOpen(Conflict):
    """It is not among what is listed, or somebody has explained it already."""

    code = "mismatch_not_open"
    text = Text("这一条已经了结或已说明，请刷新", "It is settled or explained already; look again")


def explain(
    problem: str, reference: str, reason: str, by: Actor, listed: list[Mismatch], *, at: datetime
) -> None:
    """Keep why something that is `listed` matches nothing: a payment of another system on the same
    account, a row put right by a later file. It is listed no more; the trail keeps who said so.

    Only what another's books say; what our own say wrongly is put right. Refuses with NeedsPerson,
    NotOpen and ReasonMissing.
    """
    must_be_person(by)
    reason = reason_of(reason)
    here = any((one.problem, one.reference) == (problem, reference) for one in listed)
    if problem not in EXPLAINABLE or not here:
        raise NotOpen()
    row = {"problem": problem, "reference": reference, "reason": reason,
           "explained_by": by.label, "explained_at": at}  # fmt: skip
    made = db.session.execute(
        insert(ExplainedMismatch.__table__).values(row)
        .on_conflict_do_nothing(index_elements=["problem", "reference"])
        .returning(ExplainedMismatch.id)
    ).scalar()  # fmt: skip
    if made is None:
        raise NotOpen()
    detail = {"problem": problem, "reference": reference, "reason": reason[:200]}
    record(by.label, "explain_mismatch", "mismatch", made, detail)


def explained(limit: int = 50) -> list[ExplainedMismatch]:
    """What was explained, the latest first."""
    query = sa.select(ExplainedMismatch).order_by(ExplainedMismatch.id.desc()).limit(limit)
    return list(db.session.scalars(query))
