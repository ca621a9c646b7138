"""What a meal costs: every shape of subsidy, gate and place, in the cities that have it."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from canteen.subsidies.cases import Case
from canteen.subsidies.explaining import why
from canteen.subsidies.parts import (
    ByGrade,
    ByTier,
    Flat,
    Funder,
    GateServices,
    GateSpend,
    GateTiers,
    GradeRow,
    TierRow,
)
from canteen.subsidies.pricing import quota_keys, quote, week_start
from canteen.subsidies.shapes import Bilingual, Caps
from tests.subsidies.cases import codes, elder, hexi, lunch, policy, priced

V2024 = policy("tianjin-V2024")
replace = msgspec.structs.replace


def sums(found):
    """subsidy, payable, enterprise."""
    return found.subsidy_fen, found.payable_fen, found.enterprise_fen


def test_an_entitled_elder_pays_three_yuan_less_and_the_enterprise_earns_two():
    found = quote(V2024, lunch())
    assert sums(found) == (300, 1200, 200)
    assert found.group == "G1"
    assert found.uses_quota
    assert found.funders() == {
        "elder": {"city": 150, "district": 150},
        "enterprise": {"city": 100, "district": 100},
        "delivery": {},
    }


def test_a_worker_pays_the_full_price_and_nobody_earns_anything():
    found = quote(V2024, lunch(elder=None))
    assert sums(found) == (0, 1500, 0)
    assert codes(found) == ["no_elder"]
    assert not found.uses_quota
    assert found.shares == ()


def test_the_canteens_discount_comes_first_and_is_open_to_those_without_a_subsidy():
    found = quote(V2024, lunch(discount_bp=2000))
    assert (found.discount_fen, *sums(found)) == (300, 300, 900, 200)
    young = quote(V2024, lunch(discount_bp=1000, elder=elder("1965-01-01")))
    assert (young.discount_fen, *sums(young)) == (150, 0, 1350, 0)


def test_half_a_fen_of_discount_is_rounded_up():
    assert quote(V2024, lunch(list_fen=1305, discount_bp=1000)).discount_fen == 131


def test_the_set_price_gate_looks_at_the_list_price_not_at_what_a_generous_canteen_asks():
    found = quote(V2024, lunch(list_fen=1300, discount_bp=5000))
    assert (found.discount_fen, *sums(found)) == (650, 300, 350, 200)


def test_a_gate_may_be_told_to_look_at_the_spend():
    strict = replace(V2024, gates=(replace(V2024.gates[0], judged_on="spend"),))
    assert codes(quote(strict, lunch(list_fen=1300, discount_bp=100))) == [
        "price_below_standard_set"
    ]


def test_the_subsidy_never_exceeds_what_is_left_to_pay():
    found = quote(V2024, lunch(discount_bp=9000))
    assert (found.discount_fen, *sums(found)) == (1350, 150, 0, 200)
    free = quote(V2024, lunch(discount_bp=10_000))
    assert sums(free) == (0, 0, 0)
    assert codes(free) == ["layer_nothing", "nothing_left_to_pay"]


def test_without_a_set_price_from_the_district_the_policys_own_counts():
    assert codes(quote(V2024, lunch(list_fen=1299, standard_set_fen=None))) == [
        "price_below_standard_set"
    ]


def test_a_set_price_outside_the_bounds_is_noted():
    assert V2024.standard_set.bounds_fen() == (650, 1950)
    assert policy("tianjin-V2019").standard_set.bounds_fen() == (910, 1690)
    found = quote(V2024, lunch(standard_set_fen=1951, list_fen=2000))
    assert "standard_set_out_of_bounds" in [s.code for s in found.steps]
    found = quote(V2024, lunch(standard_set_fen=1950, list_fen=2000))
    assert "standard_set_out_of_bounds" not in [s.code for s in found.steps]


@pytest.mark.parametrize(
    ("on", "meal", "refused"),
    [
        ("2020-09-02", "lunch", []),
        ("2020-09-02", "dinner", ["meal_not_covered"]),
        ("2020-09-05", "lunch", ["day_not_covered"]),
        ("2020-10-01", "lunch", ["day_not_covered"]),
        ("2020-09-27", "lunch", []),  # a Sunday worked in exchange for the holiday
        ("2022-07-07", "dinner", ["meal_not_covered"]),
        ("2022-07-08", "dinner", []),
        ("2022-07-10", "dinner", []),
        ("2024-05-16", "breakfast", ["meal_not_covered"]),
        ("2024-05-17", "breakfast", []),
    ],
)
def test_meals_and_days_of_the_three_tianjin_versions(on, meal, refused):
    found = priced(lunch(on, meal=meal, elder=elder("1935-01-01")))
    assert codes(found) == refused
    assert found.subsidy_fen == (0 if refused else 300)


def test_a_day_that_is_not_covered_names_the_next_that_is():
    found = priced(lunch("2020-10-01", elder=elder("1935-01-01")))
    step = found.refusals()[0]
    assert step.params == {"on": "2020-10-01", "next": "2020-10-09"}
    assert step.text.en == (
        "No subsidy on Thursday 1 October: only working days are subsidised;"
        " next on Friday 9 October"
    )


def test_hexis_own_group_is_paid_by_the_district_alone():
    found = quote(hexi("tianjin-V2024"), lunch(elder=elder("1954-01-01", "120103")))
    assert (found.group, *sums(found)) == ("HX70", 300, 1200, 200)
    assert found.funders()["elder"] == {"district": 300}
    assert found.funders()["enterprise"] == {"district": 200}
    old = quote(hexi("tianjin-V2024"), lunch(elder=elder(household="120103")))
    assert old.funders()["elder"] == {"city": 150, "district": 150}


@pytest.mark.parametrize(
    ("list_fen", "used_today", "answer"),
    [(1500, 0, (500, 1000, 300)), (501, 0, (500, 1, 300)), (500, 0, (0, 500, 0)),
     (1500, 1, (0, 1500, 0))],
)  # fmt: skip
def test_beijing_gives_five_yuan_a_day_when_more_is_spent(list_fen, used_today, answer):
    case = lunch(
        district="110105", list_fen=list_fen, used_today=used_today,
        elder=elder(household="110105"),
    )  # fmt: skip
    assert sums(priced(case)) == answer


def test_beijings_threshold_is_judged_after_the_discount():
    case = lunch(district="110105", list_fen=1000, discount_bp=5000, elder=elder(household="11"))
    assert codes(priced(case)) == ["spend_not_above_subsidy"]


@pytest.mark.parametrize(
    ("list_fen", "subsidy"), [(1000, 250), (1199, 300), (1200, 300), (3000, 300), (998, 250)]
)
def test_guangzhou_gives_a_quarter_up_to_three_yuan(list_fen, subsidy):
    case = lunch(district="440106", list_fen=list_fen, elder=elder("1960-01-01", "440106"))
    assert priced(case).subsidy_fen == subsidy


def test_guangzhou_counts_lunch_and_dinner_each():
    person = elder("1960-01-01", "440106")
    dinner = lunch(district="440106", meal="dinner", used_today=1, elder=person)
    assert priced(dinner).subsidy_fen == 300
    assert codes(priced(dinner.but(used_this_meal=1))) == ["cap_meal"]


PUTUO = {"district": "310107", "on": "2026-03-02"}


@pytest.mark.parametrize(
    ("birth", "categories", "list_fen", "subsidy"),
    [
        ("1960-01-01", ["minimum_living"], 800, 500),
        ("1960-01-01", ["minimum_living"], 799, 0),
        ("1960-01-01", [], 1500, 200),
        ("1960-01-01", [], 1499, 0),
        ("1946-03-02", [], 1500, 300),
        ("1946-03-03", [], 1500, 200),
        ("1940-01-01", ["minimum_living"], 1500, 500),
        ("1967-01-01", [], 1500, 0),
    ],
)
def test_putuo_has_classes_each_with_its_minimum_spend(birth, categories, list_fen, subsidy):
    person = elder(birth, "310107", categories=categories)
    assert priced(lunch(**PUTUO, list_fen=list_fen, elder=person)).subsidy_fen == subsidy


def test_putuo_pays_only_for_eating_in_and_says_so():
    person = elder("1940-01-01", "310107")
    found = priced(lunch(**PUTUO, service="pick_up", elder=person))
    assert codes(found) == ["service_not_covered"]
    assert why(found).en == "There is no subsidy for pick-up, only for eating in"


def test_putuo_below_the_minimum_spend_says_what_is_missing():
    found = priced(lunch(**PUTUO, list_fen=1499, elder=elder("1940-01-01", "310107")))
    assert codes(found) == ["spend_below_threshold"]
    assert why(found).zh == "消费14.99元，满15.00元才有补贴"


@pytest.mark.parametrize(
    ("birth", "categories", "list_fen", "answer"),
    [
        ("1960-01-01", ["minimum_living"], 1500, (1500, 0, 200)),
        ("1960-01-01", ["honoured"], 1200, (1200, 0, 200)),
        ("1960-01-01", ["honoured"], 1800, (1500, 300, 200)),
        ("1950-01-01", [], 1500, (500, 1000, 200)),
        ("1950-01-01", [], 400, (400, 0, 200)),
        ("1960-01-01", [], 1500, (0, 1500, 0)),
        ("1924-01-01", [], 1500, (1500, 0, 200)),
    ],
)
def test_shenzhen_pays_up_to_what_is_spent(birth, categories, list_fen, answer):
    person = elder(birth, "440304", categories=categories)
    case = lunch("2026-03-02", district="440304", list_fen=list_fen, elder=person)
    assert sums(priced(case)) == answer


@pytest.mark.parametrize(
    ("on", "meal", "refused"),
    [("2026-03-02", "dinner", "meal_not_covered"), ("2026-03-07", "lunch", "day_not_covered")],
)
def test_shenzhen_pays_only_for_lunch_on_working_days(on, meal, refused):
    case = lunch(on, meal=meal, district="440304", elder=elder(household="440304"))
    assert codes(priced(case)) == [refused]


@pytest.mark.parametrize(
    ("birth", "care", "service", "delivery"),
    [
        ("1925-01-01", None, "delivery", 200),
        ("1925-01-01", None, "eat_in", 0),
        ("1950-01-01", "moderate", "delivery", 200),
        ("1950-01-01", "severe", "delivery", 200),
        ("1950-01-01", "mild", "delivery", 0),
        ("1950-01-01", None, "delivery", 0),
    ],
)
def test_shenzhen_pays_deliveries_to_the_very_old_and_the_disabled(birth, care, service, delivery):
    person = elder(birth, "440304", care_level=care)
    found = priced(lunch("2026-03-02", district="440304", service=service, elder=person))
    assert found.delivery_fen == delivery
    assert found.funders()["delivery"] == ({"district": 200} if delivery else {})


@pytest.mark.parametrize(
    ("birth", "categories", "payable"),
    [("1960-01-01", ["low_income"], 100), ("1940-01-01", [], 300), ("1960-01-01", [], 500)],
)
def test_zengcheng_adds_three_layers_and_leaves_one_three_or_five_yuan(birth, categories, payable):
    person = elder(birth, "440118103", categories=categories)
    case = lunch(district="440118", street="440118103", list_fen=1200, elder=person)
    found = priced(case)
    assert sums(found) == (1200 - payable, payable, 0)
    assert found.funders()["elder"] == {"city": 300, "district": 300, "street": 600 - payable}


@pytest.mark.parametrize(
    ("household", "street", "funders", "lost"),
    [
        ("440118103", "440118104", {"city": 300, "district": 300}, 1),
        ("440106001", "440118103", {"city": 300}, 2),
        ("440118", "440118103", {"city": 300, "district": 300}, 1),
        ("440118103", None, {"city": 300, "district": 300}, 1),
    ],
)
def test_eating_in_another_town_loses_the_towns_part(household, street, funders, lost):
    case = lunch(
        district="440118", street=street, list_fen=1200, elder=elder("1940-01-01", household)
    )
    found = priced(case)
    assert found.funders()["elder"] == funders
    assert codes(found) == ["layer_elsewhere"] * lost
    assert "outside the street or town" in why(found).en


def test_the_towns_part_is_what_is_left_of_a_twelve_yuan_meal_only():
    person = elder("1940-01-01", "440118103")
    case = lunch(district="440118", street="440118103", elder=person)
    assert priced(case.but(list_fen=1500)).payable_fen == 600
    assert priced(case.but(list_fen=1000)).funders()["elder"]["street"] == 100
    assert priced(case.but(list_fen=500)).funders()["elder"] == {"city": 300, "district": 200}


@pytest.mark.parametrize(
    ("birth", "grade", "enterprise"),
    [
        ("1962-01-01", None, 0),
        ("1961-01-01", "good", 80),
        ("1951-11-18", "good", 150),
        ("1951-11-19", "good", 80),
        ("1940-01-01", "pass", 120),
        ("1955-01-01", "pass", 64),
        ("1940-01-01", "fail", 0),
        ("1940-01-01", None, 150),
    ],
)
def test_huangpu_pays_the_enterprise_by_age_scaled_by_its_grade(birth, grade, enterprise):
    case = lunch(district="310101", grade=grade, elder=elder(birth, "310101"))
    found = priced(case)
    assert sums(found) == (0, 1500, enterprise)
    assert found.uses_quota == (enterprise > 0)


def test_an_enterprise_subsidy_by_tier_or_by_grade():
    base = V2024.enterprise[0]
    by_tier = replace(
        base, amount=ByTier(tiers=(TierRow(tier=1, fen=250), TierRow(tier=2, fen=150)))
    )
    for tier, fen in ((1, 250), (2, 150), (3, 0), (None, 0)):
        found = quote(replace(V2024, enterprise=(by_tier,)), lunch(tier=tier))
        assert (found.enterprise_fen, found.subsidy_fen) == (fen, 300)
    rows = (GradeRow(grade="excellent", fen=300), GradeRow(grade="fail", fen=0))
    by_grade = replace(base, amount=ByGrade(grades=rows, ungraded_fen=100))
    for grade, fen in (("excellent", 300), ("fail", 0), (None, 100)):
        found = quote(replace(V2024, enterprise=(by_grade,)), lunch(grade=grade))
        assert found.enterprise_fen == fen


def test_an_odd_fen_is_shared_without_losing_one():
    layer = replace(V2024.layers[0], amount=Flat(fen=301))
    assert quote(replace(V2024, layers=(layer,)), lunch()).funders()["elder"] == {
        "city": 151,
        "district": 150,
    }


def test_two_layers_of_one_funder_are_one_share():
    top_up = replace(
        V2024.layers[0],
        code="top_up",
        title=Bilingual(zh="区级增补", en="District top-up"),
        amount=Flat(fen=100),
        funders=(Funder(code="district"),),
    )
    found = quote(replace(V2024, layers=(*V2024.layers, top_up)), lunch())
    assert found.subsidy_fen == 400
    assert [(s.side, s.funder, s.amount_fen) for s in found.shares if s.side == "elder"] == [
        ("elder", "city", 150),
        ("elder", "district", 250),
    ]


def test_further_gates_by_spend_and_tier():
    gated = replace(V2024, gates=(GateSpend(fen=1400), GateTiers(tiers=(1, 2))))
    assert codes(quote(gated, lunch(discount_bp=1000, tier=3))) == [
        "spend_below_threshold",
        "tier_not_covered",
    ]
    assert quote(gated, lunch(list_fen=1400)).subsidy_fen == 300


def test_a_gate_for_one_group_leaves_the_others_alone():
    gate = GateServices(services=("eat_in",), groups=("G2",))
    gated = replace(V2024, gates=(gate,))
    visited = elder("1950-01-01", categories=["visiting_care"])
    assert codes(quote(gated, lunch(service="delivery", elder=visited))) == ["service_not_covered"]
    assert quote(gated, lunch(service="delivery")).subsidy_fen == 300


def test_paid_to_the_account_the_diner_pays_in_full_and_gets_it_later():
    for found in (
        quote(replace(V2024, delivered="account"), lunch()),
        quote(V2024, lunch(to_account=True)),
    ):
        assert (found.subsidy_fen, found.account_fen, found.payable_fen) == (0, 300, 1500)
        assert found.enterprise_fen == 200
        assert found.uses_quota
        assert found.funders()["elder"] == {"city": 150, "district": 150}


def test_a_meal_given_beyond_the_caps_is_borne_by_the_programme_and_moves_no_counter():
    found = quote(V2024, lunch(used_this_week=5, used_today=1, beyond_caps=True))
    assert sums(found) == (300, 1200, 0)
    assert found.funders() == {
        "elder": {"city": 150, "district": 150}, "enterprise": {}, "delivery": {},
    }  # fmt: skip
    assert not found.uses_quota
    assert codes(found) == []
    notes = [s for s in found.steps if s.code.endswith("_beyond")]
    assert [(s.code, s.kind, s.params) for s in notes] == [
        ("cap_week_beyond", "note", {"cap": 5, "start": "2026-11-16", "next": "2026-11-23"}),
        ("cap_day_beyond", "note", {"cap": 1, "start": "2026-11-18", "next": "2026-11-19"}),
    ]
    assert notes[0].text.en == (
        "5 of 5 subsidised meals were used since Monday 16 November, but the till had no network"
        " and could not know: the programme bears the subsidy, and the meal is not counted"
    )
    assert not {"left_this_week", "enterprise"} & {s.code for s in found.steps}
    assert "the programme bears the subsidy" in why(found).en
    assert "补贴由补贴资金承担" in why(found).zh


def test_beyond_the_caps_neither_the_enterprise_nor_the_deliverer_earns():
    shenzhen = policy("shenzhen-V2019")
    aged = elder("1920-01-01", "4403")
    case = lunch(district="440304", list_fen=2000, elder=aged, service="delivery")
    assert quote(shenzhen, case).delivery_fen == 200
    borne = quote(shenzhen, case.but(used_today=1, beyond_caps=True))
    assert (borne.subsidy_fen, borne.delivery_fen) == (1500, 0)
    huangpu = policy("shanghai-huangpu-V2024")
    nothing = quote(huangpu, lunch(district="310101", used_this_meal=1, beyond_caps=True))
    assert nothing.shares == ()
    assert not nothing.uses_quota
    assert codes(nothing) == ["nothing_left_to_pay"]


def test_where_no_cap_is_reached_beyond_the_caps_changes_nothing():
    case = lunch(used_this_week=4)
    assert quote(V2024, case.but(beyond_caps=True)) == quote(V2024, case)


def test_beyond_the_caps_every_other_reason_still_refuses():
    cheap = quote(V2024, lunch(used_today=1, list_fen=1299, beyond_caps=True))
    assert cheap.subsidy_fen == 0
    assert codes(cheap) == ["price_below_standard_set"]


def test_inputs_stored_before_anything_could_be_given_beyond_the_caps_mean_what_they_meant():
    stored = {
        "district": "120101", "on": "2026-11-18", "meal": "lunch", "list_fen": 1500,
        "used_today": 1, "elder": {"birth_date": "1940-05-01", "household": "120101"},
    }  # fmt: skip
    case = Case.from_dict(stored)
    assert not case.beyond_caps
    assert codes(quote(V2024, case)) == ["cap_day"]


def test_every_reason_is_said_not_only_the_first():
    case = lunch(
        used_today=1, used_this_week=5, list_fen=1000,
        elder=elder(in_institution=True, long_term_care=True),
    )  # fmt: skip
    assert codes(quote(V2024, case)) == [
        "in_institution",
        "long_term_care",
        "cap_week",
        "cap_day",
        "price_below_standard_set",
    ]


def test_the_sentence_for_a_used_up_week():
    found = quote(V2024, lunch("2026-11-20", used_this_week=5))
    assert why(found).en == (
        "5 of 5 subsidised meals used since Monday 16 November; next from Monday 23 November"
    )
    assert why(found).zh == "本周(11月16日周一起)5次补贴已用完，11月23日周一起可再用"


def test_the_sentence_of_a_granted_meal_names_the_ground_and_the_week():
    found = quote(V2024, lunch(used_this_week=3))
    assert why(found).zh == "补贴对象：天津户籍80周岁及以上(现86周岁)；本周第4次补贴，共5次"


def test_every_step_is_said_in_both_languages():
    for case in (lunch(), lunch(elder=elder("1960-01-01")), lunch(used_this_week=5)):
        for step in quote(V2024, case).steps:
            assert step.text.zh and step.text.en
            assert "{" not in step.text.zh + step.text.en
            assert any("\u4e00" <= c <= "\u9fff" for c in step.text.zh)
            assert step.text.en.isascii() or "“" in step.text.en


def test_the_counters_a_meal_moves():
    assert week_start(date(2027, 1, 1)) == date(2026, 12, 28)
    assert quota_keys(V2024, date(2027, 1, 1), "lunch") == [
        ("week", date(2026, 12, 28), 5),
        ("day", date(2027, 1, 1), 1),
    ]
    every = replace(V2024, caps=Caps(per_meal=1, per_day=2, per_week=7, per_month=20))
    assert quota_keys(every, date(2027, 1, 9), "dinner") == [
        ("month", date(2027, 1, 1), 20),
        ("week", date(2027, 1, 4), 7),
        ("day", date(2027, 1, 9), 2),
        ("meal:dinner", date(2027, 1, 9), 1),
    ]


def test_a_used_up_month_says_when_the_next_begins():
    monthly = replace(V2024, caps=Caps(per_month=20))
    found = quote(monthly, lunch("2026-12-31", used_this_month=20))
    assert found.refusals()[0].params == {"cap": 20, "start": "2026-12-01", "next": "2027-01-01"}


def test_a_policy_tried_outside_its_days_says_so_and_still_answers():
    found = quote(V2024, lunch("2023-03-01"))
    assert found.steps[0].code == "policy_not_in_force"
    assert found.subsidy_fen == 300


@pytest.mark.parametrize(
    ("on", "weekdays", "working_days"),
    [
        ("2026-11-20", True, True),
        ("2026-11-21", False, False),
        ("2026-11-22", False, False),
        ("2025-10-01", True, False),  # a Wednesday, National Day
        ("2025-09-28", False, True),  # a Sunday worked in exchange
    ],
)
def test_weekdays_are_monday_to_friday_and_working_days_follow_the_calendar(
    on, weekdays, working_days
):
    for days, covered in (("weekdays", weekdays), ("working_days", working_days)):
        found = quote(replace(V2024, days=days), lunch(on))
        assert codes(found) == ([] if covered else ["day_not_covered"])
