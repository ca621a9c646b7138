"""Checks of what was put right after the fact: late facts, claims, money paid back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.adjustments.models import Claim
from canteen.audit.models import AuditRecord
from canteen.elders.models import ElderFact
from canteen.payouts.models import Repayment
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from canteen.verifying.findings import Check, Found, stream
from canteen.words import Text

LATE_FAULTS = {
    "none": Text("补记调整没有注明是哪条情况", "was changed by a late fact it does not name"),
    "other": Text("补记的情况属于另一位老人", "was changed by a fact about another elder"),
    "later": Text("补记的情况在用餐之后才开始", "was changed by a fact that began after the meal"),
    "gone": Text("补记的情况不存在，也没有撤回记录", "was changed by a fact nobody ever recorded"),
}


def late_facts_have_their_fact() -> Found:
    """Each meal changed by a late fact names a fact about its elder that concerns its day.

    A fact withdrawn since is known from the trail: the withdrawal, or the change itself, names it.
    """
    g, f = Grant, ElderFact
    faults: dict[str, Any] = {
        "none": g.cause_id.is_(None),
        "gone": f.id.is_(None),
        "other": f.elder_id != g.elder_id,
        "later": f.valid_from > g.on,
    }
    query = (
        sa.select(
            g.order_id, g.elder_id, g.cause_id,
            sa.case(*((what, code) for code, what in faults.items())).label("fault"),
        )
        .outerjoin(f, f.id == g.cause_id)
        .where(g.cause == "late_fact", sa.or_(*faults.values()))
        .order_by(g.order_id, g.number)
    )
    withdrawn: set[tuple[int, int]] | None = None
    for row in list(stream(query)):
        if row.cause_id is not None:
            withdrawn = _withdrawn() if withdrawn is None else withdrawn
            if (row.elder_id, row.cause_id) in withdrawn:
                continue
        yield f"order {row.order_id}", LATE_FAULTS[row.fault]


def _withdrawn() -> set[tuple[int, int]]:
    """(elder, fact) of every fact withdrawn as never true."""
    rows = stream(
        sa.select(AuditRecord.subject_id, AuditRecord.detail).where(
            AuditRecord.act == "withdraw_fact"
        )
    )
    return {(int(row.subject_id), int(row.detail.get("fact", 0))) for row in rows}


def claims_have_their_grant() -> Found:
    """Approved claims have exactly one grant, of their elder and order; no others have any."""
    g, c = Grant, Claim
    first = sa.and_(g.order_id == c.order_id, g.cause == "claim", g.cause_id == c.id)
    faults: dict[str, Any] = {
        "missing": (c.state == "approved") & g.id.is_(None),
        "undue": (c.state != "approved") & g.id.is_not(None),
        "unlike": g.id.is_not(None)
        & ((g.elder_id != c.elder_id) | (g.number != 1) | (g.account_fen <= 0)),
        "same_hand": c.decided_by == c.asked_by,
    }
    query = sa.select(
        c.id, sa.case(*((what, code) for code, what in faults.items())).label("fault")
    ).outerjoin(g, first).where(sa.or_(*faults.values()))  # fmt: skip
    for row in stream(query):
        yield f"claim {row.id}", CLAIM_FAULTS[row.fault]
    alone = sa.select(g.order_id).where(
        g.cause == "claim", ~sa.exists().where(c.id == g.cause_id, c.order_id == g.order_id)
    )
    for row in stream(alone):
        yield f"order {row.order_id}", Text(
            "有补领的补贴却没有对应的补领申请", "was granted by a claim nobody made"
        )


CLAIM_FAULTS = {
    "missing": Text("已批准但没有补贴记录", "was approved but nothing was granted"),
    "undue": Text("没有批准却有补贴记录", "was not approved, yet something was granted"),
    "unlike": Text("补贴记录的老人或金额与补领申请不符", "its grant names another elder or sum"),
    "same_hand": Text("提交和审核是同一人", "was filed and decided by the same person"),
}


def repayments_match() -> Found:
    """Statements paid back have their repayment, of what they owed, noted by one and confirmed by
    another, and no others have one that was confirmed."""
    s, r, later = Statement, Repayment, aliased(Statement)
    faults: dict[str, Any] = {
        "missing": (s.stage == "repaid") & r.confirmed_at.is_(None),
        "undue": (s.stage != "repaid") & r.confirmed_at.is_not(None),
        "amount": (s.stage == "repaid") & (r.amount_fen != -s.total_fen),
        "same_hand": r.confirmed_at.is_not(None)
        & (r.noted_by == sa.func.coalesce(r.confirmed_by, r.noted_by)),
        "netted": (s.stage == "repaid") & later.id.is_not(None),
    }
    query = (
        sa.select(s.id, sa.case(*((what, code) for code, what in faults.items())).label("fault"))
        .outerjoin(r, r.statement_id == s.id)
        .outerjoin(later, later.id == s.carried_into_id)
        .where(sa.or_(*faults.values()))
    )
    for row in stream(query):
        yield f"statement {row.id}", REPAYMENT_FAULTS[row.fault]


REPAYMENT_FAULTS = {
    "missing": Text(
        "标为已退回，但没有经复核的退款记录", "is paid back without a confirmed record of it"
    ),
    "undue": Text("退款已复核，但没有标为已退回", "has money paid back but does not say so"),
    "same_hand": Text("退款的登记和复核是同一人", "was noted and confirmed paid back by one hand"),
    "amount": Text("退回金额与应退金额不符", "was paid back with another sum than it owed"),
    "netted": Text("已退回，却又被后面的结算单扣回", "was paid back and netted as well"),
}


CHECKS = (
    Check(
        "late_facts_have_their_fact",
        Text("补记调整都有依据", "Late changes have their fact"), late_facts_have_their_fact,
    ),
    Check(
        "claims_have_their_grant",
        Text("补领申请与补贴一一对应", "Claims have exactly their grant"), claims_have_their_grant,
    ),
    Check(
        "repayments_match", Text("退回款项与结算单一致", "Money paid back equals what was owed"),
        repayments_match,
    ),
)
