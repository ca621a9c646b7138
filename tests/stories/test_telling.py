"""The stories of a statement, a meal, an elder, a canteen: whole, once, in few queries."""

from __future__ import annotations

import re
from datetime import date, time

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen.adjustments import spreading
from canteen.canteens import pricing, registering
from canteen.checks.catalogue import DESK_ONLY
from canteen.checks.models import Suspicion, SuspicionStep
from canteen.db import db, transaction
from canteen.elders import enrolling, family
from canteen.elders.checking import FactWish
from canteen.elders.seeing import masked_name
from canteen.payouts import arriving, bank_returns, batching, changing_accounts, repaying, retrying
from canteen.settlements import amending, appealing, changing, correcting
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import SampledMeal
from canteen.stories import telling
from canteen.stories.events import Event, page
from canteen.subsidies.granting import mirrored
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.tills import enrolling as tills
from tests.factories import City, make_user
from tests.listening import statements
from tests.payouts.banking import answers, file_of
from tests.settlements.factories import (
    AFTER,
    AFTER_AT,
    JOB,
    OCTOBER,
    at_noon,
    city_hands,
    close,
    little_month,
    pass_on,
    statement_of,
)

NOVEMBER, DECEMBER = "2026-11", "2026-12"
IN_NOVEMBER = at_noon(date(2026, 11, 10))


@pytest.fixture
def city(app: Flask) -> City:
    """October closed: every statement is with its operator."""
    city = little_month()
    close()
    return city


def said(told: list[Event], *parts: str) -> list[Event]:
    """The events that say these words, each told exactly once, in the order of the story."""
    found = []
    for part in parts:
        hits = [event for event in told if part in event.text.zh]
        assert len(hits) == 1, (part, [event.text.zh for event in told])
        found += hits
    assert [event.at for event in found] == sorted(event.at for event in found)
    return found


def standing(city: City, count: int) -> list[int]:
    """Meals of the canteen whose subsidy stands, the latest first."""
    taken = sa.select(Grant.order_id).where(Grant.number > 1)
    query = sa.select(Grant.order_id).where(
        Grant.canteen_id == city.here.id, Grant.till_fen > 0, Grant.order_id.not_in(taken)
    )
    return list(db.session.scalars(query.order_by(Grant.order_id.desc()).limit(count)))


def paid_at_last(statement: Statement) -> None:
    """A batch let go, a file the bank could not carry out, another try, and the money sent back."""
    maker, checker = city_hands()
    with transaction():
        taker = make_user("city", territory_code="120000")
        taker = Actor(role="city", user_id=taker.id, territory="120000")
    with transaction():
        drafted = batching.make(None, "gateway", maker, at=AFTER_AT)
    with transaction():
        batching.cancel(drafted.id, "先走银行", maker, at=AFTER_AT)
    payout = db.session.scalars(
        sa.select(Payout).where(Payout.statement_id == statement.id)
    ).one()  # fmt: skip
    for result in ("失败", "成功"):
        with transaction():
            batch = batching.make([payout.id], "bank_file", maker, at=AFTER_AT)
        with transaction():
            batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
        rows = [(*row[:-1], "账号不符" if result == "失败" else "") for row in
                answers(batch.id, result)]  # fmt: skip
        db.session.rollback()
        with transaction():
            bank_returns.take_in(file_of(rows), f"{result}.csv", taker, at=AFTER_AT)
        if result == "失败":
            with transaction():
                retrying.retry(payout.id, maker, at=AFTER_AT)
    with transaction():
        why = "incorrect_account_holder_name: It differs"
        arriving.came_back(payout.id, statement.id, why, JOB, AFTER_AT)


