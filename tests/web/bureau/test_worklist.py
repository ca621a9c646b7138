"""The desks' work lists: each office sees its own lines, and a message is read once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.access.models import User
from canteen.budgets.models import TrueUp
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.notices.models import Notice
from canteen.notices.telling import tell
from canteen.payouts.models import BankChange, PayoutBatch
from canteen.performance.models import Judgement
from canteen.settlements import finding
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Correction
from canteen.subsidies.models import PolicyDraft
from canteen.territory.actors import Actor
from canteen.web.bureau import worklist
from canteen.words import Text
from tests.factories import City, make_canteen
from tests.settlements.factories import AFTER_AT, Hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter

DAY = date(2026, 11, 2)


@pytest.fixture
def titles(app: Flask):
    """`titles(actor)` are the lines of their work list: {title: count}."""

    def of(by: Actor) -> dict[str, int]:
        with app.test_request_context("/"):
            app.preprocess_request()
            work = finding.work_list(by, on=DAY, limit=1)
            return {task.title.en: task.count for task in worklist.tasks(by, DAY, work)}

    return of


def test_each_office_has_its_statements_with_the_day_they_are_due(
    city: City, hands: Hands, enter: Enter, titles
) -> None:
    assert titles(hands.operator) == {"Statements to confirm": 1}
    assert "Statements to review" in titles(hands.street)  # the elder's own
    pass_on([statement_of(city.here).id], hands, upto="district")
    db.session.expire_all()
    assert titles(hands.city)["Statements to approve for payment"] == 1
    page = enter(hands.city).get("/bureau").text
    assert "张结算单待批准" in page and "11月20日" in page
    assert titles(hands.operator) == {}
    assert "现在没有需要办理的事" in enter(hands.operator).get("/operator").text


def test_findings_stand_with_who_decides_and_questions_with_who_is_asked(
    city: City, hands: Hands, enter: Enter, titles
) -> None:
    with transaction() as session:
        session.add_all(
            Suspicion(
                code="at_floor", period="2026-10", canteen_id=city.here.id, key=f"k{number}",
                amount_fen=0, mode=mode, state=state, found_at=AFTER_AT,
                evidence={"meals": 30, "exact": 30, "share_bp": 10_000},
            )
            for number, (mode, state) in enumerate(
                (("hold", "open"), ("warn", "open"), ("warn", "asked"))
            )
        )
    assert titles(hands.district)["Findings hold money until you decide"] == 1
    assert "Findings hold money until you decide" not in titles(hands.street)
    assert titles(hands.operator)["Questions to answer"] == 1
    page = enter(hands.district).get("/bureau").text
    assert "/bureau/findings?mode=hold" in page


def test_corrections_stand_with_the_operator_until_answered_and_then_with_the_office(
    city: City, hands: Hands, enter: Enter, titles
) -> None:
    statement = statement_of(city.here)
    with transaction() as session:
        session.add(Correction(
            statement_id=statement.id, order_id=1, what="签到表没有这一餐", asked_by="user:1",
            asked_at=AFTER_AT,
        ))  # fmt: skip
    assert titles(hands.operator)["Meals to put right"] == 1
    desk, lines = enter(hands.operator), f"/operator/statements/{statement.id}/corrections"
    assert lines in desk.get("/operator").text
    page = desk.get("/operator/statements").text
    assert lines in page and "1 餐请您更正" in page
    with transaction() as session:
        session.execute(sa.update(Correction).values(
            state="answered", act="keep", answered_by="user:2", answered_at=AFTER_AT))
        session.execute(sa.update(Statement).where(Statement.id == statement.id)
                        .values(stage="street"))  # fmt: skip
    assert "Meals to put right" not in titles(hands.operator)
    assert titles(hands.street)["Statements with corrections answered"] == 1


def test_a_batch_and_an_account_wait_for_a_second_person_only(
    app: Flask, city: City, hands: Hands, titles
) -> None:
    if "bureau.batches" not in app.view_functions:
        pytest.skip("no page of batches")
    other = db.session.scalars(sa.select(User).where(User.role == "city")).first()
    assert other is not None
    with transaction() as session:
        session.add(PayoutBatch(
            way="gateway", state="draft", count=1, total_fen=100, made_by="user:0",
            made_at=AFTER_AT,
        ))  # fmt: skip
        session.add(BankChange(
            operator_id=city.here.operator_id, new_account="acct_new", asked_by="user:0",
            asked_at=AFTER_AT, not_before=clock.now() - timedelta(days=1),
        ))  # fmt: skip
        for state, kind in (("draft", "preliminary"), ("confirmed", "final")):
            session.add(TrueUp(
                year=2026, district_code="120104", kind=kind, state=state, share_fen=5,
                paid_before_fen=0, balance_fen=5, sums=[], targets=[], prepared_by="user:0",
                prepared_at=AFTER_AT, confirmed_by=None if state == "draft" else "user:1",
            ))  # fmt: skip
        for ground in ("120000", "120104"):
            session.add(PolicyDraft(
                code="x", territory_code=ground, body={}, in_force_from=DAY + timedelta(days=9),
                state="proposed", made_by="user:0", made_at=AFTER_AT,
            ))  # fmt: skip
    secondly = {
        "Batches to release", "Changed accounts to confirm", "Yearly true-ups to confirm",
        "Yearly true-ups confirmed, to be paid", "Policy drafts to publish",
    }  # fmt: skip
    assert {titles(hands.city).get(title) for title in secondly} == {1}
    assert titles(hands.district)["Policy drafts to publish"] == 1
    with transaction() as session:
        session.execute(sa.update(PayoutBatch).values(made_by=hands.city.label))
        session.execute(sa.update(BankChange).values(asked_by=hands.city.label))
        session.execute(sa.update(TrueUp).values(prepared_by=hands.city.label))
        session.execute(sa.update(PolicyDraft).values(made_by=hands.city.label))
    assert not secondly & set(titles(hands.city))


def test_a_page_that_does_not_exist_has_no_line(
    app: Flask, city: City, hands: Hands, titles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(app.view_functions, "bureau.statements")
    assert "Statements to review" not in titles(hands.street)


# ── messages ──


def test_a_message_is_for_its_office_alone_and_is_read_once(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        told = tell("a", "reminder", Text("请审核", "Please review"), at=AFTER_AT, role="street",
                    territory=city.here.street_code, path="/bureau/statements")  # fmt: skip
        tell("b", "problems", Text("三个问题", "Three problems"), at=AFTER_AT,
             operator_id=city.here.operator_id, path="/operator/problems")  # fmt: skip
    street, operator = enter(hands.street), enter(hands.operator)
    assert "请审核" in street.get("/bureau/notices").text
    assert "请审核" not in enter(hands.district).get("/bureau/notices").text
    assert "三个问题" in operator.get("/operator/notices").text
    assert "条消息未读" in operator.get("/operator").text
    opened = street.post("/bureau/notices", data={"notice_ids": told, "open": "1"})
    assert opened.status_code == 303 and opened.location.endswith("/bureau/statements")
    db.session.rollback()
    notice = db.session.get_one(Notice, told, populate_existing=True)
    assert notice.read_by == hands.street.label
    first = notice.read_at
    assert operator.post("/operator/notices", data={"notice_ids": told}).status_code == 303
    street.post("/bureau/notices", data={"notice_ids": [told, "x"]})
    db.session.rollback()
    assert db.session.get_one(Notice, told, populate_existing=True).read_at == first
    assert "条消息未读" not in street.get("/bureau").text


def test_more_than_a_page_holds_is_counted_and_each_kind_of_application_has_its_line(
    city: City, hands: Hands, enter: Enter, titles
) -> None:
    with transaction() as session:
        session.add_all(
            Judgement(
                canteen_id=city.here.id, rule=f"idle_{number}", proposes="warned", facts={},
                reason_code="idle", proposed_on=DAY, state="proposed",
            )
            for number in range(201)
        )
        session.add_all(
            Notice(key=f"phone_change:{number}", kind="phone_change", zh="号码变了", en="Changed",
                   elder_id=city.elder.id, to_phone="19900001234", made_at=AFTER_AT)
            for number in range(201)
        )
        for status in ("applied", "public_notice"):
            make_canteen(city.here.street_code, status=status)
    lines = titles(hands.district)
    assert lines["Proposals about the sign to decide"] == 201
    assert lines["Canteens that applied for the sign"] == 1
    assert lines["Canteens on public notice"] == 1
    desk = enter(hands.district)
    assert "201 条建议待决定" in desk.get("/bureau/canteens").text
    for page in ("canteens/proposals", "letters"):
        assert "这里列出前 200 条，共 201 条" in desk.get(f"/bureau/{page}").text
