"""Tokens: exchanged for a password, shown once, closed at once."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from canteen.access.passwords import hash_of
from canteen.db import db, transaction
from tests.web.world import World, bearer

PASSWORD = "rice-and-soup-2026"


@pytest.fixture
def token(world: World, client: FlaskClient) -> str:
    with transaction() as session:
        session.merge(world.users["district"]).password_hash = hash_of(PASSWORD)
    response = client.post("/api/v1/tokens", json={"login": "district", "password": PASSWORD})
    assert response.status_code == 201, response.json
    assert response.json["who"]["territory"] == "120104"
    return response.json["token"]


def test_a_token_is_good_until_it_is_closed(client: FlaskClient, token: str) -> None:
    assert client.get("/api/v1/me", headers=bearer(token)).json["role"] == "district"
    assert client.delete("/api/v1/tokens/current", headers=bearer(token)).status_code == 204
    assert client.get("/api/v1/me", headers=bearer(token)).status_code == 401


def test_the_plain_token_is_kept_nowhere(token: str) -> None:
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(table.select()):
            assert token not in [str(value) for value in row]