def test_a_statement_tells_doubts_objections_sums_batches_and_what_the_bank_did(
    city: City,
) -> None:
    hands, statement = city.extra["hands"], statement_of(city.here)
    denied, asked = standing(city, 2)
    with transaction():
        changing.take_back({denied: None}, "denied", hands.district, at_noon(AFTER))
    with transaction():
        appeal = appealing.file(denied, "照片可以证明", hands.operator, at_noon(AFTER))
    with transaction():
        appealing.decide(appeal.id, "rejected", "照片不清楚", hands.city, at_noon(AFTER))
    pass_on([statement.id], hands, upto="operator")
    with transaction():
        correcting.send_back(statement.id, [asked], "请补签收人", hands.street, at_noon(AFTER))
    [line] = correcting.lines_of(statement.id)
    line_id = line.correction.id
    db.session.rollback()
    with transaction():
        correcting.withdraw(line_id, hands.street, at_noon(AFTER))
    with transaction() as session:
        held = session.get_one(Statement, statement.id)
        amending.deduct(held, 100, "extrapolated", hands.district, at_noon(AFTER), "抽查推算")
    pass_on([statement.id], hands)
    paid_at_last(statement)
    told = telling.of_statement(statement.id)
    said(
        told, "结账生成结算单", "（核减）", "食堂申诉：照片可以证明", "申诉驳回：照片不清楚",
        "请食堂更正：请补签收人", "不再要求更正", "（抽查推算扣减）：抽查推算",
        "应付", "取消：先走银行", "未付成：账号不符", "重新办理", "已到账",
        "被退回：户名与账号不符",
    )  # fmt: skip
    assert sum("编入批次 B" in event.text.zh for event in told) == 2
    assert sum("复核放行" in event.text.zh for event in told) == 2
    [drawn] = [event for event in told if event.text.zh.startswith("抽查 ")]
    assert re.fullmatch(r"抽查 \d+ 餐无误", drawn.text.zh) and drawn.by
    assert not any("acct_" in event.text.zh for event in told)
    operators = telling.of_statement(statement.id, office=False)
    assert [each.text.zh for each in operators if "取消" in each.text.zh
            and "批次" in each.text.zh] == ["批次 B000001 取消"]
    whole = [event.text.zh for event in telling.of_canteen(city.here.id)]
    assert sum("被退回：户名与账号不符" in text for text in whole) == 1


def test_what_was_held_and_denied_is_told_as_one_and_doubts_by_their_meals_and_people(
    city: City,
) -> None:
    statement, (one, other) = statement_of(city.here), standing(city, 2)
    with transaction() as session:
        [row] = changing.last_rows([one])
        session.execute(sa.insert(Grant), [mirrored(row, "held", None, AFTER_AT)])
        common = {"code": "deceased", "period": OCTOBER, "canteen_id": city.here.id,
                  "elder_id": city.elder.id, "amount_fen": 500, "mode": "hold", "state": "open",
                  "found_at": AFTER_AT, "evidence": {"meal_on": "2026-10-02"}}  # fmt: skip
        found = [Suspicion(order_id=order, key=f"meal:{order}", **common)
                 for order in (one, other, None)]  # fmt: skip
        session.add_all(found)
        session.flush()
        session.add_all(
            SuspicionStep(suspicion_id=each.id, verdict="deny", reason="属实", by_label="user:1",
                          at=at_noon(AFTER, 14)) for each in found
        )  # fmt: skip
    with transaction():
        changing.take_back({one: None}, "denied", JOB, at_noon(AFTER, 14))
    money = [each.text for each in telling.of_meal(one) if each.kind == "money"]
    assert [text.zh.split("（")[0] for text in money] == [
        "给补贴 5.00 元", "收回补贴 5.00 元", "暂扣的补贴不再支付 5.00 元",
    ]
    assert "（核减），其中老人 3.00 元、食堂 2.00 元，" in money[-1].zh
    assert "Denied), 3.00 of it the elder's and 2.00 the canteen's," in money[-1].en
    low, high = sorted((one, other))
    told = [each.text.zh for each in telling.of_statement(statement.id) if each.kind == "doubt"]
    of_both, of_nobody = f"（第 {low}、{high} 号餐）", f"（{masked_name(city.elder.name)}）"
    assert [text.split("：")[0] for text in told if text.startswith("检查发现")] == [
        f"检查发现{of_both}", f"检查发现{of_nobody}",
    ]
    denied = [text for text in told if "不予支付" in text]
    assert len(denied) == 2 and of_both in denied[0] and of_nobody in denied[1]


