"""The canteen's menus: the week at a glance, a meal published or changed, last week copied."""

from __future__ import annotations

from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding
from canteen.canteens.hours import is_open_day
from canteen.canteens.models import MEALS
from canteen.db import db, transaction
from canteen.errors import CanteenError, NotFound
from canteen.menus import cooking, offering, publishing
from canteen.menus.models import MARKS, Menu
from canteen.menus.publishing import MOST_PORTIONS, Line
from canteen.web import grounds
from canteen.web.cashier.door import MANAGER, blueprint, day_asked, here
from canteen.web.errors import rendered
from canteen.web.forms import Fields
from canteen.web.guards import actor
from canteen.web.language import said, t
from canteen.words import day


@blueprint.get("/menus")
def week() -> ResponseReturnValue:
    """Seven days of menus: what is published, what is left, what is still to do."""
    canteen, today = here(), clock.business_date()
    monday = clock.week_start(day_asked(request.args.get("week", ""), today))
    sunday = monday + timedelta(days=6)
    closures = finding.closures_between(canteen.id, monday, sunday)
    menus = {(one.on, one.meal): one for one in offering.menus_between(canteen.id, monday, sunday)}
    served = [period.meal for period in finding.hours_of(canteen.id)]
    days = [
        {
            "on": on, "past": on < today,
            "open": is_open_day(canteen.open_weekdays, closures, on), "closed": closures.get(on),
            "menus": [(meal, menus.get((on, meal))) for meal in MEALS if meal in served],
        }
        for on in (monday + timedelta(days=n) for n in range(7))
    ]
    return render_template(
        "cashier/menus.html", canteen=canteen, today=today, monday=monday, days=days,
        meals=MEALS, earlier=monday - timedelta(days=7), later=monday + timedelta(days=7),
        may_change=actor().role == "manager", can_copy=sunday >= today,
    )


@blueprint.post("/menus")
@MANAGER
def copy_week() -> ResponseReturnValue:
    """Publish a week as the week before it was, where nothing is published yet."""
    try:
        monday = clock.week_start(day_asked(request.form.get("week", ""), clock.business_date()))
        with transaction():
            made = publishing.copy_last_week(here().id, monday, by=actor(), at=clock.now())
    except CanteenError as refusal:
        flash(said(refusal.text), "no")
        return redirect(url_for("cashier.week"), 303)
    if made:
        flash(t("已照上周发布 {n} 份菜单", "{n} menu(s) published as last week", n=made), "done")
    else:
        flash(t("没有可照抄的：上周没有菜单，或这周都已发布",
                "Nothing to copy: last week had no menus, or this week has them all"), "look")
    return redirect(url_for("cashier.week", week=monday), 303)


@blueprint.get("/menus/<on>/<meal>")
def menu(on: str, meal: str) -> ResponseReturnValue:
    """One meal of one day: its dishes and portions, or the dishes to publish it from."""
    return _menu_page(*_named(on, meal))


@blueprint.post("/menus/<on>/<meal>")
@MANAGER
def publish(on: str, meal: str) -> ResponseReturnValue:
    """Publish what was filled in: every dish that was given portions."""
    named = _named(on, meal)
    try:
        fields = Fields(request.form)
        portions = fields.quantities("portions-", most=MOST_PORTIONS)
        lines = [Line(dish, many, _price(fields, dish)) for dish, many in portions.items()]
        with transaction():
            publishing.publish(here().id, *named, lines, by=actor(), at=clock.now())
    except CanteenError as refusal:
        return _menu_page(*named, refusal=refusal)
    flash(t("{day}{meal}菜单已发布", "The menu for {meal}, {day} is published",
            day=day(named[0]), meal=MEALS[meal]), "done")
    return redirect(url_for("cashier.menu", on=on, meal=meal), 303)


