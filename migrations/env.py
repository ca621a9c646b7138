"""Runs the migrations inside the application, alike on SQLite and PostgreSQL."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from canteen.db import Model, db

MIGRATION_LOCK = 20_190_902


def ours(item, name, type_, reflected, compare_to):
    """Leave tables alone that are not the service's own."""
    return not (type_ == "table" and reflected and compare_to is None)


def run() -> None:
    """Migrate over one connection; on PostgreSQL a second migrator waits for the first."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # Batch migrations rebuild tables; with foreign keys on, dropping the old table would
            # fail. The pragma must be set outside any transaction, so beneath SQLAlchemy's own.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            include_object=ours,
            **options,
        )
        with context.begin_transaction():
            if not sqlite:
                connection.execute(text("SET LOCAL lock_timeout = '120s'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            context.run_migrations()
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


run()
