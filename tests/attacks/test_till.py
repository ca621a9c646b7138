"""A dishonest tablet: what it may sign, and what it can never make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock, jobs
from canteen.access.models import User
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.subsidies.models import Grant
from canteen.tills import ruling
from canteen.tills.cash import drawer
from canteen.tills.models import CashMove, OfflineRule, Shift, Till
from canteen.verifying import verify
from tests.factories import City, make_city
from tests.tills.tablet import Tablet
from tests.web.world import sign_in

DEEP = "[" * 9_000 + "]" * 9_000
LONG = "7" * 6_000  # more digits than Python turns into a number


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def tablet(app: Flask, city: City) -> Tablet:
    tablet = Tablet(city, app.test_client())
    tablet.sent(tablet.open())
    return tablet


def said(kind: str, more: str) -> str:
    """An entry as text, with something in it that no tablet writes."""
    return f'{{"kind":"{kind}","at":"2026-11-22T04:00:00Z","shift":1,{more}}}'


def pages_open(app: Flask, city: City) -> bool:
    """Whether the manager's pages still show what came in, and the books are still checked."""
    manager = sign_in(app, db.session.get_one(User, city.manager.user_id))
    shift = db.session.scalar(sa.select(sa.func.max(Shift.id)))
    order = db.session.scalar(sa.select(sa.func.max(Order.id)))
    urls = ["/till/tills", "/till/shifts", f"/till/shifts/{shift}", "/till/day"]
    urls += [f"/till/orders/{order}", f"/till/orders/{order}/receipt"] if order else []
    return verify() == [] and all(manager.get(url).status_code == 200 for url in urls)


@pytest.mark.parametrize(
    "body",
    [
        said("withdrawn", f'"x":{DEEP}'), said("withdrawn", f'"x":{LONG}'), "[" * 20_000,
        said("close", f'"counted_fen":0,"left_fen":0,"count":{{"100":{DEEP[6000:12000]}}}'),
        said("sale", f'"cash_fen":{LONG}'), said("sale", f'"cash_fen":5,"x":{DEEP}'),
        said("move", '"fen":5,"reason_code":"other","reason":"a\\ud800"'),
        said("withdrawn", '"off":NaN'), said("withdrawn", '"off":' + "9" * 400),
    ],
    ids=("deep", "long", "open", "count", "cash", "sale", "surrogate", "nan", "off"),
)  # fmt: skip
def test_what_no_tablet_writes_is_kept_and_the_journal_goes_on(
    app: Flask, city: City, tablet: Tablet, body: str
) -> None:
    assert tablet.send([tablet.sign(body)]).status_code == 200
    assert tablet.sent(tablet.sale())["result"] == "done"
    assert pages_open(app, city)


@pytest.mark.parametrize("data", ['{"till":1,"entries":[],"x":' + "[" * 900_000, "[" * 1_000_000])
def test_brackets_a_million_deep_are_refused(app: Flask, data: str) -> None:
    answer = app.test_client().post("/till/journal", data=data, content_type="application/json")
    assert answer.status_code == 422


def test_more_in_a_sale_than_a_sale_says_spoils_no_receipt(
    app: Flask, city: City, tablet: Tablet
) -> None:
    plain = json.loads(tablet.sale()["body"])
    tablet.made.pop()
    tablet.number, tablet.mac = 1, tablet.made[0]["mac"]
    entry = tablet.sign(json.dumps(plain)[:-1] + f',"x":{LONG}}}')
    assert tablet.sent(entry)["result"] == "done"
    assert pages_open(app, city)


def note(done: dict[str, Any]) -> list[str]:
    return list(done["notes"])


def test_a_tablet_cannot_have_sold_before_it_was_a_till(
    app: Flask, city: City, tablet: Tablet
) -> None:
    """Else a new tablet would use up every week's subsidy an elder ever left unused."""
    new = Tablet(city, app.test_client(), "二号机")
    with transaction():
        db.session.execute(
            sa.update(Till).where(Till.id == new.id).values(enrolled_at=clock.now())
        )
    long_ago = clock.now() - timedelta(days=60)
    new.sent(new.open(at=long_ago))
    done = new.sent(new.sale(at=long_ago, on=long_ago.date()))
    db.session.rollback()
    assert db.session.get_one(Order, done["order_id"]).on == city.today


@pytest.mark.parametrize("year", [1, 1970, 2099, 9999])
def test_a_clock_of_another_age_sells_today(city: City, tablet: Tablet, year: int) -> None:
    at = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    done = tablet.sent(tablet.entry("withdrawn"))
    plain = json.loads(tablet.sale()["body"]) | {
        "at": at.isoformat(), "off": None, "on": at.date().isoformat(),
    }
    tablet.made.pop()
    tablet.number, tablet.mac = done["number"], tablet.made[-1]["mac"]
    done = tablet.sent(tablet.sign(json.dumps(plain)))
    db.session.rollback()
    assert db.session.get_one(Order, done["order_id"]).on == city.today
    assert pages_open(tablet.client.application, city)


