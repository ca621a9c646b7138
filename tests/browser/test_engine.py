"""The tablet's rules are the server's: the same quotes, to the fen and to the word."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, Route

from canteen.subsidies.cases import Case, Quote
from canteen.subsidies.explaining import SENTENCES, why
from canteen.subsidies.policies import Policy
from canteen.subsidies.pricing import quota_keys, quote
from canteen.subsidies.quotas import covered_day
from scripts import sentences
from tests.conftest import DRAWS_ANEW
from tests.subsidies import edge_table, random_rules
from tests.subsidies.cases import policy

pytestmark = pytest.mark.browser

ENGINE = "/static/js/till/engine"
FIXED = "plain rice at noon"
# Texts go over whole: the browser's driver would take minutes over so many small values.
EVALUATE = """
async ([address, asked]) => {
  const { ageOn, funders, quotaKeys, quote, why } = await import(address);
  const { policies, rows } = JSON.parse(asked);
  return JSON.stringify(rows.map(([index, kase, working]) => {
    const policy = policies[index];
    try {
      const found = quote(policy, kase, { working });
      return {
        ...found, why: why(found), funders: funders(found),
        age: kase.elder ? ageOn(kase.elder.birth_date, kase.on) : null,
        keys: quotaKeys(policy, kase.on, kase.meal).map((k) => [k.period, k.start, k.cap]),
      };
    } catch (error) {
      return { error: String(error.stack) };
    }
  }));
}
"""
Pair = tuple[Policy, Case]


fields_of = cache(msgspec.structs.fields)


def body(rules: Policy) -> dict[str, Any]:
    """The policy as the tablet gets it."""
    return json.loads(rules.to_json())


def short(case: Case) -> dict[str, Any]:
    """A case with everything left out that only repeats a default."""

    def differing(struct: msgspec.Struct) -> dict[str, Any]:
        plain = msgspec.to_builtins(struct, order="deterministic")
        return {
            field.name: plain[field.name]
            for field in fields_of(type(struct))
            if getattr(struct, field.name) != field.default
        }

    elder = {"elder": differing(case.elder)} if case.elder else {}
    return differing(case) | elder


def working(rules: Policy, on: date) -> dict[str, bool]:
    """What the pack says of the next 62 days, for the policies that must know."""
    if rules.days != "working_days":
        return {}
    days = (on + timedelta(days=n) for n in range(62))
    return {day.isoformat(): covered_day(rules, day) for day in days}


def expected(rules: Policy, case: Case) -> dict[str, Any]:
    """The server's answer as plain JSON."""
    found = quote(rules, case)
    age = None
    if case.elder:
        born = case.elder.birth_date
        age = case.on.year - born.year - ((case.on.month, case.on.day) < (born.month, born.day))
    answer = {name: getattr(found, name) for name in Quote.__annotations__} | {
        "shares": [vars(share) for share in found.shares],
        "steps": [
            {"code": s.code, "params": s.params, "kind": s.kind, "zh": s.text.zh, "en": s.text.en}
            for s in found.steps
        ],
        "why": why(found)._asdict(),
        "funders": found.funders(),
        "age": age,
        "keys": [[p, d.isoformat(), cap] for p, d, cap in quota_keys(rules, case.on, case.meal)],
    }
    return json.loads(json.dumps(answer))


def ask(page: Page, policies: list[Any], rows: list[Any]) -> list[dict[str, Any]]:
    """What the tablet's rules say of rows of [index of the policy, case, working days]."""
    asked = json.dumps({"policies": policies, "rows": rows})
    found: list[dict[str, Any]] = json.loads(
        page.evaluate(EVALUATE, [f"{ENGINE}/pricing.js", asked])
    )
    return found


def answers(page: Page, pairs: list[Pair]) -> list[dict[str, Any]]:
    """What the tablet says of each, asked all at once; every second case is written out whole."""
    policies: dict[int, tuple[int, dict[str, Any]]] = {}
    rows = []
    for number, (rules, case) in enumerate(pairs):
        if id(rules) not in policies:
            policies[id(rules)] = len(policies), body(rules)
        index, _ = policies[id(rules)]
        kase = case.to_dict() if number % 2 else short(case)
        rows.append([index, kase, working(rules, case.on)])
    return ask(page, [each for _, each in policies.values()], rows)


def differences(page: Page, pairs: list[Pair]) -> Iterator[str]:
    """Every quote the two do not agree on, with what is needed to try it again."""
    for (rules, case), got in zip(pairs, answers(page, pairs), strict=True):
        wanted = expected(rules, case)
        if got != wanted:
            keys = [key for key in wanted if wanted[key] != got.get(key)]
            yield "\n".join(
                [
                    f"policy {rules.to_json()}", f"case {json.dumps(short(case))}",
                    *(f"{key}: {wanted[key]} on the server" for key in keys),
                    *(f"{key}: {got.get(key)} on the tablet" for key in keys),
                    got.get("error", ""),
                ]
            )  # fmt: skip


