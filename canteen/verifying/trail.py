"""Checks of the trace: what people did and set where money moves stands in the audit chain too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.audit.models import AuditRecord
from canteen.budgets.models import Fund
from canteen.checks.models import CheckSetting
from canteen.db import db
from canteen.payouts.models import BankChange, PayoutBatch
from canteen.settlements.models import StatementStep
from canteen.settlements.review_models import ReviewRule
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


def accounts_in_trail() -> Found:
    """Every change of an account was asked for and confirmed by whom the trail names, to an account
    of the end it names (the trail keeps no more of it); and none it names is gone."""
    change, asked, confirmed = BankChange, aliased(AuditRecord), aliased(AuditRecord)

    def of(record: type[AuditRecord], act: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            record.subject == "bank_change", record.subject_id == text_of(change.id),
            record.act == act,
        )

    rows = stream(
        sa.select(change.id, change.new_account, change.operator_id, change.elder_id,
                  change.asked_by, change.decided_by, change.state, asked.actor.label("asker"),
                  asked.detail, confirmed.actor.label("decider"))
        .outerjoin(asked, of(asked, "ask_account"))
        .outerjoin(confirmed, of(confirmed, "confirm_account"))
        .order_by(change.id)
    )  # fmt: skip
    for row in rows:
        told = row.detail or {}
        ends = (row.new_account[-4:], row.operator_id, row.elder_id)
        decided = row.decided_by if row.state == "confirmed" else None
        if (row.asker, row.decider) != (row.asked_by, decided):
            said = Text("经手人与审计链不符", "was not asked for or confirmed as the trail says")
        elif (told.get("to"), told.get("operator_id"), told.get("elder_id")) != ends:
            said = Text("账户与审计链不符", "is not of the account the trail names")
        else:
            continue
        yield f"change {row.id}", said
    gone = sa.select(asked.subject_id).where(
        asked.subject == "bank_change", asked.act == "ask_account",
        asked.subject_id.not_in(sa.select(text_of(change.id))),
    )
    for row in stream(gone):
        yield f"change {row.subject_id}", Text("审计链有记录，变更已不在", "is gone")


def settings_in_trail() -> Found:
    """What districts set (checks, review rules) and the money of purses is what the trail says was
    set last, by whom, and nothing else."""
    told: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
    acts = ("set_check", "set_review_rule", "set_fund")
    records = sa.select(AuditRecord).where(AuditRecord.act.in_(acts)).order_by(AuditRecord.id)
    funds: Counter[tuple[str, ...]] = Counter()
    for record in db.session.scalars(records):
        said = record.detail
        if record.act == "set_fund":
            funds[record.subject_id, str(said["year"]), str(said["amount_fen"]), record.actor] += 1
        else:
            key = (record.act, record.subject_id, said.get("code", ""), said["from_on"])
            told[key] = (record.actor, said)
    tables: dict[str, Any] = {"set_check": CheckSetting, "set_review_rule": ReviewRule}
    for act, table in tables.items():
        for row in db.session.scalars(sa.select(table).order_by(table.id)):
            from_on = row.from_on.isoformat()
            key = (act, row.district_code, getattr(row, "code", ""), from_on)
            actor, said = told.pop(key, ("", {}))
            now = {name: getattr(row, name, None) for name in said} | {"from_on": from_on}
            if actor != row.set_by or now != said:
                yield f"{act} {' '.join(key[1:])}", SET
    for key in told:
        yield " ".join(key), SET
    for fund in db.session.scalars(sa.select(Fund)):
        funds[fund.territory_code, str(fund.year), str(fund.amount_fen), fund.set_by] -= 1
    for key, count in funds.items():
        if count:
            yield f"set_fund {' '.join(key)}", SET


SET = Text("与审计链所记的设定不符", "is not what the trail says was set")
CHECKS = (
    Check("accounts_in_trail", Text("账户变更都在审计链里", "Account changes stand in the trail"),
          accounts_in_trail),
    Check("settings_in_trail", Text("设定都在审计链里", "Settings stand in the trail"),
          settings_in_trail),
    Check("steps_in_trail", Text("经手步骤都在审计链里", "Steps stand in the trail"),
          steps_in_trail),
    Check("batches_in_trail", Text("付款批次都在审计链里", "Batches stand in the trail"),
          batches_in_trail),
)  # fmt: skip
