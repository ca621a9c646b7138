"""One application on each database for every test that asks for `app`, empty and migrated."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
from collections.abc import Generator, Iterator
from datetime import time, timedelta
from pathlib import Path
from time import sleep

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache

from canteen import clock, config, create_app
from canteen.db import Model, db
from canteen.web import logs
from tests import emptying, halving, keeping, postgres

# The readings of words are not asked for, only those of characters; leaving them out halves the
# time in which the processes that tests start are up.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

# The same run twice says the same twice; who looks for more asks for other draws.
DRAWS_ANEW = os.environ.get("TEST_DRAWS") == "anew"
# How quick the machine is today is nothing to fail for.
hypothesis.settings.register_profile(
    "patient", deadline=None, derandomize=not DRAWS_ANEW,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")
# So many seconds before Shanghai's midnight none begins that might still run on the next day.
MIDNIGHT_NEAR, MIDNIGHT_NEAR_IF_SLOW = 20, 180
KEYS = {name: f"{number:02x}" * 32 for number, name in enumerate(config.SECRETS, 1)}
DATABASES = [
    name
    for name in ("sqlite", "postgresql")
    if name in os.environ.get("TEST_DATABASES", "sqlite,postgresql")
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other halves; and what was collected is no garbage to be looked through."""
    left_out = halving.spared(items)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)  # there is memory; looking for garbage took a tenth of the time


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let midnight pass before a test, not within it, and not within its patience either.

    Menus and meals are laid out for today, and other processes and a browser cannot travel along.
    """
    now = clock.now()
    midnight = clock.instant(clock.business_date(now) + timedelta(days=1), time())
    left = (midnight - now).total_seconds()
    if left < (MIDNIGHT_NEAR_IF_SLOW if item.get_closest_marker("slow") else MIDNIGHT_NEAR):
        sleep(left + 1)
    return (yield)


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
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this worker's SQLite file lies: one address for all its tests."""
    return tmp_path_factory.mktemp("worker") / "canteen.db"


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_place: Path) -> str:
    """The address of an empty, migrated SQLite file."""
    for old in sqlite_place.parent.glob(f"{sqlite_place.name}*"):
        old.unlink()  # not written over: whoever still has it open keeps what he has
    shutil.copy(sqlite_template, sqlite_place)
    return f"sqlite:///{sqlite_place}"


@pytest.fixture(scope="session")
def postgresql_database(
    server: postgres.Server, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[emptying.Database]:
    """This worker's migrated database, copied from the run's template."""
    folder = tmp_path_factory.mktemp("postgresql")
    server.template("canteen_template", lambda url: migrate(url, folder))
    url = server.create_database(f"canteen_{worker_id}", template="canteen_template")
    with emptying.Database(url, list(Model.metadata.tables)) as database:
        if database.sleeps:
            keeping.serve(database.name, database)
        yield database


@pytest.fixture(scope="session")
def postgresql_url(postgresql_database: emptying.Database) -> str:
    """The address of this worker's PostgreSQL database."""
    return postgresql_database.url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty, migrated database of each kind, also for other processes."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    database = request.getfixturevalue("postgresql_database")
    yield database.url
    database.empty()


@pytest.fixture(scope="session")
def applications() -> Iterator[dict[str, Flask]]:
    """This worker's applications by the address of their database, kept from test to test.

    Making one, translating its templates and composing its SQL anew costs more than most tests.
    """
    kept: dict[str, Flask] = {}
    yield kept
    for app in kept.values():
        with app.app_context():
            db.engine.dispose()


def make_app(settings: config.Settings, templates: Path) -> Flask:
    """An application for tests: no template is translated twice, no commit waits for the disk."""
    app = create_app(settings)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(templates))
    with app.app_context():
        # The usual five hundred statements are not enough to remember those of every test.
        db.engine.update_execution_options(compiled_cache={})
        if db.engine.dialect.name == "sqlite":
            sa.event.listen(db.engine, "connect", _without_waiting)
    return app


def _without_waiting(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # only a power cut would tell the difference


@pytest.fixture(scope="session")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the translated templates of this run lie."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def app(
    database_url: str, tmp_path: Path, applications: dict[str, Flask], translated: Path
) -> Iterator[Flask]:
    """The application on that database, with its context pushed."""
    settings = settings_for(database_url, tmp_path)
    app = applications.get(database_url)
    if app is None:
        app = applications[database_url] = make_app(settings, translated)
    before = dict(app.config)
    app.config["SETTINGS"] = config.use(settings)
    app.instance_path = str(tmp_path)
    logs.configure(settings.log_level)
    with app.app_context():
        with keeping.begun():
            yield app
        db.session.remove()
        if db.engine.dialect.name == "sqlite" or db.engine.pool.checkedout():
            db.engine.dispose()
    app.config.clear()
    app.config.update(before)


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
