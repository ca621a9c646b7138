"""A month of ordinary meals with twelve irregularities of different kinds planted in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import (
    Canteen,
    Closure,
    ElderDiscount,
    Licence,
    Operator,
    StandardSetPrice,
)
from canteen.db import transaction
from canteen.elders.models import Elder, ElderFact
from canteen.menus.models import MenuItem
from canteen.orders.booking import post_day
from canteen.orders.models import Order
from canteen.orders.placing import place
from canteen.orders.wishing import Wish
from canteen.subsidies.policies import load_folder
from canteen.subsidies.publishing import publish
from canteen.territory.actors import Actor, job
from tests.factories import (
    actor,
    make_canteen,
    make_elder,
    make_fact,
    make_menu,
    make_territories,
    make_user,
)

# What each planted irregularity is found as, and how many findings it makes.
PLANTED = {
    "deceased": 2, "in_institution": 2, "moved_away": 1, "long_term_care": 2, "closed_day": 5,
    "food_licence_expired": 3, "signed_before_sent": 1, "out_of_hours": 1, "burst": 1,
    "staff_phone": 1, "shared_account": 2, "very_old": 1,
}  # fmt: skip


@dataclass
class Month:
    """The month that was made: who is who, and the orders of each irregularity."""

    period: str
    first: date
    here: Canteen
    elsewhere: Canteen
    elders: dict[str, Elder] = field(default_factory=dict)
    orders: dict[str, list[int]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def day(self, number: int) -> date:
        """A day of the month's third and fourth whole week: 0 is a Monday."""
        monday = self.first + timedelta(days=(7 - self.first.weekday()) % 7 + 7)
        return monday + timedelta(days=number)


def last_month() -> str:
    """The month before this one, so that it has ended whenever the test runs."""
    return clock.period_before(clock.period_of(clock.business_date()))


def make_month(period: str | None = None) -> Month:
    """Twelve ordinary elders for two weeks, and the twelve irregularities."""
    month = _places(period or last_month())
    with transaction():
        _people(month)
    for number in range(12):
        with transaction():
            _sell_day(month, number)
    with transaction():
        _after(month)
        post_day(clock.period_days(month.period)[1], job("test"))
    return month


def _places(period: str) -> Month:
    with transaction() as session:
        make_territories()
        publish(load_folder(), "120000", job("test"))
        for district in ("120103", "120104"):
            session.add(
                StandardSetPrice(
                    district_code=district, from_on=date(2019, 1, 1), price_fen=1300,
                    set_by="user:1",
                )
            )
        here = make_canteen("120104001", name="春和里老人家食堂", name_en="Chunheli Canteen")
        elsewhere = make_canteen("120103001", name="佳宁里老人家食堂", name_en="Jianing Canteen")
        for canteen in (here, elsewhere):
            session.add(
                ElderDiscount(
                    canteen_id=canteen.id, min_age=60, from_on=date(2019, 1, 1), discount_bp=1000
                )
            )
            for kind in ("business", "food", "agreement"):
                session.add(
                    Licence(
                        canteen_id=canteen.id, kind=kind, number=f"{kind[:2].upper()}{canteen.id}",
                        valid_from=date(2024, 1, 1), valid_to=date(2099, 1, 1),
                    )
                )
    return Month(period, clock.period_days(period)[0], here, elsewhere)


def _people(month: Month) -> None:
    surnames = "赵钱孙李周吴郑王冯陈褚卫"
    given = ["安康", "和平", "长青", "福来", "秀兰", "玉珍", "德明", "桂英", "永年", "淑华", "国栋",
             "慧敏"]  # fmt: skip
    for number in range(12):
        month.elders[f"usual{number}"] = make_elder(
            date(1936 + number % 8, 3, 4), name=surnames[number] + given[number]
        )
    names = {"deceased": "沈逝", "in_institution": "韩院", "moved_away": "杨迁", "covered": "朱护",
             "phone": "秦话", "sixty": "许邮"}  # fmt: skip
    for key, name in names.items():
        month.elders[key] = make_elder(date(1940, 5, 6), name=name)
    month.elders["very_old"] = make_elder(date(1915, 2, 3), name="何百岁")
    month.elders["phone"].phone = month.here.phone = "02299000001"
    for role, ground in {
        "cashier": {"canteen_id": month.here.id},
        "cashier_elsewhere": {"canteen_id": month.elsewhere.id},
        "operator": {"operator_id": month.here.operator_id},
        "operator_elsewhere": {"operator_id": month.elsewhere.operator_id},
        "street": {"territory_code": "120104001"}, "district": {"territory_code": "120104"},
        "district_second": {"territory_code": "120104"}, "city": {"territory_code": "120000"},
        "city_second": {"territory_code": "120000"},
        "street_elsewhere": {"territory_code": "120103001"},
        "district_elsewhere": {"territory_code": "120103"},
    }.items():  # fmt: skip
        month.users[role] = make_user(role.partition("_")[0], role, **ground)


