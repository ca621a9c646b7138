"""Which rules hold: by days without meals, papers and evaluations."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from canteen.performance.measuring import SignFacts
from canteen.performance.ruling import Evaluation, findings
from canteen.performance.schemes import judging_rules

DAY = date(2026, 11, 20)


def facts(**changes: Any) -> SignFacts:
    """A canteen with nothing to say against it."""
    values: dict[str, Any] = {
        "canteen_id": 1, "status": "listed", "status_since": date(2026, 11, 1),
        "status_reason": None, "open_since": date(2024, 1, 1), "idle_since": DAY,
        "idle_days": 0, "served_since_change": 0, "missing_papers": (),
    }
    return SignFacts(**(values | changes))


def visits(*grades: str, vetoes: tuple[str, ...] = ()) -> list[Evaluation]:
    """Scored visits, newest first; the vetoes belong to the newest."""
    return [
        Evaluation(9 - n, date(2026, 10 - n, 1), grade, vetoes if n == 0 else ())
        for n, grade in enumerate(grades)
    ]


@pytest.mark.parametrize(
    ("status", "idle_days", "reason", "proposes"),
    [
        ("listed", 6, None, None),
        ("listed", 7, None, "warned"),
        ("listed", 14, None, "warned"),
        ("listed", 15, None, "suspended"),
        ("listed", 30, None, "delisted"),
        ("warned", 14, "idle", None),
        ("warned", 15, "idle", "suspended"),
        ("warned", 30, "complaints", "delisted"),
        ("suspended", 29, "idle", None),
        ("suspended", 30, "idle", "delisted"),
        ("suspended", 99, "food_safety", None),
    ],
)
def test_idle_canteens_are_warned_suspended_and_delisted(
    status: str, idle_days: int, reason: str | None, proposes: str | None
) -> None:
    found = findings(
        judging_rules(), facts(status=status, idle_days=idle_days, status_reason=reason), []
    )
    assert [row.rule.to for row in found] == ([proposes] if proposes else [])
    assert all(row.rule.reason == "idle" for row in found)


@pytest.mark.parametrize(
    ("seen", "status", "codes"),
    [
        (visits("good", "fail"), "listed", []),
        (visits("fail", "good"), "listed", ["failed_once"]),
        (visits("fail", "good"), "warned", []),
        (visits("fail", "fail"), "listed", ["failed_twice"]),
        (visits("fail", "fail", "good"), "suspended", ["failed_twice"]),
        (visits("fail", vetoes=("food_safety_incident",)), "listed",
         ["food_safety_veto", "failed_once"]),
        (visits("fail", vetoes=("fraud",)), "suspended", ["fraud_veto"]),
        (visits("pass"), "listed", []),
        ([], "listed", []),
    ],
)  # fmt: skip
def test_evaluations_speak(seen: list[Evaluation], status: str, codes: list[str]) -> None:
    found = findings(judging_rules(), facts(status=status, status_reason="idle"), seen)
    assert sorted(row.rule.code for row in found) == sorted(codes)


@pytest.mark.parametrize(
    ("missing", "codes"),
    [
        (("food",), ["licence_invalid"]),
        (("business", "food"), ["licence_invalid"]),
        (("agreement",), ["agreement_ended"]),
        ((), []),
    ],
)
def test_missing_papers_suspend(missing: tuple[str, ...], codes: list[str]) -> None:
    found = findings(judging_rules(), facts(missing_papers=missing), [])
    assert [row.rule.code for row in found] == codes
    assert all(row.rule.to == "suspended" for row in found)


@pytest.mark.parametrize(
    ("changes", "seen", "proposed"),
    [
        ({"served_since_change": 5}, [], True),
        ({"served_since_change": 4}, [], False),
        ({"served_since_change": 9, "missing_papers": ("food",)}, [], False),
        ({"served_since_change": 9, "idle_days": 8}, [], False),
        ({"served_since_change": 9}, visits("fail"), False),
        ({"served_since_change": 9}, visits("pass"), True),
        ({"served_since_change": 9, "status": "listed"}, [], False),
    ],
)
def test_a_warned_canteen_is_put_right_when_nothing_else_holds(
    changes: dict[str, Any], seen: list[Evaluation], proposed: bool
) -> None:
    found = findings(judging_rules(), facts(**({"status": "warned"} | changes)), seen)
    assert ("put_right" in [row.rule.code for row in found]) is proposed


def test_a_finding_says_why_in_both_languages() -> None:
    [found] = findings(judging_rules(), facts(idle_days=16, idle_since=date(2026, 11, 4)), [])
    assert found.text.zh == "自11月4日(周三)起已有 16 个营业日没有供餐"
    assert found.text.en == "16 open days without a meal since Wed 4 Nov"
    assert found.as_json()["idle_days"] == 16
