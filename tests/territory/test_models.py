"""Codes tell what lies in what, for municipalities and for cities of a province."""

from __future__ import annotations

import pytest

from canteen.territory.models import chain_of, level_of, stem, within


@pytest.mark.parametrize(
    ("code", "level", "starts"),
    [
        ("120000", "city", "12"), ("120103", "district", "120103"),
        ("120103001", "street", "120103001"), ("440100", "city", "4401"),
        ("440106", "district", "440106"), ("310107004", "street", "310107004"),
    ],
)  # fmt: skip
def test_the_level_and_stem_of_a_code(code: str, level: str, starts: str) -> None:
    assert (level_of(code), stem(code)) == (level, starts)


@pytest.mark.parametrize(
    ("inner", "outer", "inside"),
    [
        ("120103001", "120103", True), ("120103001", "120000", True), ("120103", "120103", True),
        ("120104001", "120103", False), ("120000", "120103", False), ("440106", "440100", True),
        ("440303", "440100", False), (None, "120000", False),
    ],
)  # fmt: skip
def test_what_lies_within_what(inner: str | None, outer: str, inside: bool) -> None:
    assert within(inner, outer) is inside


def test_the_chain_above_a_street() -> None:
    assert chain_of("440106001") == {"street": "440106001", "district": "440106", "city": "440100"}
