"""Books, payouts and policies at the desk."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.db import db, transaction
from canteen.ledger.balances import balance
from canteen.ledger.chart import canteen_book
from canteen.money import yuan
from canteen.settlements.models import Payout
from canteen.subsidies.publishing import in_force
from canteen.web.bureau.ledger import KINDS, entry_words
from tests.factories import City
from tests.settlements.factories import Hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter


def test_the_books_show_what_the_ledger_says(city: City, hands: Hands, enter: Enter) -> None:
    desk = enter(hands.district)
    due = balance(canteen_book(city.here.id), "statement_due")
    assert due and yuan(due) in desk.get("/bureau/books").text
    page = desk.get(f"/bureau/canteens/{city.here.id}/book?account=statement_due").text
    number = statement_of(city.here).id
    assert yuan(due) in page and "close:" not in page
    assert f"第 {number} 号结算单，月结" in page
    assert entry_words("denial", "denied:7:2").en.startswith("Meal no. 7: A subsidy taken back")
    assert entry_words("day", "day:3:2026-10-01") == KINDS["day"]
    assert desk.get("/bureau/books/120104").status_code == 200
    assert desk.get("/bureau/books/120103").status_code == 404


def test_a_failed_payout_is_named_and_sent_again_once(
    city: City, hands: Hands, enter: Enter
) -> None:
    statement = statement_of(city.here)
    pass_on([statement.id], hands)
    with transaction() as session:
        session.execute(sa.update(Payout).values(state="failed", failure="refused: account_frozen"))
    desk = enter(hands.city)
    assert "收款账户被冻结" in desk.get("/bureau/payouts").text
    assert "笔付款失败" in desk.get("/bureau").text
    number = db.session.scalars(sa.select(Payout.id)).one()
    assert desk.post(f"/bureau/payouts/{number}/attempts").status_code == 303
    db.session.rollback()
    assert db.session.get_one(Payout, number, populate_existing=True).state == "ready"
    again = desk.post(f"/bureau/payouts/{number}/attempts")
    assert again.status_code == 409 and "没有失败" in again.text
    assert enter(hands.district).get("/bureau/payouts").status_code == 403


def tried(**changes: str) -> dict[str, str]:
    return {
        "tried": "1", "on": "2026-10-14", "meal": "lunch", "service": "eat_in", "list": "15",
        "standard_set": "13", "discount": "0", "tier": "1", "birth_date": "1940-05-01",
        "used_today": "0", "used_this_week": "0",
    } | changes  # fmt: skip


def test_a_case_is_tried_on_a_policy_with_every_step(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.street)
    url = f"/bureau/policies/{in_force('120104', city.today).id}"
    granted = desk.get(url, query_string=tried()).text
    assert "12.00" in granted and "由市级、区级承担" in granted
    used_up = desk.get(url, query_string=tried(used_this_week="5")).text
    assert "5次补贴已用完" in used_up
    for wrong, field in (
        ({"list": "abc"}, "list"), ({"on": ""}, "on"), ({"discount": "101"}, "discount"),
        ({"birth_date": "2030-01-01"}, "elder.birth_date"), ({"household": "x"}, "elder"),
    ):
        refused = desk.get(url, query_string=tried(**wrong))
        assert refused.status_code == 422 and f'href="#{field}' in refused.text, wrong


def test_every_published_policy_can_be_read(city: City, hands: Hands, enter: Enter) -> None:
    desk = enter(hands.city)
    desk.set_cookie("lang", "en")
    links = [
        part.split('"')[0] for part in desk.get("/bureau/policies").text.split('href="')
        if part.startswith("/bureau/policies/")
    ]  # fmt: skip
    assert len(links) >= 6
    for link in links:
        assert desk.get(link).status_code == 200, link
