"""Checks of deductions: each told by its amendments, and given back where an appeal was upheld."""

from __future__ import annotations

import sqlalchemy as sa

from canteen.money import yuan
from canteen.settlements.amending import GIVEN_BACK
from canteen.settlements.extrapolating import overturned
from canteen.settlements.models import Statement, StatementAmendment
from canteen.settlements.review_models import Appeal, SampledMeal
from canteen.subsidies.models import Grant
from canteen.verifying.findings import Check, Found, differences, stream
from canteen.words import Text

SUMS = Text(
    "更正合计 {expected} 元，记为 {actual} 元",
    "its amendments say {expected} yuan, it says {actual}",
)
OWED = Text(
    "申诉成立应退还 {expected} 元，实际退还 {actual} 元",
    "{expected} yuan are to be given back since it was upheld, {actual} were",
)


def deductions_told() -> Found:
    """Deductions are what their amendments say; what upheld appeals found too much was given back
    once, by the next statement; and none stands when no meal of its sample is wrong any more."""
    s, a = Statement, StatementAmendment
    told = sa.select(a.statement_id.label("id"), sa.func.sum(a.deducted_fen).label("amount"))
    kept = sa.select(s.id.label("id"), s.deducted_fen.label("amount")).where(s.deducted_fen != 0)
    for row in differences(("id",), [told.group_by(a.statement_id)], [kept]):
        yield f"statement {row.id}", SUMS.format(
            expected=yuan(row.expected), actual=yuan(row.actual)
        )
    settled_since = sa.exists().where(  # the month its meal was given again in is closed
        Grant.order_id == Appeal.order_id, Grant.cause == "upheld", Grant.cause_id == Appeal.id,
        s.canteen_id == Appeal.canteen_id, s.period >= Grant.period,
    )
    owed = sa.select(Appeal.id.label("id"), Appeal.returned_fen.label("amount")).where(
        Appeal.returned_fen > 0, settled_since
    )
    given = (
        sa.select(a.cause_id.label("id"), sa.func.sum(a.deducted_fen).label("amount"))
        .where(a.cause == GIVEN_BACK).group_by(a.cause_id)
    )  # fmt: skip
    for row in differences(("id",), [owed], [given]):
        yield f"appeal {row.id}", OWED.format(expected=yuan(row.expected), actual=yuan(row.actual))
    yield from _standing()


def _standing() -> Found:
    s, a, m = Statement, StatementAmendment, SampledMeal
    none = sa.literal(0, sa.BigInteger)
    of_others = (
        sa.select(sa.func.coalesce(sa.func.sum(a.deducted_fen), none))
        .where(a.statement_id == s.id, a.cause == GIVEN_BACK).correlate(s).scalar_subquery()
    )  # fmt: skip
    returned = (
        sa.select(sa.func.coalesce(sa.func.sum(Appeal.returned_fen), none))
        .join(m, m.order_id == Appeal.order_id)
        .where(m.statement_id == s.id).correlate(s).scalar_subquery()
    )  # fmt: skip
    wrong = sa.exists().where(m.statement_id == s.id, m.verdict == "wrong", ~overturned())
    query = sa.select(s.id).where(
        s.deducted_fen != 0, of_others - s.deducted_fen > returned, ~wrong
    )
    for row in stream(query):
        yield f"statement {row.id}", Text(
            "抽查已没有有误的餐次，却仍有推算扣减",
            "is still docked although no meal of its sample is wrong any more",
        )


CHECKS = (
    Check(
        "deductions_told", Text("推算扣减与申诉一致", "Deductions follow samples and appeals"),
        deductions_told,
    ),
)
