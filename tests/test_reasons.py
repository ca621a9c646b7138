"""Reasons: how long, and that no ID number is kept in one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canteen.elders import ric
from canteen.reasons import NamesAnIdNumber, ReasonMissing, reason_of


@pytest.mark.parametrize("written", [
    "核对过名单 身份证{n}", "{n}", "证号{a} {b} {c}，已核", "证号{a}-{b}-{c}", "流水0{n}号",
])  # fmt: skip
@given(born=st.dates(date(1900, 1, 1), date(2025, 12, 31)), sequence=st.integers(0, 999))
def test_an_id_number_in_a_reason_is_refused(written: str, born: date, sequence: int) -> None:
    number = ric.make("129901", born, sequence)
    parts = {"n": number, "a": number[:6], "b": number[6:14], "c": number[14:]}
    wide = str.maketrans("0123456789X", "０１２３４５６７８９ｘ")
    for reason in (written.format(**parts), written.format(**parts).translate(wide)):
        with pytest.raises(NamesAnIdNumber) as refused:
            reason_of(reason, field="answer")
        assert refused.value.field == "answer"


@pytest.mark.parametrize("reason", [
    "证件尾号 1239，电话 199-0000-1234", "流水号 20261102000012345678", "卡号 6222000000009999",
    "129901194002301239 不是证号", "129901194001011230 校验位不对", " 核对 ",
])  # fmt: skip
def test_other_numbers_may_stand_there(reason: str) -> None:
    assert reason_of(reason) == reason.strip()


def test_a_reason_says_something_and_not_too_much() -> None:
    for reason in ("", " 紧 ", "长" * 401):
        with pytest.raises(ReasonMissing):
            reason_of(reason)
    assert reason_of("", needed=False) == ""
