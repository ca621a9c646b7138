"""Statements and their meals as tables to take out: streamed, diners masked, money in fen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from canteen.canteens import finding as canteens
from canteen.canteens.models import MEALS, Canteen, Operator
from canteen.db import db
from canteen.elders.models import Elder
from canteen.elders.seeing import masked_name
from canteen.orders.models import SERVICES, Order
from canteen.papers.tables import Column, Table
from canteen.settlements import finding, searching
from canteen.settlements.models import STAGES, Statement
from canteen.subsidies.models import CAUSES, Grant
from canteen.territory.actors import Actor
from canteen.territory.models import Territory, stem
from canteen.words import Text, month

AT_ONCE = 1_000
Places = dict[str, Text]

STATEMENT_COLUMNS = (
    Column(Text("编号", "No."), "id"),
    Column(Text("结算期", "Period"), width=10),
    Column(Text("收款方", "For"), width=28),
    Column(Text("运营企业", "Operator"), width=24),
    Column(Text("区", "District"), width=12),
    Column(Text("街道", "Street"), width=18),
    Column(Text("餐次", "Meals"), "int", summed=True),
    Column(Text("老人补贴(元)", "Elder subsidy (yuan)"), "fen", summed=True),
    Column(Text("到账补贴(元)", "To accounts (yuan)"), "fen", summed=True),
    Column(Text("运营补贴(元)", "Enterprise (yuan)"), "fen", summed=True),
    Column(Text("送餐补贴(元)", "Delivery (yuan)"), "fen", summed=True),
    Column(Text("线上代收(元)", "Online takings (yuan)"), "fen", summed=True),
    Column(Text("上期结转(元)", "Carried over (yuan)"), "fen", summed=True),
    Column(Text("抽查扣减(元)", "Deducted (yuan)"), "fen", summed=True),
    Column(Text("应付合计(元)", "To pay (yuan)"), "fen", summed=True),
    Column(Text("环节", "Stage"), width=18),
    Column(Text("自", "Since"), "datetime"),
    Column(Text("期限", "Due"), "date"),
)
MEAL_COLUMNS = (
    Column(Text("餐单号", "Meal no."), "id"),
    Column(Text("日期", "Day"), "date"),
    Column(Text("餐别", "Meal"), width=8),
    Column(Text("食堂", "Canteen"), width=26),
    Column(Text("区", "District"), width=12),
    Column(Text("街道", "Street"), width=18),
    Column(Text("用餐人", "Diner"), width=20),
    Column(Text("方式", "Service"), width=8),
    Column(Text("原价(元)", "List price (yuan)"), "fen"),
    Column(Text("食堂优惠(元)", "Canteen's discount (yuan)"), "fen"),
    Column(Text("老人付(元)", "Elder paid (yuan)"), "fen"),
    Column(Text("老人补贴(元)", "Elder subsidy (yuan)"), "fen", summed=True),
    Column(Text("到账补贴(元)", "To account (yuan)"), "fen", summed=True),
    Column(Text("运营补贴(元)", "Enterprise (yuan)"), "fen", summed=True),
    Column(Text("送餐补贴(元)", "Delivery (yuan)"), "fen", summed=True),
    Column(Text("事由", "Cause"), width=12),
    Column(Text("结算期", "Period"), width=10),
    Column(Text("记入时间", "Entered"), "datetime"),
)  # fmt: skip


def places() -> Places:
    """Every territory's name by its code."""
    rows = db.session.execute(sa.select(Territory.code, Territory.name_zh, Territory.name_en))
    return {row.code: Text(row.name_zh, row.name_en) for row in rows}


def statements_table(by: Actor, wanted: searching.Wanted, on: date) -> Table:
    """The statements an actor may see and asked for, in the order of the page."""
    return Table(Text("结算单", "Statements"), STATEMENT_COLUMNS, _statements(by, wanted, on))


