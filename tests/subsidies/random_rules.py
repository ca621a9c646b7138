"""Policies and cases nobody would write: every kind of part, in any mixture, from a seed."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from canteen.subsidies.cases import Case
from canteen.subsidies.policies import CATEGORIES, Policy, PolicyInvalid, read_body

MEALS = ["breakfast", "lunch", "dinner"]
SERVICES = ["eat_in", "pick_up", "delivery"]
LEVELS = ["mild", "moderate", "severe"]
GRADES = ["excellent", "good", "pass", "fail"]
PLACES = ["120101", "120101002", "120103", "120103001", "310107"]
# Names a careless engine would take for something of its own language.
FUNDERS = ["city", "district", "street", "lottery", "constructor"]
LOCAL = ["honoured", "valueof"]
NAMES = ["补贴", "A & B", "{fen}元", "$& $1", "\\d"]


def policy(dice: Random) -> Policy:
    """One sound policy; what contradicts itself is thrown away and rolled again."""
    while True:
        try:
            read = read_body(_policy(dice))
        except PolicyInvalid:
            continue
        assert isinstance(read, Policy)
        return read


def case(dice: Random, rules: Policy) -> Case:
    """A meal that has a fair chance of being subsidised under these rules, or only just not."""
    on = _day(dice)
    return Case.from_dict(
        {
            "district": dice.choice(PLACES)[:6],
            "street": dice.choice([None, "120101002", "120103001"]),
            "on": on.isoformat(),
            "meal": dice.choice([*rules.meals, *rules.meals, dice.choice(MEALS)]),
            "tier": dice.choice([None, 1, 2, 3]),
            "grade": dice.choice([None, *GRADES]),
            "list_fen": dice.choice([dice.randrange(4000), dice.randrange(200), 1300, 1299, 2000]),
            "standard_set_fen": dice.choice([None, None, 1300, 900, 700, 1951]),
            "service": dice.choice(SERVICES),
            "discount_bp": dice.choice([0, 0, 1000, 1250, 29, dice.randint(0, 10_000)]),
            "elder": None if dice.random() < 0.03 else _elder(dice, rules, on),
            "used_today": dice.choice([0, 0, 0, 1, 2]),
            "used_this_week": dice.choice([0, 0, 1, 2, 3, 4]),
            "used_this_meal": dice.choice([0, 0, 0, 1]),
            "used_this_month": dice.choice([0, 0, 1, 3, 6]),
            "to_account": dice.random() < 0.15,
            "beyond_caps": dice.random() < 0.3,
        }
    )


def _day(dice: Random) -> date:
    if dice.random() < 0.2:  # leap days, holidays, weekends worked for them, the year's ends
        some = "2028-02-29 2026-02-28 2020-10-01 2020-09-27 2026-12-31 2027-01-01 2026-10-10"
        return date.fromisoformat(dice.choice(some.split()))
    return date(2019, 9, 1) + timedelta(days=dice.randrange(3700))


def _elder(dice: Random, rules: Policy, on: date) -> dict[str, Any]:
    group = dice.choice(rules.eligibility)
    age = dice.choice([group.min_age, group.max_age or group.min_age, dice.randint(50, 105)])
    year = max(1900, on.year - age - dice.choice([0, 0, 0, 1, -1]))
    month, day = dice.choice([(on.month, on.day), (dice.randint(1, 12), dice.randint(1, 28))])
    birth = date(year, month, min(day, 28) if month == 2 and year % 4 else day)
    if dice.random() < 0.05:
        birth = date(1948, 2, 29)
    asked = [*group.any_categories[:1], *group.all_categories]
    fits = dice.random() < 0.9
    status = dice.choice(["alive"] * 20 + ["moved", "in_institution", "deceased"])
    since = dice.choice([None, on, on - timedelta(days=1), on + timedelta(days=1)])
    return {
        "birth_date": min(birth, on).isoformat(),
        "household": dice.choice(group.household or PLACES) if fits else dice.choice(PLACES),
        "categories": sorted({*(asked if fits else []), dice.choice([*CATEGORIES, *LOCAL])}),
        "care_level": dice.choice(group.care_levels or LEVELS) if fits else None,
        "disability_grade": dice.choice(group.disability_grades or (1, 2)) if fits else None,
        "in_institution": dice.random() < 0.05,
        "long_term_care": dice.random() < 0.05,
        "status": status,
        "status_since": since.isoformat() if since else None,
    }


def _policy(dice: Random) -> dict[str, Any]:
    groups = [f"G{i}" for i in range(dice.randint(1, 3))]
    low, middle, high = (dice.randint(0, n) for n in (2, 2, 3))
    caps = {"per_meal": 1, "per_day": 1 + low, "per_week": 1 + low + middle}
    caps["per_month"] = caps["per_week"] + high
    parts = {
        name: [_part(dice, i, groups, name) for i in range(dice.choice([0, 1, 1, 2, 3]))]
        for name in ("layers", "enterprise", "delivery")
    }
    return {
        "name": "random", "version": "V1", "title": _name(dice), "document": "无",
        "source_mark": "D", "territory": "120000",
        "effective_from": dice.choice(["2019-01-01", "2019-01-01", "2024-05-17"]),
        "effective_to": dice.choice([None, None, "2029-05-31"]),
        "meals": dice.sample(MEALS, dice.randint(1, 3)),
        "days": dice.choice(["every_day", "every_day", "weekdays", "working_days"]),
        "delivered": dice.choice(["till", "till", "till", "account"]),
        "categories": [{"code": code, "title": _name(dice)} for code in LOCAL],
        "exclude": dice.sample(["in_institution", "long_term_care"], dice.randint(0, 2)),
        "eligibility": [_group(dice, code) for code in groups],
        "caps": {key: cap for key, cap in caps.items() if dice.random() < 0.4},
        "gates": [_gate(dice, groups) for _ in range(dice.choice([0, 0, 1, 1, 2]))],
        "standard_set": dice.choice(
            [None, {"default_fen": 1300}, {"default_fen": 1301, "vary_bp": 3333}]
        ),
        **parts,
    }  # fmt: skip


def _name(dice: Random) -> dict[str, str]:
    return {"zh": dice.choice(NAMES), "en": dice.choice(NAMES)}


def _some(dice: Random, values: list[Any]) -> list[Any]:
    """Mostly none, which means all; otherwise a few."""
    return dice.sample(values, dice.randint(1, len(values))) if dice.random() < 0.25 else []


def _conditions(dice: Random) -> dict[str, Any]:
    least = dice.choice([0, 60, 60, 70, 80])
    return {
        "min_age": least,
        "max_age": dice.choice([None, None, None, least + 9, 100]),
        "household": _some(dice, ["12", "120101", "31"]),
        "any_categories": _some(dice, [*CATEGORIES, *LOCAL]),
        "all_categories": _some(dice, ["minimum_living", *LOCAL]),
        "care_levels": _some(dice, LEVELS),
        "disability_grades": _some(dice, [1, 2, 3, 4]),
    }


def _group(dice: Random, code: str) -> dict[str, Any]:
    return {"code": code, "title": _name(dice), **_conditions(dice)}


def _groups(dice: Random, groups: list[str]) -> list[str]:
    return dice.choice([[], [], ["*"], _some(dice, groups)])


def _gate(dice: Random, groups: list[str]) -> dict[str, Any]:
    gate = dice.choice(
        [
            {
                "kind": "price_at_least_standard_set",
                "judged_on": dice.choice(["list", "list", "spend"]),
            },
            {"kind": "spend_above_subsidy"},
            {"kind": "spend_at_least", "fen": dice.randint(1, 1200)},
            {"kind": "services", "services": dice.sample(SERVICES, dice.randint(1, 3))},
            {"kind": "tiers", "tiers": dice.sample([1, 2, 3], 2)},
        ]
    )
    return gate | {"groups": _groups(dice, groups)}


def _part(dice: Random, number: int, groups: list[str], side: str) -> dict[str, Any]:
    cuts = sorted(dice.sample(range(1, 10_000), dice.choice([0, 1, 2])))
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    payers = dice.sample(FUNDERS, len(shares))
    part: dict[str, Any] = {
        "code": f"part{number}", "title": _name(dice),
        "funders": [{"code": c, "share_bp": s} for c, s in zip(payers, shares, strict=True)],
        "groups": _groups(dice, groups),
        "meals": _some(dice, ["lunch"]), "services": _some(dice, SERVICES),
        "tiers": _some(dice, [1, 2, 3]),
        "place": dice.choice(["anywhere"] * 4 + ["home_district", "home_street"]),
        "amount": _amount(dice, groups, earned=side != "layers"),
    }  # fmt: skip
    if side == "enterprise" and dice.random() < 0.5:
        rows = dice.sample(GRADES, dice.randint(1, 4))
        part["grade_scale"] = [{"grade": g, "bp": dice.choice([0, 8000, 12_345])} for g in rows]
        part["ungraded_bp"] = dice.choice([10_000, 5000, 1])
    if side == "delivery" and dice.random() < 0.5:
        part["who"] = [_conditions(dice) for _ in range(dice.randint(1, 2))]
    return part


def _amount(dice: Random, groups: list[str], *, earned: bool) -> dict[str, Any]:
    fen = dice.choice([1, 3, 99, 300, 500, dice.randint(1, 1500)])
    ceiling = dice.choice([None, fen])
    bands = [
        {
            "fen": dice.randint(1, 800), "groups": _some(dice, groups),
            "min_age": dice.choice([0, 60, 75]), "max_age": dice.choice([None, 79, 85]),
            "min_spend_fen": dice.choice([0, 800, 1500]),
        }
        for _ in range(dice.randint(1, 3))
    ]  # fmt: skip
    kinds = [
        {"kind": "flat", "fen": fen},
        {
            "kind": "percent", "rate_bp": dice.choice([2500, 3333, 1, 10_000]),
            "ceiling_fen": ceiling, "of": dice.choice(["spend", "list"]),
        },
        {"kind": "by_band", "bands": bands},
        {
            "kind": "by_tier",
            "tiers": [{"tier": t, "fen": dice.choice([0, 77])} for t in dice.sample([1, 2, 3], 2)],
        },
        {
            "kind": "by_grade", "ungraded_fen": dice.choice([0, 33]),
            "grades": [{"grade": g, "fen": dice.choice([0, 55])} for g in dice.sample(GRADES, 2)],
        },
        {"kind": "up_to", "fen": fen},
        {
            "kind": "rest", "diner_pays_fen": dice.choice([0, 300]), "ceiling_fen": ceiling,
            "up_to_price_fen": dice.choice([None, 1200]),
        },
    ]  # fmt: skip
    return dice.choice(kinds[:5] if earned else kinds)
