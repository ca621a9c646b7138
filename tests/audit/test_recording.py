"""The audit chain: appended in order, and any cut, change or swap is seen."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks, record, record_each
from canteen.db import db, transaction
from tests.planting import unguarded


def fill() -> None:
    with transaction():
        record("user:1", "approve", "statement", 7, {"total_fen": 500})
        record_each("user:2", "return", "statement", {8: {"reason": "缺签名"}, 9: {}})
        record("job:judge", "judge", "city", "120000")


def test_records_are_chained_one_by_one_and_many_at_once(app: Flask) -> None:
    fill()
    rows = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [(row.id, row.subject_id) for row in rows] == [
        (1, "7"), (2, "8"), (3, "9"), (4, "120000"),
    ]
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert list(breaks()) == []


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("UPDATE audit_records SET actor = 'user:3' WHERE id = 2", 2),
        ("DELETE FROM audit_records WHERE id = 3", 4),
        ("UPDATE audit_records SET at = '2020-01-01 00:00:00.000000' WHERE id = 4", 4),
    ],
)
def test_damage_to_the_chain_is_found_where_it_is(app: Flask, damage: str, where: int) -> None:
    fill()
    with transaction() as session, unguarded("audit_records"):
        session.execute(sa.text(damage))
    assert where in {record_id for record_id, _ in breaks()}


def test_nothing_is_recorded_of_an_act_that_was_not_saved(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        record("user:1", "approve", "statement", 7)
        raise ZeroDivisionError
    assert db.session.scalar(sa.select(sa.func.count(AuditRecord.id))) == 0
