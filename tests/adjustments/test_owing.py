"""Statements below nothing: listed, netted, paid back, and taken back in instalments."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.adjustments import finding, receivables, spreading
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.ledger.balances import balances
from canteen.payouts import repaying
from canteen.payouts.models import Repayment
from canteen.settlements import appealing, changing, rules, silence, undoing
from canteen.settlements.models import Statement, StatementStep
from canteen.settlements.spans import Days
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City
from tests.settlements.factories import (
    JOB,
    OCTOBER,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)

NOVEMBER = "2026-11"
IN_NOVEMBER = at_noon(date(2026, 11, 10))
DECEMBER = date(2026, 12, 2)


@pytest.fixture
def city(app: Flask) -> City:
    """October approved; in November five of its meals are taken back."""
    city = little_month()
    close()
    pass_on([statement_of(city.here).id], city.extra["hands"])
    orders = list(
        db.session.scalars(
            sa.select(Grant.order_id)
            .where(Grant.canteen_id == city.here.id, Grant.number == 1, Grant.till_fen > 0,
                   Grant.order_id.not_in(sa.select(Grant.order_id).where(Grant.number > 1)))
            .order_by(Grant.order_id).limit(5)
        )
    )  # fmt: skip
    with transaction():
        changing.take_back(dict.fromkeys(orders), "corrected", JOB, IN_NOVEMBER)
    city.extra["taken"] = orders
    return city


def owing(city: City) -> Statement:
    """November's statement of the canteen, below nothing and carried."""
    close(NOVEMBER, DECEMBER)
    found = statement_of(city.here, NOVEMBER)
    assert found.total_fen == -500 * len(city.extra["taken"])
    pass_on([found.id], city.extra["hands"], on=DECEMBER)
    return statement_of(city.here, NOVEMBER)


def repay(city: City, statement: Statement, fen: int, reference: str = "B2026") -> Repayment:
    hands, at = city.extra["hands"], at_noon(DECEMBER)
    with transaction():
        repaying.note(statement.id, fen, DECEMBER, reference, hands.district, on=DECEMBER, at=at)
    with transaction():
        return repaying.confirm(statement.id, hands.city, on=DECEMBER, at=at)


def test_what_is_owed_is_listed_and_lingers_on_nobodys_desk_unseen(city: City) -> None:
    found = owing(city)
    district = city.extra["hands"].district
    row = receivables.list_for(district, on=DECEMBER)[0]
    assert (row.statement.id, row.owed_fen, row.state) == (found.id, 2500, "open")
    assert receivables.lingering(district, on=DECEMBER) == []
    later = receivables.lingering(district, on=DECEMBER + timedelta(days=31))
    assert [one.statement.id for one in later] == [found.id]
    assert receivables.list_for(city.extra["hands_elsewhere"].district, on=DECEMBER) == []


def test_what_is_owed_does_not_wait_for_who_owes_it(city: City) -> None:
    """Under a rule that only reminds, its operator's silence agrees; it takes that back once."""
    close(NOVEMBER, DECEMBER)
    hands = city.extra["hands"]
    found = statement_of(city.here, NOVEMBER)
    (row,) = receivables.list_for(hands.district, on=DECEMBER)
    assert (row.statement.id, row.owed_fen, row.state) == (found.id, 2500, "review")

    def night(on: date) -> silence.Silent:
        with transaction():
            return silence.run(on, at_noon(on))

    late = found.due_on + timedelta(days=1)
    assert (night(found.due_on).consented, night(late).consented) == (0, 1)
    assert statement_of(city.here, NOVEMBER).stage == "street"
    with transaction():
        undoing.undo(found.id, "三号那餐不该核减", hands.operator, at=at_noon(late, 12))
    again = statement_of(city.here, NOVEMBER).due_on + timedelta(days=1)
    assert night(again).consented == 1
    with pytest.raises(undoing.TakenBackBefore), transaction():
        undoing.undo(found.id, "三号那餐不该核减", hands.operator, at=at_noon(again, 12))
    assert verify() == []
    with transaction():
        changing.give_again(
            dict.fromkeys(city.extra["taken"]), "released", JOB, at_noon(again, 14)
        )
    assert statement_of(city.here, NOVEMBER).total_fen == 0
    pass_on([found.id], hands, on=again)
    assert statement_of(city.here, NOVEMBER).stage == "carried"
    assert verify() == []


