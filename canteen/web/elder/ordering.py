"""The last page before an order: what it costs and why; then one tap, done once."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.errors import CanteenError
from canteen.menus import offering
from canteen.orders import finding
from canteen.orders.models import SERVICES, Order
from canteen.orders.placing import place
from canteen.orders.quoting import quote_for
from canteen.web.elder import showing, wishes
from canteen.web.elder.choosing import dishes_page, services_of
from canteen.web.elder.door import blueprint, for_others, the_elder
from canteen.web.elder.wishes import Asked
from canteen.web.errors import rendered
from canteen.web.guards import actor
from canteen.web.once import do_once, new_key

TO_DISHES = ("sold_out", "bad_quantity", "nothing_chosen")  # what choosing dishes again puts right


@blueprint.get("/elders/<int:elder_id>/order/summary")
def summary(elder_id: int) -> ResponseReturnValue:
    """The whole order on one page, with its price as it is now."""
    asked = wishes.asked(request.args)
    if not asked.lines:
        return dishes_page(elder_id, asked, wishes.NothingChosen(field="lines"))
    return _summary_page(elder_id, asked)


@blueprint.post("/elders/<int:elder_id>/orders")
def place_order(elder_id: int) -> ResponseReturnValue:
    """Place the order, once however often the button is pressed; a no gives everything back."""
    asked, by = wishes.asked(request.form), actor()
    if not asked.lines:
        return _summary_page(elder_id, asked, wishes.NothingChosen(field="lines"))
    wish = asked.wish(elder_id)
    kept = asked.query() | {"payment": asked.payment, "expected": asked.expected_fen}
    try:
        done = do_once(lambda: place(wish, by, clock.now()).order_id, kept, by)
    except CanteenError as refusal:
        return _summary_page(elder_id, asked, refusal)
    return redirect(_onward(done.body, asked), 303)


def _onward(order_id: int, asked: Asked) -> str:
    """The order's page; where it is to be paid online, the payment's."""
    to = "elder.pay" if asked.payment == "online" and asked.expected_fen else "elder.order"
    return url_for(to, order_id=order_id)


def _summary_page(
    elder_id: int, asked: Asked, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """The summary with everything asked for; a refusal stands at its top with the way on."""
    elder = the_elder(elder_id)
    canteen = showing.places([asked.canteen_id]).get(asked.canteen_id)
    if canteen is None:
        if refusal is not None:
            raise refusal
        return redirect(url_for("elder.choose_canteen", elder_id=elder_id), 303)
    quote: dict[str, Any] | None = None
    try:
        quote = showing.strip(quote_for(asked.wish(elder_id), actor(), clock.now()).quote)
    except CanteenError as no:
        refusal = refusal or no
    found = offering.items(asked.lines)
    return rendered(
        "elder/summary.html", elder=elder, canteen=canteen, asked=asked, quote=quote,
        items=[(found[item], many) for item, many in asked.lines.items() if item in found],
        refusal=refusal, to_dishes=refusal is not None and refusal.code in TO_DISHES,
        key=new_key(),
        ways=services_of(canteen), services=SERVICES, meals=MEALS,
        for_others=for_others(elder_id), same=_same_meal(elder_id, asked),
    )


def _same_meal(elder_id: int, asked: Asked) -> Order | None:
    """An order this elder has for the same meal already: a second one should be meant."""
    if asked.on is None or not asked.meal:
        return None
    found = finding.recent(actor(), 5, elder_id=elder_id, on=asked.on, meal=asked.meal)
    return next((one for one in found if one.state != "cancelled"), None)
