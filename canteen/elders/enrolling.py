"""Putting people on the register and keeping what is known of them true, with dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db, insert
from canteen.elders import checking, facts, initials, phones, ric
from canteen.elders.checking import Enrolment, FactWish
from canteen.elders.models import Elder, ElderFact, ElderInitials
from canteen.elders.seeing import get_for
from canteen.errors import Conflict, NotFound
from canteen.loading import load
from canteen.reasons import reason_of
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text, day

# A person has one of these at a time; a new one ends the one before.
ONE_AT_A_TIME = ("care_level", "disability_grade")
CHANGEABLE = (
    "name", "phone", "household", "street_code", "diet_notes", ric.FIELD
)


class AlreadyEnrolled(Conflict):
    """The ID number is on the register already."""

    code = "already_enrolled"
    text = Text("这个身份证号已经登记过了", "This ID number is on the register already")


class FactOverlaps(Conflict):
    """The same thing is already recorded for some of these days."""

    code = "fact_overlaps"
    text = Text("从 {since} 起已有同样的记录", "The same is already recorded from {since}")


def enrol(wish: Enrolment, by: Actor) -> int:
    """Put a person on the register; gives the elder's id.

    Street, district and city staff, on their ground. A payout account is checked but not taken
    over: the door asks for it, and a second person confirms it. Refuses what `checking` refuses,
    naming the field, and AlreadyEnrolled.
    """
    by.must_be(*BUREAU)
    now = clock.now()
    person = checking.checked(wish, checking.grounds(), clock.business_date(now))
    _must_reach(by, person.columns["street_code"])
    elder_id = db.session.scalar(
        insert(Elder.__table__)
        .values(
            **(person.columns | {"payout_account": None}), ric_hash=person.ric_hash, status="alive",
            ric_cipher=ric.encrypt(person.number, person.ric_hash),
            registered_at=now, updated_at=now,
        )
        .on_conflict_do_nothing(index_elements=["ric_hash"])
        .returning(Elder.__table__.c.id)
    )  # fmt: skip
    if elder_id is None:
        raise AlreadyEnrolled(field=ric.FIELD)
    write_initials({elder_id: person.columns["name"]})
    for fact in person.facts:
        _add(elder_id, fact, by)
    facts.refresh_statuses(clock.business_date(now), [elder_id])
    record(by.label, "enrol", "elder", elder_id, {"street": person.columns["street_code"]})
    return elder_id


def change(elder_id: int, by: Actor, **changes: Any) -> None:
    """Correct what the register says of a person: any of `CHANGEABLE` by name.

    Where money goes to is not among them: that is asked for and confirmed by a second person.
    A corrected `id_number` brings its birth date along. Refuses what `checking` refuses, NotFound
    off the actor's ground, AlreadyEnrolled when the number is somebody else's.
    """
    elder = _held(elder_id, by)
    known = checking.grounds()
    columns: dict[str, Any] = {}
    for field, given in changes.items():
        if field not in CHANGEABLE:
            raise TypeError(f"{field} cannot be changed")
        if field == "name":
            columns["name"] = checking.name(given)
        elif field == "phone":
            columns |= checking.phone_columns(checking.phone(given))
        elif field == "household":
            columns["household"] = checking.household(given, known)
        elif field == "street_code":
            columns["street_code"] = checking.street(given, known)
        elif field == ric.FIELD:
            columns |= _number_columns(elder_id, given)
        else:
            columns[field] = checking.text(field, 120)(given)
    # Only what differs is a change; the values themselves stay out of the audit trail.
    before = {field: getattr(elder, field) for field in columns if field != "ric_cipher"}
    altered = sorted(field for field, value in before.items() if value != columns[field])
    if not altered:
        return
    for field, value in columns.items():
        setattr(elder, field, value)
    elder.updated_at = clock.now()
    db.session.flush()
    if "phone" in altered and before["phone"]:
        told = [(elder_id, elder.name, before["phone"])]
        phones.tell_former(told, by.label, at=elder.updated_at)
    if "name" in altered:
        write_initials({elder_id: elder.name})
    places = {
        field: [before[field], columns[field]]
        for field in altered if field in ("household", "street_code")
    }  # fmt: skip
    record(by.label, "change", "elder", elder_id, {"fields": altered, **places})


def record_fact(elder_id: int, wish: FactWish, by: Actor) -> int:
    """Record something true of an elder between two days; gives the fact's id.

    A new care level or disability grade ends the one before on the day before it begins. Refuses
    what `checking.fact` refuses, and FactOverlaps.
    """
    elder = _held(elder_id, by)
    today = clock.business_date()
    checking.fact(wish, elder.birth_date, today)
    fact_id = _add(elder_id, wish, by)
    facts.refresh_statuses(today, [elder_id])
    record(by.label, "record_fact", "elder", elder_id, _said(wish) | {"fact": fact_id})
    return fact_id


def end_fact(fact_id: int, last_day: date, by: Actor) -> None:
    """Let a fact hold until `last_day`, that day included. Refuses BadDates and NotFound."""
    fact = _fact(fact_id, by)
    if last_day < fact.valid_from:
        raise checking.BadDates(field="valid_to")
    fact.valid_to = last_day
    db.session.flush()
    facts.refresh_statuses(clock.business_date(), [fact.elder_id])
    detail = {"fact": fact_id, "kind": fact.kind, "value": fact.value, "until": str(last_day)}
    record(by.label, "end_fact", "elder", fact.elder_id, detail)


def withdraw_fact(fact_id: int, reason: str, by: Actor) -> None:
    """Take back a fact that was never true (a death reported of the wrong person).

    The row goes, so that the right one may be recorded; what it said, who took it back and why
    stays in the audit trail. Refuses NotFound and ReasonMissing.
    """
    fact = _fact(fact_id, by)
    detail = facts.withdrawal(fact, reason_of(reason))
    elder_id = fact.elder_id
    facts.drop([fact_id])
    facts.refresh_statuses(clock.business_date(), [elder_id])
    record(by.label, "withdraw_fact", "elder", elder_id, detail)


def write_initials(names: dict[int, str]) -> None:
    """Keep, for each elder id, the initials of the name it has now."""
    db.session.execute(sa.delete(ElderInitials).where(ElderInitials.elder_id.in_(list(names))))
    rows = (
        (elder_id, spelling)
        for elder_id, name in names.items() for spelling in initials.of_name(name)
    )  # fmt: skip
    load(ElderInitials, ("elder_id", "initials"), rows)


def _number_columns(elder_id: int, given: str) -> dict[str, Any]:
    number = ric.checked(given)
    ric_hash = ric.hash_of(number)
    other = sa.select(Elder.id).where(Elder.ric_hash == ric_hash, Elder.id != elder_id)
    if db.session.scalar(other) is not None:
        raise AlreadyEnrolled(field=ric.FIELD)
    return {
        "birth_date": checking.birth(number, None, clock.business_date()),
        "ric_hash": ric_hash,
        "ric_last4": number[-4:],
        "ric_cipher": ric.encrypt(number, ric_hash),
    }


def _add(elder_id: int, wish: FactWish, by: Actor) -> int:
    same_kind = db.session.scalars(
        sa.select(ElderFact).where(ElderFact.elder_id == elder_id, ElderFact.kind == wish.kind)
    ).all()
    for other in same_kind:
        overlaps = (wish.valid_to is None or other.valid_from <= wish.valid_to) and (
            other.valid_to is None or other.valid_to >= wish.valid_from
        )
        if not overlaps:
            continue
        replaces = wish.kind in ONE_AT_A_TIME and other.value != wish.value
        if replaces and other.valid_from < wish.valid_from:
            other.valid_to = wish.valid_from - timedelta(days=1)
        elif replaces or other.value == wish.value:
            raise FactOverlaps(field="valid_from", since=day(other.valid_from, year=True))
    fact = ElderFact(
        elder_id=elder_id, kind=wish.kind, value=wish.value, valid_from=wish.valid_from,
        valid_to=wish.valid_to, evidence=wish.evidence.strip(), recorded_by=by.label,
        recorded_at=clock.now(),
    )  # fmt: skip
    db.session.add(fact)
    db.session.flush()
    return fact.id


def _said(wish: FactWish) -> dict[str, Any]:
    said = {"kind": wish.kind, "value": wish.value, "from": str(wish.valid_from)}
    return said | ({"to": str(wish.valid_to)} if wish.valid_to else {})


def _held(elder_id: int, by: Actor) -> Elder:
    """The elder, for staff of their ground only, locked until the act is over."""
    by.must_be(*BUREAU)
    return get_for(by, elder_id, lock=True)


def _fact(fact_id: int, by: Actor) -> ElderFact:
    fact = db.session.get(ElderFact, fact_id, populate_existing=True)
    if fact is None:
        raise NotFound()
    _held(fact.elder_id, by)
    # Whoever held the elder before may have withdrawn it.
    fact = db.session.get(ElderFact, fact_id, populate_existing=True)
    if fact is None:
        raise NotFound()
    return fact


def _must_reach(by: Actor, street_code: str) -> None:
    if not by.reaches(street_code):
        raise checking.UnknownStreet(field="street_code")
