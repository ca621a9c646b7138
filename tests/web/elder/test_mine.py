"""The card, the family, money paid to the account; and family who order for several."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.access import users
from canteen.access.models import User
from canteen.db import db, transaction
from canteen.elders import cards
from canteen.settlements.models import Statement
from canteen.subsidies.models import Period
from tests.factories import LONG_AGO, City, make_elder, make_user
from tests.web.elder.conftest import order, words
from tests.web.world import befriend, sign_in


@pytest.fixture
def daughter(city: City) -> User:
    """She may order for the elder and for another."""
    with transaction():
        user = make_user("family")
        user.name = "赵小燕"
        befriend(city.elder, user)
        befriend(make_elder(birth=date(1951, 3, 2), name="钱福顺"), user)
    return user


def test_the_card_shows_its_number_and_a_code_that_scales(
    elder: FlaskClient, city: City
) -> None:
    number = cards.current_number(city.elder.id)
    page = elder.get(f"/home/elders/{city.elder.id}/card")
    assert number in words(page).replace(" ", "")
    picture = page.text[page.text.index('class="qr"') - 200 :]
    assert "viewBox" in picture


def test_a_lost_card_is_closed_after_one_question(elder: FlaskClient, city: City) -> None:
    number = cards.current_number(city.elder.id)
    asked = words(elder.get(f"/home/elders/{city.elder.id}/card/loss"))
    assert f"要挂失尾号 {number[-4:]} 的卡吗" in asked
    gone = elder.post(f"/home/cards/{number}/loss", follow_redirects=True)
    assert "卡已挂失" in words(gone) and "现在没有在用的卡" in words(gone)
    assert cards.current_number(city.elder.id) is None
    assert "此前已经挂失" in words(elder.post(f"/home/cards/{number}/loss", follow_redirects=True))


def test_a_strangers_card_cannot_be_closed(elder: FlaskClient, city: City) -> None:
    with transaction():
        stranger = make_elder(name="钱福顺")
    number = cards.current_number(stranger.id)
    assert elder.post(f"/home/cards/{number}/loss").status_code == 404
    assert cards.current_number(stranger.id) == number


def test_the_elder_ends_what_family_may_do(
    app: Flask, elder: FlaskClient, city: City, daughter: User
) -> None:
    url = f"/home/elders/{city.elder.id}/family"
    assert "赵小燕" in words(elder.get(url))
    assert "以后不让赵小燕（女儿）点餐" in words(elder.get(f"{url}/ending?user={daughter.id}"))
    done = elder.post(f"{url}/ending", data={"user": daughter.id}, follow_redirects=True)
    assert "不能再替您点餐" in words(done) and "还没有家人" in words(done)
    phone = sign_in(app, daughter)
    assert phone.get(f"/home/elders/{city.elder.id}").status_code == 404
    again = elder.post(f"{url}/ending", data={"user": daughter.id}, follow_redirects=True)
    assert "已经不在名单上" in words(again)


def test_family_is_asked_for_whom_and_orders_with_the_elders_subsidy(
    app: Flask, city: City, daughter: User
) -> None:
    phone = sign_in(app, daughter)
    people = words(phone.get("/home"))
    assert "为谁点餐" in people and "赵和平" in people and "钱福顺" in people
    assert "为 赵和平 点餐" in words(phone.get(f"/home/elders/{city.elder.id}"))
    placed = order(phone, city)
    assert placed.status_code == 303
    assert "赵和平" in words(phone.get(placed.location))


def test_family_ends_only_their_own_right(app: Flask, city: City, daughter: User) -> None:
    with transaction():
        brother = make_user("family")
        befriend(city.elder, brother)
    phone, url = sign_in(app, daughter), f"/home/elders/{city.elder.id}/family/ending"
    phone.post(url, data={"user": brother.id})
    assert city.elder.id in users.actor_of(brother).elder_ids
    answer = phone.post(url, data={"user": daughter.id})
    assert answer.location == "/home" and city.elder.id not in users.actor_of(daughter).elder_ids


def test_who_may_order_for_nobody_is_told_what_to_do(app: Flask, city: City) -> None:
    with transaction():
        alone = make_user("family")
    page = sign_in(app, alone).get("/home")
    assert page.status_code == 200 and "居委会或街道办理" in words(page)


def test_money_paid_to_the_account_is_shown_with_where_it_stands(
    elder: FlaskClient, city: City
) -> None:
    assert "打到账户的补贴" not in words(elder.get(f"/home/elders/{city.elder.id}"))
    with transaction():
        db.session.add(Period(period="2026-10", closed_at=LONG_AGO, closed_by="job:test"))
        db.session.flush()
        statement = Statement(
            period="2026-10", payee="elder", elder_id=city.elder.id, street_code="120104001",
            district_code="120104", meals=2, elder_fen=0, account_fen=600, enterprise_fen=0,
            delivery_fen=0, online_fen=0, carried_fen=0, total_fen=600, stage="district",
            stage_since=LONG_AGO, prepared_by="job:close", prepared_at=LONG_AGO,
        )
        db.session.add(statement)
        stranger = Statement(
            period="2026-10", payee="elder", elder_id=make_elder(name="钱福顺").id,
            street_code="120104001", district_code="120104", meals=1, elder_fen=0,
            account_fen=300, enterprise_fen=0, delivery_fen=0, online_fen=0, carried_fen=0,
            total_fen=300, stage="street", stage_since=LONG_AGO, prepared_by="job:close",
            prepared_at=LONG_AGO,
        )
        db.session.add(stranger)
    assert "打到账户的补贴" in words(elder.get(f"/home/elders/{city.elder.id}"))
    months = words(elder.get(f"/home/elders/{city.elder.id}/statements"))
    assert "2026年10月" in months and "6.00" in months and "待区民政局审核" in months
    assert elder.get(f"/home/statements/{statement.id}").status_code == 200
    assert elder.get(f"/home/statements/{stranger.id}").status_code == 404
