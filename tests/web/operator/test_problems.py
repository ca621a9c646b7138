"""Problems at the operator's desk and at the till: read, answered, given up, in one's own hands."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen.access.models import User
from canteen.audit.models import AuditRecord
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.settlements import holding, warning, whereabouts
from canteen.subsidies.models import Grant
from tests.checks.world import AFTER, World, found, make_world, run
from tests.factories import make_fact
from tests.settlements.factories import at_noon, close, hands_over, pass_on, statement_of
from tests.web.world import sign_in


@pytest.fixture
def world(app: Flask) -> World:
    """A meal after death at each of two canteens, found."""
    world = make_world()
    with transaction():
        world.extra["hands"] = hands_over(world.here)
        for where in (world.here, world.there):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.meal(gone, canteen=where)
    run("deceased")
    return world


@pytest.fixture
def desk(app: Flask, world: World):
    return sign_in(app, db.session.get_one(User, world.extra["hands"].operator.user_id))


@pytest.fixture
def till(app: Flask, world: World):
    return sign_in(app, db.session.get_one(User, world.city.manager.user_id))


def mine(world: World) -> Suspicion:
    return next(one for one in db.session.scalars(
        sa.select(Suspicion).where(Suspicion.canteen_id == world.here.id)
        .execution_options(populate_existing=True)
    ))  # fmt: skip


def ask(world: World) -> Suspicion:
    """The district asks about it."""
    with transaction():
        holding.decide(mine(world).id, "ask", "当天谁用的餐？", by=world.extra["hands"].district,
                       at=AFTER)  # fmt: skip
    return mine(world)


def causes(order_id: int | None) -> list[str]:
    return list(db.session.scalars(
        sa.select(Grant.cause).where(Grant.order_id == order_id).order_by(Grant.number)
    ))  # fmt: skip


def test_the_page_counts_the_problems_what_they_are_worth_and_until_when(
    world: World, desk
) -> None:
    with time_machine.travel(at_noon(date(2026, 10, 20)), tick=False):
        page = sign_in(desk.application, db.session.get_one(
            User, world.extra["hands"].operator.user_id)).get("/operator/problems").text
    assert "1 个问题，涉及 5.00 元，请在 11月5日(周四) 前处理" in page
    assert "身故后用餐" in page and world.there.name not in page
    assert f"/operator/problems/{mine(world).id}" in page


def test_a_month_closed_late_shows_no_day_that_has_passed(world: World, app: Flask) -> None:
    hands, url = world.extra["hands"], f"/operator/problems/{mine(world).id}"
    user = db.session.get_one(User, hands.operator.user_id)

    def pages(on: date) -> str:
        with time_machine.travel(at_noon(on), tick=False):
            desk = sign_in(app, user)
            addresses = ("/operator/problems", url, "/operator")
            return "".join(desk.get(one).text for one in addresses)

    open_late = pages(date(2026, 11, 8))
    assert "期限已过，送审之前仍可处理" in open_late and "自己撤回补贴" in open_late
    assert "11月5日" not in open_late
    assert "请撤回这一餐的补贴" in open_late and "改好了，钱就不会被暂扣" in open_late
    close(on=date(2026, 11, 9))
    closed = pages(date(2026, 11, 10))
    assert "请在 11月12日(周四) 前处理" in closed and "11月12日(周四) 前、送审之前" in closed
    pass_on([statement_of(world.here).id], hands, upto="operator", on=date(2026, 11, 10))
    sent = pages(date(2026, 11, 10))
    assert "本月已结账送审" in sent and "现在由区里决定" in sent
    assert "11月5日" not in sent and "前处理" not in sent and "自己撤回补贴" not in sent
    assert "这里不能撤回这一餐的补贴" in sent and "请撤回" not in sent
    assert "个问题由区里决定" in sent and "改好了" not in sent


def test_a_problem_shows_its_meal_with_a_masked_name_and_nothing_of_the_register(
    world: World, desk
) -> None:
    one = mine(world)
    page = desk.get(f"/operator/problems/{one.id}").text
    assert "已于2026年10月5日(周一)去世" in page and f"/operator/meals/{one.order_id}" in page
    assert "孙*" in page and "登记册" not in page
    foreign = next(x for x in found("deceased") if x.canteen_id == world.there.id)
    assert desk.get(f"/operator/problems/{foreign.id}").status_code == 404


def test_what_nobody_asked_is_explained_and_what_is_for_the_desk_alone_is_not_shown(
    world: World, desk, till, app: Flask
) -> None:
    one = mine(world)
    url = f"/operator/problems/{one.id}"
    assert "写下说明" in desk.get(url).text
    assert desk.post(f"{url}/notes", data={"reason": " "}).status_code == 422
    assert desk.post(f"{url}/notes", data={"reason": "卡由儿媳代刷，已告知"}).status_code == 303
    assert "卡由儿媳代刷，已告知" in desk.get(url).text
    said = {"reason": "已请家属来说明"}
    assert till.post(f"/till/problems/{one.id}/notes", data=said).status_code == 303
    bureau = sign_in(app, db.session.get_one(User, world.extra["hands"].district.user_id))
    page = bureau.get(f"/bureau/findings/{one.id}").text
    assert "卡由儿媳代刷，已告知" in page and "已请家属来说明" in page and "食堂主动说明" in page
    listed = bureau.get("/bureau/findings?state=explained").text
    assert listed.count('class="finding-line"') == 1 and "已请家属来说明" in listed
    assert "已请家属来说明" in bureau.get("/bureau/findings?check=deceased").text  # seen unopened
    page = desk.get(url).text
    assert "您的说明已送出，现在由区里决定" in page and "<summary>再补充说明" in page
    assert "已说明，由区里决定" in desk.get("/operator/problems").text
    db.session.rollback()
    assert mine(world).state == "open"
    ask(world)
    assert "您的说明已送出" not in desk.get(url).text  # asked anew: it is to answer
    assert desk.post(f"{url}/notes", data={"reason": "晚了一步"}).status_code == 409
    db.session.rollback()
    with transaction():
        mine(world).code = "staff_phone"
    story = f"canteens/{world.here.id}/story"
    with transaction():
        mine(world).order_id, meal = None, one.order_id
    assert "老人电话是食堂电话" in bureau.get(f"/bureau/{story}").text
    assert "老人电话是食堂电话" not in desk.get(f"/operator/{story}").text
    with transaction():
        mine(world).order_id = meal
    for reader, door in ((desk, "/operator"), (till, "/till")):
        assert "没有问题" in reader.get(f"{door}/problems").text
        assert reader.get(f"{door}/problems/{one.id}").status_code == 404
        lost = reader.post(f"{door}/problems/{one.id}/answers", data={"reason": "说明"})
        assert lost.status_code == 404
        db.session.rollback()
    shown = bureau.get(f"/bureau/findings/{one.id}").text
    assert "这类疑点只供审核" in shown and 'value="ask"' not in shown
    with transaction():
        assert warning.warn_operators(date(2026, 10, 20), AFTER) == 1, "the other canteen's alone"
    [october] = [month for month in whereabouts.months(world.extra["hands"].operator,
                 on=date(2026, 10, 20)) if month.period == "2026-10"]  # fmt: skip
    assert [one.question.problems for one in october.running] == [0]


def test_what_was_asked_is_answered_once_and_goes_back_to_the_district(
    world: World, desk, app: Flask
) -> None:
    one = ask(world)
    page = desk.get(f"/operator/problems/{one.id}").text
    assert "当天谁用的餐？" in page and "请您说明" in desk.get("/operator/problems").text
    url = f"/operator/problems/{one.id}/answers"
    assert desk.post(url, data={"reason": ""}).status_code == 422
    assert desk.post(url, data={"reason": "家属代取，已补正"}).status_code == 303
    again = desk.post(url, data={"reason": "再答一次"})
    db.session.rollback()
    assert again.status_code == 409 and mine(world).state == "open"
    bureau = sign_in(app, db.session.get_one(User, world.extra["hands"].district.user_id))
    assert "家属代取，已补正" in bureau.get(f"/bureau/findings/{one.id}").text


def test_an_operator_gives_up_a_subsidy_while_the_month_is_in_its_hands(
    world: World, desk
) -> None:
    one = mine(world)
    url = f"/operator/problems/{one.id}/withdrawals"
    assert 'name="orders"' in desk.get(f"/operator/problems/{one.id}").text
    assert desk.post(url, data={"reason": "误刷"}).status_code == 422  # nothing ticked
    assert desk.post(url, data={"reason": "", "orders": one.order_id}).status_code == 422
    done = desk.post(url, data={"reason": "误刷，本人未用餐", "orders": one.order_id})
    assert done.status_code == 303
    page = desk.get(done.location).text
    assert "已撤回 1 餐的补贴，共 5.00 元" in page and "误刷，本人未用餐" in page
    db.session.rollback()
    assert causes(one.order_id) == ["sale", "corrected"]
    assert mine(world).state == "cleared"
    run("deceased")
    assert mine(world).state == "cleared"  # what is not subsidised is found no more
    again = desk.post(url, data={"reason": "误刷", "orders": one.order_id})
    assert again.status_code == 409 and "现在没有补贴" in again.text
    db.session.rollback()
    acts = db.session.scalars(sa.select(AuditRecord.act)).all()
    assert acts.count("withdraw_subsidy") == 1


def test_a_meal_of_a_stranger_cannot_be_given_up(world: World, desk) -> None:
    foreign = next(x for x in found("deceased") if x.canteen_id == world.there.id)
    url = f"/operator/problems/{mine(world).id}/withdrawals"
    lost = desk.post(url, data={"reason": "不是我的", "orders": foreign.order_id})
    db.session.rollback()
    assert lost.status_code == 404 and causes(foreign.order_id) == ["sale"]


def test_a_statement_not_confirmed_yet_is_amended_and_a_confirmed_one_is_out_of_hands(
    world: World, desk
) -> None:
    innocent = world.extra["innocent"]
    close()
    before = statement_of(world.here).total_fen
    one = mine(world)
    url = f"/operator/problems/{one.id}/withdrawals"
    assert desk.post(url, data={"reason": "误刷", "orders": one.order_id}).status_code == 303
    db.session.rollback()
    assert causes(one.order_id) == ["sale", "held", "released", "corrected"]
    assert statement_of(world.here).total_fen == before  # it was held: in no sum
    pass_on([statement_of(world.here).id], world.extra["hands"], upto="operator")
    late = desk.post(url, data={"reason": "误刷", "orders": innocent})
    db.session.rollback()
    assert late.status_code == 409 and "已经送审" in late.text
    assert causes(innocent) == ["sale"]


def test_the_manager_reads_and_answers_for_the_own_canteen_and_a_cashier_sees_none(
    world: World, till, app: Flask
) -> None:
    one = ask(world)
    assert "/till/problems" in till.get("/till/day").text
    assert "身故后用餐" in till.get("/till/problems").text
    page = till.get(f"/till/problems/{one.id}").text
    assert "由运营企业办理" in page and "请撤回" not in page and "结算单里更正" not in page
    assert "当天谁用的餐？" in page and "/withdrawals" not in page
    answer = till.post(f"/till/problems/{one.id}/answers", data={"reason": "家属代取"})
    assert answer.status_code == 303 and mine(world).state == "open"
    foreign = next(x for x in found("deceased") if x.canteen_id == world.there.id)
    assert till.get(f"/till/problems/{foreign.id}").status_code == 404
    cashier = sign_in(app, db.session.get_one(User, world.city.cashier.user_id))
    assert cashier.get("/till/problems").status_code == 403
    assert "/till/problems" not in cashier.get("/till/day").text


def test_problems_read_in_english(world: World, desk) -> None:
    ask(world)
    desk.set_cookie("lang", "en")
    page = desk.get(f"/operator/problems/{mine(world).id}").text
    assert "What you can do" in page and "Give the subsidy up yourself" in page
