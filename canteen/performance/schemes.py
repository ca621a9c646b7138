"""The evaluation scheme and the judging rules as data: their shapes, strictly read and checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Annotated, Literal

import msgspec

from canteen.canteens.rulebook import (
    FOLDER,
    BadRules,
    Paper,
    Reason,
    Shape,
    Status,
    Tier,
    decode,
    sign_rules,
)
from canteen.errors import Refused
from canteen.words import Text

Grade = Literal["excellent", "good", "pass", "fail"]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
RuleCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Weight = Annotated[int, msgspec.Meta(ge=1, le=100)]
Points = Annotated[int, msgspec.Meta(ge=0, le=100)]
Bp = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3_650)]
Times = Annotated[int, msgspec.Meta(ge=1, le=20)]

GRADES = {
    "excellent": Text("优秀", "Excellent"),
    "good": Text("良好", "Good"),
    "pass": Text("合格", "Pass"),
    "fail": Text("不合格", "Fail"),
}


class NoScheme(Refused):
    """No evaluation scheme was in force on that day."""

    code = "no_scheme"
    text = Text("那一天没有生效的评估方案", "No evaluation scheme was in force on that day")


class Title(Shape, kw_only=True):
    """A name people read, in both languages."""

    zh: Words
    en: Words

    @property
    def text(self) -> Text:
        """The same as a Text."""
        return Text(self.zh, self.en)


class Dimension(Shape, kw_only=True):
    """What is scored and how much it counts; `measured` ones come from facts, not from a visit.

    "ratings" is the diners' stars (five are 100 points), "served_days" the share of open days on
    which a meal was served.
    """

    code: Code
    title: Title
    weight: Weight
    measured: Literal["ratings", "served_days"] | None = None


class Band(Shape, kw_only=True):
    """A grade and the score it begins at; `satisfaction_bp` asks as much of the ratings alone."""

    grade: Grade
    from_bp: Bp
    satisfaction_bp: Bp = 0


class Veto(Shape, kw_only=True):
    """Something that fails a canteen whatever its points."""

    code: Code
    title: Title


class Visits(Shape, kw_only=True):
    """How often a year a canteen of one tier is visited."""

    tier: Tier
    a_year: Times


class Scheme(Shape, kw_only=True):
    """One evaluation scheme, in force from a day until another begins."""

    name: Name
    in_force_from: date
    title: Title
    min_months_open: Annotated[int, msgspec.Meta(ge=0, le=60)]
    window_days: Days
    min_ratings: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    evidence_below: Points
    dimensions: tuple[Dimension, ...]
    bands: tuple[Band, ...]
    vetoes: tuple[Veto, ...]
    visits: tuple[Visits, ...]

    @property
    def entered(self) -> tuple[Dimension, ...]:
        """The dimensions an evaluator scores."""
        return tuple(row for row in self.dimensions if row.measured is None)

    def visits_a_year(self, tier: int) -> int:
        """How often a canteen of this tier is to be visited."""
        return next((row.a_year for row in self.visits if row.tier == tier), 1)


class Rule(Shape, kw_only=True, tag_field="kind", rename={"from_": "from"}):
    """What every rule says: on which signs it looks, what it proposes and for which reason."""

    code: RuleCode
    title: Title
    from_: tuple[Status, ...]
    to: Status
    reason: Reason
    quiet_days: Days
    automatic: bool = False


class Idle(Rule, kw_only=True, tag="idle"):
    """So many open days in a row without a meal served.

    A suspended canteen cannot serve: its days count only when it was suspended for a reason in
    `if_suspended_for`.
    """

    open_days: Days
    if_suspended_for: tuple[Reason, ...] = ()


class Papers(Rule, kw_only=True, tag="papers"):
    """One of these papers is not valid."""

    papers: tuple[Paper, ...]


class VetoFound(Rule, kw_only=True, tag="veto"):
    """The last evaluation found one of these."""

    vetoes: tuple[Code, ...]


class Failed(Rule, kw_only=True, tag="failed"):
    """So many evaluations in a row were failed."""

    times: Times


class Graded(Rule, kw_only=True, tag="graded"):
    """The last evaluation gave one of these grades."""

    grades: tuple[Grade, ...]


class PutRight(Rule, kw_only=True, tag="put_right"):
    """No graver rule holds, and meals were served on so many days since the sign changed."""

    served_days: Days


AnyRule = Idle | Papers | VetoFound | Failed | Graded | PutRight


class Rules(Shape, kw_only=True):
    """The whole of `rules.toml`."""

    rules: tuple[AnyRule, ...]


def read_scheme(text: str, file: str) -> Scheme:
    """A scheme from its TOML. Refuses with BadRules naming the key and the reason."""
    scheme = decode(text, Scheme, file)
    for key, codes in (
        ("dimensions", [row.code for row in scheme.dimensions]),
        ("bands", [row.grade for row in scheme.bands]),
        ("vetoes", [row.code for row in scheme.vetoes]),
        ("visits", [str(row.tier) for row in scheme.visits]),
    ):
        _once(file, key, codes)
    weights = sum(row.weight for row in scheme.dimensions)
    if weights != 100:
        reason = f"the weights must sum to 100, not {weights}"
        raise BadRules(file=file, key="dimensions.weight", reason=reason)
    bounds = [row.from_bp for row in scheme.bands]
    if not bounds or bounds != sorted(bounds, reverse=True) or bounds[-1] != 0:
        reason = "the bands must run from the highest bound down to 0"
        raise BadRules(file=file, key="bands.from_bp", reason=reason)
    return scheme


def read_rules(text: str, file: str) -> Rules:
    """The judging rules from their TOML. Refuses with BadRules, also a change the sign forbids."""
    rules = decode(text, Rules, file)
    _once(file, "rules", [row.code for row in rules.rules])
    for number, rule in enumerate(rules.rules):
        for now in rule.from_:
            if not any(
                now in way.from_ and way.to == rule.to and rule.reason in way.reasons
                for way in sign_rules().transitions
            ):
                reason = f"{now} may not become {rule.to} for {rule.reason} (sign.toml)"
                raise BadRules(file=file, key=f"rules[{number}].to", reason=reason)
    return rules


@cache
def schemes() -> tuple[Scheme, ...]:
    """Every shipped scheme, the newest first, read once a process."""
    files = sorted(FOLDER.glob("scheme-*.toml"))
    read = [read_scheme(path.read_text("utf-8"), path.name) for path in files]
    _once("scheme-*.toml", "name", [scheme.name for scheme in read])
    _once("scheme-*.toml", "in_force_from", [str(scheme.in_force_from) for scheme in read])
    return tuple(sorted(read, key=lambda scheme: scheme.in_force_from, reverse=True))


def scheme_on(on: date) -> Scheme:
    """The scheme in force on a day. Refuses with NoScheme before the first."""
    for scheme in schemes():
        if scheme.in_force_from <= on:
            return scheme
    raise NoScheme(field="on")


def scheme_named(name: str) -> Scheme:
    """The scheme of that name: the one an inspection was made by."""
    for scheme in schemes():
        if scheme.name == name:
            return scheme
    raise NoScheme(field="scheme")


@cache
def judging_rules() -> tuple[AnyRule, ...]:
    """The judging rules in use, read once a process."""
    path = FOLDER / "rules.toml"
    return read_rules(path.read_text("utf-8"), path.name).rules


def _once(file: str, key: str, values: Iterable[str]) -> None:
    """Refuse a list that is empty or names something twice."""
    given = list(values)
    twice = sorted({value for value in given if given.count(value) > 1})
    if twice or not given:
        reason = f"“{twice[0]}” stands there twice" if twice else "must not be empty"
        raise BadRules(file=file, key=key, reason=reason)
