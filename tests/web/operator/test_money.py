"""Where is my money: each month in the chain, what is in question, how far its payout is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from canteen.access.models import User
from canteen.canteens.models import Canteen
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.money import yuan
from canteen.settlements import appealing, finding, holding, whereabouts
from canteen.settlements.models import Payout, Statement
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import Grant, Period
from tests.factories import City
from tests.settlements.factories import (
    AFTER,
    AFTER_AT,
    OCTOBER,
    Hands,
    at_noon,
    close,
    little_month,
    open_month,
    pass_on,
    sell,
    statement_of,
)
from tests.web.world import sign_in


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The day October is closed: nobody is late yet."""
    with time_machine.travel(at_noon(AFTER)):
        yield


@pytest.fixture
def city(app: Flask) -> City:
    """October sold, not closed."""
    return little_month()


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


@pytest.fixture
def desk(app: Flask, hands: Hands):
    return sign_in(app, db.session.get_one(User, hands.operator.user_id))


def suspect(city: City, canteen: Canteen, count: int = 1) -> list[Suspicion]:
    """Something that holds the first meals of a canteen."""
    orders = db.session.execute(
        sa.select(Grant.order_id, Grant.elder_id)
        .where(Grant.canteen_id == canteen.id, Grant.number == 1, Grant.till_fen > 0)
        .order_by(Grant.id).limit(count)
    ).all()
    with transaction() as session:
        made = [
            Suspicion(
                code="deceased", period=OCTOBER, canteen_id=canteen.id, elder_id=elder,
                order_id=order, key=f"order:{order}", amount_fen=500, mode="hold", state="open",
                evidence={"since_on": "2026-10-01", "meal_on": "2026-10-02"}, found_at=AFTER_AT,
            )
            for order, elder in orders
        ]
        session.add_all(made)
    return made


def values_of(statement: Statement) -> dict[str, Any]:
    """A statement's columns, for another one like it."""
    keys = [column.key for column in Statement.__table__.columns if column.key != "id"]
    return {key: getattr(statement, key) for key in keys}


def test_an_open_month_shows_what_was_advanced_and_earned_so_far(
    city: City, hands: Hands, desk
) -> None:
    [october] = whereabouts.months(hands.operator, on=date(2026, 10, 20))
    assert october.open and not october.ended and october.places == []
    [running] = october.running
    sums = db.session.execute(
        sa.select(sa.func.sum(Grant.till_fen), sa.func.sum(Grant.enterprise_fen))
        .where(Grant.canteen_id == city.here.id)
    ).one()
    assert (running.advanced_fen, running.earned_fen) == tuple(sums)
    close()
    assert running.total_fen == statement_of(city.here).total_fen
    page = desk.get("/operator/money").text
    assert city.here.name in page and city.elsewhere.name not in page


def test_each_stage_says_who_has_it_since_when_and_until_when(
    city: City, hands: Hands, desk
) -> None:
    close()
    mine = statement_of(city.here)
    page = desk.get("/operator/money").text
    assert "等您确认" in page and yuan(mine.total_fen) in page and "预计 11月25日" in page
    pass_on([mine.id], hands, upto="operator")
    page = desk.get("/operator/money").text
    assert "南开第1街道" in page and "应于 11月10日" in page
    pass_on([mine.id], hands, upto="district")
    db.session.expire_all()
    assert "市民政局" in desk.get("/operator/money").text


