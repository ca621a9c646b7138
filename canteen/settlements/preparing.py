"""Preparing the statements of a period: its grants and takings summed up once, by the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Canteen
from canteen.db import db, laid_aside
from canteen.elders.models import Elder
from canteen.payments.models import Charge, Refund
from canteen.settlements import rules
from canteen.settlements.deadlines import due_on
from canteen.settlements.models import Statement, StatementLine, StatementStep
from canteen.subsidies.models import Funding, FundingShare, Grant, purse_of
from canteen.territory.actors import Actor

Sums = dict[str, sa.TableClause]
NOTHING = sa.literal(0, sa.BigInteger)


def prepare(period: str, by: Actor, *, on: date, at: datetime) -> None:
    """Write a period's statements, their lines by funder and their first steps.

    The caller holds the period, and closes it in the same transaction.
    """
    _hold_remainders()
    with _sums(period) as sums:
        _write_statements(period, sums, by, at, on)
        _write_lines(period, sums)
    _carry_over(period)
    _write_steps(period, by, at)


def _fens(table: Any) -> list[Any]:
    """The summed columns of a set of grants, under the names they have in a grant."""
    names = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
    return [sa.cast(sa.func.sum(table.c[name]), sa.BigInteger).label(name) for name in names]


@contextmanager
def _sums(period: str) -> Iterator[Sums]:
    """The period's sums by canteen and funding, and by elder and funding, in temporary tables.

    The grants are read once. A period has few fundings, so everything else is derived from the
    small table; elders are only summed for the fundings that are paid to account.
    """
    grants = Grant.__table__

    def summed(who: Any, *where: Any) -> sa.Select[Any]:
        meals = sa.cast(sa.func.sum(grants.c.sign), sa.BigInteger).label("meals")
        return (
            sa.select(who, grants.c.funding_id, meals, *_fens(grants))
            .where(grants.c.period == period, *where)
            .group_by(who, grants.c.funding_id)
        )

    with laid_aside("closing_by_canteen", summed(grants.c.canteen_id)) as by_canteen:
        to_account = list(
            db.session.scalars(
                sa.select(by_canteen.c.funding_id)
                .join(Funding, Funding.id == by_canteen.c.funding_id)
                .where(Funding.account_fen > 0)
                .distinct()
            )
        )
        paid_so = grants.c.funding_id.in_(to_account) if to_account else sa.false()
        with laid_aside("closing_by_elder", summed(grants.c.elder_id, paid_so)) as by_elder:
            yield {"canteen": by_canteen, "elder": by_elder}


def _write_statements(period: str, sums: Sums, by: Actor, at: datetime, on: date) -> None:
    canteen, elder = _canteen_sums(period, sums["canteen"]), _elder_sums(sums["elder"])
    in_force = rules.in_force(on)

    def ruled(parts: Any, of: Any, type_: Any) -> Any:
        """What the rule of a statement's district says."""
        own = {code: sa.literal(of(rule), type_) for code, rule in in_force.items()}
        default = sa.literal(of(rules.DEFAULT), type_)
        return sa.case(own, value=parts.c.district_code, else_=default) if own else default

    for payee, query in (("canteen", canteen), ("elder", elder)):
        parts = query.subquery()
        amounts = ("elder_fen", "account_fen", "enterprise_fen", "delivery_fen", "online_fen")
        total = sum((parts.c[name] for name in amounts), parts.c.carried_fen)
        values: dict[str, Any] = {
            "period": sa.literal(period),
            "payee": sa.literal(payee),
            "stage": ruled(parts, partial(_begins, payee), Statement.stage.type),
            "stage_since": sa.literal(at, Statement.stage_since.type),
            "due_on": ruled(parts, partial(_first_due, payee, period, on), sa.Date()),
            "rule_id": ruled(parts, attrgetter("id"), sa.BigInteger()),
            "prepared_by": sa.literal(by.label),
            "prepared_at": sa.literal(at, Statement.prepared_at.type),
            **{column.name: column for column in parts.c},
            "deducted_fen": NOTHING,
            "total_fen": total,
        }
        db.session.execute(
            sa.insert(Statement.__table__).from_select(
                list(values), sa.select(*values.values()).order_by(parts.c[f"{payee}_id"])
            )
        )


def _begins(payee: str, rule: rules.Rule) -> str:
    return rule.first(payee)


def _first_due(payee: str, period: str, on: date, rule: rules.Rule) -> date | None:
    return due_on(period, rule.first(payee), on, rule)


def _canteen_sums(period: str, sums: sa.TableClause) -> sa.Select[Any]:
    """One row for each canteen with anything in the period."""
    granted = sa.select(
        sums.c.canteen_id, sa.func.sum(sums.c.meals).label("meals"), *_fens(sums)
    ).group_by(sums.c.canteen_id).subquery("granted")

    def taken(table: Any, *where: Any) -> Any:
        total = sa.func.sum(table.amount_fen).label("fen")
        query = sa.select(table.canteen_id, total).where(table.period == period, *where)
        return query.group_by(table.canteen_id).subquery()

    charged = taken(Charge, Charge.state == "succeeded")
    refunded = taken(Refund)
    carried = _carried(Statement.canteen_id).subquery("carried")
    parts = (granted, charged, refunded, carried)
    query = sa.select(
        Canteen.id.label("canteen_id"), Canteen.operator_id, Canteen.street_code,
        Canteen.district_code,
        _or_nothing(granted.c.meals).label("meals"),
        _or_nothing(granted.c.till_fen).label("elder_fen"),
        NOTHING.label("account_fen"),
        _or_nothing(granted.c.enterprise_fen).label("enterprise_fen"),
        _or_nothing(granted.c.delivery_fen).label("delivery_fen"),
        (_or_nothing(charged.c.fen) - _or_nothing(refunded.c.fen)).label("online_fen"),
        _or_nothing(carried.c.fen).label("carried_fen"),
    )  # fmt: skip
    for part in parts:
        query = query.outerjoin(part, part.c.canteen_id == Canteen.id)
    return query.where(sa.or_(*(part.c.canteen_id.is_not(None) for part in parts)))


