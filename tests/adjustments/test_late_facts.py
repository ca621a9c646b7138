"""Facts told after the month was settled: exactly their meals change, up and down, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock
from canteen.adjustments import late_facts
from canteen.adjustments.models import FactReview
from canteen.checks import running
from canteen.checks.models import Suspicion, SuspicionStep
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.elders import enrolling, importing, ric
from canteen.elders.checking import FactWish
from canteen.elders.models import Elder, ElderFact
from canteen.notices.models import Notice
from canteen.orders.booking import post_day
from canteen.orders.models import Order
from canteen.settlements import changing, holding, looking, reviewing
from canteen.subsidies.models import Grant, QuotaUse
from canteen.verifying import verify
from tests.elders.factories import write_csv
from tests.factories import City, actor, make_elder, make_menu, make_user
from tests.planting import planted
from tests.settlements.factories import (
    AFTER,
    FIRST,
    JOB,
    OCTOBER,
    at_noon,
    close,
    little_month,
    pass_on,
    sell,
    statement_of,
)

TOLD = at_noon(date(2026, 11, 3))
NIGHT = at_noon(date(2026, 11, 4))
SECOND = date(2026, 10, 2)


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


def tell(
    elder: Elder, kind: str, value: str, since: date, until: date | None = None,
    told: datetime = TOLD, by: str = "user:9",
) -> int:
    """A fact as the register has it, recorded at an instant."""
    with transaction():
        fact = ElderFact(
            elder_id=elder.id, kind=kind, value=value, valid_from=since, valid_to=until,
            recorded_by=by, recorded_at=told,
        )
        db.session.add(fact)
        db.session.flush()
        return fact.id


def look(at: datetime = NIGHT) -> late_facts.Looked:
    with transaction():
        return late_facts.look(at=at)


def meals(elder: Elder, **where: Any) -> dict[date, list[tuple[int, str]]]:
    """The rows of an elder's meals by day: (number, cause)."""
    found: dict[date, list[tuple[int, str]]] = {}
    for row in db.session.execute(
        sa.select(Grant.on, Grant.number, Grant.cause)
        .where(Grant.elder_id == elder.id).filter_by(**where).order_by(Grant.on, Grant.number)
    ):  # fmt: skip
        found.setdefault(row.on, []).append((row.number, row.cause))
    return found


def taken_days(elder: Elder) -> list[date]:
    return [on for on, rows in meals(elder).items() if rows[-1] == (2, "late_fact")]


@pytest.mark.parametrize("status", ["deceased", "moved", "in_institution"])
def test_a_status_told_late_takes_back_the_meals_after_its_day_and_no_other(
    city: City, status: str
) -> None:
    close()
    fact = tell(city.elder, "status", status, SECOND)
    looked = look()
    # The meal of the very day may have been eaten before, so it still counts.
    days = [FIRST + timedelta(days=n) for n in range(2, 7)]
    given = [on for on in meals(city.elder) if meals(city.elder)[on][0][1] == "sale"]
    assert taken_days(city.elder) == [on for on in days if on in given]
    assert (looked.facts, looked.taken_back) == (1, len(taken_days(city.elder)))
    causes = set(db.session.scalars(sa.select(Grant.cause_id).where(Grant.cause == "late_fact")))
    assert causes == {fact}
    assert verify() == []


def test_long_term_care_counts_from_its_first_day_on(city: City) -> None:
    close()
    tell(city.elder, "long_term_care", "covered", SECOND)
    look()
    assert taken_days(city.elder)[0] == SECOND
    assert verify() == []


def test_the_statement_under_review_is_amended_and_a_later_look_changes_nothing(
    city: City,
) -> None:
    close()
    before = statement_of(city.here).total_fen
    tell(city.elder, "status", "deceased", SECOND)
    taken = look().taken_back
    assert statement_of(city.here).total_fen == before - 500 * taken
    again = look()
    assert (again.facts, again.taken_back, again.given) == (0, 0, 0)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FactReview)) == 1
    assert verify() == []


