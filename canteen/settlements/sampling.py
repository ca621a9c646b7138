"""Drawing the meals a district looks at, from a published seed, so that anybody can draw again.

The seed of a month and district is the SHA-256 of "<end of the audit chain at closing>|<month>|
<district>": nobody could know it before the month was closed, and it is fixed by that. It gives
two numbers, a = 1 + (its first 16 hex digits mod 2147483646) and b = (the next 16 mod
2147483647). The rank of a meal is (a × order number + b) mod 2147483647. Of each statement the
meals of lowest rank are drawn, the smaller order number first where two are equal: as many as
the rule's share of the statement's meals at closing, rounded up, and at least its least number.

Drawn from are the meals whose subsidy was first given in the month at that canteen and that were
not cancelled in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit import recording
from canteen.db import changed, db, laid_aside
from canteen.settlements import rules
from canteen.settlements.models import Statement, StatementAmendment
from canteen.settlements.review_models import SampledMeal, SampleDraw
from canteen.subsidies.models import Grant

PRIME = 2_147_483_647  # 2³¹ − 1: a product of two ranks still fits into 64 bits


@dataclass(frozen=True)
class Drawing:
    """What a district's sample of a month is drawn by; every number of it is public."""

    district: str
    seed: str
    a: int
    b: int
    sample_bp: int
    sample_least: int

    def rank(self, order_id: int) -> int:
        """The rank of a meal: the lowest are drawn."""
        return (self.a * (order_id % PRIME) + self.b) % PRIME


def seed_of(chain_end: str, period: str, district: str) -> str:
    """The published seed of a month and district."""
    return hashlib.sha256(f"{chain_end}|{period}|{district}".encode()).hexdigest()


def drawing_of(draw: SampleDraw) -> Drawing:
    """A stored draw with the two numbers its seed gives."""
    return _drawing(draw.district_code, draw.seed, draw.sample_bp, draw.sample_least)


def chain_end() -> str:
    """The hash at the end of the audit chain now."""
    return recording.end().get("hash", recording.GENESIS)


def draw(period: str, end: str, at: datetime) -> int:
    """Draw the samples of a month just prepared, inside its closing; gives how many meals.

    `end` is the end of the audit chain, which the closing's own record names.
    """
    followed = db.session.execute(
        sa.select(Statement.district_code, sa.func.max(Statement.rule_id).label("rule_id"))
        .where(Statement.period == period, Statement.payee == "canteen")
        .group_by(Statement.district_code).order_by(Statement.district_code)
    ).all()  # fmt: skip
    if not followed:
        return 0
    known = rules.by_ids(row.rule_id for row in followed)
    drawings = []
    for row in followed:
        rule = known[row.rule_id]
        seed = seed_of(end, period, row.district_code)
        drawings.append(_drawing(row.district_code, seed, rule.sample_bp, rule.sample_least))
    db.session.execute(
        sa.insert(SampleDraw),
        [
            {
                "period": period, "district_code": each.district, "seed": each.seed,
                "sample_bp": each.sample_bp, "sample_least": each.sample_least, "drawn_at": at,
            }
            for each in drawings
        ],
    )
    wanted = [each for each in drawings if each.sample_bp or each.sample_least]
    if not wanted:
        return 0
    with laid_aside("sampled_statements", _statements(period, wanted)) as of:
        count = _insert(_drawn(period, of, narrow=True))
        if _fell_short(of):
            mine = sa.select(Statement.id).where(Statement.period == period)
            db.session.execute(
                sa.delete(SampledMeal).where(SampledMeal.statement_id.in_(mine))
                .execution_options(synchronize_session=False)
            )  # fmt: skip
            count = _insert(_drawn(period, of))
    return count


def _insert(drawn: Any) -> int:
    values = sa.select(drawn.c.statement_id, drawn.c.order_id, sa.literal(""))
    return changed(
        db.session.execute(
            sa.insert(SampledMeal.__table__).from_select(
                ["statement_id", "order_id", "reason"], values
            )
        )
    )


def _fell_short(of: sa.TableClause) -> bool:
    """Whether looking at low ranks only left some statement with fewer meals than it should have.

    Nearly impossible; but what is published is the plain rule, not the short cut.
    """
    drawn = sa.select(sa.func.count()).where(SampledMeal.statement_id == of.c.id)
    short = drawn.correlate(of).scalar_subquery() < of.c.wanted
    return bool(
        db.session.scalar(sa.select(sa.exists(sa.select(of.c.id).where(short, of.c.below < PRIME))))
    )


def draws_of(period: str, district: str | None = None) -> list[SampleDraw]:
    """The published draws of a month, by district."""
    where = [SampleDraw.period == period]
    if district:
        where.append(SampleDraw.district_code == district)
    query = sa.select(SampleDraw).where(*where).order_by(SampleDraw.district_code)
    return list(db.session.scalars(query))


