"""Orders and grants for settlement tests: sold by the real acts, or written as bare rows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.menus.models import MenuItem
from canteen.orders.booking import post_day
from canteen.orders.cancelling import cancel
from canteen.orders.models import Order
from canteen.orders.paying import charge_arrived
from canteen.orders.placing import Placed, place
from canteen.orders.wishing import Wish
from canteen.payments.models import Charge, Refund
from canteen.payouts import batching, finding
from canteen.payouts.models import PayoutBatch
from canteen.settlements import closing, looking, reviewing
from canteen.settlements.models import Statement
from canteen.subsidies import granting
from canteen.subsidies.models import Funding, FundingShare, Grant, Period, PolicyVersion
from canteen.territory.actors import Actor, job
from tests.factories import City, actor, make_city, make_elder, make_menu, make_user
from tests.keeping import kept

OCTOBER = "2026-10"
FIRST = date(2026, 10, 1)
AFTER = date(2026, 11, 2)
AFTER_AT = datetime(2026, 11, 2, 1, tzinfo=UTC)
JOB = job("close_month")
CHAIN = ("operator", "street", "district", "city")


@dataclass
class Hands:
    """One person for each office over a canteen."""

    operator: Actor
    street: Actor
    district: Actor
    city: Actor
    extra: dict[str, Actor] = field(default_factory=dict)

    def chain(self) -> list[Actor]:
        """From the operator to the city."""
        return [self.operator, self.street, self.district, self.city]


def at_noon(on: date, hour: int = 11) -> datetime:
    """An instant within lunch hours of a day."""
    return clock.instant(on, time(hour))


def hands_over(canteen: Canteen) -> Hands:
    """Users for every office over one canteen."""
    grounds: dict[str, dict[str, Any]] = {
        "operator": {"operator_id": canteen.operator_id},
        "street": {"territory_code": canteen.street_code},
        "district": {"territory_code": canteen.district_code},
        "city": {"territory_code": "120000"},
    }
    return Hands(**{role: actor(make_user(role, **ground)) for role, ground in grounds.items()})


def sell(
    city: City, items: list[MenuItem], on: date, elder: Elder | None = None, **wish: Any
) -> Placed:
    """Sell one of each item at the counter, or order it online, by the real act."""
    canteen = city.here if wish.pop("here", True) else city.elsewhere
    cashier = city.cashier if canteen is city.here else city.cashier_elsewhere
    online = wish.get("payment") == "online"
    return place(
        Wish(
            canteen_id=canteen.id, on=on, meal=wish.pop("meal", "lunch"), service="eat_in",
            lines={item.id: 1 for item in items}, elder_id=elder.id if elder else None,
            serve_now=not online, **wish,
        ),
        cashier, at_noon(on),
    )  # fmt: skip


@kept
def little_month(first: date = FIRST, *, post: bool = True) -> City:
    """A week of meals by the real acts: subsidised, full price, online, to account, cancelled.

    city.extra holds the elders ("second", "poor"), the orders by name and `hands` over `here`.
    """
    city = make_city(first)
    with transaction():
        city.extra["hands"] = hands_over(city.here)
        city.extra["hands_elsewhere"] = hands_over(city.elsewhere)
        second = make_elder(date(1944, 2, 29), name="钱安康", payout_account="acct_elder_2")
        city.extra["second"] = second
    for number in range(7):
        on = first + timedelta(days=number)
        with transaction():
            menus = city.items if number == 0 else make_menu(city.here, on)
            other = city.items_elsewhere if number == 0 else make_menu(city.elsewhere, on)
            sell(city, menus[:1], on, city.elder)
            sell(city, menus[1:], on)
            sell(city, other[:2], on, second if number < 3 else None, here=False)
        if number == 1:
            with transaction():
                taken_back = sell(city, menus[:1], on)
                cancel(taken_back.order_id, "mistake", "", city.manager, at_noon(on))
        if number == 4:
            with transaction():
                city.extra["to_account"] = sell(city, menus[:1], on, second, to_account=True)
        if number == 5:
            online(city, menus[:1], on, second)
            gone = online(city, menus[:1], on, None)
            with transaction():
                cancel(gone.order_id, "changed_mind", "", city.manager, at_noon(on))
    if post:
        with transaction():
            post_day(clock.period_days(clock.period_of(first))[1], JOB)
    return city


def online(city: City, items: list[MenuItem], on: date, elder: Elder | None) -> Placed:
    """Order and pay online."""
    with transaction():
        placed = sell(city, items, on, elder, payment="online", channel="app")
    with transaction():
        charge_arrived(placed.charge_id, at_noon(on), f"pi_{placed.order_id}")
    with transaction() as session:
        session.execute(
            sa.update(Order).where(Order.id == placed.order_id)
            .values(state="served", served_at=at_noon(on))
        )  # fmt: skip
    return placed


@kept
def close(period: str = OCTOBER, on: date = AFTER, by: Actor = JOB) -> closing.Closing:
    """Close a month in a transaction of its own."""
    with transaction():
        return closing.close(period, by, on=on, at=at_noon(on))


@kept
def pass_on(ids: list[int], hands: Hands, upto: str = "city", on: date = AFTER) -> None:
    """Let every office up to one pass these statements."""
    start = db.session.get_one(Statement, ids[0], populate_existing=True).stage
    for office, by in zip(CHAIN, hands.chain(), strict=True):
        if CHAIN.index(office) < CHAIN.index(start):
            continue
        with transaction():
            if office == "district":
                looking.look_rest(ids, by, at_noon(on))
            reviewing.approve(ids, by, at=at_noon(on))
        if office == upto:
            return


def city_hands() -> tuple[Actor, Actor]:
    """Two people of the city, made when there are none."""
    known = sa.select(User).where(User.role == "city").order_by(User.id)
    users = list(db.session.scalars(known))
    while len(users) < 2:
        with transaction():
            users.append(make_user("city", territory_code="120000"))
    return actor(users[0]), actor(users[1])


def pay_all(at: datetime = AFTER_AT, way: str = "gateway") -> PayoutBatch | None:
    """Two people of the city put every ready payout into a batch and release it."""
    maker, checker = city_hands()
    if not finding.ready_sums()[0]:
        return None
    with transaction():
        batch = batching.make(None, way, maker, at=at)
    with transaction():
        return batching.release(batch.id, batch.digest, checker, at=at)


def statement_of(canteen: Canteen | None = None, period: str = OCTOBER, **where: Any) -> Statement:
    """The statement of a canteen (or an elder) as it stands now."""
    if canteen is not None:
        where["canteen_id"] = canteen.id
    return db.session.scalars(
        sa.select(Statement).filter_by(period=period, **where)
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip


# ── bare rows, for sets and for what the acts would never do ──


def make_funding(shares: dict[tuple[str, str], int], *, account: bool = False) -> Funding:
    """A funding with these shares: {("elder", "city"): 150, …} in fen."""
    funders: dict[str, dict[str, int]] = {"elder": {}, "enterprise": {}, "delivery": {}}
    for (side, funder), fen in shares.items():
        funders[side][funder] = fen
    sides = {side: sum(paid.values()) for side, paid in funders.items()}
    amounts = {
        "till_fen": 0 if account else sides["elder"],
        "account_fen": sides["elder"] if account else 0,
        "enterprise_fen": sides["enterprise"], "delivery_fen": sides["delivery"],
    }
    funding = Funding(digest=granting.digest_of(amounts, funders), **amounts)
    db.session.add(funding)
    db.session.flush()
    for (side, funder), fen in shares.items():
        db.session.add(
            FundingShare(funding_id=funding.id, side=side, funder=funder, amount_fen=fen)
        )
    db.session.flush()
    return funding


def add_grants(
    count: int, canteens: list[int], elders: list[int], fundings: list[Funding], menu_id: int,
    period: str = OCTOBER, seed: int = 1, taken_back: float = 0.1,
) -> None:
    """Bare orders and grants spread over canteens, elders and fundings; some taken back."""
    draw = random.Random(seed)
    policy_id = db.session.scalar(sa.select(sa.func.min(PolicyVersion.id)))
    first = clock.period_days(period)[0]
    base = int(db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(Order.id), 0))) or 0)
    orders, grants = [], []
    for number in range(1, count + 1):
        canteen, elder = draw.choice(canteens), draw.choice(elders)
        funding, on = draw.choice(fundings), first + timedelta(days=draw.randrange(28))
        orders.append(
            {
                "id": base + number, "canteen_id": canteen, "elder_id": elder, "menu_id": menu_id,
                "on": on, "meal": "lunch", "service": "eat_in", "channel": "till",
                "state": "served", "payment": "cash", "list_fen": 1500, "discount_fen": 0,
                "subsidy_fen": funding.till_fen, "payable_fen": 1500 - funding.till_fen,
                "cash_fen": 1500 - funding.till_fen, "excess_fen": 0,
                "policy_id": policy_id, "placed_at": at_noon(on), "placed_by": "user:1",
                "paid_at": at_noon(on), "paid_on": on, "note": "",
            }
        )
        for sign in (1, -1) if draw.random() < taken_back else (1,):
            grants.append(
                {
                    "order_id": base + number, "number": 1 if sign > 0 else 2, "sign": sign,
                    "cause": "sale" if sign > 0 else "cancelled", "elder_id": elder,
                    "canteen_id": canteen, "period": period, "on": on, "meal": "lunch",
                    "policy_id": policy_id, "group_code": "G1", "funding_id": funding.id,
                    "till_fen": sign * funding.till_fen,
                    "account_fen": sign * funding.account_fen,
                    "enterprise_fen": sign * funding.enterprise_fen,
                    "delivery_fen": sign * funding.delivery_fen, "made_at": at_noon(on),
                }
            )
    db.session.execute(sa.insert(Order.__table__), orders)
    db.session.execute(sa.insert(Grant.__table__), grants)
    open_month(period)


def add_taking(order_id: int, canteen_id: int, fen: int, period: str, refund_fen: int = 0) -> None:
    """A bare online taking of an order, and perhaps a refund on it, in a period."""
    at = at_noon(clock.period_days(period)[0])
    charge = Charge(
        order_id=order_id, canteen_id=canteen_id, amount_fen=fen, state="succeeded",
        provider_id=f"pi_bare_{order_id}", period=period, asked_at=at, settled_at=at,
    )
    db.session.add(charge)
    db.session.flush()
    if refund_fen:
        db.session.add(
            Refund(
                charge_id=charge.id, canteen_id=canteen_id, amount_fen=refund_fen,
                state="succeeded", period=period, asked_at=at,
            )
        )
    open_month(period)


def open_month(period: str) -> None:
    """Make sure the period has its row."""
    if db.session.get(Period, period) is None:
        db.session.add(Period(period=period))
    db.session.flush()
