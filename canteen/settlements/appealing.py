"""A canteen's objection to a meal that was denied; another person decides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.checks import deciding
from canteen.checks.models import Suspicion
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.notices.telling import tell
from canteen.orders import finding as orders
from canteen.orders.models import Order
from canteen.reasons import reason_of
from canteen.settlements import changing, extrapolating, judges, spans
from canteen.settlements.review_models import Appeal
from canteen.subsidies.granting import GRANTS
from canteen.subsidies.models import Grant
from canteen.territory.actors import DECIDERS, Actor
from canteen.words import Text, day

STATES = {
    "filed": Text("待复核", "To be decided"),
    "upheld": Text("申诉成立，予以支付", "Upheld, it is paid"),
    "rejected": Text("申诉不成立", "Rejected"),
    "moot": Text("核减已撤销，不必复核", "The denial was lifted, nothing to decide"),
}


class NotDenied(Conflict):
    """Only a denied meal can be objected to, once for each denial."""

    code = "not_denied"
    text = Text(
        "这一餐没有被核减，或已经申诉过", "This meal was not denied, or was objected to already"
    )


class TooLate(Conflict):
    """The days for an objection are over."""

    code = "appeal_too_late"
    text = Text("申诉期到{last}已过", "Objections were possible until {last}")


class NoSuchAppeal(NotFound):
    """There is no such appeal on this ground."""

    code = "no_such_appeal"
    text = Text("没有找到这份申诉", "This appeal was not found")


class AlreadyDecided(Conflict):
    """Somebody decided it meanwhile."""

    code = "appeal_decided"
    text = Text("这份申诉已有结论，请刷新", "This appeal is decided already; look again")


class DenialGone(Conflict):
    """The denial it objects to is not what holds of the meal now."""

    code = "denial_gone"
    text = Text(
        "这次核减已不再有效，这一餐后来另有处理，不能凭这份申诉支付",
        "This denial no longer holds, the meal was changed since; the appeal cannot have it paid",
    )


class SameJudge(Forbidden):
    """Whoever denied the meal does not decide the objection to it."""

    code = "same_judge"
    text = Text(
        "这一餐是您核减的，须由另一位同事办理",
        "You denied this meal yourself; a colleague must decide",
    )


class BadDecision(Refused):
    """An appeal is upheld or rejected."""

    code = "bad_decision"
    text = Text("请选择申诉成立或不成立", "Choose to uphold or to reject it")


@dataclass(frozen=True)
class Listed:
    """An appeal with its meal, for a list."""

    appeal: Appeal
    order: Order
    canteen: str
    elder_name: str


def file(order_id: int, reason: str, by: Actor, at: datetime) -> Appeal:
    """The operator or manager objects to the denial of a meal of its own, within the days of its
    district's rule.

    Refuses with NotFound, ReasonMissing, NotDenied and TooLate.
    """
    by.must_be("operator", "manager")
    order = orders.get_for(by, order_id)
    why = reason_of(reason)
    _hold(order_id, order.canteen_id)
    denial = denial_of(order_id)
    if denial is None or _of_grant(denial["id"]):
        raise NotDenied()
    last = last_day(denial)
    if clock.business_date(at) > last:
        raise TooLate(last=day(last, year=True))
    appeal = Appeal(
        order_id=order_id, grant_id=denial["id"], canteen_id=order.canteen_id, state="filed",
        reason=why, filed_by=by.label, filed_at=at, decision="", returned_fen=0,
    )
    db.session.add(appeal)
    db.session.flush()
    canteen = db.session.get_one(Canteen, order.canteen_id)
    words = Text("{who}对核减的一餐提出申诉", "{who} objects to a meal that was denied").format(
        who=Text(canteen.name, canteen.name_en or canteen.name)
    )
    tell(f"appeal:{appeal.id}", "appeal", words, at=at, role="district",
         territory=canteen.district_code, path="/bureau/appeals")  # fmt: skip
    record(by.label, "appeal", "order", order_id, {"appeal": appeal.id, "reason": why})
    return appeal


def decide(appeal_id: int, verdict: str, reason: str, by: Actor, at: datetime) -> Appeal:
    """Uphold ("upheld": the meal is paid after all) or reject ("rejected") an appeal, saying why.

    For the district or the city, never for who denied the meal. What had found the meal wrong is
    decided anew with it, and a deduction extrapolated from it is put right. Refuses with
    NoSuchAppeal, BadDecision, ReasonMissing, AlreadyDecided, SameJudge, and DenialGone when the
    meal was given again or changed since: only the denial objected to can be undone.
    """
    by.must_be(*DECIDERS)
    appeal = db.session.get(Appeal, appeal_id)
    canteen = db.session.get(Canteen, appeal.canteen_id) if appeal else None
    if appeal is None or canteen is None or not by.reaches(canteen.street_code):
        raise NoSuchAppeal()
    if verdict not in ("upheld", "rejected"):
        raise BadDecision(field="verdict")
    why = reason_of(reason)
    _hold(appeal.order_id, appeal.canteen_id)
    db.session.refresh(appeal, with_for_update=True)
    if appeal.state != "filed":
        raise AlreadyDecided()
    if by.user_id is None or by.label in judges.of([appeal])[appeal.id]:
        raise SameJudge()
    denial = denial_of(appeal.order_id)
    if verdict == "upheld" and (denial is None or denial["id"] != appeal.grant_id):
        raise DenialGone()
    appeal.state, appeal.decision = verdict, why
    appeal.decided_by, appeal.decided_at = by.label, at
    db.session.flush()
    if verdict == "upheld":
        _findings_too(appeal.order_id, why, by, at)
        changing.give_again({appeal.order_id: appeal.id}, "upheld", by, at, reason=why)
        extrapolating.after_appeal(appeal, by, at)
    words = Text(
        "对{day}一餐的申诉：{state}。{why}", "Your appeal for a meal of {day}: {state}. {why}"
    )
    order = db.session.get_one(Order, appeal.order_id)
    told = words.format(day=day(order.on), state=STATES[verdict], why=Text(why[:120], why[:120]))
    tell(f"appeal:{appeal.id}:decided", "appeal", told, at=at, operator_id=canteen.operator_id,
         path=f"/operator/meals/{order.id}")  # fmt: skip
    record(by.label, verdict, "order", appeal.order_id, {"appeal": appeal.id, "reason": why})
    return appeal


def denial_of(order_id: int) -> changing.Row | None:
    """The row that denied a meal, when that is what holds now; also in instalments."""
    (last,) = changing.last_rows([order_id]) or [None]
    if last is None or last["sign"] > 0:
        return None
    if last["cause"] == "spread":
        g = GRANTS.c
        taken = sa.select(GRANTS).where(g.order_id == order_id, g.sign < 0, g.cause != "spread")
        last = dict(db.session.execute(taken.order_by(g.number.desc()).limit(1)).mappings().one())
    return last if last["cause"] == "denied" else None


def last_day(denial: changing.Row) -> date:
    """Until when a denial may be objected to: as ruled on its day in its canteen's district."""
    on = clock.business_date(denial["made_at"])
    canteen = db.session.get_one(Canteen, denial["canteen_id"])
    return on + timedelta(days=spans.allowed(canteen.district_code, on).appeal)


