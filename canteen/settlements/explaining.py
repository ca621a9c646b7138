"""Saying where a statement's sums come from, and why a meal of it was subsidised."""

from __future__ import annotations

from dataclasses import dataclass

from canteen.money import yuan
from canteen.orders.quoting import explain
from canteen.settlements.models import Statement
from canteen.settlements.tracing import Meal
from canteen.subsidies.cases import Step
from canteen.words import Text, month


@dataclass(frozen=True)
class Part:
    """One sum of a statement: a code for machines, its name, fen (signed) and where it is from."""

    code: str
    label: Text
    amount_fen: int
    why: Text


PARTS = {
    "elder": Text("老人补贴", "Elder subsidies advanced"),
    "account": Text("到账补贴", "Subsidies paid to account"),
    "enterprise": Text("运营补贴", "Enterprise subsidy"),
    "delivery": Text("送餐补贴", "Delivery subsidy"),
    "online": Text("线上收款", "Online takings"),
    "carried": Text("上期结转", "Carried from before"),
}
WHY = {
    "elder": Text(
        "食堂在柜台为 {meals} 餐垫付的老人补贴",
        "advanced by the canteen at the till for {meals:meal|meals}",
    ),
    "account": Text(
        "{meals} 餐按全价付款，补贴发给老人",
        "{meals:meal|meals} paid in full, the subsidy sent afterwards",
    ),
    "enterprise": Text(
        "{meals} 餐补贴餐的运营补贴", "earned with {meals:subsidised meal|subsidised meals}"
    ),
    "delivery": Text("送到家的补贴餐", "earned with subsidised meals brought home"),
    "online": Text(
        "平台代收的餐费减去退款", "taken by the platform for the canteen, less refunds"
    ),
    "carried": Text("以前月份的负数余额", "what earlier months came to below nothing"),
}


def parts_of(statement: Statement) -> list[Part]:
    """The sums a statement's total is made of, those of nothing left out."""
    amounts = {code: getattr(statement, f"{code}_fen") for code in PARTS}
    return [
        Part(code, PARTS[code], fen, WHY[code].format(meals=f"{statement.meals:,}"))
        for code, fen in amounts.items()
        if fen
    ]


def sentence_of(statement: Statement) -> Text:
    """The statement in one sentence: what it pays for, and how much comes to the payee."""
    parts = [f"{part.label.zh} {yuan(part.amount_fen)}" for part in parts_of(statement)]
    words = [f"{part.label.en} {yuan(part.amount_fen)}" for part in parts_of(statement)]
    return Text(
        "{month}：{parts}，合计 {total} 元", "{month}: {parts}, {total} yuan in all"
    ).format(
        month=month(statement.period),
        parts=Text(" + ".join(parts) or "无", " + ".join(words) or "nothing"),
        total=yuan(statement.total_fen),
    )


def reasons(meal: Meal) -> tuple[Step, ...]:
    """Every step of the price of a meal, from the policy and the inputs it was priced with."""
    return explain(meal.order).steps