def draw_again(period: str, district: str) -> list[Any]:
    """A district's sample drawn anew from its seed: statement_id, canteen_id, order_id, rank."""
    drawings = [drawing_of(each) for each in draws_of(period, district)]
    if not drawings:
        return []
    drawn = drawn_query(period, drawings)
    return list(
        db.session.execute(
            sa.select(drawn, Statement.canteen_id)
            .join(Statement, Statement.id == drawn.c.statement_id)
            .order_by(Statement.canteen_id, drawn.c.rank, drawn.c.order_id)
        )
    )


def drawn_query(period: str, drawings: Sequence[Drawing]) -> Any:
    """(statement_id, order_id, rank) of the meals these drawings draw: one query on both databases.

    Everything it reads stays as it was at closing: what is changed later is subtracted again.
    """
    of = _statements(period, drawings).cte("sampled_statements").prefix_with("MATERIALIZED")
    return _drawn(period, of)


def _drawn(period: str, of: Any, *, narrow: bool = False) -> Any:
    """The meals drawn `of` some statements. `narrow` ranks only meals of a rank so low that the
    lowest are surely among them."""
    later = sa.alias(Grant.__table__)
    order = sa.cast(Grant.order_id, sa.BigInteger)
    rank = ((order % PRIME) * of.c.a + of.c.b) % PRIME
    low = (
        sa.select(
            of.c.id.label("statement_id"), of.c.canteen_id, Grant.order_id, rank.label("rank"),
            of.c.wanted,
        )
        .join(of, of.c.canteen_id == Grant.canteen_id)
        .where(Grant.period == period, Grant.number == 1, *([rank < of.c.below] if narrow else []))
        .subquery("low")
    )  # fmt: skip
    # That the canteens agree is known, but keeps SQLite from looking before the rank is judged.
    cancelled = sa.exists().where(
        later.c.order_id == low.c.order_id, later.c.canteen_id == low.c.canteen_id,
        later.c.number > 1, later.c.cause == "cancelled", later.c.period == period,
    )
    place = sa.func.row_number().over(
        partition_by=low.c.statement_id, order_by=(low.c.rank, low.c.order_id)
    )
    placed = sa.select(low, place.label("place")).where(~cancelled).subquery("placed")
    return (
        sa.select(placed.c.statement_id, placed.c.order_id, placed.c.rank)
        .where(placed.c.place <= placed.c.wanted)
        .subquery("drawn")
    )


def _statements(period: str, drawings: Sequence[Drawing]) -> sa.Select[Any]:
    """The statements drawn from, how many meals are `wanted` of each, and below which rank they
    must lie: twice as many as wanted, and thirty."""
    by, s, amended = _table(drawings), Statement, StatementAmendment
    since = (
        sa.select(sa.func.coalesce(sa.func.sum(amended.meals), 0))
        .where(amended.statement_id == s.id).correlate(s).scalar_subquery()
    )  # fmt: skip
    counted = (
        sa.select(
            s.id, s.canteen_id, by.c.a, by.c.b, by.c.sample_least.label("least"),
            (s.meals - since).label("meals"),
            (((s.meals - since) * by.c.sample_bp + 9_999) // 10_000).label("share"),
        )
        .join(by, by.c.district == s.district_code)
        .where(s.period == period, s.payee == "canteen")
        .subquery("counted")
    )
    c = counted.c
    wanted = sa.case((c.least > c.share, c.least), else_=c.share)
    ample = sa.cast(2 * wanted + 30, sa.BigInteger)
    below = sa.case((ample >= c.meals, PRIME), else_=ample * PRIME // c.meals)
    columns = (c.id, c.canteen_id, c.a, c.b, wanted.label("wanted"), below.label("below"))
    return sa.select(*columns)


def _drawing(district: str, seed: str, sample_bp: int, sample_least: int) -> Drawing:
    a = 1 + int(seed[:16], 16) % (PRIME - 1)
    b = int(seed[16:32], 16) % PRIME
    return Drawing(district, seed, a, b, sample_bp, sample_least)


def _table(drawings: Sequence[Drawing]) -> Any:
    """The drawings as rows of a query, so that one statement serves every district."""
    big = sa.BigInteger()
    rows = [
        sa.select(
            sa.literal(each.district).label("district"), sa.literal(each.a, big).label("a"),
            sa.literal(each.b, big).label("b"), sa.literal(each.sample_bp).label("sample_bp"),
            sa.literal(each.sample_least).label("sample_least"),
        )
        for each in drawings
    ]
    return (sa.union_all(*rows) if len(rows) > 1 else rows[0]).cte("drawings")
