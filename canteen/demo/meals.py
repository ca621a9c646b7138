"""Months of made-up meals, each priced by the real policy engine and counted like a real one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db
from canteen.demo import slips
from canteen.demo.people import Person
from canteen.demo.places import HOURS, Place
from canteen.loading import catch_up_sequences, load
from canteen.menus.models import Menu, MenuItem
from canteen.orders.models import Cancellation, Order, OrderLine
from canteen.orders.quoting import compact
from canteen.payments.models import Charge
from canteen.performance.models import Rating
from canteen.subsidies.cases import Case, Quote
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.granting import COUNTED, digest_of
from canteen.subsidies.models import Funding, FundingShare, Grant, QuotaUse
from canteen.subsidies.pricing import quota_keys, quote
from canteen.subsidies.publishing import InForce, in_force

SHARE_OF_DAY = {"breakfast": 0.10, "lunch": 0.72, "dinner": 0.18}
OTHERS_FOR_EACH_ELDER = 28 / 72  # 72 % of all visits are by elders


@dataclass
class Kitchen:
    """Everything that is counted while days go by; rows leave through `load` a day at a time."""

    rng: Random
    places: list[Place]
    by_home: dict[int, list[Person]]
    order_id: int = 0
    menu_id: int = 0
    item_id: int = 0
    grant_id: int = 0
    quota: dict[tuple[int, str, date], int] = field(default_factory=lambda: defaultdict(int))
    fundings: dict[str, tuple[int, Quote]] = field(default_factory=dict)
    policies: dict[tuple[str, date], InForce] = field(default_factory=dict)
    rows: dict[Any, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def policy(self, district: str, on: date) -> InForce:
        """The policy in force, asked for once a district and day."""
        key = (district, on)
        if key not in self.policies:
            self.policies[key] = in_force(district, on)
        return self.policies[key]


COLUMNS: dict[Any, tuple[str, ...]] = {
    Menu: ("id", "canteen_id", "on", "meal", "published_at"),
    MenuItem: ("id", "menu_id", "dish_id", "price_fen", "portions", "taken", "sold_out"),
    Order: (
        "id", "canteen_id", "elder_id", "menu_id", "on", "meal", "service", "channel", "state",
        "payment", "list_fen", "discount_fen", "subsidy_fen", "payable_fen", "cash_fen",
        "excess_fen", "policy_id", "inputs", "placed_at", "placed_by", "paid_at", "paid_on",
        "served_at", "served_by", "note",
    ),
    OrderLine: ("order_id", "menu_item_id", "quantity", "unit_fen"),
    Cancellation: ("order_id", "at", "on", "cancelled_by", "reason_code", "reason", "refund_fen"),
    Charge: (
        "order_id", "canteen_id", "amount_fen", "state", "provider_id", "period", "asked_at",
        "settled_at",
    ),
    Funding: ("id", "digest", "till_fen", "account_fen", "enterprise_fen", "delivery_fen"),
    FundingShare: ("funding_id", "side", "funder", "amount_fen"),
    Grant: (
        "id", "order_id", "number", "sign", "cause", "elder_id", "canteen_id", "period", "on",
        "meal", "policy_id", "group_code", "funding_id", "till_fen", "account_fen",
        "enterprise_fen", "delivery_fen", "made_at",
    ),
    Rating: ("order_id", "canteen_id", "stars", "comment", "on"),
}  # fmt: skip


def make_meals(
    rng: Random, places: list[Place], people: list[Person], first: date, last: date,
    tick: Callable[[], None] = lambda: None,
) -> int:
    """Sell meals from `first` to `last`, both included; gives how many orders there are."""
    homes: dict[int, list[Person]] = defaultdict(list)
    for person in people:
        homes[person.home].append(person)
    kitchen = Kitchen(rng, places, homes)
    on = first
    while on <= last:
        for index, place in enumerate(places):
            if str(on.isoweekday()) in place.weekdays and not (
                place.idle_from and on >= place.idle_from
            ):
                _day(kitchen, index, place, on)
        _flush(kitchen)
        tick()
        on += timedelta(days=1)
    load(
        QuotaUse, ("elder_id", "period_code", "starts_on", "used"),
        ((elder, code, starts, used) for (elder, code, starts), used in kitchen.quota.items()),
    )
    catch_up_sequences(Menu, MenuItem, Order, Grant, Funding)
    return kitchen.order_id


def make_menus(rng: Random, places: list[Place], first: date, last: date) -> None:
    """Published menus without any orders: today's and the coming days'."""
    kitchen = Kitchen(rng, places, {})
    kitchen.menu_id = db.session.scalar(sa.select(sa.func.max(Menu.id))) or 0
    kitchen.item_id = db.session.scalar(sa.select(sa.func.max(MenuItem.id))) or 0
    on = first
    while on <= last:
        for place in places:
            if str(on.isoweekday()) in place.weekdays:
                for meal in place.meals:
                    menu, items = _menu(kitchen, place, on, meal)
                    for item in items:
                        kitchen.rows[MenuItem].append(
                            (item[0], menu, item[1], item[3], 60, 0, False)
                        )
        on += timedelta(days=1)
    _flush(kitchen)
    catch_up_sequences(Menu, MenuItem)


def _menu(kitchen: Kitchen, place: Place, on: date, meal: str) -> tuple[int, list[Any]]:
    """A menu of two sets and five dishes: (item id, dish id, kind, price fen)."""
    kitchen.menu_id += 1
    published = clock.instant(on - timedelta(days=6), time(9))
    kitchen.rows[Menu].append((kitchen.menu_id, place.id, on, meal, published))
    sets = [d for d in place.dishes if d[1] == "set"]
    dishes = [d for d in place.dishes if d[1] == "dish"]
    chosen = (
        sets[-2:] if meal == "breakfast" else kitchen.rng.sample(sets[:6], 2)
    ) + kitchen.rng.sample(dishes, 5)
    items = []
    for dish_id, kind, price in chosen:
        kitchen.item_id += 1
        items.append([kitchen.item_id, dish_id, kind, price, 0])
    return kitchen.menu_id, items


def _day(kitchen: Kitchen, index: int, place: Place, on: date) -> None:
    rng = kitchen.rng
    for meal in place.meals:
        menu, items = _menu(kitchen, place, on, meal)
        share = SHARE_OF_DAY[meal] if len(place.meals) == 3 else {"lunch": 0.8, "dinner": 0.2}[meal]
        everybody = slips.everybody_comes(place, on, meal)
        diners: list[Person | None] = []
        for person in kitchen.by_home.get(index, ()):
            keen = 0.97 if place.quirk == "perfect" and meal == "lunch" else person.appetite * share
            if on <= person.eats_until and rng.random() < (1 if everybody else keen):
                diners.append(person)
        others = len(diners) * OTHERS_FOR_EACH_ELDER * rng.uniform(0.7, 1.3)
        diners += [None] * round(others)
        rng.shuffle(diners)
        opens, _, until = HOURS[meal]
        for seat, diner in enumerate(slips.served(place, on, meal, diners)):
            minutes = (until.hour - opens.hour) * 60 + until.minute - opens.minute
            at = clock.instant(on, opens) + timedelta(
                minutes=rng.triangular(0, minutes + 30, minutes * 0.7), seconds=rng.randint(0, 59)
            )
            at = slips.moment(place, on, meal, seat) or at
            _sell(kitchen, place, on, meal, menu, items, diner, at.astimezone(UTC))
        for item in items:
            kitchen.rows[MenuItem].append(
                (
                    item[0], menu, item[1], item[3], max(40, item[4] + rng.randint(0, 12)),
                    item[4], False,
                )
            )


def _sell(
    kitchen: Kitchen, place: Place, on: date, meal: str, menu: int, items: list[Any],
    diner: Person | None, at: datetime,
) -> None:
    rng = kitchen.rng
    lines = {rng.choice(items[:2])[0]: 1}
    if rng.random() < (0.15 if diner else 0.5) and place.quirk != "at_floor":
        lines[rng.choice(items[2:])[0]] = 1
    elif rng.random() < 0.08:
        lines = {rng.choice(items[2:])[0]: rng.choice((1, 1, 2))}
    by_id = {item[0]: item for item in items}
    list_fen = sum(by_id[item][3] * quantity for item, quantity in lines.items())
    kitchen.order_id += 1
    order_id = kitchen.order_id
    quoted, policy, inputs = _price(kitchen, place, on, meal, diner, list_fen)
    payable = quoted.payable_fen if quoted else list_fen
    online = diner is not None and payable > 0 and rng.random() < 0.06
    service = "pick_up" if online or rng.random() < 0.12 else "eat_in"
    cancelled = not online and rng.random() < 0.006
    for item, quantity in lines.items():
        kitchen.rows[OrderLine].append((order_id, item, quantity, by_id[item][3]))
        if not cancelled:
            by_id[item][4] += quantity
    kitchen.rows[Order].append(
        (
            order_id, place.id, diner.id if diner else None, menu, on, meal, service,
            "elder" if online else "till", "cancelled" if cancelled else "served",
            "online" if online else "cash", list_fen, quoted.discount_fen if quoted else 0,
            quoted.subsidy_fen if quoted else 0, payable, 0 if online else payable, 0,
            policy.id if policy else None, inputs, at,
            f"elder:{diner.id}" if online and diner else f"canteen:{place.id}", at, on, at,
            f"canteen:{place.id}", "",
        )
    )
    if quoted and policy and diner:
        _grant(kitchen, place, on, meal, diner, order_id, quoted, policy, at, cancelled)
    if online:
        kitchen.rows[Charge].append(
            (order_id, place.id, payable, "succeeded", f"pi_demo_{order_id}",
             clock.period_of(on), at, at)
        )  # fmt: skip
    if cancelled:
        kitchen.rows[Cancellation].append(
            (order_id, at + timedelta(minutes=3), on, f"canteen:{place.id}", "mistake", "", payable)
        )
    elif rng.random() < 0.03:
        stars = rng.choices((5, 4, 3, 2, 1), (52, 30, 11, 4, 3))[0]
        kitchen.rows[Rating].append((order_id, place.id, stars, "", on))


def _price(
    kitchen: Kitchen, place: Place, on: date, meal: str, diner: Person | None, list_fen: int
) -> tuple[Quote | None, InForce | None, Any]:
    if diner is None:
        return None, None, None
    policy = kitchen.policy(place.district, on)
    keys = quota_keys(policy.policy, on, meal)
    case = Case(
        district=place.district, street=place.street, on=on, meal=meal, tier=place.tier,
        list_fen=list_fen, standard_set_fen=place.set_fen,
        discount_bp=place.discount_bp(age_on(diner.birth, on)), elder=diner.facts,
        to_account=diner.unreadable or kitchen.rng.random() < 0.002,
        **{
            COUNTED.get(code, "used_this_meal"): kitchen.quota.get((diner.id, code, starts), 0)
            for code, starts, _ in keys
        },
    )
    return quote(policy.policy, case), policy, compact(case)


def _grant(
    kitchen: Kitchen, place: Place, on: date, meal: str, diner: Person, order_id: int,
    quoted: Quote, policy: InForce, at: datetime, cancelled: bool,
) -> None:
    amounts = (
        quoted.subsidy_fen, quoted.account_fen, quoted.enterprise_fen, quoted.delivery_fen
    )
    if not any(amounts):
        return
    for code, starts, _ in quota_keys(policy.policy, on, meal):
        kitchen.quota[diner.id, code, starts] += 0 if cancelled else 1
    funding = _funding(kitchen, quoted, amounts)
    for sign in (1, -1) if cancelled else (1,):
        kitchen.grant_id += 1
        kitchen.rows[Grant].append(
            (
                kitchen.grant_id, order_id, 1 if sign > 0 else 2, sign,
                "sale" if sign > 0 else "cancelled", diner.id, place.id, clock.period_of(on), on,
                meal, policy.id, quoted.group or "", funding, *(sign * fen for fen in amounts), at,
            )
        )


def _funding(kitchen: Kitchen, quoted: Quote, amounts: tuple[int, ...]) -> int:
    names = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
    digest = digest_of(dict(zip(names, amounts, strict=True)), quoted.funders())
    if digest not in kitchen.fundings:
        number = len(kitchen.fundings) + 1
        kitchen.fundings[digest] = (number, quoted)
        kitchen.rows[Funding].append((number, digest, *amounts))
        kitchen.rows[FundingShare] += [
            (number, side, funder, fen)
            for side, funders in quoted.funders().items()
            for funder, fen in funders.items()
            if fen
        ]
    return kitchen.fundings[digest][0]


def _flush(kitchen: Kitchen) -> None:
    for model, columns in COLUMNS.items():
        rows = kitchen.rows.pop(model, [])
        if rows:
            load(model, columns, rows)

