"""A worker's PostgreSQL database is emptied after each test, much quicker than by TRUNCATE.

TRUNCATE makes new files for every table and index, whatever was in them. Here the rows are deleted
with triggers and foreign keys asleep, in a twentieth of the time; only when many dead rows have
gathered is it truncated.
"""

from __future__ import annotations

from types import TracebackType

import psycopg
from psycopg import sql
from sqlalchemy import make_url

MOST_DEAD = 5_000
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


class Database:
    """One worker's database; `empty()` after each test."""

    def __init__(self, url: str, tables: list[str]) -> None:
        self.url, self.tables = url, tables
        self._dead = 0
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget()

    def empty(self) -> None:
        """Leave every table without rows and every sequence at its start."""
        try:
            self._delete()
        except psycopg.OperationalError:  # a test has ended our connection
            self._forget()
            self._delete()
        except psycopg.errors.InsufficientPrivilege:
            self._forget()  # on a server where we may not put triggers to sleep
            self._truncate()
        if self._dead > MOST_DEAD:
            self._truncate()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            plain = make_url(self.url).set(drivername="postgresql")
            self._connection = psycopg.connect(
                plain.render_as_string(hide_password=False), autocommit=True
            )
        return self._connection

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _delete(self) -> None:
        names = map(sql.Identifier, self.tables)
        acts = sql.SQL("; ").join([
            sql.SQL("SET session_replication_role = replica"),
            *(sql.SQL("DELETE FROM {}").format(name) for name in names),
        ])
        cursor = self._connected().execute(acts)
        while cursor.nextset():
            self._dead += cursor.rowcount
        self._connected().execute(RESTART)

    def _truncate(self) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, self.tables))
        act = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names)
        self._connected().execute(act)
        self._dead = 0