def test_meals_of_an_open_month_are_left_to_the_checks(city: City) -> None:
    tell(city.elder, "status", "deceased", SECOND)
    looked = look()
    assert (looked.facts, looked.taken_back) == (1, 0)


def test_a_fact_recorded_before_the_meals_is_no_late_fact(city: City) -> None:
    close()
    tell(city.elder, "category", "low_income", SECOND, told=at_noon(date(2026, 9, 1)))
    assert look() == late_facts.Looked()


def test_an_end_set_later_gives_back_what_the_fact_had_taken_however_often(city: City) -> None:
    close()
    fact = tell(city.elder, "status", "in_institution", SECOND)
    taken = look().taken_back
    for night, until in enumerate((SECOND, None, SECOND), 1):
        with transaction():
            db.session.execute(
                sa.update(ElderFact).where(ElderFact.id == fact).values(valid_to=until)
            )
        looked = look(NIGHT + timedelta(days=night))
        assert (looked.taken_back, looked.given_again) == ((0, taken) if until else (taken, 0))
    assert taken_days(city.elder) == []
    assert verify() == []


def test_a_withdrawn_fact_gives_back_what_it_had_taken(city: City) -> None:
    close()
    fact = tell(city.elder, "status", "deceased", SECOND)
    taken = look().taken_back
    with transaction():
        enrolling.withdraw_fact(fact, "记错了人", city.extra["hands"].street)
    for expected in (taken, 0):
        with transaction():
            assert late_facts.look_at_withdrawn(at=clock.now()).given_again == expected
    assert verify() == []


@pytest.mark.parametrize("closed", [True, False])
def test_what_was_denied_for_a_fact_withdrawn_later_is_taken_up_again(
    city: City, closed: bool
) -> None:
    officer, day = city.extra["hands"].district, timedelta(days=1)
    fact = tell(city.elder, "status", "deceased", SECOND, told=at_noon(date(2026, 10, 8)))

    def check(at: datetime) -> None:
        with transaction():
            scope = scope_of(OCTOBER, clock.business_date(at))
            running.run(scope, by=JOB, at=at, only=["deceased"])

    def decide(verdict: str, at: datetime) -> None:
        for finding in db.session.scalars(sa.select(Suspicion.id).filter_by(state="open")).all():
            with transaction():
                holding.decide(finding, verdict, "已向家属核实", by=officer, at=at)

    def found() -> dict[str, int]:
        rows = db.session.execute(
            sa.select(Suspicion.state, sa.func.count()).group_by(Suspicion.state)
        )
        return dict(rows.all())

    check(NIGHT)
    if closed:
        close()
    meant = found()["open"]
    decide("deny", NIGHT)
    assert found() == {"denied": meant}
    with time_machine.travel(NIGHT + day, tick=False), transaction():
        enrolling.withdraw_fact(fact, "报错了人", officer)
    for _ in range(2):
        with transaction():
            done = late_facts.look_at_withdrawn(at=NIGHT + 2 * day)
        assert (done.given_again, found()) == (0, {"open": meant}), "a person decides, not the job"
    [told] = db.session.scalars(sa.select(Notice).filter_by(kind="taken_up"))
    assert f"{meant}餐" in told.zh and told.territory_code == city.here.district_code
    step = db.session.scalars(sa.select(SuspicionStep).order_by(SuspicionStep.id.desc())).first()
    assert step and (step.verdict, step.by_label) == ("reopen", late_facts.LOOKER.label)
    assert "“已故”（2026年10月2日" in step.reason and "已撤回" in step.reason
    if not closed:
        check(NIGHT + 2 * day)
        assert found() == {"open": meant}, "denied meals are no more found, but wait"
    decide("pay", NIGHT + 3 * day)
    again = [rows for rows in meals(city.elder).values() if rows[-1][1] == "released"]
    assert len(again) == meant and all(rows[-2][1] == "denied" for rows in again)
    with transaction():
        late_facts.look_at_withdrawn(at=NIGHT + 4 * day)
    assert found() == {"paid": meant} and verify() == []


