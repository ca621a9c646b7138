"""Claims of meals paid in full: who may, what for, decided by another hand, granted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.adjustments import claiming, claims
from canteen.adjustments.models import Claim
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.errors import CanteenError, NotFound
from canteen.notices.models import Notice
from canteen.orders.booking import post_day
from canteen.orders.cancelling import cancel
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City, actor, make_elder, make_menu, make_user
from tests.settlements.factories import (
    FIRST,
    JOB,
    at_noon,
    close,
    hands_over,
    little_month,
    sell,
    statement_of,
)

ON = date(2026, 10, 20)
LATER = at_noon(date(2026, 10, 22))


@pytest.fixture
def city(app: Flask) -> City:
    """A month in which an elder of 83 bought a dinner as a stranger on the 20th."""
    city = little_month(post=False)
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘", payout_account="acct_zhou")
        items = make_menu(city.here, ON, meal="dinner")
        city.extra["elder"] = elder
        city.extra["bought"] = sell(city, items[:1], ON, None, meal="dinner").order_id
        home = actor(make_user("elder", elder_id=elder.id))
        city.extra["home"] = replace(home, elder_ids=(elder.id,))
        city.extra["other_street"] = hands_over(city.here).street
        post_day(date(2026, 10, 31), JOB)
    return city


def file(city: City, by: Actor | None = None, **more: Any) -> Claim:
    values = {"order_id": city.extra["bought"], "elder_id": city.extra["elder"].id,
              "kind": "card_unread", "reason": "刷卡没反应", "at": LATER}  # fmt: skip
    with transaction():
        return claiming.file(by=by or city.extra["hands"].street, **(values | more))


def approve(city: City, claim: Claim, by: Actor | None = None) -> None:
    with transaction():
        claiming.approve(claim.id, "已与食堂核对", by or city.extra["other_street"], LATER)


def refused(code: str, act: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(CanteenError) as caught:
        act(*args, **kwargs)
    assert caught.value.code == code


def test_an_approved_claim_is_paid_to_the_account_and_the_canteen_gets_its_part(
    city: City,
) -> None:
    claim = file(city)
    approve(city, claim)
    row = db.session.scalars(sa.select(Grant).where(Grant.cause == "claim")).one()
    assert (row.number, row.till_fen, row.account_fen, row.enterprise_fen) == (1, 0, 300, 200)
    assert (row.cause_id, row.elder_id) == (claim.id, city.extra["elder"].id)
    assert verify() == []
    close()
    assert statement_of(elder_id=city.extra["elder"].id).account_fen == 300
    assert verify() == []
    told = db.session.scalars(sa.select(Notice).where(Notice.kind == "claim")).one()
    assert "3.00" in told.zh and told.elder_id == city.extra["elder"].id


def test_a_claim_after_closing_falls_into_the_next_month(city: City) -> None:
    close()
    approve(city, file(city, at=at_noon(date(2026, 11, 3))))
    assert db.session.scalar(sa.select(Grant.period).where(Grant.cause == "claim")) == "2026-11"
    assert verify() == []


def test_nobody_decides_a_claim_they_filed(city: City) -> None:
    claim = file(city)
    refused("claim_same_hand", approve, city, claim, city.extra["hands"].street)
    approve(city, claim, city.extra["hands"].district)
    refused("claim_decided", approve, city, claim)


def test_an_elder_needs_the_receipt_of_a_meal_sold_to_nobody_known(city: City) -> None:
    with pytest.raises(NotFound):
        file(city, city.extra["home"])
    claim = file(city, city.extra["home"], proven=True, reason="")
    assert claim.reason == claiming.KINDS["card_unread"].zh
    assert [row.claim.id for row in claims.list_for(city.extra["hands"].street)] == [claim.id]
    assert claims.count(city.extra["hands_elsewhere"].district) == 0


def test_a_strangers_order_is_a_number_that_does_not_exist(city: City) -> None:
    """Whatever became of it: old, cancelled, subsidised or claimed, nothing is said of it."""
    with transaction():
        items = make_menu(city.elsewhere, ON, meal="dinner")
        foreign = [
            sell(city, items[:1], ON, elder, meal="dinner", here=False).order_id
            for elder in (None, city.extra["second"])
        ]
    home = city.extra["home"]
    theirs = db.session.scalar(sa.select(Grant.order_id).where(Grant.elder_id == city.elder.id))
    for at in (LATER, LATER + timedelta(days=400)):
        for order_id in (*foreign, 10**12):
            refused("not_found", file, city, order_id=order_id, at=at)
        for order_id in (*foreign, theirs, city.extra["bought"], 10**12):
            refused("not_found", file, city, home, order_id=order_id, at=at)
    refused("claim_not_yours", file, city, home, order_id=theirs, proven=True)
    with transaction():
        own = sell(city, items[:1], ON, city.extra["elder"], meal="dinner", here=False).order_id
    refused("claim_had_subsidy", file, city, order_id=own)  # an elder of this ground ate there


def test_a_meal_is_claimed_once(city: City) -> None:
    claim = file(city)
    refused("already_claimed", file, city)
    with transaction():
        claiming.refuse(claim.id, "小票与食堂记录不符", city.extra["other_street"], LATER)
    approve(city, file(city))
    refused("already_claimed", file, city)
    assert db.session.scalar(
        sa.select(sa.func.count()).select_from(Grant).where(Grant.cause == "claim")
    ) == 1  # fmt: skip


def test_what_cannot_be_claimed_says_why(city: City) -> None:
    refused("claim_too_old", file, city, at=LATER + timedelta(days=31))
    refused("reason_missing", file, city, reason="嗯")
    sold = db.session.scalar(sa.select(Grant.order_id).where(Grant.elder_id == city.elder.id))
    refused("claim_not_yours", file, city, order_id=sold)
    refused("claim_had_subsidy", file, city, order_id=sold, elder_id=city.elder.id)
    with transaction():
        cancel(city.extra["bought"], "mistake", "", city.manager, at_noon(ON))
    refused("claim_not_paid", file, city)


def test_who_is_not_entitled_or_has_used_the_week_is_told_so_and_can_be_refused(
    city: City,
) -> None:
    with transaction():
        young = make_elder(date(1960, 1, 1), name="李小")
    claim = file(city, elder_id=young.id)
    refused("claim_nothing_due", approve, city, claim)
    with transaction():
        claiming.refuse(claim.id, "未满年龄", city.extra["other_street"], LATER)
    elder: Elder = city.extra["elder"]
    with transaction():
        items = make_menu(city.here, ON)
        sell(city, items[:1], ON, elder)  # today's subsidised meal is used at lunch
    refused("claim_nothing_due", approve, city, file(city))
    assert verify() == []


def test_an_elder_without_an_account_is_granted_all_the_same(city: City) -> None:
    with transaction():
        db.session.execute(sa.update(Elder).values(payout_account=None))
    approve(city, file(city))
    close()
    assert statement_of(elder_id=city.extra["elder"].id).account_fen == 300
    assert FIRST < ON
