"""One meal's money at every desk: in any order, at one instant, and never paid twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.budgets import funding, truing_up
from canteen.checks import deciding
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from canteen.errors import CanteenError, Conflict
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.settlements import (
    amending,
    answering,
    appealing,
    changing,
    correcting,
    extrapolating,
    holding,
    looking,
    reviewing,
    undoing,
    withdrawing,
)
from canteen.settlements.models import Statement, StatementLine
from canteen.settlements.review_models import Appeal, Correction
from canteen.settlements.rules import DEFAULT
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.budgets.world import NEW_YEAR, settled_october
from tests.factories import City, actor, make_user
from tests.settlements.factories import (
    AFTER,
    FIRST,
    Hands,
    at_noon,
    close,
    little_month,
    pass_on,
    statement_of,
)
from tests.settlements.test_changing import standing, suspect
from tests.settlements.test_rules import set_rule

LATER = at_noon(AFTER, 14)
WHY = "照片与签到表核对过"


def colleague(role: str = "district", ground: str = "120104") -> Actor:
    with transaction():
        return actor(make_user(role, territory_code=ground))


def a_fact(city: City) -> int:
    with transaction() as session:
        fact = ElderFact(
            elder_id=city.elder.id, kind="status", value="moved", valid_from=FIRST,
            recorded_by="user:1", recorded_at=LATER,
        )
        session.add(fact)
        session.flush()
        return fact.id


def chain_of(order_id: int) -> list[tuple[int, int, str]]:
    db.session.rollback()
    rows = db.session.execute(
        sa.select(Grant.number, Grant.sign, Grant.cause)
        .where(Grant.order_id == order_id).order_by(Grant.number)
    )  # fmt: skip
    return [tuple(row) for row in rows]


def given(order_id: int) -> int:
    return sum(sign for _, sign, _ in chain_of(order_id))


def together(app: Flask, acts: list[Callable[[], Any]]) -> list[Any]:
    """What became of acts done in one instant: what each gave, or what it raised."""
    outcomes: list[Any] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def act(number: int) -> None:
        with app.app_context():
            start.wait(20)
            try:
                with transaction():
                    outcomes[number] = acts[number]()
            except Exception as error:
                outcomes[number] = error
            finally:
                db.session.remove()

    workers = [threading.Thread(target=act, args=(number,)) for number in range(len(acts))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers), "somebody waits for ever"
    db.session.rollback()
    db.session.expire_all()
    return outcomes


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_to_a_meal_in_whatever_order_it_is_paid_once_or_not(
    city: City, hands: Hands, seed: int
) -> None:
    set_rule(hands.district, DEFAULT.stages, sample_bp=10_000, sample_least=0, extrapolate=False)
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    pattern = suspect(None, city.here.id, mode="warn", key="pattern")
    close()
    here, fact = statement_of(city.here).id, a_fact(city)
    second, third = colleague(), colleague("city", "120000")
    offices = (hands.operator, hands.street, hands.district, hands.city)

    def line() -> int:
        wanted = sa.select(Correction.id).where(Correction.state == "asked")
        return db.session.scalar(wanted.limit(1)) or 0

    def waiting() -> int:
        return db.session.scalar(sa.select(Appeal.id).where(Appeal.state == "filed")) or 0

    acts: list[Callable[[random.Random], Any]] = [
        lambda d: holding.decide(
            found, d.choice(("pay", "deny")), WHY, by=d.choice((second, third)), at=LATER),
        lambda d: deciding.reopen(found, WHY, by=second, at=LATER),
        lambda d: holding.decide(pattern, "deny", WHY, by=second, at=LATER, orders=[order]),
        lambda d: deciding.reopen(pattern, WHY, by=second, at=LATER),
        lambda d: holding.decide(pattern, "pay", WHY, by=second, at=LATER),
        lambda d: holding.settle_cleared(LATER),
        lambda d: looking.look(
            here, {order: (d.choice(("right", "wrong")), WHY)}, hands.district, LATER),
        lambda d: looking.look_rest([here], hands.district, LATER),
        lambda d: appealing.file(order, WHY, hands.operator, LATER),
        lambda d: appealing.decide(
            waiting(), d.choice(("upheld", "rejected")), WHY, d.choice((second, third)), LATER),
        lambda d: correcting.send_back(here, [order], WHY, d.choice(offices[1:]), LATER),
        lambda d: answering.answer(
            line(), d.choice(("keep", "withdraw", "service")), WHY, hands.operator, LATER,
            service=d.choice(("pick_up", "delivery"))),
        lambda d: correcting.close(here, d.choice(offices[1:]), LATER),
        lambda d: withdrawing.withdraw(order, WHY, by=hands.operator, at=LATER),
        lambda d: reviewing.approve([here], d.choice(offices), at=LATER),
        lambda d: reviewing.approve([here], d.choice(offices), at=LATER),
        lambda d: reviewing.approve([here], d.choice(offices), at=LATER),
        lambda d: reviewing.return_(here, WHY, d.choice(offices[1:]), at=LATER),
        lambda d: undoing.undo(here, WHY, d.choice(offices), at=LATER),
        lambda d: changing.take_back({order: fact}, "late_fact", third, LATER),
        lambda d: changing.give_again({order: fact}, "late_fact", third, LATER),
        lambda d: cancel(order, "mistake", "", city.manager, LATER) if d.random() < 0.1 else None,
    ]  # fmt: skip
    draw, done = random.Random(seed), 0
    for _ in range(70):
        act = draw.choice(acts)
        try:
            with transaction():
                act(draw)
            done += 1
        except CanteenError:
            pass
        assert given(order) in (0, 1)
    assert done > 10
    assert verify() == []
    cancelled = db.session.get_one(Order, order, populate_existing=True).state == "cancelled"
    assert not (cancelled and given(order))


def test_two_officers_who_decide_one_meal_at_once_are_one_decision(
    app: Flask, city: City, hands: Hands
) -> None:
    """A finding is denied and the sample finds the meal wrong: the second is told, no fault."""
    order = standing(city.here.id)
    found = suspect(order, city.here.id, mode="warn")
    set_rule(hands.district, DEFAULT.stages, sample_bp=10_000, sample_least=0, extrapolate=False)
    close()
    here, fact = statement_of(city.here).id, a_fact(city)
    pass_on([here], hands, upto="street")
    second, before = colleague(), statement_of(city.here).total_fen
    said = together(app, [
        lambda: holding.decide(found, "deny", WHY, by=second, at=LATER),
        lambda: looking.look(here, {order: ("wrong", WHY)}, hands.district, LATER),
        lambda: changing.take_back({order: fact}, "late_fact", second, LATER),
    ])  # fmt: skip
    faults = [one for one in said if isinstance(one, Exception) and not isinstance(one, Conflict)]
    assert faults == []
    assert given(order) == 0 and len(chain_of(order)) == 2
    assert statement_of(city.here).total_fen < before
    assert verify() == []


def test_release_and_denial_of_a_held_meal_race_to_one_outcome(
    app: Flask, city: City, hands: Hands
) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    close()
    judges = [colleague() for _ in range(4)]
    said = together(app, [
        lambda by=by, what=what: holding.decide(found, what, WHY, by=by, at=LATER)
        for by, what in zip(judges, ("pay", "deny", "pay", "deny"), strict=True)
    ])  # fmt: skip
    assert sum(isinstance(one, changing.Changed) for one in said) == 1
    assert all(isinstance(one, (changing.Changed, deciding.AlreadyDecided)) for one in said)
    state = db.session.get_one(Suspicion, found, populate_existing=True).state
    assert given(order) == (1 if state == "paid" else 0)
    assert verify() == []


def test_giving_again_twice_at_once_gives_once(app: Flask, city: City, hands: Hands) -> None:
    order = standing(city.here.id)
    close()
    with transaction():
        changing.take_back({order: None}, "denied", hands.district, LATER)
    said = together(app, [
        lambda: changing.give_again({order: None}, "upheld", hands.city, LATER) for _ in range(4)
    ])  # fmt: skip
    faults = [one for one in said if isinstance(one, Exception) and not isinstance(one, Conflict)]
    assert faults == []
    assert given(order) == 1 and len(chain_of(order)) == 3
    assert verify() == []


def test_a_meal_put_right_to_no_account_leaves_the_elders_statement_too(
    city: City, hands: Hands
) -> None:
    order = city.extra["to_account"].order_id
    close()
    own = statement_of(elder_id=city.extra["second"].id)
    before, canteens = own.total_fen, statement_of(city.here).total_fen
    priced = answering.served_as(db.session.get_one(Order, order), "pick_up")
    assert priced.account_fen == before > 0
    less = replace(
        priced, account_fen=0, shares=tuple(s for s in priced.shares if s.side != "elder")
    )
    with transaction():
        changing.exchange(order, less, None, hands.operator, LATER, reason=WHY)
    own = statement_of(elder_id=city.extra["second"].id)
    assert (own.total_fen, own.meals) == (0, 0)
    assert statement_of(city.here).total_fen == canteens
    assert verify() == []


def test_a_sample_is_extrapolated_though_no_funder_pays_anything_of_the_statement(
    city: City, hands: Hands
) -> None:
    """A month whose clawbacks eat what it earned must not stop the district for ever."""
    set_rule(hands.district, DEFAULT.stages, sample_bp=0, sample_least=1, extrapolate=True)
    close()
    here = statement_of(city.here).id
    pass_on([here], hands, upto="street")
    with transaction() as session:
        session.execute(sa.update(StatementLine).where(StatementLine.statement_id == here)
                        .values(amount_fen=-StatementLine.amount_fen))  # fmt: skip
        deducted = amending.deduct(
            session.get_one(Statement, here), 101, extrapolating.CAUSE, hands.district, LATER, WHY
        )
        assert sum(line[-1] for line in deducted.lines) == -101
        session.rollback()


def test_what_a_judge_lost_on_appeal_the_same_judge_does_not_deny_again(
    city: City, hands: Hands
) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    close()
    judge, second = colleague(), colleague()
    with transaction():
        holding.decide(found, "deny", WHY, by=judge, at=LATER)
    with transaction():
        appeal = appealing.file(order, WHY, hands.operator, LATER).id
    with transaction():
        appealing.decide(appeal, "upheld", WHY, second, LATER)
    assert given(order) == 1
    with transaction():
        deciding.reopen(found, WHY, by=judge, at=LATER)
    with pytest.raises(CanteenError) as refused, transaction():
        holding.decide(found, "deny", WHY, by=judge, at=LATER)
    assert refused.value.code == "same_judge"
    assert given(order) == 1
    assert verify() == []


# ── what the city owes its districts ──


@pytest.fixture
def settled(app: Flask) -> City:
    return settled_october()


def true_up(city: City, kind: str, **more: Any) -> int:
    with transaction():
        return truing_up.prepare(
            2026, "120104", kind, city.extra["maker"], on=NEW_YEAR, at=at_noon(NEW_YEAR), **more
        ).id


def finish(city: City, made: int) -> None:
    with transaction():
        truing_up.confirm(made, city.extra["checker"], at=at_noon(NEW_YEAR))
    with transaction():
        truing_up.pay(
            made, f"BK{made}", NEW_YEAR, city.extra["checker"], on=NEW_YEAR, at=at_noon(NEW_YEAR)
        )


def close_the_year() -> None:
    close("2026-11", date(2026, 12, 2))
    close("2026-12", date(2027, 1, 2))


def test_no_preliminary_share_is_paid_after_the_final_one(settled: City) -> None:
    close_the_year()
    finish(settled, true_up(settled, "final"))
    with pytest.raises(CanteenError):
        true_up(settled, "preliminary")
    with pytest.raises(CanteenError):
        true_up(settled, "preliminary", percent_bp=5_000)
    assert verify() == []


def test_a_final_draft_from_before_the_preliminary_one_cannot_be_confirmed(settled: City) -> None:
    close_the_year()
    final = true_up(settled, "final")
    early = true_up(settled, "preliminary")
    with pytest.raises(CanteenError), transaction():
        truing_up.confirm(final, settled.extra["checker"], at=at_noon(NEW_YEAR))
    finish(settled, early)
    with pytest.raises(CanteenError), transaction():
        truing_up.confirm(final, settled.extra["checker"], at=at_noon(NEW_YEAR))
    last = true_up(settled, "final")
    assert last == final
    finish(settled, last)
    assert verify() == []


def test_two_cuts_at_once_take_no_budget_below_nothing(app: Flask, settled: City) -> None:
    by, at = settled.extra["maker"], at_noon(NEW_YEAR)
    with transaction():
        funding.set_aside("120104", 2027, 1_000, "", by, at)
    said = together(app, [
        lambda: funding.set_aside("120104", 2027, -800, "", by, at) for _ in range(4)
    ])  # fmt: skip
    assert sum(isinstance(one, funding.BelowNothing) for one in said) == 3
    assert funding.budgets(2027)["120104"] == 200
