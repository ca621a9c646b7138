"""What a tablet may know: today's menus, prices and rules, and of its regulars only what it needs.

No ID number, birth date, phone number, address or last digits leave the server. A person is found
by a few bits of a keyed hash of a card, ID or phone number: enough to pick one of some hundred
regulars, far too few to tell the number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from canteen import clock
from canteen.access import pins
from canteen.canteens import finding, listing, pricing
from canteen.canteens.lifecycle import may_sell
from canteen.canteens.models import MEALS, Canteen
from canteen.db import db
from canteen.elders import diet, ric
from canteen.elders.facts import Standing, standings
from canteen.elders.models import Card, Elder, ElderInitials
from canteen.menus.offering import OfferedMenu, menus_between
from canteen.subsidies.cases import ElderFacts
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.models import QuotaUse
from canteen.subsidies.policies import NoPolicyInForce
from canteen.subsidies.publishing import InForce, in_force
from canteen.subsidies.quotas import covered_day
from canteen.tills import regulars
from canteen.tills.keys import key_of, short
from canteen.tills.models import Shift, Till
from canteen.tills.ruling import rule_for
from canteen.tills.slips import slips

VERSION = 1
CARD_BITS, RIC_BITS, PHONE_BITS = 24, 12, 14
CALENDAR_DAYS = 62
LONG_NUMBER = re.compile(r"\d{6,}")  # in a diet note it could be somebody's


def pack(till: Till, canteen: Canteen, at: datetime, base: str) -> dict[str, Any]:
    """Everything a till needs to sell without network, as JSON, in a fixed number of queries.

    `base` is the address of this server, for the receipts' QR codes.
    """
    on = clock.business_date(at)
    policy = _policy(canteen.district_code, on)
    rule = rule_for(canteen.district_code, on)
    known = regulars.regulars(canteen.id, on)
    people = elders(known, till, on)
    there = {one["id"] for one in people}
    usual = regulars.usual_people(canteen.id, on)
    return {
        "v": VERSION,
        "made_at": instant(at),
        "on": on.isoformat(),
        "canteen": {
            "id": canteen.id, "name": canteen.name, "name_en": canteen.name_en or canteen.name,
            "district": canteen.district_code, "street": canteen.street_code,
            "tier": canteen.tier, "grade": canteen.grade, "status": canteen.status,
            "capabilities": list(canteen.capabilities), "address": canteen.address,
            "phone": canteen.phone, "stopped": _stopped(canteen),
        },
        "till": {
            "id": till.id, "name": till.name, "head": till.head, "head_mac": till.head_mac,
            "shift": _shift(till.id),
        },
        "cashiers": [
            {"id": user.id, "name": user.name, "role": user.role}
            for user in pins.of_canteen(canteen.id)
        ],
        "hours": [
            {"meal": one.meal, "opens": f"{one.opens:%H:%M}", "closes": f"{one.closes:%H:%M}"}
            for one in finding.hours_of(canteen.id)
        ],
        "menus": [_menu(one) for one in menus_between(canteen.id, on, on + timedelta(days=1))],
        "set_fen": pricing.standard_set_price(canteen.district_code, on),
        "discounts": [
            {"min_age": age, "bp": rate} for age, rate in pricing.discounts_of(canteen.id, on)
        ],
        "policy": _text(policy) if policy else None,
        "working": _working(policy, on) if policy else {},
        "rule": {
            "per_elder": rule.per_elder, "per_till": rule.per_till, "excess": rule.excess,
            "limit_fen": rule.limit_fen,
        },
        "slips": slips(till, base),
        "usual": {meal: [one for one in usual.get(meal, ()) if one in there] for meal in MEALS},
        "elders": people,
    }  # fmt: skip


def elders(elder_ids: Collection[int], till: Till, on: date) -> list[dict[str, Any]]:
    """What a till may know of these people on a day, in the order asked, in six queries."""
    key = key_of(till)
    asked = {"ids": list(elder_ids)}
    found = {row.id: row for row in db.session.execute(_PEOPLE, asked)}
    initials = _gathered(_INITIALS, asked)
    cards = _gathered(_CARDS, asked)
    standing = standings(elder_ids, on)
    counted = used(elder_ids, on)
    usual = regulars.usual_dishes(till.canteen_id, on, elder_ids)
    shown = []
    for elder_id in dict.fromkeys(elder_ids):
        row = found.get(elder_id)
        if row is None:
            continue
        avoid, wants = diet.marks(row.diet_notes)
        own = [(short(key, f"card:{card.number}", CARD_BITS), card.lost_at)
               for card in cards.get(elder_id, ())]  # fmt: skip
        number = ric.decrypt(row.ric_cipher, row.ric_hash)
        shown.append({
            "id": elder_id, "name": row.name, "age": age_on(row.birth_date, on),
            "initials": [one.initials for one in initials.get(elder_id, ())],
            "facts": facts(standing[elder_id], on),
            "used": counted[elder_id],
            "diet": LONG_NUMBER.sub("…", row.diet_notes), "avoid": avoid, "wants": wants,
            "cards": [one for one, lost_at in own if lost_at is None],
            "lost": [one for one, lost_at in own if lost_at is not None],
            "ric": short(key, f"ric:{number}", RIC_BITS),
            "phone": short(key, f"phone:{row.phone}", PHONE_BITS) if row.phone else None,
            "usual": usual.get(elder_id, {}),
        })  # fmt: skip
    return shown


def facts(standing: Standing, on: date) -> dict[str, Any]:
    """An elder's facts for the policy engine, with a stand-in for the birth date.

    Neither is the day of a death or a move told: what holds on the day holds.
    """
    stand_in = {
        "birth_date": birthday_of_age(age_on(standing.birth_date, on), on), "status_since": None,
    }
    return msgspec.to_builtins(
        ElderFacts(**asdict(standing) | stand_in), order="deterministic"
    )


def birthday_of_age(age: int, on: date) -> date:
    """A birth date that gives an age on a day and says nothing else: the day's own anniversary."""
    if (on.month, on.day) == (2, 29):
        return date(on.year - age, 2, 28)
    return on.replace(year=on.year - age)


