"""What a sample says of the meals nobody looked at: the deduction, its arithmetic, its undoing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.errors import Conflict, Refused
from canteen.money import yuan
from canteen.settlements import amending, rules
from canteen.settlements.models import Statement
from canteen.settlements.review_models import SampledMeal
from canteen.settlements.standing import standing
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.words import Text

CAUSE = "extrapolated"
LOOKED = ("paid", "denied")
WORTH = Grant.till_fen + Grant.enterprise_fen + Grant.delivery_fen


class NotExtrapolated(Refused):
    """The district's rule takes nothing off the meals nobody looked at."""

    code = "not_extrapolated"
    text = Text("本区的审核规则不作推算扣减", "The district's rule extrapolates nothing")


class SampleUnfinished(Refused):
    """Not every drawn meal was looked at."""

    code = "sample_unfinished"
    text = Text("抽查还没有看完，不能推算", "Finish the sample before anything is extrapolated")


class SumChanged(Conflict):
    """The sum is another than the page showed."""

    code = "sum_changed"
    text = Text("金额已有变化，请重新核对", "The sum has changed; look at it again")


@dataclass(frozen=True)
class Extrapolation:
    """The deduction and where it comes from, sums in fen.

    `fen` = wrong_fen × rest_fen ÷ looked_fen, rounded down: the wrong share of the drawn meals
    taken of the subsidies of meals nobody looked at. `applied_fen` is what is taken off now.
    """

    looked: int
    looked_fen: int
    wrong: int
    wrong_fen: int
    unlooked: int
    rest: int
    rest_fen: int
    applied_fen: int

    @property
    def fen(self) -> int:
        """What is to be taken off."""
        if self.looked_fen <= 0 or self.rest_fen <= 0:
            return 0
        return self.wrong_fen * self.rest_fen // self.looked_fen

    @property
    def settled(self) -> bool:
        """Whether exactly that was taken off."""
        return self.fen == self.applied_fen

    @property
    def arithmetic(self) -> Text:
        """The sum in one line, in yuan."""
        return Text(
            "抽查 {looked} 餐共 {looked_fen} 元，其中 {wrong} 餐 {wrong_fen} 元有误；"
            "未看的 {rest} 餐共 {rest_fen} 元：{rest_fen} × {wrong_fen} ÷ {looked_fen} = {fen} 元",
            "Of {looked:meal|meals} drawn {wrong:was|were} wrong, {wrong_fen} of {looked_fen} yuan;"
            " {rest:meal|meals} not looked at, {rest_fen} yuan: "
            "{rest_fen} × {wrong_fen} ÷ {looked_fen} = {fen} yuan",
        ).format(
            looked=self.looked, looked_fen=yuan(self.looked_fen), wrong=self.wrong,
            wrong_fen=yuan(self.wrong_fen), rest=self.rest, rest_fen=yuan(self.rest_fen),
            fen=yuan(self.fen),
        )  # fmt: skip


def subsidised() -> sa.ColumnElement[bool]:
    """Whether a drawn meal's subsidy stands; one that was taken back needs no look."""
    row, later = sa.orm.aliased(Grant), sa.orm.aliased(Grant)
    return sa.exists().where(
        row.order_id == SampledMeal.order_id, row.sign > 0,
        ~sa.exists().where(later.order_id == row.order_id, later.number > row.number),
    )


def of(statement: Statement) -> Extrapolation:
    """What the sample of a canteen's statement says now."""
    wrong = SampledMeal.verdict == "wrong"
    looked = db.session.execute(
        sa.select(
            sa.func.count(SampledMeal.verdict), sa.func.sum(sa.case((wrong, 1), else_=0)),
            sa.func.sum(sa.case((SampledMeal.verdict.is_not(None), WORTH), else_=0)),
            sa.func.sum(sa.case((wrong, WORTH), else_=0)),
            sa.func.sum(sa.case((SampledMeal.verdict.is_(None) & subsidised(), 1), else_=0)),
        )
        .select_from(SampledMeal)
        .join(Grant, sa.and_(Grant.order_id == SampledMeal.order_id, Grant.number == 1))
        .where(SampledMeal.statement_id == statement.id)
    ).one()  # fmt: skip
    first = sa.orm.aliased(Grant)
    rest = db.session.execute(
        sa.select(sa.func.sum(Grant.sign), sa.func.sum(WORTH)).where(
            Grant.period == statement.period, Grant.canteen_id == statement.canteen_id,
            sa.exists().where(
                first.order_id == Grant.order_id, first.number == 1,
                first.period == statement.period,
            ),
            ~sa.exists().where(
                SampledMeal.statement_id == statement.id, SampledMeal.order_id == Grant.order_id
            ),
            ~sa.exists().where(
                Suspicion.order_id == Grant.order_id, Suspicion.state.in_(LOOKED)
            ),
        )
    ).one()  # fmt: skip
    count, bad, fen, bad_fen, unlooked = (int(value or 0) for value in looked)
    return Extrapolation(
        count, fen, bad, bad_fen, unlooked, int(rest[0] or 0), int(rest[1] or 0),
        -statement.deducted_fen,
    )  # fmt: skip


def apply(statement_id: int, fen: int, by: Actor, at: datetime) -> Extrapolation:
    """Take the extrapolated sum off the statement, once; `fen` is what the page showed.

    For the district, or the city when the statement is there. What was taken off before is given
    back first. Refuses with NotExtrapolated, SampleUnfinished, SumChanged, and as `standing` does.
    """
    by.must_be("district", "city")
    standing([statement_id], by)
    statement = db.session.get_one(Statement, statement_id, populate_existing=True)
    if not rules.rule_of(statement).extrapolate:
        raise NotExtrapolated()
    found = of(statement)
    if found.unlooked:
        raise SampleUnfinished()
    if found.fen != fen:
        raise SumChanged(field="fen")
    _set(statement, found, by, at)
    return of(statement)


def follow(statement_id: int, by: Actor, at: datetime) -> None:
    """After a changed verdict: what was taken off before becomes what the sample says now."""
    statement = db.session.get_one(Statement, statement_id, populate_existing=True)
    if statement.deducted_fen:
        _set(statement, of(statement), by, at)


def _set(statement: Statement, found: Extrapolation, by: Actor, at: datetime) -> None:
    if found.settled:
        return
    if found.applied_fen:
        amending.give_back_deduction(statement, CAUSE, by, at, found.arithmetic.zh)
    if found.fen:
        amending.deduct(statement, found.fen, CAUSE, by, at, found.arithmetic.zh)
