"""Paying at the desk: two people, bank files both ways, changed accounts, reconciliation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from canteen import clock
from canteen.budgets.models import Fund
from canteen.canteens.models import Canteen, Operator
from canteen.db import db, transaction
from canteen.elders.models import Elder
from canteen.money import yuan
from canteen.notices.models import Notice
from canteen.payments.models import OutboxMessage
from canteen.payouts import finding
from canteen.payouts.models import BankChange, BankReturn, PayoutBatch
from canteen.settlements.models import Payout
from tests.factories import City, actor, make_user
from tests.payouts.banking import answers, file_of
from tests.settlements.factories import Hands, at_noon, city_hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter
from tests.web.world import leads_to_its_field


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """A day of November: money is paid soon after its month is closed."""
    with time_machine.travel(at_noon(date(2026, 11, 20))):
        yield


@pytest.fixture
def approved(city: City, hands: Hands) -> City:
    pass_on([statement_of(city.here).id], hands)
    pass_on([statement_of(elder_id=city.extra["second"].id).id], hands)
    return city


def ids() -> list[str]:
    db.session.rollback()
    return [str(id_) for id_ in db.session.scalars(sa.select(Payout.id).order_by(Payout.id))]


def batch_now() -> PayoutBatch:
    db.session.rollback()
    query = sa.select(PayoutBatch).execution_options(populate_existing=True)
    return db.session.scalars(query.order_by(PayoutBatch.id.desc())).first()


def upload(desk, content: bytes, name: str = "回盘.csv", follow: bool = True):
    sent = {"file": (io.BytesIO(content), name)}
    answer = desk.post(
        "/bureau/batches/returns", data=sent, content_type="multipart/form-data",
        follow_redirects=follow,
    )
    db.session.rollback()
    return answer


def test_one_makes_the_batch_and_a_colleague_releases_it(
    approved: City, hands: Hands, enter: Enter
) -> None:
    one, other = (enter(who) for who in city_hands())
    with transaction() as session:
        session.add(Fund(territory_code="120104", year=2026, amount_fen=1, set_by="user:0",
                         set_at=clock.now()))  # fmt: skip
    page = one.get("/bureau/batches/new").text
    assert "的预算已超出" in page
    assert approved.here.name in page and page.count(" checked") >= 3
    made = one.post("/bureau/batches", data={"payout_ids": ids(), "way": "gateway"})
    assert made.status_code == 303
    batch = batch_now()
    own = one.get(f"/bureau/batches/{batch.id}").text
    assert "的预算已超出" in own
    assert yuan(batch.total_fen) in own and "须由另一位同事" in own and 'id="release"' in own
    assert 'data-dialog="release"' not in own
    url, sent = f"/bureau/batches/{batch.id}/release", {"digest": batch.digest}
    refused = one.post(url, data=sent)
    assert refused.status_code == 403 and "是您编制的" in refused.text
    assert other.post(url, data={"digest": "x"}).status_code == 409
    assert 'data-dialog="release"' in other.get(f"/bureau/batches/{batch.id}").text
    assert other.post(url, data=sent).status_code == 303
    assert batch_now().state == "released"
    assert other.post(url, data=sent).status_code == 409, "twice is once"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage).where(
        OutboxMessage.kind == "transfer"
    )) == 2  # fmt: skip
    for path in ("/bureau/batches", f"/bureau/batches/{batch.id}"):
        assert enter(hands.district).get(path).status_code in (403, 404), path


def test_nothing_ticked_and_nothing_ready_are_clear_messages(
    approved: City, enter: Enter
) -> None:
    desk = enter(city_hands()[0])
    answer = desk.post("/bureau/batches", data={"way": "gateway"})
    assert answer.status_code == 422 and "请勾选 1 至" in answer.text
    assert leads_to_its_field(answer.text) and "data-pick-all" in answer.text
    desk.post("/bureau/batches", data={"payout_ids": ids(), "way": "gateway"})
    again = desk.post("/bureau/batches", data={"payout_ids": ids(), "way": "gateway"})
    assert again.status_code == 409
    batch = batch_now()
    short = desk.post(f"/bureau/batches/{batch.id}/cancellation", data={"reason": "不"})
    assert short.status_code == 422 and leads_to_its_field(short.text)
    gone = desk.post(f"/bureau/batches/{batch.id}/cancellation", data={"reason": "先不付"})
    assert gone.status_code == 303 and batch_now().state == "cancelled"
    assert approved.here.name in desk.get("/bureau/batches/new").text


def test_a_bank_file_goes_out_and_its_answer_comes_in(approved: City, enter: Enter) -> None:
    one, other = (enter(who) for who in city_hands())
    one.post("/bureau/batches", data={"payout_ids": ids(), "way": "bank_file"})
    batch = batch_now()
    assert one.post(f"/bureau/batches/{batch.id}/file").status_code == 409, "not yet released"
    other.post(f"/bureau/batches/{batch.id}/release", data={"digest": batch.digest})
    file = one.post(f"/bureau/batches/{batch.id}/file")
    assert file.headers["Content-Disposition"].endswith(f'"canteen-B{batch.id:06d}.csv"')
    assert file.data.startswith(b"\xef\xbb\xbfH,") and file.data.count(b"\r\n") == 4
    db.session.rollback()
    rows = answers(batch.id)
    bad = upload(one, file.data)
    assert bad.status_code == 422 and "流水号" in bad.text
    assert upload(one, b"", name="").status_code == 422
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankReturn)) == 0
    for desk in (one, other):
        own = upload(desk, file_of(rows))
        assert own.status_code == 403 and "您编制或放行的批次" in own.text
    assert {one.line.state for one in finding.lines_of(batch.id)} == {"waiting"}
    with transaction():
        third = enter(actor(make_user("city", territory_code="120000")))
    wrong = [rows[0], (*rows[1][:2], "1.00", *rows[1][3:]), ("P7-B7", "x", "1.00", "成功", "", "")]
    page = upload(third, file_of(wrong)).text
    assert "金额" in page and "不是我们发出的流水号" in page and "P7-B7" in page
    assert "导入过" in upload(third, file_of(wrong)).text
    upload(third, file_of(rows))
    assert batch_now().state == "done"
    page = one.get("/bureau/reconciliation").text
    reference = next(part.split('"')[0] for part in page.split('name="reference" value="')[1:]
                     if part.startswith("P7-B7"))  # fmt: skip
    said = {"problem": "bank_unmatched", "reference": reference, "reason": "银行误记，已来函更正"}
    for times in range(2):
        told = one.post("/bureau/reconciliation/explanations", data=said, follow_redirects=True)
        assert ("不再列为未了" if times == 0 else "了结或已说明") in told.text
    assert "银行误记，已来函更正" in told.text and 'value="P7-B7' not in told.text
    assert {one.line.state for one in finding.lines_of(batch.id)} == {"paid"}


def test_a_changed_account_is_asked_told_and_confirmed_by_another(
    approved: City, hands: Hands, enter: Enter
) -> None:
    operator = enter(hands.operator)
    asked = operator.post("/operator/account", data={"payout_account": "6217 0000 9999"})
    assert asked.status_code == 303
    assert "尾号9999" in operator.get("/operator/account").text
    again = operator.post("/operator/account", data={"payout_account": "acct_other"})
    assert again.status_code == 409
    db.session.rollback()
    change = db.session.scalars(sa.select(BankChange)).one()
    district = enter(hands.district)
    early = district.post(f"/bureau/bank-changes/{change.id}/confirmation")
    assert early.status_code == 409 and "才能确认" in early.text
    assert enter(hands.street).post(
        f"/bureau/bank-changes/{change.id}/confirmation"
    ).status_code == 403  # fmt: skip
    letters = district.get("/bureau/letters").text
    assert "19900000001" in letters and "尾号9999" in letters
    with transaction() as session:
        session.execute(sa.update(BankChange).values(
            not_before=change.not_before - timedelta(days=4)
        ))  # fmt: skip
    page = district.get("/bureau/bank-changes").text
    assert "先告知" in page and "已核实，确认" not in page
    untold = district.post(f"/bureau/bank-changes/{change.id}/confirmation")
    assert untold.status_code == 409 and "还没有收到通知" in untold.text
    db.session.rollback()
    notice = db.session.scalars(sa.select(Notice).where(Notice.kind == "bank_change")).one()
    city = enter(hands.city)
    city.post("/bureau/letters", data={"notice_ids": [str(notice.id)]})
    page = city.get("/bureau/bank-changes").text
    assert "须由另一位同事确认" in page and "已核实，确认" not in page
    assert "已核实，确认" in district.get("/bureau/bank-changes").text
    assert district.post(f"/bureau/bank-changes/{change.id}/confirmation").status_code == 303
    db.session.rollback()
    own = sa.select(Operator.payout_account).where(Operator.id == approved.here.operator_id)
    assert db.session.scalar(own) == "621700009999"


def test_a_letter_told_by_hand_is_ticked_off(approved: City, hands: Hands, enter: Enter) -> None:
    enter(hands.operator).post("/operator/account", data={"payout_account": "acct_new9"})
    desk = enter(hands.district)
    db.session.rollback()
    notice = db.session.scalars(sa.select(Notice).where(Notice.kind == "bank_change")).one()
    assert "先勾选" in desk.post("/bureau/letters", data={}, follow_redirects=True).text
    elsewhere = enter(approved.extra["hands_elsewhere"].district)
    elsewhere.post("/bureau/letters", data={"notice_ids": [str(notice.id)]})
    assert notice.zh in desk.get("/bureau/letters").text, "not theirs to tick"
    desk.post("/bureau/letters", data={"notice_ids": [str(notice.id)]})
    assert "没有要寄的通知" in desk.get("/bureau/letters").text


def test_an_elders_account_typed_at_the_register_waits_for_a_colleague(
    approved: City, hands: Hands, enter: Enter
) -> None:
    desk, elder = enter(hands.street), approved.elder
    sent = {
        "name": elder.name, "street_code": "120104001", "household": "120104",
        "payout_account": "acct_first", "phone": "19900007777",
    }
    page = desk.post(
        f"/bureau/elders/{elder.id}/particulars", data=sent, follow_redirects=True
    ).text  # fmt: skip
    assert "须由另一位同事核实" in page
    db.session.rollback()
    row = db.session.get_one(Elder, elder.id, populate_existing=True)
    assert (row.payout_account, row.phone) == (None, "19900007777")
    told = db.session.scalars(sa.select(Notice.to_phone).where(Notice.kind == "bank_change")).one()
    assert told == f"199000{1:05d}", "the phone there was, not the new one"
    change = db.session.scalars(sa.select(BankChange)).one()
    own = desk.post(f"/bureau/bank-changes/{change.id}/confirmation")
    assert own.status_code == 403
    with transaction():
        colleague = actor(make_user("street", territory_code="120104001"))
    ticked = {"change_ids": [str(change.id)]}
    enter(colleague).post("/bureau/bank-changes/confirmations", data=ticked)
    db.session.rollback()
    assert db.session.get_one(Elder, elder.id, populate_existing=True).payout_account == (
        "acct_first"
    )


def test_the_english_pages_name_a_canteen_in_english_or_else_in_chinese(
    approved: City, enter: Enter
) -> None:
    one, other = (enter(who) for who in city_hands())
    one.set_cookie("lang", "en")
    here, chosen = approved.here.id, ids()

    def named(*paths: str) -> None:
        for english in ("", "Harmony Canteen"):
            with transaction():
                db.session.get_one(Canteen, here).name_en = english
            for path in paths:
                page = one.get(f"/bureau/{path}").text
                assert ("Harmony Canteen" in page) == bool(english), path
                assert (approved.here.name in page) != bool(english), path

    named("payouts", "batches/new")
    one.post("/bureau/batches", data={"payout_ids": chosen, "way": "gateway"})
    batch = batch_now()
    other.post(f"/bureau/batches/{batch.id}/release", data={"digest": batch.digest})
    with transaction() as session:  # so that reconciling has something to name
        session.execute(sa.delete(OutboxMessage))
    named("payouts", f"batches/{batch.id}", "reconciliation")


def test_reconciliation_reads_in_both_languages_and_forgets_nothing(
    approved: City, hands: Hands, enter: Enter
) -> None:
    one, other = (enter(who) for who in city_hands())
    one.post("/bureau/batches", data={"payout_ids": ids(), "way": "gateway"})
    batch = batch_now()
    other.post(f"/bureau/batches/{batch.id}/release", data={"digest": batch.digest})
    page = one.get("/bureau/reconciliation")
    assert page.status_code == 200 and yuan(batch.total_fen) in page.text
    # What is open stays on the list though its month is over; each district sees its own.
    with transaction() as session:
        session.execute(sa.delete(OutboxMessage))
        session.execute(sa.update(PayoutBatch).values(
            released_at=clock.now() - timedelta(days=60)
        ))  # fmt: skip
    elsewhere = approved.extra["hands_elsewhere"].district
    for who, count in ((city_hands()[0], 3),  # and a diner's refund that nobody has sent
                       (hands.district, 2), (elsewhere, 0)):  # fmt: skip
        desk = enter(who)
        assert ("处对账不一致或未了" in desk.get("/bureau").text) == bool(count)
        page = desk.get("/bureau/reconciliation").text
        assert (f"共有 {count} 处还没有了结" in page) == bool(count)
        assert ("现在问平台" in page) == (who.role == "city")
    one.set_cookie("lang", "en")
    for query in ("", "?month=2026-10", "?first=2026-11-01&last=2026-11-30", "?month=x&first=y",
                  "?first=0001-01-01&last=0001-01-05",
                  "?first=9999-12-01&last=9999-12-31"):  # fmt: skip
        assert "Reconciliation" in one.get(f"/bureau/reconciliation{query}").text, query
    backwards = one.get("/bureau/reconciliation?first=2026-11-30&last=2026-11-01").text
    assert "The last day is before the first" in backwards
    for path in ("batches", f"batches/{batch.id}", "batches/new", "bank-changes", "letters"):
        assert one.get(f"/bureau/{path}").status_code == 200, path
