"""A tablet's own requests: enrolled by a code, opened by PIN, and told what it may know."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.access import pins
from canteen.canteens.models import MealPeriod
from canteen.db import db, transaction
from canteen.elders import ric
from canteen.menus.models import MenuItem
from canteen.tills import enrolling, keys
from canteen.tills.models import Till
from tests.factories import City
from tests.web.cashier.conftest import enter

PIN = "260318"
JSON = {"Accept": "application/json"}


@pytest.fixture
def tablet(app: Flask, city: City) -> FlaskClient:
    """An enrolled tablet, nobody signed in; the cashier has a PIN."""
    with transaction():
        pins.set_pin(city.cashier.user_id or 0, PIN, city.cashier)
        code = enrolling.make_code(city.here.id, city.manager, clock.now())
    client = app.test_client()
    answer = client.post("/till/enrolment", json={"code": code, "name": "一号机"}, headers=JSON)
    assert answer.status_code == 201, answer.text
    client.till, client.key = answer.json["till"], answer.json["key"]  # type: ignore[attr-defined]
    return client


def unlock(tablet: FlaskClient, city: City, **changes: Any) -> Any:
    till = tablet.till["id"]  # type: ignore[attr-defined]
    wish = {"till": till, "user_id": city.cashier.user_id, "pin": PIN} | changes
    return tablet.post("/till/session", json=wish, headers=JSON)


def test_a_code_gives_the_tablet_its_till_and_key(tablet: FlaskClient, city: City) -> None:
    till = db.session.get_one(Till, tablet.till["id"])
    assert tablet.key == keys.key_of(till).hex() and len(tablet.key) == 64
    assert tablet.till["canteen_name"] == city.here.name


def test_a_wrong_code_is_refused_and_counted(client: FlaskClient, city: City) -> None:
    for n in range(30):
        sent = {"code": f"{n:08d}", "name": "机"}
        assert client.post("/till/enrolment", json=sent, headers=JSON).status_code == 422
    waits = client.post("/till/enrolment", json=sent, headers=JSON)
    assert waits.status_code == 429 and int(waits.headers["Retry-After"]) > 0


@pytest.mark.parametrize("sent", [[], {}, {"code": 1, "name": "x"}, {"code": "1\0", "name": "x"}])
def test_nonsense_is_refused_with_its_field(client: FlaskClient, city: City, sent: Any) -> None:
    assert client.post("/till/enrolment", json=sent, headers=JSON).status_code == 422


def test_the_door_opens_to_the_tablet_and_its_people_only(
    app: Flask, tablet: FlaskClient, city: City
) -> None:
    url = f"/till/door?till={tablet.till['id']}"
    listed = {one["id"]: one["has_pin"] for one in tablet.get(url).json["cashiers"]}
    assert listed == {city.cashier.user_id: True, city.manager.user_id: False}
    assert app.test_client().get(url, headers=JSON).status_code == 404
    assert enter(app, city.cashier_elsewhere).get(url, headers=JSON).status_code == 404
    assert enter(app, city.manager).get(url).status_code == 200


def test_a_pin_opens_the_till_and_hello_says_who_is_there(tablet: FlaskClient, city: City) -> None:
    before = tablet.get(f"/till/hello?till={tablet.till['id']}").json
    assert before["user"] is None and before["till"]["head"] == 0 and before["csrf"]
    answer = unlock(tablet, city)
    assert answer.status_code == 200 and answer.json["user"]["id"] == city.cashier.user_id
    hello = tablet.get(f"/till/hello?till={tablet.till['id']}").json
    assert hello["user"]["role"] == "cashier" and hello["canteen_id"] == city.here.id
    assert tablet.get("/till/pack").status_code == 200
    assert tablet.delete("/till/session").status_code == 204
    assert tablet.get("/till/hello").json["user"] is None
    assert tablet.get("/till/pack").status_code == 303


def test_a_stranger_tells_nothing_of_a_till(app: Flask, tablet: FlaskClient) -> None:
    stranger = app.test_client()
    assert stranger.get(f"/till/hello?till={tablet.till['id']}").json["till"] is None
    wish = {"till": tablet.till["id"], "user_id": 1, "pin": PIN}
    assert stranger.post("/till/session", json=wish, headers=JSON).status_code == 404


def test_wrong_pins_are_refused_and_then_wait(tablet: FlaskClient, city: City) -> None:
    for _ in range(5):
        assert unlock(tablet, city, pin="000000").json["error"]["code"] == "wrong_pin"
    assert unlock(tablet, city).status_code == 429
    assert unlock(tablet, city, user_id=city.manager.user_id).json["error"]["code"] == "no_pin"


def test_a_till_shut_out_opens_no_more(tablet: FlaskClient, city: City) -> None:
    unlock(tablet, city)
    with transaction():
        enrolling.withdraw(tablet.till["id"], city.manager, clock.now())
    for answer in (tablet.get("/till/pack", headers=JSON), unlock(tablet, city)):
        assert answer.json["error"]["code"] == "till_withdrawn"


def test_a_password_alone_opens_no_till(cashier: FlaskClient) -> None:
    for url in ("/till/pack", "/till/live"):
        answer = cashier.get(url, headers=JSON)
        assert answer.status_code == 403 and answer.json["error"]["code"] == "no_till"


def test_the_pack_comes_once_and_then_only_when_something_changed(
    tablet: FlaskClient, city: City
) -> None:
    unlock(tablet, city)
    first = tablet.get("/till/pack")
    mark = {"If-None-Match": first.headers["ETag"]}
    assert first.json["till"]["id"] == tablet.till["id"]
    assert tablet.get("/till/pack", headers=mark).status_code == 304
    with transaction():
        db.session.get_one(MenuItem, city.items[0].id).taken = 3
    assert tablet.get("/till/pack", headers=mark).json["menus"][0]["items"][0]["left"] == 97


def test_the_pack_is_compressed_for_whoever_can_read_it(tablet: FlaskClient, city: City) -> None:
    unlock(tablet, city)
    small = tablet.get("/till/pack", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(small.data))["v"] == 1


def test_a_card_is_surely_one_person_with_fresh_counts(tablet: FlaskClient, city: City) -> None:
    unlock(tablet, city)
    number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
    found = tablet.post("/till/find", json={"text": f"1000{city.elder.id:06d}"}).json
    [one] = found["found"]
    assert found["sure"] and one["fresh"] and one["card"] == "ok" and one["near"]
    assert one["last4"] == city.elder.ric_last4 and one["street"]["en"] == "Nankai street 1"
    assert number not in json.dumps(found) and city.elder.phone not in json.dumps(found)
    assert one["facts"]["birth_date"] != city.elder.birth_date.isoformat()
    by_name = tablet.post("/till/find", json={"text": "zhp"}).json
    assert not by_name["sure"] and by_name["found"][0]["id"] == city.elder.id
    wrong = tablet.post("/till/find", json={"text": number[:17] + "Z"}, headers=JSON)
    assert wrong.status_code in (200, 422)


def test_what_was_looked_for_stands_in_no_address_and_no_log(
    tablet: FlaskClient, city: City, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    unlock(tablet, city)
    number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
    with caplog.at_level(logging.DEBUG):
        for text in (number, number[:17] + ("0" if number[17] != "0" else "1"), "80000000001"):
            answer = tablet.post("/till/find", json={"text": text}, headers=JSON)
            assert text not in answer.request.url and text not in answer.text
            written = caplog.text + "".join(capfd.readouterr())
            assert text not in written
    assert tablet.get(f"/till/find?text={number}").status_code == 405


def test_live_tells_portions_and_what_waits(tablet: FlaskClient, city: City) -> None:
    unlock(tablet, city)
    item = city.items[1].id
    gone = tablet.post(f"/till/items/{item}/sold-out", headers=JSON)
    assert gone.json == {"item_id": item, "left": 0, "gone": True}
    live = tablet.get("/till/live").json
    assert live["left"][str(item)] == 0 and live["gone"] == [item] and live["head"] == 0
    back = tablet.post(f"/till/items/{item}/back-on", headers=JSON)
    assert back.json == {"item_id": item, "left": 100, "gone": False}
    assert tablet.post(f"/till/items/{item}/sold-out").status_code == 303


def test_the_manager_makes_a_code_sees_what_is_missing_and_shuts_a_till_out(
    manager: FlaskClient, tablet: FlaskClient, city: City
) -> None:
    made = manager.post("/till/tills/codes")
    assert made.status_code == 201 and "till-code-digits" in made.text
    with transaction():
        till = db.session.get_one(Till, tablet.till["id"])
        till.claimed, till.alarm, till.alarm_at, till.drift_ms = 4, "altered", clock.now(), 420_000
    page = manager.get("/till/tills").text
    for said in ("一号机", "4 笔还没有传上来", "第 1–4 号", "慢 7 分钟", "两份不同的记录"):
        assert said in page, said
    url = f"/till/tills/{tablet.till['id']}"
    assert manager.post(f"{url}/alarm-seen").status_code == 303
    assert manager.post(f"{url}/withdrawal").status_code == 303
    assert "已停用" in manager.get("/till/tills").text
    assert manager.post(f"{url}/reinstatement").status_code == 303
    manager.set_cookie("lang", "en")
    english = manager.get("/till/tills").text
    assert "4 not sent yet" in english and "two different" not in english.lower()


def test_the_manager_sets_a_first_pin_and_everybody_their_own(
    app: Flask, manager: FlaskClient, cashier: FlaskClient, city: City
) -> None:
    sent = {"cashier": str(city.cashier.user_id), "pin": PIN, "again": PIN}
    for wrong, code in (
        ({"again": "111111"}, 422), ({"pin": "123456", "again": "123456"}, 422),
        ({"cashier": str(city.cashier_elsewhere.user_id)}, 422),
    ):
        assert manager.post("/till/tills/pins", data=sent | wrong).status_code == code
    assert manager.post("/till/tills/pins", data=sent).status_code == 303
    own = {"current": PIN, "pin": "703915", "again": "703915"}
    assert cashier.post("/till/pin", data=own | {"current": "999999"}).status_code == 422
    assert cashier.post("/till/pin", data=own).status_code == 303
    assert cashier.get("/till/pin").status_code == 200, "still signed in"
    assert cashier.get("/till/tills").status_code == 403


def test_a_write_needs_the_pages_token(app: Flask, tablet: FlaskClient, city: City) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    from flask import g

    assert unlock(tablet, city).json["error"]["code"] == "stale_form"
    g.pop("csrf_token", None)
    token = tablet.get("/till/hello").json["csrf"]
    g.pop("csrf_token", None)
    wish = {"till": tablet.till["id"], "user_id": city.cashier.user_id, "pin": PIN}
    answer = tablet.post("/till/session", json=wish, headers=JSON | {"X-CSRFToken": token})
    assert answer.status_code == 200
    g.pop("csrf_token", None)
    text = {"text": "zhp"}
    fresh = JSON | {"X-CSRFToken": answer.json["csrf"]}
    assert tablet.post("/till/find", json=text, headers=fresh).status_code == 200


def test_a_canteen_without_hours_still_has_a_pack(tablet: FlaskClient, city: City) -> None:
    with transaction():
        db.session.query(MealPeriod).filter_by(canteen_id=city.here.id).delete()
    unlock(tablet, city)
    assert tablet.get("/till/pack").json["hours"] == []
