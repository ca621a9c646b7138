"""Changed accounts: asked for, told to the old contact, waited for, confirmed by another person."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.canteens.models import Canteen, Operator
from canteen.db import db, transaction
from canteen.elders import enrolling
from canteen.elders.models import Elder
from canteen.errors import Forbidden, NotFound, Refused
from canteen.notices.models import Notice
from canteen.payouts import account_refusals as no
from canteen.payouts import batching, changing_accounts, finding, letters, warning
from canteen.payouts.asking_each import ask_each
from canteen.payouts.models import BankChange
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor
from tests.factories import City, actor, make_canteen, make_elder, make_user
from tests.settlements.factories import AFTER_AT, Hands

LATER = AFTER_AT + timedelta(days=3)


@pytest.fixture
def hands(approved: City) -> Hands:
    return approved.extra["hands"]


def ask(by: Actor, account: str = "acct_new", at: datetime = AFTER_AT, **payee: int) -> int:
    with transaction():
        return changing_accounts.ask(account, by, at=at, reason="换了开户行", **payee)


def told(by: Actor) -> list[tuple[str, str]]:
    """Whom somebody calls or writes to, and ticks off: names and phones."""
    waiting = [(one.name, one.notice.to_phone) for one in letters.to_send(by)]
    with transaction():
        letters.sent_by_hand([one.notice.id for one in letters.to_send(by)], by, at=AFTER_AT)
    return waiting


def confirm(change_id: int, by: Actor, at: datetime = LATER) -> None:
    told(colleague(by.role, str(by.territory)))
    with transaction():
        changing_accounts.confirm(change_id, by, at=at)


def account_of(canteen_id: int) -> str:
    db.session.rollback()
    query = sa.select(Operator.payout_account).where(Operator.id == canteen_id)
    return db.session.scalars(query).one()


def colleague(role: str, territory: str) -> Actor:
    with transaction():
        return actor(make_user(role, territory_code=territory))


def test_an_operators_account_holds_until_the_district_has_confirmed_it(
    approved: City, hands: Hands
) -> None:
    own = approved.here.operator_id
    change = ask(hands.operator, operator_id=own)
    assert account_of(own) == "acct_operator_1"
    with transaction(), pytest.raises(no.TooEarly):
        changing_accounts.confirm(change, hands.district, at=LATER - timedelta(seconds=1))
    with transaction(), pytest.raises(Forbidden):
        changing_accounts.confirm(change, hands.operator, at=LATER)
    with transaction(), pytest.raises(Forbidden):
        changing_accounts.confirm(change, hands.street, at=LATER)
    with transaction(), pytest.raises(no.NotTold):
        changing_accounts.confirm(change, hands.district, at=LATER)
    told(hands.district)
    with transaction(), pytest.raises(no.ToldYourself):
        changing_accounts.confirm(change, hands.district, at=LATER)
    assert changing_accounts.waiting_count(hands.district, LATER) == 0
    confirm(change, colleague("district", "120104"))
    assert account_of(own) == "acct_new"
    with transaction(), pytest.raises(no.NotWaiting):
        changing_accounts.confirm(change, hands.city, at=LATER)


def test_two_accounts_that_end_alike_are_told_apart() -> None:
    assert warning.tail("acct_two_0006", "acct_one_0006").zh == "尾号0006（另一账户）"
    assert warning.tail("acct_two_0007", "acct_one_0006").zh == "尾号0007"


def test_the_old_contact_is_told_at_once_and_again_when_it_holds(
    approved: City, hands: Hands
) -> None:
    own = approved.here.operator_id
    change = ask(hands.city, operator_id=own)
    (told,) = db.session.scalars(sa.select(Notice).where(Notice.kind == "bank_change"))
    assert (told.operator_id, told.to_phone) == (own, "19900000001")
    for words in ("尾号or_1", "尾号_new", "2026年11月5日"):
        assert words in told.zh, told.zh
    assert "acct_new" not in told.zh + told.en, "whole accounts are nobody's business"
    with transaction() as session:  # the phone is changed before it is confirmed
        session.execute(sa.update(Operator).values(phone="19900009999"))
    confirm(change, hands.district)
    phones = db.session.scalars(sa.select(Notice.to_phone).where(Notice.kind == "bank_change"))
    assert list(phones) == ["19900000001"] * 2


def test_the_phone_there_was_is_warned_as_well_and_who_has_none_gets_a_letter(
    approved: City, hands: Hands
) -> None:
    second = approved.extra["second"]
    with transaction():
        enrolling.change(second.id, hands.street, phone="19900008888")
    with transaction():  # by a file as well as by hand, and in the file that names the account
        change = ask_each({second.id: "acct_thief"}, hands.street, at=clock.now())
    assert change == 1
    asked = db.session.scalars(sa.select(BankChange)).one()
    warned = set(db.session.scalars(
        sa.select(Notice.to_phone).where(Notice.kind == "bank_change")
    ))  # fmt: skip
    former = f"199000{second.id:05d}"
    assert warned == {former, "19900008888"}
    assert letters.to_send(hands.district)[0].notice.to_phone == former, "it is so no longer"
    assert letters.to_send(hands.street) == [], "who changed and asked tells nobody"
    after = asked.not_before + timedelta(hours=1)
    with transaction():  # the new phone was reached, the one there was not
        new = sa.select(Notice.id).where(Notice.to_phone == "19900008888")
        letters.sent_by_hand(list(db.session.scalars(new)), hands.district, at=AFTER_AT)
    with transaction(), pytest.raises(no.NotTold):
        changing_accounts.confirm(asked.id, hands.district, at=after)
    with transaction():
        changing_accounts.withdraw(asked.id, hands.street, at=after)
        enrolling.change(second.id, hands.street, phone=None)
    late = after + timedelta(days=4)
    silent = ask(hands.street, "acct_other", at=late, elder_id=second.id)
    wrote = told(colleague("district", "120104"))  # a letter, and to phones gone longer than a wait
    assert {(second.name, phone) for phone in ("", former, "19900008888")} <= set(wrote)
    with transaction():
        changing_accounts.confirm(silent, hands.district, at=late + timedelta(days=3))


@pytest.mark.parametrize("way", ["form", "file"])
def test_an_account_taken_away_first_is_changed_all_the_same(
    approved: City, hands: Hands, way: str
) -> None:
    second, at = approved.extra["second"], clock.now()
    former, later = f"199000{second.id:05d}", at + timedelta(days=3)
    confirm(ask(hands.street, "", at=at, elder_id=second.id), hands.district, at=later)
    with transaction():
        enrolling.change(second.id, hands.street, phone="19900008888")
    with transaction():
        if way == "file":
            ask_each({second.id: "acct_thief"}, hands.street, at=later)
        else:
            changing_accounts.ask("acct_thief", hands.street, at=later, elder_id=second.id)
    thief = sa.select(BankChange).where(BankChange.state == "waiting")
    change = db.session.scalars(thief).one()
    assert former in {one.notice.to_phone for one in letters.to_send(hands.district)}
    for when, refusal in ((later, no.TooEarly), (later + timedelta(days=3), no.NotTold)):
        with transaction(), pytest.raises(refusal):
            changing_accounts.confirm(change.id, hands.district, at=when)


def test_nobody_confirms_what_they_have_asked_for(approved: City, hands: Hands) -> None:
    change = ask(hands.district, operator_id=approved.here.operator_id)
    with transaction(), pytest.raises(no.SameHand):
        changing_accounts.confirm(change, hands.district, at=LATER)
    confirm(change, colleague("district", "120104"))


def test_an_elders_first_account_needs_no_wait_but_a_second_person(
    approved: City, hands: Hands
) -> None:
    elder = approved.elder
    change = ask(hands.street, "6217 0000 1234 5678", elder_id=elder.id)
    with transaction(), pytest.raises(no.SameHand):
        changing_accounts.confirm(change, hands.street, at=AFTER_AT)
    confirm(change, colleague("street", "120104001"), at=AFTER_AT)
    assert db.session.get_one(Elder, elder.id, populate_existing=True).payout_account == (
        "6217000012345678"
    )
    gone = ask(hands.street, "", elder_id=elder.id)
    with transaction(), pytest.raises(no.TooEarly):
        changing_accounts.confirm(gone, hands.district, at=AFTER_AT)
    confirm(gone, hands.district)
    assert db.session.get_one(Elder, elder.id, populate_existing=True).payout_account is None


def test_a_payee_has_one_wish_at_a_time_and_it_can_be_taken_back(
    approved: City, hands: Hands
) -> None:
    own = approved.here.operator_id
    change = ask(hands.operator, operator_id=own)
    with transaction(), pytest.raises(no.ChangeWaits):
        changing_accounts.ask("acct_third", hands.district, at=AFTER_AT, operator_id=own)
    with transaction(), pytest.raises(Forbidden):
        changing_accounts.withdraw(change, hands.street, at=AFTER_AT)
    with transaction():
        changing_accounts.withdraw(change, hands.operator, at=AFTER_AT)
    with transaction(), pytest.raises(no.NotWaiting):
        changing_accounts.confirm(change, hands.district, at=LATER)
    other = ask(hands.district, "acct_third", operator_id=own)
    with transaction():  # what somebody else asked for it may withdraw as well
        changing_accounts.withdraw(other, hands.operator, at=AFTER_AT)
    assert account_of(own) == "acct_operator_1"


def test_refused_it_stays_as_it_is(approved: City, hands: Hands) -> None:
    change = ask(hands.operator, operator_id=approved.here.operator_id)
    with transaction(), pytest.raises(Refused):
        changing_accounts.refuse(change, "不", hands.district, at=AFTER_AT)
    with transaction():
        changing_accounts.refuse(change, "企业说没有提过", hands.district, at=AFTER_AT)
    assert account_of(approved.here.operator_id) == "acct_operator_1"
    assert db.session.get_one(BankChange, change).decision == "企业说没有提过"


@pytest.mark.parametrize("account", ["=1+1", "abc", "acct;drop", "账户", "-123456", "x" * 61])
def test_what_is_no_account_is_refused(approved: City, hands: Hands, account: str) -> None:
    with transaction(), pytest.raises(Refused):
        changing_accounts.ask(
            account, hands.city, at=AFTER_AT, operator_id=approved.here.operator_id
        )
    for same, refusal in (("", no.AccountNeeded), (" acct_operator_1 ", no.SameAccount)):
        with transaction(), pytest.raises(refusal):
            changing_accounts.ask(
                same, hands.city, at=AFTER_AT, operator_id=approved.here.operator_id
            )


def test_whose_payee_it_is_not_may_not_even_know(approved: City, hands: Hands) -> None:
    elsewhere = approved.extra["hands_elsewhere"]
    with transaction(), pytest.raises(NotFound):
        changing_accounts.ask(
            "acct_x1", elsewhere.operator, at=AFTER_AT, operator_id=approved.here.operator_id
        )
    with transaction(), pytest.raises(NotFound):
        changing_accounts.ask(
            "acct_x1", elsewhere.district, at=AFTER_AT, operator_id=approved.here.operator_id
        )
    with transaction(), pytest.raises(NotFound):
        changing_accounts.ask("acct_x1", elsewhere.street, at=AFTER_AT, elder_id=approved.elder.id)
    change = ask(hands.operator, operator_id=approved.here.operator_id)
    with transaction(), pytest.raises(no.ChangeNotFound):
        changing_accounts.confirm(change, elsewhere.district, at=LATER)
    assert changing_accounts.waiting_count(elsewhere.district, LATER) == 0
    assert changing_accounts.waiting_count(hands.district, AFTER_AT) == 0, "not before its wait"
    assert changing_accounts.waiting_count(hands.district, LATER) == 1


def test_an_application_with_anothers_code_reaches_nobodys_account(
    approved: City, hands: Hands
) -> None:
    elsewhere, own = approved.extra["hands_elsewhere"], approved.here.operator_id
    with transaction():
        make_canteen("120103001", operator_id=own, status="applied")
    with transaction(), pytest.raises(NotFound):
        changing_accounts.ask("acct_x1", elsewhere.street, at=AFTER_AT, operator_id=own)
    change = ask(hands.operator, operator_id=own)
    assert not letters.to_send(elsewhere.district)
    with transaction(), pytest.raises(no.ChangeNotFound):
        changing_accounts.confirm(change, elsewhere.district, at=LATER)
    with transaction() as session:  # never listed anywhere, an enterprise has only its application
        session.execute(sa.update(Canteen).where(Canteen.operator_id == own).values(
            status="delisted"))  # fmt: skip
    with transaction(), pytest.raises(no.ChangeWaits):
        changing_accounts.ask("acct_x1", elsewhere.street, at=AFTER_AT, operator_id=own)


def test_what_was_released_keeps_its_account(
    approved: City, hands: Hands, maker: Actor, checker: Actor
) -> None:
    change = ask(hands.operator, operator_id=approved.here.operator_id)
    with transaction():
        batch = batching.make(None, "gateway", maker, at=AFTER_AT)
    assert {one.payee for one in finding.lines_of(batch.id) if one.change_waits} == {
        approved.here.name
    }
    with transaction():
        batching.release(batch.id, batch.digest, checker, at=AFTER_AT)
    confirm(change, hands.district)
    line = next(
        one.line for one in finding.lines_of(batch.id) if one.payee == approved.here.name
    )
    assert line.account == "acct_operator_1"
    payout = db.session.get_one(Payout, line.payout_id, populate_existing=True)
    assert payout.account == "acct_operator_1"


def test_a_payout_that_only_wanted_an_account_goes_on_by_itself(
    approved: City, hands: Hands
) -> None:
    second = approved.extra["second"]
    with transaction() as session:
        session.execute(sa.update(Elder).values(payout_account=None))
        session.execute(sa.update(Payout).where(Payout.account == "acct_elder_2").values(
            state="failed", failure="no payout account is known", account=""
        ))  # fmt: skip
    confirm(ask(hands.street, "acct_known", elder_id=second.id), hands.district, at=AFTER_AT)
    payout = db.session.scalars(
        sa.select(Payout).where(Payout.account == "acct_known")
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
    assert (payout.state, payout.failure) == ("ready", None)
    ready = finding.ready_sums()[0]
    confirm(ask(hands.street, "", at=LATER, elder_id=second.id), hands.district,
            at=LATER + timedelta(days=3))  # fmt: skip
    db.session.refresh(payout)
    assert (payout.state, payout.failure) == ("failed", "no payout account is known")
    assert finding.ready_sums()[0] == ready - 1, "nobody is told that it can be paid"


def test_a_whole_register_is_asked_for_at_once_and_once(approved: City, hands: Hands) -> None:
    with transaction():
        people = [make_elder(name=f"赵{n}") for n in range(3)]
        people[0].payout_account = "acct_same"
    wanted = {people[0].id: "acct_same", people[1].id: "acct_b1", people[2].id: "acct_c1"}
    for times in (2, 0):
        with transaction():
            assert ask_each(wanted, hands.district, at=AFTER_AT) == times
    told = sa.select(sa.func.count()).select_from(Notice).where(Notice.kind == "bank_change")
    assert db.session.scalar(told) == 2
    for change in db.session.scalars(sa.select(BankChange)).all():
        confirm(change.id, hands.street, at=AFTER_AT)
    traced = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "confirm_account")
    ).all()  # fmt: skip
    assert {one.detail["to"] for one in traced} == {"t_b1", "t_c1"}
