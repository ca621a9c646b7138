"""The nightly job proposes, once; the district decides, with a reason."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask

from canteen import clock
from canteen.canteens import listing
from canteen.canteens.lifecycle import NotSoFast
from canteen.canteens.models import Canteen, Licence, ListingChange
from canteen.db import db, transaction
from canteen.errors import Forbidden, NotFound
from canteen.performance import judging
from canteen.performance.judging import AlreadyDecided, BadVerdict, Outcome, decide, judge
from canteen.performance.models import Judgement
from canteen.performance.schemes import judging_rules
from canteen.reasons import ReasonMissing
from canteen.territory.actors import Actor, job
from tests.canteens.factories import CITY, HEXI, NANKAI, STREET, make_papers, operator_of
from tests.factories import make_canteen
from tests.performance.factories import days, make_ground, make_orders, visit

LAST_MEAL = date(2026, 10, 1)

Ground = tuple[Canteen, Actor]


@pytest.fixture
def ground(app: Flask) -> Ground:
    """A canteen that last served on 1 October, open every day; and an evaluator."""
    with transaction():
        canteen, evaluator = make_ground()
        make_orders(canteen, [LAST_MEAL])
    return canteen, evaluator


def night(idle_days: int, **changes: Any) -> Outcome:
    """The job after so many days without a meal."""
    on = LAST_MEAL + timedelta(days=idle_days)
    with transaction():
        return judge(on, by=job("judge"), at=clock.instant(on, time(23)), **changes)


def settle(verdict: str, reason: str = "已核实", by: Actor = NANKAI, days: int = 8) -> None:
    """The district decides the one open proposal."""
    [proposal] = judging.proposals(CITY)
    with transaction():
        at = clock.instant(LAST_MEAL + timedelta(days=days), time(9))
        decide(proposal.id, verdict, reason, by=by, at=at)


def open_proposals() -> list[tuple[str, str]]:
    """Rule and wish of every open proposal."""
    return [(row.rule, row.proposes) for row in judging.proposals(CITY)]


def status_of(canteen: Canteen) -> str:
    """What the database says of the sign."""
    return db.session.get_one(Canteen, canteen.id, populate_existing=True).status


def test_an_idle_canteen_is_noticed_and_the_proposal_made_once(ground: Ground) -> None:
    assert night(6).proposed == 0
    assert night(7) == Outcome(LAST_MEAL + timedelta(days=7), proposed=1)
    assert night(7) == Outcome(LAST_MEAL + timedelta(days=7))
    assert night(8).proposed == 0
    [proposal] = judging.proposals(NANKAI)
    assert (proposal.proposes, proposal.reason_code) == ("warned", "idle")
    assert proposal.facts["idle_days"] == 8 and "8 个营业日" in proposal.text.zh
    assert proposal.proposed_on == LAST_MEAL + timedelta(days=7)
    assert judging.proposals(HEXI) == []
    assert status_of(ground[0]) == "listed"


def test_it_escalates_from_warning_to_suspension_to_delisting(ground: Ground) -> None:
    canteen = ground[0]
    night(7)
    settle("accept")
    assert status_of(canteen) == "warned"
    night(14)
    assert open_proposals() == []
    night(15)
    assert open_proposals() == [("idle_suspension", "suspended")]
    settle("accept", days=16)
    assert not listing.may_sell(status_of(canteen))
    night(29)
    assert open_proposals() == []
    night(30)
    settle("accept", days=31)
    assert status_of(canteen) == "delisted"
    assert night(40) == Outcome(LAST_MEAL + timedelta(days=40))
    changes = db.session.query(ListingChange).order_by(ListingChange.id)
    assert [(row.to_status, row.reason_code) for row in changes] == [
        ("warned", "idle"), ("suspended", "idle"), ("delisted", "idle"),
    ]
    assert all(row.facts["judgement"] for row in changes)


def test_an_undecided_warning_gives_way_to_the_graver_proposal(ground: Ground) -> None:
    night(7)
    outcome = night(15)
    assert (outcome.proposed, outcome.lapsed) == (1, 1)
    assert open_proposals() == [("idle_suspension", "suspended")]


def test_a_proposal_lapses_when_meals_are_served_again(ground: Ground) -> None:
    night(7)
    with transaction():
        make_orders(ground[0], [LAST_MEAL + timedelta(days=8)])
    assert night(8).lapsed == 1
    assert [row.state for row in judging.proposals(CITY, state=None)] == ["lapsed"]
    assert night(15).proposed == 1


def test_a_dismissed_proposal_stays_away_but_not_the_next_graver_one(ground: Ground) -> None:
    night(7)
    settle("dismiss", "店主住院")
    assert status_of(ground[0]) == "listed"
    assert night(9).proposed == 0
    assert night(15).proposed == 1


def test_an_invalid_licence_is_proposed_again_after_the_quiet_days(ground: Ground) -> None:
    canteen = ground[0]
    with transaction():
        make_orders(canteen, days(date(2026, 10, 2), date(2026, 10, 20)))
        db.session.query(Licence).filter_by(kind="food").update({"valid_to": LAST_MEAL})
    night(1)
    assert open_proposals() == [("licence_invalid", "suspended")]
    settle("dismiss", "新证已在办理", days=2)
    assert night(5).proposed == 0
    assert night(7).proposed == 1
    settle("accept", days=8)
    assert status_of(canteen) == "suspended"
    assert night(12).proposed == 0


def test_a_warned_canteen_that_serves_again_is_proposed_to_be_put_right(ground: Ground) -> None:
    night(7)
    settle("accept")
    with transaction():
        make_orders(ground[0], days(date(2026, 10, 10), date(2026, 10, 14)))
    night(13)
    assert open_proposals() == [("put_right", "listed")]
    settle("accept", days=14)
    assert status_of(ground[0]) == "listed"


def test_evaluations_warn_and_then_delist(ground: Ground) -> None:
    canteen, evaluator = ground
    with transaction():
        make_orders(canteen, days(date(2026, 10, 2), date(2026, 11, 30)))
    visit(canteen, evaluator, date(2026, 10, 3), 50)
    assert open_proposals() == [("failed_once", "warned")]
    settle("accept", days=3)
    visit(canteen, evaluator, date(2026, 11, 3), 55)
    assert open_proposals() == [("failed_twice", "delisted")]
    visit(canteen, evaluator, date(2026, 11, 5), 88)
    assert open_proposals() == []
    assert night(36).proposed == 1
    assert open_proposals() == [("put_right", "listed")]


def test_a_food_safety_veto_is_on_the_desk_at_once(ground: Ground) -> None:
    canteen, evaluator = ground
    visit(canteen, evaluator, date(2026, 10, 3), 95, ["food_safety_incident"])
    assert sorted(open_proposals()) == [
        ("failed_once", "warned"), ("food_safety_veto", "suspended"),
    ]
    [veto] = [row for row in judging.proposals(NANKAI) if row.rule == "food_safety_veto"]
    with transaction():
        decide(veto.id, "accept", "立即停业", by=NANKAI, at=clock.instant(LAST_MEAL, time(20)))
    assert status_of(canteen) == "suspended"
    assert night(3).lapsed == 1
    assert open_proposals() == []


def test_who_may_decide_and_how(ground: Ground) -> None:
    canteen = ground[0]
    night(7)
    for by, refusal in (
        (STREET, Forbidden), (operator_of(canteen), Forbidden), (HEXI, NotFound),
        (Actor(role="elder"), Forbidden),
    ):  # fmt: skip
        with pytest.raises(refusal):
            settle("accept", by=by)
    for verdict, reason, refusal in (
        ("maybe", "好", BadVerdict), ("accept", " ", ReasonMissing),
        ("dismiss", "长" * 401, ReasonMissing),
    ):  # fmt: skip
        with pytest.raises(refusal):
            settle(verdict, reason)
    assert status_of(canteen) == "listed" and len(open_proposals()) == 1
    [proposal] = judging.proposals(CITY)
    settle("dismiss")
    with pytest.raises(AlreadyDecided), transaction():
        decide(proposal.id, "accept", "晚了", by=NANKAI, at=clock.now())
    with pytest.raises(Forbidden), transaction():
        judge(LAST_MEAL, by=NANKAI)


def test_a_proposal_the_sign_no_longer_allows_stays_open_when_accepted(ground: Ground) -> None:
    canteen = ground[0]
    night(7)
    with transaction():
        listing.change_status(
            canteen.id, "suspended", "complaints", "投诉属实", by=NANKAI, at=clock.now()
        )
    with pytest.raises(NotSoFast):
        settle("accept")
    assert len(open_proposals()) == 1
    assert night(8).lapsed == 1


def test_a_rule_marked_automatic_is_carried_out_by_the_job(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tuple(
        msgspec.structs.replace(rule, automatic=rule.code == "licence_invalid")
        for rule in judging_rules()
    )
    monkeypatch.setattr(judging, "judging_rules", lambda: rules)
    with transaction():
        db.session.query(Licence).filter_by(kind="food").update({"valid_to": LAST_MEAL})
    outcome = night(1)
    assert (outcome.proposed, outcome.carried_out) == (1, 1)
    assert status_of(ground[0]) == "suspended"
    [done] = db.session.query(Judgement).all()
    assert (done.state, done.decided_by, done.reason) == ("accepted", "job:judge", "证照失效")


def test_a_whole_city_is_judged_in_one_go(ground: Ground) -> None:
    with transaction():
        for number in range(20):
            canteen = make_canteen("120103001", status_since=date(2026, 1, 1))
            make_papers(canteen)
            if number % 2:
                make_orders(canteen, [LAST_MEAL + timedelta(days=10)])
    assert night(10).proposed == 11
    assert db.session.query(Judgement).filter_by(state="proposed").count() == 11
    assert db.session.query(Judgement).filter_by(rule="idle_delisting").count() == 10


def test_the_command_judges_a_day(app: Flask, ground: Ground) -> None:
    from canteen.cli.performance import judge as command

    db.session.rollback()
    ran = app.test_cli_runner().invoke(command, ["--on", "2026-10-08"])
    assert ran.exit_code == 0, ran.output
    assert "2026-10-08: 0 scorecards, 1 proposals" in ran.output
    assert app.test_cli_runner().invoke(command, ["--on", "October"]).exit_code == 2
