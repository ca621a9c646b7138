"""Hanging the sign and taking it down: every change is one row, decided by the district."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens import finding, licensing, tiering
from canteen.canteens.lifecycle import (
    CanteenNotSelling,
    check_change,
    check_notice,
    check_reapplying,
    may_sell,
    must_sell,
    notice_ends,
    ways_from,
)
from canteen.canteens.models import STATUSES, Canteen, ListingChange
from canteen.canteens.rulebook import sign_rules
from canteen.db import changed, db
from canteen.errors import Conflict
from canteen.territory.actors import Actor
from canteen.words import Text

__all__ = [
    "CanteenNotSelling", "SignChanged", "change_status", "choices", "history", "may_sell",
    "must_sell", "notice_until", "on_public_notice",
]  # fmt: skip


class SignChanged(Conflict):
    """Somebody else changed the sign first."""

    code = "sign_changed"
    text = Text("这家食堂已变为“{status}”，请刷新后再决定",
                "This canteen has become “{status}”; look again before you decide")


def change_status(
    canteen_id: int,
    to: str,
    reason_code: str,
    reason: str,
    *,
    by: Actor,
    at: datetime,
    facts: dict[str, Any] | None = None,
    expected: str | None = None,
) -> ListingChange:
    """Change a canteen's sign, at once: the district (or the city) decides, with a written reason.

    Only the operator applies again for a delisted canteen. `expected` is the status the officer
    was looking at; SignChanged when it is no longer that, also when two decide at one instant.
    Refuses NotSoFast, WrongReason, ReasonMissing, NoticeRunning, PapersMissing, SupplierMissing,
    CoolingOff; strangers get NotFound, others on that ground Forbidden.
    """
    canteen = finding.get_for(by, canteen_id)
    now = canteen.status
    applying_again = (now, to) == ("delisted", "applied")
    by.must_be(*(("operator", "district", "city") if applying_again else ("district", "city")))
    if expected is not None and now != expected:
        raise SignChanged(status=STATUSES[now])
    check_change(sign_rules(), now, to, reason_code, reason)
    on = clock.business_date(at)
    if applying_again:
        _check_cooling_off(canteen_id, on)
    elif to == "listed":
        _check_fit_to_list(canteen, on)
    moved = db.session.execute(
        sa.update(Canteen)
        .where(Canteen.id == canteen_id, Canteen.status == now)
        .values(status=to, status_since=on)
        .execution_options(synchronize_session=False)
    )
    if changed(moved) != 1:
        db.session.refresh(canteen)
        raise SignChanged(status=STATUSES[canteen.status])
    db.session.refresh(canteen)
    change = ListingChange(
        canteen_id=canteen_id, from_status=now, to_status=to, reason_code=reason_code,
        reason=reason.strip(), decided_by=by.label, at=at, facts=facts or {},
    )  # fmt: skip
    db.session.add(change)
    db.session.flush()
    detail = {"from": now, "to": to, "reason_code": reason_code, "reason": change.reason}
    record(by.label, "change_status", "canteen", canteen_id, detail)
    return change


def choices(canteen: Canteen) -> dict[str, tuple[str, ...]]:
    """What the sign may become from here, each with the reason codes allowed for it."""
    return ways_from(sign_rules(), canteen.status)


def history(canteen_id: int) -> Sequence[ListingChange]:
    """Every change of a canteen's sign, the latest first."""
    query = sa.select(ListingChange).where(ListingChange.canteen_id == canteen_id)
    latest = (ListingChange.at.desc(), ListingChange.id.desc())
    return db.session.scalars(query.order_by(*latest)).all()


def on_public_notice(territory: str | None = None) -> Sequence[Canteen]:
    """The canteens under public notice, which everyone may see, the longest-standing first."""
    query = sa.select(Canteen).where(Canteen.status == "public_notice")
    if territory:
        query = query.where(finding.on_ground(territory))
    return db.session.scalars(query.order_by(Canteen.status_since, Canteen.id)).all()


def notice_until(canteen: Canteen) -> date:
    """The last day of a public notice that is running."""
    return notice_ends(canteen.status_since, sign_rules().notice_working_days)


def _check_fit_to_list(canteen: Canteen, on: date) -> None:
    """A sign hangs over valid papers; the first time, after its notice and on a tier it meets."""
    rules = sign_rules()
    if canteen.status == "public_notice":
        check_notice(rules, canteen.status_since, on)
        tiering.check_tier(rules, canteen, canteen.tier)
    licensing.check_papers(canteen.id, on)


def _check_cooling_off(canteen_id: int, on: date) -> None:
    last = db.session.scalars(
        sa.select(ListingChange)
        .where(ListingChange.canteen_id == canteen_id, ListingChange.to_status == "delisted")
        .order_by(ListingChange.at.desc(), ListingChange.id.desc())
        .limit(1)
    ).first()
    if last is not None:
        check_reapplying(sign_rules(), clock.business_date(last.at), last.reason_code, on)
