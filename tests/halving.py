"""The tests that run by halves: each on one of the two databases, drawn by its name.

They walk through pages, whole stories or much arithmetic; what they ask a database is asked by the
rooms, whose tests all run on both. `TEST_TWINS=all` runs these on both as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest

HERE = Path(__file__).parent
BY_HALVES = (
    "web", "demo", "attacks/test_desk.py", "attacks/test_till.py", "browser/test_noon.py",
    "stories/test_killed_jobs.py", "stories/test_killed_outbox.py", "tills/test_packing.py",
    "whatif/test_recounting.py", "whatif/test_replaying.py",
)  # fmt: skip


def spared(items: list[pytest.Item]) -> set[pytest.Item]:
    """The halves that are not drawn."""
    if os.environ.get("TEST_TWINS") == "all":
        return set()
    twins: dict[str, list[pytest.Item]] = {}
    for item in items:
        database = getattr(item, "callspec", None) and item.callspec.params.get("database_url")
        if database and any(item.path.is_relative_to(HERE / place) for place in BY_HALVES):
            name = "::".join(map(str, item.location[::2]))
            twins.setdefault(name.replace(database, "*"), []).append(item)
    return {
        each
        for name, both in twins.items() if len(both) > 1
        for each in both if each is not both[crc32(name.encode()) % len(both)]
    }  # fmt: skip
