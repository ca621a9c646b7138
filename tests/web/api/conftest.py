"""Noon is near, the world is made, and a program of every role is signed in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from canteen import clock
from canteen.canteens.models import StandardSetPrice
from canteen.db import db, transaction
from tests.web.world import World, bearer, make_world

TODAY = date(2026, 11, 21)
Program = Callable[..., TestResponse]


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """The little world at eleven on a Saturday in Shanghai."""
    with time_machine.travel(clock.instant(TODAY, time(11)), tick=True):
        made = make_world(TODAY)
        with transaction():
            for district in ("120103", "120104"):
                db.session.add(
                    StandardSetPrice(
                        district_code=district, from_on=date(2019, 1, 1), price_fen=1300,
                        set_by="user:1",
                    )
                )
        yield made


@pytest.fixture
def program(app: Flask, world: World) -> Program:
    """`program(role, method, path, body)`: one request of a program signed in as a role."""
    client = app.test_client()

    def ask(
        role: str | None, method: str, path: str, body: Any = None, key: str | None = "",
        **headers: str,
    ) -> TestResponse:
        if role:
            headers |= bearer(world.tokens[role])
        if key == "" and method == "POST":
            key = str(uuid.uuid4())
        if key:
            headers["Idempotency-Key"] = key
        sent = {} if body is None else {"json": body}
        return client.open(f"/api/v1{path}", method=method, headers=headers, **sent)

    return ask


@pytest.fixture
def wish(world: World) -> Callable[..., dict[str, Any]]:
    """A well-formed order of one set for the elder, eaten now, with some of it changed."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "canteen_id": world.own.canteen.id, "on": TODAY.isoformat(), "meal": "lunch",
            "service": "eat_in", "elder_id": world.own.elder.id, "payment": "cash",
            "lines": [{"item_id": world.own.items[0].id, "quantity": 1}],
        } | changes

    return make
