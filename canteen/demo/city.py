"""The whole demo city in three acts: its world, its settled past, and what waits to be done.

Each act runs inside one transaction of the door that calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.canteens import listing
from canteen.canteens.models import Canteen, Operator
from canteen.db import db
from canteen.demo import hands, meals, mishaps, people, places
from canteen.elders.models import Elder
from canteen.loading import catch_up_sequences
from canteen.menus.models import Dish
from canteen.orders.booking import post_day
from canteen.payouts import batching, finding
from canteen.payouts.models import BankChange
from canteen.performance import inspecting
from canteen.performance.inspecting import Points
from canteen.settlements import closing, gates, looking, reviewing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Period
from canteen.subsidies.policies import load_folder
from canteen.subsidies.publishing import publish
from canteen.territory.actors import DECIDERS, job
from canteen.territory.models import Territory


@dataclass(frozen=True)
class Plan:
    """How large a city to make, and its last day of meals (yesterday)."""

    canteens: int
    elders: int
    days: int
    seed: int
    today: date

    @property
    def first(self) -> date:
        """The first day of meals."""
        return self.today - timedelta(days=self.days)

    @property
    def eventful(self) -> bool:
        """Whether things went wrong in it, were checked and wait to be decided: in a small city,
        which is there to be looked at."""
        return self.canteens <= 60


def two_months_back(today: date) -> int:
    """Days since the first of the month before last: two whole past months and this one so far."""
    last_month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return (today - (last_month - timedelta(days=1)).replace(day=1)).days


def is_empty() -> bool:
    """Whether nothing has been set up in this database yet."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Territory)) == 0


