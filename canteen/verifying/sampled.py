"""Checks of the samples: drawn as published, looked at, and what a wrong meal did."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.audit.models import AuditRecord
from canteen.audit.recording import GENESIS
from canteen.db import db
from canteen.settlements import sampling
from canteen.settlements.models import Statement
from canteen.settlements.review_models import SampledMeal, SampleDraw
from canteen.subsidies.models import Grant
from canteen.verifying.findings import Check, Found, stream
from canteen.verifying.reviewed import APPROVED, following
from canteen.words import Text

PAST_DISTRICT = ("city", *APPROVED)


def sample_as_drawn() -> Found:
    """Every sample is what its published seed draws, and the seed what the closing left behind."""
    periods: dict[str, list[SampleDraw]] = {}
    for draw in db.session.scalars(sa.select(SampleDraw).order_by(SampleDraw.period)):
        periods.setdefault(draw.period, []).append(draw)
    for period, draws in periods.items():
        end = _chain_end(period)
        sound = [d for d in draws if d.seed == sampling.seed_of(end, period, d.district_code)]
        forged = [draw.district_code for draw in draws if draw not in sound]
        for district in forged:
            yield f"sample {period} {district}", Text(
                "种子不是结账时审计链末尾所定",
                "its seed is not the one the audit chain gave at closing",
            )
        if not sound:
            continue
        drawn = sampling.drawn_query(period, [sampling.drawing_of(draw) for draw in sound])
        kept = (
            sa.select(SampledMeal.statement_id, SampledMeal.order_id)
            .join(Statement, Statement.id == SampledMeal.statement_id)
            .where(Statement.period == period, Statement.district_code.not_in(forged))
            .subquery("kept")
        )  # fmt: skip
        for one, other in ((drawn, kept), (kept, drawn)):
            missing = (
                sa.select(one.c.statement_id, one.c.order_id)
                .outerjoin(other, sa.and_(other.c.statement_id == one.c.statement_id,
                                          other.c.order_id == one.c.order_id))
                .where(other.c.order_id.is_(None))
            )  # fmt: skip
            for row in stream(missing):
                yield f"statement {row.statement_id}", Text(
                    "第 {n} 号餐与种子抽出的样本不符",
                    "meal {n} is not as its seed draws the sample",
                ).format(n=row.order_id)


def _chain_end(period: str) -> str:
    """The end of the audit chain the closing of a month named, if there is such a record."""
    closed = db.session.scalars(
        sa.select(AuditRecord).where(
            AuditRecord.subject == "period", AuditRecord.subject_id == period,
            AuditRecord.act == "close",
        ).order_by(AuditRecord.id).limit(1)
    ).first()  # fmt: skip
    end = str((closed.detail or {}).get("chain_end", "")) if closed else ""
    last = closed.id if closed else 0
    before = sa.exists().where(AuditRecord.hash == end, AuditRecord.id < last)
    return end if end == GENESIS or db.session.scalar(sa.select(before)) else ""


def looked_at_before_approval() -> Found:
    """What passed the district was looked at: every drawn meal judged, every wrong one denied."""
    again, denied = aliased(Grant), aliased(Grant)
    unseen = (
        sa.select(SampledMeal.statement_id, SampledMeal.order_id)
        .join(Statement, Statement.id == SampledMeal.statement_id)
        .where(
            Statement.stage.in_(PAST_DISTRICT), SampledMeal.verdict.is_(None),
            ~sa.exists().where(again.order_id == SampledMeal.order_id, again.number > 1),
        )
    )
    for row in stream(unseen):
        yield f"statement {row.statement_id}", Text(
            "抽中的第 {n} 号餐没有看过就通过了", "passed without a look at meal {n} of its sample"
        ).format(n=row.order_id)
    kept = sa.select(SampledMeal.statement_id, SampledMeal.order_id).where(
        SampledMeal.verdict == "wrong",
        ~sa.exists().where(denied.order_id == SampledMeal.order_id, denied.sign < 0),
    )
    for row in stream(kept):
        yield f"statement {row.statement_id}", Text(
            "第 {n} 号餐有误，补贴却没有收回", "meal {n} was found wrong but is still subsidised"
        ).format(n=row.order_id)
    s = Statement
    more = sa.select(s.id).where(s.deducted_fen < 0, ~following(lambda rule: rule.extrapolate))
    for row in stream(more):
        yield f"statement {row.id}", Text(
            "规则不作推算，却有推算扣减", "has a deduction its rule does not know"
        )


CHECKS = (
    Check("sample_as_drawn", Text("抽查如种子所定", "Samples are as their seeds draw them"),
          sample_as_drawn),
    Check(
        "looked_at_before_approval", Text("抽查看完才通过", "Samples were looked at"),
        looked_at_before_approval,
    ),
)
