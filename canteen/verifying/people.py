"""Checks of the trace and the register: the audit chain is whole, ID numbers open and are found."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks
from canteen.db import db
from canteen.elders import ric
from canteen.elders.models import Elder
from canteen.once import JobRun
from canteen.verifying.findings import Check, Found, stream
from canteen.words import Text

SAMPLE = 300


def audit_chain() -> Found:
    """No audit record was altered, removed or slipped in, nor the chain cut short: every night's
    housekeeping noted where it ended."""
    for record_id, what in breaks():
        yield f"audit record {record_id}", Text("审计链断裂：{what}", "{what}").format(what=what)
    noted = sa.select(JobRun.result).where(JobRun.job == "housekeeping").order_by(JobRun.due)
    ends = {
        end["id"]: end["hash"]
        for result in db.session.scalars(noted)
        if (end := result.get("audit_end"))
    }
    kept = dict(
        db.session.execute(
            sa.select(AuditRecord.id, AuditRecord.hash).where(AuditRecord.id.in_(ends))
        ).all()
    )
    for record_id, digest in ends.items():
        if kept.get(record_id) != digest:
            yield f"audit record {record_id}", Text(
                "夜间记下的末条记录已不在或已改变", "the end noted that night is gone or differs"
            )


def id_numbers() -> Found:
    """No ID number is on the register twice, and a sample of them opens and matches its hash."""
    twice = (
        sa.select(Elder.ric_hash, sa.func.min(Elder.id).label("id"))
        .group_by(Elder.ric_hash)
        .having(sa.func.count() > 1)
    )
    for row in stream(twice):
        yield f"elder {row.id}", Text("同一身份证号登记了两次", "the same ID number stands twice")
    step = max(1, (db.session.scalar(sa.select(sa.func.max(Elder.id))) or 0) // SAMPLE)
    chosen = sa.select(
        Elder.id, Elder.ric_cipher, Elder.ric_hash, Elder.ric_last4, Elder.birth_date
    ).where(Elder.id % step == 0)
    for row in stream(chosen):
        try:
            number = ric.decrypt(row.ric_cipher, row.ric_hash)
        except ric.UnreadableCipher:
            yield f"elder {row.id}", Text("身份证号无法解密", "the ID number cannot be opened")
            continue
        if ric.hash_of(number) != row.ric_hash or number[-4:] != row.ric_last4:
            yield f"elder {row.id}", Text(
                "身份证号与索引不符", "the ID number does not match what finds it"
            )
        elif ric.birth_date(number) != row.birth_date:
            yield f"elder {row.id}", Text(
                "出生日期与身份证号不符", "the birth date is not that of the ID number"
            )


CHECKS = (
    Check("audit_chain", Text("审计链完整", "The audit chain is whole"), audit_chain),
    Check("id_numbers", Text("身份证号可解密且唯一", "ID numbers open and are unique"), id_numbers),
)
