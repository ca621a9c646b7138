"""Portions taken and put back: all of an order or nothing, and never one too many."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.db import db, transaction
from canteen.menus.models import MenuItem
from canteen.menus.offering import items as find_items
from canteen.menus.serving import BadQuantity, SoldOut, put_back, take
from tests.factories import make_canteen, make_menu, make_territories
from tests.listening import statements


@pytest.fixture
def items(app: Flask) -> list[int]:
    """The ids of three dishes of ten portions each."""
    with transaction():
        make_territories()
        made = make_menu(make_canteen(), clock.business_date(), portions=10)
        return [item.id for item in made]


def taken(items: list[int]) -> list[int]:
    """How many of each are taken, says the database."""
    query = sa.select(MenuItem.taken).where(MenuItem.id.in_(items)).order_by(MenuItem.id)
    return list(db.session.scalars(query))


def test_an_order_takes_all_its_dishes_in_one_statement(app: Flask, items: list[int]) -> None:
    with statements() as heard, transaction():
        found = take({items[2]: 3, items[0]: 1, items[1]: 2})
    writes = [text for text in heard if not text.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
    assert len(writes) == 1
    assert {key: row.unit_fen for key, row in found.items()} == {
        items[0]: 1500, items[1]: 300, items[2]: 700,
    }
    assert taken(items) == [1, 2, 3]


def test_one_short_dish_refuses_the_whole_order(items: list[int]) -> None:
    with transaction():
        take({items[1]: 8})
    with pytest.raises(SoldOut) as refused, transaction():
        take({items[0]: 1, items[1]: 3, items[2]: 1})
    assert (refused.value.detail["item_id"], refused.value.detail["left"]) == (items[1], 2)
    assert "只剩 2 份" in refused.value.text.zh and "Only 2 of “Dish 1”" in refused.value.text.en
    assert taken(items) == [0, 8, 0]
    with transaction():
        take({items[0]: 1, items[1]: 2})
    with pytest.raises(SoldOut) as refused, transaction():
        take({items[1]: 1})
    assert refused.value.text.en == "“Dish 1” is sold out"
    assert find_items([items[1]])[items[1]].left == 0


def test_an_unknown_dish_is_sold_out(items: list[int]) -> None:
    with pytest.raises(SoldOut), transaction():
        take({items[0]: 1, 9999: 1})
    assert taken(items) == [0, 0, 0]


@pytest.mark.parametrize("quantity", [0, -1, 51])
def test_absurd_quantities_are_refused(items: list[int], quantity: int) -> None:
    with pytest.raises(BadQuantity), transaction():
        take({items[0]: quantity})


def test_what_was_taken_is_put_back(items: list[int]) -> None:
    with transaction():
        take({items[0]: 2, items[1]: 1})
        take({items[0]: 3})
        put_back({items[0]: 2, items[1]: 1})
    assert taken(items) == [3, 0, 0]
    with transaction():
        put_back({items[0]: 3})
        put_back({})
    assert taken(items) == [0, 0, 0]


def in_threads(app: Flask, acts: list[Callable[[], None]]) -> list[str]:
    """Run acts at one instant, each in its own transaction; what became of each."""
    start, outcomes = Barrier(len(acts)), []

    def run(act: Callable[[], None]) -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    act()
                outcomes.append("taken")
            except SoldOut:
                outcomes.append("sold out")
            finally:
                db.session.remove()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_two_tills_never_sell_the_last_portion_twice(app: Flask, items: list[int]) -> None:
    with transaction():
        take({items[0]: 6})
    acts = [lambda: take({items[0]: 1}) and None for _ in range(6)]
    assert in_threads(app, acts) == ["sold out"] * 2 + ["taken"] * 4
    assert taken(items)[0] == 10


def test_orders_of_the_same_dishes_never_wait_for_each_other(
    app: Flask, items: list[int]
) -> None:
    orders = [dict.fromkeys(items, 1), dict.fromkeys(reversed(items), 1)] * 3
    acts = [lambda order=order: take(order) and None for order in orders]
    assert in_threads(app, acts) == ["taken"] * 6
    assert taken(items) == [6, 6, 6]
