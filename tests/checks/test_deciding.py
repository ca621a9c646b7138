"""Deciding a suspicion: who may, with which reason, and what is left in the books of it."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.checks import settings
from canteen.checks.deciding import (
    AlreadyDecided,
    BadVerdict,
    NoSuchSuspicion,
    NotForCanteens,
    answer,
    decide,
    note,
    reopen,
    steps_of,
)
from canteen.checks.explaining import explain
from canteen.checks.models import Suspicion
from canteen.checks.precision import precision
from canteen.db import db, transaction
from canteen.errors import CanteenError, Forbidden, NotFound
from canteen.reasons import ReasonMissing
from canteen.territory.actors import Actor
from tests.checks.world import AFTER, World, found, make_world, run
from tests.factories import actor, make_fact, make_user

TODAY = date(2026, 10, 1)


def somebody(role: str, **ground: object) -> Actor:
    """A user of a role, acting."""
    with transaction():
        operator_id = ground.get("operator_id")
        assert operator_id is None or isinstance(operator_id, int)
        return actor(make_user(role, **ground), operator_id=operator_id)


@pytest.fixture
def world(app: Flask) -> World:
    """Two meals after death, found."""
    world = make_world()
    with transaction():
        for _ in range(2):
            gone = world.elder()
            make_fact(gone, "status", "deceased", date(2026, 10, 5))
            world.meal(gone)
    run("deceased")
    return world


def first() -> Suspicion:
    """The first of the two."""
    return found("deceased")[0]


@pytest.mark.parametrize(
    ("role", "ground", "refusal"),
    [
        ("street", {"territory_code": "120104001"}, Forbidden),  # it sees it, no more
        ("street", {"territory_code": "120104002"}, NoSuchSuspicion),
        ("district", {"territory_code": "120103"}, NoSuchSuspicion),
        ("evaluator", {"territory_code": "120000"}, Forbidden),
    ],
)
def test_others_than_the_ground_s_bureau_decide_nothing(
    world: World, role: str, ground: dict[str, str], refusal: type[CanteenError]
) -> None:
    by = somebody(role, **ground)
    with pytest.raises(refusal), transaction():
        decide(first().id, "pay", "理由", by=by, at=AFTER)
    assert first().state == "open"


def test_neither_the_canteen_nor_its_operator_decides_for_itself(world: World) -> None:
    for by in (world.city.manager, somebody("operator", operator_id=world.here.operator_id)):
        with pytest.raises(NoSuchSuspicion), transaction():
            decide(first().id, "pay", "理由", by=by, at=AFTER)


@pytest.mark.parametrize("reason", ["", "  ", "x", "字" * 401])
def test_a_decision_has_a_reason(world: World, reason: str) -> None:
    by = somebody("district", territory_code="120104")
    with pytest.raises(ReasonMissing), transaction():
        decide(first().id, "deny", reason, by=by, at=AFTER)


def test_a_verdict_is_one_of_three_and_only_what_is_paid_was_a_false_alarm(world: World) -> None:
    by = somebody("city", territory_code="120000")
    with pytest.raises(BadVerdict), transaction():
        decide(first().id, "forget", "理由", by=by, at=AFTER)
    with pytest.raises(BadVerdict), transaction():
        decide(first().id, "deny", "理由", by=by, at=AFTER, false_alarm=True)


def test_a_decision_is_kept_with_who_when_and_why(world: World) -> None:
    by = somebody("district", territory_code="120104")
    with transaction():
        decided = decide(first().id, "deny", " 家属确认 ", by=by, at=AFTER)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("denied", by.label, AFTER)
    [step] = steps_of(decided.id)
    assert (step.verdict, step.by_user_id, step.reason) == ("deny", by.user_id, "家属确认")
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.subject == "suspicion")
    ).one()
    assert (record.act, record.detail["reason"]) == ("deny", "家属确认")


def test_the_canteen_answers_what_it_was_asked_and_the_bureau_decides(world: World) -> None:
    by = somebody("district", territory_code="120104")
    with pytest.raises(AlreadyDecided), transaction():
        answer(first().id, "没有人问", by=world.city.manager, at=AFTER)
    with transaction():
        decide(first().id, "ask", "请说明", by=by, at=AFTER)
    with pytest.raises(NoSuchSuspicion), transaction():
        answer(first().id, "不是我的", by=world.city.cashier_elsewhere, at=AFTER)
    with transaction():
        answer(first().id, "家属代取", by=world.city.manager, at=AFTER)
    assert first().state == "open"
    with transaction():
        decide(first().id, "deny", "不成立", by=by, at=AFTER)
    assert [step.verdict for step in steps_of(first().id)] == ["ask", "answer", "deny"]


def test_the_canteen_explains_unasked_and_what_is_for_the_desk_alone_it_is_not_asked(
    world: World,
) -> None:
    by = somebody("district", territory_code="120104")
    with transaction():
        note(first().id, "当天由家属代取，家属不知道要报", by=world.city.manager, at=AFTER)
    [step] = steps_of(first().id)
    assert (step.verdict, step.by_label) == ("note", world.city.manager.label)
    assert first().state == "open"
    with transaction():
        first().code = "shared_phone"
    with pytest.raises(NoSuchSuspicion), transaction():
        note(found("shared_phone")[0].id, "说明", by=world.city.manager, at=AFTER)
    with pytest.raises(NotForCanteens), transaction():
        decide(found("shared_phone")[0].id, "ask", "请说明", by=by, at=AFTER)
    with transaction():
        decide(found("shared_phone")[0].id, "pay", "是同一家人", by=by, at=AFTER)
    with pytest.raises(AlreadyDecided), transaction():
        decide(first().id, "deny", "属实", by=by, at=AFTER)
        note(first().id, "晚了", by=world.city.manager, at=AFTER)


def test_what_was_asked_stays_asked_when_the_checks_run_again(world: World) -> None:
    by = somebody("district", territory_code="120104")
    with transaction():
        decide(first().id, "ask", "请说明", by=by, at=AFTER)
    run("deceased")
    assert first().state == "asked"


def test_a_decision_taken_up_again_is_not_overwritten(world: World) -> None:
    by = somebody("district", territory_code="120104")
    with transaction():
        decide(first().id, "deny", "看错日期", by=by, at=AFTER)
    with transaction():
        reopen(first().id, "日期有误", by=by, at=AFTER)
    with transaction():
        decide(first().id, "pay", "当天健在", by=by, at=AFTER, false_alarm=True)
    assert [step.verdict for step in steps_of(first().id)] == ["deny", "reopen", "pay"]
    with pytest.raises(AlreadyDecided), transaction():
        decide(first().id, "pay", "再一次", by=by, at=AFTER)


def test_false_alarms_make_a_check_less_precise(world: World) -> None:
    by = somebody("district", territory_code="120104")
    assert precision()["deceased"].right_bp is None
    one, other = found("deceased")
    with transaction():
        decide(one.id, "deny", "属实", by=by, at=AFTER)
    with transaction():
        decide(other.id, "pay", "误报", by=by, at=AFTER, false_alarm=True)
    made = precision("120104")["deceased"]
    assert (made.found, made.undecided, made.decided, made.denied) == (2, 0, 2, 1)
    assert (made.false_alarms, made.denied_fen, made.right_bp) == (1, 500, 5000)
    assert precision("120103") == {}


def test_a_suspicion_is_told_in_both_languages_with_its_orders(world: World) -> None:
    told = explain(first())
    assert told.title.zh == "身故后用餐"
    assert told.sentence.zh == (
        "老人已于2026年10月5日(周一)去世，2026年10月6日(周二)仍有一份补贴餐"
    )
    assert told.sentence.en == (
        "The elder died on Mon 5 Oct 2026; a meal was subsidised on Tue 6 Oct 2026"
    )
    assert told.order_ids == (first().order_id,)
    assert told.elder_ids == (first().elder_id,)


def test_a_check_that_left_the_catalogue_is_named_by_its_code(world: World) -> None:
    suspicion = first()
    suspicion.code = "gone"
    assert explain(suspicion).sentence.zh == "gone"
    db.session.expire(suspicion)


@pytest.mark.parametrize(
    ("change", "refusal", "field"),
    [
        ({"mode": "shout"}, settings.BadSetting, "mode"),
        ({"from_on": date(2026, 9, 30)}, settings.BadSetting, "from_on"),
        ({"thresholds": {"nights": 3}}, settings.BadSetting, "nights"),
        ({"thresholds": {"age": -1}}, settings.BadSetting, "age"),
        ({"code": "dreamt_up"}, NotFound, "code"),
        ({"district": "120103"}, NotFound, None),
        ({"reason": " "}, ReasonMissing, "reason"),
    ],
)
def test_a_setting_must_make_sense(
    world: World, change: dict[str, object], refusal: type[CanteenError], field: str | None
) -> None:
    by = somebody("district", territory_code="120104")
    values = {"code": "very_old", "district": "120104", "mode": "warn", "from_on": TODAY,
              "reason": "理由"} | change  # fmt: skip
    named = ("code", "district", "mode", "from_on", "reason")
    code, district, mode, from_on, reason = (values.pop(name) for name in named)
    with pytest.raises(refusal) as refused, transaction():
        settings.set_mode(code, district, mode, from_on, reason, by=by, today=TODAY, **values)
    assert refused.value.field == field


def test_settings_are_history_and_the_one_of_the_day_counts(world: World) -> None:
    by = somebody("district", territory_code="120104")
    for mode, from_on in (("hold", TODAY), ("ignore", date(2026, 11, 1))):
        with transaction():
            settings.set_mode("very_old", "120104", mode, from_on, mode, by=by, today=TODAY)
    days = (date(2026, 9, 30), TODAY, date(2026, 10, 31), date(2026, 11, 1))
    modes = [settings.setting_for("very_old", "120104", on).mode for on in days]
    assert modes == ["warn", "hold", "hold", "ignore"]
    assert settings.setting_for("very_old", "120103", date(2026, 11, 1)).mode == "warn"
    assert [past.mode for past in settings.history("very_old", "120104")] == ["ignore", "hold"]
    assert [past.reason for past in settings.history("very_old", "120104")] == ["ignore", "hold"]
    last = sa.select(AuditRecord).where(AuditRecord.act == "set_check").order_by(AuditRecord.id)
    assert [each.detail["reason"] for each in db.session.scalars(last)] == ["hold", "ignore"]


def test_a_street_sets_no_check(world: World) -> None:
    by = somebody("street", territory_code="120104001")
    with pytest.raises(Forbidden), transaction():
        settings.set_mode("very_old", "120104", "hold", TODAY, "理由", by=by, today=TODAY)
