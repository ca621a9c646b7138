"""Diet notes: what street offices write by hand, and what a till warns of and offers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canteen.elders.diet import AVOID, WANTED, marks
from canteen.menus.models import MARKS


@pytest.mark.parametrize(
    ("note", "avoid", "wanted"),
    [
        ("", [], []),
        ("花生过敏", ["peanut"], []),
        ("对花生、鸡蛋过敏", ["peanut", "egg"], []),
        ("不能喝牛奶", ["milk"], []),
        ("乳糖不耐受", ["milk"], []),
        ("不吃鱼虾", ["seafood"], []),
        ("对蟹过敏；不吃面筋", ["seafood", "gluten"], []),
        ("小麦过敏", ["gluten"], []),
        ("高血压，少盐", [], ["low_salt"]),
        ("糖尿病", [], ["low_sugar"]),
        ("少糖、低盐", [], ["low_salt", "low_sugar"]),
        ("牙口不好，饭要软", [], ["soft"]),
        ("长年吃素", [], ["vegetarian"]),
        ("高血压;海鲜过敏。牙不好", ["seafood"], ["low_salt", "soft"]),
        ("Allergic to peanuts and eggs", ["peanut", "egg"], []),
        ("LOW SALT, diabetic", [], ["low_salt", "low_sugar"]),
        ("no dentures yet; vegetarian", [], ["vegetarian"]),
        ("cannot eat wheat", ["gluten"], []),
    ],
)  # fmt: skip
def test_what_is_written_is_warned_of_or_offered(
    note: str, avoid: list[str], wanted: list[str]
) -> None:
    found = marks(note)
    assert (sorted(found[0]), sorted(found[1])) == (sorted(avoid), sorted(wanted))


@pytest.mark.parametrize(
    "note",
    [
        "对花生不过敏", "无海鲜过敏史", "没有过敏，可以吃蛋", "不忌海鲜", "爱吃鱼", "没有糖尿病",
        "无高血压", "不用少盐", "not allergic to milk", "no egg allergy", "no diabetes",
        "likes fish", "每天注射胰岛素", "补维生素", "喜欢和老奶奶们同桌", "对海鲜、花生不过敏",
    ],
)  # fmt: skip
def test_what_is_denied_or_only_sounds_like_it_is_not(note: str) -> None:
    assert marks(note) == ([], [])


@pytest.mark.parametrize(
    ("note", "avoid"),
    [
        ("花生过敏，海鲜不过敏", ["peanut"]),
        ("花生过敏、海鲜不过敏", ["peanut"]),
        ("海鲜不过敏，但牛奶过敏", ["milk"]),
        ("not allergic to fish but allergic to milk", ["milk"]),
        ("爱吃鱼会过敏", ["seafood"]),
    ],
)
def test_a_denial_covers_its_own_part_only_and_doubt_warns(note: str, avoid: list[str]) -> None:
    assert marks(note)[0] == avoid


def test_every_mark_is_one_that_dishes_have() -> None:
    assert {*AVOID, *WANTED} <= set(MARKS)


@given(st.text(max_size=120))
def test_any_text_can_be_read(note: str) -> None:
    avoid, wanted = marks(note)
    assert set(avoid) <= set(AVOID) and set(wanted) <= set(WANTED)
