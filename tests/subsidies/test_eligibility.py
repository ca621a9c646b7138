"""Who is entitled: ages on the day, groups, and what excludes."""

from __future__ import annotations

from datetime import date

import pytest

from canteen.subsidies.eligibility import age_on, excluded, match
from tests.subsidies.cases import elder, hexi, policy

V2019, V2024 = policy("tianjin-V2019"), policy("tianjin-V2024")
ON = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        ("1946-11-18", "2026-11-18", 80),
        ("1946-11-19", "2026-11-18", 79),
        ("1946-11-17", "2026-11-18", 80),
        ("1944-02-29", "2024-02-29", 80),
        ("1944-02-29", "2026-02-28", 81),
        ("1944-02-29", "2026-03-01", 82),
        ("1943-12-31", "2024-01-01", 80),
        ("2026-11-18", "2026-11-18", 0),
    ],
)
def test_a_year_is_full_on_the_birthday_and_on_1_march_for_29_february(birth, on, age):
    assert age_on(date.fromisoformat(birth), date.fromisoformat(on)) == age


@pytest.mark.parametrize(
    ("facts", "group"),
    [
        ({"birth": "1946-11-18"}, "G1"),
        ({"birth": "1946-11-19"}, None),
        ({"birth": "1930-01-01", "household": "110101"}, None),
        ({"birth": "1930-01-01", "household": None}, None),
        ({"birth": "1956-11-18", "categories": ["visiting_care"]}, "G2"),
        ({"birth": "1956-11-19", "categories": ["visiting_care"]}, None),
        ({"birth": "1956-11-18", "categories": ["low_income"]}, None),
        (
            {"birth": "1970-01-01", "categories": ["home_care_subsidy", "minimum_living"],
             "care_level": "severe"},
            "G3",
        ),
        (
            {"birth": "1960-01-01", "categories": ["home_care_subsidy", "minimum_living_margin"],
             "care_level": "severe"},
            "G3",
        ),
        (
            {"birth": "1960-01-01", "categories": ["home_care_subsidy", "minimum_living"],
             "care_level": "moderate"},
            None,
        ),
        (
            {"birth": "1960-01-01", "categories": ["minimum_living"], "care_level": "severe"},
            None,
        ),
        (
            {"birth": "1960-01-01", "categories": ["home_care_subsidy", "low_income"],
             "care_level": "severe"},
            None,
        ),
        (
            {"birth": "1966-11-18", "categories": ["disability_allowance"], "disability_grade": 2},
            "G4",
        ),
        (
            {"birth": "1966-11-19", "categories": ["disability_allowance"], "disability_grade": 2},
            None,
        ),
        (
            {"birth": "1966-11-18", "categories": ["disability_allowance"], "disability_grade": 3},
            None,
        ),
        ({"birth": "1960-01-01", "categories": ["disability_allowance"]}, None),
    ],
)  # fmt: skip
def test_the_groups_of_tianjin_v2024(facts, group):
    found = match(V2024, elder(**facts), ON).group
    assert (found.code if found else None) == group


@pytest.mark.parametrize(
    ("facts", "group"),
    [
        ({"birth": "1940-09-02"}, "G1"),
        ({"birth": "1940-09-03"}, None),
        (
            {"birth": "1960-09-02", "categories": ["minimum_living"], "care_level": "severe"},
            "G2",
        ),
        ({"birth": "1955-01-01", "categories": ["low_income"], "care_level": "severe"}, "G2"),
        ({"birth": "1955-01-01", "categories": ["low_income"], "care_level": "mild"}, None),
        ({"birth": "1945-01-01", "categories": ["visiting_care"]}, None),
    ],
)
def test_the_groups_of_tianjin_v2019(facts, group):
    found = match(V2019, elder(**facts), date(2020, 9, 2)).group
    assert (found.code if found else None) == group


def test_hexi_takes_in_its_own_residents_from_70_and_leaves_the_citys_groups_first():
    widened = hexi("tianjin-V2024")
    assert match(widened, elder("1956-11-18", "120103"), ON).group.code == "HX70"
    assert match(widened, elder("1956-11-18", "120103005"), ON).group.code == "HX70"
    assert match(widened, elder("1956-11-18", "120101"), ON).group is None
    assert match(widened, elder("1940-01-01", "120103"), ON).group.code == "G1"


def test_someone_outside_every_group_learns_what_each_one_asks():
    found = match(V2024, elder("1950-01-01", "110101"), ON)
    assert found.group is None
    assert {miss.group.code: miss.lacking for miss in found.misses} == {
        "G1": ("min_age", "household"),
        "G2": ("household", "all_categories"),
        "G3": ("all_categories", "any_categories", "care_level"),
        "G4": ("max_age", "all_categories", "disability_grade"),
    }


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, ()),
        ({"in_institution": True}, ("in_institution",)),
        ({"long_term_care": True}, ("long_term_care",)),
        ({"in_institution": True, "long_term_care": True}, ("in_institution", "long_term_care")),
        ({"status": "deceased"}, ("deceased",)),
        ({"status": "moved"}, ("moved_away",)),
        ({"status": "in_institution"}, ("in_institution",)),
        ({"status": "deceased", "status_since": ON}, ()),
        ({"status": "deceased", "status_since": date(2026, 11, 17)}, ("deceased",)),
        ({"status": "in_institution", "status_since": ON}, ()),
        ({"status": "moved", "status_since": date(2026, 12, 1)}, ()),
    ],
)
def test_what_excludes_and_from_which_day(facts, codes):
    assert excluded(V2024, elder(**facts), ON) == codes


def test_long_term_care_insurance_excludes_only_where_the_policy_says_so():
    covered = elder(long_term_care=True)
    assert excluded(V2019, covered, ON) == ()
    assert excluded(V2024, covered, ON) == ("long_term_care",)
