"""Backups: one zip that either database writes and either can be restored from.

The zip holds a line of JSON for each row, table by table, and a manifest with the schema's
revision, the number of rows and a digest of each table. The keys that open ID numbers are not in
it: `secrets.json` must be kept as safely, and elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import Model, db, is_postgresql
from canteen.errors import Refused
from canteen.loading import catch_up_sequences, load
from canteen.words import Text

FORMAT = "canteen-backup-1"
Tick = Callable[[str, int], None]


class NotABackup(Refused):
    """The file is no backup of ours, is incomplete, or was altered."""

    code = "not_a_backup"
    text = Text("不是完整的备份文件：{why_zh}", "Not a whole backup: {why_en}")


class NotEmpty(Refused):
    """A backup is only restored into a database that is migrated and empty."""

    code = "database_not_empty"
    text = Text(
        "数据库里已有数据（{table}），只能恢复到空库",
        "The database is not empty ({table}); restore only into an empty one",
    )


def revision() -> str | None:
    """The migration this database stands at."""
    return db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))


def write(path: Path, tick: Tick) -> dict[str, int]:
    """Back everything up, as of one instant, while others go on working; rows by table."""
    if is_postgresql():
        db.session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    draft = path.with_name(path.name + ".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for table in Model.metadata.sorted_tables:
            counts[table.name], digests[table.name] = _write_table(archive, table)
            tick(table.name, counts[table.name])
        manifest = {
            "format": FORMAT, "revision": revision(), "made_at": clock.now().isoformat(),
            "rows": counts, "sha256": digests,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    draft.replace(path)  # a backup that broke off never carries the name of a whole one
    return counts


def restore(path: Path, tick: Tick) -> dict[str, int]:
    """Fill an empty, migrated database from a backup, inside one transaction; rows by table.

    Refuses with NotABackup (unreadable, altered, of another revision) and NotEmpty.
    """
    for table in Model.metadata.sorted_tables:
        if db.session.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise NotEmpty(table=table.name)
    if not is_postgresql():
        db.session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    counts: dict[str, int] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest.get("format") != FORMAT or manifest.get("revision") != revision():
                raise _no("格式或版本不同", "another format or schema revision")
            for table in Model.metadata.sorted_tables:
                digest = hashlib.sha256()
                rows = _read_table(archive, table, digest)
                counts[table.name] = load_table(table, rows)
                if digest.hexdigest() != manifest["sha256"][table.name]:
                    raise _no(f"{table.name} 被改动过", f"{table.name} was altered")
                tick(table.name, counts[table.name])
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, OSError, EOFError) as broken:
        raise _no("文件无法读取", "the file cannot be read") from broken
    catch_up_sequences(*[mapper.class_ for mapper in Model.registry.mappers])
    return counts


def load_table(table: sa.Table, rows: Iterator[list[Any]]) -> int:
    """Load rows whose values are in the order of the table's columns."""
    return load(table, [column.name for column in table.columns], rows)


def _write_table(archive: zipfile.ZipFile, table: sa.Table) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    key = list(table.primary_key.columns)
    found = db.session.execute(
        sa.select(table).order_by(*key).execution_options(yield_per=5_000)
    )
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
        for row in found:
            line = json.dumps([_plain(v) for v in row], ensure_ascii=False, separators=(",", ":"))
            data = line.encode() + b"\n"
            digest.update(data)
            out.write(data)
            count += 1
    return count, digest.hexdigest()


def _read_table(archive: zipfile.ZipFile, table: sa.Table, digest: Any) -> Iterator[list[Any]]:
    kinds = [_kind(column.type) for column in table.columns]
    with archive.open(f"tables/{table.name}.jsonl") as file:
        for line in file:
            digest.update(line)
            values = json.loads(line)
            yield [
                value if value is None or kind is None else kind(value)
                for kind, value in zip(kinds, values, strict=True)
            ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _kind(type_: Any) -> Callable[[Any], Any] | None:
    """How a column's values are read back from JSON."""
    if isinstance(type_, sa.types.TypeDecorator):
        return lambda text: datetime.fromisoformat(text).astimezone(UTC)
    return {
        sa.Date: date.fromisoformat, sa.Time: time.fromisoformat,
        sa.LargeBinary: base64.b64decode,
    }.get(type(type_))


def _no(zh: str, en: str) -> NotABackup:
    return NotABackup(why_zh=zh, why_en=en)
