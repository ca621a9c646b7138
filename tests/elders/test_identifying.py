"""Finding the person at the till, and who may see whom."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.db import db, transaction
from canteen.elders import cards, ric
from canteen.elders.identifying import find, get_for, to_serve, visible
from canteen.elders.initials import of_name
from canteen.elders.models import Card, Elder
from canteen.errors import NotFound
from canteen.territory.actors import Actor
from tests.elders.factories import (
    CLI,
    DISTRICT,
    FOREIGN,
    OTHER_STREET,
    STAFF,
    STREET,
    TILL,
    enrolled,
    lay_ground,
    number,
)

EVALUATOR = Actor(role="evaluator", user_id=20, territory="120000")
OPERATOR = Actor(role="operator", user_id=21, operator_id=1)


@pytest.fixture
def zeng(app: Flask) -> int:
    lay_ground()
    return enrolled(name="曾小单", phone="19900001234")


@pytest.fixture
def qiu(zeng: int) -> int:
    return enrolled(
        name="仇解元", phone="19900005678", street_code=OTHER_STREET, household="120103",
        id_number=number(date(1938, 12, 24), 456),
    )


def issued(elder_id: int) -> str:
    with transaction():
        return cards.issue(elder_id, CLI)


def ids(text: str, by: Actor = TILL, **more: object) -> list[int]:
    return [found.id for found in find(text, by, **more)]


def test_one_field_takes_whatever_they_have(zeng: int, qiu: int) -> None:
    card, whole = issued(qiu), number(date(1938, 12, 24), 456)
    for text in (
        card, f" {card[:4]} {card[4:]} ", whole, whole.lower(), whole[-4:], whole[-5:], whole[-6:],
        "19900005678", "199-0000-5678", "5678", "仇解元", "仇解", "qjy", "QJY", "cj",
    ):  # fmt: skip
        assert ids(text) == [qiu], text


def test_full_width_digits_are_digits(zeng: int) -> None:
    assert ids("19900001234") == [zeng]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("曾小单", "zxd"), ("单于乐", "cyl"), ("单于乐", "syy"), ("仇解元", "qjy"),
        ("解小明", "xxm"), ("欧阳重", "oyc"), ("长孙无忌", "zswj"), ("买买提·艾力", "mmtal"),
        ("Li Wei", "liwei"),
    ],
)  # fmt: skip
def test_every_reading_of_a_name_is_kept(name: str, typed: str) -> None:
    assert typed in of_name(name)


def test_readings_of_the_surname_survive_the_limit() -> None:
    spelled = of_name("单乐重行长解")
    assert {"d", "c", "s"} <= {one[0] for one in spelled} and len(spelled) <= 16


def test_a_name_without_letters_has_no_initials() -> None:
    assert of_name("〇·—") == () or all(one.isalnum() for one in of_name("〇·—"))


@pytest.mark.parametrize("text", ["", " ", "z", "王", "5", "12", "%", "__", "0000", "' OR 1=1 --"])
def test_too_little_or_nonsense_finds_nobody(zeng: int, text: str) -> None:
    assert ids(text) == []


def test_a_wrong_check_digit_is_said_and_not_searched(zeng: int) -> None:
    card = issued(zeng)
    with pytest.raises(cards.BadCardNumber):
        find(card[:-1] + str((int(card[-1]) + 1) % 10), TILL)
    with pytest.raises(ric.WrongChecksum):
        right = number()
        find(right[:-1] + ("1" if right[-1] != "1" else "2"), TILL)


def test_a_lost_card_is_refused_with_the_new_ones_tail(zeng: int) -> None:
    old = issued(zeng)
    with transaction():
        cards.report_lost(old, CLI)
    with pytest.raises(cards.CardLost) as refused:
        find(old, TILL)
    assert refused.value.detail["replaced_by"] is None
    new = issued(zeng)
    with pytest.raises(cards.CardLost) as refused:
        find(old, TILL)
    assert new[-4:] in refused.value.text.zh and new[-4:] in refused.value.text.en
    assert ids(new) == [zeng]


def test_a_card_from_elsewhere_is_read_as_it_is(zeng: int) -> None:
    with transaction() as session:
        session.add(Card(number="1000000042", elder_id=zeng, issued_on=date(2020, 1, 1)))
    assert ids("1000000042") == [zeng]


def test_the_likeliest_come_first_and_only_so_many(zeng: int) -> None:
    for n in range(12):
        enrolled(
            name="李秀英" if n else "李秀", id_number=number(date(1945, 1, 1), n), phone=None,
            street_code=STREET if n % 2 else OTHER_STREET,
        )  # fmt: skip
    found = find("李秀", TILL, near=STREET, limit=5)
    assert [(one.name, one.near) for one in found] == [("李秀", False), *[("李秀英", True)] * 4]


def test_the_till_is_shown_enough_and_no_number(zeng: int) -> None:
    issued(zeng)
    (found,) = find("zxd", TILL)
    assert (found.last4, found.birth_year, found.card, found.status) == (
        number()[-4:], 1940, "ok", "alive"
    )  # fmt: skip
    assert found.masked_name == "曾*单"
    assert found.street.zh == "南开第1街道"
    assert number()[:14] not in repr(found)


def test_who_finds_whom(zeng: int, qiu: int) -> None:
    family = Actor(role="family", user_id=30, elder_ids=(qiu,))
    for by, sees in (
        (TILL, True), (OPERATOR, True), (CLI, True), (STAFF, True), (DISTRICT, True),
        (FOREIGN, False), (EVALUATOR, False), (family, False),
    ):  # fmt: skip
        assert ids("曾小单", by) == ([zeng] if sees else []), by.role
    assert ids("仇解元", family) == [qiu]


def test_who_looks_through_whom(zeng: int, qiu: int) -> None:
    def seen(by: Actor) -> set[int]:
        return set(db.session.scalars(sa.select(Elder.id).where(visible(by))))

    assert seen(CLI) == seen(Actor(role="city", territory="120000")) == {zeng, qiu}
    assert seen(STAFF) == seen(DISTRICT) == {zeng}
    assert seen(FOREIGN) == {qiu}
    assert seen(Actor(role="street", territory="120104002")) == set()
    assert seen(TILL) == seen(OPERATOR) == seen(EVALUATOR) == set()
    assert seen(Actor(role="elder", elder_ids=(zeng,))) == {zeng}
    assert seen(Actor(role="elder")) == set()


def test_a_stranger_is_told_there_is_nobody(zeng: int) -> None:
    assert get_for(STAFF, zeng).id == zeng
    for by in (FOREIGN, TILL, EVALUATOR):
        with pytest.raises(NotFound):
            get_for(by, zeng)
    assert to_serve(TILL, zeng).name == "曾小单"
    for by, elder_id in ((FOREIGN, zeng), (EVALUATOR, zeng), (TILL, 999)):
        with pytest.raises(NotFound):
            to_serve(by, elder_id)
