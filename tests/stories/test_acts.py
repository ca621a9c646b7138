"""The words of the trail: whatever the code records has a name people can read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from canteen.stories.acts import ACTS, particulars
from canteen.web.bureau.records import SUBJECTS

ROOT = Path(__file__).resolve().parents[2] / "canteen"


def recorded() -> Iterator[tuple[str, str]]:
    """Every act and subject that is written out where it is recorded."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in ("record", "record_each"):
                said = [arg.value if isinstance(arg, ast.Constant) else "" for arg in node.args]
                yield str(said[1]), str(said[2])


def test_every_act_and_subject_that_is_recorded_has_a_name() -> None:
    acts, subjects = (set(names) - {""} for names in zip(*recorded(), strict=True))
    assert len(acts) > 60 and len(subjects) > 20
    assert acts <= set(ACTS) and subjects <= set(SUBJECTS)


def test_particulars_say_what_was_and_what_is_and_leave_numbers_of_people_out() -> None:
    said = particulars({
        "before": {"tier": 1, "capabilities": ["dine_in"], "ric_last4": "1"},
        "after": {"tier": 2, "capabilities": ["dine_in"], "ric_last4": "2"}, "reason": "看过现场",
    })  # fmt: skip
    assert said.zh == "原因 看过现场；等级 1 → 2" and said.en == "reason 看过现场; tier 1 → 2"
    assert particulars({"fields": ["phone", "phone_last4"]}).zh == "项目 电话"
