"""The register at the desk: found masked, facts with dates, cards, exports that leave a trace."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.elders import cards, ric
from canteen.elders.models import Elder, ElderFact
from tests.factories import City, make_city, make_elder
from tests.settlements.factories import Hands, hands_over
from tests.web.bureau.conftest import Enter
from tests.web.world import leads_to_its_field


@pytest.fixture
def city(app: Flask) -> City:
    return make_city()


@pytest.fixture
def hands(city: City) -> Hands:
    with transaction():
        return hands_over(city.here)


def test_an_elder_is_found_on_ones_own_ground_and_shown_masked(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        stranger = make_elder(street="120103001", name="冯远行")
    desk = enter(hands.street)
    found = desk.post("/bureau/elders/searches", data={"text": city.elder.name}).text
    assert f"/bureau/elders/{city.elder.id}" in found
    missed = desk.post("/bureau/elders/searches", data={"text": "冯远行"}).text
    assert f"/bureau/elders/{stranger.id}" not in missed
    assert desk.get(f"/bureau/elders/{stranger.id}").status_code == 404
    page = desk.get(f"/bureau/elders/{city.elder.id}").text
    number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
    assert number not in page and number[-4:] in page


def test_a_broken_id_number_is_named_and_nobody_is_saved(
    city: City, hands: Hands, enter: Enter
) -> None:
    before = db.session.query(Elder).count()
    number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    sent = {"id_number": wrong, "name": "方圆", "street_code": "120104001"}
    form = {"Referer": "http://localhost/bureau/elders/new"}
    answer = enter(hands.street).post("/bureau/elders", data=sent, headers=form)
    assert answer.status_code == 422 and 'href="#id_number"' in answer.text
    assert '/language/en?next=%2Fbureau%2Felders%2Fnew"' in answer.text
    assert "方圆" in answer.text
    assert db.session.query(Elder).count() == before


def test_somebody_is_enrolled_with_a_card_and_facts_that_begin_and_end(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, today = enter(hands.street), clock.business_date()
    choices = enter(hands.city).get("/bureau/elders/new").text
    assert 'value="120104001">南开区 ' in choices  # four streets share a name
    sent = {
        "id_number": "129901194003070022", "name": "方圆", "street_code": "120104001",
        "household": "120104", "card": "1",
    }  # fmt: skip
    number = next(
        one for one in (f"12990119400307002{last}" for last in "0123456789X") if _fits(one)
    )
    made = desk.post("/bureau/elders", data=sent | {"id_number": number})
    assert made.status_code == 303, made.text
    elder_id = int(made.location.rsplit("/", 1)[1])
    assert cards.current_number(elder_id)
    fact = {"what": "category:low_income", "valid_from": "2024-01-01", "evidence": "低收入证"}
    assert desk.post(f"/bureau/elders/{elder_id}/facts", data=fact).status_code == 303
    twice = desk.post(f"/bureau/elders/{elder_id}/facts", data=fact)
    assert twice.status_code == 409 and "低收入证" in twice.text
    db.session.rollback()
    row = db.session.scalars(sa.select(ElderFact).where(ElderFact.elder_id == elder_id)).one()
    early = desk.post(f"/bureau/facts/{row.id}/end", data={"valid_to": "2023-12-31"})
    assert early.status_code == 422
    assert leads_to_its_field(early.text)
    unsaid = desk.post(f"/bureau/facts/{row.id}/withdrawal", data={"reason": "错"})
    assert unsaid.status_code == 422 and leads_to_its_field(unsaid.text)
    yesterday = today - timedelta(days=1)
    ended = desk.post(f"/bureau/facts/{row.id}/end", data={"valid_to": yesterday.isoformat()})
    assert ended.status_code == 303
    db.session.refresh(row)
    assert row.valid_to == yesterday
    assert "已结束" in desk.get(f"/bureau/elders/{elder_id}").text


def _fits(number: str) -> bool:
    try:
        ric.checked(number)
    except Exception:
        return False
    return True


def test_a_new_card_closes_the_old_one(city: City, hands: Hands, enter: Enter) -> None:
    old = cards.current_number(city.elder.id)
    desk = enter(hands.street)
    assert desk.post(f"/bureau/elders/{city.elder.id}/cards").status_code == 303
    db.session.rollback()
    new = cards.current_number(city.elder.id)
    assert new and new != old
    desk.post(f"/bureau/elders/{city.elder.id}/cards/loss")
    db.session.rollback()
    assert cards.current_number(city.elder.id) is None


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_ones_own_ground_masked_and_leaves_a_trace(
    city: City, hands: Hands, enter: Enter, kind: str
) -> None:
    answer = enter(hands.street).post("/bureau/elders/exports", data={"kind": kind})
    assert answer.status_code == 200 and kind in answer.headers["Content-Disposition"]
    if kind == "csv":
        number = ric.decrypt(city.elder.ric_cipher, city.elder.ric_hash)
        text = answer.data.decode("utf-8-sig")
        assert city.elder.name in text and number not in text
    else:
        assert answer.data.startswith(b"PK")
    db.session.rollback()
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "export_elders")
    ).one()
    assert record.actor == hands.street.label
