"""An October with one ordinary meal, into which a test plants exactly what a check must find."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen, Licence, Operator
from canteen.checks import running
from canteen.checks.models import Suspicion
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.orders.models import Cancellation, Order, OrderLine, OrderRefund
from canteen.subsidies.models import Funding, Grant, PolicyVersion
from canteen.territory.actors import job
from canteen.tills.models import Till, TillEntry
from tests.factories import City, make_city, make_elder, make_menu
from tests.keeping import kept
from tests.settlements.factories import make_funding, open_month

PERIOD = "2026-10"
DAY = date(2026, 10, 6)  # a Tuesday
AFTER = datetime.fromisoformat("2026-11-02T01:00:00+00:00")
JOB = job("check_meals")


@dataclass
class World:
    """The city with its menu of DAY, a plain funding of 3.00 and 2.00, and Tianjin's policy."""

    city: City
    funding: Funding
    policy_id: int
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def here(self) -> Canteen:
        """The canteen where things happen."""
        return self.city.here

    @property
    def there(self) -> Canteen:
        """Another one, in the other district."""
        return self.city.elsewhere

    def elder(self, **changes: Any) -> Elder:
        """Another elder of 86, by another name and birthday."""
        number = db.session.query(Elder).count() + 1
        given = {"birth": date(1940, 1, 1) + timedelta(days=number), "name": f"孙{number}"}
        return make_elder(**(given | changes))

    def meal(
        self, elder: Elder, on: date = DAY, *, canteen: Canteen | None = None, hour: int = 11,
        minute: int = 13, second: int = 7, meal: str = "lunch", granted: bool = True,
        group: str = "G1", period: str = PERIOD, account: bool = False, lines: bool = True,
        enterprise_fen: int = 200, **changes: Any,
    ) -> int:
        """One subsidised meal as a bare row, ordinary but for what is changed; its order's id."""
        canteen = canteen or self.here
        at = clock.instant(on, time(hour, minute, second))
        values: dict[str, Any] = {
            "canteen_id": canteen.id, "elder_id": elder.id, "menu_id": self.city.items[0].menu_id,
            "on": on, "meal": meal, "service": "eat_in", "channel": "till", "state": "served",
            "payment": "cash", "list_fen": 1500, "discount_fen": 0,
            "subsidy_fen": 300 if granted and not account else 0, "policy_id": self.policy_id,
            "placed_at": at, "placed_by": "user:1", "paid_at": at, "paid_on": on,
            "served_at": at, "served_by": "user:1", "note": "", "excess_fen": 0,
        } | changes
        values["payable_fen"] = values["list_fen"] - values["discount_fen"] - values["subsidy_fen"]
        values["cash_fen"] = values["payable_fen"]
        order_id = db.session.execute(
            sa.insert(Order.__table__).values(values).returning(Order.__table__.c.id)
        ).scalar_one()
        if lines:
            item = self.city.items[0]
            db.session.add(OrderLine(order_id=order_id, menu_item_id=item.id, quantity=1,
                                     unit_fen=values["list_fen"]))  # fmt: skip
        if granted:
            self.grant(order_id, elder, canteen, on, meal, group, period, at, account=account,
                       enterprise_fen=enterprise_fen)  # fmt: skip
        return int(order_id)

    def grant(
        self, order_id: int, elder: Elder, canteen: Canteen, on: date, meal: str, group: str,
        period: str, at: datetime, *, sign: int = 1, account: bool = False,
        enterprise_fen: int = 200,
    ) -> None:
        """The subsidy of a meal, or its return."""
        db.session.add(
            Grant(
                order_id=order_id, number=1 if sign > 0 else 2, sign=sign,
                cause="sale" if sign > 0 else "cancelled", elder_id=elder.id, canteen_id=canteen.id,
                period=period, on=on, meal=meal, policy_id=self.policy_id, group_code=group,
                funding_id=self.funding.id, till_fen=0 if account else 300 * sign,
                account_fen=300 * sign if account else 0, enterprise_fen=enterprise_fen * sign,
                delivery_fen=0, made_at=at,
            )
        )
        db.session.flush()

    def take_back(self, order_id: int, after: timedelta, by: str = "user:1") -> None:
        """Cancel a meal some time after it was served, with its subsidy."""
        order = db.session.get_one(Order, order_id)
        assert order.served_at is not None
        at = order.served_at + after
        order.state = "cancelled"
        db.session.add(
            Cancellation(
                order_id=order_id, at=at, on=clock.business_date(at), cancelled_by=by,
                reason_code="mistake", refund_fen=order.payable_fen,
            )
        )
        grants = db.session.scalars(sa.select(Grant).filter_by(order_id=order_id, sign=1))
        for own in grants.all():
            elder = db.session.get_one(Elder, own.elder_id)
            canteen = db.session.get_one(Canteen, own.canteen_id)
            self.grant(order_id, elder, canteen, own.on, own.meal, own.group_code, own.period, at,
                       sign=-1)  # fmt: skip

    def give_back(self, order_id: int, after: timedelta, by: str = "user:1") -> None:
        """Give back a dish of a meal some time after it was served; the subsidy stays."""
        order = db.session.get_one(Order, order_id)
        assert order.served_at is not None
        at = order.served_at + after
        db.session.add(
            OrderRefund(
                order_id=order_id, at=at, on=clock.business_date(at), refunded_by=by,
                reason_code="quality", list_fen=100, discount_fen=0, payable_fen=100, cash_fen=100,
            )
        )
        db.session.flush()

    def entry(
        self, till: Till, order_id: int, *, notes: tuple[str, ...] = (), kept: bool = False,
        lag: timedelta = timedelta(0), how: str = "card",
    ) -> int:
        """The till's journal entry of a sale; its number."""
        order = db.session.get_one(Order, order_id)
        till.head += 1
        till.claimed = max(till.claimed, till.head)
        db.session.add(
            TillEntry(
                till_id=till.id, number=till.head, kind="sale", order_id=order_id, kept=kept,
                device_at=order.placed_at, made_at=order.placed_at,
                received_at=order.placed_at + lag, body=json.dumps({"kind": "sale", "how": how}),
                mac=f"{till.head:064d}", outcome={}, notes=list(notes),
            )
        )
        db.session.flush()
        return till.head


