"""Enrolment: a code works once, in time, for its own canteen, and a tablet can be shut out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.access import throttling
from canteen.access.throttling import TooManyAttempts
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.tills import enrolling, keys
from canteen.tills.enrolling import BadTillName, EnrolOutcome, TillNameTaken, WrongCode
from canteen.tills.journal import TillWithdrawn
from canteen.tills.models import EnrolmentCode, Till
from tests.factories import City, make_city

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


def code(city: City, at: datetime = NOON) -> str:
    with transaction():
        return enrolling.make_code(city.here.id, city.manager, at)


def enrol(
    given: str, name: str = "一号机", at: datetime = NOON, remote: str = "192.0.2.1"
) -> EnrolOutcome:
    with transaction():
        return enrolling.enrol(given, name, remote, at)


def enrolled(city: City, name: str = "一号机") -> Till:
    till = enrol(code(city), name).till
    assert till is not None
    return till


def test_a_tablet_becomes_a_till_of_the_managers_canteen_once(city: City) -> None:
    given = code(city)
    assert len(given) == 8 and given.isdigit()
    till = enrol(f" {given[:4]} {given[4:]} ", "  一号  机 ").till
    assert till is not None
    assert (till.canteen_id, till.name, till.head) == (city.here.id, "一号 机", 0)
    assert till.enrolled_by == city.manager.label
    assert isinstance(enrol(given, "二号机").refusal, WrongCode)
    used = db.session.scalar(sa.select(EnrolmentCode.till_id))
    assert used == till.id


def test_each_till_has_a_key_of_its_own_and_none_is_kept(city: City) -> None:
    first, second = enrolled(city), enrolled(city, "二号机")
    assert keys.key_of(first) != keys.key_of(second) and len(keys.key_of(first)) == 32
    row = db.session.execute(sa.select(Till.__table__).where(Till.id == first.id)).one()
    assert keys.key_of(first).hex() not in str(row)


def test_a_code_is_kept_as_a_keyed_hash_only(city: City) -> None:
    given = code(city)
    assert given not in str(db.session.execute(sa.select(EnrolmentCode.__table__)).all())
    assert given not in str(db.session.execute(sa.select(AuditRecord.__table__)).all())


def test_a_code_ends_by_itself(city: City) -> None:
    given = code(city)
    late = NOON + enrolling.CODE_LIVES
    assert isinstance(enrol(given, at=late).refusal, WrongCode)
    assert enrol(given, at=late - timedelta(seconds=1)).till is not None


def test_guessing_is_slowed_even_for_the_right_code(city: City) -> None:
    given = code(city)
    for n in range(throttling.PER_REMOTE):
        assert isinstance(enrol(f"{n:08d}").refusal, WrongCode)
    assert isinstance(enrol(given).refusal, TooManyAttempts)
    assert enrol(given, remote="192.0.2.2").till is not None


def test_a_name_that_is_taken_leaves_the_code_as_it_is(city: City) -> None:
    enrolled(city)
    given = code(city)
    with pytest.raises(TillNameTaken) as taken:
        enrol(given, "一号机")
    assert taken.value.detail["free"] == "一号机 2"
    for bad in ("", " ", "名" * 21, "a\u200bb"):
        with pytest.raises(BadTillName):
            enrol(given, bad)
    assert enrol(given, "二号机").till is not None


@pytest.mark.parametrize(
    ("name", "free"),
    [("1 号收银机", "3 号收银机"), ("Till 1", "Till 2"), ("名" * 20, "名" * 14 + " 2"),
     ("名" * 19 + "9", "名" * 14 + " 10")],
)  # fmt: skip
def test_the_next_free_name_counts_on(name: str, free: str) -> None:
    assert enrolling.free_name(name, {name, "2 号收银机"}) == free


def test_only_the_canteens_manager_makes_codes(city: City) -> None:
    with pytest.raises(Forbidden), transaction():
        enrolling.make_code(city.here.id, city.cashier, NOON)
    with pytest.raises(NotFound), transaction():
        enrolling.make_code(city.elsewhere.id, city.manager, NOON)


def test_a_till_is_shut_out_and_let_in_again(city: City) -> None:
    till = enrolled(city)
    with transaction():
        enrolling.withdraw(till.id, city.manager, NOON)
        enrolling.withdraw(till.id, city.manager, NOON + timedelta(hours=1))
    with pytest.raises(TillWithdrawn):
        enrolling.working(till.id, city.cashier)
    assert db.session.get_one(Till, till.id).withdrawn_at == NOON
    with transaction():
        enrolling.reinstate(till.id, city.manager)
    assert enrolling.working(till.id, city.cashier).id == till.id
    acts = db.session.scalars(
        sa.select(AuditRecord.act).where(AuditRecord.subject == "till").order_by(AuditRecord.id)
    )
    assert list(acts) == ["enrol_till", "withdraw_till", "reinstate_till"]


def test_another_canteens_till_does_not_exist(city: City) -> None:
    till = enrolled(city)
    with pytest.raises(NotFound):
        enrolling.working(till.id, city.cashier_elsewhere)
    with pytest.raises(Forbidden), transaction():
        enrolling.withdraw(till.id, city.cashier, NOON)
    assert enrolling.tills_of(city.elsewhere.id) == []


def test_a_manager_who_has_looked_quiets_the_alarm_and_the_record_keeps_it(city: City) -> None:
    till = enrolled(city)
    with transaction():
        held = db.session.get_one(Till, till.id)
        held.alarm, held.alarm_at = "unsigned", NOON
    with transaction():
        enrolling.quiet_alarm(till.id, city.manager)
    assert db.session.get_one(Till, till.id, populate_existing=True).alarm is None
    last = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert last is not None and last.detail["alarm"] == "unsigned"


def test_every_alarm_the_journal_sounds_is_explained() -> None:
    from canteen.tills.journal import JournalAltered, JournalUnsigned

    for refusal in (JournalAltered, JournalUnsigned):
        assert enrolling.alarm_text(refusal.alarm) is enrolling.ALARMS[refusal.alarm]
    assert "核对" in enrolling.alarm_text("something else").zh


def test_the_tablets_mark_fits_its_own_till_only(city: City) -> None:
    first, second = enrolled(city), enrolled(city, "二号机")
    assert enrolling.is_marked(first, enrolling.mark_of(first))
    for wrong in ("", "1.x", enrolling.mark_of(second), enrolling.mark_of(first) + "0", "é"):
        assert not enrolling.is_marked(first, wrong)


def test_unused_codes_are_forgotten(city: City) -> None:
    code(city)
    with transaction():
        assert enrolling.forget_codes(NOON) == 0
        assert enrolling.forget_codes(NOON + timedelta(days=1)) == 1
