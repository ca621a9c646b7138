"""Canteens at the bureau: found, looked into, their sign and tier decided with a reason."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens import finding, licensing, listing, pricing, tiering
from canteen.canteens.models import CARRIERS, REASONS, STATUSES, TIERS, Canteen, Operator
from canteen.canteens.rulebook import sign_rules
from canteen.db import db, transaction
from canteen.errors import CanteenError
from canteen.orders import stranded
from canteen.performance import carding, inspecting, judging, rating
from canteen.performance.measuring import meals_of
from canteen.performance.schemes import GRADES
from canteen.settlements import searching
from canteen.territory.actors import BUREAU, Actor
from canteen.web.bureau import trail
from canteen.web.bureau.door import (
    DECIDERS,
    PAGE,
    READERS,
    asked,
    asked_page,
    blueprint,
    canteen_names,
    grounds,
)
from canteen.web.errors import rendered
from canteen.web.forms import Fields, point
from canteen.web.guards import actor, guard
from canteen.web.language import said, t
from canteen.words import Text

WINDOW_DAYS = 30
# What a change of the sign is called as an act; the grave ones are red and say what follows.
ACTS = {
    "applied": Text("重新受理申请", "Take the application up again"),
    "under_review": Text("受理，开始审核", "Take up and review"),
    "public_notice": Text("审核通过，公示", "Put up for public notice"),
    "listed": Text("挂牌", "Hang the sign"),
    "warned": Text("警示", "Warn"),
    "suspended": Text("暂停服务", "Suspend"),
    "delisted": Text("摘牌", "Delist"),
}
FOLLOWS = {
    "listed": Text("即刻起可以供餐，享受补贴。", "From this instant it may sell and earn subsidy."),
    "warned": Text("食堂继续供餐，须限期整改。", "It goes on selling and must put things right."),
    "suspended": Text("即刻起不能接单，没有补贴。", "From this instant: no orders and no subsidy."),
    "delisted": Text("即刻起不能接单，没有补贴；冷却期后才能重新申请。",
                     "From this instant: no orders, no subsidy; it may apply again only after a "
                     "cooling-off."),
}  # fmt: skip
GRAVE = ("warned", "suspended", "delisted")
SHUT = ("suspended", "delisted")
WAITING = Text(
    "{follows}今天和以后还有 {n} 份订单没有取餐，会在几分钟内自动取消，付过的钱全额退回，"
    "并通知老人。",
    "{follows} {n} orders of today and later wait to be served: within minutes they are cancelled,"
    " what was paid goes back in full, and the elders are told.",
)


@blueprint.get("/canteens")
@guard(*READERS)
def list_canteens() -> ResponseReturnValue:
    """The canteens on this ground, narrowed as asked."""
    by = actor()
    wanted = {
        "status": asked("status", STATUSES), "tier": asked("tier", ("1", "2", "3")),
        "territory": asked("territory", dict(grounds(by))), "text": asked("text"),
        "grade": asked("grade", GRADES),
    }
    where = _conditions(by, wanted)
    page = asked_page()
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Canteen).where(*where)) or 0
    rows = db.session.execute(
        sa.select(Canteen, Operator.name).join(Operator, Operator.id == Canteen.operator_id)
        .where(*where).order_by(Canteen.district_code, Canteen.name, Canteen.id)
        .limit(PAGE).offset((page - 1) * PAGE)
    ).all()  # fmt: skip
    counts = dict(db.session.execute(
        sa.select(Canteen.status, sa.func.count()).where(finding.visible(by))
        .group_by(Canteen.status)
    ).all())  # fmt: skip
    return render_template(
        "bureau/canteens.html", rows=rows, page=page, total=total, last=-(-total // PAGE),
        wanted=wanted, grounds=grounds(by), counts=counts, tiers=TIERS.items(),
        proposals=judging.waiting_count(by) if by.role in DECIDERS else 0,
        registers=by.role in BUREAU,
    )




def _conditions(by: Actor, wanted: dict[str, Any]) -> list[Any]:
    where: list[Any] = [finding.visible(by)]
    if wanted["status"]:
        where.append(Canteen.status == wanted["status"])
    if wanted["tier"]:
        where.append(Canteen.tier == int(wanted["tier"]))
    if wanted["grade"]:
        where.append(Canteen.grade == wanted["grade"])
    if wanted["territory"]:
        where.append(finding.on_ground(wanted["territory"]))
    if text := (wanted["text"] or "")[:40]:
        names = (Canteen.name, Canteen.name_en, Canteen.address, Canteen.code)
        where.append(sa.or_(*(name.icontains(text, autoescape=True) for name in names)))
    return where


@blueprint.get("/canteens/proposals")
@guard(*DECIDERS)
def list_proposals() -> ResponseReturnValue:
    """What the rules propose about signs on this ground, the oldest first."""
    by = actor()
    proposals = judging.proposals(by)
    names = canteen_names(one.canteen_id for one in proposals)
    return render_template(
        "bureau/proposals.html", proposals=proposals, names=names, total=judging.waiting_count(by)
    )


def canteen_page(
    by: Actor, canteen_id: int, refusal: CanteenError | None = None, **given: Any
) -> ResponseReturnValue:
    """One canteen; after a refusal with what was typed and what is wrong."""
    found = finding.get_for(by, canteen_id)
    today = clock.business_date()
    decides = by.role in DECIDERS
    statements = None
    if by.role in (*BUREAU, "operator"):
        wanted = searching.Wanted(canteen_id=canteen_id)
        statements = searching.search(by, wanted, on=today, size=12)
    return rendered(
        "bureau/canteen.html", canteen=found, refusal=refusal, given=given, today=today,
        operator=db.session.get_one(Operator, found.operator_id), carriers=CARRIERS,
        supplier=db.session.get(Canteen, found.supplier_id) if found.supplier_id else None,
        keeps=by.role in BUREAU, closures=finding.closures_between(canteen_id, today, date.max),
        papers=licensing.papers_of(canteen_id), paper_kinds=licensing.PAPERS,
        hours=finding.hours_of(canteen_id), discounts=pricing.discounts_of(canteen_id, today),
        standard_fen=pricing.standard_set_price(found.district_code, today),
        meals=meals_of([canteen_id], today, WINDOW_DAYS)[canteen_id], window=WINDOW_DAYS,
        names={canteen_id: Text(found.name, found.name_en or found.name)},
        history=listing.history(canteen_id), cards=carding.cards_of(canteen_id),
        inspections=inspecting.inspections_of(canteen_id),
        stars=rating.stars_of(canteen_id, today - timedelta(days=180)),
        comments=rating.comments_of(canteen_id, 5), statements=statements,
        proposals=judging.proposals(by, canteen_id=canteen_id) if by.role != "operator" else [],
        choices=listing.choices(found) if decides else {}, acts=ACTS,
        follows=_follows(canteen_id, today),
        grave=GRAVE, decides=decides, me=by.role, proposed=_proposed(found),
        notice_until=listing.notice_until(found) if found.status == "public_notice" else None,
        trail=trail.of("canteen", canteen_id), codes_of=_codes,
    )  # fmt: skip


def _codes(codes: tuple[str, ...]) -> list[tuple[str, Text]]:
    return [(code, REASONS[code]) for code in codes]


def _follows(canteen_id: int, today: date) -> dict[str, Text]:
    """What each change of the sign brings with it, for this canteen."""
    if not (count := stranded.waiting(canteen_id, today)):
        return FOLLOWS
    return FOLLOWS | {to: WAITING.format(follows=FOLLOWS[to], n=count) for to in SHUT}


def _proposed(found: Canteen) -> tiering.Proposal:
    return tiering.proposed_tier(
        sign_rules(), found.capabilities, seats=found.seats, area_m2=found.area_m2
    )


@blueprint.get("/canteens/<int:canteen_id>")
@guard(*READERS)
def canteen(canteen_id: int) -> ResponseReturnValue:
    """One canteen: its facts, papers, sign, scores, meals and money."""
    return canteen_page(actor(), canteen_id)


@blueprint.post("/canteens/<int:canteen_id>/listing-changes")
@guard(*DECIDERS)
def change_sign(canteen_id: int) -> ResponseReturnValue:
    """Warn, suspend, delist or list, with a kind of reason and the reason typed."""
    by, form = actor(), request.form
    to, code = form.get("to", ""), form.get("code", "")
    reason, seen = form.get("reason", ""), form.get("expected") or None
    try:
        Fields(form).choice("code", REASONS)
        with transaction():
            listing.change_status(
                canteen_id, to, code, reason, by=by, at=clock.now(), expected=seen
            )
    except CanteenError as refusal:
        if refusal.field == "reason_code":
            refusal.field = "code"  # as this form calls it
        return canteen_page(by, canteen_id, refusal, act="sign", to=to, code=code, reason=reason)
    flash(t("已办理：{what}", "Done: {what}", what=STATUSES[to]), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id), 303)


@blueprint.post("/canteens/<int:canteen_id>/tier")
@guard(*DECIDERS)
def confirm_tier(canteen_id: int) -> ResponseReturnValue:
    """Confirm the tier and the demonstration mark, with a reason."""
    by, fields = actor(), Fields(request.form)
    try:
        tier = fields.whole("tier", least=1, most=3)
        with transaction():
            tiering.confirm_tier(
                canteen_id, tier, request.form.get("demonstration") == "1",
                request.form.get("reason", ""), by=by, at=clock.now(),
            )  # fmt: skip
    except CanteenError as refusal:
        return canteen_page(
            by, canteen_id, refusal, act="tier", reason=request.form.get("reason", "")
        )
    flash(t("等级已核定为{tier}", "Confirmed: {tier}", tier=TIERS[tier]), "done")
    return redirect(url_for("bureau.canteen", canteen_id=canteen_id) + "#tiers", 303)


@blueprint.post("/judgements/<int:judgement_id>/decisions")
@guard(*DECIDERS)
def decide(judgement_id: int) -> ResponseReturnValue:
    """Accept a proposal, which changes the sign at once, or dismiss it; both with a reason."""
    by = actor()
    verdict, reason = request.form.get("verdict", ""), request.form.get("reason", "")
    proposal = judging.proposal_for(by, judgement_id)
    try:
        with transaction():
            judging.decide(judgement_id, verdict, reason, by=by, at=clock.now())
    except CanteenError as refusal:
        point(refusal, f"{verdict}-{judgement_id}-{{}}")
        return canteen_page(
            by, proposal.canteen_id, refusal, act="proposal", judgement=judgement_id,
            verdict=verdict, reason=reason,
        )  # fmt: skip
    done = (
        t("已采纳，挂牌状态变为“{to}”", "Accepted; the sign is now “{to}”",
          to=said(STATUSES[proposal.proposes]))
        if verdict == "accept" else t("已驳回这条建议", "The proposal is dismissed")
    )  # fmt: skip
    flash(done, "done")
    return redirect(url_for("bureau.canteen", canteen_id=proposal.canteen_id), 303)
