"""Choosing a meal, one thing a page: where, when, what, and how. The address keeps it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding, hours
from canteen.canteens.finding import NoSuchCanteen
from canteen.canteens.models import MEALS, Canteen
from canteen.canteens.selling import SERVICE_NEEDS
from canteen.errors import CanteenError
from canteen.menus.models import MARKS
from canteen.menus.offering import OfferedMenu, menu_for, menus_between
from canteen.orders import finding as orders
from canteen.orders.models import SERVICES
from canteen.orders.wishing import AHEAD
from canteen.web.elder import wishes
from canteen.web.elder.door import blueprint, the_elder
from canteen.web.elder.wishes import ITEM, Asked
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text

A_PAGE = 10
USUAL = 2  # how many of the places one mostly eats at stand first
NEAR = 4
LATELY = 40
SOON_DAYS = 2  # days with a meal to order that stand open; later ones unfold
OFFERED = ("pick_up", "eat_in")  # what this door orders; delivery has its own life


@dataclass(frozen=True)
class Slot:
    """One meal of one day: open to orders, or closed and why."""

    on: date
    meal: str
    opens: time
    closes: time
    until: time
    dishes: int
    refusal: Text | None


@blueprint.get("/elders/<int:elder_id>/order")
def choose_canteen(elder_id: int) -> ResponseReturnValue:
    """Where to eat: the usual place, those of one's own street, then the whole district."""
    elder = the_elder(elder_id)
    text, page = request.args.get("text", "").strip()[:40], wishes.page_number()
    district = elder.street_code[:6]
    searching = bool(text) or page > 1 or "all" in request.args
    if searching:
        ground = None if text else district
        total = finding.public_count(ground, text)
        found = finding.public_list(ground, text, limit=A_PAGE, offset=(page - 1) * A_PAGE)
        usual, near = [], []
    else:
        usual = _usual(elder_id)
        near = [
            one for one in finding.public_list(elder.street_code, limit=NEAR + USUAL)
            if one.id not in {place.id for place in usual}
        ][:NEAR]
        found, total = [], finding.public_count(district)
        if not usual and not near:
            found = finding.public_list(district, limit=A_PAGE)
    return render_template(
        "elder/choose_canteen.html", elder=elder, usual=usual, near=near, found=found,
        total=total, page=page, last=-(-total // A_PAGE), text=text, searching=searching,
    )


def _usual(elder_id: int) -> list[Canteen]:
    """The canteens this elder ate at most, lately, as far as they still sell."""
    eaten = [o.canteen_id for o in orders.recent(actor(), LATELY, elder_id=elder_id)
             if o.state != "cancelled"]  # fmt: skip
    found = []
    for canteen_id, _ in Counter(eaten).most_common(USUAL + 2):
        try:
            found.append(finding.get_for(actor(), canteen_id))
        except CanteenError:  # it sells no more
            continue
    return found[:USUAL]


@blueprint.get("/elders/<int:elder_id>/order/meal")
def choose_meal(elder_id: int) -> ResponseReturnValue:
    """When to eat: the next meal first; what can no longer be ordered stands there with why."""
    elder, asked = the_elder(elder_id), wishes.asked(request.args)
    canteen = finding.get_for(actor(), asked.canteen_id)
    slots = slots_of(canteen, clock.now())
    open_ = [slot for slot in slots if slot.refusal is None]
    days = sorted({slot.on for slot in open_})[:SOON_DAYS]
    return render_template(
        "elder/choose_meal.html", elder=elder, canteen=canteen, today=clock.business_date(),
        soonest=[slot for slot in open_ if slot.on in days],
        later=[slot for slot in open_ if slot.on not in days],
        closed=[slot for slot in slots if slot.refusal is not None],
    )


@blueprint.errorhandler(NoSuchCanteen)
def choose_another(gone: NoSuchCanteen) -> ResponseReturnValue:
    """A canteen that takes no orders any more: say so, and let another be chosen."""
    flash(t("这家食堂现在不能点餐，请另选一家",
            "This canteen takes no orders now; please choose another"), "look")  # fmt: skip
    elder_id = (request.view_args or {})["elder_id"]
    return redirect(url_for("elder.choose_canteen", elder_id=elder_id), 303)


def slots_of(canteen: Canteen, at: datetime) -> list[Slot]:
    """Every meal with a menu from today on, as far ahead as one may order, in order of time."""
    now = clock.local(at)
    first, last = now.date(), now.date() + AHEAD
    periods = finding.hours_of(canteen.id)
    closures = finding.closures_between(canteen.id, first, last)
    slots = []
    for menu in menus_between(canteen.id, first, last):
        period = next((one for one in periods if one.meal == menu.meal), None)
        if period is None:
            continue
        left = sum(item.left > 0 for item in menu.items)
        slots.append(Slot(
            menu.on, menu.meal, period.opens, period.closes, period.order_until, left,
            _refusal(canteen, closures, period, menu, now, left),
        ))  # fmt: skip
    return slots


def _refusal(
    canteen: Canteen, closures: dict[date, str], period: Any, menu: OfferedMenu, now: datetime,
    left: int,
) -> Text | None:
    """Why this meal cannot be ordered now, or None."""
    try:
        hours.check_open(canteen.open_weekdays, list(closures), menu.on)
        hours.check_order_ahead(period, menu.on, now)
    except CanteenError as no:
        reason = closures.get(menu.on)
        return Text(f"{no.text.zh}({reason})", f"{no.text.en} ({reason})") if reason else no.text
    return None if left else Text("已经卖完", "Sold out")


@blueprint.get("/elders/<int:elder_id>/order/dishes")
def choose_dishes(elder_id: int) -> ResponseReturnValue:
    """What to eat: every dish as a card with its price, marks and portions left."""
    return dishes_page(elder_id, wishes.asked(request.args))


def dishes_page(
    elder_id: int, asked: Asked, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """The dishes of one meal with what was chosen already; a meal unknown goes back a step."""
    elder = the_elder(elder_id)
    canteen = finding.get_for(actor(), asked.canteen_id)
    menu = menu_for(canteen.id, asked.on, asked.meal) if asked.on and asked.meal else None
    if menu is None:
        return redirect(
            url_for("elder.choose_meal", elder_id=elder_id, canteen=canteen.id), 303
        )
    slot = next(
        (one for one in slots_of(canteen, clock.now())
         if (one.on, one.meal) == (menu.on, menu.meal)), None,
    )  # fmt: skip
    if slot is None or slot.refusal is not None:
        return redirect(url_for("elder.choose_meal", elder_id=elder_id, canteen=canteen.id), 303)
    page = render_template(
        "elder/choose_dishes.html", elder=elder, canteen=canteen, menu=menu, asked=asked,
        dishes=[(item, [MARKS[mark] for mark in item.marks if mark in MARKS])
                for item in menu.items],
        meals=MEALS, refusal=refusal, prefix=ITEM, slot=slot,
        sum_fen=sum(item.price_fen * asked.lines.get(item.item_id, 0) for item in menu.items),
    )
    return page, 422 if refusal else 200


@blueprint.get("/elders/<int:elder_id>/order/service")
def choose_service(elder_id: int) -> ResponseReturnValue:
    """How to have it; where there is only one way, straight on to the summary."""
    elder, asked = the_elder(elder_id), wishes.asked(request.args)
    if not asked.lines:
        return dishes_page(elder_id, asked, wishes.NothingChosen(field="lines"))
    canteen = finding.get_for(actor(), asked.canteen_id)
    ways = services_of(canteen)
    urls = [
        (way, url_for("elder.summary", elder_id=elder_id, **asked.but(service=way).query()))
        for way in ways
    ]
    if len(urls) == 1:
        return redirect(urls[0][1], 303)
    return render_template(
        "elder/choose_service.html", elder=elder, canteen=canteen, asked=asked,
        ways=[(way, SERVICES[way], url) for way, url in urls], meals=MEALS,
    )


def services_of(canteen: Canteen) -> Sequence[str]:
    """The ways of having a meal that this canteen offers and this door orders."""
    return [way for way in OFFERED if SERVICE_NEEDS[way] in canteen.capabilities]
