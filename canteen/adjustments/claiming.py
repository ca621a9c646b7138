"""A meal paid in full for which an elder claims the subsidy afterwards, decided by two people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from canteen import clock
from canteen.adjustments.models import Claim
from canteen.audit.recording import record
from canteen.canteens import selling
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders import seeing
from canteen.elders.facts import facts_on
from canteen.elders.models import Elder
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.money import yuan
from canteen.notices.telling import tell
from canteen.orders import finding as orders
from canteen.orders.models import Order
from canteen.orders.remaining import rest_of
from canteen.reasons import ReasonMissing, reason_of
from canteen.settlements import spans
from canteen.subsidies import granting
from canteen.subsidies.cases import Case, ElderFacts, Quote
from canteen.subsidies.pricing import quote
from canteen.subsidies.publishing import InForce, by_id, in_force
from canteen.territory.actors import BUREAU, HOME, Actor
from canteen.tills import checking
from canteen.words import Text, day

KINDS = {
    "card_unread": Text("卡读不出来", "The card could not be read"),
    "late_status": Text("资格后来才批准", "A status was granted backwards"),
}
STATES = {
    "asked": Text("待审核", "Waiting"),
    "approved": Text("已批准", "Approved"),
    "refused": Text("未批准", "Refused"),
}


class TooOld(Refused):
    """The meal is longer ago than it can be claimed."""

    code = "claim_too_old"
    text = Text(
        "{day}的餐已超过{days}天，不能再补领", "The meal of {day} is more than {days:day|days} ago"
    )


class NotPaid(Refused):
    """The order was cancelled, or never paid."""

    code = "claim_not_paid"
    text = Text("这份订单已取消或没有付款", "This order was cancelled or not paid")


class NotYours(Refused):
    """The order was sold to another elder."""

    code = "claim_not_yours"
    text = Text("这份订单记在另一位老人名下", "This order was sold to another elder")


class HadSubsidy(Refused):
    """The meal was subsidised already."""

    code = "claim_had_subsidy"
    text = Text("这餐已经减过补贴", "This meal was subsidised already")


class AlreadyClaimed(Conflict):
    """Somebody claims, or was granted, this meal already."""

    code = "already_claimed"
    text = Text("这餐已经申请过补领", "This meal was claimed already")


class NothingDue(Refused):
    """By the policy the meal gets nothing; the sentence says why."""

    code = "claim_nothing_due"
    text = Text("按政策这餐没有补贴：{why}", "By the policy this meal gets nothing: {why}")


class SameHand(Forbidden):
    """The claim was filed by the same person."""

    code = "claim_same_hand"
    text = Text(
        "这份补领申请是您提交的，须由另一位同事审核",
        "You filed this claim; a colleague must decide it",
    )


class Decided(Conflict):
    """The claim was decided before."""

    code = "claim_decided"
    text = Text("这份补领申请已经办结", "This claim was decided already")


def by_receipt(till_id: int, number: int, code: str) -> int:
    """The order a paper receipt proves. Refuses with NoSuchReceipt."""
    found = checking.check(till_id, number, code)
    if found.order is None:
        raise checking.NoSuchReceipt(field="number")
    return found.order.id


def file(
    order_id: int, elder_id: int, kind: str, reason: str, by: Actor, at: datetime,
    *, proven: bool = False,
) -> Claim:  # fmt: skip
    """Claim the subsidy of a meal paid in full, for an elder; by them, a relative or an office.

    A meal sold to nobody known is claimed with its receipt (`proven`), or by an office on whose
    ground it was sold. Refuses NotFound, TooOld, NotPaid, NotYours, HadSubsidy, AlreadyClaimed,
    ReasonMissing.
    """
    by.must_be(*HOME, *BUREAU)
    elder = seeing.get_for(by, elder_id)
    _must_know(order_id, elder.id, by, proven)
    order = _claimable(order_id, elder.id, at)
    if kind not in KINDS:
        raise ReasonMissing(field="kind")
    reason = reason_of(reason.strip() or (KINDS[kind].zh if by.role in HOME else ""))
    claim = Claim(
        order_id=order.id, elder_id=elder.id, kind=kind, state="asked", reason=reason,
        asked_by=by.label, asked_at=at,
    )
    db.session.add(claim)
    db.session.flush()
    record(by.label, "claim", "claim", claim.id, {"order": order.id, "elder": elder.id})
    return claim


def within_days(order: Order) -> int:
    """How many days after a meal it can be claimed: as ruled on its day in its canteen's district.
    """
    canteen = db.session.get_one(Canteen, order.canteen_id)
    return spans.allowed(canteen.district_code, order.on).claim


def price(claim: Claim) -> tuple[InForce, Quote]:
    """What the claimed meal gets for the elder, by its day's policy and the register of today."""
    order = db.session.get_one(Order, claim.order_id)
    standing = ElderFacts(**asdict(facts_on(claim.elder_id, order.on)))
    list_fen = rest_of(order).list_fen
    if order.inputs is not None and order.policy_id is not None:
        policy = by_id(order.policy_id)
        case = Case.from_dict(order.inputs)
    else:
        terms = selling.terms(order.canteen_id, order.on, order.meal)
        policy = in_force(terms.district_code, order.on)
        case = Case(
            district=terms.district_code, street=terms.street_code, on=order.on,
            meal=order.meal, tier=terms.tier, grade=terms.grade,  # type: ignore[arg-type]
            standard_set_fen=terms.standard_set_fen,
            service=order.service, list_fen=list_fen,  # type: ignore[arg-type]
        )
    used = granting.used(policy.policy, claim.elder_id, order.on, order.meal)
    case = case.but(
        elder=standing, list_fen=list_fen, to_account=True, beyond_caps=False,
        **{"used_today": 0, "used_this_week": 0, "used_this_meal": 0, "used_this_month": 0} | used,
    )
    return policy, quote(policy.policy, case)


