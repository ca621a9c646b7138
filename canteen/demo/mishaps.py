"""What went wrong in the demo's past months, for the checks to find and people to decide.

Planted at two canteens near the first one, never at the first: its month is there to be approved.
Everything comes from what was sold and recorded; nobody writes a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.canteens import registering
from canteen.db import db
from canteen.demo import hands
from canteen.demo.people import BORN, Person
from canteen.demo.places import Place
from canteen.elders import enrolling
from canteen.elders.checking import FactWish
from canteen.elders.models import Elder
from canteen.menus.models import Menu, MenuItem
from canteen.orders import packing
from canteen.orders.placing import place
from canteen.orders.wishing import Wish

WEDNESDAY, TUESDAY, THURSDAY = 2, 1, 3
GRACE = timedelta(days=4)  # for so long after the fact somebody still used the card


@dataclass
class Mishaps:
    """Where and of whom: the canteen with most of it, one that delivers, elders by what befell
    them (the day it holds from), the homebound elder who gets deliveries."""

    month: date  # the first of the last whole month
    flawed: Place
    kitchen: Place | None
    told_late: dict[str, tuple[Person, date]] = field(default_factory=dict)
    homebound: Person | None = None

    def weekday(self, week: int, weekday: int) -> date:
        """The nth (1…) of a weekday in the month."""
        ahead = (weekday - self.month.weekday()) % 7
        return self.month + timedelta(days=ahead + 7 * (week - 1))


def prepare(
    places: list[Place], people: list[Person], first: date, today: date
) -> Mishaps | None:
    """Choose where and whom before any meal is sold; None when the past has no whole month."""
    month = clock.period_days(clock.period_before(clock.period_of(today)))[0]
    last = clock.period_days(clock.period_of(month))[1]
    near = [
        each for each in places[1:]
        if each.district == places[0].district and not (each.idle_from and each.idle_from <= last)
    ]  # fmt: skip
    own = [each for each in near if each.operator_id == places[0].operator_id] or near
    if first > month or not own:
        return None
    flawed = own[0]
    made = Mishaps(month, flawed, next(
        (each for each in near if each is not flawed and each.tier < 3), None
    ))  # fmt: skip
    flawed.slips = {
        made.weekday(2, WEDNESDAY): "closed", made.weekday(3, TUESDAY): "stack",
        made.weekday(4, THURSDAY): "late",
    }  # fmt: skip
    since = {"deceased": month + timedelta(days=11), "in_institution": month + timedelta(days=17)}
    before = clock.period_days(clock.period_before(clock.period_of(month)))[0]
    if first <= before:
        since["moved"] = before + timedelta(days=19)
    regulars = _entitled(people, places.index(flawed))
    for (status, day), person in zip(since.items(), regulars, strict=False):
        person.appetite, person.eats_until = 9.0, day + GRACE
        made.told_late[status] = (person, day)
    if made.kitchen is not None:
        made.homebound = next(iter(_entitled(people, places.index(made.kitchen))), None)
    if made.homebound is not None:
        made.homebound.appetite = 0.0
    return made


def _entitled(people: list[Person], home: int) -> list[Person]:
    """Whose subsidy is plain: eighty and more, of the city, alive; those of a canteen, in order."""
    return [
        each for each in people
        if each.home == home and each.id not in BORN and each.dead_on is None
        and each.facts.household.startswith("12") and not each.facts.categories
    ]  # fmt: skip


def let_happen(made: Mishaps) -> None:
    """What was announced, delivered and, only now, recorded, each by whose business it was."""
    closed = made.weekday(2, WEDNESDAY)
    registering.announce_closure(
        made.flawed.id, closed, "检修燃气管道", by=hands.at_canteen("manager", made.flawed.id),
        today=closed - timedelta(days=2),
    )
    evidence = {
        "deceased": "民政殡葬信息比对", "in_institution": "养老院入住协议", "moved": "户籍迁出证明",
    }  # fmt: skip
    streets = hands.of("street")
    for status, (person, day) in made.told_late.items():
        elder = db.session.get_one(Elder, person.id)
        wish = FactWish("status", status, day, evidence=evidence[status])
        enrolling.record_fact(person.id, wish, streets[elder.street_code])
    if made.kitchen is not None and made.homebound is not None:
        for week, wrong in ((2, False), (3, True), (4, False)):
            _deliver(made.kitchen, made.homebound, made.weekday(week, TUESDAY), wrong)


def _deliver(kitchen: Place, diner: Person, on: date, wrong: bool) -> None:
    """A lunch brought to somebody's door; a wrong one is signed for before it has left."""
    menu = sa.select(Menu.id).where(
        Menu.canteen_id == kitchen.id, Menu.on == on, Menu.meal == "lunch"
    )
    item = db.session.scalars(
        sa.select(MenuItem).where(MenuItem.menu_id.in_(menu), MenuItem.taken < MenuItem.portions)
        .order_by(MenuItem.price_fen.desc(), MenuItem.id).limit(1)
    ).first()  # fmt: skip
    if item is None:
        return
    by = hands.at_canteen("cashier", kitchen.id)

    def at(hour: int, minute: int) -> datetime:
        return clock.instant(on, time(hour, minute))

    wish = Wish(
        canteen_id=kitchen.id, on=on, meal="lunch", service="delivery", lines={item.id: 1},
        elder_id=diner.id,
    )  # fmt: skip
    order_id = place(wish, by, at(10, 40)).order_id
    packing.pack(order_id, by, at(11, 20))
    packing.send_out(order_id, by, at(12, 25) if wrong else at(11, 30))
    packing.deliver(order_id, "本人", by, at(11, 50))
