"""The database, and transaction(), the one place that commits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Session

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """What every table stands on: one naming of constraints for both databases."""

    metadata = sa.MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Model, session_options={"expire_on_commit": False})

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Json = sa.JSON().with_variant(JSONB, "postgresql")


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant, kept in UTC; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a naive instant; hand SQLite the bare UTC wall clock."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_writing: ContextVar[bool] = ContextVar("writing", default=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """Around one act of a door: all of it is saved, or none.

    Opening one inside another raises, so nobody commits half of somebody else's act. On SQLite
    it takes the write lock at once: a reader that later turns writer is what makes the file
    database answer "locked" in spite of any timeout.
    """
    if _writing.get():
        raise RuntimeError("a transaction is already open: only a door opens one, once")
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transaction")
    if is_postgresql():
        session.expire_all()  # whatever was only read before is read again
    else:
        session.rollback()  # a reader cannot become the writer: begin anew, with the lock
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)


def in_transaction() -> bool:
    """Whether a door's transaction is open here: nobody may call the provider while it is."""
    return _writing.get()


def is_postgresql() -> bool:
    """Whether the session talks to PostgreSQL (else it is SQLite)."""
    return db.session.get_bind().dialect.name == "postgresql"


def insert(table: Any) -> Any:
    """An INSERT with `on_conflict_do_nothing` / `on_conflict_do_update` for the database in use."""
    return pg_insert(table) if is_postgresql() else sqlite_insert(table)


@contextmanager
def laid_aside(name: str, query: sa.Select[Any]) -> Iterator[sa.TableClause]:
    """What a query gives, as a temporary table while the block lasts.

    PostgreSQL is told what lies in it: of rows written in the same transaction it knows nothing,
    and would plan for none.
    """
    # CREATE TABLE AS may use parallel workers on PostgreSQL, which INSERT … SELECT may not.
    making = query.into(name, temporary=True)
    db.session.execute(making)
    if is_postgresql():
        db.session.execute(sa.text(f"ANALYZE {name}"))
    # Known by its names alone, so that what is said of it is compiled once and not every month.
    yield sa.table(name, *(sa.column(each.name, each.type) for each in making.table.c))
    db.session.execute(sa.schema.DropTable(making.table))


def changed(result: Any) -> int:
    """How many rows an INSERT, UPDATE or DELETE really touched."""
    return int(result.rowcount)


def engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """How to connect: short waits and a pool on PostgreSQL, a long busy wait on SQLite."""
    if url.startswith("sqlite"):
        return {
            "connect_args": {"timeout": 20, "check_same_thread": False}, "hide_parameters": True,
        }
    return {
        "hide_parameters": True,  # an error message names no person
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_pre_ping": True,
        "pool_timeout": 10,
        "connect_args": {
            "connect_timeout": 5,
            "options": "-c lock_timeout=20s -c timezone=UTC",
        },
        "execution_options": {"preserve_rowcount": True},
    }


def prepare(engine: sa.Engine) -> None:
    """Give a SQLite engine honest transactions; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGINs lose updates
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000", "foreign_keys=ON",
            # A month's meals laid out for checking may be many: beyond 32 MB they lie in a file.
            "temp_store=FILE", "temp.cache_size=-32768", "cache_size=-32768",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def canonical(value: Any) -> str:
    """JSON with one spelling for one value: what digests and chains are computed over."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