def _sell_day(month: Month, number: int) -> None:
    """One day's lunch: the usual people, and whoever of the irregular eats that day."""
    on = month.day(number)
    menu, elsewhere = make_menu(month.here, on), make_menu(month.elsewhere, on)
    for index in range(8):
        if (index + number) % 7 < 4 and number != 6:
            _sell(month, "cashier", menu, on, f"usual{index}", minute=7 * index)
    for index in range(8, 12):
        if (index + number) % 7 < 3 and number != 6:
            _sell(month, "cashier_elsewhere", elsewhere, on, f"usual{index}", minute=9 * index)
    for index in range(6):
        _sell(month, "cashier", menu, on, None, minute=80 + 5 * index)
    days = {
        "deceased": (0, 1, 2), "in_institution": (1, 3), "moved_away": (3,), "covered": (2, 4),
        "phone": (0, 2, 4), "very_old": (1, 2, 3),
    }  # fmt: skip
    for key, when in days.items():
        if number in when:
            order = _sell(month, "cashier", menu, on, key, minute=61)
            month.orders.setdefault(key, []).append(order)
    if number == 6:
        for index in range(12):
            who = f"usual{index}"
            order = _sell(month, "cashier", menu, on, who, minute=45, second=2 * index)
            month.orders.setdefault("burst", []).append(order)
    if number == 8:
        order = _sell(month, "cashier", menu, on, "sixty", minute=20)
        month.orders["out_of_hours"] = [order]
    if number == 9:
        order = _sell(month, "cashier", menu, on, "sixty", minute=20, service="delivery")
        month.orders["signed_before_sent"] = [order]


def _sell(
    month: Month, cashier: str, menu: list[MenuItem], on: date, elder: str | None, *, minute: int,
    second: int = 0, service: str = "eat_in",
) -> int:  # fmt: skip
    by: Actor = actor(month.users[cashier])
    at = clock.instant(on, time(11)) + timedelta(minutes=minute, seconds=second)
    wish = Wish(
        canteen_id=by.canteen_id or 0, on=on, meal="lunch", service=service,
        lines={menu[0].id: 1}, elder_id=month.elders[elder].id if elder else None,
        serve_now=True,
    )  # fmt: skip
    return place(wish, by, at).order_id


def _after(month: Month) -> None:
    """What became known only after the meals, and what was done behind the till's back."""
    known = clock.instant(month.day(11), time(20))
    for key, kind, value, since in (
        ("deceased", "status", "deceased", 0), ("in_institution", "status", "in_institution", 0),
        ("moved_away", "status", "moved", 1), ("covered", "long_term_care", "covered", 0),
    ):  # fmt: skip
        fact(month.elders[key], kind, value, month.day(since), known)
    closing_day = month.day(7)
    _session().add(Closure(canteen_id=month.here.id, on=closing_day, reason="设备检修"))
    _session().execute(
        sa.update(Licence)
        .where(Licence.canteen_id == month.elsewhere.id, Licence.kind == "food")
        .values(valid_to=month.day(9) - timedelta(days=1))
    )
    own = _session().get_one(Operator, month.elsewhere.operator_id)
    own.payout_account = _session().get_one(Operator, month.here.operator_id).payout_account
    late = clock.instant(month.day(8), time(22, 40))
    _moved(month.orders["out_of_hours"], placed_at=late, served_at=late)
    _moved(
        month.orders["signed_before_sent"],
        sent_at=clock.instant(month.day(9), time(13)),
        served_at=clock.instant(month.day(9), time(12)),
    )


def fact(elder: Elder, kind: str, value: str, since: date, recorded_at: datetime) -> ElderFact:
    """A fact of an elder that became known at an instant."""
    make_fact(elder, kind, value, since)
    made = _session().scalars(
        sa.select(ElderFact).filter_by(elder_id=elder.id, kind=kind, value=value)
    ).one()  # fmt: skip
    made.recorded_at = recorded_at
    return made


def _moved(order_ids: list[int], **moments: datetime) -> None:
    _session().execute(sa.update(Order).where(Order.id.in_(order_ids)).values(**moments))


def _session() -> sa.orm.Session:
    from canteen.db import db

    return db.session()
