"""Selling: who eats, what they take, what it costs and why, paid and handed over in one act."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock, delivering
from canteen.canteens import lifecycle, listing
from canteen.canteens.models import STATUSES
from canteen.db import db
from canteen.elders import identifying
from canteen.errors import CanteenError, Conflict, Refused
from canteen.menus.models import Menu
from canteen.once import KeyReused
from canteen.orders.placing import place
from canteen.payments import charging
from canteen.payments.gateway import ProviderDown, ProviderRefused
from canteen.web.cashier import basket as baskets
from canteen.web.cashier.basket import Basket
from canteen.web.cashier.door import blueprint, here
from canteen.web.cashier.screen import screen
from canteen.web.errors import status_of
from canteen.web.guards import actor
from canteen.web.once import do_once, new_key
from canteen.words import Text

PART = "X-Part"  # a script of the page asks for the sale alone, not for the page around it
SURE = 7  # a card, ID or phone number has at least so many digits


class NobodyChosen(Refused):
    """The diner was not asked for their card."""

    code = "nobody_chosen"
    text = Text(
        "请先识别食客；没有卡的，点“其他食客”",
        "First say who eats; for a diner without a card tap “Other diner”",
    )


class AlreadySold(Conflict):
    """This form has sold before, and something else than it asks for now."""

    code = "already_sold"
    text = Text(
        "上一笔已经收款，见“订单”。现在这一笔内容不同，还没有收；核对后可以再点收款",
        "The sale before went through, see Orders. This one differs and is not sold yet; "
        "check it, then tap again",
    )


@blueprint.get("")
def till() -> ResponseReturnValue:
    """The till, ready for the next diner; an address may bring a basket with it."""
    basket = baskets.read(request.args)
    return _page(replace(basket, key=new_key(), expected_fen=None))


@blueprint.post("")
def change() -> ResponseReturnValue:
    """The till after one tap on it."""
    basket = baskets.read(request.form).did(request.form.get("do", ""))
    return _page(basket)


@blueprint.post("/find")
def find() -> ResponseReturnValue:
    """Who the typed or scanned text may mean; a whole number that fits one person chooses them."""
    basket, text = baskets.read(request.form), request.form.get("find", "")[:40].strip()
    if not text:
        return _page(basket)
    try:
        found = identifying.find(text, actor(), near=here().street_code)
    except CanteenError as refusal:
        return _page(basket, refusal=refusal, looked_for=text)
    if len(found) == 1 and sum(sign.isdigit() for sign in text) >= SURE:
        return _page(basket.did(f"elder-{found[0].id}"))
    return _page(basket, found=found, looked_for=text)


@blueprint.post("/sales")
def sell() -> ResponseReturnValue:
    """Sell what the basket holds, once however often it is sent."""
    basket, by, at = baskets.read(request.form), actor(), clock.now()
    canteen_id, today = here().id, clock.business_date(at)
    try:
        if basket.elder_id is None and not basket.other:
            raise NobodyChosen(field="find")
        if basket.elder_id is not None:
            identifying.to_serve(by, basket.elder_id)
        # A price nobody was shown is a price nobody agreed to.
        shown = -1 if basket.expected_fen is None else basket.expected_fen
        wish = basket.wish(canteen_id, today, shown)

        def act() -> dict[str, Any]:
            placed = place(wish, by, at)
            return {"order_id": placed.order_id, "charge_id": placed.charge_id}

        sold = do_once(act, asdict(wish) | {"on": today.isoformat()}, by).body
    except KeyReused:
        return _page(replace(basket, key=new_key()), refusal=AlreadySold())
    except CanteenError as refusal:
        return _page(basket, refusal=refusal)
    if sold["charge_id"] is not None:
        _begin(sold["order_id"])
        return redirect(url_for("cashier.payment", order_id=sold["order_id"]), 303)
    given = basket.received_fen if basket.payment == "cash" else None
    return redirect(url_for("cashier.receipt", order_id=sold["order_id"], received=given), 303)


def _begin(order_id: int) -> None:
    """Ask the provider for the payment; if it does not answer, the waiting page tries again."""
    charge = charging.of_order(order_id)
    if charge is None or charge.state != "pending":
        return
    try:
        delivering.begin_payment(charge)
    except (ProviderDown, ProviderRefused):
        db.session.rollback()


def _page(
    basket: Basket, *, refusal: CanteenError | None = None, **found: Any
) -> ResponseReturnValue:
    """The till, or only its sale for a script; in place of both the reason why nothing is sold."""
    canteen, at = here(), clock.now()
    alone = request.headers.get(PART) == "sale"
    status = status_of(refusal)[0] if refusal else 200
    if not lifecycle.may_sell(canteen.status):
        changes = listing.history(canteen.id)
        last = max(changes, key=lambda one: (one.at, one.id)) if changes else None
        words = STATUSES[canteen.status]
        page = render_template("cashier/stopped.html", canteen=canteen, last=last, words=words)
        return page, status
    shown = screen(basket, canteen, actor(), at, refusal=refusal, **found)
    if not shown["menu"]:
        shown["next_on"] = db.session.scalar(
            sa.select(sa.func.min(Menu.on)).where(
                Menu.canteen_id == canteen.id, Menu.on > shown["today"],
                Menu.published_at.is_not(None),
            )
        )
    template = "cashier/_sale.html" if alone and shown["menu"] else "cashier/till.html"
    return render_template(template, **shown), status
