"""Which judging rules hold for a canteen: pure, with the ground and the words of each proposal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from canteen.canteens.licensing import PAPERS
from canteen.performance.measuring import SignFacts
from canteen.performance.schemes import (
    GRADES,
    AnyRule,
    Failed,
    Graded,
    Idle,
    Papers,
    PutRight,
    VetoFound,
)
from canteen.words import Text, day

GRAVITY = ("listed", "warned", "suspended", "delisted")
# The rules that look at evaluations only: they can be judged as soon as one is entered.
BY_VISIT = (VetoFound, Failed, Graded)


@dataclass(frozen=True)
class Evaluation:
    """One scored visit of an evaluator, in its last version."""

    inspection_id: int
    visit_on: date
    grade: str
    vetoes: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """A rule that holds: on which ground (the same ground is not proposed twice) and in words."""

    rule: AnyRule
    ground: str
    text: Text
    numbers: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The facts as they are kept with the proposal."""
        return {"ground": self.ground, "zh": self.text.zh, "en": self.text.en, **self.numbers}


def findings(
    rules: Iterable[AnyRule], facts: SignFacts, visits: Sequence[Evaluation]
) -> list[Finding]:
    """What the rules propose for one canteen; `visits` are newest first.

    Of the rules of one kind only the gravest proposal is kept; a canteen counts as put right only
    when no other rule holds, whatever sign it looks at.
    """
    rules = tuple(rules)
    held = [found for rule in rules if (found := _held(rule, facts, visits))]
    if not held:
        held = [found for rule in rules if (found := _put_right(rule, facts))]
    gravest: dict[type, Finding] = {}
    for found in held:
        if facts.status not in found.rule.from_:
            continue
        rival = gravest.get(type(found.rule))
        if rival is None or _gravity(found) > _gravity(rival):
            gravest[type(found.rule)] = found
    return list(gravest.values())


def _gravity(found: Finding) -> int:
    return GRAVITY.index(found.rule.to) if found.rule.to in GRAVITY else -1


def _held(rule: AnyRule, facts: SignFacts, visits: Sequence[Evaluation]) -> Finding | None:
    """The finding, if the rule's facts are true of the canteen; PutRight is asked for last."""
    if isinstance(rule, Idle):
        return _idle(rule, facts)
    if isinstance(rule, Papers):
        return _papers(rule, facts)
    if not visits or isinstance(rule, PutRight):
        return None
    last = visits[0]
    ground = f"inspection:{last.inspection_id}"
    numbers = {"visit_on": last.visit_on.isoformat(), "grade": last.grade}
    if isinstance(rule, VetoFound):
        found = sorted(set(rule.vetoes) & set(last.vetoes))
        if not found:
            return None
        text = Text("{on}评估：{title}", "Evaluation of {on}: {title}")
        text = text.format(on=day(last.visit_on), title=rule.title.text)
        return Finding(rule, ground, text, numbers | {"vetoes": found})
    if isinstance(rule, Graded):
        if last.grade not in rule.grades:
            return None
        text = Text("{on}评估为{grade}", "Evaluation of {on}: {grade}")
        text = text.format(on=day(last.visit_on), grade=GRADES[last.grade])
        return Finding(rule, ground, text, numbers)
    failed = 0
    for visit in visits:
        if visit.grade != "fail":
            break
        failed += 1
    if failed < rule.times:
        return None
    text = Text("连续 {times} 次评估不合格，最近一次是{on}",
                "{times} failed in a row, the last on {on}")  # fmt: skip
    text = text.format(times=failed, on=day(last.visit_on))
    return Finding(rule, ground, text, numbers | {"failed": failed})


def _idle(rule: Idle, facts: SignFacts) -> Finding | None:
    if facts.idle_days < rule.open_days:
        return None
    if facts.status == "suspended" and facts.status_reason not in rule.if_suspended_for:
        return None
    text = Text("自{since}起已有 {days} 个营业日没有供餐",
                "{days} open days without a meal since {since}")  # fmt: skip
    text = text.format(since=day(facts.idle_since), days=facts.idle_days)
    numbers = {"idle_days": facts.idle_days, "idle_since": facts.idle_since.isoformat()}
    return Finding(rule, f"idle:{facts.idle_since}", text, numbers)


def _papers(rule: Papers, facts: SignFacts) -> Finding | None:
    missing = [paper for paper in rule.papers if paper in facts.missing_papers]
    if not missing:
        return None
    names = Text("、".join(PAPERS[kind].zh for kind in missing),
                 ", ".join(PAPERS[kind].en for kind in missing))  # fmt: skip
    text = Text("没有有效的{papers}", "No valid paper: {papers}").format(papers=names)
    return Finding(rule, "papers:" + ",".join(missing), text, {"papers": missing})


def _put_right(rule: AnyRule, facts: SignFacts) -> Finding | None:
    if not isinstance(rule, PutRight) or facts.served_since_change < rule.served_days:
        return None
    text = Text("自{since}警示后已有 {days} 天正常供餐", "Meals on {days} days since {since}")
    text = text.format(since=day(facts.status_since), days=facts.served_since_change)
    numbers = {"served_days": facts.served_since_change}
    return Finding(rule, f"since:{facts.status_since}", text, numbers)