def test_what_came_late_was_carried_spread_and_paid_back_is_told_by_the_months_it_fell_into(
    city: City,
) -> None:
    hands = city.extra["hands"]
    pass_on([statement_of(city.here).id], hands)
    with transaction():
        taken = dict.fromkeys(standing(city, 4))
        changing.take_back(taken, "corrected", JOB, IN_NOVEMBER)
    spread_at = at_noon(date(2026, 11, 11))
    with time_machine.travel(spread_at), transaction():
        spreading.spread(
            city.here.id, 2, "现金紧张", hands.district, on=date(2026, 11, 11), at=spread_at
        )
    for period, on in ((NOVEMBER, date(2026, 12, 2)), (DECEMBER, date(2027, 1, 2))):
        close(period, on)
        pass_on([statement_of(city.here, period).id], hands, on=on)
    november, december = (statement_of(city.here, period) for period in (NOVEMBER, DECEMBER))
    with transaction():
        repaying.note(
            december.id, -december.total_fen, date(2027, 1, 2), "ICBC 77", hands.district,
            on=date(2027, 1, 2), at=at_noon(date(2027, 1, 2), 14),
        )  # fmt: skip
    with transaction():
        repaying.confirm(
            december.id, hands.city, on=date(2027, 1, 2), at=at_noon(date(2027, 1, 2), 15)
        )
    said(
        telling.of_statement(november.id), "收回补贴 20.00 元（更正）", "扣回款分 2 期",
        "转入2026年12月结算单",
    )  # fmt: skip
    story = telling.of_statement(december.id)
    said(story, "接续2026年11月结算单未结的 −10.00 元", "银行流水号 ICBC 77")
    said(story, "扣回款分 2 期（2026年11月 10.00 元、2026年12月 10.00 元）：现金紧张")
    assert any("以前月份 2 餐" in each.text.zh and "（分期扣回）" in each.text.zh for each in story)
    october = telling.of_statement(statement_of(city.here).id)
    assert not any("扣回款" in each.text.zh for each in october)


def test_a_meal_paid_to_account_tells_the_elders_statement_to_the_offices_only(city: City) -> None:
    second = city.extra["second"]
    order = city.extra["to_account"].order_id
    pass_on([statement_of(elder_id=second.id).id], city.extra["hands"])
    office, operator = telling.of_meal(order), telling.of_meal(order, office=False)
    assert len([each for each in office if "结账生成结算单" in each.text.zh]) == 2
    assert len([each for each in operator if "结账生成结算单" in each.text.zh]) == 1
    pass_on([statement_of(city.here).id], city.extra["hands"])
    drawn = db.session.scalar(sa.select(sa.func.min(SampledMeal.order_id)).where(
        SampledMeal.statement_id == statement_of(city.here).id,
        SampledMeal.verdict == "right", SampledMeal.order_id != order))  # fmt: skip
    said(telling.of_meal(drawn), "下单", "给补贴", "抽查无误", "核准（区民政局）")


def test_an_elder_tells_changes_withdrawn_facts_accounts_payouts_and_objections(
    city: City,
) -> None:
    hands, elder = city.extra["hands"], city.extra["second"]
    district = city.extra["hands_elsewhere"].district
    by = next(each for each in (hands.district, district) if each.reaches(elder.street_code))
    with transaction():
        enrolling.change(elder.id, by, name="钱福安", phone="19900000077")
    with transaction():
        fact = enrolling.record_fact(elder.id, FactWish("category", "low_income", AFTER), by)
    with transaction():
        enrolling.withdraw_fact(fact, "录错了人", by)
    with transaction():
        enrolling.record_fact(elder.id, FactWish("category", "visiting_care", AFTER), by)
    with transaction():
        helper = make_user("family", "helper")
    for act in (family.allow, family.end, family.allow):
        with transaction():
            act(elder.id, helper.id, *(("女儿",) if act is family.allow else ()), by)
    with transaction():
        changing_accounts.ask("acct_other_5678", by, at=AFTER_AT, elder_id=elder.id)
    pass_on([statement_of(elder_id=elder.id).id], hands)
    own = db.session.scalar(
        sa.select(sa.func.min(Grant.order_id)).where(
            Grant.elder_id == elder.id, Grant.canteen_id == city.elsewhere.id
        )
    )
    with transaction():
        changing.take_back({own: None}, "denied", district, at_noon(AFTER))
    with transaction():
        operator = city.extra["hands_elsewhere"].operator
        appealing.file(own, "老人确实来过", operator, at_noon(AFTER))
    told = telling.of_elder(elder.id)
    texts = [event.text.zh for event in told]
    [changed] = [text for text in texts if text.startswith("更正资料")]
    assert "名称" in changed and "电话" in changed and "19900000077" not in changed
    said(told, "记入情况：", "撤回情况：", "记入：探访关爱")
    said(told, "尾号5678", "食堂申诉：老人确实来过")
    assert [text for text in texts if "女儿代订" in text] == [
        "准许女儿代订", "停止女儿代订", "准许女儿代订",
    ]
    assert sum(text.endswith("应付 3.00 元") for text in texts) == 1


