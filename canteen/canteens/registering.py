"""Operators, canteens and their hours: applied for, entered, changed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from stdnum.cn import uscc as social_code
from stdnum.exceptions import ValidationError

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding
from canteen.canteens.models import (
    CAPABILITIES,
    CARRIERS,
    MEALS,
    Canteen,
    Closure,
    ListingChange,
    MealPeriod,
    Operator,
)
from canteen.canteens.rulebook import sign_rules
from canteen.canteens.tiering import proposed_tier
from canteen.db import changed, db, insert
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.territory.actors import Actor
from canteen.territory.models import Territory, level_of
from canteen.words import Text

PHONE = re.compile(r"\+?[0-9][0-9 \-]{5,18}[0-9]")
BY_OPERATOR = {"name", "name_en", "address", "phone", "latitude", "longitude", "open_weekdays"}


class BadEntry(Refused):
    """One field of an operator or a canteen cannot be right; `field` names it."""

    code = "bad_entry"
    text = Text("这一项填写有误", "This entry cannot be right")


class OperatorKnown(Conflict):
    """An operator with that unified social credit code is on the register."""

    code = "operator_known"
    text = Text("这家企业已登记", "This enterprise is already registered")


@dataclass(frozen=True)
class Particulars:
    """What an application says of a canteen. `open_weekdays`: "12345" is Monday to Friday."""

    name: str
    street_code: str
    operator_id: int
    carrier: str
    capabilities: Sequence[str]
    address: str
    phone: str
    name_en: str = ""
    supplier_id: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    seats: int = 0
    area_m2: int = 0
    open_weekdays: str = "1234567"


def register_operator(
    name: str, uscc: str, contact: str, phone: str, *, by: Actor
) -> Operator:
    """Enter an enterprise by its unified social credit code (统一社会信用代码, checksum checked).

    It has no payout account yet: that is asked for, and confirmed by a second person.
    Refuses BadEntry naming the field, and OperatorKnown.
    """
    by.must_be("street", "district", "city")
    try:
        code = social_code.validate(uscc)
    except ValidationError:
        wrong = Text("统一社会信用代码不正确", "That is not a unified social credit code")
        raise BadEntry(wrong, field="uscc") from None
    row = {
        "name": _text("name", name, 80), "uscc": code, "contact": _text("contact", contact, 40),
        "phone": _phone(phone), "payout_account": "",
    }
    made = db.session.execute(
        insert(Operator).values(row).on_conflict_do_nothing().returning(Operator.id)
    ).scalar()
    if made is None:
        raise OperatorKnown(field="uscc")
    record(by.label, "register_operator", "operator", made, {"name": row["name"], "uscc": code})
    return db.session.get_one(Operator, made)


def apply(wish: Particulars, *, by: Actor, at: datetime) -> Canteen:
    """An application for the sign: the canteen is entered as "applied", its tier as proposed.

    An operator applies for its own, staff for anyone on their ground. Refuses BadEntry naming
    the field.
    """
    by.must_be("operator", "street", "district", "city")
    values = _checked(asdict(wish))
    if by.role == "operator" and wish.operator_id != by.operator_id:
        raise Forbidden()
    if by.role in finding.STAFF and not by.reaches(wish.street_code):
        raise NotFound(field="street_code")
    if db.session.get(Operator, wish.operator_id) is None:
        raise BadEntry(Text("没有这家企业", "No such operator"), field="operator_id")
    proposal = proposed_tier(
        sign_rules(), values["capabilities"], seats=wish.seats, area_m2=wish.area_m2
    )
    on = clock.business_date(at)
    canteen = Canteen(
        **values, code=uuid.uuid4().hex[:20], district_code=wish.street_code[:6],
        tier=proposal.tier, demonstration=False, status="applied", status_since=on,
    )  # fmt: skip
    db.session.add(canteen)
    db.session.flush()
    canteen.code = f"{canteen.district_code}-{canteen.id:05d}"
    db.session.add(ListingChange(
        canteen_id=canteen.id, from_status=None, to_status="applied", reason_code="application",
        reason="", decided_by=by.label, at=at, facts={"proposed_tier": proposal.tier},
    ))  # fmt: skip
    db.session.flush()
    record(by.label, "apply", "canteen", canteen.id, {"name": canteen.name, "code": canteen.code})
    return canteen


def amend(canteen_id: int, changes: Mapping[str, Any], *, by: Actor) -> Canteen:
    """Change some particulars of a canteen: the operator its everyday ones, the bureau all.

    What decides the tier (capabilities, supplier, size) only the bureau changes. Refuses BadEntry
    naming the field; the street of a canteen never changes.
    """
    canteen = finding.get_for(by, canteen_id)
    by.must_be("operator", "street", "district", "city")
    allowed = set(Particulars.__dataclass_fields__) - {"street_code", "operator_id"}
    for name in changes:
        if name not in allowed:
            raise BadEntry(Text("这一项不能修改", "This cannot be changed"), field=name)
        if by.role == "operator" and name not in BY_OPERATOR:
            raise Forbidden(field=name)
    checked = _checked(dict(changes), canteen_id=canteen_id)
    before = {name: getattr(canteen, name) for name in checked}
    for name, value in checked.items():
        setattr(canteen, name, value)
    db.session.flush()
    record(by.label, "amend", "canteen", canteen_id, {"before": before, "after": checked})
    return canteen


def set_meal_period(
    canteen_id: int, meal: str, opens: time, closes: time, order_until: time, *, by: Actor
) -> None:
    """When the canteen serves a meal, and until when it can be ordered ahead (Shanghai time)."""
    finding.get_for(by, canteen_id)
    by.must_be("operator", "manager", "district", "city")
    if meal not in MEALS:
        raise BadEntry(Text("没有这一餐", "There is no such meal"), field="meal")
    if opens >= closes:
        raise BadEntry(Text("结束应晚于开始", "It must close after it opens"), field="closes")
    if order_until > closes:
        late = Text("预订截止不能晚于结束", "Ordering cannot end after the meal")
        raise BadEntry(late, field="order_until")
    values = {"opens": opens, "closes": closes, "order_until": order_until}
    statement = insert(MealPeriod).values(canteen_id=canteen_id, meal=meal, **values)
    db.session.execute(
        statement.on_conflict_do_update(index_elements=("canteen_id", "meal"), set_=values)
    )
    detail = {"meal": meal} | {name: f"{value:%H:%M}" for name, value in values.items()}
    record(by.label, "set_meal_period", "canteen", canteen_id, detail)


def stop_serving(canteen_id: int, meal: str, *, by: Actor) -> None:
    """The canteen no longer serves that meal."""
    finding.get_for(by, canteen_id)
    by.must_be("operator", "manager", "district", "city")
    mine = (MealPeriod.canteen_id == canteen_id, MealPeriod.meal == meal)
    if changed(db.session.execute(sa.delete(MealPeriod).where(*mine))):
        record(by.label, "stop_serving", "canteen", canteen_id, {"meal": meal})


def announce_closure(canteen_id: int, on: date, reason: str, *, by: Actor, today: date) -> None:
    """The canteen announces a day on which it does not open: today at the earliest.

    A day already past cannot be excused afterwards: nights without meals are counted from it.
    """
    finding.get_for(by, canteen_id)
    by.must_be("operator", "manager", "district", "city")
    if on < today:
        raise BadEntry(Text("不能补报已过去的日子", "That day is past"), field="on")
    row = {"canteen_id": canteen_id, "on": on, "reason": _text("reason", reason, 80)}
    statement = insert(Closure).values(row)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=("canteen_id", "on"), set_={"reason": row["reason"]}
        )
    )
    detail = {"on": on.isoformat(), "reason": row["reason"]}
    record(by.label, "announce_closure", "canteen", canteen_id, detail)


def withdraw_closure(canteen_id: int, on: date, *, by: Actor, today: date) -> None:
    """The canteen opens after all on a day it had announced as closed."""
    finding.get_for(by, canteen_id)
    by.must_be("operator", "manager", "district", "city")
    if on < today:
        raise BadEntry(Text("这一天已经过去", "That day is past"), field="on")
    mine = (Closure.canteen_id == canteen_id, Closure.on == on)
    if changed(db.session.execute(sa.delete(Closure).where(*mine))):
        record(by.label, "withdraw_closure", "canteen", canteen_id, {"on": on.isoformat()})


def _checked(values: dict[str, Any], canteen_id: int | None = None) -> dict[str, Any]:
    """The same values, cleaned; BadEntry names the first field that cannot be right."""
    for name, most, must in (
        ("name", 80, True), ("name_en", 80, False), ("address", 120, True),
    ):  # fmt: skip
        if name in values:
            values[name] = _text(name, values[name], most, must=must)
    if "phone" in values:
        values["phone"] = _phone(values["phone"])
    if "street_code" in values:
        street = db.session.get(Territory, str(values["street_code"]))
        if street is None or level_of(street.code) != "street":
            raise BadEntry(Text("没有这个街道", "No such street"), field="street_code")
    if "carrier" in values and values["carrier"] not in CARRIERS:
        raise BadEntry(Text("没有这种运营载体", "No such carrier"), field="carrier")
    if "capabilities" in values:
        given = set(values["capabilities"])
        if not given <= set(CAPABILITIES):
            raise BadEntry(Text("没有这项能力", "No such capability"), field="capabilities")
        values["capabilities"] = [code for code in CAPABILITIES if code in given]
    if values.get("supplier_id") is not None:
        _check_supplier(values["supplier_id"], canteen_id)
    if "open_weekdays" in values:
        days = "".join(sorted(set(str(values["open_weekdays"]))))
        if not re.fullmatch("[1-7]{1,7}", days):
            wrong = Text("请至少选一个营业日", "Choose at least one day of the week")
            raise BadEntry(wrong, field="open_weekdays")
        values["open_weekdays"] = days
    for name, low, high in (
        ("seats", 0, 5_000), ("area_m2", 0, 50_000),
        ("latitude", -90, 90), ("longitude", -180, 180),
    ):  # fmt: skip
        if values.get(name) is not None and not low <= values[name] <= high:
            bounds = Text(f"应在 {low}—{high} 之间", f"It must be between {low} and {high}")
            raise BadEntry(bounds, field=name)
    return values


def _check_supplier(supplier_id: int, canteen_id: int | None) -> None:
    supplier = db.session.get(Canteen, supplier_id)
    if supplier is None or supplier_id == canteen_id:
        raise BadEntry(Text("没有这家供餐单位", "No such supplier"), field="supplier_id")
    if "supplies_others" not in supplier.capabilities:
        wrong = Text("该单位不对外配餐", "That canteen does not supply others")
        raise BadEntry(wrong, field="supplier_id")


def _text(field: str, given: object, most: int, *, must: bool = True) -> str:
    value = " ".join(str(given or "").split())
    if must and not value:
        raise BadEntry(Text("请填写这一项", "Fill this in"), field=field)
    if len(value) > most:
        long = Text(f"最多 {most} 个字", f"At most {most} characters")
        raise BadEntry(long, field=field)
    return value


def _phone(given: object) -> str:
    value = str(given or "").strip()
    if not PHONE.fullmatch(value):
        raise BadEntry(Text("电话号码不正确", "That is not a phone number"), field="phone")
    return value
