"""The trail can be searched, and taken away so that every change to the copy is seen."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit import reading
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.db import transaction


@pytest.fixture
def taken(app: Flask) -> list[str]:
    with transaction():
        for number in range(4):
            record(f"user:{number % 2}", "look", "elder", number, {"rows": number})
    return list(reading.lines())


def test_a_copy_is_whole_or_says_where_it_is_not(taken: list[str]) -> None:
    assert list(reading.check(taken)) == []
    assert list(reading.check(taken[1:])) == []
    assert [line for line, _ in reading.check(taken[:1] + taken[2:])] == [2]
    altered = json.loads(taken[2]) | {"subject_id": "9"}
    fault = [*taken[:2], json.dumps(altered), taken[3]]
    assert [line for line, _ in reading.check(fault)] == [3]
    assert [line for line, _ in reading.check([*taken, "nonsense"])] == [5]


def test_a_page_is_narrowed_by_who_what_and_whose(taken: list[str]) -> None:
    assert reading.page(actor="user:1").total == 2
    assert reading.page(subject="elder", subject_id="3").total == 1
    assert reading.page(act="approve").total == 0
    only = sa.select(AuditRecord.actor).where(AuditRecord.actor == "user:0")
    assert {row.actor for row in reading.page(actors=only).rows} == {"user:0"}
    assert [row.id for row in reading.page(size=3).rows] == [4, 3, 2]