def test_what_is_held_denied_and_released_is_said_with_its_sum(
    city: City, hands: Hands, desk
) -> None:
    denied, released, _ = suspect(city, city.here, 3)
    close()
    page = desk.get("/operator/money").text
    held = sum(abs(x) for x in db.session.scalars(
        sa.select(Grant.till_fen + Grant.enterprise_fen).where(Grant.cause == "held")))
    assert f"暂扣 3 餐，{yuan(held)} 元" in page and "：3 个，没有结论，涉及 15.00 元" in page
    address = f"/operator/problems?period={OCTOBER}&canteen={city.here.id}"
    assert address.replace("&", "&amp;") in page
    assert city.here.name in desk.get(address).text
    assert city.here.name not in desk.get(f"{address}9").text
    with transaction() as session:  # about no single meal; one of them for the desk alone
        session.add_all(Suspicion(
            code=code, period=OCTOBER, canteen_id=city.here.id, key=f"canteen:{city.here.id}",
            amount_fen=fen, mode="warn", state="open", evidence={"meals": 4}, found_at=AFTER_AT,
        ) for code, fen in (("nobody_else", 5_500), ("staff_phone", 700)))  # fmt: skip
    mine, bureau = statement_of(city.here).id, sign_in(
        desk.application, db.session.get_one(User, hands.district.user_id))
    page = bureau.get(f"/bureau/statements/{mine}").text.split('id="questions"')[1]
    assert "针对多餐的疑点" in page and "2 条" in page and "62.00" in page
    for mode in ("hold", "warn"):
        asked = f"/bureau/findings?period={OCTOBER}&canteen={city.here.id}&mode={mode}"
        assert asked.replace("&", "&amp;") in page
    page = desk.get(f"/operator/statements/{mine}").text.split('id="questions"')[1]
    assert "1 条" in page and "55.00" in page and address.replace("&", "&amp;") in page
    with transaction() as session:
        session.execute(sa.delete(Suspicion).where(Suspicion.mode == "warn"))
    with transaction():
        holding.decide(denied.id, "deny", "属实", by=hands.district, at=AFTER_AT)
        holding.decide(released.id, "pay", "健在", by=hands.district, at=AFTER_AT)
    [october] = whereabouts.months(hands.operator, on=AFTER)
    [place] = october.places
    assert place.question.held_meals == 1 and place.question.problems == 1
    [doubt] = place.question.doubts
    assert (doubt.title.zh, doubt.fen) == ("身故后用餐", 500)
    assert place.question.changes["denied"][0] == 1
    assert place.question.changes["released"][0] == 1  # not the one given back to be denied
    page = desk.get("/operator/money").text
    assert "核减：1 餐，−5.00" in page and "疑点排除：1 餐" in page
    notes = page.split('<ul class="money-notes">')[1].split("</ul>")[0]
    assert "核减" in notes and 'd="M4 10h12"' not in notes, "one minus is enough"
    assert f"/operator/statements/{mine}/meals?cause=denied" in notes
    page = desk.get(f"/operator/statements/{mine}/meals?cause=denied").text
    assert page.count('<th scope="row">') == 1 and f"/operator/meals/{denied.order_id}" in page
    page = desk.get(f"/operator/meals/{denied.order_id}").text
    assert "这一餐的补贴已核减" in page and "原因：属实。收回 5.00 元。" in page
    assert "补贴已核减" not in desk.get(f"/operator/meals/{released.order_id}").text


@pytest.mark.parametrize(
    ("state", "more", "says"),
    [
        ("ready", {}, "等待列入付款批次"),
        ("waiting", {}, "正在付款"),
        ("paid", {"paid_at": AFTER_AT}, "11月2日(周一) 已付到 …tor1"),
        ("failed", {"failure": "no payout account is known"}, "付款失败：没有登记收款账户"),
        ("failed", {"failure": "refused: account_closed: This account was closed."},
         "付款失败：收款账户已注销"),
        ("failed", {"failure": "down: 503: unavailable"}, "付款失败：支付平台一直没有答复"),
        ("failed", {"failure": "户名不符"}, "付款失败：户名不符"),
        ("failed", {"failure": "something_new: Not told before."}, "付款失败：支付平台没有接受"),
    ],
)
def test_an_approved_month_says_how_far_its_payment_is(
    city: City, hands: Hands, desk, state: str, more: dict[str, object], says: str
) -> None:
    close()
    mine = statement_of(city.here)
    with transaction() as session:
        session.execute(
            sa.update(Statement).where(Statement.id == mine.id)
            .values(stage="paid" if state == "paid" else "approved")
        )  # fmt: skip
        session.add(Payout(
            statement_id=mine.id, account="acct_operator1", amount_fen=mine.total_fen,
            state=state, made_at=AFTER_AT, **more,
        ))  # fmt: skip
    page = desk.get("/operator/money").text
    assert says in page and ("市民政局，11月2日(周一) 起" in page) == (state != "paid")
    assert "was closed" not in page and "Not told" not in page
    [october] = [m for m in whereabouts.months(hands.operator, on=AFTER) if m.period == OCTOBER]
    assert october.ended == (state == "paid")


