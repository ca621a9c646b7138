"""A sale made without the server is taken in as it happened; who bears an excess is decided."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen, ElderDiscount, ListingChange
from canteen.db import db, transaction
from canteen.elders.models import Card
from canteen.menus.models import MenuItem
from canteen.orders.models import Cancellation, Order
from canteen.orders.quoting import explain
from canteen.payments.models import Charge
from canteen.subsidies.models import Grant, Period, QuotaUse
from canteen.territory.actors import job
from canteen.tills import ruling
from canteen.tills.cash import drawer
from canteen.tills.models import CashMove, Shift, TillEntry
from canteen.verifying import verify
from tests.factories import City, make_city, make_menu
from tests.tills.tablet import Tablet

CITY = job("test")
DISTRICT = "120104"


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def tablet(app: Flask, city: City) -> Tablet:
    tablet = Tablet(city, app.test_client())
    long_ago = clock.now() - timedelta(days=40)
    tablet.sent(tablet.open(at=long_ago))
    return tablet


@pytest.fixture
def other(app: Flask, city: City) -> Tablet:
    """A tablet of another canteen, in another district."""
    tablet = Tablet(city, app.test_client(), "二号机", elsewhere=True)
    tablet.sent(tablet.open())
    return tablet


def order_of(done: dict[str, Any]) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, done["order_id"], populate_existing=True)


def grants() -> list[Grant]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Grant).order_by(Grant.id)))


def used(city: City) -> dict[str, int]:
    rows = db.session.execute(
        sa.select(QuotaUse.period_code, sa.func.sum(QuotaUse.used)).group_by(QuotaUse.period_code)
    )
    return {code: int(count) for code, count in rows}


def all_is_well() -> None:
    db.session.rollback()
    assert verify() == []


def explained(order: Order) -> None:
    """The order prices the same again, apart from its excess."""
    quote = explain(order)
    assert order.discount_fen == quote.discount_fen + order.excess_fen
    assert order.payable_fen == quote.payable_fen - order.excess_fen
    assert order.subsidy_fen == quote.subsidy_fen


def elsewhere_first(other: Tablet) -> None:
    """The elder's one subsidised meal of today is eaten at the other canteen (no discount)."""
    parts = {"list_fen": 1500, "discount_fen": 0, "subsidy_fen": 300, "payable_fen": 1200}
    done = other.sent(other.sale("elder", cash_fen=1200, **parts), live=True)
    assert done["parts"]["subsidy_fen"] == 300


def set_rule(limit_fen: int, excess: str = "programme") -> None:
    with transaction():
        ruling.set_rule(
            DISTRICT, clock.business_date(), per_elder=1, per_till=60, excess=excess,
            limit_fen=limit_fen, by=CITY, today=clock.business_date(),
        )  # fmt: skip


def test_a_kept_sale_that_the_server_prices_alike_is_a_plain_order(
    city: City, tablet: Tablet
) -> None:
    made = clock.now() - timedelta(minutes=1)
    done = tablet.sent(tablet.sale(at=made))
    assert (done["result"], done["state"], done["bearer"], done["notes"]) == (
        "done", "served", None, [],
    )
    order = order_of(done)
    assert (order.channel, order.cash_fen, order.excess_fen) == ("till", 1050, 0)
    assert order.paid_at == order.served_at == order.placed_at
    assert abs(order.paid_at - made) < timedelta(seconds=1)
    assert order.placed_by == order.served_by == f"user:{tablet.cashier}"
    assert order.paid_on == city.today
    assert used(city) == {"day": 1, "week": 1}
    assert [(g.till_fen, g.enterprise_fen) for g in grants()] == [(300, 200)]
    explained(order)
    all_is_well()