def test_an_upheld_appeal_stands_until_the_register_changes_once_more(city: City) -> None:
    close()
    tell(city.elder, "status", "moved", SECOND)
    look()
    order = db.session.scalar(sa.select(Grant.order_id).where(Grant.cause == "late_fact"))
    with transaction():
        changing.give_again({order: None}, "upheld", JOB, NIGHT + timedelta(hours=1))
    tell(city.elder, "category", "low_income", FIRST)  # told before the decision
    assert look(NIGHT + timedelta(days=1)).taken_back == 0
    tell(city.elder, "status", "deceased", FIRST, told=NIGHT + timedelta(days=2))
    assert look(NIGHT + timedelta(days=3)).taken_back >= 1


def test_a_held_meal_waits_for_its_decision(city: City) -> None:
    order = db.session.scalar(
        sa.select(sa.func.max(Grant.order_id)).where(
            Grant.elder_id == city.elder.id, Grant.sign > 0, Grant.canteen_id == city.here.id)
    )  # fmt: skip
    with transaction():
        found = Suspicion(
            code="deceased", period=OCTOBER, canteen_id=city.here.id, order_id=order,
            key=f"order:{order}", amount_fen=500, evidence={}, mode="hold", state="open",
            found_at=NIGHT, reason="", false_alarm=False,
        )  # fmt: skip
        db.session.add(found)
    close()
    tell(city.elder, "status", "deceased", SECOND)
    look()
    last = sa.select(Grant.cause).where(Grant.order_id == order).order_by(Grant.number.desc())
    assert db.session.scalar(last.limit(1)) == "held"
    assert list(db.session.scalars(sa.select(FactReview.digest))) == [""]
    with transaction():
        holding.decide(
            found.id, "pay", "家属证实", by=city.extra["hands"].district,
            at=NIGHT + timedelta(hours=3),
        )
    look(NIGHT + timedelta(days=1))
    assert db.session.scalar(last.limit(1)) == "released"
    assert list(db.session.scalars(sa.select(FactReview.digest))) == [f"deceased|{SECOND}|"]


# ── a status granted backwards ──


def full_price_days(city: City, days: list[date], **who: Any) -> Elder:
    """An elder of 75 who paid in full on these days."""
    with transaction():
        elder = make_elder(date(1951, 1, 1), name="孙长青", payout_account="acct_sun", **who)
    for on in days:
        with transaction():
            items = make_menu(city.here, on, meal="dinner")
            sell(city, items[:1], on, elder, meal="dinner")
    with transaction():
        post_day(max(days), JOB)
    return elder


def test_a_status_granted_backwards_pays_what_the_till_did_not_within_the_caps(
    app: Flask,
) -> None:
    city = little_month(post=False)
    week = [date(2026, 10, 12) + timedelta(days=n) for n in range(7)]  # Monday to Sunday
    elder = full_price_days(city, week)
    close()
    tell(elder, "category", "visiting_care", week[1])
    looked = look()
    assert looked.given == 5  # Tuesday to Saturday; Sunday is the sixth of its week
    assert list(meals(elder)) == week[1:6]
    rows = db.session.execute(
        sa.select(Grant.cause, Grant.number, Grant.till_fen, Grant.account_fen,
                  Grant.enterprise_fen, Grant.period)
        .where(Grant.elder_id == elder.id).distinct()
    ).all()  # fmt: skip
    assert rows == [("late_fact", 1, 0, 300, 200, "2026-11")]
    assert verify() == []
    close("2026-11", date(2026, 12, 2))
    paid = statement_of(period="2026-11", elder_id=elder.id)
    assert (paid.account_fen, paid.meals) == (1500, 5)
    assert verify() == []


