"""Cards: one in use, lost at once, replaced in one act; and the family who may order."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from flask import Flask
from stdnum import damm

from canteen.access import users
from canteen.access.models import User
from canteen.db import db, transaction
from canteen.elders import cards, family
from canteen.elders.models import Card
from canteen.errors import Forbidden, NotFound
from canteen.territory.actors import Actor
from tests.elders.factories import FOREIGN, STAFF, TILL, enrolled, lay_ground
from tests.factories import make_user


@pytest.fixture
def elder(app: Flask) -> int:
    lay_ground()
    return enrolled()


def relative() -> User:
    with transaction():
        return make_user("family")


def test_a_number_has_ten_digits_and_a_check_digit_and_is_no_phone() -> None:
    made = {cards.new_number() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"8\d{10}", one) and damm.is_valid(one) for one in made)


def test_an_elder_has_one_card_in_use(elder: int) -> None:
    with transaction():
        number = cards.issue(elder, STAFF)
    with pytest.raises(cards.HasCard), transaction():
        cards.issue(elder, STAFF)
    assert cards.current_number(elder) == number


def test_a_replaced_card_closes_in_the_same_act(elder: int) -> None:
    with transaction():
        old = cards.issue(elder, STAFF)
    with transaction():
        new = cards.replace(elder, STAFF)
    assert cards.current_number(elder) == new != old
    with pytest.raises(cards.AlreadyLost), transaction():
        cards.report_lost(old, STAFF)
    assert db.session.query(Card).count() == 2


def test_the_elder_reports_a_loss_and_a_stranger_cannot(elder: int) -> None:
    with transaction():
        number = cards.issue(elder, STAFF)
    for by in (FOREIGN, Actor(role="elder", user_id=3, elder_ids=(elder + 1,))):
        with pytest.raises(NotFound), transaction():
            cards.report_lost(number, by)
    with pytest.raises(Forbidden), transaction():
        cards.report_lost(number, TILL)
    with pytest.raises(NotFound), transaction():
        cards.report_lost("80000000000", STAFF)
    with transaction():
        cards.report_lost(number, Actor(role="elder", user_id=3, elder_ids=(elder,)))
    assert cards.current_number(elder) is None


def test_only_staff_of_the_ground_issue(elder: int) -> None:
    with pytest.raises(NotFound), transaction():
        cards.issue(elder, FOREIGN)
    with pytest.raises(Forbidden), transaction():
        cards.issue(elder, TILL)


def test_the_qr_code_is_a_picture_a_page_can_hold() -> None:
    picture = ElementTree.fromstring(cards.qr_svg("80000000008"))
    assert picture.tag.endswith("svg")
    assert "<?xml" not in cards.qr_svg("80000000008")


def test_family_may_order_until_it_is_ended_and_again_later(elder: int) -> None:
    user = relative()
    own = Actor(role="elder", user_id=5, elder_ids=(elder,))
    with transaction():
        family.allow(elder, user.id, "女儿", own)
    assert users.actor_of(user).elder_ids == (elder,)
    with pytest.raises(family.AlreadyAllowed), transaction():
        family.allow(elder, user.id, "女儿", STAFF)
    (one,) = family.relatives_of(elder, own)
    assert (one.user_id, one.relation) == (user.id, "女儿")
    with transaction():
        family.end(elder, user.id, Actor(role="family", user_id=user.id, elder_ids=(elder,)))
    assert users.actor_of(user).elder_ids == ()
    with pytest.raises(NotFound), transaction():
        family.end(elder, user.id, STAFF)
    with transaction():
        family.allow(elder, user.id, "女儿", STAFF)
    assert users.actor_of(user).elder_ids == (elder,)


def test_family_cannot_invite_family_and_strangers_see_nobody(elder: int) -> None:
    user = relative()
    with pytest.raises(Forbidden), transaction():
        family.allow(elder, user.id, "朋友", Actor(role="family", user_id=9, elder_ids=(elder,)))
    for by in (FOREIGN, TILL, Actor(role="elder", user_id=3, elder_ids=(elder + 1,))):
        with pytest.raises(NotFound), transaction():
            family.allow(elder, user.id, "朋友", by)
