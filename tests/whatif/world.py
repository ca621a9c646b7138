"""A small city of random past meals, and the slow replay every fast one must agree with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.db import db, transaction
from canteen.orders.models import Order, OrderRefund
from canteen.orders.quoting import compact
from canteen.subsidies.cases import Case, ElderFacts
from canteen.subsidies.eligibility import age_on
from canteen.subsidies.granting import COUNTED
from canteen.subsidies.policies import CATEGORIES
from canteen.subsidies.pricing import quota_keys, quote
from canteen.whatif.calendar import Calendar
from canteen.whatif.results import band_of
from canteen.whatif.scenarios import Drafted, InForceThen
from tests.factories import City, make_canteen, make_city, make_elder

FIRST, LAST = date(2024, 5, 8), date(2024, 6, 12)  # a new policy begins within, weeks are cut
LOCAL = ["honoured", "special_hardship", "family_planning_special", "valueof"]
HOUSEHOLDS = ["12", "120103", "120103001", "120104", "120104001", "1101", "31", "4401", "4403",
              "440118", None]  # fmt: skip


def make_meals(dice: Random, orders: int = 900, elders: int = 14) -> City:
    """Random orders from before the period until after it, with every kind of stored facts."""
    city = make_city(date(2024, 6, 1))
    with transaction() as session:
        places = [city.here, city.elsewhere, make_canteen("120103002"), make_canteen("120104002")]
        people = [city.elder] + [
            make_elder(date(1930 + n, 1 + n % 12, 2), sequence=n + 50) for n in range(1, elders)
        ]
        facts = {person.id: _facts(dice) for person in people}
        days = (LAST - FIRST).days + 30
        for number in range(orders):
            elder, place = dice.choice(people), dice.choice(places)
            on = FIRST - timedelta(days=15) + timedelta(days=dice.randrange(days))
            session.add(_order(dice, number, city, elder.id, place, on, facts[elder.id]))
        session.flush()
        for order in session.scalars(sa.select(Order).where(Order.id % 17 == 0)):
            if order.inputs and order.list_fen > 400:
                _refund(order, 300)
    return city


def _facts(dice: Random) -> dict[str, Any]:
    return {
        "birth_date": date(dice.randint(1930, 1964), dice.randint(1, 12), dice.randint(1, 28)),
        "household": dice.choice(HOUSEHOLDS),
        "categories": frozenset(dice.sample([*CATEGORIES, *LOCAL], dice.randint(0, 5))),
        "care_level": dice.choice([None, "mild", "moderate", "severe"]),
        "disability_grade": dice.choice([None, 1, 2, 3]),
        "in_institution": dice.random() < 0.05,
        "long_term_care": dice.random() < 0.05,
    }


def _order(
    dice: Random, number: int, city: City, elder_id: int, place: Any, on: date, known: dict
) -> Order:
    facts = dict(known)
    if dice.random() < 0.2:
        facts["status"] = dice.choice(["moved", "in_institution", "deceased"])
        facts["status_since"] = dice.choice([None, on, on - timedelta(days=1)])
    if dice.random() < 0.3:  # a birthday about the day of the meal
        birth = facts["birth_date"]
        facts["birth_date"] = date(birth.year, on.month, min(on.day, 28))
    list_fen = dice.choice([1300, 1299, 1500, 800, 1600, 2100, 300, dice.randint(100, 3000)])
    meal = dice.choice(["breakfast", "lunch", "lunch", "dinner"])
    service = dice.choice(["eat_in", "pick_up", "delivery"])
    case = Case(
        district=place.district_code, street=place.street_code, on=on, meal=meal,
        tier=dice.choice([1, 2, 3]), grade=dice.choice([None, "good", "fail", "excellent"]),
        list_fen=list_fen, standard_set_fen=dice.choice([None, 1300, 1300, 1500]),
        service=service, discount_bp=dice.choice([0, 0, 1000, 1250, 5000]),
        elder=ElderFacts(**facts), used_today=dice.choice([0, 1]),
        to_account=dice.random() < 0.1, beyond_caps=dice.random() < 0.2,
    )  # fmt: skip
    at = clock.now()
    return Order(
        canteen_id=place.id, elder_id=None if dice.random() < 0.1 else elder_id,
        menu_id=city.items[0].menu_id, on=on, meal=meal, service=service, channel="till",
        state="cancelled" if dice.random() < 0.05 else "served", payment="cash",
        list_fen=list_fen, discount_fen=0, subsidy_fen=0, payable_fen=list_fen,
        cash_fen=list_fen, inputs=compact(case) if number % 40 else None, placed_at=at,
        placed_by="test", paid_at=at, paid_on=on, note="",
    )  # fmt: skip


def _refund(order: Order, fen: int) -> None:
    db.session.add(
        OrderRefund(
            order_id=order.id, at=order.placed_at, on=order.on, refunded_by="test",
            reason_code="mistake", list_fen=fen, discount_fen=0, payable_fen=fen, cash_fen=fen,
        )
    )


@dataclass
class Slow:
    """What one scenario comes to, meal by meal."""

    meals: int = 0
    shares: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    cells: dict[tuple[str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )  # (dimension, key): meals, fen
    elders: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def served(calendar: Calendar) -> list[tuple[Order, Case]]:
    """The orders of elders about a period, in order, each with its case."""
    refunds = {row.order_id: row.list_fen for row in db.session.scalars(sa.select(OrderRefund))}
    query = sa.select(Order).where(
        Order.state == "served", Order.elder_id.is_not(None),
        Order.on.between(calendar.begin, calendar.end),
    )  # fmt: skip
    found = []
    for order in db.session.scalars(query.order_by(Order.id)).all():
        if order.inputs is not None:
            case = Case.from_dict(order.inputs)
            found.append((order, case.but(list_fen=case.list_fen - refunds.get(order.id, 0))))
    return found


def slow(
    scenario: InForceThen | Drafted, calendar: Calendar, orders: list[tuple[Order, Case]],
    territory: str = "12",
) -> Slow:  # fmt: skip
    """Every order quoted by itself, in order, with running counters."""
    found, used = Slow(), defaultdict(int)
    for order, case in orders:
        policy = scenario.policy(case.district, order.on)
        if policy is None:
            continue
        keys = quota_keys(policy, order.on, order.meal)
        counted = {"used_today": 0, "used_this_week": 0, "used_this_meal": 0, "used_this_month": 0}
        for code, start, _ in keys:
            counted[COUNTED.get(code, "used_this_meal")] = used[order.elder_id, code, start]
        quoted = quote(policy, case.but(**counted))
        if quoted.uses_quota:
            for code, start, _ in keys:
                used[order.elder_id, code, start] += 1
        inside = calendar.first <= order.on <= calendar.last
        if not (quoted.shares and inside and (case.street or "").startswith(territory)):
            continue
        fen = sum(share.amount_fen for share in quoted.shares)
        assert case.elder
        age = age_on(case.elder.birth_date, order.on)
        found.meals += 1
        for share in quoted.shares:
            found.shares[share.side, share.funder] += share.amount_fen
        for cell in (
            ("district", case.district), ("tier", str(case.tier)), ("band", band_of(age)),
            ("month", clock.period_of(order.on)),
        ):
            found.cells[cell][0] += 1
            found.cells[cell][1] += fen
        found.elders[order.elder_id] += quoted.subsidy_fen + quoted.account_fen
    return found
