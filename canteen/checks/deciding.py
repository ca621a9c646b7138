"""What people say of a suspicion: pay, deny, ask, answer or explain; each step is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.canteens.models import Canteen
from canteen.checks.catalogue import DESK_ONLY
from canteen.checks.models import UNDECIDED, Suspicion, SuspicionStep
from canteen.db import changed, db
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.reasons import reason_of
from canteen.territory.actors import Actor
from canteen.words import Text

STATES = {"pay": "paid", "deny": "denied", "ask": "asked"}


class NoSuchSuspicion(NotFound):
    """There is no such suspicion on this ground."""

    code = "no_such_suspicion"


class AlreadyDecided(Conflict):
    """Somebody decided it, or it no longer holds."""

    code = "already_decided"
    text = Text("这条疑点已有结论，请刷新", "This is already settled; look again")


class BadVerdict(Refused):
    """A suspicion is paid, denied, or the canteen is asked."""

    code = "bad_verdict"
    text = Text("请选择支付、不予支付或请食堂说明", "Choose to pay, to deny or to ask")


class NotForCanteens(Refused):
    """What the desk keeps to itself is not asked of the canteen it may be about."""

    code = "not_for_canteens"
    text = Text(
        "这类疑点只供审核，食堂和运营方看不到，不能请其说明",
        "Findings of this kind are for the desk alone; the canteen does not see them and cannot"
        " be asked",
    )


def decide(
    suspicion_id: int, verdict: str, reason: str, *, by: Actor, at: datetime,
    false_alarm: bool = False,
) -> Suspicion:
    """Decide what nobody decided yet. `verdict`: "pay", "deny" or "ask".

    `false_alarm` marks, with "pay", that the check was wrong here. Only the district's or city's
    people of the ground may; refuses NoSuchSuspicion, BadVerdict, NotForCanteens, ReasonMissing
    and AlreadyDecided.
    """
    suspicion = _get_for(by, suspicion_id)
    if verdict not in STATES or (false_alarm and verdict != "pay"):
        raise BadVerdict(field="verdict")
    final = verdict != "ask"
    values = {
        "state": STATES[verdict], "decided_at": at if final else None,
        "decided_by": by.label if final else None, "reason": reason_of(reason),
        "false_alarm": false_alarm,
    }
    if verdict == "ask" and suspicion.code in DESK_ONLY:
        raise NotForCanteens(field="verdict")
    _step(suspicion, UNDECIDED, verdict, values, by, at)
    detail = {"code": suspicion.code, "key": suspicion.key, "reason": values["reason"],
              "amount_fen": suspicion.amount_fen, "false_alarm": false_alarm}  # fmt: skip
    record(by.label, verdict, "suspicion", suspicion_id, detail)
    return suspicion


def answer(suspicion_id: int, reason: str, *, by: Actor, at: datetime) -> Suspicion:
    """The canteen or its operator answers what it was asked; the suspicion is open again."""
    return _explain(suspicion_id, ("asked",), "answer", reason, by, at)


def note(suspicion_id: int, reason: str, *, by: Actor, at: datetime) -> Suspicion:
    """The canteen or its operator explains unasked what nobody decided yet; it stays open.

    Refuses NoSuchSuspicion, ReasonMissing, and AlreadyDecided for what is not open.
    """
    return _explain(suspicion_id, ("open",), "note", reason, by, at)


def reopen(suspicion_id: int, reason: str, *, by: Actor, at: datetime) -> Suspicion:
    """Take a decided suspicion up again; the decision before stays among its steps."""
    suspicion = _get_for(by, suspicion_id)
    values = {
        "state": "open", "decided_at": None, "decided_by": None, "reason": reason_of(reason),
        "false_alarm": False,
    }
    _step(suspicion, ("paid", "denied"), "reopen", values, by, at)
    record(by.label, "reopen", "suspicion", suspicion_id, {"code": suspicion.code})
    return suspicion


def take_up(reasons: Mapping[int, str], *, by: Actor, at: datetime) -> None:
    """Denied suspicions are open again, {suspicion: why}: by a job, because the register says
    otherwise now. It decides nothing."""
    held = sa.select(Suspicion).where(Suspicion.id.in_(reasons), Suspicion.state == "denied")
    for suspicion in db.session.scalars(held.order_by(Suspicion.id).with_for_update()).all():
        values = {"state": "open", "decided_at": None, "decided_by": None,
                  "reason": reasons[suspicion.id]}  # fmt: skip
        _step(suspicion, ("denied",), "reopen", values, by, at)
        record(by.label, "reopen", "suspicion", suspicion.id, {"code": suspicion.code})


def steps_of(suspicion_id: int) -> list[SuspicionStep]:
    """The story of a suspicion, the oldest step first."""
    return list(
        db.session.scalars(
            sa.select(SuspicionStep).filter_by(suspicion_id=suspicion_id)
            .order_by(SuspicionStep.id)
        )
    )  # fmt: skip


def _explain(
    suspicion_id: int, states: tuple[str, ...], verdict: str, reason: str, by: Actor, at: datetime
) -> Suspicion:
    """What those say of whom it was found, unless it is kept from them."""
    suspicion = db.session.get(Suspicion, suspicion_id)
    canteen = db.session.get(Canteen, suspicion.canteen_id) if suspicion else None
    if suspicion is None or canteen is None or suspicion.code in DESK_ONLY or not (
        (by.role == "manager" and by.canteen_id == canteen.id)
        or (by.role == "operator" and by.operator_id == canteen.operator_id)
    ):
        raise NoSuchSuspicion()
    _step(suspicion, states, verdict, {"state": "open", "reason": reason_of(reason)}, by, at)
    record(by.label, verdict, "suspicion", suspicion_id, {"code": suspicion.code})
    return suspicion


def _get_for(by: Actor, suspicion_id: int) -> Suspicion:
    """A suspicion on the actor's ground. A job decides nothing; nor does a street, canteen or
    operator."""
    suspicion = db.session.get(Suspicion, suspicion_id)
    canteen = db.session.get(Canteen, suspicion.canteen_id) if suspicion else None
    if suspicion is None or canteen is None or not by.reaches(canteen.street_code):
        raise NoSuchSuspicion()
    if by.role not in ("district", "city"):
        raise Forbidden()
    return suspicion


def _step(
    suspicion: Suspicion, states: tuple[str, ...], verdict: str, values: dict[str, Any],
    by: Actor, at: datetime,
) -> None:
    """Move one suspicion if it still is where it was seen, and keep the step."""
    moved = db.session.execute(
        sa.update(Suspicion)
        .where(Suspicion.id == suspicion.id, Suspicion.state.in_(states))
        .values(values).execution_options(synchronize_session=False)
    )  # fmt: skip
    if changed(moved) != 1:
        raise AlreadyDecided()
    db.session.add(
        SuspicionStep(
            suspicion_id=suspicion.id, verdict=verdict, by_user_id=by.user_id, by_label=by.label,
            reason=values["reason"], false_alarm=values.get("false_alarm", False), at=at,
        )
    )
    db.session.flush()
    db.session.refresh(suspicion)
