"""Up, and ready: two different questions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen import create_app
from canteen.db import db


def test_a_migrated_database_that_answers_is_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "up"}
    assert client.get("/readyz").json == {"status": "ready", "database": True, "migrated": True}


def test_a_database_behind_the_code_is_not_ready(client: FlaskClient) -> None:
    at = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    try:
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json == {"status": "not ready", "database": True, "migrated": False}
    finally:
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": at})
        db.session.commit()


def test_a_database_that_was_never_made_is_not_ready(app: Flask, tmp_path: Path) -> None:
    empty = dataclasses.replace(
        app.config["SETTINGS"], database_url=f"sqlite:///{tmp_path / 'empty.db'}"
    )
    response = create_app(empty).test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json == {"status": "not ready", "database": True, "migrated": False}


def test_a_database_out_of_reach_is_not_ready_but_the_process_is_up(
    app: Flask, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    gone = dataclasses.replace(
        app.config["SETTINGS"], database_url=f"sqlite:///{folder / 'canteen.db'}"
    )
    other = create_app(gone)
    folder.rmdir()
    response = other.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json == {"status": "not ready", "database": False, "migrated": False}
    assert other.test_client().get("/healthz").status_code == 200
