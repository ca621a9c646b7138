"""The words of the trail: whatever the code records has a name people can read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from canteen.checks.models import VERDICTS
from canteen.stories.acts import ACTS, done, particulars
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


# Where an act is not written out beside its record: whatever may stand there.
ASSEMBLED = {
    "access/signing_in.py": {"fail_sign_in", "close_sign_in"},
    "audit/recording.py": set(),  # it hands on what it is given
    "checks/deciding.py": {"pay", "deny", "ask", "answer", "note"},
    "menus/publishing.py": {"sold_out", "back_on"},
    "performance/judging.py": {"accept", "dismiss"},
    "settlements/appealing.py": {"upheld", "rejected"},
    "settlements/reviewing.py": {"confirmed", "approved", "returned", "undone"},
    "settlements/silence.py": {"consented", "escalated"},
    "subsidies/drafting.py": {
        "propose_draft", "take_back_draft", "withdraw_draft", "publish_draft",
    },
    "web/bureau/exports.py": {"export", "export_elders"},
}  # fmt: skip


def test_acts_handed_over_in_a_variable_have_names_too_each_by_what_it_is_done_to() -> None:
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", "")
            call = isinstance(node, ast.Call) and name in ("record", "record_each")
            if call and not isinstance(node.args[1], ast.Constant):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == set(ASSEMBLED)
    assert set().union(*ASSEMBLED.values()) <= set(ACTS)
    people = set(VERDICTS) - {"found", "cleared", "reopen", "grown"}
    assert ASSEMBLED["checks/deciding.py"] == people
    assert done("ask", "task").zh == "开始后台任务"
    assert done("ask", "suspicion").zh == "请食堂说明"


def test_particulars_say_what_was_and_what_is_and_leave_numbers_of_people_out() -> None:
    said = particulars({
        "before": {"tier": 1, "capabilities": ["dine_in"], "ric_last4": "1"},
        "after": {"tier": 2, "capabilities": ["dine_in"], "ric_last4": "2"}, "reason": "看过现场",
    })  # fmt: skip
    assert said.zh == "原因 看过现场；等级 1 → 2" and said.en == "reason 看过现场; tier 1 → 2"
    looked = particulars({"meals": {"22974": "wrong"}})
    assert (looked.zh, looked.en) == ("餐次 第 22974 号有误", "meals no. 22974 wrong")
    assert particulars({"right": 79}).zh == "无误餐数 79"
    assert particulars({"thresholds": {"minutes": 5}}).zh == "标准 分钟 5"
    for name in ("check_code", "code"):  # the latter of copies taken out before
        assert particulars({name: "6455-4328-796E"}).zh == "校验码 6455-4328-796E"
    assert particulars({"fields": ["phone", "phone_last4"]}).zh == "项目 电话"
