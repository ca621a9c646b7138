"""Findings at the bureau: listed, looked into, decided once, and what that does to the money."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen import clock
from canteen.access.models import User
from canteen.checks import settings
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from tests.checks.world import AFTER, World, found, make_world, run
from tests.factories import make_fact
from tests.settlements.factories import Hands, close, hands_over, statement_of
from tests.web.world import leads_to_its_field, sign_in

DAY = date(2026, 10, 6)


@pytest.fixture
def world(app: Flask) -> World:
    """Three meals after death at one canteen, one at the other; somebody in every office."""
    world = make_world()
    with transaction():
        world.extra["hands"] = hands_over(world.here)
        world.extra["others"] = hands_over(world.there)
        for number in range(4):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.meal(gone, canteen=world.there if number == 3 else None)
    run("deceased")
    return world


@pytest.fixture
def hands(world: World) -> Hands:
    return world.extra["hands"]


@pytest.fixture
def enter(app: Flask):
    def at(who: Actor) -> FlaskClient:
        return sign_in(app, db.session.get_one(User, who.user_id))

    return at


def mine(world: World) -> list[Suspicion]:
    """What was found at the first canteen, oldest first."""
    return [one for one in found("deceased") if one.canteen_id == world.here.id]


def decide(client: FlaskClient, finding: Suspicion, verdict: str, reason: str = "家属确认", **more):
    sent = {"verdict": verdict, "reason": reason, **more}
    answer = client.post(f"/bureau/findings/{finding.id}/decisions", data=sent)
    db.session.rollback()
    return answer


def last_cause(order_id: int | None) -> str:
    return db.session.scalars(
        sa.select(Grant.cause).where(Grant.order_id == order_id).order_by(Grant.number.desc())
    ).first()  # type: ignore[return-value]


def test_each_office_sees_the_findings_of_its_ground_and_no_more(
    world: World, hands: Hands, enter
) -> None:
    for by, count in ((hands.street, 3), (hands.district, 3), (hands.city, 4)):
        page = enter(by).get("/bureau/findings").text
        assert page.count('class="finding-line"') == count, by.role
        assert (world.there.name in page) == (by.role == "city")
    foreign = next(one for one in found("deceased") if one.canteen_id == world.there.id)
    assert enter(hands.district).get(f"/bureau/findings/{foreign.id}").status_code == 404


def test_what_is_at_stake_is_counted_once_however_often_a_meal_is_found(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    with transaction() as session:
        session.add(Suspicion(
            code="very_old", period="2026-10", canteen_id=one.canteen_id, elder_id=one.elder_id,
            key=f"elder:{one.elder_id}:2026-10", amount_fen=500, mode="warn", state="open",
            evidence={"age": 106, "meals": 1}, found_at=AFTER,
        ))  # fmt: skip
    page = enter(hands.district).get("/bureau/findings").text
    assert page.count('class="finding-line"') == 4
    assert "15.00" in page and "20.00" not in page  # three meals of 5.00, one found twice


def test_the_filter_offers_the_checks_that_found_something_here_with_their_counts(
    world: World, hands: Hands, enter
) -> None:
    elsewhere = next(one for one in found("deceased") if one.canteen_id == world.there.id)
    with transaction() as session:
        session.add(Suspicion(
            code="very_old", period="2026-10", canteen_id=world.there.id, elder_id=None,
            key="elder:1:2026-10", amount_fen=500, mode="warn", state="open",
            evidence={"age": 106, "meals": 1}, found_at=AFTER,
        ))  # fmt: skip
        session.flush()
        session.execute(
            sa.update(Suspicion).where(Suspicion.id == elsewhere.id).values(state="cleared")
        )

    def offered(by: Actor, query: str = "") -> list[tuple[str, str]]:
        page = enter(by).get(f"/bureau/findings?{query}").text
        select = page.split('name="check"', 1)[1].split("</select>", 1)[0]
        return re.findall(r'<option value="(\w+)"[^>]*>([^<]+)<', select)

    assert offered(hands.district) == [("deceased", "身故后用餐（3）")]
    assert offered(hands.city) == [("deceased", "身故后用餐（3）"), ("very_old", "高龄待核实（1）")]
    assert offered(hands.city, "state=all&mode=hold") == [("deceased", "身故后用餐（4）")]
    chosen = offered(hands.district, "check=very_old")
    assert chosen == [("deceased", "身故后用餐（3）"), ("very_old", "高龄待核实（0）")]


def test_the_list_is_narrowed_by_month_check_canteen_state_and_mode(
    world: World, hands: Hands, enter
) -> None:
    desk = enter(hands.city)

    def lines(query: str) -> int:
        return desk.get(f"/bureau/findings?{query}").text.count('class="finding-line"')

    assert lines("mode=warn") == 0 and lines("mode=hold") == 4
    assert lines("check=very_old") == 0 and lines("check=deceased") == 4
    assert lines(f"canteen={world.there.id}") == 1 and lines("territory=120103") == 1
    assert lines("period=all&state=denied") == 0
    assert lines("period=1999-01&state=nonsense&canteen=x&page=q") == 4  # nobody offers these
    with transaction() as session:  # the running month has a warning: it hides nothing of October
        session.add(Suspicion(
            code="very_old", period="2026-11", canteen_id=world.here.id, key="elder:1:2026-11",
            amount_fen=500, mode="warn", state="open", evidence={"age": 106, "meals": 1},
            found_at=AFTER,
        ))  # fmt: skip
    assert (lines("mode=hold"), lines("mode=warn"), lines(""), lines("state=all")) == (4, 1, 5, 1)
    assert "2026年10月" in desk.get("/bureau/findings?mode=hold").text.split("finding-words")[1]


def test_a_finding_is_told_with_its_meal_and_the_fact_with_its_date(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    page = enter(hands.district).get(f"/bureau/findings/{one.id}").text
    assert "老人已于2026年10月5日(周一)去世" in page
    assert f"/bureau/meals/{one.order_id}" in page and "15.00" in page and "11:13" in page
    assert f"/bureau/elders/{one.elder_id}" in page and "登记册上的情况" in page
    assert "check-settings?district=120104&amp;check=deceased" in page
    assert "不经收银机" in page
    with transaction() as session:
        session.get_one(Order, one.order_id).served_by = f"canteen:{world.here.id}"
    page = enter(hands.district).get(f"/bureau/findings/{one.id}").text
    assert "食堂收银台" in page and "没有记下是哪一台" in page and "不经收银机" not in page


def test_two_canteens_show_each_other_s_meal_though_one_is_on_foreign_ground(
    world: World, hands: Hands, enter
) -> None:
    with transaction():
        world.here.latitude, world.here.longitude = 39.13, 117.17
        world.there.latitude, world.there.longitude = 39.05, 117.60
        runner = world.elder(street="120103001")  # the district's only by where they ate
        there = world.meal(runner, canteen=world.there, hour=11, minute=0)
        here = world.meal(runner, hour=11, minute=20, meal="dinner")
    run("impossible_way")
    [way] = found("impossible_way")
    assert {way.order_id, way.evidence["other_order_id"]} == {here, there}
    page = enter(hands.district).get(f"/bureau/findings/{way.id}").text
    assert world.there.name in page and f"/bureau/meals/{here}" in page
    assert f"/bureau/meals/{there}" not in page  # of another district only what was found


def test_a_street_reads_and_does_not_decide(world: World, hands: Hands, enter) -> None:
    one = mine(world)[0]
    page = enter(hands.street).get(f"/bureau/findings/{one.id}").text
    assert "由区民政局或市民政局处理" in page and 'name="verdict"' not in page
    assert decide(enter(hands.street), one, "pay").status_code == 403
    assert mine(world)[0].state == "open"


def test_a_held_meal_that_is_paid_is_released_into_the_statement_under_review(
    world: World, hands: Hands, enter
) -> None:
    close()
    before = statement_of(world.here).total_fen
    one, other, _ = mine(world)
    desk = enter(hands.district)
    answer = decide(desk, one, "pay")
    assert answer.status_code == 303
    page = desk.get(answer.location).text
    assert "5.00 元计入2026年10月的结算单" in page and "家属确认" in page
    assert statement_of(world.here).total_fen == before + 500
    assert decide(desk, other, "deny").status_code == 303
    assert last_cause(other.order_id) == "denied"
    assert statement_of(world.here).total_fen == before + 500


def test_a_second_decision_is_refused_and_shown_with_what_the_first_one_said(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    assert decide(enter(hands.district), one, "deny", "核实属实").status_code == 303
    again = decide(enter(hands.city), one, "pay", "看法不同")
    assert again.status_code == 409 and "已有结论" in again.text and "核实属实" in again.text
    assert last_cause(one.order_id) == "denied"


def test_a_decision_without_a_reason_or_verdict_keeps_what_was_typed(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    desk = enter(hands.district)
    blank = decide(desk, one, "deny", "  ")
    assert blank.status_code == 422 and "请写明原因" in blank.text
    odd = decide(desk, one, "deny", "我写过的理由", false_alarm="1")
    assert odd.status_code == 422 and ">我写过的理由</textarea>" in odd.text
    assert "“误报”只能和“核准支付”一起选" in odd.text
    assert mine(world)[0].state == "open"


def test_several_of_one_check_are_decided_together_or_not_at_all(
    world: World, hands: Hands, enter
) -> None:
    desk = enter(hands.district)
    one, other, third = mine(world)
    sent = {"finding_ids": [one.id, other.id], "verdict": "deny", "reason": "名单核对"}
    url = "/bureau/findings/decisions?check=deceased&period=2026-10"
    assert 'name="finding_ids"' in desk.get("/bureau/findings?check=deceased").text
    done = desk.post(url, data=sent)
    assert done.status_code == 303 and "check=deceased" in done.location
    assert "2 条不予支付" in desk.get(done.location).text
    assert ">暂扣</span>" not in desk.get(f"/bureau/findings/{one.id}").text, "decided"
    assert ">暂扣</span>" in desk.get(f"/bureau/findings/{third.id}").text
    mixed = desk.post(url, data=sent | {"finding_ids": [other.id, third.id]})
    db.session.rollback()
    assert mixed.status_code == 409
    assert [found_one.state for found_one in mine(world)] == ["denied", "denied", "open"]
    assert desk.post(url, data=sent | {"finding_ids": []}).status_code == 422
    stranger = next(x for x in found("deceased") if x.canteen_id == world.there.id)
    lost = desk.post(url, data=sent | {"finding_ids": [third.id, stranger.id]})
    assert lost.status_code == 404
    db.session.rollback()
    assert mine(world)[2].state == "open"


def test_findings_of_different_checks_are_not_decided_with_one_reason(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    with transaction() as session:
        pattern = Suspicion(
            code="at_floor", period="2026-10", canteen_id=world.here.id, key="canteen:1:2026-10",
            amount_fen=0, mode="warn", state="open", found_at=AFTER,
            evidence={"meals": 40, "exact": 40, "share_bp": 10_000},
        )
        session.add(pattern)
        session.flush()
        sent = {"finding_ids": [one.id, pattern.id], "verdict": "pay", "reason": "一起看"}
    answer = enter(hands.city).post("/bureau/findings/decisions", data=sent)
    assert answer.status_code == 422 and "同一项检查" in answer.text


def test_of_a_pattern_the_reviewer_denies_the_meals_they_tick(
    world: World, hands: Hands, enter
) -> None:
    with transaction() as session:
        late = world.meal(world.elder(), on=date(2026, 9, 30))  # settled with October
        pattern = Suspicion(
            code="nobody_else", period="2026-10", canteen_id=world.here.id,
            key=f"canteen:{world.here.id}:2026-10", amount_fen=2000, mode="warn", state="open",
            evidence={"meals": 4}, found_at=AFTER,
        )
        session.add(pattern)
        session.flush()
        pattern_id = pattern.id
    innocent = world.extra["innocent"]
    desk = enter(hands.district)
    page = desk.get(f"/bureau/findings/{pattern_id}").text
    assert f'name="orders" value="{innocent}"' in page
    pattern = db.session.get_one(Suspicion, pattern_id)
    foreign = next(one for one in found("deceased") if one.canteen_id == world.there.id)
    wrong = decide(desk, pattern, "deny", orders=[foreign.order_id])
    assert wrong.status_code == 422 and "不属于这条疑点" in wrong.text
    pattern = db.session.get_one(Suspicion, pattern_id)
    nothing = decide(desk, pattern, "deny", "没有勾选")
    assert nothing.status_code == 422 and "请勾选不予支付的餐" in nothing.text
    desk.set_cookie("lang", "en")
    sent = {"finding_ids": [pattern_id], "verdict": "deny", "reason": "一起看"}
    left = desk.post("/bureau/findings/decisions?check=nobody_else", data=sent)
    assert left.status_code == 422 and "1 finding is about no single meal" in left.text
    assert f": {world.here.name}. Nothing was decided" in left.text
    assert 'value="deny"' not in left.text
    desk.set_cookie("lang", "zh")
    db.session.rollback()
    pattern = db.session.get_one(Suspicion, pattern_id)
    assert pattern.state == "open"
    assert decide(desk, pattern, "deny", orders=[innocent, late]).status_code == 303
    assert last_cause(innocent) == last_cause(late) == "denied"
    assert "核减" in desk.get(f"/bureau/findings/{pattern_id}").text
    again = {"reason": "签到表对得上"}
    assert desk.post(f"/bureau/findings/{pattern_id}/reopenings", data=again).status_code == 303
    db.session.rollback()
    pattern = db.session.get_one(Suspicion, pattern_id)
    assert decide(desk, pattern, "pay", "签到表对得上").status_code == 303
    assert last_cause(innocent) == last_cause(late) == "released"


def test_a_decision_is_taken_up_again_and_the_first_stays_in_the_story(
    world: World, hands: Hands, enter
) -> None:
    one = mine(world)[0]
    desk = enter(hands.district)
    decide(desk, one, "deny", "第一次的理由")
    url = f"/bureau/findings/{one.id}/reopenings"
    short = desk.post(url, data={"reason": "错"})
    assert short.status_code == 422 and leads_to_its_field(short.text)
    assert 'id="reopen" aria-labelledby="reopen-title" data-open' in short.text
    assert ">错</textarea>" in short.text
    assert desk.post(url, data={"reason": "日期看错"}).status_code == 303
    assert desk.post(url, data={"reason": "日期看错"}).status_code == 409
    db.session.rollback()
    assert decide(desk, mine(world)[0], "pay", "当天健在", false_alarm="1").status_code == 303
    page = desk.get(f"/bureau/findings/{one.id}").text
    assert "第一次的理由" in page and "重新审议" in page and "误报" in page
    assert last_cause(one.order_id) == "released"


def test_precision_is_shown_for_each_check_and_district(
    world: World, hands: Hands, enter
) -> None:
    one, other, _ = mine(world)
    decide(enter(hands.district), one, "deny")
    decide(enter(hands.district), other, "pay", false_alarm="1")
    page = enter(hands.city).get("/bureau/findings/precision").text
    assert "身故后用餐" in page and "50%" in page and "南开区 50%" in page
    assert "河西区" not in enter(hands.district).get("/bureau/findings/precision").text
    assert enter(hands.street).get("/bureau/findings/precision").status_code == 403


def test_pages_of_findings_read_in_english(world: World, hands: Hands, enter) -> None:
    desk = enter(hands.district)
    desk.set_cookie("lang", "en")
    page = desk.get("/bureau/findings").text
    assert "A meal after death" in page and "Subsidy at stake" in page
    one = desk.get(f"/bureau/findings/{mine(world)[0].id}").text
    assert "The elder died on Mon 5 Oct 2026" in one and "Ask the canteen" in one


# ── how checks are set ──


def set_check(client: FlaskClient, **more: str):
    sent = {
        "district": "120104", "check": "very_old", "mode": "hold", "age": "100",
        "from_on": "2026-11-22", "reason": "街道报来两起冒领",
    }
    answer = client.post("/bureau/check-settings", data=sent | more)
    db.session.rollback()
    return answer


def test_a_district_sets_its_own_checks_and_the_page_shows_since_when_and_by_whom(
    world: World, hands: Hands, enter
) -> None:
    from canteen import clock

    today = clock.business_date()
    desk = enter(hands.district)
    assert "高龄待核实" in desk.get("/bureau/check-settings").text
    assert set_check(desk, from_on=today.isoformat()).status_code == 303
    now = settings.setting_for("very_old", "120104", today)
    assert (now.mode, now.thresholds["age"]) == ("hold", 100)
    page = desk.get("/bureau/check-settings?check=very_old").text
    assert "现行" in page and "100" in page and "默认" in page and "街道报来两起冒领" in page
    assert set_check(desk, district="120103").status_code == 422
    assert enter(hands.street).get("/bureau/check-settings").status_code == 403
    desk.set_cookie("lang", "en")
    page = desk.get("/bureau/check-settings?check=very_old").text
    assert "Aged …, … meals subsidised" in page
    assert settings.setting_for("very_old", "120103", today).mode == "warn"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"age": "many"}, "年龄满(岁)：请填写整数"),
        ({"age": "-1"}, "须在 0 至"),
        ({"mode": "shout"}, "请选择一项"),
        ({"from_on": "2020-01-01"}, "最早只能从今天起生效"),
        ({"from_on": "someday"}, "请选择日期"),
        ({"from_on": "9999-12-31"}, "自哪天起：年份须在 2000 至"),
        ({"reason": " "}, "请写明原因"),
    ],
)
def test_a_bad_setting_is_refused_in_plain_words(
    world: World, hands: Hands, enter, wrong: dict[str, str], says: str
) -> None:
    a_year_on = (clock.business_date() + timedelta(days=365)).isoformat()
    answer = set_check(enter(hands.city), **({"from_on": a_year_on} | wrong))
    assert answer.status_code == 422 and says in answer.text
    assert settings.history("very_old", "120104") == []
