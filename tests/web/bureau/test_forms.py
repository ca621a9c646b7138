"""Canteens, papers, closed days and people entered and changed by form, nothing typed ever lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.canteens.finding import hours_of
from canteen.canteens.models import Canteen, Closure, Licence, Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.payouts.models import BankChange
from tests.factories import City, make_city
from tests.settlements.factories import Hands, hands_over
from tests.web.bureau.conftest import Enter

USCC = "91110000600037341L"  # passes the checksum
LUNCH = {"lunch-opens": "11:00", "lunch-closes": "13:00", "lunch-order_until": "10:30"}
NEW_OPERATOR = {
    "operator_id": "new", "operator_name": "津味餐饮", "uscc": USCC, "contact": "陆平",
    "operator_phone": "02200000001", "payout_account": "acct_new",
}


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def hands(city: City) -> Hands:
    with transaction():
        return hands_over(city.here)


def application(city: City, **changes: object) -> dict[str, object]:
    return {
        "name": "五大道长者食堂", "name_en": "Five Avenues", "street_code": "120104001",
        "address": "某街 9 号", "phone": "02200000002", "operator_id": city.here.operator_id,
        "carrier": "community", "capabilities": ["dine_in", "reheats"], "seats": "40",
        "area_m2": "120", "open_weekdays": list("12345"),
    } | changes  # fmt: skip


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def newest() -> Canteen:
    db.session.rollback()
    return db.session.scalars(sa.select(Canteen).order_by(Canteen.id.desc()).limit(1)).one()


def test_a_street_registers_a_canteen_with_an_operator_it_knows(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.street)
    form = desk.get("/bureau/canteens/new").text
    assert "lunch-opens" not in form  # the room lets a street say no hours
    made = desk.post("/bureau/canteens", data=application(city) | LUNCH)
    assert made.status_code == 303, made.text
    found = newest()
    assert made.location.endswith(f"/bureau/canteens/{found.id}")
    assert (found.status, found.street_code, found.open_weekdays, found.seats) == (
        "applied", "120104001", "12345", 40,
    )  # fmt: skip
    assert found.capabilities == ["reheats", "dine_in"] and hours_of(found.id) == []
    assert "五大道长者食堂" in desk.get(made.location).text


def test_the_district_registers_one_with_a_new_operator_a_supplier_and_its_hours(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        row = db.session.get_one(Canteen, city.here.id)
        row.capabilities = [*row.capabilities, "supplies_others"]
    desk = enter(hands.district)
    sent = application(city, supplier_id=city.here.id) | NEW_OPERATOR | LUNCH
    made = desk.post("/bureau/canteens", data=sent)
    assert made.status_code == 303, made.text
    found = newest()
    assert db.session.get_one(Operator, found.operator_id).uscc == USCC
    assert found.supplier_id == city.here.id
    assert [(one.meal, one.opens.hour) for one in hours_of(found.id)] == [("lunch", 11)]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"), ({"phone": "abc"}, "phone"), ({"carrier": "ship"}, "carrier"),
        ({"seats": "many"}, "seats"), ({"open_weekdays": []}, "open_weekdays"),
        ({"capabilities": ["flies"]}, "capabilities"), ({"supplier_id": "999"}, "supplier_id"),
        ({"street_code": "120103001"}, "street_code"), ({"operator_id": "999"}, "operator_id"),
        ({"uscc": "91110000600037341M"}, "uscc"), ({"operator_name": ""}, "operator_name"),
        ({"operator_phone": "x"}, "operator_phone"), ({"payout_account": ""}, "payout_account"),
        ({"lunch-closes": "10:00"}, "lunch-closes"), ({"lunch-opens": ""}, "lunch-opens"),
        ({"lunch-order_until": "14:00"}, "lunch-order_until"),
        ({"lunch-opens": "x"}, "lunch-opens"),
    ],
)
def test_a_wrong_field_is_named_what_was_typed_stays_and_nothing_is_saved(
    city: City, hands: Hands, enter: Enter, wrong: dict[str, object], field: str
) -> None:
    before = count(Canteen), count(Operator)
    sent = application(city) | NEW_OPERATOR | LUNCH | wrong
    answer = enter(hands.district).post("/bureau/canteens", data=sent)
    assert answer.status_code == 422 and f'href="#{field}"' in answer.text, answer.text
    assert f'id="{field}"' in answer.text
    assert '/language/en?next=%2Fbureau%2Fcanteens"' in answer.text
    assert "某街 9 号" in answer.text and "陆平" in answer.text
    assert ("座位：请填写整数" in answer.text) is (field == "seats")
    assert (count(Canteen), count(Operator)) == before


def test_an_operator_known_elsewhere_is_found_by_its_code_and_chosen(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        strange = db.session.get_one(Operator, city.elsewhere.operator_id)
        strange.uscc, strange.name = USCC, "河对岸餐饮"
    desk = enter(hands.street)
    assert "河对岸餐饮" not in desk.get("/bureau/canteens/new").text
    unasked = application(city, operator_id=city.elsewhere.operator_id)
    assert desk.post("/bureau/canteens", data=unasked).status_code == 422
    answer = desk.post("/bureau/canteens", data=application(city) | NEW_OPERATOR)
    assert answer.status_code == 409 and 'href="#uscc"' in answer.text
    assert f'value="{city.elsewhere.operator_id}" selected' in answer.text
    again = application(city) | NEW_OPERATOR | {"operator_id": city.elsewhere.operator_id}
    assert desk.post("/bureau/canteens", data=again).status_code == 303
    assert newest().operator_id == city.elsewhere.operator_id


def test_an_application_sent_twice_counts_once(city: City, hands: Hands, enter: Enter) -> None:
    desk, sent = enter(hands.street), application(city, once="one-and-the-same")
    before = count(Canteen)
    first, second = (desk.post("/bureau/canteens", data=sent) for _ in range(2))
    assert first.location == second.location and count(Canteen) == before + 1


def test_only_what_differs_is_changed_and_a_meal_left_empty_ends(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, url = enter(hands.district), f"/bureau/canteens/{city.here.id}/particulars"
    page = desk.get(url).text
    assert city.here.name in page and 'value="10:00"' in page
    sent = application(city, name=city.here.name, address="某街 10 号") | LUNCH
    sent["carrier"] = city.here.carrier
    assert desk.post(url, data=sent).status_code == 303
    db.session.rollback()
    found = db.session.get_one(Canteen, city.here.id, populate_existing=True)
    assert (found.address, found.street_code) == ("某街 10 号", "120104001")
    assert [one.meal for one in hours_of(found.id)] == ["lunch"]
    amended = sa.select(AuditRecord).where(AuditRecord.act == "amend")
    detail = db.session.scalars(amended).one().detail
    assert "address" in detail["after"] and "carrier" not in detail["after"]
    assert desk.post(url, data=sent).status_code == 303  # the same again changes nothing
    db.session.rollback()
    assert len(db.session.scalars(amended).all()) == 1
    wrong = desk.post(url, data=sent | {"phone": "abc", "address": "某街 11 号"})
    assert wrong.status_code == 422 and 'href="#phone"' in wrong.text
    assert f'/language/en?next={url.replace("/", "%2F")}"' in wrong.text
    assert "某街 11 号" in wrong.text and 'value="abc"' in wrong.text


def test_a_street_changes_particulars_and_leaves_the_hours(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, url = enter(hands.street), f"/bureau/canteens/{city.here.id}/particulars"
    assert desk.post(url, data=application(city)).status_code == 303
    db.session.rollback()
    assert len(hours_of(city.here.id)) == 3


def test_a_closed_day_is_announced_and_withdrawn_by_the_district_only(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, url = enter(hands.district), f"/bureau/canteens/{city.here.id}/closures"
    today = clock.business_date()
    tomorrow = (today + timedelta(days=1)).isoformat()
    sent = {"closed_on": tomorrow, "closed_because": "检修燃气"}
    past = desk.post(url, data=sent | {"closed_on": (today - timedelta(days=1)).isoformat()})
    assert past.status_code == 422 and 'href="#closed_on"' in past.text
    assert "检修燃气" in past.text
    far = desk.post(url, data=sent | {"closed_on": "9999-12-31"})
    assert far.status_code == 422 and '"#closed_on">停业日期：年份须在' in far.text
    bare = desk.post(url, data=sent | {"closed_because": ""})
    assert bare.status_code == 422 and 'href="#closed_because"' in bare.text
    assert enter(hands.street).post(url, data=sent).status_code == 403
    assert count(Closure) == 0
    assert desk.post(url, data=sent).status_code == 303
    assert count(Closure) == 1
    page = desk.get(f"/bureau/canteens/{city.here.id}").text
    assert "检修燃气" in page and "/closures/withdrawals" in page
    assert desk.post(f"{url}/withdrawals", data={"closed_on": tomorrow}).status_code == 303
    assert count(Closure) == 0


def test_a_paper_is_entered_and_a_wrong_one_comes_back(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, url = enter(hands.street), f"/bureau/canteens/{city.here.id}/papers"
    sent = {"kind": "food", "number": "JY2026", "valid_from": "2026-01-01", "valid_to": ""}
    before = count(Licence)
    for wrong, field in (
        ({"kind": "driving"}, "kind"), ({"number": " "}, "number"),
        ({"valid_from": ""}, "valid_from"), ({"valid_to": "2025-12-31"}, "valid_to"),
    ):
        answer = desk.post(url, data=sent | wrong)
        assert answer.status_code == 422 and f'href="#{field}"' in answer.text, field
        assert 'value="JY2026"' in answer.text or field == "number"
        assert f'id="{field}-error"' in answer.text
    assert count(Licence) == before
    assert desk.post(url, data=sent).status_code == 303
    assert count(Licence) == before + 1
    assert "JY2026" in desk.get(f"/bureau/canteens/{city.here.id}").text
    strange = f"/bureau/canteens/{city.elsewhere.id}/papers"
    assert desk.post(strange, data=sent).status_code == 404


def test_a_persons_data_are_corrected_and_what_is_hidden_stays_unless_typed(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        row = db.session.get_one(Elder, city.elder.id)
        row.phone, row.phone_last4, row.payout_account = "19900001234", "1234", "acct_old"
        row.street_code = "120104001"
    desk, url = enter(hands.street), f"/bureau/elders/{city.elder.id}/particulars"
    page = desk.get(url).text
    assert "19900001234" not in page and "acct_old" not in page
    sent = {
        "name": city.elder.name, "street_code": "120104001", "household": "120104",
        "diet_notes": "少盐",
    }
    assert desk.post(url, data=sent).status_code == 303
    assert facts(city) == ("19900001234", "acct_old", "少盐")
    assert desk.post(url, data=sent | {"phone": "199 0000 5678"}).status_code == 303
    assert facts(city) == ("19900005678", "acct_old", "少盐")
    gone = {"no_phone": "1", "no_payout_account": "1"}
    assert desk.post(url, data=sent | gone).status_code == 303
    assert facts(city) == (None, "acct_old", "少盐"), "an account waits for a second person"
    with transaction() as session:
        session.execute(sa.update(BankChange).values(state="withdrawn"))
    for wrong, field in (
        ({"phone": "12ab"}, "phone"), ({"name": ""}, "name"), ({"household": "9"}, "household"),
        ({"street_code": "120104999"}, "street_code"), ({"diet_notes": "淡" * 121}, "diet_notes"),
    ):
        answer = desk.post(url, data=sent | {"payout_account": "acct_typed"} | wrong)
        assert answer.status_code == 422 and f'href="#{field}"' in answer.text, field
        assert "acct_typed" in answer.text
        assert facts(city) == (None, "acct_old", "少盐")


def test_somebody_who_moves_away_is_the_next_offices(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, url = enter(hands.street), f"/bureau/elders/{city.elder.id}/particulars"
    sent = {"name": city.elder.name, "street_code": "120103001", "household": "120104"}
    moved = desk.post(url, data=sent, follow_redirects=True)
    assert moved.status_code == 200 and "已转到" in moved.text
    assert desk.get(url).status_code == 404


def facts(city: City) -> tuple[str | None, str | None, str]:
    db.session.rollback()
    row = db.session.get_one(Elder, city.elder.id, populate_existing=True)
    return row.phone, row.payout_account, row.diet_notes