@pytest.mark.parametrize("days", [1, 8])
def test_a_sale_of_another_day_counts_for_the_day_it_was_made(
    city: City, tablet: Tablet, days: int
) -> None:
    made = city.now - timedelta(days=days)
    with transaction():
        menu = make_menu(city.here, clock.business_date(made))
    done = tablet.sent(
        tablet.sale(at=made, on=city.today - timedelta(days=days), lines=[[menu[0].id, 1, 1500]])
    )
    assert done["notes"] == ["late"]
    order = order_of(done)
    assert order.on == order.paid_on == city.today - timedelta(days=days)
    assert abs(order.paid_at - made) < timedelta(seconds=1)
    assert grants()[0].on == order.on
    week = db.session.scalar(
        sa.select(QuotaUse.starts_on).where(QuotaUse.period_code == "week")
    )
    assert week == clock.week_start(order.on)
    assert db.session.get_one(TillEntry, (tablet.id, 2)).made_at == order.paid_at
    all_is_well()


def test_a_sale_of_a_closed_month_is_settled_in_the_next_open_one(
    city: City, tablet: Tablet
) -> None:
    last = city.today.replace(day=1) - timedelta(days=1)
    period = clock.period_of(last)
    made = city.now - timedelta(days=(city.today - last).days)
    with transaction():
        menu = make_menu(city.here, last)
        db.session.add(Period(period=period, closed_at=clock.now(), closed_by="user:1"))
    done = tablet.sent(tablet.sale(at=made, on=last, lines=[[menu[0].id, 1, 1500]]))
    assert order_of(done).paid_on == last
    assert [(g.on, g.period) for g in grants()] == [(last, clock.next_period(period))]


def test_beyond_the_caps_the_canteen_bears_what_it_gave(
    city: City, tablet: Tablet, other: Tablet
) -> None:
    elsewhere_first(other)
    done = tablet.sent(tablet.sale())
    assert (done["bearer"], done["notes"]) == ("canteen", ["excess_canteen"])
    assert done["parts"] == {
        "list_fen": 1500, "discount_fen": 450, "subsidy_fen": 0, "account_fen": 0,
        "payable_fen": 1050, "cash_fen": 1050, "excess_fen": 300,
    }
    order = order_of(done)
    assert (order.discount_fen, order.excess_fen, order.payable_fen) == (450, 300, 1050)
    explained(order)
    assert len(grants()) == 1 and used(city) == {"day": 1, "week": 1}
    all_is_well()


def test_beyond_the_caps_the_programme_bears_it_where_the_district_says_so(
    city: City, tablet: Tablet, other: Tablet
) -> None:
    set_rule(300)
    elsewhere_first(other)
    done = tablet.sent(tablet.sale())
    assert (done["bearer"], done["notes"]) == ("programme", ["excess_programme"])
    order = order_of(done)
    assert (order.subsidy_fen, order.excess_fen, order.inputs["beyond_caps"]) == (300, 0, True)
    explained(order)
    extra = grants()[1]
    assert (extra.till_fen, extra.enterprise_fen, extra.delivery_fen) == (300, 0, 0)
    assert used(city) == {"day": 1, "week": 1}
    assert ruling.borne_fen(city.here.id, clock.period_of(city.today)) == 300
    over_the_limit = tablet.sent(tablet.sale())
    assert (over_the_limit["bearer"], over_the_limit["parts"]["excess_fen"]) == ("canteen", 300)
    all_is_well()


