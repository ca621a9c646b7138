"""Who had a hand in denying a meal that was objected to, and why it was denied."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from canteen.checks.models import Suspicion, SuspicionStep
from canteen.db import db
from canteen.settlements.models import Statement, StatementAmendment
from canteen.settlements.review_models import Appeal, SampledMeal
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor


def of(appeals: Collection[Appeal]) -> dict[int, set[str]]:
    """Everybody who had a hand in denying the meal of each appeal, and who objected: a person may
    have changed desks since."""
    ids = [appeal.id for appeal in appeals]
    looked = (
        sa.select(Appeal.id, SampledMeal.looked_by.label("label"))
        .join(SampledMeal, SampledMeal.order_id == Appeal.order_id)
        .where(SampledMeal.verdict == "wrong")
    )
    denied = (
        sa.select(Appeal.id, SuspicionStep.by_label)
        .join(Grant, Grant.id == Appeal.grant_id)
        .join(
            Suspicion, (Suspicion.order_id == Appeal.order_id) | (Suspicion.id == Grant.cause_id)
        )
        .join(SuspicionStep, SuspicionStep.suspicion_id == Suspicion.id)
        .where(SuspicionStep.verdict == "deny")
    )
    amended = (
        sa.select(Appeal.id, StatementAmendment.by_label)
        .join(Grant, Grant.id == Appeal.grant_id)
        .join(
            Statement,
            (Statement.canteen_id == Appeal.canteen_id) & (Statement.period == Grant.period),
        )
        .join(StatementAmendment, StatementAmendment.statement_id == Statement.id)
        .where(StatementAmendment.cause == "denied", StatementAmendment.at == Grant.made_at)
    )
    hands = sa.union(*(query.where(Appeal.id.in_(ids)) for query in (looked, denied, amended)))
    found = {appeal.id: {appeal.filed_by} for appeal in appeals}
    for row in db.session.execute(hands):
        if row.label:
            found[row.id].add(row.label)
    return found


def overruled(order_ids: Collection[int], by: Actor) -> bool:
    """Whether the last word on one of these meals was an appeal upheld against this person."""
    upheld = db.session.scalars(
        sa.select(Appeal).where(Appeal.order_id.in_(order_ids), Appeal.state == "upheld")
    ).all()
    return any(by.label in hands for hands in of(upheld).values())


def denied_because(appeals: Collection[Appeal]) -> dict[int, str]:
    """Why the meal of each appeal was denied, as whoever denied it said last."""
    ids = [appeal.id for appeal in appeals]
    judged = (
        sa.select(Appeal.id, SampledMeal.reason)
        .join(SampledMeal, SampledMeal.order_id == Appeal.order_id)
        .where(SampledMeal.verdict == "wrong", Appeal.id.in_(ids))
    )
    steps = (
        sa.select(Appeal.id, SuspicionStep.reason)
        .join(Grant, Grant.id == Appeal.grant_id)
        .join(SuspicionStep, SuspicionStep.suspicion_id == Grant.cause_id)
        .where(SuspicionStep.verdict == "deny", Appeal.id.in_(ids))
        .order_by(SuspicionStep.id)
    )
    return {
        row.id: row.reason for query in (judged, steps) for row in db.session.execute(query)
    }
