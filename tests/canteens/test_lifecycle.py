"""The life of a sign: which changes are allowed, how long notice runs, when one may come back."""

from __future__ import annotations

from datetime import date

import pytest

from canteen.canteens.lifecycle import (
    CanteenNotSelling,
    CoolingOff,
    NoticeRunning,
    NotSoFast,
    WrongReason,
    check_change,
    check_notice,
    check_reapplying,
    may_reapply_from,
    may_sell,
    months_later,
    must_sell,
    notice_ends,
    ways_from,
)
from canteen.canteens.models import REASONS, STATUSES
from canteen.canteens.rulebook import BadRules, SignRules, decode, sign_rules
from canteen.errors import CanteenError
from canteen.reasons import ReasonMissing

RULES = sign_rules()


@pytest.mark.parametrize(
    ("now", "to", "reason_code"),
    [
        ("applied", "under_review", "application"),
        ("under_review", "public_notice", "application"),
        ("public_notice", "listed", "application"),
        ("listed", "warned", "idle"),
        ("warned", "listed", "rectified"),
        ("listed", "suspended", "food_safety"),
        ("suspended", "listed", "rectified"),
        ("suspended", "delisted", "failed_evaluation"),
        ("delisted", "applied", "application"),
    ],
)
def test_the_sign_changes_along_its_life(now: str, to: str, reason_code: str) -> None:
    check_change(RULES, now, to, reason_code, "因为")


@pytest.mark.parametrize(
    ("now", "to", "reason_code", "reason", "refusal"),
    [
        ("applied", "listed", "application", "快", NotSoFast),
        ("delisted", "listed", "rectified", "快", NotSoFast),
        ("listed", "listed", "rectified", "快", NotSoFast),
        ("listed", "elsewhere", "idle", "快", NotSoFast),
        ("listed", "suspended", "rectified", "错", WrongReason),
        ("suspended", "listed", "idle", "错", WrongReason),
        ("listed", "warned", "nothing", "错", WrongReason),
        ("listed", "warned", "idle", "  ", ReasonMissing),
        ("listed", "warned", "idle", "长" * 401, ReasonMissing),
    ],
)
def test_other_changes_are_refused(
    now: str, to: str, reason_code: str, reason: str, refusal: type[CanteenError]
) -> None:
    with pytest.raises(refusal) as refused:
        check_change(RULES, now, to, reason_code, reason)
    assert refused.value.text.zh and refused.value.text.en


def test_every_status_can_be_left_and_every_reason_is_used() -> None:
    assert all(ways_from(RULES, status) for status in STATUSES)
    assert {code for way in RULES.transitions for code in way.reasons} == set(REASONS)


@pytest.mark.parametrize(
    ("since", "days", "ends"),
    [
        (date(2026, 11, 20), 5, date(2026, 11, 27)),  # a Friday: five weekdays later
        (date(2026, 9, 28), 5, date(2026, 10, 10)),  # over the holiday; 10 October is worked
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
    ],
)
def test_public_notice_runs_in_working_days(since: date, days: int, ends: date) -> None:
    assert notice_ends(since, days) == ends


def test_a_sign_hangs_on_the_day_after_its_notice_and_not_on_its_last() -> None:
    with pytest.raises(NoticeRunning) as refused:
        check_notice(RULES, date(2026, 11, 20), date(2026, 11, 27))
    assert "11月27日" in refused.value.text.zh
    check_notice(RULES, date(2026, 11, 20), date(2026, 11, 28))


@pytest.mark.parametrize(
    ("reason_code", "first"),
    [
        ("idle", date(2027, 3, 5)),
        ("subsidy_fraud", date(2029, 3, 5)),
        ("food_safety", date(2029, 3, 5)),
    ],
)
def test_a_delisted_canteen_waits_longer_after_fraud(reason_code: str, first: date) -> None:
    delisted_on = date(2026, 3, 5)
    assert may_reapply_from(RULES, delisted_on, reason_code) == first
    with pytest.raises(CoolingOff):
        check_reapplying(RULES, delisted_on, reason_code, first.replace(day=4))
    check_reapplying(RULES, delisted_on, reason_code, first)


def test_months_later_keeps_to_the_month() -> None:
    assert months_later(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(2026, 12, 31), 12) == date(2027, 12, 31)


def test_only_a_hanging_sign_sells() -> None:
    assert {status for status in STATUSES if may_sell(status)} == {"listed", "warned"}
    with pytest.raises(CanteenNotSelling) as refused:
        must_sell("delisted")
    assert "已摘牌" in refused.value.text.zh and "Delisted" in refused.value.text.en


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("notice_working_days = 'five'", "notice_working_days"),
        ("surprise = 1", "surprise"),
        ("notice_working_days = ", "TOML"),
    ],
)
def test_malformed_rules_name_their_key(text: str, key: str) -> None:
    with pytest.raises(BadRules) as refused:
        decode(text, SignRules, "sign.toml")
    assert key in refused.value.text.en and "sign.toml" in refused.value.text.zh
