"""What a sample says of the meals nobody looked at: the deduction, its arithmetic, its undoing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.errors import Conflict, Refused
from canteen.money import yuan
from canteen.settlements import amending, rules
from canteen.settlements.models import Statement, StatementAmendment, StatementLine
from canteen.settlements.review_models import Appeal, SampledMeal
from canteen.settlements.standing import standing
from canteen.subsidies.models import Grant, is_last
from canteen.territory.actors import Actor
from canteen.words import Text, month

CAUSE = "extrapolated"
LOOKED = ("paid", "denied")


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
    taken of the subsidies of meals nobody looked at. A wrong meal whose appeal was upheld counts
    as right. `own_fen` is what this statement is docked, `returned_fen` what later statements
    give back of it, `applied_fen` what is taken off in the end.
    """

    looked: int
    looked_fen: int
    wrong: int
    wrong_fen: int
    unlooked: int
    rest: int
    rest_fen: int
    own_fen: int
    returned_fen: int

    @property
    def fen(self) -> int:
        """What is to be taken off."""
        if self.looked_fen <= 0 or self.rest_fen <= 0:
            return 0
        return self.wrong_fen * self.rest_fen // self.looked_fen

    @property
    def applied_fen(self) -> int:
        """What is taken off now."""
        return self.own_fen - self.returned_fen

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
    row = sa.orm.aliased(Grant)
    return sa.exists().where(
        row.order_id == SampledMeal.order_id, row.sign > 0, is_last(row)
    )  # fmt: skip


def docked(statement_ids: Iterable[int]) -> list[int]:
    """Those of these statements that something was ever deducted from."""
    line = StatementLine
    query = sa.select(line.statement_id).where(
        line.statement_id.in_(list(statement_ids)), line.side == "deduction"
    )
    return list(db.session.scalars(query.distinct().order_by(line.statement_id)))


def overturned() -> sa.ColumnElement[bool]:
    """Whether an appeal about a drawn meal was upheld since it was looked at: it is right after
    all, although its verdict stays as it was given."""
    return sa.exists().where(
        Appeal.order_id == SampledMeal.order_id, Appeal.state == "upheld",
        Appeal.decided_at >= SampledMeal.looked_at,
    )


def of(statement: Statement) -> Extrapolation:
    """What the sample of a canteen's statement says now."""
    wrong = (SampledMeal.verdict == "wrong") & ~overturned()
    looked = db.session.execute(
        sa.select(
            sa.func.count(SampledMeal.verdict), sa.func.sum(sa.case((wrong, 1), else_=0)),
            sa.func.sum(sa.case((SampledMeal.verdict.is_not(None), Grant.canteen_fen), else_=0)),
            sa.func.sum(sa.case((wrong, Grant.canteen_fen), else_=0)),
            sa.func.sum(sa.case((SampledMeal.verdict.is_(None) & subsidised(), 1), else_=0)),
        )
        .select_from(SampledMeal)
        .join(Grant, sa.and_(Grant.order_id == SampledMeal.order_id, Grant.number == 1))
        .where(SampledMeal.statement_id == statement.id)
    ).one()  # fmt: skip
    first = sa.orm.aliased(Grant)
    rest = db.session.execute(
        sa.select(sa.func.sum(Grant.sign), sa.func.sum(Grant.canteen_fen)).where(
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
        sum(amending.deducted_of(statement).values()), _returned(statement),
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
    if not found.settled:
        record(by.label, "extrapolate", "statement", statement_id, {"amount_fen": fen})
    return of(statement)


def follow(statement_id: int, by: Actor, at: datetime) -> None:
    """After a changed verdict: what was taken off before becomes what the sample says now."""
    if not docked([statement_id]):
        return
    statement = db.session.get_one(Statement, statement_id, populate_existing=True)
    found = of(statement)
    if found.own_fen:
        _set(statement, found, by, at)


def after_appeal(appeal: Appeal, by: Actor, at: datetime) -> None:
    """A meal found wrong was right after all: the deduction becomes what the sample says now.

    While the statement is under review it is amended; once it was passed, the difference is kept
    with the appeal, for the canteen's next statement. The caller holds the statement.
    """
    statement = db.session.scalars(
        sa.select(Statement)
        .join(SampledMeal, SampledMeal.statement_id == Statement.id)
        .where(
            Statement.canteen_id == appeal.canteen_id, SampledMeal.order_id == appeal.order_id,
            SampledMeal.verdict == "wrong",
        )
        .with_for_update(of=Statement).execution_options(populate_existing=True)
    ).first()
    if statement is None:
        return
    found = of(statement)
    if not found.own_fen:
        return
    if statement.stage in rules.OFFICES:
        _set(statement, found, by, at, appeal.id)
    else:
        appeal.returned_fen = max(0, found.applied_fen - found.fen)
        db.session.flush()


def give_back(period: str, by: Actor, at: datetime) -> int:
    """With the statements of a month just prepared, give back what upheld appeals found deducted
    too much of earlier ones; gives how much (fen). A handful a month, each an amendment."""
    given = sa.exists().where(
        StatementAmendment.cause == amending.GIVEN_BACK, StatementAmendment.cause_id == Appeal.id
    )
    earlier = sa.orm.aliased(Statement)
    rows = db.session.execute(
        sa.select(Appeal, Statement, earlier)
        .join(earlier, earlier.canteen_id == Appeal.canteen_id)
        .join(SampledMeal, sa.and_(SampledMeal.statement_id == earlier.id,
                                   SampledMeal.order_id == Appeal.order_id))
        .join(Statement, sa.and_(Statement.canteen_id == Appeal.canteen_id,
                                 Statement.period == period))
        .where(Appeal.returned_fen > 0, ~given)
        .order_by(Appeal.id)
    ).all()  # fmt: skip
    for appeal, statement, before in rows:
        said = Text(
            "{month}抽查推算多扣，申诉成立", "deducted too much for {month}, an appeal was upheld"
        ).format(month=month(before.period))
        amending.give_back(
            statement, appeal.returned_fen, amending.deducted_of(before), by, at,
            f"{said.zh} / {said.en}", appeal.id,
        )
    return sum(appeal.returned_fen for appeal, _, _ in rows)


def _returned(statement: Statement) -> int:
    """What upheld appeals about a statement's sample give back with later statements."""
    return db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Appeal.returned_fen), 0))
        .join(SampledMeal, SampledMeal.order_id == Appeal.order_id)
        .where(SampledMeal.statement_id == statement.id)
    ) or 0  # fmt: skip


def _set(
    statement: Statement, found: Extrapolation, by: Actor, at: datetime,
    appeal_id: int | None = None,
) -> None:  # fmt: skip
    """What this statement bears becomes what the sample says and what later ones gave back."""
    if found.settled:
        return
    said, fen = found.arithmetic.zh, found.fen + found.returned_fen
    if found.own_fen:
        amending.undo_deduction(statement, CAUSE, by, at, said, appeal_id)
    if fen:
        amending.deduct(statement, fen, CAUSE, by, at, said, appeal_id)