def test_a_canteen_tells_its_particulars_hours_discount_tills_and_account(city: City) -> None:
    hands, here = city.extra["hands"], city.here.id
    with transaction():
        registering.amend(here, {"phone": "19900000088"}, by=hands.district)
        registering.set_meal_period(
            here, "lunch", time(11), time(14), time(10), by=hands.operator
        )
        pricing.set_elder_discount(here, 60, 500, AFTER, by=hands.operator, today=AFTER)
    with transaction():
        code = tills.make_code(here, city.manager, AFTER_AT)
    with transaction():
        tills.enrol(code, "二号机", "192.0.2.1", AFTER_AT)
    with transaction():
        changing_accounts.ask(
            "acct_new_4321", hands.operator, at=AFTER_AT, operator_id=city.here.operator_id
        )
    told = [event.text.zh for event in telling.of_canteen(here)]
    for words in ("更改食堂资料：电话", "→ 19900000088", "设定供餐时间：餐次 午餐；开始 11:00",
                  "设定敬老优惠", "注册收银机：名称 二号机", "→ 尾号4321"):  # fmt: skip
        assert sum(words in text for text in told) == 1, words


def asked_for(act: object, *args: int) -> int:
    """How many queries a story takes."""
    db.session.rollback()
    with statements() as heard:
        act(*args)  # type: ignore[operator]
    return len(heard)


def test_a_story_of_hundreds_is_told_whole_page_by_page_with_as_many_queries(city: City) -> None:
    statement = statement_of(city.here)
    stories = (
        (telling.of_statement, statement.id), (telling.of_canteen, city.here.id),
        (telling.of_elder, city.elder.id),
    )  # fmt: skip
    few = [asked_for(*each) for each in stories]
    with transaction() as session:
        found = [
            Suspicion(
                code="deceased" if n % 2 else sorted(DESK_ONLY)[0], period=OCTOBER,
                canteen_id=city.here.id, elder_id=city.elder.id, key=f"k{n}", amount_fen=500,
                mode="hold", state="open", found_at=AFTER_AT,
                evidence={"meal_on": "2026-10-02", "since_on": "2026-10-01"},
            )
            for n in range(250)
        ]  # fmt: skip
        session.add_all(found)
        session.flush()
        session.add_all(
            SuspicionStep(suspicion_id=each.id, verdict="ask", by_label=f"user:{n}", at=AFTER_AT)
            for n, each in enumerate(found)
        )
    assert [asked_for(*each) for each in stories] == few and max(few) <= 24
    for story, id_ in ((telling.of_statement, statement.id), (telling.of_canteen, city.here.id)):
        told = story(id_, office=False)  # every other finding is for the desk alone
        assert len([each for each in told if each.text.zh.startswith("检查发现")]) == 125
    told = telling.of_statement(statement.id)
    first, last = page(told), page(told, number=99)
    assert len(first.events) == 200 and (first.number, last.number) == (1, last.pages)
    assert first.events[0] == told[0] and last.events[-1] == told[-1]
    steps = page(told, "review")
    assert steps.pages == 1 and "结账生成结算单" in steps.events[0].text.zh
