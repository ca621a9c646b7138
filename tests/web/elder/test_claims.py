"""An elder claims a meal that was paid in full: in one tap, or with the receipt."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.adjustments.models import Claim
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.tills.keys import key_of, receipt_code
from canteen.tills.models import Till, TillEntry
from tests.factories import City, make_city, make_elder, make_user
from tests.tills.drawers import make_till
from tests.web.world import sign_in


def bought(city: City, elder_id: int | None) -> int:
    """A dinner paid in full, as a till without the card sold it."""
    with transaction():
        item = city.items[0]
        order = Order(
            canteen_id=city.here.id, elder_id=elder_id, menu_id=item.menu_id,
            on=clock.business_date(), meal="lunch", service="eat_in", channel="till",
            state="served", payment="cash", list_fen=1500, discount_fen=0, subsidy_fen=0,
            payable_fen=1500, cash_fen=1500, placed_at=clock.now(), placed_by="user:1",
            paid_at=clock.now(), paid_on=clock.business_date(), note="",
        )
        db.session.add(order)
        db.session.flush()
        return order.id


def test_an_elder_claims_their_own_meal_in_one_tap(app: Flask) -> None:
    city = make_city(clock.business_date())
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘")
        client = sign_in(app, make_user("elder", elder_id=elder.id))
    order = bought(city, elder.id)
    page = client.get(f"/home/elders/{elder.id}/claims").text
    assert f'value="{order}"' in page and "还没有登记收款账户" in page
    done = client.post(f"/home/elders/{elder.id}/claims", data={"receipt": str(order)})
    assert done.status_code == 303
    claim = db.session.scalars(sa.select(Claim)).one()
    assert (claim.order_id, claim.elder_id, claim.state) == (order, elder.id, "asked")
    assert "待审核" in client.get(done.location).text
    again = client.post(f"/home/elders/{elder.id}/claims", data={"receipt": str(order)})
    assert again.status_code == 409 and "已经申请过补领" in again.text


def test_a_meal_sold_to_nobody_needs_the_code_on_its_receipt(app: Flask) -> None:
    city = make_city(clock.business_date())
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘")
        client = sign_in(app, make_user("elder", elder_id=elder.id))
        till = make_till(city.here.id)
    order = bought(city, None)
    with transaction():
        db.session.add(entry_of(till, order))
    address = f"/home/elders/{elder.id}/claims"
    guessed = client.post(address, data={"receipt": str(order)})
    assert guessed.status_code == 422 and "没有找到这份订单" in guessed.text
    code = receipt_code(key_of(db.session.get_one(Till, till.id)), 7)
    forged = client.post(address, data={"receipt": f"{till.id}-7-00000000"})
    assert forged.status_code == 422
    for paper in ("", "http://x.example/r/"):
        separator = "/" if paper else "-"
        text = paper + separator.join((str(till.id), "7", code))
        answer = client.post(address, data={"receipt": text})
        assert answer.status_code == (409 if paper else 303)


def entry_of(till: Till, order_id: int) -> TillEntry:
    """The seventh entry of a till's journal: this sale."""
    now = clock.now()
    return TillEntry(
        till_id=till.id, number=7, kind="sale", order_id=order_id, kept=False, device_at=now,
        made_at=now, received_at=now, body="", mac="", outcome={}, notes=[],
    )
