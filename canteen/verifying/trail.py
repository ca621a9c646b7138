"""Checks of the trace: what people did to statements and batches stands in the audit chain too."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.audit.models import AuditRecord
from canteen.payouts.models import PayoutBatch
from canteen.settlements.models import StatementStep
from canteen.settlements.rules import OFFICES
from canteen.verifying.findings import Check, Found, differences, stream, text_of
from canteen.words import Text

OF_OFFICES = ("confirmed", "approved", "consented", "escalated", "returned", "undone")


def steps_in_trail() -> Found:
    """Every step an office took, or silence for it, and every repayment noted has its record of the
    same hand; and no record is without its step."""
    step, trail = StatementStep, AuditRecord
    one = sa.literal(1).label("amount")
    office = step.verdict.in_(OF_OFFICES) & step.stage.in_(OFFICES)
    expected = [
        sa.select(text_of(step.statement_id).label("id"), step.verdict.label("act"),
                  step.by_label.label("actor"), one)
        .where(office | (step.verdict == "repaid"))
    ]  # fmt: skip
    actual = [
        sa.select(trail.subject_id.label("id"), trail.act, trail.actor, one)
        .where(trail.subject == "statement", trail.act.in_((*OF_OFFICES, "repaid")))
    ]  # fmt: skip
    for row in differences(("id", "act", "actor"), expected, actual):
        yield f"statement {row.id}", Text(
            "{actor} 的“{act}”有 {steps} 步，审计链记有 {records} 次",
            "{steps:step|steps} “{act}” by {actor}, the trail has {records}",
        ).format(actor=row.actor, act=row.act, steps=int(row.expected), records=int(row.actual))


def batches_in_trail() -> Found:
    """Every batch was made and released by whom the trail names, with the lines it names."""
    batch, made, released = PayoutBatch, aliased(AuditRecord), aliased(AuditRecord)

    def of(record: type[AuditRecord], act: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            record.subject == "batch", record.subject_id == text_of(batch.id), record.act == act
        )

    rows = stream(
        sa.select(batch.id, batch.state, batch.digest, batch.made_by, batch.released_by,
                  made.actor.label("maker"), released.actor.label("checker"), released.detail)
        .outerjoin(made, of(made, "make_batch"))
        .outerjoin(released, of(released, "release_batch"))
        .order_by(batch.id)
    )  # fmt: skip
    for row in rows:
        if row.maker != row.made_by:
            said = Text("编制人与审计链不符", "was not made by whom the trail names")
        elif row.checker != row.released_by:
            said = Text("放行人与审计链不符", "was not released by whom the trail names")
        elif row.checker and (row.detail or {}).get("digest") != row.digest:
            said = Text("放行的明细与审计链不符", "is not what was released as the trail says")
        else:
            continue
        yield f"batch {row.id}", said


CHECKS = (
    Check("steps_in_trail", Text("经手步骤都在审计链里", "Steps stand in the trail"),
          steps_in_trail),
    Check("batches_in_trail", Text("付款批次都在审计链里", "Batches stand in the trail"),
          batches_in_trail),
)  # fmt: skip
