"""The catalogue: whole, in words, and as the documentation says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from canteen.checks.catalogue import BY_CODE, CHECKS, NoSuchCheck, check
from canteen.checks.describing import HEAD, row, tables
from canteen.checks.explaining import in_words
from canteen.checks.laying_out import laid_out
from canteen.checks.models import MODES
from canteen.checks.parts import FAMILIES, KEPT, scope_of
from canteen.checks.summing import months_before
from canteen.db import transaction
from tests.checks.world import PERIOD, make_world

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "checks.md"


def test_there_are_at_least_forty_checks_each_with_its_own_code() -> None:
    assert len(BY_CODE) == len(CHECKS) >= 40
    assert {one.family for one in CHECKS} == set(FAMILIES)
    assert all(one.mode in MODES and len(one.code) <= 30 for one in CHECKS)


def test_no_check_has_an_unknown_code() -> None:
    assert check("deceased").mode == "hold"
    with pytest.raises(NoSuchCheck):
        check("dreamt_up")


def test_what_is_judged_by_what_is_registered_now_only_warns_and_says_so() -> None:
    codes = (
        "meal_not_served", "closed_weekday", "out_of_hours", "other_meals_hours",
        "service_not_offered",
    )  # fmt: skip
    for one in map(check, codes):
        assert one.mode == "warn", one.code
        assert "现在登记" in one.reason.zh and " now" in one.reason.en, one.code


def test_the_documentation_shows_every_check_as_it_is() -> None:
    told = DOCUMENT.read_text()
    missing = [one.code for one in CHECKS if row(one) not in told.splitlines()]
    assert missing == []
    assert len([line for line in told.splitlines() if line.startswith("| `")]) == len(CHECKS)
    assert tables().count(HEAD) == len(FAMILIES)


def test_every_sentence_is_filled_from_the_evidence_of_its_check(app: Flask) -> None:
    make_world()
    scope = scope_of(PERIOD, date(2026, 11, 2))
    wrong = []
    with transaction(), laid_out(scope):
        for one in CHECKS:
            columns = one.find(replace(scope, thresholds=one.thresholds)).selected_columns.keys()
            assert columns[: len(KEPT)] == list(KEPT), one.code
            asked = {*re.findall(r"{(\w+)}", one.reason.zh), *re.findall(r"{(\w+)}", one.reason.en)}
            if lacking := asked - set(columns[len(KEPT) :]):
                wrong.append((one.code, lacking))
    assert wrong == []


def test_every_check_has_words_in_both_languages() -> None:
    for one in CHECKS:
        for text in (one.title, one.reason, one.why):
            assert re.search("[\u4e00-\u9fff]", text.zh), one.code
            assert not re.search("[\u4e00-\u9fff]", text.en), one.code


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("list_fen", 1299, "12.99", "12.99"),
        ("share_bp", 6250, "62%", "62%"),
        ("meal_on", "2026-10-06", "2026年10月6日(周二)", "Tue 6 Oct 2026"),
        (
            "from_at", 1_790_000_000, "2026年9月21日(周一) 22:13:20", "Mon 21 Sep 2026 22:13:20",
        ),
        ("meal", "lunch", "午餐", "Lunch"),
        ("service", "delivery", "送餐", "Delivery"),
        ("fact", "visiting_care", "探访关爱", "Visiting care"),
        ("sent_at", None, "未知", "unknown"),
        ("meals", 12, "12", "12"),
    ],
)
def test_evidence_is_told_by_the_unit_of_its_name(
    name: str, value: object, zh: str, en: str
) -> None:
    assert tuple(in_words(name, value)) == (zh, en)


def test_the_months_before_cross_the_year() -> None:
    assert months_before("2026-02") == [
        "2026-01", "2025-12", "2025-11", "2025-10", "2025-09", "2025-08",
    ]  # fmt: skip


def test_days_that_are_not_over_are_not_judged() -> None:
    assert scope_of("2026-10", date(2026, 10, 6)).as_of == date(2026, 10, 5)
    assert scope_of("2026-10", date(2026, 12, 1)).as_of == date(2026, 10, 31)