def test_a_debt_is_due_after_the_days_of_the_rule_its_statement_follows(city: City) -> None:
    district, first = city.extra["hands"].district, date(2026, 11, 20)
    with transaction():
        rules.set_rule(
            "120104", rules.DEFAULT.stages, first, sample_bp=500, sample_least=3,
            extrapolate=False, by=district, today=first, at=at_noon(first), days=Days(debt=10),
        )  # fmt: skip
    owing(city)
    assert receivables.lingering(district, on=DECEMBER + timedelta(days=10)) == []
    assert len(receivables.lingering(district, on=DECEMBER + timedelta(days=11))) == 1


def test_a_delisted_canteen_has_nothing_to_net_against_and_stands_on_the_list_at_once(
    city: City,
) -> None:
    owing(city)
    with transaction():
        city.here.status = "delisted"
        db.session.add(city.here)
    row = receivables.lingering(city.extra["hands"].district, on=DECEMBER)[0]
    assert row.state == "stuck"


def test_the_next_statement_takes_it_up_and_the_list_says_which(city: City) -> None:
    """December earns a part of it: netted in part, the rest is as old as it was."""
    found = owing(city)
    district, new_year = city.extra["hands"].district, date(2027, 1, 2)
    with transaction():
        changing.give_again(
            dict.fromkeys(city.extra["taken"][:2]), "released", JOB, at_noon(DECEMBER)
        )
    close("2026-12", new_year)
    rest, first = receivables.list_for(district, on=new_year)
    assert (first.statement.id, first.state, first.repayable) == (found.id, "netted", False)
    assert first.netted_by and first.netted_by.id == rest.statement.id
    assert (rest.owed_fen, rest.state, rest.since) == (1500, "review", DECEMBER)


@pytest.mark.parametrize("months", [1, 2])
def test_what_only_rolls_on_grows_no_younger_and_may_be_paid_back(city: City, months: int) -> None:
    """Nothing is earned: every closing carries it on, into a statement that must be reviewed."""
    debt, hands = owing(city), city.extra["hands"]
    for period, on in (("2026-12", date(2027, 1, 2)), ("2027-01", date(2027, 2, 2)))[:months]:
        before, _ = debt, close(period, on)
        debt = statement_of(city.here, period)
        head, *rolled = receivables.list_for(hands.district, on=on)
        assert (head.statement.id, head.state, head.since) == (debt.id, "review", DECEMBER)
        assert {one.state for one in rolled} == {"rolled"}
        assert [one.statement.id for one in rolled if one.repayable] == [before.id]
        assert receivables.lingering(hands.district, on=on) == [head], "as old as the first"
        if period == "2026-12" and months == 2:
            pass_on([debt.id], hands, on=on)
    assert repay(city, before, 2500).amount_fen == 2500
    rest = statement_of(city.here, debt.period)
    assert (rest.carried_fen, rest.total_fen, rest.stage) == (0, 0, "operator")
    assert verify() == []
    pass_on([rest.id], hands, on=date(2027, 2, 3))
    assert receivables.list_for(hands.district, on=date(2027, 2, 3))[-1].state == "repaid"
    assert receivables.lingering(hands.district, on=date(2027, 2, 3)) == []
    assert verify() == []


def test_money_paid_back_settles_the_statement_and_mirrors_a_payout(city: City) -> None:
    found = owing(city)
    before = {book: balances(book) for book in ("purse:120104", "purse:120000")}
    repay(city, found, 2500)
    stage = sa.select(Statement.stage).where(Statement.id == found.id)
    assert db.session.scalar(stage) == "repaid"
    steps = sa.select(StatementStep.verdict).where(StatementStep.statement_id == found.id)
    assert list(db.session.scalars(steps))[-1] == "repaid"
    after = {book: balances(book) for book in before}
    district, was = after["purse:120104"], before["purse:120104"]
    assert district["funds"] - was.get("funds", 0) == 2500
    assert district.get("due_from_city", 0) - was.get("due_from_city", 0) == -1250
    assert verify() == []
    close("2026-12", date(2027, 1, 2))
    with pytest.raises(CanteenError) as caught:
        repay(city, found, 2500)
    assert caught.value.code == "not_owing"
    assert verify() == []


