"""The files long work leaves for who asked for it; forgotten after a week."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from canteen import config

KEPT = timedelta(days=7)


def folder() -> Path:
    """Where they lie, beside the database and readable by the service alone."""
    path = config.current().instance / "exports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def of_task(task_id: int, kind: str = "xlsx") -> Path:
    """The file of a task."""
    return folder() / f"{task_id}.{kind}"


def forget_before(at: datetime) -> int:
    """Remove what is older than a week; gives how many files."""
    old = [
        path for path in folder().iterdir()
        if path.is_file() and path.stat().st_mtime < (at - KEPT).timestamp()
    ]  # fmt: skip
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
