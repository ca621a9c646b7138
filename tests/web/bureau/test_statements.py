"""Statements at the desk: from the work list to the payout, back with a reason, down to a meal."""

from __future__ import annotations

import sqlalchemy as sa

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.money import yuan
from canteen.orders.models import Cancellation, Order
from canteen.settlements import looking
from canteen.settlements.models import Payout, Statement, StatementStep
from canteen.subsidies.models import Grant
from tests.factories import City
from tests.settlements.factories import Hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter


def approve(client, *ids: int, **more: str):
    """Tick statements and send the form."""
    sent = {"statement_ids": [str(one) for one in ids], **more}
    answer = client.post("/bureau/statements/approvals", data=sent)
    db.session.rollback()
    return answer


def test_every_office_passes_the_month_on_and_the_city_orders_its_payout(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    pass_on([statement.id], hands, upto="operator")
    for office, by in (("street", hands.street), ("district", hands.district)):
        page = enter(by).get("/bureau")
        assert city.here.name in page.text, office
        if office == "district":
            with transaction():
                looking.look_rest([statement.id], by, clock.now())
        assert approve(enter(by), statement.id).status_code == 303
    page = enter(hands.city).get(f"/bureau/statements/{statement.id}").text
    assert yuan(statement.total_fen) in page and "批准付款" in page
    answer = approve(enter(hands.city), statement.id, **{"from": "statement"})
    assert answer.location.endswith(f"/bureau/statements/{statement.id}")
    assert statement_of(city.here).stage == "approved"
    payout = db.session.scalars(sa.select(Payout)).one()
    assert payout.amount_fen == statement.total_fen


def test_bulk_approval_moves_all_or_none(city: City, hands: Hands, enter: Enter) -> None:
    mine, other = statement_of(city.here), statement_of(city.elsewhere)
    pass_on([mine.id], hands, upto="operator")
    # The other one lies on another street: as if it were not there, and nothing moves.
    assert approve(enter(hands.street), mine.id, other.id).status_code == 404
    assert statement_of(city.here).stage == "street"
    # The city may see both, but neither has come to it yet.
    answer = approve(enter(hands.city), mine.id, other.id)
    assert answer.status_code == 403 and "这张结算单目前" in answer.text
    assert {statement_of(city.here).stage, statement_of(city.elsewhere).stage} == {
        "street", "operator",
    }


def test_the_same_statement_approved_twice_says_that_it_has_moved(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    pass_on([statement.id], hands, upto="operator")
    assert approve(enter(hands.street), statement.id).status_code == 303
    again = approve(enter(hands.street), statement.id)
    assert again.status_code == 409 and "已被他人办理" in again.text
    steps = db.session.scalars(
        sa.select(StatementStep).where(StatementStep.statement_id == statement.id)
        .order_by(StatementStep.id)
    ).all()
    assert [step.verdict for step in steps] == ["prepared", "confirmed", "approved"]


def test_nothing_ticked_is_a_clear_message(city: City, hands: Hands, enter: Enter) -> None:
    answer = approve(enter(hands.street))
    assert answer.status_code == 422 and "请选择 1 至" in answer.text


def test_a_return_needs_a_reason_which_the_page_keeps_and_the_operator_reads(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    pass_on([statement.id], hands, upto="operator")
    desk = enter(hands.street)
    short = desk.post(f"/bureau/statements/{statement.id}/returns", data={"reason": "改"})
    assert short.status_code == 422 and ">改</textarea>" in short.text
    db.session.rollback()
    assert statement_of(city.here).stage == "street"
    reason = "10月3日的餐次与签到表不符"
    back = desk.post(f"/bureau/statements/{statement.id}/returns", data={"reason": reason})
    assert back.status_code == 303
    db.session.rollback()
    assert statement_of(city.here).stage == "operator"
    page = enter(hands.operator).get(f"/operator/statements/{statement.id}").text
    assert reason in page and "退回" in page
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "returned")
    ).one()
    assert record.actor == hands.street.label


def test_the_list_is_narrowed_by_month_stage_name_and_sums_what_was_found(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.city)
    both = [statement_of(city.here), statement_of(city.elsewhere)]
    accounts = db.session.scalars(sa.select(Statement).where(Statement.payee == "elder")).all()
    everything = desk.get("/bureau/statements").text
    assert yuan(sum(one.total_fen for one in [*both, *accounts])) in everything
    one = desk.get(f"/bureau/statements?text={city.here.name}").text
    assert city.here.name in one and city.elsewhere.name not in one
    assert desk.get("/bureau/statements?period=2026-10&stage=city").text.count("<tbody>") == 0
    nankai = desk.get("/bureau/statements?territory=120104").text
    assert city.here.name in nankai and city.elsewhere.name not in nankai


def test_a_filter_nobody_offers_is_left_aside(city: City, hands: Hands, enter: Enter) -> None:
    desk = enter(hands.street)
    odd = desk.get("/bureau/statements?stage=nowhere&period=1999-01&page=abc&territory=310101")
    assert odd.status_code == 200 and city.here.name in odd.text


def test_the_statement_page_splits_every_side_by_purse_and_shows_its_entry(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    page = enter(hands.district).get(f"/bureau/statements/{statement.id}").text
    assert yuan(statement.elder_fen // 2) in page  # city and district pay half each
    assert "号分录" in page and "close:" not in page and "天津市财政资金" in page
    days = db.session.scalars(
        sa.select(Grant.on).where(Grant.canteen_id == city.here.id).distinct()
    ).all()
    for on in days:
        assert f"/bureau/statements/{statement.id}/meals?on={on}" in page


def test_from_a_statement_one_reaches_each_meal_with_every_step_of_its_price(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    desk = enter(hands.district)
    order = db.session.scalars(
        sa.select(Order).where(Order.canteen_id == city.here.id, Order.elder_id == city.elder.id)
        .order_by(Order.id)
    ).first()  # fmt: skip
    assert order is not None
    meals = desk.get(f"/bureau/statements/{statement.id}/meals?on={order.on}").text
    assert f"/bureau/meals/{order.id}" in meals and city.elder.name in meals
    page = desk.get(f"/bureau/meals/{order.id}").text
    for words in ("餐费15.00元", "食堂自己的优惠10%", "80周岁", "由市级、区级承担", "2026年10月"):
        assert words in page, words


def test_a_meal_taken_back_says_by_whom_and_why(city: City, hands: Hands, enter: Enter) -> None:
    taken_back = db.session.scalars(
        sa.select(Cancellation).where(Cancellation.reason_code == "mistake")
    ).one()
    page = enter(hands.district).get(f"/bureau/meals/{taken_back.order_id}").text
    assert "取消" in page and yuan(taken_back.refund_fen) in page


def test_an_elders_meal_elsewhere_is_open_to_the_elders_own_street(
    city: City, hands: Hands, enter: Enter
) -> None:
    """The street answers for its elder's quota wherever the elder eats."""
    away = db.session.scalars(
        sa.select(Order).where(
            Order.canteen_id == city.elsewhere.id, Order.elder_id == city.extra["second"].id
        )
    ).first()
    nobodys = db.session.scalars(
        sa.select(Order).where(
            Order.canteen_id == city.elsewhere.id, Order.elder_id.is_(None)
        )
    ).first()
    assert away is not None and nobodys is not None
    desk = enter(hands.street)
    assert desk.get(f"/bureau/meals/{away.id}").status_code == 200
    assert desk.get(f"/bureau/meals/{nobodys.id}").status_code == 404


def test_online_takings_are_listed_with_their_refunds(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    page = enter(hands.street).get(f"/bureau/statements/{statement.id}/takings").text
    assert "−" in page and yuan(statement.online_fen) in page


def test_pages_read_in_english_too(city: City, hands: Hands, enter: Enter) -> None:
    statement = statement_of(city.here)
    desk = enter(hands.district)
    desk.set_cookie("lang", "en")
    page = desk.get(f"/bureau/statements/{statement.id}").text
    for words in ("Who pays what", "Day by day", "Purse of Tianjin", "Elder subsidy"):
        assert words in page, words


def test_an_elder_paid_to_account_has_a_statement_that_begins_with_the_street(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = db.session.scalars(sa.select(Statement).where(Statement.payee == "elder")).one()
    desk = enter(hands.street)
    page = desk.get(f"/bureau/statements/{statement.id}").text
    assert city.extra["second"].name in page and "/returns" not in page  # nobody to return it to
    meals = desk.get(f"/bureau/statements/{statement.id}/meals").text
    assert f"/bureau/meals/{city.extra['to_account'].order_id}" in meals
    assert approve(desk, statement.id).status_code == 303
