"""The migrations make the tables the models speak of, and can be undone, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from canteen.db import Model, db, transaction
from canteen.ledger.posting import post


def test_migrated_tables_are_those_of_the_models(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Model.metadata) == []


def test_migrations_go_down_to_nothing_and_up_again(app: Flask) -> None:
    db.session.remove()
    downgrade(revision="base")
    left = set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}
    upgrade()
    assert left == set()
    assert set(Model.metadata.tables) <= set(sa.inspect(db.engine).get_table_names())


@pytest.mark.parametrize("statement", ["UPDATE entries SET memo = 'x'", "DELETE FROM postings"])
def test_books_refuse_to_be_changed(app: Flask, statement: str) -> None:
    from canteen import clock

    with transaction():
        post("key-1", "test", clock.business_date(), {("a", "x"): 5, ("a", "y"): -5})
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))
