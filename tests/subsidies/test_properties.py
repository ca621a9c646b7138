"""What must hold of every quote, whatever the policy and the case."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from canteen.subsidies.policies import CATEGORIES, Policy
from canteen.subsidies.pricing import Case, quota_keys, quote
from tests.subsidies.cases import hexi, policy, shipped
from tests.subsidies.second_opinion import tianjin_2024

VERSIONS = [d for d in shipped() if isinstance(d, Policy)]
POLICIES = [*VERSIONS, *(hexi(d.code) for d in VERSIONS if d.name == "tianjin")]
ON_ACCOUNT = [msgspec.structs.replace(p, delivered="account") for p in POLICIES]
PLACES = ["120101", "120103", "110105", "440118103", "440118104", "440106", "440304", "310107"]
CITIES = [*(p[:6] for p in PLACES), "310101"]

elders = st.fixed_dictionaries(
    {
        "birth_date": st.dates(date(1920, 1, 1), date(1970, 12, 31)).map(date.isoformat),
        "household": st.sampled_from([*PLACES, "12", None]),
        "categories": st.lists(
            st.sampled_from([*CATEGORIES, "special_hardship", "honoured"]), unique=True, max_size=4
        ),
        "care_level": st.sampled_from([None, "mild", "moderate", "severe"]),
        "disability_grade": st.sampled_from([None, 1, 2, 3, 4]),
        "in_institution": st.sampled_from([False, False, False, True]),
        "long_term_care": st.sampled_from([False, False, False, True]),
    }
)
prices = st.one_of(
    st.integers(0, 4000), st.sampled_from([1299, 1300, 1301, 799, 800, 1499, 1500, 500, 501])
)
raw_cases = st.fixed_dictionaries(
    {
        "district": st.sampled_from(CITIES),
        "street": st.sampled_from([None, "440118103", "440118104"]),
        "on": st.dates(date(2019, 9, 1), date(2028, 12, 31)).map(date.isoformat),
        "meal": st.sampled_from(["breakfast", "lunch", "dinner"]),
        "tier": st.sampled_from([None, 1, 2, 3]),
        "grade": st.sampled_from([None, "excellent", "good", "pass", "fail"]),
        "list_fen": prices,
        "standard_set_fen": st.sampled_from([1300, 1000, 1950]),
        "service": st.sampled_from(["eat_in", "pick_up", "delivery"]),
        "discount_bp": st.one_of(st.just(0), st.integers(0, 10_000)),
        "elder": st.one_of(st.none(), elders, elders, elders),
        "used_today": st.integers(0, 1),
        "used_this_week": st.integers(0, 6),
        "used_this_meal": st.integers(0, 1),
        "used_this_month": st.integers(0, 30),
        "beyond_caps": st.sampled_from([False, False, False, True]),
    }
)
cases = raw_cases.map(Case.from_dict)
policies = st.sampled_from(POLICIES + ON_ACCOUNT)
MANY = settings(max_examples=400, deadline=None)


@MANY
@given(policies, cases)
def test_nothing_is_negative_and_the_parts_sum_to_the_whole(rules, case):
    found = quote(rules, case)
    sums = (
        found.discount_fen, found.subsidy_fen, found.account_fen, found.payable_fen,
        found.enterprise_fen, found.delivery_fen, *(s.amount_fen for s in found.shares),
    )  # fmt: skip
    assert min(sums) >= 0
    assert found.list_fen == found.discount_fen + found.subsidy_fen + found.payable_fen
    assert found.account_fen <= found.payable_fen
    assert 0 in (found.subsidy_fen, found.account_fen)


@MANY
@given(policies, cases)
def test_the_funders_shares_sum_to_what_each_side_gets(rules, case):
    found = quote(rules, case)
    by_side = {side: sum(shares.values()) for side, shares in found.funders().items()}
    assert by_side == {
        "elder": found.subsidy_fen + found.account_fen,
        "enterprise": found.enterprise_fen,
        "delivery": found.delivery_fen,
    }
    assert len({(s.side, s.funder) for s in found.shares}) == len(found.shares)
    assert all(s.amount_fen > 0 for s in found.shares)


@MANY
@given(policies, cases)
def test_whatever_is_not_paid_is_explained_and_whatever_is_paid_names_its_group(rules, case):
    found = quote(rules, case)
    if found.uses_quota or found.subsidy_fen + found.account_fen:
        assert found.group in {g.code for g in rules.eligibility}
    else:
        assert found.refusals()
        assert found.subsidy_fen + found.account_fen + found.enterprise_fen == 0
        assert found.delivery_fen == 0
        assert found.shares == ()


@MANY
@given(policies, cases)
def test_stored_texts_give_the_same_quote_for_ever(rules, case):
    rules_again = Policy.from_json(rules.to_json())
    case_again = Case.from_dict(json.loads(json.dumps(case.to_dict())))
    assert rules_again == rules
    assert rules_again.digest == rules.digest
    assert quote(rules_again, case_again) == quote(rules, case)
    assert json.loads(json.dumps(quote(rules, case).why()))


@MANY
@given(policies, cases)
def test_a_used_up_cap_stops_everything(rules, case):
    used_up = {
        "day": {"used_today": rules.caps.per_day},
        "week": {"used_this_week": rules.caps.per_week},
        "month": {"used_this_month": rules.caps.per_month},
        "meal": {"used_this_meal": rules.caps.per_meal},
    }
    for period, _, cap in quota_keys(rules, case.on, case.meal):
        spent = case.but(**used_up[period.partition(":")[0]])
        assert cap >= 1
        assert not quote(rules, spent).uses_quota
        assert quote(rules, spent.but(beyond_caps=False)).shares == ()


@MANY
@given(policies, cases)
def test_a_meal_given_beyond_the_caps_is_paid_as_ever_and_earns_nobody_else_anything(rules, case):
    reached = any(s.code.startswith("cap_") for s in quote(rules, case).steps)
    borne = quote(rules, case.but(beyond_caps=True))
    if not reached:
        assert borne == quote(rules, case.but(beyond_caps=False))
        return
    fresh = quote(
        rules, case.but(used_today=0, used_this_week=0, used_this_meal=0, used_this_month=0)
    )
    assert (borne.subsidy_fen, borne.account_fen) == (fresh.subsidy_fen, fresh.account_fen)
    assert borne.payable_fen == fresh.payable_fen
    assert borne.enterprise_fen == borne.delivery_fen == 0
    assert {share.side for share in borne.shares} <= {"elder"}
    assert not borne.uses_quota
    assert not any(s.code.startswith("cap_") for s in borne.refusals())


@MANY
@given(policies, cases, st.integers(1, 3000))
def test_a_dearer_meal_never_loses_a_subsidy_and_never_costs_the_diner_less(rules, case, more):
    case = case.but(discount_bp=0)
    cheap = quote(rules, case)
    dear = quote(rules, case.but(list_fen=case.list_fen + more))
    assert dear.subsidy_fen + dear.account_fen >= cheap.subsidy_fen + cheap.account_fen
    if dear.subsidy_fen == cheap.subsidy_fen:
        assert dear.payable_fen == cheap.payable_fen + more


@MANY
@given(policies, cases)
def test_having_used_less_never_gives_less(rules, case):
    fresh = case.but(used_today=0, used_this_week=0, used_this_meal=0, used_this_month=0)
    assert quote(rules, fresh).subsidy_fen >= quote(rules, case).subsidy_fen
    if quote(rules, case).uses_quota:
        assert quote(rules, fresh).shares == quote(rules, case).shares


@MANY
@given(policies, cases)
def test_an_institution_or_death_ends_everything_where_it_excludes(rules, case):
    if case.elder is None:
        return
    dead = msgspec.structs.replace(case.elder, status="deceased", status_since=None)
    assert not quote(rules, case.but(elder=dead)).uses_quota
    if "in_institution" in rules.exclude:
        inside = msgspec.structs.replace(case.elder, in_institution=True)
        assert not quote(rules, case.but(elder=inside)).uses_quota


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(POLICIES),
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from(["breakfast", "lunch", "dinner"]),
            st.booleans(),
            st.integers(0, 99),
        ),
        max_size=40,
    ),
)
def test_caps_hold_in_any_order_of_sales_and_cancellations(rules, events):
    """Counters moved as the till moves them: up by a granted meal, down by its cancellation."""
    places = {
        "11": "110105", "12": "120103", "31": "310107", "4401": "440118103", "4403": "440304",
    }  # fmt: skip
    stem = next(s for s in places if rules.territory.startswith(s))
    home = places[stem]
    person = {"birth_date": "1930-01-01", "household": home, "categories": ["minimum_living"]}
    used: Counter = Counter()
    granted: list[tuple[list, int]] = []
    for offset, meal, cancel, which in events:
        if cancel and granted:
            keys, _ = granted.pop(which % len(granted))
            used.subtract(keys)
            continue
        on = date(2026, 12, 21) + timedelta(days=offset)
        keys = [(period, start) for period, start, _ in quota_keys(rules, on, meal)]
        by_kind = {period.partition(":")[0]: used[period, start] for period, start in keys}
        case = Case.from_dict(
            {
                "district": home[:6], "street": "440118103", "on": on.isoformat(), "meal": meal,
                "list_fen": 1500, "elder": person,
                "used_today": by_kind.get("day", 0), "used_this_week": by_kind.get("week", 0),
                "used_this_month": by_kind.get("month", 0),
                "used_this_meal": by_kind.get("meal", 0),
            }
        )  # fmt: skip
        if quote(rules, case).uses_quota:
            used.update(keys)
            granted.append((keys, 1))
        for period, start, cap in quota_keys(rules, on, meal):
            assert 0 <= used[period, start] <= cap
    for keys, _ in granted:
        used.subtract(keys)
    assert not any(used.values())


@settings(max_examples=1500, deadline=None)
@given(raw_cases)
def test_the_engine_agrees_with_a_second_opinion_on_tianjin_2024(raw):
    found = quote(policy("tianjin-V2024"), Case.from_dict(raw))
    expected = tianjin_2024(raw)
    assert {key: getattr(found, key) for key in expected} == expected
