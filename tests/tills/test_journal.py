"""A till's journal is taken in once, in order, as it was signed, whatever arrives how often."""

from __future__ import annotations

import json
import random
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.tills import enrolling, keys, timing
from canteen.tills.models import Till, TillEntry
from tests.factories import City, make_city
from tests.tills.tablet import Tablet

HOUR = timedelta(hours=1)


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def tablet(app: Flask, city: City) -> Tablet:
    tablet = Tablet(city, app.test_client())
    tablet.sent(tablet.open())
    return tablet


def till(tablet: Tablet) -> Till:
    db.session.rollback()
    return db.session.get_one(Till, tablet.id, populate_existing=True)


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Order.id)))


def entry_of(tablet: Tablet, number: int) -> TillEntry:
    db.session.rollback()
    return db.session.get_one(TillEntry, (tablet.id, number), populate_existing=True)


def test_a_live_sale_is_an_order_at_the_price_that_was_shown(tablet: Tablet) -> None:
    done = tablet.sent(tablet.sale(), live=True)
    assert (done["number"], done["result"], done["state"]) == (2, "done", "served")
    assert done["parts"] == {
        "list_fen": 1500, "discount_fen": 150, "subsidy_fen": 300, "account_fen": 0,
        "payable_fen": 1050, "cash_fen": 1050, "excess_fen": 0,
    }
    entry = entry_of(tablet, 2)
    assert (entry.order_id, entry.kept, entry.notes) == (done["order_id"], False, [])
    assert entry.body == tablet.made[1]["body"] and entry.mac == till(tablet).head_mac
    assert entry.shift_id is not None and entry.cashier_id == tablet.cashier


def test_sent_five_times_it_is_sold_once_and_answered_alike(tablet: Tablet) -> None:
    sale = tablet.sale()
    first = tablet.sent(sale, live=True)
    assert [tablet.sent(sale, live=live) for live in (True, False, True, False)] == [first] * 4
    assert orders() == 1


def test_two_tabs_and_a_lost_answer_race_for_one_number(app: Flask, tablet: Tablet) -> None:
    sale = tablet.sale()
    answers: list[Any] = []

    def post() -> None:
        with app.app_context():
            twin = app.test_client()
            body = {"till": tablet.id, "last": 2, "live": True, "entries": [sale]}
            answers.append(twin.post("/till/journal", json=body).get_json()["outcomes"])

    racers = [threading.Thread(target=post) for _ in range(5)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(answers) == 5 and all(answer == answers[0] for answer in answers)
    assert orders() == 1 and till(tablet).head == 2


def test_a_live_refusal_records_nothing_and_the_number_is_then_withdrawn(tablet: Tablet) -> None:
    with transaction():
        db.session.execute(sa.text("UPDATE menu_items SET sold_out = true"))
    answer = tablet.send([tablet.sale()], live=True)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["code"] == "sold_out"
    assert till(tablet).head == 1 and orders() == 0
    tablet.number, tablet.mac = 1, tablet.made[0]["mac"]
    tablet.made.pop()
    done = tablet.sent(tablet.entry("withdrawn", code="sold_out"))
    assert (done["result"], till(tablet).head, till(tablet).alarm) == ("done", 2, None)
    assert entry_of(tablet, 2).kind == "withdrawn"


def test_a_price_that_changed_is_refused_live_with_the_new_one(tablet: Tablet) -> None:
    answer = tablet.send([tablet.sale("full")], live=True)
    assert answer.status_code == 409
    error = answer.get_json()["error"]
    assert (error["code"], error["detail"]["payable_fen"]) == ("price_changed", 1050)
    assert till(tablet).head == 1


def test_entries_before_a_gap_are_taken_and_the_head_says_from_where(tablet: Tablet) -> None:
    made = [tablet.sale("other") for _ in range(4)]
    answer = tablet.send([made[0], made[2], made[3]]).get_json()
    assert (answer["head"], answer["claimed"], len(answer["outcomes"])) == (2, 5, 1)
    assert tablet.send([made[3]]).get_json()["outcomes"] == []
    answer = tablet.send(made).get_json()
    assert (answer["head"], len(answer["outcomes"]), orders()) == (5, 4, 4)


@pytest.mark.parametrize("seed", range(3))
def test_pieces_in_any_order_and_number_end_as_one_journal(tablet: Tablet, seed: int) -> None:
    chance = random.Random(seed)
    sales = [tablet.sale("other") for _ in range(7)]
    answers: dict[int, Any] = {}
    while till(tablet).head < tablet.number:
        first = chance.randrange(7)
        piece = sales[first : first + chance.randint(1, 4)] * chance.randint(1, 2)
        if chance.random() < 0.3:
            chance.shuffle(piece)
        for outcome in tablet.send(piece).get_json()["outcomes"]:
            assert answers.setdefault(outcome["number"], outcome) == outcome
    assert orders() == 7 == len(answers)
    assert till(tablet).head_mac == tablet.mac and till(tablet).alarm is None


def test_a_number_that_comes_again_altered_sounds_an_alarm(tablet: Tablet) -> None:
    sale = tablet.sale("other")
    tablet.sent(sale)
    body = sale["body"].replace("cash", "cash ", 0).replace("eat_in", "pick_up")
    forged = {
        "number": 2, "body": body, "mac": keys.mac(tablet.key, tablet.made[0]["mac"], 2, body)
    }
    answer = tablet.send([forged])
    assert answer.status_code == 409
    assert answer.get_json()["error"]["code"] == "journal_altered"
    assert till(tablet).alarm == "altered"
    assert "pick_up" not in entry_of(tablet, 2).body
    record = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "alarm")).one()
    assert (record.subject_id, record.detail) == (str(tablet.id), {"alarm": "altered"})


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_tills_key_did_not_sign_is_not_taken(tablet: Tablet, number: int) -> None:
    body = tablet.made[0]["body"]
    wrong = {"number": number, "body": body + " ", "mac": "0" * 64}
    for marked, alarm in ((False, None), (True, "unsigned")):  # a stranger's rings for nobody
        if marked:
            tablet.client.set_cookie("till", enrolling.mark_of(till(tablet)), path="/till")
        answer = tablet.send([wrong])
        assert answer.status_code == 422
        assert answer.get_json()["error"]["code"] == "journal_unsigned"
        assert (till(tablet).alarm, till(tablet).head) == (alarm, 1)


