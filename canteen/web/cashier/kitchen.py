"""The kitchen's board: portions wanted of each dish, and every order until it is handed over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding as canteens
from canteen.canteens import hours
from canteen.canteens.models import MEALS, MealPeriod
from canteen.db import db, transaction
from canteen.elders import diet
from canteen.elders.models import Elder
from canteen.errors import CanteenError, Refused
from canteen.menus.models import MARKS, Dish, MenuItem
from canteen.menus.offering import OfferedMenu, menus_between
from canteen.orders import finding, packing, preparing, remaining, serving
from canteen.orders.models import SERVICES, Order
from canteen.orders.preparing import Wanted
from canteen.territory.actors import Actor
from canteen.web import counter
from canteen.web.cashier.door import blueprint, here
from canteen.web.errors import wants_json
from canteen.web.guards import actor
from canteen.web.language import locale, said, t
from canteen.words import Text


@dataclass(frozen=True)
class Ticket:
    """One order as the kitchen reads it: dishes (name, name_en, quantity, what to beware of)."""

    order: Order
    name: str
    diet: str
    dishes: list[tuple[str, str, int, list[str]]]
    opens: Any

    @property
    def stage(self) -> str:
        """How far it has come: "pack", "ready" or "out"."""
        if self.order.sent_at:
            return "out"
        return "ready" if self.order.packed_at else "pack"


@blueprint.get("/kitchen")
def kitchen() -> ResponseReturnValue:
    """The board. A screen that shows it already asks with its mark and mostly hears 304."""
    canteen, at = here(), clock.now()
    menus = shown_menus(canteen.id, at)
    today = clock.business_date(at)
    ids = [menu.menu_id for menu in menus]
    now_id = _served_now(canteen.id, menus, at)
    state = (locale(), today, now_id, ids, preparing.mark(canteen.id, today, ids))
    mark = hashlib.sha256(repr(state).encode()).hexdigest()[:32]
    if request.if_none_match.contains(mark):
        unchanged = Response(status=304)
        unchanged.set_etag(mark)
        return unchanged
    wanted = preparing.wanted(ids)
    waiting = tickets(canteen.id, today)
    page = render_template(
        "cashier/kitchen.html", canteen=canteen, today=today, meals=MEALS, services=SERVICES,
        menus=[(menu, _rows(menu, wanted)) for menu in menus], mark_words=MARKS,
        stages=[
            (stage, [one for one in waiting if one.stage == stage])
            for stage in ("pack", "ready", "out")
        ],
        waiting=len(waiting), now_id=now_id,
    )
    response = make_response(page)
    response.set_etag(mark)
    return response


@blueprint.post("/kitchen/<int:order_id>")
def kitchen_step(order_id: int) -> ResponseReturnValue:
    """One tap on the board: packed, not packed after all, sent out, handed over, signed for."""
    by, at = actor(), clock.now()
    try:
        with transaction():
            unpaid = finding.get_for(by, order_id).paid_at is None
            order = _step(order_id, request.form.get("step", ""), by, at)
            if unpaid and order.state == "served":
                counter.collected(order_id, order.cash_fen, by, at)
    except CanteenError as refusal:
        if wants_json():
            raise
        flash(t("第 {n} 号：{why}", "No. {n}: {why}", n=order_id, why=said(refusal.text)), "no")
    return redirect(url_for("cashier.kitchen"), 303)


def _step(order_id: int, step: str, by: Actor, at: datetime) -> Order:
    if step == "pack":
        return packing.pack(order_id, by, at)
    if step == "unpack":
        return packing.unpack(order_id, by, at)
    if step == "send":
        return packing.send_out(order_id, by, at)
    if step == "hand":
        return serving.serve(order_id, by, at)
    if step == "sign":
        return packing.deliver(order_id, request.form.get("signed_by", ""), by, at)
    raise Refused(Text("没有这一步", "There is no such step"), code="bad_step", field="step")


def shown_menus(canteen_id: int, at: datetime) -> list[OfferedMenu]:
    """The meal being served or served next, and the one after it; never nothing while any menu
    of the coming week is published."""
    local = clock.local(at)
    today = local.date()
    closes = {period.meal: period.closes for period in canteens.hours_of(canteen_id)}
    ahead = [
        menu
        for menu in menus_between(canteen_id, today, today + timedelta(days=7))
        if menu.on > today or menu.meal not in closes or local.time() <= closes[menu.meal]
    ]
    return ahead[:2]


def _served_now(canteen_id: int, menus: list[OfferedMenu], at: datetime) -> int | None:
    """The menu of the meal being served at this moment; None between meals."""
    local = clock.local(at)
    meal = hours.serving_now(canteens.hours_of(canteen_id), local.time())
    found = (menu for menu in menus if (menu.on, menu.meal) == (local.date(), meal))
    return next((menu.menu_id for menu in found), None)


def _rows(menu: OfferedMenu, wanted: dict[int, Wanted]) -> list[tuple[Any, Wanted]]:
    return [(item, wanted.get(item.item_id, Wanted())) for item in menu.items]


def tickets(canteen_id: int, on: date) -> list[Ticket]:
    """The orders of a day that wait, in the order in which they are due."""
    orders = preparing.waiting(canteen_id, on)
    portions = remaining.portions_of([one.id for one in orders])
    items = {item for kept in portions.values() for item in kept}
    dishes = {
        row.id: row
        for row in db.session.execute(
            sa.select(MenuItem.id, Dish.name, Dish.name_en, Dish.marks)
            .join(Dish, Dish.id == MenuItem.dish_id)
            .where(MenuItem.id.in_(items))
        )
    }
    people = {
        row.id: row
        for row in db.session.execute(
            sa.select(Elder.id, Elder.name, Elder.diet_notes).where(
                Elder.id.in_({one.elder_id for one in orders if one.elder_id})
            )
        )
    }
    opens = {
        row.meal: row.opens
        for row in db.session.execute(
            sa.select(MealPeriod.meal, MealPeriod.opens).where(MealPeriod.canteen_id == canteen_id)
        )
    }
    made = []
    for one in orders:
        who = people.get(one.elder_id or 0)
        notes = who.diet_notes if who else ""
        avoid = set(diet.marks(f"{notes} {one.note}")[0])
        made.append(
            Ticket(
                one, who.name if who else "", notes,
                [
                    (dish.name, dish.name_en or dish.name, quantity,
                     [mark for mark in dish.marks if mark in avoid])
                    for item, quantity in portions[one.id].items()
                    if quantity and (dish := dishes[item])
                ],
                opens.get(one.meal),
            )
        )  # fmt: skip
    return made
