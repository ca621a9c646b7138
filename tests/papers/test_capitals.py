"""Sums in capitals: the published examples, the edges, and a reading back of any sum."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canteen.papers.capitals import FIGURES, MOST_FEN, TooMuch, capitals


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        # the examples of the rules for bills
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (168032, "壹仟陆佰捌拾元零叁角贰分"),
        (10700053, "壹拾万柒仟元零伍角叁分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (32504, "叁佰贰拾伍元零肆分"),
        # the edges
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (55, "伍角伍分"),
        (100, "壹元整"),
        (1000, "壹拾元整"),
        (1001, "壹拾元零壹分"),
        (1000_00, "壹仟元整"),
        (10005_00, "壹万零伍元整"),
        (1000_0005_00, "壹仟万零伍元整"),
        (1_0001_0001_00, "壹亿零壹万零壹元整"),
        (10_0000_5000_00, "壹拾亿零伍仟元整"),
        (-1234, "负壹拾贰元叁角肆分"),
    ],
)
def test_sums_are_written_as_the_rules_for_bills_ask(fen: int, said: str) -> None:
    assert capitals(fen) == "人民币" + said


def test_a_sum_without_a_usual_name_is_refused() -> None:
    with pytest.raises(TooMuch):
        capitals(MOST_FEN)


def read_back(words: str) -> int:
    """Fen from capitals, by another way than they were written: group by group."""
    words = words.removeprefix("人民币")
    sign = -1 if words.startswith("负") else 1
    yuan, _, rest = words.lstrip("负").rpartition("元")
    fen = 0
    for group, worth in re.findall(r"([^亿万]+)(亿|万|$)", yuan):
        number = 0
        for figure, place in re.findall(rf"([{FIGURES[1:]}])([拾佰仟]?)", group):
            number += FIGURES.index(figure) * {"": 1, "拾": 10, "佰": 100, "仟": 1000}[place]
        fen += number * {"亿": 10**8, "万": 10**4, "": 1}[worth] * 100
    for figure, place in re.findall(rf"([{FIGURES[1:]}])([角分])", rest):
        fen += FIGURES.index(figure) * {"角": 10, "分": 1}[place]
    return sign * fen


@given(st.integers(-MOST_FEN + 1, MOST_FEN - 1))
def test_any_sum_reads_back_to_the_same_fen(fen: int) -> None:
    said = capitals(fen)
    assert read_back(said) == fen
    assert "零零" not in said and not said.endswith("零")