def _elder_sums(sums: sa.TableClause) -> sa.Select[Any]:
    """One row for each elder to whom something is paid to account, or was carried."""
    granted = sa.select(
        sums.c.elder_id, sa.func.sum(sums.c.meals).label("meals"),
        sa.cast(sa.func.sum(sums.c.account_fen), sa.BigInteger).label("account_fen"),
    ).group_by(sums.c.elder_id).subquery("granted")
    carried = _carried(Statement.elder_id).subquery("carried")
    anyone = sa.union(sa.select(granted.c.elder_id), sa.select(carried.c.elder_id)).subquery()
    account_fen = _or_nothing(granted.c.account_fen)
    return (
        sa.select(
            Elder.id.label("elder_id"), Elder.street_code,
            sa.func.substr(Elder.street_code, 1, 6).label("district_code"),
            _or_nothing(granted.c.meals).label("meals"),
            NOTHING.label("elder_fen"), account_fen.label("account_fen"),
            NOTHING.label("enterprise_fen"), NOTHING.label("delivery_fen"),
            NOTHING.label("online_fen"), _or_nothing(carried.c.fen).label("carried_fen"),
        )
        .join(anyone, anyone.c.elder_id == Elder.id)
        .outerjoin(granted, granted.c.elder_id == Elder.id)
        .outerjoin(carried, carried.c.elder_id == Elder.id)
        .where((account_fen != 0) | (_or_nothing(carried.c.fen) != 0))
    )  # fmt: skip


def _or_nothing(column: Any) -> Any:
    return sa.cast(sa.func.coalesce(column, 0), sa.BigInteger)


def _carried(who: Any) -> sa.Select[Any]:
    """What earlier statements left below nothing and nobody has taken up yet."""
    return (
        sa.select(who, sa.func.sum(Statement.total_fen).label("fen"))
        .where(*_to_carry(Statement), who.is_not(None))
        .group_by(who)
    )


def _to_carry(statement: Any) -> tuple[Any, ...]:
    return (
        statement.stage == "carried", statement.carried_into_id.is_(None), statement.total_fen != 0,
    )  # fmt: skip


def _hold_remainders() -> None:
    """Hold what is to be carried until the act ends: what is read now is what is taken up, and
    nobody notes it as paid back, or takes its approval back, in between."""
    held = sa.select(Statement.id).where(*_to_carry(Statement)).order_by(Statement.id)
    db.session.execute(held.with_for_update()).all()


def _carry_over(period: str) -> None:
    """Name in each statement that was carried the one that took it up."""
    later = aliased(Statement)
    same = sa.or_(
        later.canteen_id == Statement.canteen_id, later.elder_id == Statement.elder_id
    )
    taker = (
        sa.select(later.id).where(later.period == period, same).correlate(Statement)
    ).scalar_subquery()
    db.session.execute(
        sa.update(Statement)
        .where(*_to_carry(Statement), Statement.period < period)
        .values(carried_into_id=taker)
        .execution_options(synchronize_session=False)
    )


def _write_lines(period: str, sums: Sums) -> None:
    """Who pays what: the shares of each funding times its meals, by side and purse."""
    purse = purse_of(Statement.district_code, Statement.street_code)
    elder_side = FundingShare.side == "elder"
    for payee, sides in (
        ("canteen", sa.not_(elder_side) | (Funding.account_fen == 0)),
        ("elder", elder_side & (Funding.account_fen > 0)),
    ):
        table = sums[payee]
        query = (
            sa.select(
                Statement.id, FundingShare.side, FundingShare.funder, purse,
                sa.cast(sa.func.sum(table.c.meals), sa.BigInteger),
                sa.cast(sa.func.sum(table.c.meals * FundingShare.amount_fen), sa.BigInteger),
            )
            .join(table, table.c[f"{payee}_id"] == getattr(Statement, f"{payee}_id"))
            .join(Funding, Funding.id == table.c.funding_id)
            .join(FundingShare, FundingShare.funding_id == Funding.id)
            .where(Statement.period == period, sides)
            .group_by(Statement.id, FundingShare.side, FundingShare.funder, purse)
        )  # fmt: skip
        columns = ["statement_id", "side", "funder", "territory_code", "meals", "amount_fen"]
        db.session.execute(sa.insert(StatementLine.__table__).from_select(columns, query))


def _write_steps(period: str, by: Actor, at: datetime) -> None:
    query = sa.select(
        Statement.id, sa.literal("prepared"), sa.literal("prepared"), Statement.stage,
        sa.literal(by.user_id, sa.BigInteger), sa.literal(by.label), sa.literal(""),
        sa.literal(at, StatementStep.at.type),
    ).where(Statement.period == period).order_by(Statement.id)  # fmt: skip
    columns = [
        "statement_id", "stage", "verdict", "to_stage", "by_user_id", "by_label", "reason", "at",
    ]  # fmt: skip
    db.session.execute(sa.insert(StatementStep.__table__).from_select(columns, query))
