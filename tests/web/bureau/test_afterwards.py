"""What comes after the month, at the desk: claims, debts, instalments, budgets, the true-up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen import clock
from canteen.adjustments.models import Claim
from canteen.audit.models import AuditRecord
from canteen.budgets.models import Fund, PerformanceTarget, TrueUp
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders.models import Card, ElderFact
from canteen.orders.models import Order
from canteen.settlements import changing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from tests.budgets.world import settled_october
from tests.factories import City, actor, make_elder, make_menu, make_user
from tests.settlements.factories import JOB, at_noon, close, sell, statement_of
from tests.web.bureau.conftest import Enter
from tests.web.world import leads_to_its_field, sign_in


def test_the_street_files_a_claim_and_a_colleague_grants_it(
    city: City, hands, enter: Enter
) -> None:
    today = clock.business_date()
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘")
        items = make_menu(city.here, today, meal="dinner")
        order = sell(city, items[:1], today, None, meal="dinner").order_id
        other = actor(make_user("street", territory_code=city.here.street_code))
        # The clock of the sale is noon; the claim is filed now.
        db.session.execute(sa.update(Order).where(Order.id == order).values(placed_at=clock.now()))
    card = db.session.scalar(sa.select(Card.number).where(Card.elder_id == elder.id))
    form = {"card": card, "receipt": str(order), "kind": "card_unread", "reason": "刷卡没反应"}
    street = enter(hands.street)
    wrong = street.post("/bureau/claims", data=form | {"card": "000"})
    assert wrong.status_code == 422 and "没有这张卡" in wrong.text and "刷卡没反应" in wrong.text
    made = street.post("/bureau/claims", data=form)
    assert made.status_code == 303
    claim = db.session.scalars(sa.select(Claim)).one()
    page = street.get(made.location).text
    assert "3.00" in page and "请另一位同事核定" in page and "还没有登记收款账户" in page
    assert "周大娘" in street.get("/bureau/claims").text
    with transaction():
        db.session.get_one(Canteen, city.here.id).name_en = "Harmony Canteen"
    street.set_cookie("lang", "en")
    assert "Harmony Canteen" in street.get("/bureau/claims").text
    street.delete_cookie("lang")
    address = f"/bureau/claims/{claim.id}/decision"
    own = street.post(address, data={"verdict": "approve"})
    assert own.status_code == 403
    colleague = enter(other)
    assert "补领申请" in colleague.get("/bureau").text
    done = colleague.post(address, data={"verdict": "approve", "reason": "与食堂核对过"})
    assert done.status_code == 303
    grant = db.session.scalars(sa.select(Grant).where(Grant.cause == "claim")).one()
    assert (grant.order_id, grant.account_fen) == (order, 300)
    weeks = colleague.get(f"/bureau/elders/{elder.id}").text.split('id="meals"')[1]
    assert f"/bureau/meals/{order}" in weeks and "事后补领 3.00 元" in weeks
    assert "已用 1 次" in weeks
    assert "已批准" in colleague.get(f"/bureau/claims/{claim.id}").text
    # An office of another district does not know of it.
    stranger = enter(city.extra["hands_elsewhere"].district)
    assert stranger.get(f"/bureau/claims/{claim.id}").status_code == 404


def test_another_canteens_order_and_a_strangers_card_are_answered_as_if_there_were_none(
    city: City, hands, enter: Enter
) -> None:
    today, there = clock.business_date(), city.elsewhere.street_code
    with transaction():
        elder = make_elder(date(1943, 3, 1), name="周大娘")
        far = make_elder(date(1943, 3, 1), name="吴大爷", street=there)
        items = make_menu(city.elsewhere, today, meal="dinner")
        foreign = [
            sell(city, items[:1], today, eater, meal="dinner", here=False).order_id
            for eater in (None, far)
        ]
    cards = {
        name: db.session.scalar(sa.select(Card.number).where(Card.elder_id == one.id))
        for name, one in (("near", elder), ("far", far))
    }
    form = {"card": cards["near"], "kind": "card_unread", "reason": "刷卡没反应"}
    street = enter(hands.street)

    def answer(**given: str) -> tuple[int, str]:
        page = street.post("/bureau/claims", data=form | given)
        return page.status_code, page.text.replace(given["receipt"], "").replace(given["card"], "")

    none = answer(receipt="987654321", card=cards["near"])
    assert none[0] == 422 and "没有找到这份订单" in none[1]
    for number in foreign:
        assert answer(receipt=f"{number:09d}", card=cards["near"]) == none
    unknown = answer(receipt="987654321", card="000000000000")
    assert unknown == answer(receipt="987654321", card=cards["far"])
    assert db.session.scalars(sa.select(Claim)).all() == []


def test_a_claim_is_refused_with_its_reason(city: City, hands, enter: Enter) -> None:
    today = clock.business_date()
    with transaction():
        young = make_elder(date(1960, 1, 1), name="李小")
        items = make_menu(city.here, today, meal="dinner")
        order = sell(city, items[:1], today, None, meal="dinner").order_id
    card = db.session.scalar(sa.select(Card.number).where(Card.elder_id == young.id))
    form = {"card": card, "receipt": str(order), "kind": "card_unread", "reason": "刷卡没反应"}
    made = enter(hands.street).post("/bureau/claims", data=form)
    district = enter(hands.district)
    page = district.get(made.location).text
    assert "按政策这餐没有补贴" in page and "批准</span>" not in page.replace("不批准", "")
    address = f"{made.location}/decision"
    assert district.post(address, data={"verdict": "refuse"}).status_code == 422
    said = district.post(address, data={"verdict": "refuse", "reason": "未满年龄"})
    assert said.status_code == 303
    assert "未满年龄" in district.get(made.location).text


@pytest.fixture
def settled(app: Flask) -> City:
    return settled_october()


@pytest.fixture
def unclosed() -> Iterator[None]:
    """November has ended and is not closed yet."""
    with time_machine.travel(at_noon(date(2026, 12, 1)), tick=False):
        yield


def client(app: Flask, by):
    from canteen.access.models import User

    return sign_in(app, db.session.get_one(User, by.user_id))


def test_what_is_taken_back_is_shown_with_its_fact_and_may_be_spread(
    app: Flask, settled: City, unclosed: None
) -> None:
    with transaction():
        fact = ElderFact(
            elder_id=settled.elder.id, kind="status", value="moved", valid_from=date(2026, 10, 1),
            recorded_by="user:1", recorded_at=clock.now(),
        )
        db.session.add(fact)
        db.session.flush()
        orders = list(db.session.scalars(
            sa.select(Grant.order_id).where(
                Grant.canteen_id == settled.here.id, Grant.number == 1, Grant.till_fen > 0,
                Grant.elder_id == settled.elder.id)
        ))[:3]  # fmt: skip
        changing.take_back(dict.fromkeys(orders, fact.id), "late_fact", JOB, clock.now())
    district = client(app, settled.extra["hands"].district)
    page = district.get("/bureau/adjustments").text
    assert "已迁出" in page and "−15.00" in page and "分期" in page
    street = client(app, settled.extra["hands"].street)
    assert "分几个月" not in street.get("/bureau/adjustments").text
    address = f"/bureau/canteens/{settled.here.id}/instalments"
    assert street.post(address, data={"months": "2", "reason": "现金紧张"}).status_code == 403
    wrong = district.post(address, data={"months": "2", "reason": "紧"})
    assert wrong.status_code == 422 and leads_to_its_field(wrong.text)
    assert 'href="/bureau/adjustments" aria-current="page"' in wrong.text
    assert ">紧</textarea>" in wrong.text and "<details open><summary>一次扣回" in wrong.text
    none = district.post(address, data={"months": "x", "reason": "食堂现金紧张"})
    assert "期数：请填写整数" in none.text and leads_to_its_field(none.text)
    form = {"months": "3", "reason": "食堂现金紧张", "seen_fen": "1500", "once": "one-press"}
    for _ in range(2):  # sent again it is answered the same; from another tab it is refused
        assert district.post(address, data=form).status_code == 303
    tab = district.post(address, data=form | {"once": "another-tab"})
    assert tab.status_code == 409 and "没有再分期" in tab.text
    periods = db.session.scalars(
        sa.select(Grant.period).where(Grant.cause == "spread", Grant.sign < 0).distinct()
    )
    assert set(periods) == {"2026-12", "2027-01"}
    narrowed = district.get("/bureau/adjustments?cause=spread").text
    assert "筛选结果共 4 笔" in narrowed


def test_a_debt_is_listed_and_noted_as_paid_back(app: Flask, settled: City) -> None:
    with transaction():
        order = db.session.scalar(
            sa.select(sa.func.max(Grant.order_id)).where(
                Grant.canteen_id == settled.here.id, Grant.till_fen > 0, Grant.number == 1,
                Grant.order_id.not_in(sa.select(Grant.order_id).where(Grant.number > 1)))
        )  # fmt: skip
        changing.take_back({order: None}, "corrected", JOB, at_noon(date(2026, 11, 5)))
    close("2026-11", date(2026, 12, 2))
    found = statement_of(settled.here, "2026-11")
    with transaction() as session:
        session.execute(sa.text("UPDATE statements SET stage = 'carried' WHERE id = :id"),
                        {"id": found.id})  # fmt: skip
    district = client(app, settled.extra["hands"].district)
    assert "5.00" in district.get("/bureau/receivables").text
    close("2026-12", date(2027, 1, 2))  # earns nothing and carries it on
    assert "转入 2026年12月" in district.get("/bureau/receivables?state=rolled").text
    with transaction():
        db.session.get_one(Canteen, settled.here.id).name_en = "Harmony Canteen"
    district.set_cookie("lang", "en")
    assert "Harmony Canteen" in district.get("/bureau/receivables").text
    district.delete_cookie("lang")
    form = {"amount": "5.00", "received_on": str(clock.business_date()), "reference": "B77"}
    address = f"/bureau/statements/{found.id}/repayment"
    assert district.post(address, data=form | {"amount": "4"}).status_code == 422
    assert district.post(address, data=form).status_code == 303
    city = client(app, settled.extra["hands"].city)
    assert "笔退款待复核" in city.get("/bureau").text
    assert "确认到账" not in district.get("/bureau/receivables?state=noted").text
    assert "确认到账" in city.get("/bureau/receivables?state=noted").text
    assert district.post(f"{address}/confirmation").status_code == 403
    assert district.post(f"{address}/withdrawal", data={"reason": ""}).status_code == 422
    gone = district.post(f"{address}/withdrawal", data={"reason": "登错了结算单"})
    assert gone.status_code == 303
    assert district.post(address, data=form).status_code == 303
    assert city.post(f"{address}/confirmation").status_code == 303
    assert "B77" in district.get("/bureau/receivables?state=repaid").text
    for account, word in (("statement_due", "退款"), ("subsidy_due", "补贴收回或恢复")):
        book = f"/bureau/canteens/{settled.here.id}/book?account={account}"
        assert word in district.get(book).text


def test_a_budget_too_small_is_said_on_its_page_and_on_the_work_list(
    app: Flask, settled: City
) -> None:
    year = clock.business_date().year
    district = client(app, settled.extra["hands"].district)
    form = {"purse": "120104", "year": str(year), "kind": "more", "amount": "1", "note": "年初"}
    assert 'name="seen" value="0"' in district.get("/bureau/budgets").text
    for once in ("one-press", "one-press", "another-tab"):
        sent = district.post("/bureau/budgets", data=form | {"seen": "0", "once": once})
        assert sent.status_code == (409 if once == "another-tab" else 303)
    assert db.session.scalars(sa.select(Fund)).one().amount_fen == 100
    page = district.get("/bureau/budgets?year=2026").text
    assert "已经超出预算" in page or year != 2026
    assert "不够用" in district.get("/bureau").text or year != 2026
    assert district.post("/bureau/budgets", data=form | {"purse": "120103"}).status_code == 422
    cut = district.post("/bureau/budgets", data=form | {"kind": "less", "amount": "2"})
    assert cut.status_code == 422 and "不能减这么多" in cut.text
    unknown = district.get("/bureau/budgets?year=9999").text
    assert f'<option value="{year}" selected>' in unknown
    assert ">全部<" not in page and ">全部<" not in district.get("/bureau/true-ups").text
    assert client(app, settled.extra["hands"].street).get("/bureau/budgets").status_code == 403
    assert 'value="120104001"' in page and 'value="120103' not in page
    street = district.post("/bureau/budgets", data=form | {"purse": "120104001"})
    assert street.status_code == 303
    assert "年初" in district.get(street.location).text
    with transaction() as session:  # the same once more, where money is approved
        statement = statement_of(settled.here)
        session.get_one(Statement, statement.id).stage = "district"
    page = district.get(f"/bureau/statements/{statement.id}").text
    assert "的预算已超出" in page or year != 2026


def test_the_true_up_is_drafted_confirmed_by_another_paid_and_taken_out(
    app: Flask, settled: City
) -> None:
    maker, checker = client(app, settled.extra["maker"]), client(app, settled.extra["checker"])
    aims = {"district": "120104", "year": "2026", "meals": "5", "in_time": "95"}
    nothing = maker.post("/bureau/targets", data=aims | {"meals": " ", "in_time": ""})
    assert nothing.status_code == 422 and "请至少填写一项“新目标”" in nothing.text
    assert db.session.scalars(sa.select(PerformanceTarget)).all() == []
    db.session.rollback()
    assert maker.post("/bureau/targets", data=aims).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PerformanceTarget)) == 2
    form = {"district": "120104", "year": "2026", "kind": "preliminary", "percent": "", "note": ""}
    made = maker.post("/bureau/true-ups", data=form)
    assert made.status_code == 303
    page = maker.get(made.location).text
    assert "22.50" in page and "请另一位同事复核" in page
    address = made.location
    assert maker.post(f"{address}/confirmation").status_code == 403
    assert checker.post(f"{address}/confirmation").status_code == 303
    assert "待拨付" in checker.get("/bureau").text
    sent = {"reference": "BK-77", "paid_on": clock.business_date().isoformat()}
    assert maker.post(f"{address}/payment", data=sent).status_code == 403
    empty = checker.post(f"{address}/payment", data=sent | {"reference": ""})
    assert empty.status_code == 422 and 'name="reference"' in empty.text
    assert checker.post(f"{address}/payment", data=sent).status_code == 303
    assert "BK-77" in checker.get(address).text
    assert db.session.scalars(sa.select(TrueUp)).one().state == "paid"
    district = client(app, settled.extra["hands"].district)
    assert "已拨付" in district.get("/bureau/true-ups").text
    workbook = openpyxl.load_workbook(io.BytesIO(district.post(f"{address}.xlsx").data))
    assert workbook.sheetnames == ["绩效目标表", "资金清单"]
    cells = [cell for row in workbook["资金清单"].iter_rows(values_only=True) for cell in row]
    assert 22.5 in cells
    assert "22.50" in district.post(f"{address}.csv").data.decode("utf-8-sig")
    taken = sa.select(sa.func.count()).select_from(AuditRecord).where(
        AuditRecord.act == "export", AuditRecord.subject == "true_up"
    )
    assert db.session.scalar(taken) == 2
    final = maker.post("/bureau/true-ups", data=form | {"kind": "final"})
    assert final.status_code == 422 and "只能做预结算" in final.text
    elsewhere = client(app, settled.extra["hands_elsewhere"].district)
    assert elsewhere.get(address).status_code == 404