@pytest.mark.parametrize(
    ("fen", "reference", "code"), [(2400, "B1", "other_amount"), (2500, " ", "bad_reference")]
)
def test_a_repayment_must_be_the_whole_sum_with_its_reference(
    city: City, fen: int, reference: str, code: str
) -> None:
    with pytest.raises(CanteenError) as caught:
        repay(city, owing(city), fen, reference)
    assert caught.value.code == code


def test_money_that_came_back_counts_once_a_second_person_has_found_it(city: City) -> None:
    found, hands, at = owing(city), city.extra["hands"], at_noon(DECEMBER)
    elsewhere = city.extra["hands_elsewhere"].district

    def note() -> Repayment:
        with transaction():
            return repaying.note(
                found.id, 2500, DECEMBER, "B2026", hands.district, on=DECEMBER, at=at
            )

    def confirm(by: Actor) -> None:
        with transaction():
            repaying.confirm(found.id, by, on=DECEMBER, at=at)

    with pytest.raises(repaying.NotNoted):
        confirm(hands.city)
    note()
    with pytest.raises(repaying.NotedAlready):
        note()
    for by, refusal in (
        (hands.district, repaying.SameHand), (hands.street, Forbidden), (elsewhere, NotFound)
    ):  # fmt: skip
        with pytest.raises(refusal):
            confirm(by)
    (row,) = (one for one in receivables.list_for(hands.city, on=DECEMBER)
              if one.statement.id == found.id)  # fmt: skip
    assert (row.state, statement_of(city.here, NOVEMBER).stage) == ("noted", "carried")
    assert [repaying.waiting_count(by) for by in hands.chain()] == [0, 0, 0, 1]
    assert verify() == []
    db.session.rollback()
    with transaction():
        repaying.take_back(found.id, "银行流水里没有这一笔", hands.city)
    with pytest.raises(repaying.NotNoted):
        confirm(hands.city)
    note()
    confirm(hands.city)
    assert statement_of(city.here, NOVEMBER).stage == "repaid"
    with pytest.raises(CanteenError), transaction():
        repaying.take_back(found.id, "银行流水里没有这一笔", hands.city)
    acts = sa.select(AuditRecord.act, AuditRecord.actor).where(
        AuditRecord.subject_id == str(found.id), AuditRecord.act.contains("repa")
    )
    assert db.session.execute(acts.order_by(AuditRecord.id)).all() == [
        ("note_repayment", hands.district.label), ("drop_repayment", hands.city.label),
        ("note_repayment", hands.district.label), ("repaid", hands.city.label),
    ]
    assert verify() == []


def test_one_transfer_of_the_bank_settles_one_debt(city: City) -> None:
    """However it is typed; another sum under it is another part of one transfer."""
    repay(city, owing(city), 2500, "ICBC 2026 1102")
    hands, new_year = city.extra["hands"], date(2027, 1, 2)
    with transaction():
        changing.give_again(
            dict.fromkeys(city.extra["taken"]), "released", JOB, at_noon(DECEMBER)
        )
    close("2026-12", new_year)
    pass_on([statement_of(city.here, "2026-12").id], hands, on=new_year)
    with transaction():
        changing.take_back(
            dict.fromkeys(city.extra["taken"]), "corrected", JOB, at_noon(new_year, 14)
        )
    close("2027-01", date(2027, 2, 2))
    second = statement_of(city.here, "2027-01")
    assert second.total_fen == -2500
    pass_on([second.id], hands, on=date(2027, 2, 2))

    def again(reference: str) -> Repayment:
        on, at = date(2027, 2, 2), at_noon(date(2027, 2, 2))
        with transaction():
            repaying.note(second.id, 2500, on, reference, hands.district, on=on, at=at)
        with transaction():
            return repaying.confirm(second.id, hands.city, on=on, at=at)

    for typed in ("ICBC 2026 1102", " icbc20261102 ", "ＩＣＢＣ２０２６１１０２"):
        with pytest.raises(repaying.ReferenceUsed) as refused:
            again(typed)
        assert "25.00" in refused.value.text.zh and "25.00" in refused.value.text.en
    assert statement_of(city.here, "2027-01").stage == "carried"
    assert again("ICBC 2027 0202").amount_fen == 2500
    assert verify() == []