def test_two_tills_of_a_canteen_pass_the_limit_together_once(
    app: Flask, city: City, tablet: Tablet, other: Tablet
) -> None:
    set_rule(300)
    elsewhere_first(other)
    twin = Tablet(city, app.test_client(), "三号机")
    twin.sent(twin.open())
    entries = {each.id: each.sale() for each in (tablet, twin)}
    bearers: list[str] = []

    def send(each: Tablet) -> None:
        with app.app_context():
            body = {"till": each.id, "last": 2, "entries": [entries[each.id]]}
            answer = app.test_client().post("/till/journal", json=body).get_json()
            bearers.append(answer["outcomes"][0]["bearer"])

    racers = [threading.Thread(target=send, args=(each,)) for each in (tablet, twin)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(bearers) == ["canteen", "programme"]
    all_is_well()


@pytest.mark.parametrize("live", [True, False])
def test_two_tills_race_for_the_last_meal_of_an_elder(
    app: Flask, city: City, tablet: Tablet, live: bool
) -> None:
    twin = Tablet(city, app.test_client(), "三号机")
    twin.sent(twin.open())
    entries = {each.id: each.sale() for each in (tablet, twin)}
    answers: list[Any] = []

    def send(each: Tablet) -> None:
        with app.app_context():
            body = {"till": each.id, "last": 2, "live": live, "entries": [entries[each.id]]}
            answers.append(app.test_client().post("/till/journal", json=body))

    racers = [threading.Thread(target=send, args=(each,)) for each in (tablet, twin)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    if live:  # the second is told the price without subsidy, and nothing is recorded
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    else:
        bearers = [answer.get_json()["outcomes"][0]["bearer"] for answer in answers]
        assert set(bearers) == {None, "canteen"}
    assert len(grants()) == 1 and used(city) == {"day": 1, "week": 1}
    all_is_well()


def test_a_till_that_gave_more_than_it_may_is_noted(city: City, tablet: Tablet) -> None:
    now = clock.now() - timedelta(minutes=5)
    tablet.sent(tablet.sale("other"))  # it hears from us
    for minute in range(2):
        tablet.sale(at=now + timedelta(minutes=minute))
    notes = [one["notes"] for one in tablet.send(tablet.made[2:]).get_json()["outcomes"]]
    assert notes == [[], ["excess_canteen", "over_allowance"]]
    tablet.sent(tablet.sale("other"))
    heard = tablet.sent(tablet.sale())
    assert heard["notes"] == ["excess_canteen"]


def test_what_is_taken_back_no_longer_counts_against_the_limit(
    city: City, tablet: Tablet, other: Tablet
) -> None:
    set_rule(300)
    elsewhere_first(other)
    tablet.sent(tablet.sale())
    tablet.sent(tablet.entry("void", of=2, reason_code="mistake", reason=""))
    assert used(city) == {"day": 1, "week": 1}
    assert tablet.sent(tablet.sale())["bearer"] == "programme"
    all_is_well()


def test_what_other_rules_refuse_is_never_borne_by_the_programme(
    city: City, tablet: Tablet
) -> None:
    set_rule(100_000)
    parts = {"list_fen": 700, "discount_fen": 70, "subsidy_fen": 300, "payable_fen": 330}
    done = tablet.sent(  # below the price of the standard set there is no subsidy
        tablet.sale(lines=[[city.items[2].id, 1, 700]], cash_fen=330, **parts)
    )
    assert (done["bearer"], done["parts"]["excess_fen"]) == ("canteen", 300)
    assert grants() == []
    all_is_well()


def test_what_the_server_grants_more_follows_to_the_account(city: City, tablet: Tablet) -> None:
    done = tablet.sent(tablet.sale("full"))
    assert (done["bearer"], done["notes"]) == (None, ["subsidy_to_account"])
    assert (done["parts"]["account_fen"], done["parts"]["payable_fen"]) == (300, 1350)
    order = order_of(done)
    assert (order.excess_fen, order.subsidy_fen, order.payable_fen) == (0, 0, 1350)
    explained(order)
    assert grants()[0].account_fen == 300 and used(city) == {"day": 1, "week": 1}
    all_is_well()


def test_a_sale_to_the_account_from_the_start_is_plain(city: City, tablet: Tablet) -> None:
    done = tablet.sent(tablet.sale("full", to_account=True))
    assert (done["notes"], done["parts"]["account_fen"]) == ([], 300)


def card_of(city: City) -> str:
    return str(db.session.scalar(sa.select(Card.number).where(Card.elder_id == city.elder.id)))


def test_a_card_the_tablet_did_not_know_pays_its_elder_afterwards(
    city: City, tablet: Tablet
) -> None:
    done = tablet.sent(tablet.sale("other", card=card_of(city)))
    assert done["notes"] == ["subsidy_to_account"]
    order = order_of(done)
    assert (order.elder_id, order.payable_fen, order.discount_fen, order.excess_fen) == (
        city.elder.id, 1500, 0, -150,
    )
    explained(order)
    assert grants()[0].account_fen == 300
    all_is_well()


@pytest.mark.parametrize(("lost", "note"), [(False, "unknown_card"), (True, "card_lost")])
def test_a_card_that_opens_nothing_is_a_sale_to_anybody(
    city: City, tablet: Tablet, lost: bool, note: str
) -> None:
    number = card_of(city) if lost else "99999999999"
    if lost:
        with transaction():
            db.session.execute(sa.update(Card).values(lost_at=clock.now()))
    done = tablet.sent(tablet.sale("other", card=number))
    assert done["notes"] == [note] and order_of(done).elder_id is None


def test_an_elder_the_register_does_not_know_is_borne_by_the_canteen(
    city: City, tablet: Tablet
) -> None:
    done = tablet.sent(tablet.sale("elder", elder=987_654))
    assert done["notes"] == ["unknown_elder", "excess_canteen"]
    order = order_of(done)
    assert (order.elder_id, order.payable_fen, order.excess_fen) == (None, 1050, 450)
    explained(order)
    all_is_well()


def test_portions_that_were_not_there_are_counted_as_cooked(city: City, tablet: Tablet) -> None:
    with transaction():
        db.session.execute(
            sa.update(MenuItem).where(MenuItem.id == city.items[0].id)
            .values(portions=1, sold_out=True)
        )  # fmt: skip
    line = [[city.items[0].id, 3, 1500], [city.items[1].id, 1, 300]]
    parts = {"list_fen": 4800, "payable_fen": 4800, "cash_fen": 4800}
    done = tablet.sent(tablet.sale("other", lines=line, **parts))
    assert done["notes"] == ["over_portions"]
    item = db.session.get_one(MenuItem, city.items[0].id, populate_existing=True)
    assert (item.portions, item.taken) == (3, 3)
    all_is_well()


def test_the_till_s_own_price_stands_and_is_noted(city: City, tablet: Tablet) -> None:
    parts = {"list_fen": 1400, "discount_fen": 140, "subsidy_fen": 300, "payable_fen": 960}
    line = [[city.items[0].id, 1, 1400]]
    done = tablet.sent(tablet.sale(lines=line, cash_fen=960, **parts))
    assert (done["notes"], order_of(done).list_fen) == (["price_differs"], 1400)
    all_is_well()


def sign_changed(city: City, at: datetime) -> None:
    with transaction():
        db.session.execute(
            sa.update(Canteen).where(Canteen.id == city.here.id).values(status="suspended")
        )
        db.session.add(
            ListingChange(
                canteen_id=city.here.id, from_status="listed", to_status="suspended",
                reason_code="food_safety", reason="x", decided_by="user:1", at=at,
            )
        )


def test_a_canteen_that_had_no_sign_is_paid_nothing(city: City, tablet: Tablet) -> None:
    now = clock.now()
    sign_changed(city, now - timedelta(minutes=5))
    before = tablet.sent(tablet.sale(at=now - timedelta(minutes=9)))
    assert before["notes"] == [] and before["parts"]["subsidy_fen"] == 300
    after = tablet.sent(tablet.sale(at=now - timedelta(minutes=2)))
    assert after["notes"] == ["not_selling", "excess_canteen", "over_allowance"]
    assert (after["parts"]["subsidy_fen"], after["parts"]["excess_fen"]) == (0, 450)
    assert order_of(after).elder_id == city.elder.id
    explained(order_of(after))
    all_is_well()


def test_closed_hours_and_days_refuse_nothing(city: City, tablet: Tablet) -> None:
    with transaction():
        db.session.execute(
            sa.update(Canteen).where(Canteen.id == city.here.id)
            .values(open_weekdays="", capabilities=[])
        )  # fmt: skip
    done = tablet.sent(tablet.sale())
    assert (done["result"], done["parts"]["subsidy_fen"]) == ("done", 300)


@pytest.mark.parametrize(("cash_fen", "due"), [(0, 1050), (500, 550)])
@pytest.mark.parametrize("live", [True, False])
def test_a_sale_to_be_paid_by_phone_waits_for_its_money(
    city: City, tablet: Tablet, cash_fen: int, due: int, live: bool
) -> None:
    done = tablet.sent(tablet.sale(payment="online", cash_fen=cash_fen), live=live)
    order = order_of(done)
    assert (done["state"], order.state, order.paid_at) == (
        "awaiting_payment", "awaiting_payment", None,
    )
    charge = db.session.get_one(Charge, done["charge_id"])
    assert (charge.amount_fen, charge.state, order.cash_fen) == (due, "pending", cash_fen)


@pytest.mark.parametrize("live", [True, False])
def test_where_nothing_is_to_be_paid_nobody_waits(
    city: City, tablet: Tablet, live: bool
) -> None:
    with transaction():
        db.session.add(
            ElderDiscount(
                canteen_id=city.here.id, min_age=80, from_on=city.today, discount_bp=10_000
            )
        )
    parts = {"list_fen": 1500, "discount_fen": 1500, "subsidy_fen": 0, "payable_fen": 0}
    done = tablet.sent(tablet.sale(payment="online", cash_fen=0, **parts), live=live)
    order = order_of(done)
    assert (done["state"], done["charge_id"], order.payment) == ("served", None, "cash")
    all_is_well()


def test_a_reason_told_at_length_is_cut_not_refused(city: City, tablet: Tablet) -> None:
    tablet.sent(tablet.sale("other"))
    words = "\0" + "钱" * 900
    done = tablet.sent(tablet.entry("void", of=2, reason_code="mistake", reason=words))
    assert done["result"] == "done"
    assert db.session.scalar(sa.select(Cancellation.reason)) == "钱" * 200


def cashbox(tablet: Tablet) -> int:
    db.session.rollback()
    return drawer(db.session.scalar(sa.select(Shift.id).where(Shift.till_id == tablet.id))
                  ).expected_fen  # fmt: skip


def void(tablet: Tablet, of: int = 2, **fields: Any) -> dict[str, Any]:
    return tablet.entry("void", of=of, reason_code="mistake", reason="", **fields)


def test_a_kept_sale_is_voided_in_its_batch(city: City, tablet: Tablet) -> None:
    tablet.sale()
    void(tablet)
    outcomes = tablet.send().get_json()["outcomes"]
    assert [(o["result"], o["state"]) for o in outcomes[1:]] == [
        ("done", "served"), ("done", "cancelled"),
    ]
    assert order_of(outcomes[2]).state == "cancelled"
    assert db.session.scalar(sa.select(Cancellation.refund_fen)) == 1050
    assert db.session.scalar(sa.select(CashMove.fen).where(CashMove.kind == "refunded")) == 1050
    assert used(city) == {"day": 0, "week": 0} and cashbox(tablet) == 20_000
    twice = tablet.sent(void(tablet))
    assert (twice["result"], twice["code"]) == ("refused", "already_cancelled")
    all_is_well()


def test_a_cashier_voids_only_their_own_sale_of_the_open_shift(
    city: City, tablet: Tablet
) -> None:
    tablet.sent(tablet.sale("other"))
    tablet.cashier, own = city.manager.user_id, tablet.cashier
    tablet.sent(tablet.sale("other"))
    tablet.cashier = own
    theirs = tablet.sent(void(tablet, of=3))
    assert (theirs["result"], theirs["code"]) == ("refused", "not_your_sale")
    count = {"count": {"10000": 2, "1000": 3}, "counted_fen": 23_000, "reason": "", "left_fen": 0}
    assert tablet.sent(tablet.entry("close", **count))["result"] == "done"
    tablet.shift = 2
    tablet.sent(tablet.open())
    before = tablet.sent(void(tablet, of=2))
    assert (before["result"], before["code"]) == ("refused", "not_your_sale")
    answer = tablet.send([void(tablet, of=2)], live=True)
    assert answer.status_code == 403
    tablet.number, tablet.mac = tablet.number - 1, tablet.made[-2]["mac"]
    assert tablet.sent(void(tablet, of=2, cashier=city.manager.user_id))["result"] == "done"
    all_is_well()


def test_there_is_nothing_to_void_under_other_numbers(city: City, tablet: Tablet) -> None:
    for of in (1, 99):
        done = tablet.sent(void(tablet, of=of))
        assert (done["result"], done["code"]) == ("refused", "nothing_to_void")


def test_a_shift_of_the_journal_adds_up_and_ends(city: City, tablet: Tablet) -> None:
    tablet.sale("other")
    tablet.entry("move", fen=-5_000, reason_code="to_safe", reason="")
    count = {"100": 165}
    tablet.entry("close", count=count, counted_fen=16_500, reason="", left_fen=500)
    late = tablet.sale("other")
    outcomes = tablet.send().get_json()["outcomes"]
    assert [o["result"] for o in outcomes] == ["done"] * 5
    shift = db.session.scalars(sa.select(Shift)).one()
    assert (shift.expected_fen, shift.over_fen, shift.left_fen) == (16_500, 0, 500)
    assert outcomes[-1]["notes"] == ["shift_closed"]
    assert db.session.get_one(TillEntry, (tablet.id, late["number"])).shift_id is None
    second = tablet.sent(tablet.open())
    assert (second["result"], second["code"]) == ("refused", "shift_open")


def test_a_count_that_is_short_without_a_word_is_refused_live_and_taken_when_kept(
    city: City, tablet: Tablet
) -> None:
    close = tablet.entry("close", count={}, counted_fen=0, reason="", left_fen=0)
    answer = tablet.send([close], live=True)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "reason_needed")
    assert tablet.sent(close)["result"] == "done"


def test_the_rule_of_a_day_is_the_latest_before_it(city: City) -> None:
    today = clock.business_date()
    assert ruling.rule_for(DISTRICT, today) == ruling.DEFAULT
    set_rule(500)
    set_rule(700)
    assert ruling.rule_for(DISTRICT, today) == ruling.Rule(1, 60, "programme", 700, today)
    assert ruling.rule_for(DISTRICT, today - timedelta(days=1)) == ruling.DEFAULT
    assert ruling.rule_for("120103", today) == ruling.DEFAULT
    assert [rule.limit_fen for rule in ruling.rules_of(DISTRICT)] == [700]


@pytest.mark.parametrize(
    ("field", "value"),
    [("per_elder", 22), ("per_elder", -1), ("per_till", 2001), ("limit_fen", -1),
     ("excess", "elder"), ("from_on", date(2020, 1, 1))],
)  # fmt: skip
def test_a_rule_out_of_bounds_is_refused(city: City, field: str, value: Any) -> None:
    today = clock.business_date()
    given = {"from_on": today, "per_elder": 1, "per_till": 60, "excess": "canteen",
             "limit_fen": 0} | {field: value}  # fmt: skip
    with pytest.raises(ruling.BadRule) as refusal, transaction():
        ruling.set_rule(DISTRICT, given.pop("from_on"), **given, by=CITY, today=today)
    assert refusal.value.field == field
