"""Real processes at one instant, on both databases: one order, one subsidy, no portion too many."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.access.tokens import make_token
from canteen.db import db, transaction
from canteen.menus.models import MenuItem
from canteen.orders.models import Order
from canteen.subsidies.models import Grant, QuotaUse
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City, make_city
from tests.stories import racer
from tests.stories.processes import Process


def race(
    racers: list[tuple[str, list[dict[str, Any]]]], folder: Path, environment: dict[str, str]
) -> list[list[dict[str, Any]]]:
    """Let each (token, posts) run in a process of its own, all starting at one instant."""
    go = folder / "go"
    started = []
    for number, (token, posts) in enumerate(racers):
        ready = folder / f"ready{number}"
        task = {"ready": str(ready), "go": str(go), "token": token, "posts": posts}
        started.append((Process(environment, racer.run, task), ready))
    try:
        until = time.monotonic() + 120
        while not all(ready.exists() for _, ready in started):
            assert time.monotonic() < until, "not everybody came to the start"
            fallen = [each for each, there in started if each.poll() and not there.exists()]
            assert not fallen, fallen[0].communicate()
            time.sleep(0.01)
        go.touch()
        said = [process.communicate() for process, _ in started]
        assert [process.returncode for process, _ in started] == [0] * len(started)
        return [json.loads(one) for one in said]
    finally:
        for process, _ in started:
            process.forget()


def token_of(who: Actor) -> str:
    with transaction():
        return make_token(who.user_id, "race", 1, who)


def sale(city: City, **changes: Any) -> dict[str, Any]:
    wish = {
        "canteen_id": city.here.id, "on": city.today.isoformat(), "meal": "lunch",
        "service": "eat_in", "payment": "cash", "serve_now": True, "elder_id": city.elder.id,
        "lines": [{"item_id": city.items[0].id, "quantity": 1}],
    }
    return wish | changes


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


@pytest.mark.slow
def test_five_copies_of_one_sale_are_one_sale_with_five_equal_answers(
    app: Flask, tmp_path: Path, process_environment: dict[str, str]
) -> None:
    city = make_city()
    token = token_of(city.cashier)
    posts = [{"path": "/api/v1/orders", "json": sale(city), "key": "one-and-the-same"}]
    answers = [a[0] for a in race([(token, posts)] * 5, tmp_path, process_environment)]
    assert sorted(a["status"] for a in answers) == [200, 200, 200, 200, 201]
    assert all(a["body"] == answers[0]["body"] for a in answers)
    assert (count(Order), count(Grant)) == (1, 1)
    assert verify() == []


@pytest.mark.slow
def test_two_tills_one_elder_one_instant_is_exactly_one_subsidy(
    app: Flask, tmp_path: Path, process_environment: dict[str, str]
) -> None:
    city = make_city()
    here, there = token_of(city.cashier), token_of(city.cashier_elsewhere)
    elsewhere = sale(
        city, canteen_id=city.elsewhere.id,
        lines=[{"item_id": city.items_elsewhere[0].id, "quantity": 1}],
    )
    racers = [
        (token, [{"path": "/api/v1/orders", "json": wish, "key": f"till-{n}-{copy}"}])
        for copy in range(2)
        for n, (token, wish) in enumerate([(here, sale(city)), (there, elsewhere)])
    ]
    answers = [a[0] for a in race(racers, tmp_path, process_environment)]
    assert [a["status"] for a in answers] == [201] * 4
    assert (count(Order), count(Grant)) == (4, 1)
    assert set(db.session.scalars(sa.select(QuotaUse.used))) == {1}
    assert sum(order.subsidy_fen for order in db.session.scalars(sa.select(Order))) == 300
    assert verify() == []


@pytest.mark.slow
def test_four_tills_never_sell_more_portions_than_were_cooked(
    app: Flask, tmp_path: Path, process_environment: dict[str, str]
) -> None:
    city = make_city()
    with transaction():
        db.session.get(MenuItem, city.items[0].id).portions = 10
    token = token_of(city.cashier)
    wish = sale(city, elder_id=None)
    post = {"path": "/api/v1/orders", "json": wish}
    racers = [(token, [post | {"key": f"t-{n}-sale-{i}"} for i in range(5)]) for n in range(4)]
    answers = [a for each in race(racers, tmp_path, process_environment) for a in each]
    assert sorted(a["status"] for a in answers) == [201] * 10 + [422] * 10
    assert {a["body"]["error"]["code"] for a in answers if a["status"] == 422} == {"sold_out"}
    db.session.rollback()
    item = db.session.get(MenuItem, city.items[0].id, populate_existing=True)
    assert (item.taken, count(Order)) == (10, 10)
    assert verify() == []
