"""Stories on one line of time, looks on record, and the trail that shows them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.access.models import User
from canteen.audit import reading
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.canteens.models import Licence
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.settlements import changing
from canteen.subsidies.models import Grant
from canteen.territory.actors import job
from tests.factories import City, make_user
from tests.settlements.factories import at_noon, statement_of
from tests.web.bureau.conftest import Enter


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def looks() -> list[tuple[str, str]]:
    rows = db.session.execute(
        sa.select(AuditRecord.subject, AuditRecord.subject_id)
        .where(AuditRecord.act == "look").order_by(AuditRecord.id)
    )  # fmt: skip
    return [tuple(row) for row in rows]


def test_a_meal_tells_its_story_from_the_order_to_the_denial(city: City, enter: Enter) -> None:
    order = db.session.scalar(
        sa.select(sa.func.min(Grant.order_id)).where(Grant.canteen_id == city.here.id)
    )
    with transaction():
        changing.take_back({order: None}, "denied", job("test"), at_noon(date(2026, 11, 3)))
    page = text_of(enter(city.extra["hands"].street).get(f"/bureau/meals/{order}/story"))
    told = ["下单", "付款", "交给食客", "给补贴 5.00 元（售餐）", "结账生成结算单",
            "收回补贴 5.00 元（核减），其中老人 3.00 元、食堂 2.00 元，计入2026年10月"]  # fmt: skip
    page = page[page.index('<ol class="story">') :]
    places = [page.index(words) for words in told]
    assert places == sorted(places)
    officer = enter(city.extra["hands"].street)
    money = text_of(officer.get(f"/bureau/meals/{order}/story?kind=money"))
    assert "下单" not in money and "核减" in money


def test_a_long_story_is_turned_page_by_page_and_each_kind_by_itself(
    city: City, enter: Enter
) -> None:
    statement = statement_of(city.here)
    with transaction() as session:
        session.add_all(
            Suspicion(
                code="deceased", period=statement.period, canteen_id=city.here.id, key=f"k{n}",
                amount_fen=500, mode="hold", state="open", found_at=at_noon(date(2026, 11, 3)),
                evidence={"meal_on": "2026-10-02", "since_on": "2026-10-01"},
            )
            for n in range(205)
        )
    officer = enter(city.extra["hands"].street)
    first = text_of(officer.get(f"/bureau/statements/{statement.id}/story"))
    assert "结账生成结算单" in first and first.count("检查发现") == 199
    second = text_of(officer.get(f"/bureau/statements/{statement.id}/story?page=2"))
    assert "结账生成结算单" not in second and second.count("检查发现") == 6
    doubts = text_of(officer.get(f"/bureau/statements/{statement.id}/story?kind=doubt&page=2"))
    assert doubts.count("检查发现") == 5
    assert "kind=doubt&amp;page=1" in doubts


def test_an_operator_reads_its_own_stories_with_names_masked_and_none_of_elders(
    city: City, enter: Enter
) -> None:
    desk = enter(city.extra["hands"].operator)
    order = db.session.scalars(
        sa.select(Order).where(Order.canteen_id == city.here.id, Order.elder_id == city.elder.id)
    ).first()
    with transaction():
        diner = make_user("elder", "diner", elder_id=city.elder.id)
        diner.name = city.elder.name
        order.placed_by = f"user:{diner.id}"
        db.session.add(order)
    statement = statement_of(city.here)
    for thing, id_ in (("meals", order.id), ("canteens", city.here.id),
                       ("statements", statement.id)):  # fmt: skip
        assert f"/operator/{thing}/{id_}/story" in text_of(desk.get(f"/operator/{thing}/{id_}"))
        page = text_of(desk.get(f"/operator/{thing}/{id_}/story"))
        assert "/bureau/" not in page and city.elder.name not in page
    meal = text_of(desk.get(f"/operator/meals/{order.id}/story"))
    assert "下单" in meal and f"{city.elder.name[0]}*" in meal
    assert f'href="/operator/statements/{statement.id}"' in meal
    other = statement_of(city.elsewhere)
    assert desk.get(f"/operator/statements/{other.id}/story").status_code == 404
    assert desk.get(f"/operator/elders/{city.elder.id}/story").status_code == 404
    assert desk.get(f"/bureau/elders/{city.elder.id}/story").status_code == 403


def test_every_story_opens_and_looks_at_people_are_recorded_once(city: City, enter: Enter) -> None:
    officer = enter(city.extra["hands"].district)
    statement = statement_of(city.here)
    for _ in range(2):
        assert "登记为老人" in text_of(officer.get(f"/bureau/elders/{city.elder.id}/story"))
    assert "10月" in text_of(officer.get(f"/bureau/statements/{statement.id}/story"))
    with transaction() as session:
        session.add(Licence(canteen_id=city.here.id, kind="food", number="JY77",
                            valid_from=date(2026, 10, 3)))  # fmt: skip
    told = text_of(officer.get(f"/bureau/canteens/{city.here.id}/story"))
    event = told.split("食品经营许可证（JY77）生效")[0].rsplit("<li", 1)[1]
    assert "2026年10月3日(周六)</time>" in event, "a day without an hour"
    assert looks() == [("elder", str(city.elder.id))]
    text_of(officer.get(f"/bureau/elders/{city.elder.id}"))
    assert len(looks()) == 1


def test_the_trail_shows_a_district_its_own_people_the_city_all(
    city: City, enter: Enter
) -> None:
    text_of(enter(city.extra["hands"].street).get(f"/bureau/elders/{city.elder.id}"))
    text_of(enter(city.extra["hands"].city).get(f"/bureau/elders/{city.elder.id}"))
    own = text_of(enter(city.extra["hands"].district).get("/bureau/trail?act=look"))
    everybodys = text_of(enter(city.extra["hands"].city).get("/bureau/trail?act=look"))
    elsewhere = text_of(enter(city.extra["hands_elsewhere"].district).get("/bureau/trail?act=look"))
    assert [page.count("查看</td>") for page in (own, everybodys, elsewhere)] == [2, 2, 0]
    assert enter(city.extra["hands"].street).get("/bureau/trail").status_code == 403


def test_the_trail_names_what_it_is_about_in_words(city: City, enter: Enter) -> None:
    desk = enter(city.extra["hands"].city)
    form = {"purse": "120104", "year": "2026", "kind": "more", "amount": "100", "note": ""}
    assert desk.post("/bureau/budgets", data=form).status_code == 303
    assert desk.post("/bureau/statements.csv?period=2026-10").status_code == 200
    assert desk.post("/bureau/meals.csv?period=2026-10").status_code == 200
    page = text_of(desk.get("/bureau/trail"))
    assert "预算 南开区" in page and "结算单列表 天津市" in page and "补贴餐次 2026年10月" in page
    assert "120104" not in page


def test_the_trail_is_narrowed_by_who_and_whose_and_leads_to_it(city: City, enter: Enter) -> None:
    hands, other = city.extra["hands"], city.extra["hands_elsewhere"]
    elder, statement = city.elder.id, statement_of(city.here).id
    text_of(enter(hands.street).get(f"/bureau/elders/{elder}"))
    enter(hands.city).post("/bureau/statements.csv?territory=120104&payee=canteen")
    with transaction():
        record("job:silence", "escalated", "statement", statement, {"stage": "street"})
        record("job:silence", "failed", "payout", 1, {"failure": "refused: account_closed: gone"})
        record("job:checks", "set_check", "territory", "120104", {
            "code": "deceased", "mode": "hold", "period": "2026-10", "elders": 3,
        })  # fmt: skip
    desk, street = enter(hands.district), db.session.get_one(User, hands.street.user_id)
    rows = {
        query: text_of(desk.get(f"/bureau/trail?{query}")).count("<tr>") - 1
        for query in (f"actor=user:{street.id}", f"actor={street.login}", f"actor={street.name}",
                      "actor=nobody_of_this_name", f"subject=elder&of={elder}&act=look",
                      "actor=job:silence", "actor=job:checks")
    }  # fmt: skip
    assert list(rows.values()) == [1, 1, 1, -1, 1, 1, 1], "a payout is the city's"
    for never in ("0001-01-01", "9999-12-31"):
        assert enter(hands.city).get(f"/bureau/trail?day={never}").status_code == 200
    page = text_of(enter(hands.city).get("/bureau/trail?act=export"))
    assert "辖区 南开区" in page and "收款方 食堂" in page
    page = text_of(enter(hands.city).get("/bureau/trail"))
    assert f'href="/bureau/elders/{elder}"' in page and f"/bureau/statements/{statement}" in page
    assert "收款账户已注销" in page and "account_closed" not in page
    assert "处理 暂扣待定" in page and "月份 2026年10月" in page and "老人数 3" in page
    assert "身故" in page
    elsewhere = text_of(enter(other.district).get("/bureau/trail?actor=job:silence"))
    assert "<tr>" not in elsewhere


def test_the_city_takes_the_trail_away_and_that_is_on_it(city: City, enter: Enter) -> None:
    answer = enter(city.extra["hands"].city).post("/bureau/trail.jsonl")
    lines = answer.get_data(as_text=True).splitlines()
    assert list(reading.check(lines)) == []
    assert json.loads(lines[-1])["act"] == "export"
    assert enter(city.extra["hands"].district).post("/bureau/trail.jsonl").status_code == 403