def test_instalments_fall_into_the_months_to_come_and_sum_to_the_whole(city: City) -> None:
    by = city.extra["hands"].district
    on = date(2026, 11, 11)
    unclosed = date(2026, 12, 1)  # November has ended and is not closed yet
    for day in (on, unclosed):
        assert spreading.pending(city.here.id, day).fen == 2500
    assert [fen for _, _, fen in finding.taken_back_now(by, unclosed)] == [2500]
    with transaction():
        plan = spreading.spread(
            city.here.id, 3, "食堂现金紧张", by, on=on, at=at_noon(on)
        )
    assert [period for period, _ in plan] == [NOVEMBER, "2026-12", "2027-01"]
    assert sum(fen for _, fen in plan) == 2500
    assert verify() == []
    for period, fen in plan:
        last = date(2027, 2, 2) if period == "2027-01" else DECEMBER
        last = date(2027, 1, 2) if period == "2026-12" else last
        close(period, last)
        enterprise = statement_of(city.here, period)
        assert enterprise.elder_fen + enterprise.enterprise_fen == -fen
        assert verify() == []
    assert statement_of(city.here, OCTOBER).total_fen > 0


def test_a_denial_in_instalments_may_be_objected_to(city: City) -> None:
    """Upheld, the instalment still to come is answered in its own month; it comes to nothing."""
    on, hands = date(2026, 11, 11), city.extra["hands"]
    standing = sa.select(Grant.order_id).where(
        Grant.canteen_id == city.here.id, Grant.till_fen > 0, Grant.number == 1,
        Grant.order_id.not_in(sa.select(Grant.order_id).where(Grant.number > 1)),
    )  # fmt: skip
    order = db.session.scalar(standing.order_by(Grant.order_id.desc()).limit(1))
    db.session.rollback()
    assert order is not None
    with transaction():
        changing.take_back({order: None}, "denied", hands.district, IN_NOVEMBER)
    with transaction():
        spreading.spread(city.here.id, 2, "食堂现金紧张", hands.district, on=on, at=at_noon(on))
    (last,) = changing.last_rows([order])
    assert (last["cause"], last["sign"], last["period"]) == ("spread", -1, "2026-12")
    (corrected,) = changing.last_rows(city.extra["taken"][-1:])
    assert appealing.denial_of(corrected["order_id"]) is None, "given up, not denied"
    db.session.rollback()
    with transaction():
        appeal = appealing.file(order, "老人当天由女儿代签", hands.operator, at_noon(on, 12))
    with pytest.raises(appealing.NotDenied), transaction():
        appealing.file(order, "老人当天由女儿代签", hands.operator, at_noon(on, 12))
    with transaction():
        appealing.decide(appeal.id, "upheld", "照片属实", hands.city, at_noon(on, 13))
    (last,) = changing.last_rows([order])
    assert (last["cause"], last["sign"], last["period"]) == ("upheld", 1, "2026-12")
    assert verify() == []


def test_only_the_district_spreads_and_only_what_there_is(city: City) -> None:
    on = date(2026, 11, 11)
    acts = {
        "forbidden": (city.extra["hands"].street, 3, "食堂现金紧张"),
        "bad_months": (city.extra["hands"].district, 13, "食堂现金紧张"),
        "reason_missing": (city.extra["hands"].district, 3, "紧"),
        "nothing_to_spread": (city.extra["hands"].district, 6, "食堂现金紧张"),
        "not_found": (city.extra["hands_elsewhere"].district, 3, "食堂现金紧张"),
    }
    for code, (by, months, reason) in acts.items():
        with pytest.raises(CanteenError) as caught, transaction():
            spreading.spread(city.here.id, months, reason, by, on=on, at=at_noon(on))
        assert caught.value.code == code
    assert issubclass(Forbidden, CanteenError)


def test_meals_are_dealt_out_evenly() -> None:
    dealt = spreading.shares(dict.fromkeys(range(10), 500), 4)
    assert [len(part) for part in dealt] == [3, 2, 3, 2]
    assert [len(part) for part in spreading.shares({1: 100, 2: 5000, 3: 100}, 3)] == [1, 1, 1]
