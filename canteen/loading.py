"""Loading many rows fast: COPY on PostgreSQL, one executemany on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db, is_postgresql

BATCH = 20_000


def load(model: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows of plain values into a model or table (JSON columns take any value); how many."""
    table = getattr(model, "__table__", model)
    as_json = {i for i, c in enumerate(columns) if isinstance(table.c[c].type, sa.JSON)}
    connection = db.session.connection().connection.driver_connection
    names = ", ".join(f'"{name}"' for name in columns)
    count = 0
    if is_postgresql():
        with connection.cursor() as cursor, cursor.copy(
            f'COPY "{table.name}" ({names}) FROM STDIN'
        ) as copy:
            for row in rows:
                copy.write_row(
                    [
                        _json(value) if i in as_json and value is not None else value
                        for i, value in enumerate(row)
                    ]
                )
                count += 1
        return count
    marks = ", ".join("?" * len(columns))
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our names
    plain = ([_sqlite(value, i in as_json) for i, value in enumerate(row)] for row in rows)
    cursor = connection.cursor()
    while batch := [row for _, row in zip(range(BATCH), plain, strict=False)]:
        cursor.executemany(statement, batch)
        count += len(batch)
    cursor.close()
    return count


def catch_up_sequences(*models: Any) -> None:
    """After rows were loaded with ids of our own, let PostgreSQL count on from the highest."""
    if not is_postgresql():
        return
    for model in models:
        name, key = model.__tablename__, list(model.__table__.primary_key.columns)
        if [column.name for column in key] != ["id"] or key[0].autoincrement is False:
            continue
        if not isinstance(key[0].type, sa.Integer):
            continue
        db.session.execute(
            sa.text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"  # noqa: S608
                f" (SELECT coalesce(max(id), 1) FROM {name}))"
            )
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sqlite(value: Any, as_json: bool) -> Any:
    if as_json and value is not None:
        return _json(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return text + ".000000" if text.count(":") == 2 else text
    return value
