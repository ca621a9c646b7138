"""The days and meals on which rules are easily got wrong."""

from __future__ import annotations

from datetime import date

import pytest

from canteen.subsidies.pricing import quota_keys
from tests.subsidies.cases import codes, elder, lunch, policy, priced


def test_the_80th_birthday_is_the_first_subsidised_day():
    person = elder("1946-11-18")
    assert priced(lunch("2026-11-17", elder=person)).subsidy_fen == 0
    assert priced(lunch("2026-11-18", elder=person)).subsidy_fen == 300


def test_a_g4_person_leaves_the_group_on_the_70th_birthday():
    person = elder("1956-11-18", categories=["disability_allowance"], disability_grade=1)
    assert priced(lunch("2026-11-17", elder=person)).group == "G4"
    turned = priced(lunch("2026-11-18", elder=person))
    assert (turned.group, turned.subsidy_fen) == (None, 0)
    assert codes(turned) == ["not_eligible"]


def test_someone_born_on_29_february_is_80_on_1_march_of_a_common_year():
    person = elder("1948-02-29")
    assert priced(lunch("2028-02-28", elder=person)).subsidy_fen == 0
    assert priced(lunch("2028-02-29", elder=person)).subsidy_fen == 300
    leapling = elder("1956-02-29", categories=["visiting_care"])
    assert priced(lunch("2026-02-28", elder=leapling)).subsidy_fen == 0
    assert priced(lunch("2026-03-01", elder=leapling)).subsidy_fen == 300


def test_a_week_that_crosses_new_year_is_one_week():
    tianjin = policy("tianjin-V2024")
    keys = {quota_keys(tianjin, on, "lunch")[0] for on in (date(2026, 12, 31), date(2027, 1, 3))}
    assert keys == {("week", date(2026, 12, 28), 5)}
    found = priced(lunch("2027-01-01", used_this_week=5))
    assert found.refusals()[0].text.en == (
        "5 of 5 subsidised meals used since Monday 28 December; next from Monday 4 January"
    )


def test_sunday_dinner_and_monday_breakfast_are_in_two_weeks():
    tianjin = policy("tianjin-V2024")
    sunday = quota_keys(tianjin, date(2026, 11, 22), "dinner")
    monday = quota_keys(tianjin, date(2026, 11, 23), "breakfast")
    assert sunday[0] == ("week", date(2026, 11, 16), 5)
    assert monday[0] == ("week", date(2026, 11, 23), 5)
    assert not set(sunday) & set(monday)


def test_the_sixth_meal_of_a_week_is_at_full_price_and_earns_the_enterprise_nothing():
    fifth, sixth = (priced(lunch(used_this_week=used)) for used in (4, 5))
    assert (fifth.subsidy_fen, fifth.enterprise_fen) == (300, 200)
    assert (sixth.subsidy_fen, sixth.payable_fen, sixth.enterprise_fen) == (0, 1500, 0)
    assert not sixth.uses_quota


def test_lunch_at_one_canteen_and_dinner_at_another_on_one_day():
    dinner = priced(lunch(meal="dinner", district="120102", used_today=1, used_this_week=1))
    assert codes(dinner) == ["cap_day"]
    assert dinner.refusals()[0].text == (
        "今天1次补贴已用过，11月19日周四可再用",
        "1 of 1 subsidised meals used today; next from Thursday 19 November",
    )


@pytest.mark.parametrize(("list_fen", "subsidy"), [(1300, 300), (1299, 0), (1301, 300)])
def test_a_price_exactly_at_the_set_price_passes_and_one_fen_below_does_not(list_fen, subsidy):
    assert priced(lunch(list_fen=list_fen)).subsidy_fen == subsidy


def test_a_district_that_changes_its_set_price_mid_week_is_judged_by_the_day():
    monday = lunch("2026-11-16", list_fen=1400, standard_set_fen=1300)
    wednesday = lunch("2026-11-18", list_fen=1400, standard_set_fen=1500, used_this_week=1)
    assert priced(monday).subsidy_fen == 300
    assert codes(priced(wednesday)) == ["price_below_standard_set"]


def test_v2024_begins_on_friday_17_may_in_the_middle_of_a_week():
    visited = elder("1950-01-01", categories=["visiting_care"])
    assert priced(lunch("2024-05-16", elder=visited)).subsidy_fen == 0
    assert priced(lunch("2024-05-17", elder=visited)).group == "G2"
    # The week is one for both versions: what V2022 granted on Monday counts on Friday.
    assert codes(priced(lunch("2024-05-17", used_this_week=5))) == ["cap_week"]
    before = quota_keys(policy("tianjin-V2022"), date(2024, 5, 16), "lunch")
    after = quota_keys(policy("tianjin-V2024"), date(2024, 5, 17), "lunch")
    assert before[0] == after[0] == ("week", date(2024, 5, 13), 5)


def test_v2024_ends_the_subsidy_of_those_under_long_term_care_insurance_from_its_first_day():
    insured = elder(long_term_care=True)
    assert priced(lunch("2024-05-16", elder=insured)).subsidy_fen == 300
    assert codes(priced(lunch("2024-05-17", elder=insured))) == ["long_term_care"]


def test_a_meal_on_the_day_of_death_is_granted_and_noted_and_none_after_it():
    def person(day):
        return elder(status="deceased", status_since=date.fromisoformat(day))

    same_day = priced(lunch("2026-11-18", elder=person("2026-11-18")))
    assert same_day.subsidy_fen == 300
    assert "status_changes_today" in [s.code for s in same_day.steps]
    assert codes(priced(lunch("2026-11-18", elder=person("2026-11-17")))) == ["deceased"]


def test_lunch_is_granted_on_the_day_of_entering_an_institution_that_afternoon():
    person = elder(status="in_institution", status_since=date(2026, 11, 18))
    assert priced(lunch("2026-11-18", elder=person)).subsidy_fen == 300
    assert codes(priced(lunch("2026-11-19", elder=person))) == ["in_institution"]


def test_a_card_read_late_is_priced_by_the_day_of_the_meal():
    person = elder("1946-11-18")
    offline = lunch("2026-11-17", elder=person)
    assert priced(offline).subsidy_fen == 0
    assert priced(offline).steps == priced(lunch("2026-11-17", elder=person)).steps


def test_a_meal_paid_in_full_because_the_card_was_unreadable_goes_to_the_account():
    found = priced(lunch(to_account=True))
    assert (found.subsidy_fen, found.account_fen, found.payable_fen) == (0, 300, 1500)
    assert found.uses_quota
