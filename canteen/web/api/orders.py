"""Prices before ordering, orders, and what becomes of them."""

from __future__ import annotations

from typing import Any

from flask import Response

from canteen import clock, delivering
from canteen.errors import Conflict, Refused
from canteen.orders import cancelling, finding, placing, quoting, serving
from canteen.orders.models import Order
from canteen.orders.wishing import Wish
from canteen.payments import charging
from canteen.subsidies.cases import Quote
from canteen.territory.actors import BUREAU, COUNTER, HOME, Actor
from canteen.web import counter
from canteen.web.api.document import Door, done
from canteen.web.errors import plain
from canteen.web.guards import actor, guard
from canteen.web.once import do_once
from canteen.web.schemas import orders as schemas
from canteen.words import Text

blueprint = Door("orders", __name__, description="Quotes and orders")
BUYERS = guard(*COUNTER, *HOME)
LOOKERS = guard(*COUNTER, *HOME, "operator", *BUREAU)
COLUMNS = [column.key for column in Order.__table__.columns if column.key in schemas.Order().fields]


class NothingToPay(Conflict):
    """The order is not waiting for an online payment."""

    code = "nothing_to_pay"
    text = Text("这份订单不在等待线上支付", "This order is not waiting for an online payment")


class SameDishTwice(Refused):
    """A dish stands in two lines."""

    code = "same_dish_twice"
    text = Text("同一道菜请合并为一行", "Put the same dish in one line")


@blueprint.route("/quotes", methods=["POST"])
@BUYERS
@blueprint.response(200, schemas.Quote)
@blueprint.arguments(schemas.MealWish)
@blueprint.may_refuse(404, 409)
def quote(wish: dict[str, Any]) -> dict[str, Any]:
    """What a meal would cost now, and why; nothing is taken."""
    by = actor()
    return _priced(quoting.quote_for(_wish(wish, by), by, clock.now()).quote)


@blueprint.route("/orders", methods=["POST"])
@BUYERS
@blueprint.written(schemas.OrderExplained, required=True)
@blueprint.arguments(schemas.OrderWish)
@blueprint.may_refuse(404)
def place(wish: dict[str, Any]) -> Response:
    """Place an order: portions, subsidy and quota are taken at once, or nothing is."""
    by = actor()

    def act() -> Any:
        placed = placing.place(_wish(wish, by), by, clock.now())
        return _explained(finding.get_for(by, placed.order_id), placed.priced.quote)

    return done(do_once(act, wish, by))


@blueprint.route("/orders")
@LOOKERS
@blueprint.arguments(schemas.OrdersAsked, location="query")
@blueprint.response(200, schemas.OrderList)
def list_orders(asked: dict[str, Any]) -> dict[str, Any]:
    """The orders one may see, the newest first."""
    size, before = asked.pop("size"), asked.pop("before", None)
    found = finding.recent(actor(), size, before, **asked)
    more = found[-1].id if len(found) == size else None
    return {"orders": _shown(found), "next_before": more}


@blueprint.route("/orders/<int:order_id>")
@LOOKERS
@blueprint.response(200, schemas.OrderExplained)
def order(order_id: int) -> Any:
    """One order, and why it cost what it did."""
    found = finding.get_for(actor(), order_id)
    return _shown([found])[0] | {"why": plain(quoting.explain(found).why())}


@blueprint.route("/orders/<int:order_id>/cancellation", methods=["POST"])
@BUYERS
@blueprint.written(schemas.Cancellation)
@blueprint.arguments(schemas.CancellationWish)
def cancel(wish: dict[str, Any], order_id: int) -> Response:
    """Take an order back: portions, quota and money return at once."""
    by = actor()

    def act() -> Any:
        taken_back = cancelling.cancel(
            order_id, wish["reason_code"], wish["reason"], by, clock.now(),
            own_shift=counter.own_shift(order_id, by),
        )
        return schemas.Cancellation().dump(taken_back)

    return done(do_once(act, wish, by, required=False))


@blueprint.route("/orders/<int:order_id>/serving", methods=["POST"])
@guard(*COUNTER)
@blueprint.written(schemas.OrderExplained)
def serve(order_id: int) -> Response:
    """Hand an order over; cash still owed is taken now."""
    by = actor()

    def act() -> Any:
        served = serving.serve(order_id, by, clock.now())
        return _explained(served, quoting.explain(served))

    return done(do_once(act, {}, by, required=False))


@blueprint.route("/orders/<int:order_id>/payment", methods=["POST"])
@BUYERS
@blueprint.response(200, schemas.Payment)
@blueprint.may_refuse(409, 422)
def pay(order_id: int) -> dict[str, Any]:
    """Begin, or go on with, the online payment of an order; the same one however often asked."""
    found = finding.get_for(actor(), order_id)
    charge = charging.of_order(order_id)
    if charge is None or found.state != "awaiting_payment" or charge.state != "pending":
        raise NothingToPay()
    intent = delivering.begin_payment(charge)
    return {
        "order_id": order_id, "amount_fen": intent.amount_fen, "state": intent.state,
        "client_secret": intent.client_secret,
    }


def _wish(given: dict[str, Any], by: Actor) -> Wish:
    """The room's wish from a program's; refuses a dish in two lines."""
    lines = {line["item_id"]: line["quantity"] for line in given["lines"]}
    if len(lines) != len(given["lines"]):
        raise SameDishTwice(field="lines")
    channel = "till" if by.role in COUNTER else "online"
    return Wish(**given | {"lines": lines, "channel": channel})


def _shown(orders: list[Order]) -> list[dict[str, Any]]:
    """Orders with their dishes."""
    lines = finding.lines_of([one.id for one in orders])
    return [
        {name: getattr(one, name) for name in COLUMNS}
        | {
            "lines": [
                {
                    "item_id": line.menu_item_id, "name": line.name, "name_en": line.name_en,
                    "quantity": line.quantity, "unit_fen": line.unit_fen,
                }
                for line in lines[one.id]
            ]
        }
        for one in orders
    ]


def _explained(order: Order, quote: Quote) -> Any:
    """An order with its reasons, as plain JSON."""
    shown = _shown([order])[0] | {"why": plain(quote.why())}
    return schemas.OrderExplained().dump(shown)


def _priced(quote: Quote) -> dict[str, Any]:
    """A quote as the API shows one."""
    sums = {
        name: getattr(quote, name) for name in schemas.Quote().fields if name.endswith("_fen")
    }
    return sums | {
        "funders": quote.funders(), "uses_quota": quote.uses_quota, "why": plain(quote.why()),
    }
