"""The yearly true-up of city and district: what the city's share came to, less what it paid.

A preliminary one in the course of the year, a final one after the evaluation; over- and
underpayment are squared (多退少补).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock, config
from canteen.audit.recording import record
from canteen.budgets import targets
from canteen.budgets.funding import budgets
from canteen.budgets.models import TrueUp
from canteen.budgets.refusals import (
    BadDay,
    FinalStands,
    MonthsOpen,
    NotEvaluated,
    NothingYet,
    OwnPayment,
    OwnTrueUp,
    PreliminaryUnpaid,
    ReferenceUsed,
    StillUnderReview,
    SumsMoved,
    TrueUpStands,
    WrongState,
)
from canteen.db import db
from canteen.errors import Forbidden, NotFound
from canteen.ledger.chart import purse_book
from canteen.ledger.posting import post
from canteen.money import take_rate
from canteen.payouts.references import BadReference, alike
from canteen.settlements.models import Statement, StatementLine
from canteen.subsidies.models import Period
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.words import Text, day

KINDS = {
    "preliminary": Text("预结算", "Preliminary"),
    "final": Text("年终清算", "Final"),
}
STATES = {
    "draft": Text("待复核", "To be confirmed"),
    "confirmed": Text("待拨付", "To be paid"),
    "paid": Text("已拨付", "Paid"),
}
DECIDED = ("approved", "paid", "carried", "repaid")


def sums(year: int, district: str) -> list[dict[str, Any]]:
    """The city's share by month and side, in fen, of the statements decided so far."""
    s, line = Statement, StatementLine
    rows = db.session.execute(
        sa.select(s.period, line.side, sa.func.sum(line.meals), sa.func.sum(line.amount_fen))
        .join(s, s.id == line.statement_id)
        .where(
            s.district_code == district, line.territory_code == config.current().city,
            s.period.between(f"{year}-01", f"{year}-12"), s.stage.in_(DECIDED),
        )
        .group_by(s.period, line.side).order_by(s.period, line.side)
    )  # fmt: skip
    return [
        {"period": period, "side": side, "meals": int(meals), "amount_fen": int(fen)}
        for period, side, meals, fen in rows
    ]


def prepare(
    year: int, district: str, kind: str, by: Actor, *, on: date, at: datetime,
    percent_bp: int | None = None, note: str = "",
) -> TrueUp:  # fmt: skip
    """Make a draft, or make it anew; by one person of the city. One that was confirmed is drafted
    anew only when its sums no longer stand.

    A preliminary one takes the months closed and decided so far, or with `percent_bp` that part
    of the district's own budget (the city's share is planned as large [our own default]). The
    final one takes the whole year, less what the preliminary one paid. Refuses NotFound,
    MonthsOpen, StillUnderReview, NotEvaluated, PreliminaryUnpaid, FinalStands, NothingYet,
    TrueUpStands.
    """
    if by.role != "city":
        raise Forbidden()
    place = db.session.get(Territory, district)
    if place is None or place.level != "district" or not by.reaches(district):
        raise NotFound()
    if kind not in KINDS:
        raise NothingYet(field="kind")
    before = _found(year, district, "preliminary")
    paid_before = 0
    if kind == "final":
        _must_be_over(year, district, on)
        if before is not None and before.state != "paid":
            raise PreliminaryUnpaid()
        paid_before = before.balance_fen if before else 0
    else:
        _must_be_first(year, district)
    listed = sums(year, district)
    share = sum(row["amount_fen"] for row in listed)
    if kind == "preliminary" and percent_bp is not None:
        share = take_rate(budgets(year).get(district, 0), percent_bp)
        listed = []
    if not share and not paid_before:
        raise NothingYet()
    aims = _frozen(year, district)
    made = _found(year, district, kind, lock=True)
    if made is None:
        made = TrueUp(year=year, district_code=district, kind=kind)
        db.session.add(made)
    elif made.state == "paid" or (made.state == "confirmed" and _stands(made)):
        raise TrueUpStands()
    made.state, made.confirmed_by, made.confirmed_at = "draft", None, None
    made.share_fen, made.paid_before_fen = share, paid_before
    made.balance_fen = share - paid_before
    made.sums, made.targets = listed, aims
    made.note, made.prepared_by, made.prepared_at = note.strip()[:400], by.label, at
    db.session.flush()
    record(by.label, "prepare_true_up", "true_up", made.id,
           {"year": year, "district": district, "amount_fen": made.balance_fen})  # fmt: skip
    return made


def confirm(true_up_id: int, by: Actor, *, at: datetime) -> TrueUp:
    """Confirm a draft; by another person of the city. Its sums must still be those of the books.

    Refuses NotFound, OwnTrueUp, WrongState, SumsMoved, PreliminaryUnpaid and FinalStands.
    """
    made = _held(true_up_id, by, "draft")
    if made.prepared_by == by.label:
        raise OwnTrueUp()
    final = made.kind == "final"
    if (final or made.sums) and made.sums != sums(made.year, made.district_code):
        raise SumsMoved()
    if final:
        early = _found(made.year, made.district_code, "preliminary", lock=True)
        if early is not None and early.state != "paid":
            raise PreliminaryUnpaid()
        if made.paid_before_fen != (early.balance_fen if early else 0):
            raise SumsMoved()
    else:
        _must_be_first(made.year, made.district_code)
    made.targets = _frozen(made.year, made.district_code)
    made.state, made.confirmed_by, made.confirmed_at = "confirmed", by.label, at
    db.session.flush()
    record(by.label, "confirm_true_up", "true_up", made.id, {"amount_fen": made.balance_fen})
    return made


