"""What is counted: days without meals, meals, subsidies, ratings, papers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen, Closure, ListingChange
from canteen.db import db, transaction
from canteen.performance.measuring import meals_of, sign_facts
from canteen.performance.models import Rating
from canteen.subsidies.models import Funding, Grant, PolicyVersion
from tests.factories import make_canteen, make_elder, make_territories
from tests.performance.factories import days, make_ground, make_orders

FRIDAY = date(2026, 11, 20)


@pytest.fixture
def canteen(app: Flask) -> Canteen:
    """Open on weekdays, listed on 1 January 2024."""
    with transaction():
        canteen, _ = make_ground()
        canteen.open_weekdays = "12345"
    return canteen


def idle(canteen: Canteen, on: date) -> int:
    """The canteen's idle days at the end of a day."""
    return sign_facts(on)[canteen.id].idle_days


def test_idle_days_are_open_days_since_the_last_meal_served(canteen: Canteen) -> None:
    with transaction():
        make_orders(canteen, [date(2026, 11, 3), date(2026, 11, 6)])
        make_orders(canteen, [date(2026, 11, 12)], state="cancelled")
        make_orders(canteen, [date(2026, 11, 13)], state="placed")
        db.session.add(Closure(canteen_id=canteen.id, on=date(2026, 11, 11), reason="检修"))
    assert idle(canteen, date(2026, 11, 6)) == 0
    assert idle(canteen, date(2026, 11, 8)) == 0  # a weekend
    assert idle(canteen, date(2026, 11, 9)) == 1
    assert idle(canteen, FRIDAY) == 9  # ten weekdays, one announced closure
    assert idle(canteen, date(2026, 11, 4)) == 1  # looking back, later meals are not yet served
    assert sign_facts(FRIDAY)[canteen.id].idle_since == date(2026, 11, 6)


def test_without_any_meal_idle_days_count_from_the_day_the_sign_was_hung(
    canteen: Canteen,
) -> None:
    with transaction():
        make_orders(canteen, [date(2026, 9, 1)])
        for at, before, after in (
            (datetime(2024, 3, 1, tzinfo=UTC), "public_notice", "listed"),
            (datetime(2026, 9, 20, tzinfo=UTC), "listed", "suspended"),
            (datetime(2026, 11, 15, 18, tzinfo=UTC), "suspended", "listed"),
            (datetime(2026, 11, 17, tzinfo=UTC), "listed", "warned"),
            (datetime(2026, 11, 18, tzinfo=UTC), "warned", "listed"),
        ):
            db.session.add(ListingChange(
                canteen_id=canteen.id, from_status=before, to_status=after, reason_code="idle",
                reason="", decided_by="user:1", at=at, facts={},
            ))  # fmt: skip
    facts = sign_facts(FRIDAY)[canteen.id]
    assert facts.idle_since == date(2026, 11, 16)  # past midnight in Shanghai
    assert facts.idle_days == 4
    assert facts.open_since == date(2024, 3, 1)


def test_only_canteens_with_a_sign_are_judged(canteen: Canteen) -> None:
    with transaction():
        for status in ("applied", "delisted", "public_notice", "suspended", "warned"):
            make_canteen(status=status)
    judged = {row.status for row in sign_facts(FRIDAY).values()}
    assert judged == {"listed", "warned", "suspended"}
    assert set(sign_facts(FRIDAY, canteen.id)) == {canteen.id}


def test_served_days_since_a_warning_and_papers_are_seen(canteen: Canteen) -> None:
    with transaction():
        db.session.get_one(Canteen, canteen.id).status = "warned"
        db.session.get_one(Canteen, canteen.id).status_since = date(2026, 11, 16)
        make_orders(canteen, [date(2026, 11, 16), *[date(2026, 11, 17)] * 2, date(2026, 11, 18)])
    facts = sign_facts(FRIDAY)[canteen.id]
    assert (facts.served_since_change, facts.missing_papers) == (2, ())
    assert sign_facts(date(2031, 1, 1))[canteen.id].missing_papers == (
        "business", "food", "agreement",
    )


def test_meals_and_ratings_are_counted_over_a_window(canteen: Canteen) -> None:
    with transaction():
        elder = make_elder()
        orders = make_orders(canteen, days(date(2026, 11, 2), FRIDAY), elder)
        make_orders(canteen, [FRIDAY])
        make_orders(canteen, [FRIDAY], state="cancelled")
        for order, stars in zip(orders[-6:], (5, 5, 4, 4, 3, 3), strict=True):
            db.session.add(
                Rating(order_id=order.id, canteen_id=canteen.id, stars=stars, on=order.on)
            )
        policy = PolicyVersion(
            code="t", digest="d", territory_code="120000", in_force_from=FRIDAY, document="t",
            body={}, published_by="user:1", published_at=clock.now(),
        )
        funding = Funding(
            digest="d", till_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0
        )
        db.session.add_all([policy, funding])
        db.session.flush()
        for order, sign in ((orders[-1], 1), (orders[-2], 1), (orders[-2], -1), (orders[0], 1)):
            db.session.add(Grant(
                order_id=order.id, number=1 if sign > 0 else 2, sign=sign,
                cause="sale" if sign > 0 else "cancelled", elder_id=elder.id, canteen_id=canteen.id,
                period="2026-11", on=order.on, meal="lunch", policy_id=policy.id,
                group_code="G1", funding_id=funding.id, till_fen=300 * sign, account_fen=0,
                enterprise_fen=200 * sign, delivery_fen=0,
                made_at=clock.instant(order.on, time(12)),
            ))  # fmt: skip
        empty = make_canteen(open_weekdays="7")
    found = meals_of([canteen.id, empty.id], FRIDAY, 10)
    week = found[canteen.id]
    assert (week.first, week.meals, week.subsidised) == (date(2026, 11, 11), 11, 1)
    assert week.subsidised_bp == 909
    assert (week.measured.open_days, week.measured.served_days) == (8, 10)
    assert (week.measured.ratings, week.measured.stars) == (6, 24)
    assert (found[empty.id].meals, found[empty.id].measured.open_days) == (0, 1)


def test_the_number_of_queries_does_not_grow_with_the_canteens(app: Flask) -> None:
    with transaction():
        make_territories()
        make_canteen()

    def counted() -> int:
        queries: list[str] = []

        def seen(*call: object) -> None:
            queries.append(str(call[2]))

        sa.event.listen(db.engine, "before_cursor_execute", seen)
        facts = sign_facts(FRIDAY)
        meals_of(list(facts), FRIDAY, 30)
        sa.event.remove(db.engine, "before_cursor_execute", seen)
        return len([query for query in queries if query.startswith("SELECT")])

    few = counted()
    with transaction():
        for _ in range(5):
            make_canteen()
    assert counted() == few
