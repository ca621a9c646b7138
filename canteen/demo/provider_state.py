"""What the pretend provider remembers: one SQLite file, shared by every process of a demo."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from canteen import clock

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS keys (
  key TEXT PRIMARY KEY, digest TEXT, running_since INTEGER, status INTEGER, body TEXT);
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, body TEXT, left INTEGER);
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, path TEXT);
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, balance_fen INTEGER);
"""
PLATFORM = "platform"  # our own balance, beside those of the connected accounts
API_VERSION = "2025-03-31.basil"


class State:
    """The file; `book()` is one transaction on it, and only one is open at a time."""

    def __init__(self, path: str | Path, opening_fen: int) -> None:
        self.path = str(path)
        self._lock = threading.RLock()
        self._kept = self._connect() if self.path == ":memory:" else None
        with self.book() as book:
            for statement in filter(str.strip, TABLES.split(";")):
                book.sql.execute(statement)
            book.sql.execute(
                "INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO NOTHING", (PLATFORM, opening_fen)
            )

    @contextmanager
    def book(self) -> Iterator[Book]:
        """Everything done with the book inside is kept, or nothing when it raises."""
        with self._lock:
            connection = self._kept or self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Book(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
            finally:
                if connection is not self._kept:
                    connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=20, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing by this, a power cut may: no real money is in here.
        connection.execute("PRAGMA synchronous=OFF")
        return connection


class Book:
    """One open transaction: the provider's objects, balances, events, keys and planned faults."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sql = connection

    def get(self, kind: str, id: str) -> dict[str, Any] | None:
        """One object, or None."""
        row = self.sql.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ?", (id, kind)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def save(self, thing: dict[str, Any]) -> None:
        """Keep an object as it is now."""
        self.sql.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (thing["id"], thing["object"], json.dumps(thing)),
        )

    def all(self, kind: str, **same: Any) -> list[dict[str, Any]]:
        """Objects of a kind whose fields have these values, newest first."""
        fits = "".join(" AND json_extract(body, ?) = ?" for _ in same)
        wanted = [part for name, value in same.items() for part in (f"$.{name}", value)]
        rows = self.sql.execute(
            f"SELECT body FROM objects WHERE kind = ?{fits} ORDER BY number DESC",  # noqa: S608
            (kind, *wanted),
        )
        return [json.loads(body) for (body,) in rows]

    def balance(self, account: str = PLATFORM) -> int | None:
        """The balance of an account in fen; None when there is no such account."""
        row = self.sql.execute(
            "SELECT balance_fen FROM accounts WHERE id = ?", (account,)
        ).fetchone()
        return row[0] if row else None

    def move(self, fen: int, account: str = PLATFORM) -> None:
        """Add fen (or take them, when negative) to an account."""
        self.sql.execute(
            "UPDATE accounts SET balance_fen = balance_fen + ? WHERE id = ?", (fen, account)
        )

    def emit(self, kind: str, thing: dict[str, Any]) -> str:
        """Queue an event about an object as it is now; gives the event's id."""
        event = {
            "id": new_id("evt"), "object": "event", "type": kind, "created": now(),
            "api_version": API_VERSION, "livemode": False, "pending_webhooks": 1,
            "data": {"object": thing},
        }
        fault = self.take_fault(("lost_webhook", "duplicate_webhook"), kind)
        left = {"lost_webhook": 0, "duplicate_webhook": 2}.get(fault or "", 1)
        self.sql.execute(
            "INSERT INTO events (id, body, left) VALUES (?, ?, ?)",
            (event["id"], json.dumps(event), left),
        )
        return str(event["id"])

    def plan_fault(self, name: str, path: str) -> None:
        """Let one coming request (or event) whose path (or kind) holds `path` go wrong."""
        self.sql.execute("INSERT INTO faults (name, path) VALUES (?, ?)", (name, path))

    def planned_faults(self) -> int:
        """How many faults wait for their request."""
        return self.sql.execute("SELECT count(*) FROM faults").fetchone()[0]

    def take_fault(self, names: tuple[str, ...], path: str) -> str | None:
        """The first planned fault of these names that fits, used up by this."""
        marks = ",".join("?" * len(names))
        row = self.sql.execute(
            f"DELETE FROM faults WHERE number = (SELECT min(number) FROM faults"  # noqa: S608
            f" WHERE name IN ({marks}) AND instr(?, path) > 0) RETURNING name",
            (*names, path),
        ).fetchone()
        return row[0] if row else None


    def begin_key(self, key: str, digest: str, stuck_seconds: int) -> tuple[int, str] | str | None:
        """Take an idempotency key for a request; None: do the work, then `end_key`.

        Else the status and body answered to it before, or "other" when it was used for another
        request, or "running". One whose request died is free again after `stuck_seconds`.
        """
        row = self.sql.execute(
            "SELECT digest, running_since, status, body FROM keys WHERE key = ?", (key,)
        ).fetchone()
        if row and row[0] != digest:
            return "other"
        if row and row[1] is None:
            return row[2], row[3]
        if row and now() - row[1] < stuck_seconds:
            return "running"
        self.sql.execute(
            "INSERT INTO keys VALUES (?, ?, ?, NULL, NULL)"
            " ON CONFLICT (key) DO UPDATE SET running_since = excluded.running_since",
            (key, digest, now()),
        )
        return None

    def end_key(self, key: str, status: int, body: str) -> None:
        """Keep what was answered, to be repeated from now on."""
        self.sql.execute(
            "UPDATE keys SET running_since = NULL, status = ?, body = ? WHERE key = ?",
            (status, body, key),
        )

    def forget_key(self, key: str) -> None:
        """The work did not even begin: the key may be used again."""
        self.sql.execute("DELETE FROM keys WHERE key = ?", (key,))


def now() -> int:
    """This second, as the provider writes instants."""
    return int(clock.now().timestamp())


def new_id(kind: str) -> str:
    """A new id as the provider writes them: "pi_…"."""
    return f"{kind}_{secrets.token_hex(12)}"


def signed(body: str, secret: str) -> str:
    """The signature header of a webhook sent this second."""
    at = now()
    mac = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def nested(form: str) -> dict[str, Any]:
    """A form as the provider reads it: "metadata[a]=1&types[0]=x" → {"metadata": …, "types": …}."""
    params: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        outer, _, inner = name.partition("[")
        if not inner:
            params[outer] = value
        elif inner.rstrip("]").isdecimal() or inner == "]":
            params.setdefault(outer, []).append(value)
        else:
            params.setdefault(outer, {})[inner.rstrip("]")] = value
    return params