def make_world(plan: Plan, tick: Callable[[], None]) -> list[places.Place]:
    """Ground, policies, canteens, elders, users, and every meal up to yesterday."""
    rng = Random(plan.seed)  # noqa: S311 - made-up people, not secrets
    districts = max(3, min(16, plan.canteens // 6))  # the third, Hexi, has its own policy
    streets = places.make_territories(districts)
    publish(load_folder(), places.CITY, job("seed"))
    operators = places.make_operators(rng, max(2, min(40, plan.canteens // 4)))
    ground = places.make_canteens(rng, plan.canteens, streets, operators, plan.today)
    elders = people.make_elders(rng, plan.elders, ground, plan.today)
    people.make_users(rng, ground, operators, streets)
    made = mishaps.prepare(ground, elders, plan.first, plan.today) if plan.eventful else None
    catch_up_sequences(Operator, Canteen, Dish, Elder, User)
    if plan.days:
        meals.make_meals(
            rng, ground, elders, plan.first, plan.today - timedelta(days=1), tick
        )
    meals.make_menus(rng, ground, plan.today, plan.today + timedelta(days=6))
    if made is not None:
        mishaps.let_happen(made)
    return ground


def settle_past(plan: Plan) -> list[str]:
    """Post the tills and close every ended month; gives the months, oldest first.

    All but the last are approved by everybody and wait only for their payouts to be sent. The last
    one's meals are checked, in a city small enough to look at what is found.
    """
    month = clock.period_of(plan.first)
    while month <= clock.period_of(plan.today):
        if db.session.get(Period, month) is None:
            db.session.add(Period(period=month))
        month = clock.next_period(month)
    db.session.flush()
    post_day(plan.today - timedelta(days=1), job("seed"))
    months = closing.open_periods_ended(plan.today)
    for number, month in enumerate(months):
        last = number == len(months) - 1
        closing.close(
            month, job("seed"), on=plan.today, at=clock.now(), checking=last and plan.eventful
        )
        if not last:
            for role in ("operator", "street", "district", "city"):
                _pass_on(month, role)
    return months


def leave_some_waiting(month: str) -> None:
    """Bring the statements of the last month to different offices, the first canteen's to its
    street, so that everybody finds something to do."""
    _pass_on(month, "operator", sa.not_(_nth(5, 4)))
    _pass_on(month, "street", sa.and_(_nth(3, 0), Statement.canteen_id != 1))
    _pass_on(month, "district", _nth(6, 0))
    _pass_on(month, "city", _nth(12, 0))


def release_payouts() -> None:
    """Two people of the city send what was approved: one makes the batch, another releases it."""
    two = [
        actor_of(user) for user in db.session.scalars(
            sa.select(User).where(User.role == "city").order_by(User.id).limit(2)
        )
    ]  # fmt: skip
    at = clock.now()
    while finding.ready_sums()[0]:
        batch = batching.make(None, "gateway", two[0], at=at)
        batching.release(batch.id, batch.digest, two[1], at=at)


def _nth(of: int, rest: int) -> sa.ColumnElement[bool]:
    return Statement.canteen_id % of == rest


def _pass_on(month: str, role: str, only: sa.ColumnElement[bool] | None = None) -> None:
    """Let each office of a kind approve the month's statements that wait at it."""
    rows = db.session.execute(
        sa.select(Statement.id, Statement.operator_id, Statement.street_code).where(
            Statement.period == month,
            Statement.stage == role,
            sa.true() if only is None else only,
        )
    ).all()
    acting = hands.of(role)
    batches: dict[int, list[int]] = {}
    for row in rows:
        ground = {
            "operator": row.operator_id, "street": row.street_code,
            "district": row.street_code[:6], "city": places.CITY,
        }[role]
        batches.setdefault(acting[ground].user_id or 0, []).append(row.id)
    by_user = {actor.user_id: actor for actor in acting.values()}
    for user_id, ids in batches.items():
        for start in range(0, len(ids), 200):
            some, by = ids[start : start + 200], by_user[user_id]
            if role in DECIDERS:
                looking.look_rest(some, by, clock.now())
            waiting = {each.statement_id for each in gates.missing(some, role)}
            if some := [one for one in some if one not in waiting]:
                reviewing.approve(some, by)


def visit(plan: Plan) -> None:
    """Let the evaluator have seen two of three canteens in the past quarter."""
    rng = Random(plan.seed)  # noqa: S311 - made-up visits
    evaluator = actor_of(db.session.scalars(sa.select(User).where(User.role == "evaluator")).one())
    open_ = Canteen.status.in_(("listed", "warned"))
    for canteen_id in db.session.scalars(sa.select(Canteen.id).where(open_).order_by(Canteen.id)):
        if canteen_id % 3 == 2:
            continue
        level = rng.randint(62, 95)
        points = {
            dimension: Points(
                min(100, max(40, level + rng.randint(-8, 6))), "现场查看，记录与照片在档"
            )
            for dimension in ("setup", "environment", "dishes", "service", "food_safety", "conduct")
        }
        on = plan.today - timedelta(days=rng.randint(5, 80))
        inspecting.submit(canteen_id, on, points, by=evaluator, at=clock.now())


def take_signs_down(plan: Plan) -> None:
    """In a larger city the last canteen has lost its sign and the one before is suspended."""
    if plan.canteens < 12:
        return
    staff = hands.of("district")
    for canteen_id, to, code, why in (
        (plan.canteens, "delisted", "voluntary_exit", "运营企业到期不再续约，老人已转介附近食堂"),
        (plan.canteens - 1, "suspended", "food_safety", "留样记录缺失，停业整改"),
    ):
        canteen = db.session.get_one(Canteen, canteen_id)
        by = staff[canteen.district_code]
        listing.change_status(canteen_id, to, code, why, by=by, at=clock.now())


def accounts() -> list[str]:
    """Every payout account there is or was asked for, for the pretend provider to know them."""
    payees: sa.CompoundSelect[tuple[str]] = sa.union(
        sa.select(Operator.payout_account),
        sa.select(Elder.payout_account).where(Elder.payout_account.is_not(None)),
        sa.select(BankChange.new_account).where(BankChange.new_account != ""),
    )
    return list(db.session.scalars(payees))
