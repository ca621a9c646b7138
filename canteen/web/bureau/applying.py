"""A canteen put on the register for its operator, and its particulars changed afterwards."""

from __future__ import annotations

from datetime import time
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding, registering
from canteen.canteens.models import (
    CAPABILITIES,
    CARRIERS,
    MEALS,
    OPEN_STATUSES,
    Canteen,
    Operator,
)
from canteen.canteens.registering import Particulars
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.payouts import changing_accounts
from canteen.territory.actors import Actor
from canteen.territory.models import city_of
from canteen.web.bureau.door import DECIDERS, blueprint, grounds
from canteen.web.errors import rendered
from canteen.web.forms import BadField, Fields
from canteen.web.grounds import operators
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.web.once import do_once
from canteen.words import Text

NEW = "new"
# What the rooms call the fields of a new enterprise, and what the form does: a canteen has a name
# and a phone of its own.
OPERATOR_FIELDS = {"name": "operator_name", "phone": "operator_phone"}
HOURS = ("opens", "closes", "order_until")


class Period(NamedTuple):
    """The hours of one meal, as the form says them."""

    opens: time
    closes: time
    order_until: time


@blueprint.get("/canteens/new")
def new_canteen() -> ResponseReturnValue:
    """The form of an application for the sign."""
    return _form({"seats": "", "open_weekdays": list("1234567")})


@blueprint.post("/canteens")
def apply() -> ResponseReturnValue:
    """Enter an application, with a new enterprise if need be: all of it or nothing."""
    by, form = actor(), request.form
    try:
        fields = Fields(form)
        operator_id = _operator_asked(fields, by)
        said = _particulars(fields, by, None)
        street = str(fields.choice("street_code", dict(grounds(by, "street"))))
        hours = _hours(fields, by)

        def act() -> int:
            operator = operator_id or _register_operator(by)
            wish = Particulars(street_code=street, operator_id=operator, **said)
            made = registering.apply(wish, by=by, at=clock.now()).id
            _keep_hours(made, hours, by)
            return made

        wish = {name: form.getlist(name) for name in form if name not in ("csrf_token", "once")}
        made = do_once(act, wish, by, required=False).body
    except CanteenError as refusal:
        return _form(form, refusal)
    flash(t("申请已登记。请接着登记证照", "Entered. Now enter its papers"), "done")
    return redirect(url_for("bureau.canteen", canteen_id=made), 303)


@blueprint.get("/canteens/<int:canteen_id>/particulars")
def edit_canteen(canteen_id: int) -> ResponseReturnValue:
    """The same form with what the register says now."""
    found = finding.get_for(actor(), canteen_id)
    given: dict[str, Any] = {name: getattr(found, name) for name in _changeable()}
    for one in finding.hours_of(canteen_id):
        given |= {f"{one.meal}-{name}": f"{getattr(one, name):%H:%M}" for name in HOURS}
    return _form(given | {"open_weekdays": list(found.open_weekdays)}, canteen=found)


@blueprint.post("/canteens/<int:canteen_id>/particulars")
def amend(canteen_id: int) -> ResponseReturnValue:
    """Change the particulars and the hours; only what differs is a change."""
    by = actor()
    found = finding.get_for(by, canteen_id)
    try:
        fields = Fields(request.form)
        said = _particulars(fields, by, found)
        changes = {name: value for name, value in said.items() if value != getattr(found, name)}
        hours = _hours(fields, by)
        with transaction():
            if changes:
                registering.amend(canteen_id, changes, by=by)
            _keep_hours(canteen_id, hours, by)
    except CanteenError as refusal:
        return _form(request.form, refusal, finding.get_for(by, canteen_id))
    flash(t("资料已更改", "The particulars are changed"), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id), 303)


def _form(
    given: Any, refusal: CanteenError | None = None, canteen: Canteen | None = None
) -> ResponseReturnValue:
    by = actor()
    picked = {
        name: given.getlist(name) if hasattr(given, "getlist") else given.get(name, [])
        for name in ("capabilities", "open_weekdays")
    }
    known = _operators(by, given.get("uscc", ""))
    return rendered(
        "bureau/canteen_form.html", given=given, picked=picked, canteen=canteen,
        refusal=refusal, errors=[(refusal.field, refusal.text)] if refusal else [],
        operators=known, NEW=NEW, sets_hours=by.role in DECIDERS,
        chosen=_chosen(given, known, refusal), streets=grounds(by, "street"), carriers=CARRIERS,
        suppliers=_suppliers(by, canteen), weekdays=WEEKDAYS,
    )  # fmt: skip


WEEKDAYS = [
    (str(number), Text(zh, en)) for number, zh, en in (
        (1, "周一", "Mon"), (2, "周二", "Tue"), (3, "周三", "Wed"), (4, "周四", "Thu"),
        (5, "周五", "Fri"), (6, "周六", "Sat"), (7, "周日", "Sun"),
    )
]  # fmt: skip


def _changeable() -> list[str]:
    return [name for name in Particulars.__dataclass_fields__ if name != "operator_id"]


