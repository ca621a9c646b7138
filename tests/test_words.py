"""Sentences in two languages."""

from __future__ import annotations

import pytest

from canteen.words import Text, month

MEALS = Text("{n} 餐等待更正", "{n:meal is|meals are} to be put right")


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "1 meal is to be put right"),
        ("1", "1 meal is to be put right"),
        (0, "0 meals are to be put right"),
        (11, "11 meals are to be put right"),
        ("1 201", "1 201 meals are to be put right"),
    ],
)
def test_one_thing_takes_the_singular_and_any_other_number_the_plural(n: object, said: str) -> None:
    assert MEALS.format(n=n) == Text(f"{n} 餐等待更正", said)


def test_a_counted_thing_stands_beside_other_values_and_formats() -> None:
    text = Text("{month}：{n} 笔，{share:.1f}%", "{month}: {n:row|rows}, {share:.1f}%")
    assert text.format(month=month("2026-10"), n=1, share=2.55).en == "Oct 2026: 1 row, 2.5%"


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    assert Text("{who}：{n} 餐", "{who}: {n:meal|meals}").format(who="{n:a|b}", n=1).en == (
        "{n:a|b}: 1 meal"
    )