def test_an_entry_moved_to_another_number_does_not_fit_its_chain(tablet: Tablet) -> None:
    first, second = tablet.sale("other"), tablet.sale("other")
    answer = tablet.send([second | {"number": 2}, first | {"number": 3}])
    assert answer.status_code == 422 and orders() == 0


def test_what_came_before_a_broken_entry_stays_taken(tablet: Tablet) -> None:
    good, bad = tablet.sale("other"), tablet.sale("other")
    answer = tablet.send([good, bad | {"mac": "f" * 64}])
    assert answer.status_code == 422 and orders() == 1 and till(tablet).head == 2
    assert tablet.send([good, bad]).get_json()["head"] == 3


def test_a_withdrawn_till_is_refused_until_it_is_reinstated(tablet: Tablet) -> None:
    sale = tablet.sale("other")
    with transaction():
        db.session.get_one(Till, tablet.id).withdrawn_at = clock.now()
    answer = tablet.send([sale])
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "till_withdrawn")
    with transaction():
        db.session.get_one(Till, tablet.id).withdrawn_at = None
    assert tablet.sent(sale)["result"] == "done"


def test_an_unknown_till_is_nobody(tablet: Tablet) -> None:
    answer = tablet.send([tablet.sale()], till=999)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "no_such_till")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '{"kind":"feast"}', '{"kind":"sale","at":"0001-01-01T00:00:00+14:00"'
        ',"cashier":1}', '{"kind":"sale","at":"yesterday","cashier":1,"shift":1}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_at_all_is_kept_and_the_chain_goes_on(
    tablet: Tablet, body: str
) -> None:
    done = tablet.sent(tablet.sign(body))
    assert (done["result"], done["code"]) == ("refused", "bad_entry")
    assert done["text"]["zh"] and done["text"]["en"]
    assert entry_of(tablet, 2).body == body
    assert tablet.sent(tablet.sale("other"))["result"] == "done"


@pytest.mark.parametrize(
    "fields",
    [
        {"lines": []}, {"lines": [[1, 0, 1500]]}, {"lines": [[1, 1, 1499]]}, {"meal": "supper"},
        {"lines": [[1, 1, 1000], [1, 1, 500]]}, {"payable_fen": 1}, {"cash_fen": 1},
        {"service": "delivery"}, {"card": "x"}, {"on": "2026-02-30"}, {"list_fen": 10**12},
        {"payment": "online", "cash_fen": 1500},
    ],
)  # fmt: skip
def test_a_sale_that_contradicts_itself_is_kept_as_refused(
    tablet: Tablet, fields: dict[str, Any]
) -> None:
    done = tablet.sent(tablet.sale("other", **fields))
    assert (done["result"], done["code"], orders()) == ("refused", "bad_entry", 0)
    tablet.number, tablet.mac = 2, till(tablet).head_mac
    live = tablet.send([tablet.sale("other", **fields)], live=True)
    assert live.status_code == 422 and till(tablet).head == 2


