"""What was put right afterwards is proven: each planted fault is seen by its check."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.adjustments import claiming, late_facts
from canteen.db import db, transaction
from canteen.elders.models import ElderFact
from canteen.orders.booking import post_day
from canteen.payouts import repaying
from canteen.settlements import changing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from canteen.verifying import verify
from tests.factories import City, make_elder, make_menu
from tests.planting import planted
from tests.settlements.factories import (
    JOB,
    at_noon,
    close,
    hands_over,
    little_month,
    pass_on,
    sell,
    statement_of,
)

ON = date(2026, 10, 20)
TOLD = at_noon(date(2026, 11, 3))
NIGHT = at_noon(date(2026, 11, 4))
DECEMBER = date(2026, 12, 2)


@pytest.fixture
def city(app: Flask) -> City:
    """A claim of October granted, a death told late, a month below nothing paid back."""
    city = little_month(post=False)
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘", payout_account="acct_zhou")
        items = make_menu(city.here, ON, meal="dinner")
        order = sell(city, items[:1], ON, None, meal="dinner").order_id
        other = hands_over(city.here).street
        post_day(date(2026, 10, 31), JOB)
        city.extra["claimant"] = elder
    with transaction():
        claim = claiming.file(
            order, elder.id, "card_unread", "刷卡没反应", city.extra["hands"].street, at_noon(ON)
        )
    with transaction():
        claiming.approve(claim.id, "已核对", other, at_noon(ON))
    close()
    return city


def tell(elder_id: int, since: date) -> None:
    with transaction():
        db.session.add(
            ElderFact(
                elder_id=elder_id, kind="status", value="deceased", valid_from=since,
                recorded_by="user:9", recorded_at=TOLD,
            )
        )
    with transaction():
        late_facts.look(at=NIGHT)


def test_a_claimed_meal_is_taken_back_when_a_death_before_it_is_told(city: City) -> None:
    before = statement_of(elder_id=city.extra["claimant"].id).account_fen
    tell(city.extra["claimant"].id, ON)
    assert statement_of(elder_id=city.extra["claimant"].id).account_fen == before
    tell(city.extra["second"].id, date(2026, 9, 1))
    with transaction():
        db.session.execute(
            sa.update(ElderFact).where(ElderFact.elder_id == city.extra["claimant"].id)
            .values(valid_from=date(2026, 10, 19))
        )  # fmt: skip
    with transaction():
        assert late_facts.look(at=NIGHT).taken_back == 1
    assert statement_of(elder_id=city.extra["claimant"].id).account_fen == before - 300
    assert verify() == []


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("UPDATE grants SET cause_id = NULL WHERE cause = 'late_fact'",
         "late_facts_have_their_fact"),
        ("UPDATE elder_facts SET elder_id = 1 WHERE recorded_by = 'user:9' AND elder_id <> 1",
         "late_facts_have_their_fact"),
        ("UPDATE elder_facts SET valid_from = '2027-01-01' WHERE recorded_by = 'user:9'",
         "late_facts_have_their_fact"),
        ("DELETE FROM fact_reviews", None),
        ("UPDATE claims SET state = 'refused'", "claims_have_their_grant"),
        ("UPDATE claims SET decided_by = asked_by", "claims_have_their_grant"),
        ("UPDATE claims SET elder_id = 1", "claims_have_their_grant"),
        ("UPDATE grants SET cause = 'sale', cause_id = NULL WHERE cause = 'claim'",
         "claims_have_their_grant"),
    ],
)  # fmt: skip
def test_each_fault_is_seen_by_its_check(city: City, fault: str, check: str | None) -> None:
    tell(city.extra["second"].id, date(2026, 9, 1))
    assert verify() == []
    with planted(fault):
        seen = {finding.check for finding in verify()}
    assert seen == set() if check is None else check in seen


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE repayments SET amount_fen = amount_fen + 1",
        "DELETE FROM repayments",
        "UPDATE repayments SET confirmed_by = noted_by",
        "UPDATE repayments SET confirmed_by = NULL, confirmed_at = NULL",
        "UPDATE statements SET stage = 'carried' WHERE stage = 'repaid'",
    ],
)
def test_money_paid_back_is_proven(city: City, fault: str) -> None:
    pass_on([statement_of(city.here).id], city.extra["hands"])
    orders = db.session.scalars(
        sa.select(Grant.order_id).where(
            Grant.canteen_id == city.here.id, Grant.number == 1, Grant.till_fen > 0,
            Grant.order_id.not_in(sa.select(Grant.order_id).where(Grant.number > 1)),
        ).limit(2)
    ).all()  # fmt: skip
    with transaction():
        changing.take_back(dict.fromkeys(orders), "corrected", JOB, NIGHT)
    close("2026-11", DECEMBER)
    owed = statement_of(city.here, "2026-11")
    assert owed.total_fen == -1000
    pass_on([owed.id], city.extra["hands"], on=DECEMBER)
    with transaction():
        repaying.note(owed.id, 1000, DECEMBER, "B1", city.extra["hands"].district,
                      on=DECEMBER, at=at_noon(DECEMBER))  # fmt: skip
    with transaction():
        repaying.confirm(owed.id, city.extra["hands"].city, on=DECEMBER, at=at_noon(DECEMBER))
    assert db.session.scalar(sa.select(Statement.stage).where(Statement.id == owed.id)) == "repaid"
    assert verify() == []
    with planted(fault):
        assert "repayments_match" in {finding.check for finding in verify()}