def _statements(by: Actor, wanted: searching.Wanted, on: date) -> Iterator[Sequence[Any]]:
    named = places()
    operators = dict(db.session.execute(sa.select(Operator.id, Operator.name)).all())
    number = 0
    while True:
        number += 1
        found = searching.search(by, wanted, on=on, page=number, size=AT_ONCE)
        for row in found.rows:
            s = row.statement
            name = row.payee_name if s.payee == "canteen" else masked_name(row.payee_name)
            yield (
                s.id, s.period, Text(name, row.payee_name_en if s.payee == "canteen" else name),
                operators.get(s.operator_id), named.get(s.district_code, s.district_code),
                named.get(s.street_code, s.street_code), s.meals, s.elder_fen, s.account_fen,
                s.enterprise_fen, s.delivery_fen, s.online_fen, s.carried_fen, s.deducted_fen,
                s.total_fen, STAGES[s.stage], s.stage_since, s.due_on,
            )  # fmt: skip
        if number >= found.pages:
            return


def meals_of_statement(statement: Statement) -> Table:
    """The meals behind a statement: every row that gave or took back."""
    return _meals(Text("餐次", "Meals"), finding.of_statement(statement))


def meals_of_period(by: Actor, period: str, territory: str | None = None) -> Table:
    """The subsidised meals of a period at the canteens an actor sees, or of one part of them."""
    title = Text("{month}补贴餐次", "Subsidised meals {month}").format(month=month(period))
    return _meals(title, _of_period(by, period, territory))


def count_of_period(by: Actor, period: str, territory: str | None = None) -> int:
    """How many rows `meals_of_period` gives."""
    where = _of_period(by, period, territory)
    return db.session.scalar(sa.select(sa.func.count(Grant.id)).where(*where)) or 0


def _of_period(by: Actor, period: str, territory: str | None) -> list[Any]:
    here = sa.select(Canteen.id).where(canteens.visible(by))
    if territory:
        here = here.where(Canteen.street_code.startswith(stem(territory), autoescape=True))
    return [Grant.period == period, Grant.canteen_id.in_(here)]


def _meals(title: Text, where: Sequence[Any]) -> Table:
    return Table(title, MEAL_COLUMNS, _meal_rows(where))


def _meal_rows(where: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """One row for each grant, read from the database as they are written out."""
    named = places()
    rows = db.session.execute(
        sa.select(
            Grant.order_id, Grant.on, Grant.meal, Canteen.name, Canteen.name_en,
            Canteen.district_code, Canteen.street_code, Elder.name.label("elder"),
            Elder.ric_last4, Order.service, Order.list_fen, Order.discount_fen, Order.payable_fen,
            Grant.till_fen, Grant.account_fen, Grant.enterprise_fen, Grant.delivery_fen,
            Grant.cause, Grant.period, Grant.made_at,
        )
        .join(Order, Order.id == Grant.order_id)
        .join(Elder, Elder.id == Grant.elder_id)
        .join(Canteen, Canteen.id == Grant.canteen_id)
        .where(*where)
        .order_by(Grant.on, Grant.id)
        .execution_options(yield_per=AT_ONCE)
    )  # fmt: skip
    for row in rows:
        yield (
            row.order_id, row.on, MEALS[row.meal], Text(row.name, row.name_en or row.name),
            named.get(row.district_code, row.district_code),
            named.get(row.street_code, row.street_code), diner(row.elder, row.ric_last4),
            SERVICES[row.service], row.list_fen, row.discount_fen, row.payable_fen, row.till_fen,
            row.account_fen, row.enterprise_fen, row.delivery_fen, CAUSES[row.cause], row.period,
            row.made_at,
        )


def diner(name: str, last4: str) -> Text:
    """A diner as an export may name them: 王*英(尾号1234)."""
    hidden = masked_name(name)
    return Text(f"{hidden}(尾号{last4})", f"{hidden} (ends {last4})")