def approve(claim_id: int, reason: str, by: Actor, at: datetime) -> Quote:
    """Grant a claim to the elder's account, and the enterprise its part; another person's act.

    An elder whose account nobody knows is granted it all the same: it is paid once there is one.
    Refuses Decided, SameHand, NothingDue (the caps are used, not eligible…) and as `file` does.
    """
    claim = _held(claim_id, by)
    order = _claimable(claim.order_id, claim.elder_id, claim.asked_at, claim)
    policy, quoted = price(claim)
    if not quoted.account_fen or (
        quoted.uses_quota
        and not granting.take_quota(policy.policy, claim.elder_id, order.on, order.meal)
    ):
        raise NothingDue(why=why_not(quoted))
    granting.grant(
        granting.Meal(order.id, claim.elder_id, order.canteen_id, order.on, order.meal),
        policy, quoted, at, cause="claim", cause_id=claim.id,
    )
    _decide(claim, "approved", reason, by, at)
    _tell(claim, order, Text(
        "{day}这餐的补贴 {sum} 元已批准，将打到您的账户",
        "The subsidy of {sum} yuan for the meal of {day} was approved; it goes to your account",
    ).format(day=day(order.on), sum=yuan(quoted.account_fen)), at)  # fmt: skip
    record(by.label, "approve_claim", "claim", claim.id,
           {"order": order.id, "amount_fen": quoted.account_fen})  # fmt: skip
    return quoted


def refuse(claim_id: int, reason: str, by: Actor, at: datetime) -> None:
    """Refuse a claim with the reason. Refuses Decided, SameHand and ReasonMissing."""
    claim = _held(claim_id, by)
    reason = reason_of(reason)
    order = db.session.get_one(Order, claim.order_id)
    _decide(claim, "refused", reason, by, at)
    _tell(claim, order, Text(
        "{day}这餐的补领申请未批准：{why}", "The claim for the meal of {day} was refused: {why}"
    ).format(day=day(order.on), why=claim.decision), at)  # fmt: skip
    record(by.label, "refuse_claim", "claim", claim.id, {"reason": claim.decision})


def why_not(quoted: Quote) -> Text:
    """Why a meal gets nothing, in a sentence."""
    said = [step.text for step in quoted.refusals()] or [
        Text("没有可减的金额", "there is nothing to take off")
    ]
    return Text("；".join(each.zh for each in said), "; ".join(each.en for each in said))


def _must_know(order_id: int, elder_id: int, by: Actor, proven: bool) -> None:
    """Refuse a stranger's order with NotFound, before anything is said of it: to whoever names
    it, it is a number that does not exist."""
    order = db.session.get(Order, order_id)
    if order is None:
        raise NotFound()
    if order.elder_id == elder_id:
        return
    if by.role not in HOME:
        orders.get_for(by, order_id)
    elif not proven:
        raise NotFound()


def _claimable(order_id: int, elder_id: int, at: datetime, own: Claim | None = None) -> Order:
    """The order, held, if this elder may claim it at that instant."""
    order = db.session.get(Order, order_id, populate_existing=True, with_for_update=True)
    if order is None:
        raise NotFound()
    if order.elder_id not in (None, elder_id):
        raise NotYours(field="order_id")
    if order.paid_at is None or order.state not in ("placed", "served"):
        raise NotPaid(field="order_id")
    days = within_days(order)
    if (clock.business_date(at) - order.on).days > days:
        raise TooOld(field="order_id", day=day(order.on), days=days)
    another = sa.select(Claim.id).where(Claim.order_id == order_id, Claim.state != "refused")
    if own is not None:
        another = another.where(Claim.id != own.id)
    if db.session.scalar(another.limit(1)) is not None:
        raise AlreadyClaimed(field="order_id")
    granted = sa.exists().where(granting.GRANTS.c.order_id == order_id)
    if order.subsidy_fen or order.excess_fen or db.session.scalar(sa.select(granted)):
        raise HadSubsidy(field="order_id")
    return order


def _held(claim_id: int, by: Actor) -> Claim:
    """A claim this officer may decide: on their ground, undecided, filed by somebody else."""
    by.must_be(*BUREAU)
    claim = db.session.get(Claim, claim_id, populate_existing=True, with_for_update=True)
    if claim is None:
        raise NotFound()
    if not by.reaches(db.session.get_one(Elder, claim.elder_id).street_code):
        raise NotFound()
    if claim.state != "asked":
        raise Decided()
    if claim.asked_by == by.label:
        raise SameHand()
    return claim


def _decide(claim: Claim, state: str, reason: str, by: Actor, at: datetime) -> None:
    claim.state, claim.decision = state, reason.strip()[:400]
    claim.decided_by, claim.decided_at = by.label, at
    db.session.flush()


def _tell(claim: Claim, order: Order, text: Text, at: datetime) -> None:
    tell(f"claim:{claim.id}", "claim", text, at=at, elder_id=claim.elder_id)
