"""ID numbers: what passes, what is refused, and that the plain one stays hidden."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from canteen.elders import ric

BORN = date(1940, 5, 1)


@given(
    born=st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    sequence=st.integers(0, 999),
    region=st.integers(129901, 129999),
)
def test_a_made_number_passes_and_gives_its_birth_date(
    born: date, sequence: int, region: int
) -> None:
    number = ric.checked(ric.make(str(region), born, sequence))
    assert ric.birth_date(number) == born


@given(place=st.integers(0, 16), change=st.integers(1, 9), sequence=st.integers(0, 999))
def test_any_single_wrong_digit_is_refused(place: int, change: int, sequence: int) -> None:
    number = ric.make("129901", BORN, sequence)
    wrong = str((int(number[place]) + change) % 10)
    with pytest.raises(ric.BadIdNumber):
        ric.checked(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize(
    "given", ["", "12990119400501", "1299011940050112X4", "12990119400501123٣", "王" * 18, "0" * 18]
)
def test_what_is_no_number_is_refused_naming_the_field(given: str) -> None:
    with pytest.raises(ric.BadIdNumber) as refused:
        ric.checked(given)
    assert refused.value.field == "id_number"


def test_a_number_whose_birth_date_is_no_day_is_refused() -> None:
    number = ric.make("129901", BORN, 1)
    for impossible in ("19400230", "19401301", "00000000"):
        body = number[:6] + impossible + "001"
        for check in "0123456789X":
            with pytest.raises(ric.BadIdNumber):
                ric.checked(body + check)


def test_spaces_and_a_small_x_are_put_right() -> None:
    number = next(
        made for made in (ric.make("129901", BORN, n) for n in range(50)) if made.endswith("X")
    )
    assert ric.checked(f" {number[:6]} {number[6:14]} {number[14:].lower()} ") == number


def test_encryption_never_repeats_and_opens_only_in_its_own_row(app: Flask) -> None:
    number = ric.make("129901", BORN, 1)
    own, other = ric.hash_of(number), ric.hash_of(ric.make("129901", BORN, 2))
    cipher = ric.encrypt(number, own)
    assert ric.encrypt(number, own) != cipher
    assert number.encode() not in cipher
    assert ric.decrypt(cipher, own) == number
    with pytest.raises(ric.UnreadableCipher) as refused:
        ric.decrypt(cipher, other)
    assert number not in str(refused.value)


def test_a_mask_shows_region_and_last_four_only() -> None:
    assert ric.mask("129901194005011235") == "**************1235"
    assert ric.mask("12990119400") == "*" * 11


def test_scrubbing_leaves_no_number_to_read() -> None:
    assert ric.scrub("请查 129901194005011235 和 12990119400501123X") == (
        "请查 ****************** 和 ******************"
    )
