"""What the application's database is asked, heard for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from canteen.db import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent within the block; the engine outlives the test, so nobody stays on."""
    heard: list[str] = []

    def hear(*call: object) -> None:
        heard.append(str(call[2]))

    sa.event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", hear)
