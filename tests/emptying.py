"""A worker's PostgreSQL database is emptied after each test, much quicker than by TRUNCATE.

TRUNCATE makes new files for every table and index, whatever was in them. Here the rows are deleted
with triggers and foreign keys asleep, in a twentieth of the time; only when many dead rows have
gathered is it truncated. What many tests lay out alike can be kept beside it and put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import psycopg
from psycopg import sql
from sqlalchemy import make_url

MOST_DEAD = 5_000
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
STANDING = """
SELECT format('%I.%I', schemaname, sequencename), last_value
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@dataclass(frozen=True)
class Rows:
    """Rows that were kept: in which schema, of which tables, and where the sequences stood."""

    schema: str
    tables: list[str]
    sequences: list[tuple[str, int]]


class Database:
    """One worker's database; `empty()` after each test."""

    def __init__(self, url: str, tables: list[str]) -> None:
        self.url, self.tables = url, tables
        self.name = str(make_url(url).database)
        self.sleeps = True
        self._dead = self._kept = 0
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Database:
        self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget()

    def empty(self) -> None:
        """Leave every table without rows and every sequence at its start."""
        try:
            self._empty()
        except psycopg.OperationalError:  # a test has ended our connection
            self._forget()
            self._empty()

    def keep(self) -> Rows:
        """Keep every row, beside the tables, to be put back when they are empty again."""
        run = self._connected().execute
        any_in = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        filled = run(sql.SQL(" UNION ALL ").join(
            any_in.format(name, sql.Identifier(name)) for name in self.tables
        )).fetchall()  # fmt: skip
        self._kept += 1
        rows = Rows(f"kept_{self._kept}", [name for (name,) in filled], run(STANDING).fetchall())
        copy = sql.SQL("CREATE UNLOGGED TABLE {} AS TABLE {}")
        run(sql.SQL("; ").join([
            sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(rows.schema)),
            *(copy.format(sql.Identifier(rows.schema, name), sql.Identifier(name))
              for name in rows.tables),
        ]))  # fmt: skip
        return rows

    def put_back(self, rows: Rows) -> None:
        """Leave exactly these rows in the database, and every sequence where it stood."""
        self.empty()
        copy = sql.SQL("INSERT INTO {} TABLE {}")
        self._connected().execute(sql.SQL("; ").join([
            *(copy.format(sql.Identifier(name), sql.Identifier(rows.schema, name))
              for name in rows.tables),
            *(sql.SQL("SELECT setval({}, {})").format(*each) for each in rows.sequences),
        ]))  # fmt: skip

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            plain = make_url(self.url).set(drivername="postgresql")
            self._connection = psycopg.connect(
                plain.render_as_string(hide_password=False), autocommit=True
            )
            try:
                self._connection.execute("SET session_replication_role = replica")
            except psycopg.errors.InsufficientPrivilege:
                self.sleeps = False  # a server where we may not put triggers to sleep
        return self._connection

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _empty(self) -> None:
        connection = self._connected()
        if self.sleeps:
            delete = sql.SQL("DELETE FROM {}")
            cursor = connection.execute(sql.SQL("; ").join(
                delete.format(sql.Identifier(name)) for name in self.tables
            ))  # fmt: skip
            self._dead += max(cursor.rowcount, 0)
            while cursor.nextset():
                self._dead += cursor.rowcount
            connection.execute(RESTART)
        if not self.sleeps or self._dead > MOST_DEAD:
            names = sql.SQL(", ").join(map(sql.Identifier, self.tables))
            connection.execute(
                sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names)
            )
            self._dead = 0