def test_nobody_pays_for_prices_above_the_menu(city: City, tablet: Tablet) -> None:
    """A bowl of 3 yuan becomes no standard set by being called one of 15."""
    line = [[city.items[1].id, 1, 1500]]
    done = tablet.sent(tablet.sale(lines=line))

    assert note(done) == ["price_differs", "above_menu", "excess_canteen"]
    assert (done["parts"]["subsidy_fen"], done["parts"]["excess_fen"]) == (0, 450)
    db.session.rollback()
    assert db.session.scalars(sa.select(Grant)).all() == [] and verify() == []


def programme(city: City, limit_fen: int) -> None:
    with transaction():
        db.session.add(
            OfflineRule(
                district_code=city.here.district_code, from_on=city.today, per_elder=1,
                per_till=60, excess="programme", limit_fen=limit_fen, set_by="user:1",
                set_at=clock.now(),
            )
        )


@pytest.mark.parametrize("priced", ["till", "server"])
def test_what_the_district_did_not_allow_the_programme_does_not_bear(
    city: City, tablet: Tablet, priced: str
) -> None:
    """However the till says that it priced them: of five meals sold at once to one elder without
    asking, the programme bears none but the first."""
    programme(city, 100_000)
    made = [tablet.sale(priced=priced) for _ in range(5)]
    told = tablet.send(made).get_json()["outcomes"]

    assert [one["bearer"] for one in told] == [None] + ["canteen"] * 4
    assert [one["notes"] for one in told[1:]] == [["excess_canteen", "over_allowance"]] * 4
    assert ruling.borne_fen(city.here.id, clock.period_of(city.today)) == 0


def test_a_till_that_only_pretends_to_be_away_costs_the_limit_at_most(
    city: City, tablet: Tablet
) -> None:
    programme(city, 700)
    bearers = [tablet.sent(tablet.sale())["bearer"] for _ in range(6)]
    assert bearers == [None, "programme", "programme", "canteen", "canteen", "canteen"]
    assert ruling.borne_fen(city.here.id, clock.period_of(city.today)) == 600
    assert verify() == []


def test_the_cash_part_of_a_payment_that_never_came_leaves_the_drawer(
    city: City, tablet: Tablet
) -> None:
    """Whoever cancels it: else the drawer would be short of what was rightly given back."""
    sale = tablet.sale(payment="online", cash_fen=500)
    done = tablet.sent(sale, live=True)
    shift_id = db.session.scalar(sa.select(Shift.id))
    assert done["state"] == "awaiting_payment" and drawer(shift_id).expected_fen == 20_500
    with transaction():
        db.session.execute(
            sa.update(Order).values(placed_at=clock.now() - timedelta(minutes=20))
        )
    assert jobs.expire_unpaid() == 1
    assert drawer(shift_id).expected_fen == 20_000
    void = tablet.sent(tablet.entry("void", of=2, reason_code="mistake", reason=""))
    assert void["code"] == "already_cancelled"
    assert drawer(shift_id).expected_fen == 20_000
    assert db.session.scalar(sa.select(sa.func.count(CashMove.id))) == 1
    assert verify() == []


def test_whoever_tries_counts_until_one_fits_is_noted(city: City, tablet: Tablet) -> None:
    close: dict[str, Any] = {"left_fen": 0, "reason": ""}
    for yuan in (205, 204, 203):
        count = {"count": {"100": yuan}, "counted_fen": yuan * 100}
        refused = tablet.send([tablet.entry("close", **count, **close)], live=True)
        assert refused.get_json()["error"]["code"] == "reason_needed"
        assert "200" not in refused.text.replace("2026", "")  # nothing of what should be there
        tablet.made.pop()
        tablet.number, tablet.mac = tablet.number - 1, tablet.made[-1]["mac"]
        tablet.sent(tablet.entry("withdrawn", code="reason_needed"))
    done = tablet.sent(
        tablet.entry("close", count={"10000": 2}, counted_fen=20_000, **close), live=True
    )
    assert note(done) == ["recounted"]


def test_no_cash_moves_swell_a_drawer_until_it_cannot_be_counted(
    city: City, tablet: Tablet
) -> None:
    """Else two hundred taps would leave a shift that nothing closes, and a till without use."""
    for reason_code, fen in (("change_in", 9_000_000), ("to_safe", -9_000_000)):
        made = [tablet.entry("move", fen=fen, reason_code=reason_code, reason="")
                for _ in range(20)]  # fmt: skip
        told = tablet.send(made).get_json()["outcomes"]
        assert {one["code"] for one in told[2:]} == {"bad_sum"}
    closed = tablet.sent(
        tablet.entry("close", count={}, counted_fen=0, left_fen=0, reason="")
    )
    assert closed["result"] == "done" and verify() == []
