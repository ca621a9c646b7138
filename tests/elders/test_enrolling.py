"""Putting people on the register, what is refused, and what the audit trail keeps of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks
from canteen.db import canonical, db, transaction
from canteen.elders import enrolling, ric
from canteen.elders.checking import FactWish
from canteen.elders.models import Elder, ElderFact, ElderInitials
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.reasons import ReasonMissing
from tests.elders.factories import (
    CLI,
    FOREIGN,
    OTHER_STREET,
    STAFF,
    TILL,
    count,
    enrolled,
    lay_ground,
    number,
    wish,
)

TODAY = date(2026, 11, 20)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def wrong_checksum() -> str:
    right = number()
    return right[:-1] + ("0" if right[-1] != "0" else "1")


@pytest.fixture(autouse=True)
def ground(app: Flask) -> Iterator[None]:
    """The districts and streets, and one day that is today for as long as a test takes."""
    with time_machine.travel(clock.instant(TODAY, time(12))):
        lay_ground()
        yield


def test_an_enrolled_person_is_kept_without_the_plain_number() -> None:
    elder_id = enrolled(by=STAFF)
    elder = db.session.get_one(Elder, elder_id)
    assert (elder.name, elder.birth_date) == ("曾小单", date(1940, 5, 1))
    assert elder.ric_last4 == number()[-4:]
    assert (elder.phone, elder.phone_last4) == ("19900001234", "1234")
    assert number() not in repr(vars(elder)) + repr(elder) + repr(wish())
    assert ric.decrypt(elder.ric_cipher, elder.ric_hash) == number()
    spelled = set(db.session.scalars(sa.select(ElderInitials.initials)))
    assert {"zxd", "zxs", "cxc"} <= spelled


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id_number": wrong_checksum()}, "id_number", "wrong_checksum"),
        ({"id_number": ""}, "id_number", "missing"),
        ({"id_number": number(TOMORROW)}, "id_number", "bad_birth_date"),
        ({"id_number": number(date(1850, 1, 1))}, "id_number", "bad_birth_date"),
        ({"birth_date": TOMORROW}, "birth_date", "bad_birth_date"),
        ({"birth_date": date(1940, 5, 2)}, "birth_date", "birth_date_differs"),
        ({"name": "  "}, "name", "missing"),
        ({"name": "王" * 41}, "name", "bad_text"),
        ({"name": "王\x00"}, "name", "bad_text"),
        ({"phone": "12ab"}, "phone", "bad_phone"),
        ({"household": "120199"}, "household", "unknown_household"),
        ({"household": "990101"}, "household", "unknown_household"),
        ({"household": ""}, "household", "missing"),
        ({"street_code": "120104999"}, "street_code", "unknown_street"),
        ({"street_code": "120104"}, "street_code", "unknown_street"),
        ({"diet_notes": "忌" * 121}, "diet_notes", "bad_text"),
        ({"facts": (FactWish("category", "rich", TODAY),)}, "category", "unknown_value"),
        (
            {"facts": (FactWish("disability_grade", "5", TODAY),)},
            "disability_grade", "unknown_value",
        ),
        ({"facts": (FactWish("hobby", "chess", TODAY),)}, "kind", "unknown_value"),
        (
            {"facts": (FactWish("category", "low_income", TODAY, YESTERDAY),)},
            "valid_to", "bad_dates",
        ),
        (
            {"facts": (FactWish("category", "low_income", date(1939, 1, 1)),)},
            "valid_from", "bad_dates",
        ),
        ({"facts": (FactWish("status", "deceased", TOMORROW),)}, "valid_from", "bad_dates"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_naming_the_field_and_nothing_is_saved(
    changes: dict[str, object], field: str, code: str
) -> None:
    with pytest.raises(CanteenError) as refused, transaction():
        enrolling.enrol(wish(**changes), CLI)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert refused.value.text.zh and refused.value.text.en
    assert count(Elder) == count(ElderFact) == 0


def test_a_household_elsewhere_in_the_country_is_fine() -> None:
    assert enrolled(household="310115")


def test_the_same_number_twice_is_refused_and_does_not_show_it() -> None:
    enrolled()
    with pytest.raises(enrolling.AlreadyEnrolled) as refused, transaction():
        enrolling.enrol(wish(name="别人"), CLI)
    assert number() not in str(refused.value) + repr(refused.value)


def test_staff_enrol_on_their_own_ground_only_and_a_till_never() -> None:
    with pytest.raises(CanteenError) as refused, transaction():
        enrolling.enrol(wish(street_code=OTHER_STREET), STAFF)
    assert refused.value.code == "unknown_street"
    with pytest.raises(Forbidden), transaction():
        enrolling.enrol(wish(), TILL)


def test_a_change_brings_initials_and_last_digits_along() -> None:
    elder_id = enrolled()
    with transaction():
        enrolling.change(
            elder_id, STAFF, name="仇解元", phone="19900005678",
            id_number=number(date(1941, 1, 2), 7),
        )
    elder = db.session.get_one(Elder, elder_id)
    assert (elder.name, elder.phone_last4, elder.birth_date) == ("仇解元", "5678", date(1941, 1, 2))
    assert ric.decrypt(elder.ric_cipher, elder.ric_hash) == number(date(1941, 1, 2), 7)
    spelled = set(db.session.scalars(sa.select(ElderInitials.initials)))
    assert {"qjy", "cjy"} <= spelled and "zxd" not in spelled


def test_a_change_to_the_same_leaves_no_trace() -> None:
    elder_id, before = enrolled(), count(AuditRecord)
    with transaction():
        enrolling.change(elder_id, STAFF, name="曾小单", phone="199 0000 1234")
    assert count(AuditRecord) == before


def test_a_stranger_changes_nobody() -> None:
    elder_id = enrolled()
    with pytest.raises(NotFound), transaction():
        enrolling.change(elder_id, FOREIGN, name="别人")
    with pytest.raises(NotFound), transaction():
        enrolling.record_fact(elder_id, FactWish("category", "low_income", TODAY), FOREIGN)


def test_a_new_care_level_ends_the_one_before_on_the_day_before() -> None:
    elder_id = enrolled()
    with transaction():
        enrolling.record_fact(elder_id, FactWish("care_level", "mild", date(2024, 1, 1)), STAFF)
        enrolling.record_fact(elder_id, FactWish("care_level", "severe", date(2024, 6, 1)), STAFF)
    facts = {fact.value: fact for fact in db.session.query(ElderFact)}
    assert facts["mild"].valid_to == date(2024, 5, 31)
    assert facts["severe"].valid_to is None


def test_the_same_fact_for_the_same_days_is_refused() -> None:
    elder_id = enrolled()
    year = FactWish("category", "low_income", date(2024, 1, 1), date(2024, 12, 31))
    with transaction():
        enrolling.record_fact(elder_id, year, STAFF)
    with pytest.raises(enrolling.FactOverlaps) as refused, transaction():
        enrolling.record_fact(
            elder_id, FactWish("category", "low_income", date(2024, 12, 31)), STAFF
        )
    assert "2024" in refused.value.text.zh
    with transaction():
        enrolling.record_fact(elder_id, FactWish("category", "low_income", date(2025, 1, 1)), STAFF)


def test_status_is_todays_and_follows_its_dates() -> None:
    elder_id = enrolled()

    def status() -> str:
        db.session.expire_all()
        return db.session.get_one(Elder, elder_id).status

    with transaction():
        stay = enrolling.record_fact(
            elder_id, FactWish("status", "in_institution", date(2024, 1, 1)), STAFF
        )
    assert status() == "in_institution"
    with transaction():
        enrolling.end_fact(stay, YESTERDAY, STAFF)
    assert status() == "alive"
    with transaction():
        death = enrolling.record_fact(elder_id, FactWish("status", "deceased", TODAY), STAFF)
    assert status() == "deceased"
    with transaction():
        enrolling.withdraw_fact(death, "报错了人", STAFF)
    assert status() == "alive"


def test_taking_a_fact_back_needs_a_reason() -> None:
    elder_id = enrolled()
    with transaction():
        fact = enrolling.record_fact(elder_id, FactWish("status", "deceased", TODAY), STAFF)
    with pytest.raises(ReasonMissing), transaction():
        enrolling.withdraw_fact(fact, "  ", STAFF)


def test_the_audit_trail_says_who_did_what_and_never_a_number() -> None:
    elder_id = enrolled(by=STAFF, payout_account="6217000000001234567")
    with transaction():
        enrolling.change(elder_id, STAFF, name="仇解元", household="310115")
        fact = enrolling.record_fact(
            elder_id, FactWish("category", "low_income", TODAY, evidence="证 12"), STAFF
        )
        enrolling.end_fact(fact, TODAY, STAFF)
    records = db.session.query(AuditRecord).order_by(AuditRecord.id).all()
    assert [record.act for record in records] == ["enrol", "change", "record_fact", "end_fact"]
    assert {record.actor for record in records} == {"user:7"}
    told = canonical([record.detail for record in records])
    for secret in (number(), "曾小单", "仇解元", "6217000000001234567", "19900001234"):
        assert secret not in told
    assert list(breaks()) == []