def test_a_status_taken_back_again_takes_the_account_money_back(app: Flask) -> None:
    city = little_month(post=False)
    elder = full_price_days(city, [date(2026, 10, 12)])
    close()
    fact = tell(elder, "category", "visiting_care", date(2026, 10, 1))
    assert look().given == 1
    with transaction():
        db.session.execute(
            sa.update(ElderFact).where(ElderFact.id == fact).values(valid_to=date(2026, 10, 11))
        )
    assert look(NIGHT + timedelta(days=1)).taken_back == 1
    assert meals(elder) == {date(2026, 10, 12): [(1, "late_fact"), (2, "late_fact")]}
    assert verify() == []


def test_a_week_across_new_year_counts_as_one_week(app: Flask) -> None:
    city = little_month(date(2026, 12, 1), post=False)
    week = [date(2026, 12, 28) + timedelta(days=n) for n in range(7)]
    elder = full_price_days(city, week)
    tell(elder, "category", "visiting_care", date(2026, 12, 1), told=at_noon(date(2027, 1, 5)))
    assert look(at_noon(date(2027, 1, 6))).given == 5
    used = db.session.scalar(
        sa.select(QuotaUse.used).where(
            QuotaUse.elder_id == elder.id, QuotaUse.period_code == "week",
            QuotaUse.starts_on == date(2026, 12, 28),
        )
    )  # fmt: skip
    assert used == 5


def test_who_was_born_on_29_february_is_70_on_the_first_of_march(app: Flask) -> None:
    city = little_month(date(2026, 2, 1), post=False)
    days = [date(2026, 2, 28), date(2026, 3, 1)]
    with transaction():
        elder = make_elder(date(1956, 2, 29), name="闰生")
    for on in days:
        with transaction():
            items = make_menu(city.here, on, meal="dinner")
            sell(city, items[:1], on, elder, meal="dinner")
    tell(elder, "category", "visiting_care", days[0], told=at_noon(date(2026, 3, 5)))
    look(at_noon(date(2026, 3, 6)))
    assert list(meals(elder)) == [days[1]]


def test_a_meal_below_the_price_gate_was_rightly_paid_in_full(app: Flask) -> None:
    city = little_month(post=False)
    on = date(2026, 10, 12)
    with transaction():
        elder = make_elder(date(1951, 1, 1), name="孙长青")
        items = make_menu(city.here, on, meal="dinner")
        sell(city, items[1:2], on, elder, meal="dinner")
        paid = db.session.scalar(sa.select(Order.list_fen).where(Order.elder_id == elder.id))
    assert paid == 300
    tell(elder, "category", "visiting_care", date(2026, 10, 1))
    assert look().given == 0


def test_an_amount_the_canteen_gave_by_mistake_is_not_paid_twice(app: Flask) -> None:
    city = little_month(post=False)
    elder = full_price_days(city, [AFTER - timedelta(days=20)])
    with transaction():
        db.session.execute(
            sa.update(Order).where(Order.elder_id == elder.id)
            .values(
                excess_fen=300, discount_fen=Order.discount_fen + 300,
                payable_fen=Order.payable_fen - 300, cash_fen=Order.cash_fen - 300,
            )
        )  # fmt: skip
    tell(elder, "category", "visiting_care", date(2026, 10, 1))
    assert look().given == 0


# ── a register file says another day than before ──


def take_in(path: Path, city: City, at: datetime, rows: list[tuple[Elder, dict[str, str]]]) -> None:
    """A register file of the district, and the looks of the night after it."""
    with time_machine.travel(at, tick=False):
        write_csv(path, [
            {
                "id_number": ric.decrypt(elder.ric_cipher, elder.ric_hash), "name": elder.name,
                "household": elder.household, "street_code": elder.street_code, **cells,
            }
            for elder, cells in rows
        ])  # fmt: skip
        by, errors = city.extra["hands"].district, list[Any]()
        prepared = importing.prepare(path, by, errors.append)
        with transaction():
            importing.merge(prepared, by, errors.append)
        assert errors == []
    night = at + timedelta(hours=18)
    with time_machine.travel(night, tick=False):
        look(night)
        after: int | None = 0
        while after is not None:
            with transaction():
                after = late_facts.look_at_withdrawn(at=night, after=after, limit=1).last


