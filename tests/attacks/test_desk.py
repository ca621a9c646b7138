"""At the desks by real requests: foreign ground, two roles, forms and files meant to do harm."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from canteen.access.models import User
from canteen.audit.models import AuditRecord
from canteen.canteens.models import Operator
from canteen.db import db, transaction
from canteen.notices.telling import tell
from canteen.payouts import batching
from canteen.payouts.models import PayoutBatch, PayoutLine
from canteen.settlements.models import Payout
from canteen.settlements.review_models import Appeal, Correction
from canteen.subsidies.models import Grant
from canteen.tasks.models import Task
from canteen.territory.actors import Actor
from canteen.verifying import verify
from canteen.words import Text
from tests.factories import City, actor, make_user
from tests.payouts.banking import answers, file_of, states
from tests.settlements.factories import (
    AFTER_AT,
    Hands,
    close,
    little_month,
    pass_on,
    statement_of,
)
from tests.settlements.test_changing import standing, suspect
from tests.web.world import sign_in

SCRIPT = "<script>alert('钱')</script><img src=x onerror=alert(1)>"
AMOUNTS = ("-1", "0", "1e9", "９９", "999999999999999999999", "1.001", "NaN", "=1+1", "")
Enter = Callable[[Actor], FlaskClient]


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


@pytest.fixture
def enter(app: Flask) -> Enter:
    return lambda who: sign_in(app, db.session.get_one(User, who.user_id))


@pytest.fixture
def approved(city: City, hands: Hands) -> City:
    close()
    pass_on([statement_of(city.here).id], hands)
    pass_on([statement_of(city.elsewhere).id], city.extra["hands_elsewhere"])
    return city


def colleague(role: str, **where: Any) -> Actor:
    with transaction():
        return actor(make_user(role, **where))


def test_no_reason_and_no_name_becomes_a_script(city: City, hands: Hands, enter: Enter) -> None:
    order = standing(city.here.id)
    found = suspect(order, city.here.id)
    with transaction() as session:
        session.get_one(Operator, city.here.operator_id).name = SCRIPT
    close()
    here = statement_of(city.here).id
    operator, street, district = (enter(x) for x in (hands.operator, hands.street, hands.district))
    pass_on([here], hands, upto="operator")
    other = next(o for o in _meals(city) if o != order)
    sent = street.post(
        f"/bureau/statements/{here}/marks", data={"orders": other, "reason": SCRIPT}
    )
    assert sent.status_code == 303
    line = db.session.scalars(sa.select(Correction)).one().id
    said = {"act": "keep", "words": SCRIPT}
    assert operator.post(f"/operator/corrections/{line}/answers", data=said).status_code == 303
    wish = {"verdict": "deny", "reason": SCRIPT}
    assert district.post(f"/bureau/findings/{found}/decisions", data=wish).status_code == 303
    filed = operator.post(f"/operator/meals/{order}/appeals", data={"reason": SCRIPT})
    assert filed.status_code == 303
    appeal = db.session.scalars(sa.select(Appeal)).one().id
    rejected = enter(colleague("district", territory_code="120104")).post(
        f"/bureau/appeals/{appeal}/decisions", data={"verdict": "rejected", "reason": SCRIPT}
    )
    assert rejected.status_code == 303
    pages = {
        operator: (f"/operator/statements/{here}", f"/operator/statements/{here}/corrections",
                   "/operator/appeals", f"/operator/meals/{order}", "/operator/problems",
                   "/operator/notices", "/operator/money"),
        district: (f"/bureau/statements/{here}", f"/bureau/statements/{here}/sample",
                   f"/bureau/findings/{found}", "/bureau/appeals?state=all", "/bureau/notices",
                   f"/bureau/meals/{order}", "/bureau/findings?state=all", "/bureau/adjustments",
                   "/bureau/bank-changes"),
    }  # fmt: skip
    for client, urls in pages.items():
        for url in urls:
            page = client.get(url)
            assert page.status_code == 200, url
            assert "<script>alert" not in page.text and "<img src=x" not in page.text, url
    assert verify() == []


def _meals(city: City) -> list[int]:
    return list(db.session.scalars(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0)
        .group_by(Grant.order_id).having(sa.func.sum(Grant.sign) > 0).order_by(Grant.order_id)
    ))  # fmt: skip


@pytest.mark.parametrize("amount", AMOUNTS)
def test_no_amount_typed_at_a_desk_is_a_fault(approved: City, enter: Enter, amount: str) -> None:
    chief = enter(approved.extra["hands"].city)
    here = statement_of(approved.here).id
    tries = {
        "/bureau/budgets": {"purse": "120104", "year": "2026", "kind": "more", "amount": amount},
        f"/bureau/canteens/{approved.here.id}/instalments": {
            "months": amount, "reason": "分期扣回"},
        f"/bureau/statements/{here}/repayment": {
            "amount": amount, "received_on": "0001-01-01", "reference": "BK1"},
        "/bureau/true-ups": {
            "kind": "preliminary", "district": "120104", "year": "2026",
            "percent": amount or "101"},
        "/bureau/targets": {"district": "120104", "year": "2026", "satisfaction": amount or "-5"},
        f"/bureau/statements/{here}/deductions": {"fen": amount},
    }  # fmt: skip
    for url, data in tries.items():
        assert chief.post(url, data=data).status_code in (403, 404, 409, 422, 303), url
    assert db.session.scalar(sa.text("SELECT count(*) FROM funds")) == 0
    assert verify() == []


@pytest.mark.parametrize("months", ["0", "1", "13", "-1", "2.5", "二"])
def test_instalments_are_two_to_twelve(approved: City, enter: Enter, months: str) -> None:
    url = f"/bureau/canteens/{approved.here.id}/instalments"
    chief = enter(approved.extra["hands"].city)
    assert chief.post(url, data={"months": months, "reason": "分期扣回"}).status_code == 422


@pytest.mark.parametrize("period", ["", "x", "2026-13", "2026-00", "٢٠٢٦-١٠", "2026-10-01", "a-b"])
def test_no_month_that_is_none_spoils_the_list_of_tasks(
    approved: City, enter: Enter, period: str
) -> None:
    chief = enter(approved.extra["hands"].city)
    for kind in ("check_meals", "close_month"):
        asked = chief.post("/bureau/tasks", data={"kind": kind, "period": period})
        assert asked.status_code == 422
    assert chief.get("/bureau/tasks").status_code == 200
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Task)) == 0


def test_a_task_is_nobody_elses(approved: City, enter: Enter) -> None:
    owner, other = enter(approved.extra["hands"].city), enter(approved.extra["hands"].district)
    owner.post("/bureau/tasks", data={"kind": "check_meals", "period": "2026-10"})
    task = db.session.scalars(sa.select(Task)).one().id
    assert other.get(f"/bureau/tasks/{task}").status_code == 404
    assert other.post(f"/bureau/tasks/{task}/cancellation").status_code == 404
    assert other.post("/bureau/tasks", data={"kind": "close_month", "period": "2026-10"}
                      ).status_code == 422  # fmt: skip


def test_one_person_neither_releases_nor_swaps_what_was_seen(
    approved: City, enter: Enter
) -> None:
    maker = approved.extra["hands"].city
    checker = colleague("city", territory_code="120000")
    payouts = [str(one) for one in db.session.scalars(sa.select(Payout.id))]
    made = enter(maker).post("/bureau/batches", data={"payout_ids": payouts, "way": "bank_file"})
    assert made.status_code == 303
    batch = db.session.scalars(sa.select(PayoutBatch)).one()
    url, digest = f"/bureau/batches/{batch.id}/release", batch.digest
    assert enter(maker).post(url, data={"digest": digest}).status_code == 403
    for seen in ("", "0" * 64, digest[:-1], digest.upper()):
        assert enter(checker).post(url, data={"digest": seen}).status_code == 409
    with transaction() as session:
        session.execute(sa.text("UPDATE payout_lines SET amount_fen = amount_fen + 1"))
    assert enter(checker).post(url, data={"digest": digest}).status_code == 409
    assert set(states().values()) == {"ready"}
    for office in (approved.extra["hands"].district, approved.extra["hands"].operator):
        assert enter(office).post(url, data={"digest": digest}).status_code == 403


def test_files_meant_to_do_harm_pay_nothing_and_break_nothing(
    approved: City, enter: Enter
) -> None:
    maker, checker = approved.extra["hands"].city, colleague("city", territory_code="120000")
    with transaction() as session:
        session.get_one(Operator, approved.here.operator_id).name = "=HYPERLINK(\"http://x\")\r\n@"
    with transaction():
        batch = batching.make(None, "bank_file", maker, at=AFTER_AT)
    with transaction():
        batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
    client = enter(maker)
    ours = client.post(f"/bureau/batches/{batch.id}/file").data
    assert b"\n=HYP" not in ours and b",=HYP" not in ours and b'"=HYP' not in ours
    assert len(ours.split(b"\r\n")) == batch.count + 3, "no name begins a line of its own"
    looked = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "export")).all()
    assert [(one.subject, one.actor) for one in looked] == [("batch", maker.label)]
    assert not any(row.account in str(looked[0].detail) for row in _lines(batch.id))

    client, good = enter(colleague("city", territory_code="120000")), answers(batch.id)
    bad: dict[str, bytes] = {
        "altered": file_of([(r[0], r[1], "9" + r[2], *r[3:]) for r in good]),
        "doubled": file_of(good + good),
        "foreign": file_of([(r[0].replace("-B", "-B9"), *r[1:]) for r in good]),
        "zeroes": file_of([(r[0].replace("P", "P00"), *r[1:]) for r in good]),
        "wide": file_of([(r[0], r[1], r[2].translate(_WIDE), *r[3:]) for r in good]),
        "negative": file_of([(r[0], r[1], "-" + r[2], *r[3:]) for r in good]),
        "nul": file_of(good) + b"\0", "utf16": file_of(good).decode("utf-8-sig").encode("utf-16"),
        "bytes": bytes(range(1, 256)) * 20, "empty": b"", "mark": b"\xef\xbb\xbf",
        "quote": b'"' + b"a" * 200_000, "huge": b"," * (4 * 1024 * 1024 + 5),
        "html": SCRIPT.encode(),
    }  # fmt: skip
    for name, content in bad.items():
        sent = client.post(
            "/bureau/batches/returns", data={"file": (io.BytesIO(content), f"{SCRIPT}.csv")}
        )
        assert sent.status_code in (303, 413, 422), name
        if sent.status_code == 303:
            page = client.get(sent.location).text
            assert "<script>alert" not in page
        assert set(states().values()) == {"waiting"}, name
    assert "<script>alert" not in client.get("/bureau/batches").text
    assert verify() == []


_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def _lines(batch_id: int) -> list[Any]:
    lines = sa.select(PayoutLine).where(PayoutLine.batch_id == batch_id).order_by(PayoutLine.id)
    return list(db.session.scalars(lines))


def test_an_account_changed_after_the_batch_was_made_stops_it(
    approved: City, enter: Enter
) -> None:
    maker, checker = approved.extra["hands"].city, colleague("city", territory_code="120000")
    with transaction():
        batch = batching.make(None, "gateway", maker, at=AFTER_AT)
    with transaction() as session:
        session.get_one(Operator, approved.here.operator_id).payout_account = "acct_thief"
    url = f"/bureau/batches/{batch.id}/release"
    assert enter(checker).post(url, data={"digest": batch.digest}).status_code == 409
    assert set(states().values()) == {"ready"}


def test_a_message_is_read_by_whom_it_is_for_and_leads_nowhere_else(
    city: City, hands: Hands, enter: Enter
) -> None:
    with transaction():
        theirs = tell("x:1", "reminder", Text("别人的消息", "theirs"), at=AFTER_AT,
                      operator_id=city.elsewhere.operator_id, path="https://evil.example/")
        mine = tell("x:2", "reminder", Text("我的消息", "mine"), at=AFTER_AT,
                    operator_id=city.here.operator_id, path="//evil.example/")  # fmt: skip
    desk = enter(hands.operator)
    page = desk.get("/operator/notices").text
    assert "我的消息" in page and "别人的消息" not in page
    for notice in (theirs, mine):
        there = desk.post("/operator/notices", data={"notice_ids": notice, "open": "1"})
        assert there.location == "/operator/notices"
    unread = db.session.execute(sa.text("SELECT id FROM notices WHERE read_at IS NULL")).scalars()
    assert theirs in set(unread)


def test_nothing_is_changed_by_a_page_that_is_not_ours(
    app: Flask, city: City, hands: Hands, enter: Enter
) -> None:
    close()
    here = statement_of(city.here).id
    posts = [
        str(rule) for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and str(rule).startswith(("/bureau/", "/operator/"))
    ]  # fmt: skip
    app.config["WTF_CSRF_ENABLED"] = True
    desks = {"/bureau": enter(hands.city), "/operator": enter(hands.operator)}
    assert len(posts) > 50
    for url in posts:
        path = "/".join("1" if part.startswith("<") else part for part in url.split("/"))
        said = desks[url[: url.index("/", 1)]].post(path, data={"reason": "伪造的请求"})
        assert said.status_code in (400, 403, 404, 405), url
    assert statement_of(city.here).id == here and statement_of(city.here).stage == "operator"


def test_an_office_below_does_not_withdraw_what_one_above_asked(
    city: City, hands: Hands, enter: Enter
) -> None:
    close()
    here = statement_of(city.here).id
    pass_on([here], hands, upto="street")
    asked = {"orders": _meals(city)[0], "reason": "签到表里没有"}
    assert enter(hands.district).post(
        f"/bureau/statements/{here}/marks", data=asked).status_code == 303  # fmt: skip
    line = db.session.scalars(sa.select(Correction)).one().id
    url = f"/bureau/corrections/{line}/withdrawals"
    assert enter(hands.street).post(url).status_code == 403
    assert enter(city.extra["hands_elsewhere"].district).post(url).status_code == 404
    assert enter(hands.city).post(url).status_code == 303




def test_who_asks_for_another_account_does_not_tick_off_the_warning(
    approved: City, enter: Enter
) -> None:
    """The old contact is told by a colleague, or the wait is for nothing."""
    asker, second = approved.extra["hands"].district, colleague("district", territory_code="120104")
    with transaction() as session:
        firm = session.get_one(Operator, approved.here.operator_id)
        firm.phone, firm.payout_account = "199-0000-0001", "6222000000000001"
    wish = {"operator_id": firm.id, "payout_account": "6222000000009999", "reason": "换了银行"}
    assert enter(asker).post("/bureau/bank-changes", data=wish).status_code == 303
    notice = db.session.execute(sa.text("SELECT id FROM notices WHERE to_phone <> ''")).scalar()

    def told() -> int:
        db.session.rollback()
        return db.session.execute(
            sa.text("SELECT count(*) FROM outbox WHERE kind = 'notice' AND state = 'done'")
        ).scalar_one()

    enter(asker).post("/bureau/letters", data={"notice_ids": notice})
    assert told() == 0
    enter(second).post("/bureau/letters", data={"notice_ids": notice})
    assert told() == 1
    kept = db.session.execute(sa.text("SELECT detail FROM audit_records")).scalars()
    assert not any("6222000000009999" in str(one) for one in kept)


def test_no_repayment_came_before_anything_was_owed(approved: City, enter: Enter) -> None:
    debt = statement_of(approved.here)
    with transaction() as session:
        session.execute(sa.update(type(debt)).where(type(debt).id == debt.id).values(
            stage="carried", total_fen=-500,
            carried_fen=debt.carried_fen - debt.total_fen - 500))  # fmt: skip
    said = enter(approved.extra["hands"].district).post(
        f"/bureau/statements/{debt.id}/repayment",
        data={"amount": "5.00", "received_on": "0001-01-01", "reference": "BK1"},
    )
    assert said.status_code == 422
    assert statement_of(approved.here).stage == "carried"
