"""A score is a weighted mean, graded by bands, failed by a veto and explained step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canteen.performance.schemes import read_scheme, schemes
from canteen.performance.scoring import Measured, satisfaction_bp, score
from tests.performance.test_schemes import SCHEME

STARTER = schemes()[0]
CODES = [row.code for row in STARTER.entered]
NOBODY = Measured(open_days=100, served_days=100)
EVERYBODY_GLAD = Measured(open_days=100, served_days=100, ratings=10, stars=50)


def all_at(points: int) -> dict[str, int]:
    """The same points everywhere."""
    return dict.fromkeys(CODES, points)


@pytest.mark.parametrize(
    ("points", "measured", "score_bp", "grade"),
    [
        (all_at(90), NOBODY, 9000, "excellent"),
        (all_at(89) | {"setup": 90}, NOBODY, 8911, "good"),
        (all_at(80), NOBODY, 8000, "good"),
        (all_at(79), NOBODY, 7900, "pass"),
        (all_at(60), NOBODY, 6000, "pass"),
        (all_at(59), NOBODY, 5900, "fail"),
        (all_at(0), NOBODY, 0, "fail"),
        (all_at(100), EVERYBODY_GLAD, 10000, "excellent"),
        (all_at(90), Measured(ratings=10, stars=40), 8900, "good"),
        (all_at(90), Measured(ratings=4, stars=4), 9000, "excellent"),
        (all_at(80) | {"food_safety": 50}, EVERYBODY_GLAD, 7600, "pass"),
    ],
)
def test_points_and_ratings_are_weighed_and_graded(
    points: dict[str, int], measured: Measured, score_bp: int, grade: str
) -> None:
    outcome = score(STARTER, points, measured)
    assert (outcome.score_bp, outcome.grade) == (score_bp, grade)


@pytest.mark.parametrize("veto", [row.code for row in STARTER.vetoes])
def test_a_veto_fails_the_best_canteen_and_keeps_its_score(veto: str) -> None:
    outcome = score(STARTER, all_at(100), EVERYBODY_GLAD, [veto])
    assert (outcome.score_bp, outcome.grade) == (10000, "fail")
    assert any(step.code == f"veto:{veto}" for step in outcome.steps)


def test_every_step_is_explained_in_both_languages() -> None:
    outcome = score(STARTER, all_at(85), NOBODY)
    by_code = {step.code: step for step in outcome.steps}
    assert set(by_code) == {row.code for row in STARTER.dimensions} | {"score", "grade"}
    assert by_code["setup"].text.en == "Set-up and licences: 85.00 points, weight 10"
    assert by_code["satisfaction"].points_bp is None
    assert "不计入" in by_code["satisfaction"].text.zh
    assert by_code["grade"].text.into("zh") == "等级：良好"
    assert outcome.steps[0].as_json()["zh"].startswith("设施与证照")


def test_served_days_can_be_a_dimension() -> None:
    scheme = read_scheme(
        SCHEME.replace('measured = "ratings"', 'measured = "served_days"'), "scheme-x.toml"
    )
    half = score(scheme, all_at(100), Measured(open_days=20, served_days=10))
    assert half.score_bp == 9500
    assert score(scheme, all_at(100), Measured()).score_bp == 10000


def test_excellence_may_ask_for_glad_diners_too() -> None:
    scheme = read_scheme(
        SCHEME.replace("from_bp = 9000", "from_bp = 9000\nsatisfaction_bp = 9000"), "x.toml"
    )
    assert score(scheme, all_at(100), EVERYBODY_GLAD).grade == "excellent"
    assert score(scheme, all_at(100), Measured(ratings=10, stars=44)).grade == "good"
    assert score(scheme, all_at(100), NOBODY).grade == "good"


def test_few_ratings_say_nothing() -> None:
    assert satisfaction_bp(STARTER, Measured(ratings=4, stars=20)) is None
    assert satisfaction_bp(STARTER, Measured(ratings=5, stars=21)) == 8400


@given(
    st.fixed_dictionaries({code: st.integers(0, 100) for code in CODES}),
    st.integers(0, 300).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(min_value=n, max_value=5 * n))
    ),
    st.sampled_from(CODES),
)
def test_a_score_stays_within_its_points_and_better_never_scores_less(
    points: dict[str, int], rated: tuple[int, int], better: str
) -> None:
    measured = Measured(ratings=rated[0], stars=rated[1])
    satisfied = satisfaction_bp(STARTER, measured)
    given_bp = [value * 100 for value in points.values()] + ([satisfied] if satisfied else [])
    outcome = score(STARTER, points, measured)
    assert min([*given_bp, 10000 if satisfied is None else satisfied]) <= outcome.score_bp
    assert outcome.score_bp <= max(given_bp)
    assert score(STARTER, points | {better: 100}, measured).score_bp >= outcome.score_bp