def table() -> list[Pair]:
    """Every edge case under every shipped policy, at home and away."""
    return [
        (rules, moved)
        for rules in edge_table.POLICIES
        for case in edge_table.meals()
        for moved in edge_table.moved(case, rules)
    ]


def rolled(seed: str, policies: int) -> list[Pair]:
    """Ten cases for each of so many random policies."""
    dice = Random(seed)
    found = []
    for _ in range(policies):
        rules = random_rules.policy(dice)
        found += [(rules, random_rules.case(dice, rules)) for _ in range(10)]
    return found


@pytest.fixture
def tablet(live: Callable[[], str], page: Page) -> Page:
    """A page of the application's own, so that its rules for scripts hold."""
    page.goto(f"{live()}/sign-in")
    return page


def test_the_tablet_prices_every_edge_case_under_every_shipped_policy_as_the_server_does(
    tablet: Page,
) -> None:
    pairs = table()
    assert len(pairs) > 2000
    assert any(quote(*pair).delivery_fen for pair in pairs)
    assert not next(differences(tablet, pairs), "")


def test_the_tablet_prices_thousands_of_random_policies_as_the_server_does(tablet: Page) -> None:
    pairs = rolled(FIXED, 400)
    priced = [quote(*pair) for pair in pairs]
    # Only what was said and paid has been compared: nothing may be missing.
    assert {s.code for found in priced for s in found.steps} == set(SENTENCES)
    paid = [pair for pair, found in zip(pairs, priced, strict=True) if found.shares]
    assert len(paid) > 500
    parts = [part for rules, _ in paid for part in (*rules.layers, *rules.enterprise)]
    amounts = {part.amount.__struct_config__.tag for part in parts}  # type: ignore[attr-defined]
    assert amounts == {"flat", "percent", "up_to", "by_band", "by_tier", "by_grade", "rest"}
    gates = {gate.__struct_config__.tag for rules, _ in pairs for gate in rules.gates}
    assert len(gates) == 5
    assert any(found.account_fen for found in priced)
    assert any(found.delivery_fen for found in priced)
    assert not next(differences(tablet, pairs), "")


def test_the_tablet_agrees_on_policies_never_tried_before_when_asked_for(tablet: Page) -> None:
    seed = secrets.token_hex(4) if DRAWS_ANEW else "noodles in the evening"
    assert not next(differences(tablet, rolled(seed, 200)), ""), f"seed {seed}"


@pytest.mark.parametrize(
    ("module", "rule", "slip"),
    [
        ("money", "+ BASIS / 2", "+ 0"),
        ("money", "lost[b] - lost[a]", "lost[a] - lost[b]"),
        ("eligibility", "on.slice(5) < birthDate", "on.slice(5) <= birthDate"),
        ("calendar", "addDays(start, 7)", "addDays(start, 6)"),
        ("gates", "judged >= setFen", "judged > setFen"),
        ("amounts", "spendFen >= least", "spendFen > least"),
        ("pricing", "< cap) continue", "<= cap) continue"),
        ("sentences", "The meal costs", "The dinner costs"),
    ],
)
def test_a_slip_in_the_tablets_rules_would_be_seen(
    tablet: Page, module: str, rule: str, slip: str
) -> None:
    def served(route: Route) -> None:
        answer = route.fetch()
        assert rule in answer.text()
        route.fulfill(response=answer, body=answer.text().replace(rule, slip))

    tablet.route(f"**{ENGINE}/{module}.js", served)
    assert next(differences(tablet, [*table()[::3], *rolled(FIXED, 50)]), "")


def test_a_day_the_pack_does_not_name_counts_by_the_week(tablet: Page) -> None:
    rules, case = policy("tianjin-V2019"), edge_table.meals()[0]
    asked = [
        [0, short(case) | {"on": on}, {}] for on in ("2026-10-01", "2026-10-03", "2026-10-05")
    ]
    found = ask(tablet, [body(rules)], asked)
    lost = [any(s["code"] == "day_not_covered" for s in each["steps"]) for each in found]
    assert lost == [False, True, False]


def test_a_part_the_tablet_does_not_know_is_not_guessed(tablet: Page) -> None:
    rules, case = policy("tianjin-V2024"), edge_table.meals()[0]
    for key, kinds in (("gates", [{"kind": "moon"}]), ("layers", None)):
        strange = body(rules)
        strange[key] = kinds or [strange["layers"][0] | {"amount": {"kind": "constructor"}}]
        (found,) = ask(tablet, [strange], [[0, short(case), {}]])
        assert "no such" in found.get("error", "")


def test_the_tablets_sentences_are_the_servers() -> None:
    written = sentences.MODULE.read_text(encoding="utf-8")
    assert written == sentences.module(), "run: python -m scripts.sentences"
