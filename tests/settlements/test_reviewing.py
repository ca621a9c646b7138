"""The chain of a statement: the right office, the right ground, never the same hand twice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.payments.models import OutboxMessage
from canteen.reasons import ReasonMissing
from canteen.settlements import finding, looking, reviewing, searching
from canteen.settlements.models import Payout, Statement, StatementStep
from canteen.territory.actors import Actor, job
from canteen.words import Text
from tests.factories import City, actor, make_user
from tests.settlements.factories import (
    AFTER,
    Hands,
    close,
    little_month,
    pass_on,
    statement_of,
)


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


def approve(ids: list[int], by: Actor) -> reviewing.Passed:
    with transaction():
        if by.role == "district":
            looking.look_rest(ids, by, clock.now())
        return reviewing.approve(ids, by)


def test_a_statement_walks_from_operator_to_payment(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    for by, to in zip(hands.chain(), ("street", "district", "city", "approved"), strict=True):
        assert approve([here.id], by) == reviewing.Passed(1, {to: 1})
        assert statement_of(city.here).stage == to
    steps = db.session.execute(
        sa.select(StatementStep.stage, StatementStep.verdict, StatementStep.by_label)
        .where(StatementStep.statement_id == here.id).order_by(StatementStep.id)
    ).all()  # fmt: skip
    assert [tuple(step) for step in steps] == [
        ("prepared", "prepared", "job:close_month"),
        ("operator", "confirmed", hands.operator.label),
        ("street", "approved", hands.street.label),
        ("district", "approved", hands.district.label),
        ("city", "approved", hands.city.label),
    ]
    acts = db.session.scalars(
        sa.select(AuditRecord.act).where(
            AuditRecord.subject == "statement", AuditRecord.subject_id == str(here.id)
        ).order_by(AuditRecord.id)
    ).all()
    assert acts == ["confirmed", "approved", "judge_sample", "approved", "approved"]


def test_an_elders_statement_begins_at_the_street(city: City, hands: Hands) -> None:
    own = statement_of(elder_id=city.extra["second"].id)
    pass_on([own.id], hands)
    assert statement_of(elder_id=city.extra["second"].id).stage == "approved"


def test_the_citys_approval_orders_the_payout_in_the_same_act(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands)
    payout = db.session.scalars(sa.select(Payout)).one()
    assert (payout.state, payout.amount_fen) == ("ready", here.total_fen)
    assert (payout.account, payout.batch_id) == ("acct_operator_1", None)
    sent = sa.select(OutboxMessage).where(OutboxMessage.kind == "transfer")
    assert db.session.scalars(sent).all() == [], "nothing is sent before two people released it"


def test_only_the_office_whose_turn_it_is_may_act(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    for by in (hands.street, hands.district, hands.city):
        with pytest.raises(reviewing.NotYourTurn):
            approve([here.id], by)
    for by in (city.manager, job("anything")):
        with pytest.raises(Forbidden):
            approve([here.id], by)


def test_a_stranger_does_not_learn_that_a_statement_exists(city: City, hands: Hands) -> None:
    elsewhere = city.extra["hands_elsewhere"]
    here = statement_of(city.here)
    for by in (
        elsewhere.operator, elsewhere.street, elsewhere.district, city.cashier_elsewhere,
        Actor("evaluator", 99, territory="120104"),
    ):
        with pytest.raises(NotFound):
            approve([here.id], by)
        with pytest.raises(NotFound):
            finding.get_for(by, here.id)
    neighbour = actor_of("street", territory_code="120104002")
    with pytest.raises(NotFound):
        approve([here.id], neighbour)


def actor_of(role: str, **ground: object) -> Actor:
    with transaction():
        return actor(make_user(role, **ground))


def test_one_statement_that_moved_meanwhile_stops_the_whole_bulk(city: City, hands: Hands) -> None:
    here, elsewhere = statement_of(city.here), statement_of(city.elsewhere)
    pass_on([here.id], hands, upto="district")
    pass_on([elsewhere.id], city.extra["hands_elsewhere"], upto="district")
    pass_on([here.id], hands)
    with pytest.raises(reviewing.Moved) as refusal:
        approve([here.id, elsewhere.id], hands.city)
    assert refusal.value.detail["count"] == 1
    assert statement_of(city.elsewhere).stage == "city"
    assert approve([elsewhere.id], hands.city).count == 1


def test_many_are_approved_at_once(city: City, hands: Hands) -> None:
    ids = [statement_of(city.here).id, statement_of(city.elsewhere).id]
    for one, by in zip(ids, (hands, city.extra["hands_elsewhere"]), strict=True):
        pass_on([one], by, upto="district")
    assert approve(ids, hands.city) == reviewing.Passed(2, {"approved": 2})


def test_a_statement_goes_back_to_its_operator_with_a_reason(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    with transaction():
        assert reviewing.return_(here.id, " 十二日的餐数不对 ", hands.district) == "operator"
    assert statement_of(city.here).stage == "operator"
    step = db.session.scalars(
        sa.select(StatementStep).where(StatementStep.verdict == "returned")
    ).one()
    assert (step.stage, step.to_stage, step.reason) == ("district", "operator", "十二日的餐数不对")
    pass_on([here.id], hands)
    assert statement_of(city.here).stage == "approved"


def test_an_elders_statement_goes_back_to_the_street(city: City, hands: Hands) -> None:
    own = statement_of(elder_id=city.extra["second"].id)
    with transaction(), pytest.raises(reviewing.NowhereBack):
        reviewing.return_(own.id, "金额有误", hands.street)
    pass_on([own.id], hands, upto="district")
    with transaction():
        assert reviewing.return_(own.id, "金额有误", hands.city) == "street"


@pytest.mark.parametrize("reason", ["", "   ", "错", " n "])
def test_a_return_without_a_reason_is_refused(city: City, hands: Hands, reason: str) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="operator")
    with pytest.raises(ReasonMissing), transaction():
        reviewing.return_(here.id, reason, hands.street)
    assert statement_of(city.here).stage == "street"


def test_nobody_acts_at_two_stages_of_one_statement(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    promoted = Actor("district", hands.street.user_id, territory="120104")
    with pytest.raises(reviewing.SameHand):
        approve([here.id], promoted)
    with pytest.raises(reviewing.SameHand), transaction():
        reviewing.return_(here.id, "重新核对餐数", promoted)
    with transaction():
        reviewing.return_(here.id, "重新核对餐数", hands.district)
    pass_on([here.id], hands, upto="operator")
    other = actor_of("street", territory_code="120104001")
    assert approve([here.id], other).count == 1
    assert approve([here.id], promoted).count == 1, "what was before the return counts no more"


def test_whoever_closed_the_month_approves_nothing_of_it(app: Flask) -> None:
    city = little_month()
    hands = city.extra["hands"]
    close(by=hands.city)
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="district")
    with pytest.raises(reviewing.SameHand):
        approve([here.id], hands.city)
    colleague = actor_of("city", territory_code="120000")
    assert approve([here.id], colleague).to == {"approved": 1}


def test_nothing_chosen_is_refused(city: City, hands: Hands) -> None:
    with pytest.raises(reviewing.NothingChosen):
        approve([], hands.city)


def test_each_sees_the_statements_of_their_ground(city: City, hands: Hands) -> None:
    here, elsewhere = statement_of(city.here), statement_of(city.elsewhere)
    own = statement_of(elder_id=city.extra["second"].id)
    family = Actor("family", 77, elder_ids=(city.extra["second"].id,))
    seen = {
        "city": (hands.city, {here.id, elsewhere.id, own.id}),
        "district": (hands.district, {here.id, own.id}),
        "street": (hands.street, {here.id, own.id}),
        "operator": (hands.operator, {here.id}),
        "manager": (city.manager, {here.id}),
        "cashier": (city.cashier, set()),
        "elder": (city.elder_actor, set()),
        "family": (family, {own.id}),
    }
    for role, (by, expected) in seen.items():
        found = searching.search(by, searching.Wanted(), on=AFTER)
        assert {row.statement.id for row in found.rows} == expected, role
        assert found.total == len(expected)


def test_the_work_list_shows_what_waits_and_what_is_late(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    mine = finding.work_list(hands.operator, on=here.due_on)
    assert [row.statement.id for row in mine.waiting] == [here.id]
    assert (mine.waiting_count, mine.overdue_count, mine.waiting_fen) == (1, 0, here.total_fen)
    late = finding.work_list(hands.operator, on=here.due_on.replace(day=here.due_on.day + 1))
    assert (late.overdue_count, late.waiting[0].overdue) == (1, True)
    above = finding.work_list(hands.city, on=AFTER)
    assert above.waiting_count == 0


def test_the_chain_says_who_has_it_and_what_came_back(city: City, hands: Hands) -> None:
    here = statement_of(city.here)

    def chain() -> list[tuple[str, str]]:
        now = statement_of(city.here)
        return [(step.office, step.state) for step in finding.chain_of(now)]

    offices = ("operator", "street", "district", "city", "paid")
    assert chain() == list(zip(offices, ("current",) + ("waiting",) * 4, strict=True))
    pass_on([here.id], hands, upto="street")
    half = ("done", "done", "current", "waiting", "waiting")
    assert chain() == list(zip(offices, half, strict=True))
    with transaction():
        reviewing.return_(here.id, "请补签收单", hands.district)
    assert chain()[:3] == [("operator", "current"), ("street", "waiting"), ("district", "returned")]
    back = finding.chain_of(statement_of(city.here))[2]
    assert (back.reason, back.who) == ("请补签收单", hands.district.label)
    pass_on([here.id], hands)
    assert chain() == list(zip(offices, ("done",) * 4 + ("current",), strict=True))
    with transaction() as session:
        session.execute(sa.update(Statement).values(stage="paid"))
    assert [s.state_words for s in finding.chain_of(statement_of(city.here))] == [
        None, None, None, None, Text("已到账", "Arrived"),
    ]  # fmt: skip
    assert finding.chain_of(statement_of(city.here))[0].since is not None


def test_every_sum_leads_to_its_meals(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    page = finding.meals_of(here, size=3)
    assert (len(page.rows), page.total, page.pages) == (3, here.meals, -(-here.meals // 3))
    every = finding.meals_of(here, size=100).rows
    assert sum(meal.grant.till_fen for meal in every) == here.elder_fen
    assert sum(meal.grant.enterprise_fen for meal in every) == here.enterprise_fen
    assert all(meal.order.inputs for meal in every)
    days = finding.days_of(here)
    assert sum(day.meals for day in days) == here.meals
    assert finding.meals_of(here, on=days[0].on).total == days[0].meals
    takings = finding.takings_of(here)
    assert sum(row.amount_fen for row in takings.rows) == here.online_fen
    assert [row.amount_fen > 0 for row in takings.rows].count(False) == 1, "one was refunded"
    assert db.session.get(Statement, here.id) is not None
