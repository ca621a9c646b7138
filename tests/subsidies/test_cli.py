"""The policy commands: check files, try cases, list and show."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from canteen.cli.policy import policy
from canteen.subsidies.policies import SHIPPED

CASE = {
    "district": "120103", "street": None, "on": "2024-05-17", "meal": "lunch", "tier": 1,
    "list_fen": 1500, "standard_set_fen": 1300, "service": "eat_in", "discount_bp": 0,
    "elder": {
        "birth_date": "1940-05-01", "household": "120103", "categories": ["visiting_care"],
        "care_level": "severe", "disability_grade": None, "in_institution": False,
        "long_term_care": False,
    },
    "used_today": 0, "used_this_week": 3,
}  # fmt: skip


def run(*words: str, given: object = None) -> Result:
    typed = given if isinstance(given, str | bytes) else json.dumps(given)
    return CliRunner().invoke(policy, words, input=typed)


def test_a_case_is_priced_under_the_policy_in_force_that_day():
    result = run("try", "-", given=[CASE])
    assert result.exit_code == 0, result.stderr
    [answer] = json.loads(result.stdout)
    assert answer["policy"] == "tianjin+hexi-V2024+V2020"
    assert {k: answer[k] for k in (
        "discount_fen", "subsidy_fen", "payable_fen", "enterprise_fen")} == {
        "discount_fen": 0, "subsidy_fen": 300, "payable_fen": 1200, "enterprise_fen": 200,
    }  # fmt: skip
    assert answer["funders"] == {
        "elder": {"city": 150, "district": 150},
        "enterprise": {"city": 100, "district": 100},
        "delivery": {},
    }
    assert [step["code"] for step in answer["why"]] == [
        "list_price", "group_matched", "layer", "subsidy", "enterprise", "left_this_week",
        "payable",
    ]  # fmt: skip
    assert all(step["zh"] and step["en"] for step in answer["why"])


def test_one_object_is_a_list_of_one_and_an_elder_may_be_absent():
    result = run("try", "-", given=CASE | {"elder": None})
    [answer] = json.loads(result.stdout)
    assert (answer["subsidy_fen"], answer["payable_fen"]) == (0, 1500)
    assert [s["code"] for s in answer["why"]] == ["list_price", "no_elder", "payable"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tianjin-V2022", "tianjin-V2022"),
        ("tianjin-v2019", "tianjin-V2019"),
        ("tianjin", "tianjin-V2024"),
        ("tianjin-hexi", "tianjin+hexi-V2024+V2020"),
        ("tianjin+hexi", "tianjin+hexi-V2024+V2020"),
        ("putuo", "shanghai-putuo-V2025"),
        (str(SHIPPED / "beijing.toml"), "beijing-V2022"),
        (str(SHIPPED / "tianjin-hexi.toml"), "tianjin+hexi-V2024+V2020"),
    ],
)
def test_a_policy_is_named_by_code_family_or_file(name, code):
    result = run("try", "-", "--policy", name, given=[CASE])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)[0]["policy"] == code


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"list_fen": -1}, "cases[1].list_fen"),
        ({"list_fen": 10**9}, "cases[1].list_fen"),
        ({"list_fen": 12.5}, "cases[1].list_fen"),
        ({"list_fen": True}, "cases[1].list_fen"),
        ({"list_fen": "1500"}, "cases[1].list_fen"),
        ({"meal": "brunch"}, "cases[1].meal"),
        ({"service": None}, "cases[1].service"),
        ({"tier": 4}, "cases[1].tier"),
        ({"district": "12"}, "cases[1].district"),
        ({"district": "999999"}, "cases[1].on"),
        ({"on": "2024-02-30"}, "cases[1].on"),
        ({"on": "2001-01-01"}, "cases[1].on"),
        ({"on": "2018-01-01"}, "cases[1].on"),
        ({"discount_bp": 10_001}, "cases[1].discount_bp"),
        ({"used_today": -1}, "cases[1].used_today"),
        ({"colour": "red"}, "cases[1].colour"),
        ({"elder": {}}, "cases[1].elder.birth_date"),
        ({"elder": CASE["elder"] | {"birth_date": "2025-01-01"}}, "cases[1].elder.birth_date"),
        ({"elder": CASE["elder"] | {"categories": ["nobility"]}}, "cases[1].elder.categories"),
        ({"elder": CASE["elder"] | {"care_level": "dire"}}, "cases[1].elder.care_level"),
        ({"elder": CASE["elder"] | {"disability_grade": 0}}, "cases[1].elder.disability_grade"),
        ({"elder": CASE["elder"] | {"name": "x"}}, "cases[1].elder.name"),
    ],
)
def test_a_bad_case_is_named_by_its_place_and_key_and_nothing_is_printed(changes, key):
    result = run("try", "-", given=[CASE, CASE | changes])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"{key}: ")


@pytest.mark.parametrize("key", ["district", "on", "meal", "list_fen"])
def test_a_missing_key_is_named(key):
    result = run("try", "-", given={k: v for k, v in CASE.items() if k != key})
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"cases[0].{key}: ")


@pytest.mark.parametrize("typed", ["{", "", "[1,]", b"\xff\xfe", '"lunch"', "[[]]", "null"])
def test_what_is_not_a_case_is_refused_with_a_sentence(typed):
    result = run("try", "-", given=typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr


def test_an_unknown_policy_is_refused_naming_the_ones_there_are():
    result = run("try", "-", "--policy", "atlantis", given=[CASE])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "atlantis" in result.stderr and "tianjin-V2024" in result.stderr


def test_a_family_without_a_version_on_the_day_is_refused():
    result = run("try", "-", "--policy", "tianjin", given=[CASE | {"on": "2018-05-01"}])
    assert result.exit_code == 2
    assert result.stderr.startswith("cases[0].on: ")


def test_no_cases_give_no_answers():
    assert json.loads(run("try", "-", given=[]).stdout) == []


def test_the_shipped_folder_checks_clean():
    result = run("check", str(SHIPPED))
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == len(list(SHIPPED.glob("*.toml")))


def test_a_bad_file_is_named_with_each_key_and_reason(tmp_path):
    text = (SHIPPED / "tianjin-v2024.toml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text(
        text.replace("max_age = 69", "max_age = 9").replace("share_bp = 5000", "share_bp = 1", 1),
        encoding="utf-8",
    )
    result = run("check", str(bad))
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("bad.toml: eligibility[3].max_age: ")
    assert lines[1].startswith("bad.toml: layers[0].funders: ")


def test_files_checked_together_show_their_gap(tmp_path):
    text = (SHIPPED / "beijing.toml").read_text(encoding="utf-8")
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(
        text.replace("2022-03-31\n", "2022-03-31\neffective_to = 2023-12-31\n", 1), "utf-8"
    )
    second.write_text(
        text.replace("2022-03-31\n", "2024-02-01\n", 1).replace('"V2022"', '"V2024"'), "utf-8"
    )
    result = run("check", str(first), str(second))
    assert result.exit_code == 2
    assert "beijing-V2022" in result.stderr and "beijing-V2024" in result.stderr
    assert "gap" in result.stderr


def test_an_overlay_is_checked_over_the_shipped_versions_it_extends():
    result = run("check", str(SHIPPED / "tianjin-hexi.toml"))
    assert result.exit_code == 0, result.stderr


def test_the_list_names_every_code_and_its_last_day():
    lines = run("list").stdout.splitlines()
    v2022 = next(line for line in lines if line.startswith("tianjin-V2022"))
    assert "2022-07-08" in v2022 and "2024-05-16" in v2022


def test_show_prints_the_kept_text_with_its_digest():
    shown = json.loads(run("show", "tianjin-V2024").stdout)
    assert shown["code"] == "tianjin-V2024"
    assert len(shown["digest"]) == 64
    assert shown["caps"] == {"per_day": 1, "per_week": 5}


def test_show_of_an_unknown_name_is_refused():
    assert run("show", "atlantis").exit_code == 2
