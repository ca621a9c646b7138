"""A database that is locked or gone: a clear sentence, in time, and nothing saved."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen import create_app
from canteen.db import db, is_postgresql
from tests.web.world import World, bearer, make_world


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else holds the lock that every order needs, for longer than anybody waits."""
    impatient = "SET lock_timeout = '100ms'" if is_postgresql() else "PRAGMA busy_timeout = 100"
    holding = "LOCK TABLE menu_items IN EXCLUSIVE MODE" if is_postgresql() else "BEGIN IMMEDIATE"

    def hurry(connection: object, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(impatient)
        cursor.close()

    db.session.remove()
    sa.event.listen(db.engine, "checkout", hurry)
    other = sa.create_engine(url, isolation_level=None if is_postgresql() else "AUTOCOMMIT")
    connection = other.connect()
    connection.exec_driver_sql(holding)
    try:
        yield
    finally:
        connection.close()
        other.dispose()
        sa.event.remove(db.engine, "checkout", hurry)
        db.session.remove()
        db.engine.dispose()


def test_a_locked_database_is_said_to_be_busy(
    app: Flask, world: World, client: FlaskClient, database_url: str
) -> None:
    path = f"/api/v1/orders/{world.own.named['order_id']}/cancellation"
    headers = bearer(world.tokens["cashier"]) | {"Idempotency-Key": "while-locked"}
    with locked(database_url):
        response = client.post(path, json={"reason_code": "mistake"}, headers=headers)
    assert response.status_code == 503, response.json
    assert response.json["error"]["code"] == "database_unavailable"
    assert int(response.headers["Retry-After"]) > 0
    again = client.post(path, json={"reason_code": "mistake"}, headers=headers)
    assert again.status_code == 201, "the refused request must have left its key free"


@pytest.mark.parametrize("path", ["/api/v1/canteens", "/canteens", "/till"])
def test_a_database_that_is_gone_is_said_to_be_gone(
    app: Flask, world: World, path: str
) -> None:
    nowhere = "postgresql+psycopg://nobody@/nothing?host=/nonexistent"
    settings = dataclasses.replace(app.config["SETTINGS"], database_url=nowhere)
    client = create_app(settings).test_client()
    with client.session_transaction() as session:
        session.update(user=1, mark="mark", until=4e9)
    response = client.get(path)
    assert response.status_code == 503
    text = response.get_data(as_text=True)
    assert "没有保存任何内容" in text and "nonexistent" not in text

