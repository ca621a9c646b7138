"""A backup of either database can be restored into either, whole, or not at all."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import backup, create_app
from canteen.db import Model, db, transaction
from canteen.elders import ric
from canteen.elders.models import Elder
from canteen.orders.placing import place
from canteen.verifying import verify
from tests.conftest import migrate, settings_for
from tests.factories import make_city, make_elder
from tests.orders.test_placing import wish


def quiet(name: str, rows: int) -> None:
    """Tell nobody."""


def contents() -> dict[str, list]:
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(
            sa.select(table).order_by(*table.primary_key.columns))]
        for table in Model.metadata.sorted_tables
    }


def filled(folder: Path) -> Path:
    city = make_city()
    with transaction():
        place(wish(city), city.cashier, city.now)
    db.session.rollback()
    backup.write(folder / "whole.zip", quiet)
    db.session.rollback()
    return folder / "whole.zip"


def test_what_is_restored_elsewhere_is_what_was_backed_up(
    app: Flask, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    whole, before = filled(tmp_path), contents()
    url = f"sqlite:///{tmp_path / 'other.db'}"
    if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"]:
        server = request.getfixturevalue("server")
        request.getfixturevalue("postgresql_url")
        url = server.create_database(f"other_{tmp_path.name}"[:60], template="canteen_template")
    else:
        migrate(url, tmp_path)
    with create_app(settings_for(url, tmp_path)).app_context():
        with transaction():
            backup.restore(whole, quiet)
        assert contents() == before
        assert verify() == []
        elder = db.session.scalar(sa.select(Elder))
        assert ric.decrypt(elder.ric_cipher, elder.ric_hash).startswith("129901")
        with transaction():
            assert make_elder(sequence=77).id > elder.id
        db.session.remove()
        db.engine.dispose()


def test_a_database_with_anything_in_it_is_left_alone(app: Flask, tmp_path: Path) -> None:
    whole, before = filled(tmp_path), contents()
    with pytest.raises(backup.NotEmpty), transaction():
        backup.restore(whole, quiet)
    assert contents() == before


@pytest.mark.parametrize("damage", ["cut", "altered", "not a zip"])
def test_a_damaged_backup_restores_nothing(app: Flask, tmp_path: Path, damage: str) -> None:
    whole = filled(tmp_path)
    bad = tmp_path / "bad.zip"
    if damage == "cut":
        bad.write_bytes(whole.read_bytes()[:-2000])
    elif damage == "altered":
        with zipfile.ZipFile(whole) as good, zipfile.ZipFile(bad, "w") as out:
            for name in good.namelist():
                data = good.read(name)
                out.writestr(name, data.replace(b'"lunch"', b'"dinner"'))
    else:
        bad.write_text("hello")
    with db.engine.begin() as connection:
        tables = [table.name for table in reversed(Model.metadata.sorted_tables)]
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("TRUNCATE " + ", ".join(f'"{t}"' for t in tables))
        else:
            for (trigger,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for table in tables:
                connection.exec_driver_sql(f'DELETE FROM "{table}"')
    with pytest.raises(backup.NotABackup), transaction():
        backup.restore(bad, quiet)
    assert not any(contents().values())
