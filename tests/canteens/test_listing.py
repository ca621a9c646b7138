"""Hanging the sign and taking it down."""

from __future__ import annotations

from datetime import date, datetime, time
from threading import Barrier, Thread

import pytest
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks
from canteen.canteens import listing
from canteen.canteens.licensing import PapersMissing
from canteen.canteens.lifecycle import CoolingOff, NoticeRunning, NotSoFast
from canteen.canteens.listing import SignChanged, change_status, history, on_public_notice
from canteen.canteens.models import Canteen, ListingChange
from canteen.canteens.tiering import SupplierMissing
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.territory.actors import Actor, job
from tests.canteens.factories import CITY, EVALUATOR, HEXI, NANKAI, STREET, make_papers, operator_of
from tests.factories import make_canteen, make_territories

FULL = ["open_fire", "dine_in", "delivery", "open_kitchen"]


def at(on: date) -> datetime:
    """Nine in the morning of a day."""
    return clock.instant(on, time(9))


def status_of(canteen: Canteen) -> str:
    """What the database says of the sign."""
    return db.session.get_one(Canteen, canteen.id, populate_existing=True).status


def change(canteen: Canteen, to: str, reason_code: str, on: date, by: Actor = NANKAI) -> None:
    """One act of an officer."""
    with transaction():
        change_status(canteen.id, to, reason_code, "理由", by=by, at=at(on))


@pytest.fixture
def canteen(app: Flask) -> Canteen:
    """A listed canteen in 南开, with its papers."""
    with transaction():
        make_territories()
        canteen = make_canteen(capabilities=FULL)
        make_papers(canteen)
    return canteen


def test_an_application_becomes_a_sign_and_each_step_is_kept(canteen: Canteen) -> None:
    with transaction():
        db.session.get_one(Canteen, canteen.id).status = "applied"
    change(canteen, "under_review", "application", date(2026, 11, 19))
    change(canteen, "public_notice", "application", date(2026, 11, 20))
    assert [row.id for row in on_public_notice("120104")] == [canteen.id]
    with pytest.raises(NoticeRunning):
        change(canteen, "listed", "application", date(2026, 11, 27))
    change(canteen, "listed", "application", date(2026, 11, 28))
    steps = [(row.from_status, row.to_status, row.decided_by) for row in history(canteen.id)]
    assert steps == [
        ("public_notice", "listed", "user:902"),
        ("under_review", "public_notice", "user:902"),
        ("applied", "under_review", "user:902"),
    ]
    assert db.session.query(AuditRecord).filter_by(act="change_status").count() == 3
    assert not list(breaks())


def test_a_delisted_canteen_sells_nothing_and_waits_to_come_back(canteen: Canteen) -> None:
    change(canteen, "delisted", "voluntary_exit", date(2026, 1, 5))
    assert not listing.may_sell(status_of(canteen))
    owner = operator_of(canteen)
    with pytest.raises(CoolingOff):
        change(canteen, "applied", "application", date(2027, 1, 4), by=owner)
    change(canteen, "applied", "application", date(2027, 1, 5), by=owner)
    assert status_of(canteen) == "applied"


def test_only_the_district_or_the_city_decides_on_its_ground(canteen: Canteen) -> None:
    refusals: list[tuple[Actor, type[CanteenError]]] = [
        (HEXI, NotFound), (STREET, Forbidden), (EVALUATOR, Forbidden),
        (operator_of(canteen), Forbidden),
        (Actor(role="manager", user_id=1, canteen_id=canteen.id), Forbidden),
        (Actor(role="cashier", user_id=1, canteen_id=canteen.id + 1), NotFound),
        (Actor(role="elder", user_id=1), Forbidden),
    ]  # fmt: skip
    for actor, refusal in refusals:
        with pytest.raises(refusal):
            change(canteen, "suspended", "food_safety", date(2026, 11, 20), by=actor)
    assert status_of(canteen) == "listed"
    change(canteen, "suspended", "food_safety", date(2026, 11, 20), by=CITY)
    assert status_of(canteen) == "suspended"


def test_nothing_is_saved_of_a_refused_change(canteen: Canteen) -> None:
    with pytest.raises(NotSoFast):
        change(canteen, "public_notice", "application", date(2026, 11, 20))
    assert status_of(canteen) == "listed"
    assert db.session.query(ListingChange).count() == 0
    assert db.session.query(AuditRecord).count() == 0


def test_a_sign_hangs_again_only_over_valid_papers(canteen: Canteen) -> None:
    change(canteen, "suspended", "licence_invalid", date(2030, 12, 1))
    with pytest.raises(PapersMissing) as refused:
        change(canteen, "listed", "rectified", date(2031, 1, 1))
    assert "食品经营许可证" in refused.value.text.zh
    change(canteen, "listed", "rectified", date(2030, 12, 31))


def test_a_supplied_canteen_is_listed_with_its_supplier(canteen: Canteen) -> None:
    with transaction():
        point = make_canteen(
            capabilities=["dine_in"], tier=3, status="public_notice",
            status_since=date(2026, 11, 2), operator_id=canteen.operator_id,
        )
        make_papers(point)
    with pytest.raises(SupplierMissing):
        change(point, "listed", "application", date(2026, 11, 20))
    with transaction():
        db.session.get_one(Canteen, point.id).supplier_id = canteen.id
    change(point, "listed", "application", date(2026, 11, 20))


def test_an_officer_who_looked_at_an_old_status_is_told(canteen: Canteen) -> None:
    change(canteen, "warned", "idle", date(2026, 11, 20))
    with pytest.raises(SignChanged) as refused, transaction():
        change_status(
            canteen.id, "suspended", "idle", "理由",
            by=NANKAI, at=at(date(2026, 11, 20)), expected="listed",
        )
    assert "已警示" in refused.value.text.zh


def test_of_two_officers_deciding_at_one_instant_one_is_first(
    app: Flask, canteen: Canteen
) -> None:
    start, outcomes = Barrier(2), []

    def decide(to: str) -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    change_status(
                        canteen.id, to, "complaints", "理由",
                        by=NANKAI, at=at(date(2026, 11, 20)), expected="listed",
                    )
                outcomes.append("done")
            except SignChanged:
                outcomes.append("late")
            db.session.remove()

    threads = [Thread(target=decide, args=(to,)) for to in ("suspended", "warned")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "late"]
    assert db.session.query(ListingChange).count() == 1


def test_a_job_may_change_a_sign_too(canteen: Canteen) -> None:
    change(canteen, "suspended", "licence_invalid", date(2026, 11, 20), by=job("judge"))
    assert history(canteen.id)[0].decided_by == "job:judge"
