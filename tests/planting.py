"""Planting faults by raw SQL, past the triggers and CHECKs that would refuse them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from canteen.db import db, is_postgresql, transaction


class _Undo(Exception):
    """Ends a transaction without keeping what was planted."""


def plant(statement: str) -> None:
    """Run one INSERT, UPDATE or DELETE unguarded, for good."""
    with transaction():
        _run(statement)


@contextmanager
def planted(statement: str) -> Iterator[None]:
    """Run one INSERT, UPDATE or DELETE unguarded; it is undone at the end of the block."""
    with suppress(_Undo), transaction():
        _run(statement)
        yield
        raise _Undo


def _run(statement: str) -> None:
    words = statement.split()
    with unguarded(words[1] if words[0].upper() == "UPDATE" else words[2]):
        touched = db.session.execute(sa.text(statement)).rowcount
    assert touched, f"nothing was planted by: {statement}"


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """Within it, inside one transaction, a table takes whatever it is given."""
    guards = _postgresql(table) if is_postgresql() else _sqlite(table)
    with guards:
        yield


@contextmanager
def _sqlite(table: str) -> Iterator[None]:
    connection = db.session.connection()
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    ).all()
    connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, definition in triggers:
        connection.exec_driver_sql(definition)
    connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")


@contextmanager
def _postgresql(table: str) -> Iterator[None]:
    connection = db.session.connection()
    checks = connection.exec_driver_sql(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'c'",
        (table,),
    ).all()
    connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    for name, _ in checks:
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    yield
    for name, definition in checks:
        # NOT VALID: it holds for what comes after, the planted row may stay.
        given = definition.removesuffix(" NOT VALID").replace("%", "%%")
        connection.exec_driver_sql(
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {given} NOT VALID'
        )
    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