Plant = Callable[[World], list[str]]


@kept
def make_world() -> World:
    """The city on DAY, its papers in order, and one ordinary meal that no check may find."""
    city = make_city(DAY)
    with transaction():
        make_menu(city.here, DAY, "dinner")
        shares = {("elder", "city"): 150, ("elder", "district"): 150, ("enterprise", "city"): 200}
        funding = make_funding(shares)
        policy = db.session.scalars(
            sa.select(PolicyVersion.id)
            .where(PolicyVersion.territory_code == "120000")
            .order_by(PolicyVersion.in_force_from.desc())
        ).first()
        assert policy is not None
        for canteen in (city.here, city.elsewhere):
            operator = db.session.get_one(Operator, canteen.operator_id)
            operator.phone = f"1990008000{operator.id}"
            for kind in ("business", "food", "agreement"):
                db.session.add(
                    Licence(
                        canteen_id=canteen.id, kind=kind, number=f"{kind}{canteen.id}",
                        valid_from=date(2024, 1, 1), valid_to=date(2027, 12, 31),
                    )
                )
        open_month(PERIOD)
        db.session.flush()
        world = World(city, funding, policy)
        world.extra["innocent"] = world.meal(city.elder)
    return world


def run(*only: str, **where: Any) -> running.Found:
    """Run the checks, or only those named, over October."""
    scope = scope_of(PERIOD, date(2026, 11, 2), **where)
    with transaction():
        return running.run(scope, by=JOB, at=AFTER, only=only or None)


def found(code: str) -> list[Suspicion]:
    """What one check found that still holds, by key."""
    return list(
        db.session.scalars(
            sa.select(Suspicion)
            .where(Suspicion.code == code, Suspicion.state != "cleared")
            .order_by(Suspicion.key)
            .execution_options(populate_existing=True)
        )
    )


def keys(code: str) -> list[str]:
    """The keys of what one check found."""
    return [suspicion.key for suspicion in found(code)]


def finds_just(code: str, plant: Plant) -> None:
    """A check finds what is planted for it, by the keys `plant` gives, and nothing else."""
    world = make_world()
    with transaction():
        expected = plant(world)
    run(code)
    assert keys(code) == expected