def of_order(order_id: int) -> list[Appeal]:
    """The appeals about a meal, the latest first."""
    query = sa.select(Appeal).where(Appeal.order_id == order_id)
    return list(db.session.scalars(query.order_by(Appeal.id.desc())))


def appeals_for(by: Actor, states: Sequence[str] = ("filed",), limit: int = 200) -> list[Listed]:
    """The appeals an actor may see, what waits first and the oldest of it first."""
    rows = db.session.execute(
        sa.select(Appeal, Order, Canteen.name, Elder.name)
        .join(Order, Order.id == Appeal.order_id)
        .join(Canteen, Canteen.id == Appeal.canteen_id)
        .join(Elder, Elder.id == Order.elder_id)
        .where(canteens.visible(by), Appeal.state.in_(states))
        .order_by(sa.case((Appeal.state == "filed", 0), else_=1), Appeal.filed_at, Appeal.id)
        .limit(limit)
    )  # fmt: skip
    return [Listed(*row) for row in rows]


def waiting_count(by: Actor, states: Sequence[str] = ("filed",)) -> int:
    """How many appeals wait for a decision on this actor's ground, or are in these states."""
    query = sa.select(sa.func.count()).select_from(Appeal).join(
        Canteen, Canteen.id == Appeal.canteen_id
    )
    return db.session.scalar(query.where(canteens.visible(by), Appeal.state.in_(states))) or 0


def _hold(order_id: int, canteen_id: int) -> None:
    """Hold what a meal's subsidy may amend, before the appeal itself: whoever changes the meal
    closes its appeals holding the same."""
    months = db.session.scalars(sa.select(Grant.period).where(Grant.order_id == order_id))
    changing.hold_statements({(period, canteen_id) for period in months}, [order_id])


def _of_grant(grant_id: int) -> bool:
    return bool(db.session.scalar(sa.select(sa.exists().where(Appeal.grant_id == grant_id))))


def _findings_too(order_id: int, why: str, by: Actor, at: datetime) -> None:
    """The findings that denied this very meal are paid now, so that nothing denies it again."""
    denied = db.session.scalars(
        sa.select(Suspicion.id).where(Suspicion.order_id == order_id, Suspicion.state == "denied")
        .order_by(Suspicion.id)
    ).all()  # fmt: skip
    for suspicion_id in denied:
        deciding.reopen(suspicion_id, why, by=by, at=at)
        deciding.decide(suspicion_id, "pay", why, by=by, at=at)
