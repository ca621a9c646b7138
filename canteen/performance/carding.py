"""Scorecards: each new inspection scored with the measured facts, and the grade it gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens.lifecycle import months_later
from canteen.canteens.models import Canteen
from canteen.db import db, insert
from canteen.performance.measuring import Meals, SignFacts, meals_of
from canteen.performance.models import Inspection, InspectionScore, Scorecard
from canteen.performance.ruling import Evaluation
from canteen.performance.schemes import Scheme, scheme_named
from canteen.performance.scoring import score

CHUNK = 500


def make_cards(on: date, facts: dict[int, SignFacts], canteen_id: int | None = None) -> int:
    """Score the last inspection of every canteen that has no scorecard yet; gives how many.

    Canteens open for less than the scheme's months are skipped. A scorecard of the same day is
    replaced: it was made from an earlier version of the same inspection.
    """
    scored = {
        key: visits[0].inspection_id for key, visits in evaluations(canteen_id).items()
    }
    waiting = [
        inspection
        for inspection in _last_inspections(on, canteen_id)
        if inspection.canteen_id in facts
        and scored.get(inspection.canteen_id) != inspection.id
        and _long_enough(inspection, facts[inspection.canteen_id])
    ]
    if not waiting:
        return 0
    points = _points([inspection.id for inspection in waiting])
    rows = []
    for scheme in {row.scheme: scheme_named(row.scheme) for row in waiting}.values():
        mine = [row for row in waiting if row.scheme == scheme.name]
        meals = meals_of([row.canteen_id for row in mine], on, scheme.window_days)
        rows += [_card(scheme, row, points[row.id], meals[row.canteen_id], on) for row in mine]
    for start in range(0, len(rows), CHUNK):
        statement = insert(Scorecard).values(rows[start : start + CHUNK])
        names = ("scheme", "score_bp", "grade", "facts")
        replaced = {name: statement.excluded[name] for name in names}
        db.session.execute(
            statement.on_conflict_do_update(index_elements=("canteen_id", "on"), set_=replaced)
        )
    _grade([row["canteen_id"] for row in rows])
    return len(rows)


def evaluations(canteen_id: int | None = None) -> dict[int, list[Evaluation]]:
    """Every canteen's scored visits, newest first, each in its last version."""
    query = sa.select(Scorecard.canteen_id, Scorecard.grade, Scorecard.facts)
    query = query.order_by(Scorecard.on)
    if canteen_id is not None:
        query = query.where(Scorecard.canteen_id == canteen_id)
    found: dict[int, dict[date, Evaluation]] = defaultdict(dict)
    for key, grade, facts in db.session.execute(query):
        if "inspection_id" not in facts:
            continue
        visit_on = date.fromisoformat(facts["visit_on"])
        found[key][visit_on] = Evaluation(
            facts["inspection_id"], visit_on, grade, tuple(facts["vetoes"])
        )
    return {
        key: sorted(visits.values(), key=lambda visit: visit.visit_on, reverse=True)
        for key, visits in found.items()
    }


def cards_of(canteen_id: int) -> Sequence[Scorecard]:
    """A canteen's scorecards, the latest first."""
    query = sa.select(Scorecard).where(Scorecard.canteen_id == canteen_id)
    return db.session.scalars(query.order_by(Scorecard.on.desc())).all()


def _last_inspections(on: date, canteen_id: int | None) -> Sequence[Inspection]:
    """The last version of the last visit to each canteen up to a day."""
    place = sa.func.row_number().over(
        partition_by=Inspection.canteen_id,
        order_by=(Inspection.on.desc(), Inspection.version.desc()),
    )
    ranked = sa.select(Inspection.id, place.label("place")).where(Inspection.on <= on)
    if canteen_id is not None:
        ranked = ranked.where(Inspection.canteen_id == canteen_id)
    first = ranked.subquery()
    query = sa.select(Inspection).join(first, first.c.id == Inspection.id)
    return db.session.scalars(query.where(first.c.place == 1).order_by(Inspection.id)).all()


def _long_enough(inspection: Inspection, facts: SignFacts) -> bool:
    scheme = scheme_named(inspection.scheme)
    return months_later(facts.open_since, scheme.min_months_open) <= inspection.on


def _points(inspection_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    query = sa.select(
        InspectionScore.inspection_id, InspectionScore.dimension, InspectionScore.points
    ).where(InspectionScore.inspection_id.in_(inspection_ids))
    points: dict[int, dict[str, int]] = defaultdict(dict)
    for row in db.session.execute(query):
        points[row.inspection_id][row.dimension] = row.points
    return points


def _card(
    scheme: Scheme, inspection: Inspection, points: dict[str, int], meals: Meals, on: date
) -> dict[str, Any]:
    outcome = score(scheme, points, meals.measured, inspection.vetoes)
    facts = {
        "inspection_id": inspection.id,
        "version": inspection.version,
        "visit_on": inspection.on.isoformat(),
        "vetoes": list(inspection.vetoes),
        "window": [meals.first.isoformat(), meals.last.isoformat()],
        "meals": meals.meals,
        "subsidised": meals.subsidised,
        "subsidised_bp": meals.subsidised_bp,
        "open_days": meals.measured.open_days,
        "served_days": meals.measured.served_days,
        "ratings": meals.measured.ratings,
        "stars": meals.measured.stars,
        "steps": [step.as_json() for step in outcome.steps],
    }
    return {
        "canteen_id": inspection.canteen_id, "on": on, "scheme": scheme.name,
        "score_bp": outcome.score_bp, "grade": outcome.grade, "facts": facts,
    }  # fmt: skip


def _grade(canteen_ids: Sequence[int]) -> None:
    """Give each canteen the grade of its latest scorecard."""
    latest = (
        sa.select(Scorecard.grade)
        .where(Scorecard.canteen_id == Canteen.id)
        .order_by(Scorecard.on.desc())
        .limit(1)
        .scalar_subquery()
    )
    db.session.execute(
        sa.update(Canteen)
        .where(Canteen.id.in_(canteen_ids))
        .values(grade=latest)
        .execution_options(synchronize_session="fetch")
    )
