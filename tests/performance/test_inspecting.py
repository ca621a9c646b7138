"""A visit is entered by an evaluator on their ground, and never overwritten."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.performance import carding, inspecting, judging
from canteen.performance.inspecting import BadInspection, Points
from canteen.performance.models import Inspection, InspectionScore, Scorecard
from canteen.territory.actors import Actor
from tests.canteens.factories import CITY, HEXI, NANKAI
from tests.factories import actor, make_canteen, make_user
from tests.performance.factories import make_ground, points, visit

DAY = date(2026, 11, 20)
EVENING = clock.instant(DAY, time(18))

Ground = tuple[Canteen, Actor]


@pytest.fixture
def ground(app: Flask) -> Ground:
    """A canteen and its evaluator."""
    with transaction():
        return make_ground()


def test_a_visit_is_scored_at_once_and_gives_the_canteen_its_grade(ground: Ground) -> None:
    canteen, evaluator = ground
    visit(canteen, evaluator, DAY, 85)
    [card] = carding.cards_of(canteen.id)
    assert (card.score_bp, card.grade, card.facts["visit_on"]) == (8500, "good", "2026-11-20")
    assert card.facts["steps"][0]["zh"].startswith("设施与证照")
    assert db.session.get_one(Canteen, canteen.id, populate_existing=True).grade == "good"


def test_a_further_version_leaves_the_first_as_it_was(ground: Ground) -> None:
    canteen, evaluator = ground
    first, second = visit(canteen, evaluator, DAY, 85), visit(canteen, evaluator, DAY, 95)
    assert (first.version, second.version) == (1, 2)
    assert inspecting.scores_of(first.id)["setup"] == Points(85, "现场所见")
    assert [row.id for row in inspecting.inspections_of(canteen.id)] == [second.id, first.id]
    [card] = carding.cards_of(canteen.id)
    assert (card.grade, card.facts["version"]) == ("excellent", 2)
    with transaction():
        judging.judge(DAY, by=Actor(role="job", name="judge"), at=EVENING)
    assert db.session.query(Scorecard).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"on": date(2026, 11, 21)}, "on"),
        ({"points": points(80) | {"mood": Points(80)}}, "mood"),
        ({"points": {"setup": Points(80)}}, "environment"),
        ({"points": points(80, setup=101)}, "setup"),
        ({"points": points(80, setup=-1)}, "setup"),
        ({"points": points(80, evidence=" ", dishes=59)}, "dishes"),
        ({"points": points(80) | {"setup": Points(80, "长" * 401)}}, "setup"),
        ({"points": points(80) | {"satisfaction": Points(100)}}, "satisfaction"),
        ({"vetoes": ["bad_mood"]}, "vetoes"),
        ({"remark": "长" * 1001}, "remark"),
    ],
)
def test_a_bad_entry_names_its_field_and_saves_nothing(
    ground: Ground, changes: dict[str, Any], field: str
) -> None:
    canteen, evaluator = ground
    wish = {"on": DAY, "points": points(80)} | changes
    with pytest.raises(BadInspection) as refused, transaction():
        inspecting.submit(canteen.id, **wish, by=evaluator, at=EVENING)
    assert refused.value.field == field and refused.value.text.en
    assert db.session.query(Inspection).count() == db.session.query(InspectionScore).count() == 0


def test_low_points_need_evidence_and_sixty_does_not(ground: Ground) -> None:
    canteen, evaluator = ground
    with transaction():
        inspecting.submit(
            canteen.id, DAY, points(60, evidence=""), by=evaluator, at=EVENING
        )
    assert carding.cards_of(canteen.id)[0].grade == "pass"


def test_only_an_evaluator_of_that_ground_scores(ground: Ground) -> None:
    canteen, evaluator = ground
    with transaction():
        foreign = actor(make_user("evaluator", territory_code="120103"))
        closed = make_canteen(status="delisted")
    cases: list[tuple[int, Actor, type[CanteenError]]] = [
        (canteen.id, NANKAI, Forbidden), (canteen.id, CITY, Forbidden),
        (canteen.id, HEXI, NotFound), (canteen.id, foreign, NotFound),
        (closed.id, evaluator, NotFound), (999, evaluator, NotFound),
        (canteen.id, Actor(role="job", name="x"), NotFound),
    ]  # fmt: skip
    for canteen_id, by, refusal in cases:
        with pytest.raises(refusal), transaction():
            inspecting.submit(canteen_id, DAY, points(80), by=by, at=EVENING)


def test_a_canteen_open_under_three_months_is_not_scored_yet(ground: Ground) -> None:
    canteen, evaluator = ground
    with transaction():
        db.session.get_one(Canteen, canteen.id).status_since = date(2026, 8, 21)
    visit(canteen, evaluator, DAY, 40)
    assert carding.cards_of(canteen.id) == []
    assert judging.proposals(CITY) == []
    visit(canteen, evaluator, date(2026, 11, 21), 40)
    assert [row.grade for row in carding.cards_of(canteen.id)] == ["fail"]


def test_visits_fall_due_by_tier(ground: Ground) -> None:
    canteen, evaluator = ground
    with transaction():
        point = make_canteen(tier=3, status_since=date(2025, 1, 1))
    visit(canteen, evaluator, date(2026, 5, 1), 80)
    visit(point, evaluator, date(2026, 5, 1), 80)
    assert inspecting.due(evaluator, date(2026, 10, 29)) == []
    waiting = inspecting.due(evaluator, date(2026, 11, 20))
    assert [(row.canteen_id, row.last_on) for row in waiting] == [
        (canteen.id, date(2026, 5, 1)),
    ]
    assert {row.canteen_id for row in inspecting.due(evaluator, date(2027, 5, 1))} == {
        canteen.id, point.id,
    }
    assert inspecting.due(HEXI, date(2027, 5, 1)) == []
    for on in (date(2026, 10, 29), date(2026, 11, 20), date(2027, 5, 1)):
        listed = inspecting.due(evaluator, on)
        first = listed[0].due_on if listed else None
        assert inspecting.due_count(evaluator, on) == (len(listed), first)