def _particulars(fields: Fields, by: Actor, canteen: Canteen | None) -> dict[str, Any]:
    """What the form says of a canteen, street and operator apart."""
    able = fields.choices("capabilities", CAPABILITIES)
    days = fields.choices("open_weekdays", [code for code, _ in WEEKDAYS])
    suppliers = {str(code) for code, _ in _suppliers(by, canteen)}
    supplier = fields.choice("supplier_id", suppliers, required=False)
    return {
        "name": fields.text("name", most=80), "address": fields.text("address", most=120),
        "name_en": fields.text("name_en", most=80, required=False),
        "phone": fields.text("phone", most=20), "carrier": str(fields.choice("carrier", CARRIERS)),
        "capabilities": [code for code in CAPABILITIES if code in able],
        "supplier_id": int(supplier) if supplier else None,
        "seats": fields.whole("seats", most=5_000),
        "area_m2": fields.whole("area_m2", most=50_000), "open_weekdays": "".join(sorted(days)),
    }


def _hours(fields: Fields, by: Actor) -> dict[str, Period | None] | None:
    """The hours of each meal, None for a meal not served; None at all for whom the room lets not.

    Refuses with BadField a meal of which only a part is filled in.
    """
    if by.role not in DECIDERS:
        return None
    found: dict[str, Period | None] = {}
    for meal in MEALS:
        names = [f"{meal}-{name}" for name in HOURS]
        served = any(fields.given.get(name, "").strip() for name in names)
        found[meal] = Period(*(_time(fields, name) for name in names)) if served else None
    return found


def _time(fields: Fields, name: str) -> time:
    try:
        return time.fromisoformat(fields.text(name, most=8)).replace(tzinfo=None)
    except ValueError:
        said = Text("请填写时间，如 11:00", "Enter a time such as 11:00")
        raise BadField(said, field=name) from None


def _keep_hours(canteen_id: int, hours: dict[str, Period | None] | None, by: Actor) -> None:
    """Set what differs from the hours there are; a meal left empty is no longer served."""
    if hours is None:
        return
    before = {
        one.meal: Period(one.opens, one.closes, one.order_until)
        for one in finding.hours_of(canteen_id)
    }
    for meal, period in hours.items():
        if period == before.get(meal):
            continue
        if period is None:
            registering.stop_serving(canteen_id, meal, by=by)
            continue
        try:
            registering.set_meal_period(canteen_id, meal, *period, by=by)
        except registering.BadEntry as refusal:
            refusal.field = f"{meal}-{refusal.field}"
            raise


def _operators(by: Actor, uscc: str) -> list[tuple[int, str]]:
    """The enterprises with a canteen on this ground, and the one whose whole code was typed."""
    typed = Operator.uscc == uscc.strip().upper()
    rows = db.session.execute(
        sa.select(Operator.id, Operator.name).where(sa.or_(operators(by), typed))
        .order_by(Operator.name, Operator.id)
    )  # fmt: skip
    return [(row.id, row.name) for row in rows]


def _operator_asked(fields: Fields, by: Actor) -> int | None:
    """The enterprise chosen; None for a new one."""
    known = {str(code) for code, _ in _operators(by, fields.given.get("uscc", ""))}
    chosen = str(fields.choice("operator_id", {*known, NEW}))
    return None if chosen == NEW else int(chosen)


def _register_operator(by: Actor) -> int:
    given = request.form
    try:
        operator_id = registering.register_operator(
            given.get("operator_name", ""), given.get("uscc", ""), given.get("contact", ""),
            given.get("operator_phone", ""), by=by,
        ).id  # fmt: skip
        changing_accounts.ask(
            given.get("payout_account", ""), by, at=clock.now(), operator_id=operator_id
        )
        return operator_id
    except CanteenError as refusal:
        refusal.field = OPERATOR_FIELDS.get(refusal.field or "", refusal.field)
        raise


def _chosen(given: Any, known: list[tuple[int, str]], refusal: CanteenError | None) -> Any:
    """The enterprise the form comes back with: one found registered is chosen for the reader."""
    if isinstance(refusal, registering.OperatorKnown):
        code = given.get("uscc", "").strip().upper()
        return db.session.scalar(sa.select(Operator.id).where(Operator.uscc == code))
    return given.get("operator_id") or (NEW if not known else None)


def _suppliers(by: Actor, canteen: Canteen | None) -> list[tuple[int, Text]]:
    """The canteens of the city that cook for others: those that sell, and the one it has now."""
    city = city_of(by.territory or "")
    rows = db.session.execute(
        sa.select(Canteen.id, Canteen.name, Canteen.name_en, Canteen.capabilities)
        .where(sa.or_(
            sa.and_(finding.on_ground(city), Canteen.status.in_(OPEN_STATUSES)),
            Canteen.id == (canteen.supplier_id if canteen else None),
        ))
        .order_by(Canteen.district_code, Canteen.name)
    )  # fmt: skip
    itself = canteen.id if canteen else None
    return [
        (row.id, Text(row.name, row.name_en or row.name)) for row in rows
        if row.id != itself and "supplies_others" in row.capabilities
    ]  # fmt: skip
