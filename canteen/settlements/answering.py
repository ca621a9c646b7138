"""The canteen answers a marked line: keep it, give it up, say how it was served or who took it.

The order stays as the till sold it; what was put right lies in the correction and, where sums
change, in the rows of the meal's subsidy.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from canteen.audit.recording import record
from canteen.db import db
from canteen.errors import Conflict, Refused
from canteen.money import yuan
from canteen.orders.models import SERVICES, Order
from canteen.orders.remaining import rest_of
from canteen.reasons import reason_of
from canteen.settlements import changing
from canteen.settlements.correcting import ACTS, NotAsked, get
from canteen.settlements.models import STAGES, Statement
from canteen.settlements.review_models import Correction
from canteen.settlements.standing import NotYourTurn
from canteen.subsidies.cases import Case, Quote
from canteen.subsidies.pricing import quote
from canteen.subsidies.publishing import by_id
from canteen.territory.actors import Actor
from canteen.words import Text

MOST_NAME = 20
OPERATORS = ("till_fen", "enterprise_fen", "delivery_fen")  # what the canteen's statement pays
SUMS = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")


class BadAnswer(Refused):
    """The answer does not fit the line; `field` names what."""

    code = "bad_answer"
    text = Text("请选择如何更正", "Choose what is to be done")


class MoreThanGiven(Refused):
    """Served that way the elder would have had more: that is claimed, not corrected."""

    code = "more_than_given"
    text = Text(
        "改后老人补贴会多于当时所给；多出的部分请由老人补领，不能在此更正",
        "The elder would be due more than was given; that is claimed by the elder, not here",
    )


class MoreForCanteen(Refused):
    """Served that way the canteen would get more: an answer to a doubt never raises the sum."""

    code = "more_for_canteen"
    text = Text(
        "改后本餐要多付运营方 {fen} 元；更正不能增加结算金额，"
        "请选“无误，说明情况”并写明实际用餐方式",
        "That would pay the canteen {fen} yuan more for this meal; a correction never raises the"
        " sum. Choose to keep it and say how it was served",
    )


class NotSubsidised(Conflict):
    """The meal's subsidy does not stand any more."""

    code = "not_subsidised"
    text = Text("这一餐现在没有补贴，请选“无误，说明情况”", "This meal is not subsidised now;"
                " choose to keep it and say why")  # fmt: skip


def answer(
    correction_id: int, act: str, words: str, by: Actor, at: datetime, *, service: str = "",
    receiver: str = "",
) -> Correction:  # fmt: skip
    """Answer one marked line while the statement is back with the operator.

    act: "keep" (with an explanation), "withdraw" (the subsidy is given up), "service" (`service`
    is how the meal really was served: it is priced again, all else equal), "receiver" (who took
    the delivery). Refuses with NoSuchCorrection, NotYourTurn, NotAsked, BadAnswer, ReasonMissing,
    MoreThanGiven, MoreForCanteen and NotSubsidised.
    """
    by.must_be("operator", "manager")
    correction = get(correction_id, by)
    statement = db.session.get_one(Statement, correction.statement_id)
    if statement.stage != "operator" or by.user_id is None:
        raise NotYourTurn(stage=STAGES[statement.stage])
    if correction.state != "asked":
        raise NotAsked()
    order = db.session.get_one(Order, correction.order_id)
    why = reason_of(words, needed=act == "keep")
    if act == "withdraw":
        before, after = _withdraw(correction, order, by, at, why)
    elif act == "service":
        before, after = _serve_as(correction, order, service, by, at, why)
    elif act == "receiver":
        before, after = _signed(order, receiver)
    elif act == "keep":
        before, after = {}, {}
    else:
        raise BadAnswer(field="act")
    correction.state, correction.act, correction.answer = "answered", act, why
    correction.before, correction.after = before, after
    correction.answered_by, correction.answered_at = by.label, at
    db.session.flush()
    detail = {"line": correction.id, "meal": order.id, "act": act, "before": before,
              "after": after}  # fmt: skip
    record(by.label, "correct", "statement", correction.statement_id, detail)
    return correction


def served_as(order: Order, service: str) -> Quote:
    """What is left of a meal comes to had it been served another way, by the policy and the facts
    it was priced with. Reads only."""
    case = Case.from_dict(order.inputs).but(service=service, list_fen=rest_of(order).list_fen)
    return quote(by_id(order.policy_id or 0).policy, case)


def _withdraw(
    correction: Correction, order: Order, by: Actor, at: datetime, why: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    row = _standing(order)
    changing.take_back(
        {order.id: correction.id}, "corrected", by, at, reason=why or ACTS["withdraw"].zh
    )
    return {name: row[name] for name in SUMS}, dict.fromkeys(SUMS, 0)


def _serve_as(
    correction: Correction, order: Order, service: str, by: Actor, at: datetime, why: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    if service not in SERVICES or service == order.service or not order.inputs:
        raise BadAnswer(
            Text("请选择与原记录不同的用餐方式", "Choose another way than was recorded"),
            field="service",
        )
    row = _standing(order)
    priced = served_as(order, service)
    now = {name: row[name] for name in SUMS}
    then = {
        "till_fen": priced.subsidy_fen, "account_fen": priced.account_fen,
        "enterprise_fen": priced.enterprise_fen, "delivery_fen": priced.delivery_fen,
    }
    if then["till_fen"] > order.subsidy_fen or then["account_fen"] > now["account_fen"]:
        raise MoreThanGiven(field="service")
    more = sum(then[name] - now[name] for name in OPERATORS)
    if more > 0:
        raise MoreForCanteen(field="service", fen=yuan(more))
    if then != now:
        changing.exchange(
            order.id, priced, correction.id, by, at, reason=why or ACTS["service"].zh
        )
    return {"service": order.service} | now, {"service": service} | then


def _signed(order: Order, receiver: str) -> tuple[dict[str, Any], dict[str, Any]]:
    name = " ".join(receiver.replace("\0", "").split())
    if not 1 <= len(name) <= MOST_NAME:
        raise BadAnswer(
            Text("请填签收人的姓名（最多 20 字）", "Say who took it (at most 20 letters)"),
            field="receiver",
        )
    if order.service != "delivery":
        raise BadAnswer(
            Text("这一餐不是送餐", "This meal was not delivered"), field="act"
        )
    return {"receiver": order.note}, {"receiver": name}


def _standing(order: Order) -> changing.Row:
    """The row of a meal's subsidy that stands. Refuses with NotSubsidised."""
    (row,) = changing.last_rows([order.id]) or [None]
    if row is None or row["sign"] < 0:
        raise NotSubsidised()
    return row
