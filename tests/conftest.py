"""One application on each database for every test that asks for `app`, empty and migrated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from canteen import config, create_app
from canteen.db import Model, db
from tests import postgres

KEYS = {name: f"{number:02x}" * 32 for number, name in enumerate(config.SECRETS, 1)}
DATABASES = [
    name
    for name in ("sqlite", "postgresql")
    if name in os.environ.get("TEST_DATABASES", "sqlite,postgresql")
]


def settings_for(url: str, instance: Path) -> config.Settings:
    """Settings of a test application: known keys, its own instance folder."""
    return config.Settings(
        instance=instance, database_url=url, testing=True, provider="pretend",
        provider_url="https://provider.example", pool_size=4, log_level="WARNING", **KEYS,
    )


def migrate(url: str, instance: Path) -> None:
    """Bring an empty database to the newest migration."""
    app = create_app(settings_for(url, instance))
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """The run's PostgreSQL."""
    with postgres.running() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file that each test copies."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrate(f"sqlite:///{folder / 'template.db'}", folder)
    with sa.create_engine(f"sqlite:///{folder / 'template.db'}").connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "template.db"


@pytest.fixture(scope="session")
def postgresql_url(
    server: postgres.Server, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> str:
    """This worker's migrated database, copied from the run's template."""
    folder = tmp_path_factory.mktemp("postgresql")
    server.template("canteen_template", lambda url: migrate(url, folder))
    return server.create_database(f"canteen_{worker_id}", template="canteen_template")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of each kind, also for other processes."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "canteen.db")
        yield f"sqlite:///{tmp_path / 'canteen.db'}"
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        tables = ", ".join(f'"{name}"' for name in Model.metadata.tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    engine.dispose()


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on that database, with its context pushed."""
    app = create_app(settings_for(database_url, tmp_path))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a page open."""
    return app.test_client()


@pytest.fixture
def process_environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment in which another process is the same application on the same database."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "CANTEEN_INSTANCE": str(tmp_path),
        "CANTEEN_PROVIDER_URL": "https://provider.example",
        **{f"CANTEEN_{name.upper()}": value for name, value in KEYS.items()},
    }
