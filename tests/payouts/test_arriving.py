"""Payouts under way: paid once, booked, come back, and let go on when they failed."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.canteens.models import Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import Forbidden
from canteen.ledger.balances import balances, unbalanced
from canteen.ledger.models import Account, Entry, Posting
from canteen.orders.cancelling import cancel
from canteen.payments.models import OutboxMessage
from canteen.payouts import arriving, retrying
from canteen.settlements import paying_out
from canteen.settlements.models import Payout, Statement
from canteen.subsidies.models import Grant
from tests.factories import City, make_menu
from tests.settlements.factories import (
    AFTER,
    JOB,
    at_noon,
    close,
    little_month,
    pass_on,
    pay_all,
    sell,
    statement_of,
)

LATER = at_noon(AFTER)


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    pass_on([statement_of(city.here).id], city.extra["hands"])
    pay_all()
    return city


def payout_now() -> Payout:
    return db.session.scalars(sa.select(Payout).execution_options(populate_existing=True)).one()


def entries(book: str, code: str) -> list[str]:
    """The keys of an account's entries, the oldest first."""
    query = (
        sa.select(Entry.key).join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Account.book == book, Account.code == code).order_by(Entry.id)
    )  # fmt: skip
    return list(db.session.scalars(query))


def message_now() -> OutboxMessage:
    return db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "transfer")
        .order_by(OutboxMessage.id.desc()).execution_options(populate_existing=True)
    ).first()  # fmt: skip


def answer(state: str, **values: object) -> None:
    """The outbox's latest transfer ended like this."""
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage).where(OutboxMessage.id == message_now().id)
            .values(state=state, **values)
        )  # fmt: skip


def results() -> arriving.Results:
    with transaction():
        return arriving.record_results(by=JOB, at=LATER)


def test_a_payout_that_arrived_moves_its_statement_and_the_books(city: City) -> None:
    here = statement_of(city.here)
    assert results() == arriving.Results(0, 0), "nothing was sent yet"
    answer("done", provider_id="tr_1")
    assert results() == arriving.Results(1, 0)
    assert (payout_now().state, payout_now().provider_id) == ("paid", "tr_1")
    assert statement_of(city.here).stage == "paid"
    book = balances(f"canteen:{city.here.id}")
    assert (book["bank"], book["statement_due"]) == (here.total_fen, 0)
    # The other canteen's statement still waits, so its share is still payable.
    funds = balances("purse:120104")["funds"]
    # The district pays the city's half too, until the yearly true-up.
    assert funds == -(here.elder_fen + here.enterprise_fen)
    half = (here.elder_fen + here.enterprise_fen) // 2
    assert balances("purse:120104")["due_from_city"] == half
    assert balances("purse:120000")["due_to_districts"] == -half
    platform = balances("platform")
    assert (platform["statements_payable"], platform["provider_balance"]) == (0, 0)
    assert list(unbalanced()) == []


def test_a_result_is_noted_once_however_often_it_comes(city: City) -> None:
    answer("done", provider_id="tr_1")
    assert results().paid == 1
    assert results() == arriving.Results(0, 0)
    with transaction():
        assert not arriving.told("tr_1", "succeeded", at=LATER)
    assert len(entries(f"canteen:{city.here.id}", "bank")) == 1


def test_the_provider_may_speak_before_the_outbox_has_written_down(city: City) -> None:
    with transaction():
        assert arriving.told("tr_9", "succeeded", payout_id=payout_now().id, at=LATER)
        assert not arriving.told("tr_unknown", "succeeded", at=LATER)
    answer("done", provider_id="tr_9")
    assert results() == arriving.Results(0, 0)
    assert statement_of(city.here).stage == "paid"


def test_a_refused_payout_waits_for_a_better_account_and_is_sent_again(city: City) -> None:
    answer("dead", last_error="refused: account_closed")
    assert results() == arriving.Results(0, 1)
    failed = payout_now()
    assert (failed.state, failed.failure) == ("failed", "refused: account_closed")
    assert statement_of(city.here).stage == "approved"
    with transaction() as session:
        session.execute(sa.update(Operator).values(payout_account="acct_new"))
    with transaction():
        assert retrying.retry(failed.id, city.extra["hands"].city, at=LATER) == "ready"
    assert (payout_now().state, message_now().state) == ("ready", "dead"), "two people must send it"
    pay_all()
    assert (payout_now().state, message_now().state) == ("waiting", "waiting")
    assert message_now().payload["account"] == payout_now().account == "acct_new"
    answer("done", provider_id="tr_2")
    assert results().paid == 1