@blueprint.post("/menus/<int:menu_id>/portions")
@MANAGER
def change_portions(menu_id: int) -> ResponseReturnValue:
    """How many portions there are of each dish on a published menu."""
    named = _of(menu_id)
    items = {item.item_id: item for item in _items(*named)}
    try:
        with transaction():
            for item_id, item in items.items():
                name = f"portions-{item_id}"
                if name not in request.form:
                    continue
                wanted = Fields(request.form).whole(name, most=MOST_PORTIONS)
                if wanted != item.portions:
                    publishing.change_portions(item_id, wanted, by=actor(), at=clock.now())
    except CanteenError as refusal:
        return _menu_page(*named, refusal=refusal)
    flash(t("份数已保存", "Portions saved"), "done")
    return redirect(url_for("cashier.menu", on=named[0], meal=named[1]), 303)


@blueprint.post("/menus/<int:menu_id>/lines")
@MANAGER
def add_line(menu_id: int) -> ResponseReturnValue:
    """One more dish on a published menu."""
    named = _of(menu_id)
    try:
        fields = Fields(request.form)
        line = Line(fields.whole("dish", most=grounds.MOST),
                    fields.whole("portions", least=1, most=MOST_PORTIONS))  # fmt: skip
        with transaction():
            publishing.add_line(menu_id, line, by=actor(), at=clock.now())
    except CanteenError as refusal:
        return _menu_page(*named, refusal=refusal)
    flash(t("已加到菜单", "Added to the menu"), "done")
    return redirect(url_for("cashier.menu", on=named[0], meal=named[1]), 303)


@blueprint.post("/menus/items/<int:item_id>")
def mark(item_id: int) -> ResponseReturnValue:
    """Sold out, or back on, from the menu's page."""
    act = publishing.back_on if request.form.get("do") == "back" else publishing.sold_out
    with transaction():
        named = _of(act(item_id, by=actor(), at=clock.now()).menu_id)
    return redirect(url_for("cashier.menu", on=named[0], meal=named[1]), 303)


@blueprint.post("/dishes/<on>/<meal>")
@MANAGER
def create_dish(on: str, meal: str) -> ResponseReturnValue:
    """A dish the canteen did not cook before, then back to the menu it is wanted for."""
    named = _named(on, meal)
    try:
        fields = Fields(request.form)
        with transaction():
            cooking.create_dish(
                here().id, fields.text("name", most=40),
                fields.choice("kind", ("set", "dish")) or "dish", fields.yuan("price"),
                name_en=fields.text("name_en", most=60, required=False),
                marks=fields.choices("marks", MARKS), by=actor(),
            )
    except CanteenError as refusal:
        return _menu_page(*named, refusal=refusal)
    flash(t("新菜已加入，可以放上菜单", "The dish is added; put it on the menu"), "done")
    return redirect(url_for("cashier.menu", on=on, meal=meal), 303)


def _menu_page(
    on: date, meal: str, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    canteen, today = here(), clock.business_date()
    menu = offering.menu_for(canteen.id, on, meal)
    on_menu = {item.dish_id for item in menu.items} if menu else set()
    return rendered(
        "cashier/menu.html", canteen=canteen, today=today, on=on, meal=meal, menu=menu,
        meal_words=MEALS[meal], marks=MARKS, refusal=refusal, given=request.form,
        dishes=[dish for dish in offering.dishes_of(canteen.id) if dish.id not in on_menu],
        may_change=actor().role == "manager" and on >= today, may_mark=on >= today,
    )


def _items(on: date, meal: str) -> tuple[offering.Offered, ...]:
    found = offering.menu_for(here().id, on, meal)
    return found.items if found else ()


def _of(menu_id: int) -> tuple[date, str]:
    found = db.session.get_one(Menu, menu_id)
    return found.on, found.meal


def _named(on: str, meal: str) -> tuple[date, str]:
    """The day and meal an address names. Refuses with NotFound what is none."""
    try:
        day_meant = date.fromisoformat(on)
    except ValueError:
        raise NotFound() from None
    today = clock.business_date()
    if meal not in MEALS or day_asked(on, today) != day_meant:
        raise NotFound()
    return day_meant, meal


def _price(fields: Fields, dish_id: int) -> int | None:
    """The price typed for a dish, None to keep its usual one."""
    name = f"price-{dish_id}"
    return fields.yuan(name) if fields.given.get(name, "").strip() else None
