"""Closing a month: once, completely, by funder, and whatever is late falls into the next."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.adjustments.finding import changes
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.ledger.balances import balances, unbalanced
from canteen.orders.cancelling import cancel
from canteen.settlements import amounts_in_question, closing, reviewing, whereabouts
from canteen.settlements.finding import lines_of
from canteen.settlements.models import Statement, StatementLine, StatementStep
from canteen.subsidies.models import Grant, Period
from tests.factories import make_menu
from tests.settlements.factories import (
    AFTER,
    JOB,
    OCTOBER,
    at_noon,
    close,
    little_month,
    make_funding,
    pass_on,
    sell,
    statement_of,
)


@pytest.fixture
def city(app: Flask):
    return little_month()


def sums(statement: Statement) -> dict[str, int]:
    names = ("meals", "elder_fen", "account_fen", "enterprise_fen", "delivery_fen", "online_fen",
             "carried_fen", "total_fen")  # fmt: skip
    return {name: getattr(statement, name) for name in names if getattr(statement, name)}


def test_a_canteen_gets_one_statement_of_everything_it_is_owed(city) -> None:
    done = close()
    # 河南开: five meals of the first elder (then the week's five are used up), one to account and
    # one online of the second. Enterprise 2.00 a meal; online 1500 − 10 % own discount − 300.
    here = statement_of(city.here)
    assert sums(here) == {
        "meals": here.meals, "elder_fen": 300 * (here.meals - 1),
        "enterprise_fen": 200 * here.meals, "online_fen": 1050,
        "total_fen": 300 * (here.meals - 1) + 200 * here.meals + 1050,
    }
    elsewhere = statement_of(city.elsewhere)
    assert sums(elsewhere) == {
        "meals": 3, "elder_fen": 900, "enterprise_fen": 600, "total_fen": 1500,
    }
    own = statement_of(elder_id=city.extra["second"].id)
    assert sums(own) == {"meals": 1, "account_fen": 300, "total_fen": 300}
    assert (own.payee, own.stage, own.street_code) == ("elder", "street", "120104001")
    assert (here.payee, here.stage, here.due_on) == ("canteen", "operator", date(2026, 11, 5))
    assert (done.statements, done.already) == (3, False)
    assert done.total_fen == here.total_fen + elsewhere.total_fen + own.total_fen


def test_every_sum_of_a_statement_is_split_by_funder_and_purse(city) -> None:
    close()
    here = statement_of(city.here)
    lines = {(line.side, line.funder): line for line in lines_of(here.id)}
    assert {key: line.amount_fen for key, line in lines.items()} == {
        ("elder", "city"): 150 * (here.meals - 1), ("elder", "district"): 150 * (here.meals - 1),
        ("enterprise", "city"): 100 * here.meals, ("enterprise", "district"): 100 * here.meals,
    }
    assert lines["elder", "city"].territory_code == "120000"
    assert lines["elder", "district"].territory_code == "120104"
    own = statement_of(elder_id=city.extra["second"].id)
    assert [(line.side, line.funder, line.amount_fen) for line in lines_of(own.id)] == [
        ("elder", "city", 150), ("elder", "district", 150),
    ]


def test_closing_again_says_so_and_changes_nothing(city) -> None:
    first = close()
    before = db.session.scalar(sa.select(sa.func.count()).select_from(StatementStep))
    again = close()
    assert again.already
    assert (again.statements, again.meals, again.total_fen) == (
        first.statements, first.meals, first.total_fen,
    )
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StatementStep)) == before


def test_a_month_closes_only_after_it_ended(app: Flask) -> None:
    with pytest.raises(closing.NotEnded) as refusal:
        close(on=date(2026, 10, 31))
    assert "10月31日" in refusal.value.text.zh
    assert close(on=date(2026, 11, 1)).statements == 0


@pytest.mark.parametrize("given", ["2026-13", "2026-1", "October", "2026-10-01", "", "٢٠٢٦-١٠"])
def test_what_is_not_a_month_is_refused(app: Flask, given: str) -> None:
    with pytest.raises(closing.BadPeriod):
        close(given)


def test_an_earlier_month_with_meals_must_be_closed_first(city) -> None:
    with pytest.raises(closing.EarlierOpen) as refusal:
        close("2026-11", on=date(2026, 12, 2))
    assert "2026年10月" in refusal.value.text.zh
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Statement)) == 0


def test_an_earlier_month_with_nothing_is_closed_along(app: Flask) -> None:
    with transaction() as session:
        session.add(Period(period="2026-08"))
    close()
    assert db.session.scalar(
        sa.select(Period.closed_by).where(Period.period == "2026-08")
    ) == "job:close_month"


def test_closing_opens_the_next_month_and_leaves_a_trace(city) -> None:
    close()
    with transaction():
        assert db.session.get(Period, "2026-11").closed_at is None
    record = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "close")).one()
    assert (record.subject, record.subject_id) == ("period", OCTOBER)
    steps = db.session.scalars(sa.select(StatementStep.verdict)).all()
    assert steps == ["prepared"] * 3


def test_what_is_taken_back_after_closing_falls_into_the_next_month(city) -> None:
    ours = sa.select(Grant).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0)
    in_time, grant = db.session.scalars(ours.order_by(Grant.id).limit(2)).all()
    with transaction():
        cancel(in_time.order_id, "mistake", "", city.manager, at_noon(in_time.on))
    close()
    here = statement_of(city.here)
    late = at_noon(AFTER)
    with transaction():
        cancel(grant.order_id, "mistake", "", city.manager, late)
    # It is listed with its cause where the late facts are; what was cancelled in time is not.
    operator = city.extra["hands"].operator
    listed = changes(city.extra["hands"].district, on=AFTER, cause="cancelled")
    assert [(row.grant.order_id, row.fen) for row in listed.rows] == [(grant.order_id, -500)]
    places = {month.period: month for month in whereabouts.months(operator, on=AFTER)}
    assert places["2026-11"].running[0].question.changes == {"cancelled": (1, -500)}
    assert places[OCTOBER].places[0].question.changes == {}
    assert close(on=date(2026, 12, 1)).already
    assert sums(statement_of(city.here)) == sums(here)
    close("2026-11", on=date(2026, 12, 1))
    november = statement_of(city.here, "2026-11")
    assert (november.meals, november.elder_fen, november.enterprise_fen) == (-1, -300, -200)
    assert november.total_fen == -500
    told = amounts_in_question.of(november, operator)
    assert [(one.code, one.meals, one.fen) for one in told] == [
        ("cancelled", 1, 500)
    ]
    assert amounts_in_question.of(here, operator) == []


def test_less_than_nothing_is_carried_to_the_next_month_once(city) -> None:
    close()
    hands = city.extra["hands"]
    grant = db.session.scalars(
        sa.select(Grant).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0).limit(1)
    ).one()
    with transaction():
        cancel(grant.order_id, "mistake", "", city.manager, at_noon(AFTER))
    close("2026-11", on=date(2026, 12, 1))
    november = statement_of(city.here, "2026-11")
    pass_on([november.id], hands, on=date(2026, 12, 1))
    assert statement_of(city.here, "2026-11").stage == "carried"
    with transaction():
        sell(city, make_menu(city.here, date(2026, 12, 3))[:1], date(2026, 12, 3), city.elder)
    close("2026-12", on=date(2027, 1, 1))
    december = statement_of(city.here, "2026-12")
    assert (december.carried_fen, december.total_fen) == (-500, 0)
    assert statement_of(city.here, "2026-11").carried_into_id == december.id
    pass_on([december.id], hands, on=date(2027, 1, 1))
    with transaction() as session:
        session.add(Period(period="2027-02"))
    close("2027-01", on=date(2027, 2, 1))
    left = db.session.scalars(sa.select(Statement).where(Statement.period == "2027-01")).all()
    assert left == [], "a remainder is taken up once, and one of nothing is not carried at all"


def test_the_books_of_canteen_purses_and_platform_balance_after_closing(city) -> None:
    with transaction():
        pass
    close()
    here = statement_of(city.here)
    assert list(unbalanced()) == []
    book = balances(f"canteen:{city.here.id}")
    assert book["statement_due"] == here.total_fen
    assert book["subsidy_due"] == 0
    assert book["online_due"] == 0
    assert book["enterprise_income"] == -here.enterprise_fen
    own = statement_of(elder_id=city.extra["second"].id)
    elsewhere = statement_of(city.elsewhere)
    city_purse = balances("purse:120000")
    assert city_purse["elder_subsidy_cost"] * 2 == (
        here.elder_fen + elsewhere.elder_fen + own.account_fen
    )
    assert balances("purse:120104")["statements_payable"] == -(
        (here.elder_fen + here.enterprise_fen + own.account_fen) // 2
    )
    assert balances("platform")["due_to_canteens"] == 0
    assert balances("elders") == {"statement_due": 300, "account_subsidy_income": -300}


def test_a_funder_below_the_district_is_the_street_of_the_canteen(city) -> None:
    from tests.settlements.factories import add_grants

    with transaction():
        shares = {("elder", "street"): 200, ("elder", "city"): 100, ("delivery", "lottery"): 50}
        funding = make_funding(shares)
        menu = city.items[0].menu_id
        add_grants(4, [city.here.id], [city.elder.id], [funding], menu, "2026-09", taken_back=0)
    close("2026-09")
    lines = {
        (line.side, line.funder): (line.territory_code, line.amount_fen)
        for line in db.session.scalars(sa.select(StatementLine))
    }
    assert lines == {
        ("elder", "street"): ("120104001", 800), ("elder", "city"): ("120000", 400),
        ("delivery", "lottery"): ("120000", 200),
    }


def test_deadlines_move_when_a_statement_comes_late(app: Flask) -> None:
    from canteen.settlements.deadlines import due_on

    assert due_on(OCTOBER, "district", date(2026, 11, 2)) == date(2026, 11, 15)
    assert due_on(OCTOBER, "district", date(2026, 11, 30)) == date(2026, 12, 3)
    assert due_on("2026-12", "operator", date(2027, 1, 1)) == date(2027, 1, 5)
    assert due_on(OCTOBER, "paid", date(2026, 11, 2)) is None
    assert reviewing.due_on is due_on
    assert timedelta(days=3) and JOB.label == "job:close_month"