def test_when_nobody_knows_whether_it_arrived_the_same_transfer_is_looked_up(city: City) -> None:
    answer("dead", last_error="down: 503: unavailable", attempts=12)
    results()
    key, made_at = message_now().key, message_now().made_at
    with transaction() as session:
        session.execute(sa.update(Operator).values(payout_account="acct_new"))
    with transaction():
        assert retrying.retry(payout_now().id, JOB, at=LATER) == "asked"
    again = message_now()
    assert (again.key, again.made_at, again.attempts) == (key, made_at, 1)
    assert again.payload["account"] == "acct_operator_1"


def test_money_that_comes_back_takes_the_books_back_and_can_be_sent_again(city: City) -> None:
    here = statement_of(city.here)
    answer("done", provider_id="tr_1")
    results()
    with transaction():
        assert arriving.told("tr_1", "reversed", at=LATER)
    assert statement_of(city.here).stage == "approved"
    book = balances(f"canteen:{city.here.id}")
    assert (book["bank"], book["statement_due"]) == (0, here.total_fen)
    with transaction():
        assert not arriving.told("tr_1", "reversed", at=LATER), "told twice is not news"
    with transaction():
        retrying.retry(payout_now().id, JOB, at=LATER)
    pay_all()
    with transaction():
        assert not arriving.told("tr_1", "failed", payout_id=payout_now().id, at=LATER), (
            "an old transfer says nothing about the new one"
        )
    answer("done", provider_id="tr_2")
    assert results().paid == 1
    first, _, last = entries(f"canteen:{city.here.id}", "bank")
    assert (first, last) == (f"payout:{payout_now().id}", f"payout:{payout_now().id}:2")
    assert balances(f"canteen:{city.here.id}")["bank"] == here.total_fen


def test_only_the_city_sends_a_payout_again_and_only_a_failed_one(city: City) -> None:
    with transaction(), pytest.raises(retrying.NotFailed):
        retrying.retry(payout_now().id, JOB, at=LATER)
    with transaction(), pytest.raises(retrying.PayoutNotFound):
        retrying.retry(999, JOB, at=LATER)
    with transaction(), pytest.raises(Forbidden):
        retrying.retry(payout_now().id, city.extra["hands"].district, at=LATER)


def test_an_elder_without_an_account_is_paid_once_there_is_one(app: Flask) -> None:
    city = little_month()
    second = city.extra["second"]
    with transaction() as session:
        session.execute(sa.update(Elder).values(payout_account=None))
    close()
    own = statement_of(elder_id=second.id)
    pass_on([own.id], city.extra["hands"])
    assert (payout_now().state, payout_now().failure) == ("failed", paying_out.NO_ACCOUNT)
    with transaction(), pytest.raises(retrying.StillNoAccount):
        retrying.retry(payout_now().id, JOB, at=LATER)
    with transaction() as session:
        session.execute(sa.update(Elder).values(payout_account="acct_elder"))
    with transaction():
        retrying.retry(payout_now().id, JOB, at=LATER)
    pay_all()
    answer("done", provider_id="tr_1")
    assert results().paid == 1
    assert balances("elders") == {
        "statement_due": 0, "account_subsidy_income": -300, "bank": 300,
    }


def test_a_payout_covers_what_was_carried_into_its_statement(city: City) -> None:
    order_id = db.session.scalar(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0)
        .limit(1)
    )  # fmt: skip
    with transaction():
        cancel(order_id, "mistake", "", city.manager, LATER)
    close("2026-11", on=date(2026, 12, 1))
    hands = city.extra["hands"]
    pass_on([statement_of(city.here, "2026-11").id], hands, on=date(2026, 12, 1))
    for day in (3, 10):
        on = date(2026, 12, day)
        with transaction():
            sell(city, make_menu(city.here, on)[:1], on, city.elder)
    close("2026-12", on=date(2027, 1, 1))
    december = statement_of(city.here, "2026-12")
    assert (december.carried_fen, december.total_fen) == (-500, 500)
    pass_on([december.id], hands, on=date(2027, 1, 1))
    pay_all()
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage).where(OutboxMessage.kind == "transfer")
            .values(state="done", provider_id=sa.literal("tr_") + OutboxMessage.key)
        )  # fmt: skip
    assert results().paid == 2
    assert list(unbalanced()) == []
    assert balances(f"canteen:{city.here.id}")["statement_due"] == 0
    own = statement_of(elder_id=city.extra["second"].id)
    elsewhere = statement_of(city.elsewhere)
    left = balances("purse:120000")["statements_payable"]
    assert left == -(elsewhere.total_fen + own.total_fen) // 2, "only what is not paid is payable"
    assert db.session.scalar(
        sa.select(sa.func.count()).select_from(Statement).where(Statement.stage == "paid")
    ) == 2