def test_what_was_promised_and_not_kept_is_said_however_old(
    city: City, hands: Hands, desk
) -> None:
    close()
    mine = statement_of(city.here)
    pass_on([mine.id], hands, upto="operator")
    with transaction() as session:  # as of one closed late
        session.execute(sa.update(Statement).values(due_on=date(2026, 11, 27)))
        session.add_all(Period(period=f"2027-{n:02d}", closed_at=AFTER_AT) for n in range(1, 9))
        session.flush()
        session.add_all(
            Statement(**values_of(mine) | {"period": f"2027-{n:02d}", "stage": "paid"})
            for n in range(1, 9)
        )
    told = whereabouts.months(hands.operator, on=date(2027, 9, 2))
    assert [month.period for month in told] == [
        *(f"2027-{n:02d}" for n in range(8, 2, -1)), OCTOBER,
    ]
    promised = date(2026, 12, 6)
    assert told[-1].places[0].promised == promised, "three days for each of three to come"
    dues = [step.due for step in finding.chain_of(statement_of(city.here))[1:]]
    assert dues == [date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 3), promised]
    with time_machine.travel(datetime(2027, 9, 2, 4, tzinfo=UTC)):
        desk = sign_in(desk.application, db.session.get_one(User, hands.operator.user_id))
        page = desk.get("/operator/money").text
    assert "已逾期，现在由南开第1街道办理" in page and yuan(mine.total_fen) in page


def test_what_is_sent_back_or_objected_to_is_told_with_its_sum(
    city: City, hands: Hands, desk
) -> None:
    denied, sent_back = suspect(city, city.here, 2)
    with transaction() as session:
        session.execute(sa.delete(Suspicion).where(Suspicion.id == sent_back.id))
    close()
    mine = statement_of(city.here)
    with transaction():
        holding.decide(denied.id, "deny", "属实", by=hands.district, at=AFTER_AT)
    with transaction():
        appealing.file(denied.order_id, "老人健在，有照片", hands.operator, AFTER_AT)
    with transaction() as session:
        session.add(Correction(
            statement_id=mine.id, order_id=sent_back.order_id, what="请改成外送",
            asked_by="user:99", asked_at=AFTER_AT,
        ))  # fmt: skip
    page = desk.get("/operator/money").text
    assert "1 餐请您更正，涉及 5.00 元" in page and "1 件申诉在审，涉及 5.00 元" in page
    assert f"/operator/statements/{mine.id}/corrections" in page
    page = desk.get(f"/operator/statements/{mine.id}").text
    row = page.split("申诉待复核</a>")[1].split("</tr>")[0]
    assert "不在应付合计内" in row and "5.00" in row


def test_the_next_month_runs_beside_the_one_under_review(city: City, hands: Hands, desk) -> None:
    close()
    with transaction():
        open_month("2026-11")
        from tests.factories import make_menu

        on = date(2026, 11, 3)
        sell(city, make_menu(city.here, on)[:1], on, city.elder)
    told = whereabouts.months(hands.operator, on=date(2026, 11, 4))
    assert [(m.period, m.open) for m in told] == [("2026-11", True), (OCTOBER, False)]
    whole = sum(month.total_fen for month in told)
    assert whereabouts.waiting_fen(told) == whole
    assert yuan(whole) in desk.get("/operator/money").text


def test_it_reads_in_english_and_opens_before_anything_was_sold(
    city: City, hands: Hands, desk
) -> None:
    close()
    desk.set_cookie("lang", "en")
    page = desk.get("/operator/money").text
    assert "Where is my money" in page and "Not paid yet" in page and "waiting for you" in page
