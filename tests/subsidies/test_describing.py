"""A policy says of itself, in sentences, what its data hold."""

from __future__ import annotations

from datetime import date

import pytest

from canteen.subsidies.describing import describe
from canteen.subsidies.policies import load_folder, policy_for
from canteen.words import Text

ON = date(2026, 11, 20)
SHIPPED = load_folder()


def said(district: str, on: date = ON, standard_set_fen: int | None = None) -> str:
    """Everything the policy of a district says, in English."""
    described = describe(policy_for(SHIPPED, district, on), standard_set_fen)
    texts = [described.title, described.since, *described.who, *described.how_much]
    texts += [*described.when, *described.conditions, *described.never]
    return " | ".join(text.en for text in texts)


@pytest.mark.parametrize(
    ("district", "sentence"),
    [
        ("120104", "3.00 yuan a meal, paid by the city and the district"),
        ("120104", "Once a day"),
        ("120104", "5 times a week (Monday to Sunday)"),
        ("120104", "Tianjin household, 80 or over"),
        ("120104", "While living in a care institution"),
        ("120103", "for groups 1, 2, 3 and 4, paid by the city and the district"),
        ("120103", "for Hexi household, 70 or over, paid by the district"),
        ("440100", "25 % of the price, at most 3.00 yuan"),
        ("440118", "1.00 yuan is left to you"),
        ("440118", "only when eating in the home district"),
        ("440300", "What you spend, up to 15.00 yuan a meal"),
        ("440300", "Working days only"),
        ("310107", "from a spend of 8.00 yuan"),
        ("310107", "Only for eating in"),
        ("110101", "You spend more than the subsidy"),
    ],
)
def test_each_shape_has_its_sentence(district: str, sentence: str) -> None:
    assert sentence in said(district)


def test_the_version_of_the_day_is_the_one_described() -> None:
    assert "For lunch |" in said("120104", date(2020, 3, 2))
    assert "For lunch or dinner |" in said("120104", date(2023, 3, 2))
    assert "For breakfast, lunch or dinner |" in said("120104")


def test_the_districts_own_standard_set_is_named() -> None:
    assert "the standard set, 13.00 yuan" in said("120104")
    assert "the standard set, 15.50 yuan" in said("120104", standard_set_fen=1550)


def test_every_shipped_policy_speaks_both_languages() -> None:
    for document in SHIPPED:
        policy = policy_for(SHIPPED, document.territory, document.effective_from)
        described = describe(policy)
        assert bool(described.how_much) == bool(policy.layers), document.code
        for texts in (described.who, described.how_much, described.when, described.conditions):
            for text in texts:
                assert isinstance(text, Text) and text.zh and text.en and "{" not in text.zh