def test_a_dish_of_another_canteen_is_kept_as_refused(tablet: Tablet) -> None:
    stranger = tablet.city.items_elsewhere[0].id
    done = tablet.sent(tablet.sale("other", lines=[[stranger, 1, 1500]]))
    assert (done["result"], done["code"], orders()) == ("refused", "unknown_dish", 0)
    assert entry_of(tablet, 2).outcome == done


def test_a_cashier_who_left_is_refused_live_and_noted_when_kept(tablet: Tablet) -> None:
    tablet.cashier = tablet.city.cashier_elsewhere.user_id
    assert tablet.send([tablet.sale("other")], live=True).status_code == 403
    done = tablet.sent(tablet.made[-1])
    assert (done["result"], done["notes"]) == ("done", ["unknown_cashier"])
    tablet.cashier = None
    assert tablet.sent(tablet.sale("other"))["notes"] == ["unknown_cashier"]
    tablet.cashier = 999_999
    done = tablet.sent(tablet.sale("other"))
    assert (done["result"], done["notes"]) == ("done", ["unknown_cashier"])
    assert entry_of(tablet, 4).cashier_id is None


def test_a_sale_outside_any_open_shift_is_noted_and_counts_in_no_drawer(tablet: Tablet) -> None:
    tablet.shift = 7
    assert tablet.send([tablet.sale("other")], live=True).status_code == 409
    done = tablet.sent(tablet.made[-1])
    assert (done["result"], done["notes"]) == ("done", ["unknown_shift"])
    assert entry_of(tablet, 2).shift_id is None


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_clock_that_is_wrong_is_set_right(tablet: Tablet, minutes: int) -> None:
    tablet.clock_ms = minutes * 60_000
    made = clock.now() - timedelta(minutes=2)
    before = till(tablet).head_at
    assert tablet.sent(tablet.sale("other", at=made))["notes"] == ["clock_drift"]
    entry = entry_of(tablet, 2)
    assert abs(entry.device_at - made - timedelta(minutes=minutes)) < timedelta(seconds=1)
    assert entry.made_at == max(before, entry.device_at - timedelta(minutes=minutes))
    assert abs(till(tablet).drift_ms + tablet.clock_ms) < 5_000


def test_without_an_offset_of_its_own_the_calls_is_used(tablet: Tablet) -> None:
    tablet.clock_ms = 7 * 60_000
    assert tablet.sent(tablet.sale("other", off=None))["notes"] == ["clock_drift"]
    entry = entry_of(tablet, 2)
    assert abs(entry.received_at - entry.made_at) < timedelta(seconds=5)


def test_time_never_runs_backwards_nor_ahead() -> None:
    now = clock.now()
    assert timing.made_at(now - HOUR, 0, now - HOUR / 2, now) == now - HOUR / 2
    assert timing.made_at(now + HOUR, 0, None, now) == now
    assert timing.made_at(now, 10**18, None, now) == now
    assert timing.offset_ms(now, None) == 0
    assert timing.notes(0, now - HOUR, now) == ["late"]


@pytest.mark.parametrize("days", [0, 1, -1, 2, 3650])
def test_the_day_of_a_meal_is_the_tills_unless_that_cannot_be(days: int) -> None:
    made = clock.now()
    today = clock.business_date(made)
    said = today + timedelta(days=days)
    assert timing.meal_day(said, made) == (said if abs(days) <= 1 else today)


def test_the_journal_says_what_the_tablet_claims_and_has_not_sent(tablet: Tablet) -> None:
    sale = tablet.sale("other")
    tablet.send([sale], last=9)
    assert (till(tablet).head, till(tablet).claimed) == (2, 9)


def test_entries_cannot_be_changed_or_removed(tablet: Tablet) -> None:
    for statement in ("UPDATE till_entries SET body = ''", "DELETE FROM till_entries"):
        with pytest.raises(sa.exc.DBAPIError), transaction():
            db.session.execute(sa.text(statement))


def test_bodies_are_kept_byte_by_byte(tablet: Tablet) -> None:
    body = json.dumps(json.loads(tablet.made[0]["body"]) | {"kind": "withdrawn", "code": "é饺子"},
                      ensure_ascii=False, indent=1)  # fmt: skip
    tablet.sign(body)
    tablet.send()
    assert entry_of(tablet, 2).body == body
