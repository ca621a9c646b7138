"""Pages run on both databases by halves: each test on one of them, drawn by its name.

What a page asks the database is asked by the rooms, and their tests run on both.
`TEST_PAGES=both` runs every page's test on both.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the half of each page's tests that is not drawn."""
    if os.environ.get("TEST_PAGES") == "both":
        return
    twins: dict[str, list[pytest.Item]] = {}
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("database_url")
        if kind and HERE in item.path.parents:
            twins.setdefault(item.nodeid.replace(kind, "*"), []).append(item)
    spared = {
        id(each)
        for name, both in twins.items() if len(both) > 1
        for each in both if each is not both[crc32(name.encode()) % len(both)]
    }  # fmt: skip
    items[:] = [item for item in items if id(item) not in spared]
