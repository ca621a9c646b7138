"""The score of an evaluation: points, measured facts and ratings weighed, graded and explained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from canteen.performance.schemes import GRADES, Band, Dimension, Scheme
from canteen.words import Text

FULL_BP = 10_000
BP_A_STAR = 2_000


@dataclass(frozen=True)
class Measured:
    """What was counted in the scheme's window: days open and served, ratings and their stars."""

    open_days: int = 0
    served_days: int = 0
    ratings: int = 0
    stars: int = 0


@dataclass(frozen=True)
class Step:
    """One line of the explanation: a dimension's points (bp of 100) and what it adds, or a note."""

    code: str
    text: Text
    points_bp: int | None = None
    weight: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The step as it is kept with a scorecard."""
        return {
            "code": self.code, "zh": self.text.zh, "en": self.text.en,
            "points_bp": self.points_bp, "weight": self.weight,
        }  # fmt: skip


@dataclass(frozen=True)
class Score:
    """The outcome: `score_bp` of 10,000, the grade, and every step that led there."""

    score_bp: int
    grade: str
    steps: tuple[Step, ...]


def score(
    scheme: Scheme,
    points: Mapping[str, int],
    measured: Measured,
    vetoes: Collection[str] = (),
) -> Score:
    """Weigh the points of a visit with what was measured, and grade them.

    A dimension nobody could measure is left out and the others carry its weight. The score is the
    weighted mean, half a basis point rounded up. A veto fails the canteen and keeps the score.
    """
    steps: list[Step] = []
    total = weights = 0
    for dimension in scheme.dimensions:
        points_bp = _points_bp(scheme, dimension, points, measured)
        if points_bp is None:
            steps.append(Step(dimension.code, _left_out(dimension), None, dimension.weight))
            continue
        total += points_bp * dimension.weight
        weights += dimension.weight
        steps.append(Step(dimension.code, _counted(dimension, points_bp), points_bp,
                          dimension.weight))  # fmt: skip
    score_bp = (2 * total + weights) // (2 * weights) if weights else 0
    band = _band(scheme, score_bp, measured)
    grade = band.grade
    steps.append(Step("score", Text("加权得分 {points}", "Weighted score {points}").format(
        points=_shown(score_bp)), score_bp))  # fmt: skip
    titles = {veto.code: veto.title.text for veto in scheme.vetoes}
    for code in sorted(vetoes):
        what = titles.get(code, Text(code, code))
        found = Text("一票否决：{what}", "Veto: {what}").format(what=what)
        steps.append(Step(f"veto:{code}", found))
        grade = "fail"
    steps.append(Step("grade", Text("等级：{grade}", "Grade: {grade}").format(grade=GRADES[grade])))
    return Score(score_bp, grade, tuple(steps))


def satisfaction_bp(scheme: Scheme, measured: Measured) -> int | None:
    """The mean of the stars (five are 10,000); None with fewer ratings than the scheme asks for."""
    if measured.ratings < scheme.min_ratings:
        return None
    return measured.stars * BP_A_STAR // measured.ratings


def _points_bp(
    scheme: Scheme, dimension: Dimension, points: Mapping[str, int], measured: Measured
) -> int | None:
    if dimension.measured == "ratings":
        return satisfaction_bp(scheme, measured)
    if dimension.measured == "served_days":
        served = min(measured.served_days, measured.open_days)
        return served * FULL_BP // measured.open_days if measured.open_days else None
    return points[dimension.code] * 100


def _band(scheme: Scheme, score_bp: int, measured: Measured) -> Band:
    satisfied = satisfaction_bp(scheme, measured)
    for band in scheme.bands:
        if score_bp >= band.from_bp and (satisfied or 0) >= band.satisfaction_bp:
            return band
    return scheme.bands[-1]


def _counted(dimension: Dimension, points_bp: int) -> Text:
    words = Text("{name} {points} 分，权重 {weight}", "{name}: {points} points, weight {weight}")
    shown = _shown(points_bp)
    return words.format(name=dimension.title.text, points=shown, weight=dimension.weight)


def _left_out(dimension: Dimension) -> Text:
    return Text("{name}数据不足，不计入", "{name}: too little to go by, left out").format(
        name=dimension.title.text
    )


def _shown(bp: int) -> str:
    """Basis points as points with two decimals: 8750 → "87.50"."""
    return f"{bp // 100}.{bp % 100:02d}"
