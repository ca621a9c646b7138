"""The Tianjin rule of 2024 written down a second time, from the published text, by plain ifs.

It shares no line with the engine: whole dates are compared instead of ages, sums are worked out
per person instead of per policy, and nothing is read from a file.
"""

from __future__ import annotations

from typing import Any


def tianjin_2024(case: dict[str, Any]) -> dict[str, int]:
    """What a meal (plain JSON, as the command line takes it) costs and earns, in fen.

    Once a day, five times from Monday to Sunday, at a meal that costs at least the set.
    """
    half_up = (case["list_fen"] * case.get("discount_bp", 0) * 2 + 10_000) // 20_000
    asked = case["list_fen"] - half_up
    spent = case.get("used_today", 0) > 0 or case.get("used_this_week", 0) > 4
    borne = spent and case.get("beyond_caps", False)  # the programme bears it, nobody else earns
    due = _entitled(case) and (borne or not spent)
    given = min(300, asked) if due and case["list_fen"] >= case["standard_set_fen"] else 0
    return {
        "discount_fen": half_up,
        "subsidy_fen": given,
        "payable_fen": asked - given,
        "enterprise_fen": 200 if given and not borne else 0,
        "uses_quota": given > 0 and not borne,
    }


def _entitled(case: dict[str, Any]) -> bool:
    person = case["elder"]
    if person is None or person["in_institution"] or person["long_term_care"]:
        return False
    born, on = person["birth_date"], case["on"]
    here = str(person["household"]).startswith("12")
    has = set(person["categories"])
    if here and _has_turned(80, born, on):
        return True
    if here and _has_turned(70, born, on) and "visiting_care" in has:
        return True
    poor = "minimum_living" in has or "minimum_living_margin" in has
    if "home_care_subsidy" in has and person["care_level"] == "severe" and poor:
        return True
    if "disability_allowance" in has and person["disability_grade"] in (1, 2):
        return _has_turned(60, born, on) and not _has_turned(70, born, on)
    return False


def _has_turned(years: int, born: str, on: str) -> bool:
    """Whether a birthday has come: ISO dates compare as text, and 02-29 sorts before 03-01."""
    return on >= f"{int(born[:4]) + years:04d}{born[4:]}"