def status(value: str, on: str) -> dict[str, str]:
    return {"status": value, "status_on": on}


def visited(since: str) -> dict[str, str]:
    return {"categories": "visiting_care", "valid_from": since}


def test_what_a_file_corrects_is_put_right_on_every_day_it_had_said_otherwise(
    app: Flask, tmp_path: Path
) -> None:
    city = little_month(post=False)
    dead, back = city.elder, city.extra["second"]
    days = [date(2026, 10, 12) + timedelta(days=n) for n in range(4)]
    later = full_price_days(city, days)
    sooner = full_price_days(city, [date(2026, 10, 19)], phone=None)
    close()
    tell(sooner, "category", "visiting_care", date(2026, 10, 20), told=at_noon(date(2026, 9, 1)))
    november = [at_noon(date(2026, 11, n)) for n in range(3, 8)]
    path = tmp_path / "file.csv"
    take_in(path, city, november[0], [(dead, status("deceased", "2026-10-02")),
                                      (back, status("in_institution", "2026-10-01"))])
    take_in(path, city, november[1], [(later, visited("2026-10-12"))])
    assert taken_days(dead)[:2] == [date(2026, 10, 3), date(2026, 10, 4)] and taken_days(back)
    assert list(meals(later)) == days
    take_in(path, city, november[2], [(dead, status("deceased", "2026-10-05")),
                                      (back, status("alive", "2026-10-01"))])
    take_in(path, city, november[3], [(later, visited("2026-10-14")),
                                      (sooner, visited("2026-10-01"))])
    again = [on.day for on, rows in meals(dead).items() if rows[-1] == (3, "late_fact")]
    assert again == [3, 4, 5], "the death was later"
    assert taken_days(dead) == [date(2026, 10, 6), date(2026, 10, 7)]
    assert all(rows[-1][0] % 2 for rows in meals(back).values()), "it never was"
    assert taken_days(later) == days[:2] and list(meals(sooner)) == [date(2026, 10, 19)]
    assert verify() == []


@pytest.mark.parametrize("by_file", [False, True])
def test_whoever_changed_the_fact_that_raised_a_sum_does_not_approve_its_payment(
    city: City, by_file: bool
) -> None:
    hands = city.extra["hands"]
    close()
    with transaction():
        chief, other = (actor(make_user("city", territory_code="120000")) for _ in range(2))
        fact = enrolling.record_fact(
            city.elder.id, FactWish("status", "deceased", SECOND, None, "殡仪馆证明"), hands.street
        )
    with transaction():
        assert late_facts.look(at=clock.now()).taken_back
    here, low = statement_of(city.here).id, statement_of(city.here).total_fen
    pass_on([here], hands, upto="district")
    with transaction():
        enrolling.withdraw_fact(fact, "同名，记错了人", hands.street if by_file else chief)
    if by_file:  # a file writes its facts without a record of each
        tell(city.elder, "category", "low_income", SECOND, told=clock.now(), by=chief.label)
    with transaction():
        assert late_facts.look_at_withdrawn(at=clock.now()).given_again
    assert statement_of(city.here).total_fen > low
    with transaction():
        looking.look_rest([here], other, clock.now())
    with transaction(), pytest.raises(reviewing.SameHand) as refusal:
        reviewing.approve([here], chief, at=clock.now())
    assert "调高" in refusal.value.text.zh
    with transaction():
        reviewing.approve([here], other, at=clock.now())
    assert verify() == []
    chiefs = f"UPDATE statement_steps SET by_label = '{chief.label}' WHERE stage = 'city'"
    with planted(chiefs):
        assert "approved_by_chain" in {each.check for each in verify()}
