"""The list of canteens, by pages, and one canteen with its week of menus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from flask import request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding, hours, pricing, showing
from canteen.canteens.finding import Listed
from canteen.canteens.models import (
    CAPABILITIES,
    CARRIERS,
    MEALS,
    OPEN_STATUSES,
    REASONS,
    STATUSES,
    Canteen,
)
from canteen.db import db
from canteen.menus.models import MARKS
from canteen.menus.offering import Offered, OfferedMenu, menus_at, menus_between
from canteen.performance.carding import cards_of
from canteen.performance.rating import stars_of
from canteen.performance.schemes import GRADES
from canteen.territory.models import Territory
from canteen.web.grounds import MOST
from canteen.web.public.door import blueprint, districts, page

A_PAGE = 20
SHOWN_DISHES = 3
WEEK = timedelta(days=6)
RATED_SINCE = timedelta(days=180)
SIGNS = {"": OPEN_STATUSES, "gone": ("suspended", "delisted"), "all": showing.PUBLIC_STATUSES}


@dataclass(frozen=True)
class Now:
    """The meal a canteen serves now or next, with a few of its dishes."""

    menu: OfferedMenu
    period: finding.Hours
    serving: bool
    dishes: Sequence[Offered]


@blueprint.get("/canteens")
def canteens() -> ResponseReturnValue:
    """Canteens by district and name, with what they cook today."""
    text = request.args.get("text", "").strip()[:40]
    district = request.args.get("district", "")
    known = districts()
    if district not in {one.code for one in known}:
        district = ""
    sign = request.args.get("sign", "")
    statuses = SIGNS.get(sign, OPEN_STATUSES)
    total = finding.public_count(district or None, text, statuses=statuses)
    last = -(-total // A_PAGE)
    number = min(_page_number(), max(last, 1))
    found = finding.public_list(
        district or None, text, limit=A_PAGE, offset=(number - 1) * A_PAGE, statuses=statuses
    )
    now = clock.local(clock.now())
    cooking = menus_at([one.id for one in found], now.date())
    names = {one.code: one.name for one in known}
    return page(
        "public/canteens.html", districts=known, names=names, text=text, district=district,
        sign=sign if sign in SIGNS else "", total=total, last=last, number=number,
        places=[(one, _now(one, cooking.get(one.id, []), now)) for one in found],
        grades=GRADES, meals=MEALS, statuses=STATUSES, open_statuses=OPEN_STATUSES,
    )


def _page_number() -> int:
    given = request.args.get("page", "")
    return max(int(given), 1) if given.isascii() and given.isdigit() and len(given) < 6 else 1


def _now(place: Listed, menus: Sequence[OfferedMenu], now: datetime) -> Now | None:
    """What is served now or next today; None when today is over, closed or without a menu."""
    if not place.open_today or place.status not in OPEN_STATUSES:
        return None
    served = [one for one in place.hours if one.meal in {menu.meal for menu in menus}]
    meal = hours.next_meal(served, now.time())
    if meal is None:
        return None
    menu = next(one for one in menus if one.meal == meal)
    period = next(one for one in served if one.meal == meal)
    return Now(menu, period, period.opens <= now.time(), menu.items[:SHOWN_DISHES])


@blueprint.get(f"/canteens/<int(max={MOST}):canteen_id>")
def canteen(canteen_id: int) -> ResponseReturnValue:
    """One canteen: where, when, how good, and a week of menus; or why it serves no more."""
    place = showing.shown(canteen_id)
    today = clock.business_date()
    serves = place.status in OPEN_STATUSES
    change = showing.last_change(canteen_id)
    if change is not None and change.to_status != place.status:
        change = None
    cards = cards_of(canteen_id)
    closures = finding.closures_between(canteen_id, today, today + WEEK)
    return page(
        "public/canteen.html", place=place, today=today, serves=serves, change=change,
        district=db.session.get(Territory, place.district_code),
        street=db.session.get(Territory, place.street_code),
        periods=finding.hours_of(canteen_id), closures=closures,
        days=_week(place, today) if serves else [],
        instead=[] if serves else showing.instead_of(place),
        card=cards[0] if cards else None, stars=stars_of(canteen_id, today - RATED_SINCE),
        discounts=pricing.discounts_of(canteen_id, today),
        set_fen=pricing.standard_set_price(place.district_code, today),
        grades=GRADES, meals=MEALS, marks=MARKS, statuses=STATUSES, reasons=REASONS,
        carriers=CARRIERS, capabilities=CAPABILITIES,
    )


def _week(place: Canteen, today: date) -> list[tuple[date, list[OfferedMenu]]]:
    """The published menus of the seven days from today, by day."""
    menus = menus_between(place.id, today, today + WEEK)
    return [(on, list(found)) for on, found in groupby(menus, lambda menu: menu.on)]
