"""An approval is taken back while nobody has acted on it: always by a step, never by one less."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.budgets.models import TrueUp
from canteen.db import db, transaction
from canteen.errors import NotFound
from canteen.ledger.models import Entry
from canteen.orders.booking import post_day
from canteen.orders.cancelling import cancel
from canteen.reasons import ReasonMissing
from canteen.settlements import looking, reviewing, undoing
from canteen.settlements.models import Payout, StatementStep
from canteen.settlements.paying_out import PayoutUnderWay
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City, make_menu
from tests.settlements.factories import (
    AFTER,
    JOB,
    Hands,
    at_noon,
    close,
    little_month,
    online,
    pass_on,
    statement_of,
)
from tests.settlements.test_reviewing import actor_of

WHY = "点错了，要再看一遍"


@pytest.fixture
def city(app: Flask) -> City:
    city = little_month()
    close()
    return city


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


def undo(statement_id: int, by: Actor, why: str = WHY) -> str:
    with transaction():
        return undoing.undo(statement_id, why, by, at=at_noon(AFTER, 12))


def test_every_office_may_take_its_own_back_and_pass_it_anew(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    for office, by in zip(("operator", "street", "district", "city"), hands.chain(), strict=True):
        pass_on([here.id], hands, upto=office)
        for other in hands.chain():
            if other is not by:
                with pytest.raises(undoing.NothingToUndo):
                    undo(here.id, other)
        assert undo(here.id, by) == office == statement_of(city.here).stage
        with transaction():
            reviewing.approve([here.id], by, at=at_noon(AFTER, 13))
    assert statement_of(city.here).stage == "approved"
    undone = db.session.scalars(
        sa.select(StatementStep).where(StatementStep.verdict == "undone").order_by(StatementStep.id)
    ).all()
    assert [(s.stage, s.to_stage, s.reason) for s in undone] == [
        (office, office, WHY) for office in ("operator", "street", "district", "city")
    ]
    assert len(db.session.scalars(sa.select(Payout)).all()) == 1
    assert verify() == []


def test_not_once_the_next_office_has_looked(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    with transaction():
        looking.look_rest([here.id], hands.district, at_noon(AFTER, 14))
    with pytest.raises(undoing.NothingToUndo):
        undo(here.id, hands.street)


def test_not_once_the_payout_lies_in_a_batch(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands)
    with transaction() as session:
        session.execute(sa.update(Payout).values(state="waiting"))
    with pytest.raises(PayoutUnderWay):
        undo(here.id, hands.city)
    assert statement_of(city.here).stage == "approved"


@pytest.mark.parametrize("state", ["draft", "confirmed"])
def test_not_once_the_final_true_up_has_counted_it(city: City, hands: Hands, state: str) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands)
    with transaction() as session:
        session.add(
            TrueUp(
                year=2026, district_code="120104", kind="final", state=state, share_fen=5,
                paid_before_fen=0, balance_fen=5, sums=[], targets=[], prepared_by="user:1",
                prepared_at=at_noon(AFTER), confirmed_by="user:2",
            )
        )
    if state == "draft":
        assert undo(here.id, hands.city) == "city", "the draft no longer agrees and is made again"
        return
    assert not undoing.may_undo(statement_of(city.here), hands.city)
    db.session.rollback()
    with pytest.raises(undoing.TruedUp) as refusal:
        undo(here.id, hands.city)
    assert "2026年终清算" in refusal.value.text.zh and "2026" in refusal.value.text.en
    assert statement_of(city.here).stage == "approved"


def test_a_colleague_of_the_office_may_but_no_stranger_and_not_without_a_reason(
    city: City, hands: Hands
) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    with pytest.raises(NotFound):
        undo(here.id, city.extra["hands_elsewhere"].street)
    with pytest.raises(ReasonMissing):
        undo(here.id, hands.street, "不")
    colleague = actor_of("street", territory_code="120104001")
    assert undo(here.id, colleague) == "street"


def test_whoever_undid_at_one_office_acts_at_no_other(city: City, hands: Hands) -> None:
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    undo(here.id, hands.street)
    with transaction():
        reviewing.approve([here.id], actor_of_street(city), at=at_noon(AFTER, 13))
    promoted = Actor("district", hands.street.user_id, territory="120104")
    with pytest.raises(reviewing.SameHand), transaction():
        looking.look_rest([here.id], promoted, at_noon(AFTER))


def actor_of_street(city: City) -> Actor:
    from tests.factories import actor, make_user

    return actor(make_user("street", territory_code=city.here.street_code))


def test_a_month_of_exactly_nothing_is_cleared_in_the_books_and_undone(
    city: City, hands: Hands
) -> None:
    on, then = date(2026, 11, 4), date(2026, 12, 2)
    taken_back = db.session.scalar(
        sa.select(sa.func.min(Grant.order_id)).where(Grant.canteen_id == city.here.id)
    )
    with transaction():
        cancel(taken_back, "mistake", "", city.manager, at_noon(on))
    with transaction():
        items = make_menu(city.here, on, prices=(500, 300))
    online(city, items[:1], on, None)
    with transaction():
        post_day(date(2026, 11, 30), JOB)
    close("2026-11", on=then)
    nothing = statement_of(city.here, "2026-11")
    assert (nothing.enterprise_fen, nothing.online_fen, nothing.total_fen) == (-200, 500, 0)
    pass_on([nothing.id], hands, on=then)
    assert statement_of(city.here, "2026-11").stage == "carried" and verify() == []
    assert undo(nothing.id, hands.city) == "city" and verify() == []
    pass_on([nothing.id], hands, on=then)
    assert verify() == []
    assert db.session.scalars(
        sa.select(Entry.key).where(Entry.memo == f"cleared:{nothing.id}").order_by(Entry.id)
    ).all() == [f"cleared:{nothing.id}", f"cleared:{nothing.id}:2"]