def used(elder_ids: Collection[int], on: date) -> dict[int, dict[str, Any]]:
    """How often each was subsidised in the day, week, month and each meal of a day, in one query:
    {elder id: {"day": 0, "week": 2, "month": 2, "meals": {"lunch": 0, …}}}."""
    starts = {"day": on, "week": clock.week_start(on), "month": on.replace(day=1)}
    keys = starts | {f"meal:{meal}": on for meal in MEALS}
    periods = list(keys.items())
    rows = db.session.execute(_USED, {"ids": list(elder_ids), "periods": periods})
    counted: dict[int, dict[str, Any]] = {
        elder_id: dict.fromkeys(starts, 0) | {"meals": dict.fromkeys(MEALS, 0)}
        for elder_id in elder_ids
    }
    for row in rows:
        code, _, meal = row.period_code.partition(":")
        of_elder = counted[row.elder_id]
        (of_elder["meals"] if meal else of_elder)[meal or code] = row.used
    return counted


def instant(at: datetime) -> str:
    """An instant as the tablet's own clock writes one: UTC, milliseconds, "Z"."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stopped(canteen: Canteen) -> dict[str, str] | None:
    """Since when and why nothing may be sold here, as it was decided in writing; else None."""
    if may_sell(canteen.status):
        return None
    last = next(iter(listing.history(canteen.id)), None)
    since = canteen.status_since.isoformat()
    return {"since": since, "reason": last.reason if last else ""}


def _policy(district: str, on: date) -> InForce | None:
    try:
        return in_force(district, on)
    except NoPolicyInForce:
        return None


def _text(policy: InForce) -> dict[str, Any]:
    body = msgspec.json.decode(policy.policy.to_json())
    return {"id": policy.id, "code": policy.policy.code, "body": body}


def _working(policy: InForce, on: date) -> dict[str, bool]:
    """China's working days around a day, for policies that ask for them."""
    if policy.policy.days != "working_days":
        return {}
    days = (on + timedelta(days=n) for n in range(CALENDAR_DAYS))
    return {one.isoformat(): covered_day(policy.policy, one) for one in days}


def _menu(menu: OfferedMenu) -> dict[str, Any]:
    return {
        "menu_id": menu.menu_id, "on": menu.on.isoformat(), "meal": menu.meal,
        "items": [
            {
                "item_id": one.item_id, "dish_id": one.dish_id, "name": one.name,
                "name_en": one.name_en, "kind": one.kind, "price_fen": one.price_fen,
                "left": one.left, "portions": one.portions, "marks": list(one.marks),
            }
            for one in menu.items
        ],
    }  # fmt: skip


def _shift(till_id: int) -> Mapping[str, Any] | None:
    """The till's newest shift, open or closed."""
    shift = db.session.scalar(
        sa.select(Shift).where(Shift.till_id == till_id).order_by(Shift.number.desc()).limit(1)
    )
    if shift is None:
        return None
    return {
        "number": shift.number, "cashier": shift.cashier_id, "open": shift.closed_at is None,
        "opened_at": instant(shift.opened_at), "float_fen": shift.float_fen,
        "left_fen": shift.left_fen,
    }  # fmt: skip


def _gathered(query: sa.Select[Any], asked: dict[str, Any]) -> dict[int, list[Any]]:
    rows: Iterable[Any] = db.session.execute(query, asked)
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.elder_id, []).append(row)
    return found


# Built once: whoever is identified waits for them.
_ELDER, _SPELT, _CARD, _USE = (
    sa.inspect(model).local_table.c for model in (Elder, ElderInitials, Card, QuotaUse)
)
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", type_=_ELDER.id.type, expanding=True)
_PEOPLE = sa.select(
    _ELDER.id, _ELDER.name, _ELDER.birth_date, _ELDER.ric_cipher, _ELDER.ric_hash, _ELDER.phone,
    _ELDER.diet_notes,
).where(_ELDER.id.in_(_IDS))  # fmt: skip
_INITIALS = (
    sa.select(_SPELT.elder_id, _SPELT.initials)
    .where(_SPELT.elder_id.in_(_IDS))
    .order_by(_SPELT.initials)
)
_CARDS = (
    sa.select(_CARD.elder_id, _CARD.number, _CARD.lost_at)
    .where(_CARD.elder_id.in_(_IDS))
    .order_by(_CARD.number)
)
_USED = sa.select(_USE.elder_id, _USE.period_code, _USE.used).where(
    _USE.elder_id.in_(_IDS),
    sa.tuple_(_USE.period_code, _USE.starts_on).in_(
        sa.bindparam("periods", expanding=True)
    ),
)
