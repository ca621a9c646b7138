"""The demo's settlement desk at work: decisions, corrections, a claim, budgets and a draft.

Each act is the room's own, done by whose it is.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.adjustments import claiming, late_facts
from canteen.adjustments.models import Claim
from canteen.budgets import funding, guarding
from canteen.canteens.models import Canteen
from canteen.checks import deciding
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.demo import hands
from canteen.demo.places import CITY
from canteen.elders.models import Elder
from canteen.orders.models import Order
from canteen.settlements import correcting, holding, warning
from canteen.settlements.models import Statement
from canteen.subsidies import drafting
from canteen.subsidies.models import Grant
from canteen.tasks import asking as tasks
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.whatif import asking as what_ifs

ROUND = 1_000_00  # fen: budgets are written in round sums
# The share of what a year will cost that a purse was given: the first district's will not do.
GIVEN = {"first": 0.93, "others": 1.12}


def work(month: str, today: date) -> None:
    """What the offices did about the last month since it was closed, and what they planned."""
    at = clock.now()
    flawed = db.session.scalar(
        sa.select(Suspicion.canteen_id)
        .where(Suspicion.period == month, Suspicion.code == "closed_day")
        .order_by(Suspicion.canteen_id).limit(1)
    )  # fmt: skip
    if flawed is not None:
        _decide_some(month, db.session.get_one(Canteen, flawed), at)
        _send_back(month, db.session.get_one(Canteen, flawed), at)
    _claim(today, at)
    _look_at_late_facts(at)
    warning.warn_operators(today, at)
    _set_money_aside(today, at)
    _draft(today, at)


def _found(month: str, canteen: Canteen, code: str) -> list[Suspicion]:
    """What a check found at a canteen and nobody decided, in the order it was found."""
    return list(
        db.session.scalars(
            sa.select(Suspicion).where(
                Suspicion.period == month, Suspicion.canteen_id == canteen.id,
                Suspicion.code == code, Suspicion.state == "open",
            ).order_by(Suspicion.id)
        )
    )  # fmt: skip


def _decide_some(month: str, canteen: Canteen, at: datetime) -> None:
    """The district denies one meal, pays another, and asks about two things; one is answered."""
    district = hands.of("district")[canteen.district_code]
    closed = _found(month, canteen, "closed_day")
    if len(closed) > 1:
        why = "当天已公告歇业，食堂说不清这一餐是谁做的"
        holding.decide(closed[0].id, "deny", why, by=district, at=at)
    if len(closed) > 2:
        why = "街道核实：老人当天确实吃到了这一餐，由总店送来"
        holding.decide(closed[1].id, "pay", why, by=district, at=at, false_alarm=True)
    for stack in _found(month, canteen, "burst")[:1]:
        why = "一分钟内刷了十多张卡，请说明当时老人是否都在场"
        holding.decide(stack.id, "ask", why, by=district, at=at)
        told = "当天社区组织老人体检后一起来用餐，排队连续刷卡，有签到表可查"
        by = hands.at_canteen("manager", canteen.id)
        deciding.answer(stack.id, told, by=by, at=at)
    for away in _found(month, canteen, "in_institution")[:1]:
        why = "老人已入住养老院，请说明这几餐由谁用卡"
        holding.decide(away.id, "ask", why, by=district, at=at)


def _send_back(month: str, canteen: Canteen, at: datetime) -> None:
    """The street sends the statement back for the lunch that was sold at night."""
    statement = db.session.scalars(
        sa.select(Statement).filter_by(period=month, canteen_id=canteen.id, stage="street")
    ).first()
    held = sa.select(Suspicion.order_id).filter_by(
        period=month, canteen_id=canteen.id, mode="hold"
    )
    doubted = set(db.session.scalars(held))
    late = [
        each.order_id for each in _found(month, canteen, "out_of_hours")
        if each.order_id is not None and each.order_id not in doubted
    ]  # fmt: skip
    if statement is not None and late:
        by = hands.of("street")[canteen.street_code]
        what = "这份午餐是晚上九点多售出的，请核对是否补录、老人是否用餐"
        correcting.send_back(statement.id, late[:1], what, by, at)


def _claim(today: date, at: datetime) -> None:
    """The first elder's daughter claims a meal at which the card could not be read; another's
    claim, filed by their street, the district grants."""
    family = db.session.scalars(sa.select(User).where(User.login == "family1")).one()
    _file(1, "卡读不出来，当时按原价付的款，有小票", actor_of(family), today, at, proven=True)
    first = db.session.get_one(Canteen, 1)
    street = hands.of("street")[first.street_code]
    ate = sa.select(Grant.elder_id).where(Grant.on >= today - timedelta(days=14))
    absent = db.session.scalar(
        sa.select(sa.func.min(Elder.id)).where(
            Elder.street_code == first.street_code, Elder.household == first.district_code,
            Elder.birth_date < date(today.year - 81, 1, 1), Elder.id > 2, Elder.status == "alive",
            Elder.id.not_in(ate),
        )
    )  # fmt: skip
    if absent is None:
        return
    claim_id = _file(absent, "机器读不出卡，老人付了全价，街道已核对小票", street, today, at)
    if claim_id is not None:
        district = hands.of("district")[first.district_code]
        claiming.approve(claim_id, "小票与流水一致", district, at)


def _file(
    elder_id: int, why: str, by: Actor, today: date, at: datetime, *, proven: bool = False
) -> int | None:
    """Claim the latest meal the first canteen sold to somebody unknown and nobody has claimed."""
    claimed = sa.select(Claim.order_id)
    order = db.session.scalars(
        sa.select(Order).where(
            Order.canteen_id == 1, Order.elder_id.is_(None), Order.state == "served",
            Order.on < today, Order.meal == "lunch", Order.list_fen >= 1300,
            Order.id.not_in(claimed),
        ).order_by(Order.on.desc(), Order.id).limit(1)
    ).first()  # fmt: skip
    if order is None or (today - order.on).days > 14:
        return None
    claim = claiming.file(order.id, elder_id, "card_unread", why, by, at, proven=proven)
    return claim.id


def _look_at_late_facts(at: datetime) -> None:
    """What the night does with facts that came after the meals they concern."""
    after: int | None = 0
    while after is not None:
        after = late_facts.look(at=at, after=after).last


def _set_money_aside(today: date, at: datetime) -> None:
    """Give each purse of city and districts a budget: the first district's ends too early, though
    it was given a supplement."""
    by, first = hands.of("city")[CITY], db.session.get_one(Canteen, 1).district_code
    districts = set(
        db.session.scalars(sa.select(Territory.code).where(Territory.level != "street"))
    )
    left = (date(today.year, 12, 31) - today).days
    for purse in guarding.purses(by, today.year, on=today):
        if purse.code not in districts:
            continue
        year = purse.paid_fen + purse.committed_fen + purse.pace_fen * left // 7
        share = GIVEN["first" if purse.code == first else "others"]
        given = round(year * share / ROUND) * ROUND
        if given < ROUND:
            continue
        supplement = given // 4 // ROUND * ROUND if purse.code == first else 0
        funding.set_aside(purse.code, today.year, given - supplement, "年初预算", by, at)
        if supplement:
            funding.set_aside(purse.code, today.year, supplement, "年中追加", by, at)


def _draft(today: date, at: datetime) -> None:
    """The city drafts four yuan from 75 on, and asks what past meals would have cost."""
    by = hands.of("city")[CITY]
    draft = drafting.start(by, today)
    drafting.change(
        draft.id, by, values={"eligibility.0.min_age": 75, "layers.0.amount.fen": 400},
        in_force_from=draft.in_force_from, note="75岁起每餐4元 / 4 yuan from 75",
    )  # fmt: skip
    first, last = what_ifs.usual_period(today)
    asked = what_ifs.wish([draft.id], first, last, CITY, by, on=today)
    tasks.start(what_ifs.KIND, asked, by, at=at)