def pay(
    true_up_id: int, reference: str, paid_on: date, by: Actor, *, on: date, at: datetime
) -> TrueUp:
    """Note that the money moved: to the district, or back from it when the balance is below
    nothing; the books clear what the city owed on that day.

    By somebody else than who prepared it, with the bank's reference, which pays one true-up (none
    when the balance is nothing).
    Refuses NotFound, WrongState, OwnPayment, SumsMoved, BadReference, ReferenceUsed, BadDay.
    """
    made = _held(true_up_id, by, "confirmed")
    if made.prepared_by == by.label:
        raise OwnPayment()
    if not _stands(made):
        raise SumsMoved()
    reference = alike(reference)
    if made.balance_fen and not reference:
        raise BadReference(field="reference")
    if db.session.scalar(sa.select(sa.exists().where(TrueUp.reference == reference))):
        raise ReferenceUsed(field="reference", reference=reference)
    first = clock.business_date(made.confirmed_at)
    if not first <= paid_on <= on:
        raise BadDay(field="paid_on", first=day(first, year=True))
    made.state, made.paid_by, made.paid_at = "paid", by.label, at
    made.paid_on, made.reference = paid_on, reference or None
    db.session.flush()
    city, district = purse_book(config.current().city), purse_book(made.district_code)
    fen = made.balance_fen
    post(
        f"true-up:{made.id}", "true_up", paid_on,
        {
            (city, "due_to_districts"): fen, (city, "funds"): -fen,
            (district, "funds"): fen, (district, "due_from_city"): -fen,
        },
        memo=f"true-up:{made.id}",
    )
    record(by.label, "pay_true_up", "true_up", made.id,
           {"amount_fen": fen, "reference": reference, "on": str(paid_on)})  # fmt: skip
    return made


def _stands(made: TrueUp) -> bool:
    """Whether a confirmed one may be paid: the final one's sums are still the statements', and a
    preliminary one by months is no more than they come to (the final one squares the rest)."""
    if made.kind == "final":
        return bool(made.sums == sums(made.year, made.district_code))
    now = sum(row["amount_fen"] for row in sums(made.year, made.district_code))
    return not made.sums or made.share_fen <= now


def list_for(by: Actor, year: int | None = None) -> list[TrueUp]:
    """The true-ups on the actor's ground, the latest year first."""
    query = sa.select(TrueUp).order_by(TrueUp.year.desc(), TrueUp.district_code, TrueUp.kind.desc())
    if by.role == "district":
        query = query.where(TrueUp.district_code == by.territory)
    elif by.role != "city":
        return []
    return list(db.session.scalars(query.where(TrueUp.year == year) if year else query))


def visible(by: Actor) -> Any:
    """The condition under which an actor may see a true-up."""
    if by.role == "city":
        return sa.true()
    return TrueUp.district_code == by.territory if by.role == "district" else sa.false()


def _must_be_first(year: int, district: str) -> None:
    """Refuse a preliminary true-up of a year whose final one was confirmed or paid."""
    last = _found(year, district, "final", lock=True)
    if last is not None and last.state != "draft":
        raise FinalStands()


def _must_be_over(year: int, district: str, on: date) -> None:
    """Refuse a final true-up of a year that is not wholly settled and evaluated."""
    still_open = sa.exists().where(
        Period.period.between(f"{year}-01", f"{year}-12"), Period.closed_at.is_(None)
    )
    if on.year <= year or db.session.scalar(sa.select(still_open)):
        raise MonthsOpen(year=year)
    waiting = db.session.scalar(
        sa.select(sa.func.count()).select_from(Statement).where(
            Statement.district_code == district, Statement.stage.not_in(DECIDED),
            Statement.period.between(f"{year}-01", f"{year}-12"),
        )
    )
    if waiting:
        raise StillUnderReview(count=waiting)
    missing = targets.unevaluated(year, district)
    if missing:
        raise NotEvaluated(count=len(missing), canteens=missing[:50])


def _found(year: int, district: str, kind: str, lock: bool = False) -> TrueUp | None:
    query = sa.select(TrueUp).filter_by(year=year, district_code=district, kind=kind)
    found: TrueUp | None = db.session.scalar(query.with_for_update() if lock else query)
    return found


def _held(true_up_id: int, by: Actor, state: str) -> TrueUp:
    if by.role != "city":
        raise Forbidden()
    made = db.session.get(TrueUp, true_up_id, populate_existing=True, with_for_update=True)
    if made is None:
        raise NotFound()
    if made.state != state:
        raise WrongState()
    return made


def _frozen(year: int, district: str) -> list[dict[str, Any]]:
    """The performance-target table as it stands, kept with the true-up."""
    return [
        {name: value for name, value in asdict(row).items() if name != "title"}
        for row in targets.table(year, district)
    ]
