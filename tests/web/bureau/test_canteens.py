"""Canteens at the desk: the sign, the tier, proposals and the standard set, each with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.canteens.models import Canteen, ListingChange, StandardSetPrice
from canteen.canteens.pricing import standard_set_price
from canteen.db import db, transaction
from canteen.performance.models import Judgement
from tests.factories import City, actor, make_city, make_user
from tests.settlements.factories import Hands, hands_over, sell
from tests.web.bureau.conftest import Enter
from tests.web.world import leads_to_its_field


@pytest.fixture
def city(app: Flask) -> City:
    """A city of today, without any settled month."""
    return make_city()


@pytest.fixture
def hands(city: City) -> Hands:
    with transaction():
        return hands_over(city.here)


def sign_of(city: City) -> str:
    db.session.rollback()
    return db.session.get_one(Canteen, city.here.id, populate_existing=True).status


def change(client, city: City, to: str, code: str, reason: str, expected: str = "listed"):
    sent = {"to": to, "code": code, "reason": reason, "expected": expected}
    return client.post(f"/bureau/canteens/{city.here.id}/listing-changes", data=sent)


def test_the_district_suspends_a_canteen_at_once_with_a_reason(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.district)
    with transaction():
        sell(city, city.items[:1], city.today, payment="online", channel="app")
    before = desk.get(f"/bureau/canteens/{city.here.id}").text
    assert before.count("还有 1 份订单没有取餐，会在几分钟内自动取消，付过的钱全额退回") == 2
    assert change(desk, city, "suspended", "food_safety", "留样缺失，已通知整改").status_code == 303
    assert sign_of(city) == "suspended"
    made = db.session.scalars(sa.select(ListingChange)).one()
    assert (made.reason_code, made.decided_by) == ("food_safety", hands.district.label)
    page = desk.get(f"/bureau/canteens/{city.here.id}").text
    assert "留样缺失" in page and "变更挂牌状态" in page


def test_without_a_reason_or_after_somebody_elses_change_the_sign_stays(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.district)
    bare = change(desk, city, "delisted", "voluntary_exit", "")
    assert bare.status_code == 422 and leads_to_its_field(bare.text)
    for code in ("", "poor_hygiene_x", "application"):
        unfit = change(desk, city, "suspended", code, "留样缺失")
        assert unfit.status_code == 422 and leads_to_its_field(unfit.text), code
        assert "“”" not in unfit.text
    stale = change(desk, city, "suspended", "idle", "长期不供餐", expected="warned")
    assert stale.status_code == 409 and "长期不供餐" in stale.text
    assert sign_of(city) == "listed"


def test_a_street_sees_the_canteen_but_does_not_decide_its_sign(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.street)
    page = desk.get(f"/bureau/canteens/{city.here.id}").text
    assert city.here.name in page and "listing-changes" not in page
    assert change(desk, city, "suspended", "idle", "长期不供餐").status_code == 403


def propose(city: City) -> int:
    with transaction():
        judgement = Judgement(
            canteen_id=city.here.id, rule="idle_7", proposes="warned", reason_code="idle",
            facts={"zh": "已有 8 个营业日没有供餐", "en": "8 open days without a meal"},
            proposed_on=clock.business_date(), state="proposed",
        )
        db.session.add(judgement)
        db.session.flush()
        return judgement.id


def test_a_proposal_is_accepted_and_changes_the_sign(
    city: City, hands: Hands, enter: Enter
) -> None:
    number, desk = propose(city), enter(hands.district)
    assert "已有 8 个营业日没有供餐" in desk.get("/bureau").text
    url = f"/bureau/judgements/{number}/decisions"
    assert desk.post(url, data={"verdict": "accept", "reason": ""}).status_code == 422
    assert sign_of(city) == "listed"
    accepted = desk.post(url, data={"verdict": "accept", "reason": "已电话核实"})
    assert accepted.status_code == 303 and sign_of(city) == "warned"


def test_a_dismissed_proposal_leaves_the_sign_and_keeps_the_reason(
    city: City, hands: Hands, enter: Enter
) -> None:
    number, desk = propose(city), enter(hands.district)
    url = f"/bureau/judgements/{number}/decisions"
    assert desk.post(url, data={"verdict": "dismiss", "reason": "停电两天"}).status_code == 303
    assert sign_of(city) == "listed"
    row = db.session.get_one(Judgement, number, populate_existing=True)
    assert (row.state, row.reason) == ("dismissed", "停电两天")
    assert desk.post(url, data={"verdict": "accept", "reason": "再想想"}).status_code == 409


def test_a_tier_beyond_the_canteens_abilities_is_refused_and_named(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.district)
    url = f"/bureau/canteens/{city.here.id}/tier"
    sent = {"tier": "1", "demonstration": "1", "reason": "现场核实"}
    refused = desk.post(url, data=sent)
    assert refused.status_code == 422 and "达不到" in refused.text


def test_the_district_sets_its_standard_set_from_a_day_on(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk, today = enter(hands.district), clock.business_date()
    later = today + timedelta(days=9)
    sent = {"district": "120104", "price_fen": "14.50", "from_on": later.isoformat()}
    assert desk.post("/bureau/standard-set", data=sent).status_code == 303
    db.session.rollback()
    assert standard_set_price("120104", today) == 1300
    assert standard_set_price("120104", later) == 1450
    for wrong, words in (
        ({"price_fen": "40"}, "元之间"), ({"from_on": "2020-01-01"}, "最早只能从"),
        ({"price_fen": "abc"}, "error-summary"), ({"district": "120103"}, "请选择一项"),
    ):
        refused = desk.post("/bureau/standard-set", data=sent | wrong)
        assert refused.status_code == 422 and words in refused.text, wrong
        db.session.rollback()
    assert db.session.query(StandardSetPrice).filter_by(district_code="120104").count() == 2


def test_canteens_are_found_by_name_sign_and_tier(city: City, hands: Hands, enter: Enter) -> None:
    desk = enter(hands.city)
    assert city.elsewhere.name in desk.get("/bureau/canteens").text
    named = desk.get(f"/bureau/canteens?text={city.here.code}").text
    assert city.here.name in named and city.elsewhere.name not in named
    assert "没有符合条件的食堂" in desk.get("/bureau/canteens?status=delisted").text


def test_the_evaluator_enters_a_visit_and_a_second_version_beside_it(
    city: City, enter: Enter
) -> None:
    with transaction():
        evaluator = actor(make_user("evaluator", territory_code="120104"))
    desk, today = enter(evaluator), clock.business_date()
    form = desk.get(f"/bureau/canteens/{city.here.id}/inspections/new").text
    codes = [part.split('"')[0] for part in form.split('name="')[1:] if '-points"' in part[:40]]
    sent = {"on": today.isoformat()} | dict.fromkeys(codes, "90")
    url = f"/bureau/canteens/{city.here.id}/inspections"
    low = desk.post(url, data=sent | {codes[0]: "20"})
    assert low.status_code == 422 and 'value="20"' in low.text and "请写明所见" in low.text
    first = desk.post(url, data=sent)
    second = desk.post(url, data=sent | {codes[0]: "80"})
    assert first.status_code == second.status_code == 303
    assert first.location != second.location
    page = desk.get(second.location).text
    assert "第 2 版" in page and "加权得分" in page
    assert "取代" in desk.get(first.location).text
